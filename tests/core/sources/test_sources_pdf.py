"""PDF: furniture by place and run, never a table's numbers; paragraphs, hyphens and lists; damaged pages."""

import random
from collections import Counter

import pdf_pages
import pytest

from aquilamed.core.errors import RecordError
from aquilamed.core.sources import Reading, pdf
from aquilamed.core.sources.files import Broken


def read(tmp_path, pages, **options):
    pdf_pages.write(tmp_path / "a.pdf", pages)
    return [row for _, row in pdf.pdf(tmp_path / "a.pdf", Reading(format="pdf", **options), "")]


def body(n: int) -> list[str]:
    return [f"Paragraph {n * 37} tells of one thing that goes on for the whole line", f"and ends with number {n * 91} of the list."]


def test_heads_of_the_left_and_right_page_of_each_chapter_and_page_numbers_go(tmp_path):
    pages = [["Textbook of medicine" if n % 2 else f"Chapter {(n - 1) // 6 + 1}", *body(n), *body(n + 50), f"Page {n} of 12"] for n in range(1, 13)]
    (row,) = read(tmp_path, pages)
    assert "Textbook" not in row["text"] and "Page" not in row["text"].split() and row["furniture"] == str(12 + 6 + 3 + 3)
    assert "Chapter" not in row["text"]
    assert all(str(n * 37) in row["text"] for n in range(1, 13))


@pytest.mark.parametrize("pages", [
    [["血常规", "120", "45", "3.3"], ["血生化", "5.6", "7.8", "9.1"], ["凝血", "11.2", "12", "13"]],
    [["Dose", "阿司匹林 100 mg", "x"], ["Plan", "阿司匹林 200 mg", "y"], ["Note", "阿司匹林 400 mg", "z"]],
    [["120", "80"], ["130", "85"], ["140", "90"]],
])
def test_numbers_that_do_not_count_the_pages_stay_each_in_its_line(tmp_path, pages):
    (row,) = read(tmp_path, pages)
    assert row["text"].split("\n") == [line for page in pages for line in page] and row["furniture"] == "0"


def test_a_document_of_equal_pages_is_not_emptied(tmp_path):
    (row,) = read(tmp_path, [["处方笺", "阿司匹林"], ["处方笺", "阿司匹林"]])
    assert row["text"].split("\n") == ["处方笺", "阿司匹林", "处方笺", "阿司匹林"]


@pytest.mark.parametrize(("lines", "text"), [
    (["The well-", "known drug was tried in a treat-", "ment of COVID-", "19 as add-on."], "The well-known drug was tried in a treatment of COVID-19 as add-on."),
    (["An add-on helps, and this add-", "on too, with the lifestyle of life-", "style change."], "An add-on helps, and this add-on too, with the lifestyle of lifestyle change."),
    (["高血压是指动脉血压持续升高的慢性", "病，早期多没有明显症状，需要长期", "随访。"], "高血压是指动脉血压持续升高的慢性病，早期多没有明显症状，需要长期随访。"),
    (["1. Aspirin 100 mg every day with food", "2. A statin 20 mg at night"], "1. Aspirin 100 mg every day with food\n2. A statin 20 mg at night"),
    (["第三章 治疗", "治疗以控制饮食和规律服药为主，", "并定期监测。"], "第三章 治疗\n治疗以控制饮食和规律服药为主，并定期监测。"),
])
def test_lines_become_paragraphs(lines, text):
    assert pdf.joined(lines, Counter(["add-on"] * ("add-on" in lines[0]) + ["lifestyle"])).strip() == text


def test_a_page_number_goes_to_each_record_where_pages_are_the_unit(tmp_path):
    rows = read(tmp_path, [body(1), body(2)], unit="page")
    assert [row["_meta"] for row in rows] == [{"page": "1"}, {"page": "2"}]


def test_a_damaged_file_is_told_and_never_a_traceback(tmp_path):
    pdf_pages.write(tmp_path / "a.pdf", [body(n) for n in range(3)])
    whole, found = (tmp_path / "a.pdf").read_bytes(), Counter()
    chance = random.Random(2)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 10, 40))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / "b.pdf").write_bytes(data)
        try:
            (row,) = (row for _, row in pdf.pdf(tmp_path / "b.pdf", Reading(format="pdf"), ""))
            found[row.reason or row.detail.partition(" of ")[0] if isinstance(row, Broken) else "read"] += 1
        except RecordError:
            found["refused"] += 1
    assert found["read"] and found["refused"] and any(key.startswith("page ") for key in found), found
