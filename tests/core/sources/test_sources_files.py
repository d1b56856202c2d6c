import json

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aquilamed.core.errors import ConfigError, ModelUnavailable, RecordError
from aquilamed.core.sources import Reading, files
from aquilamed.core.sources.files import rows

TABLE = [{"问": "感冒怎么办？", "答": "多喝水，\n多休息。"}, {"问": "What is “flu”?", "答": 'A virus, "influenza".'}]


def read(path, **reading):
    return list(rows(path, Reading(**reading)))


def csv_text(separator):
    cells = [[*TABLE[0]], *([*row.values()] for row in TABLE)]
    return "\r\n".join(separator.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in cells) + "\r\n"


def write(path, form, encoding):
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(TABLE), path)
    elif form == "xlsx":
        book = openpyxl.Workbook()
        for line in ([*TABLE[0]], *([*row.values()] for row in TABLE)):
            book.active.append(line)
        book.save(path)
    else:
        text = {"jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in TABLE), "json": json.dumps(TABLE, ensure_ascii=False, indent=1),
                "csv": csv_text(","), "tsv": csv_text("\t")}[form]
        path.write_bytes(text.encode(encoding))


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv", "parquet", "xlsx"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_one_table_in_every_format_and_encoding_gives_the_same_rows(tmp_path, form, encoding):
    path = tmp_path / f"表.{form}"
    write(path, form, encoding)
    assert [row for _, row in read(path, format=form)] == TABLE


def test_row_numbers_are_lines_of_the_file(tmp_path):
    (tmp_path / "a.csv").write_text('q,a\n"one\ntwo",x\n\nthree,y\n', encoding="utf-8")
    assert [number for number, _ in read(tmp_path / "a.csv", format="csv")] == [2, 5]
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}', encoding="utf-8")
    assert [number for number, _ in read(tmp_path / "a.jsonl", format="jsonl")] == [1, 3]


def test_line_separators_inside_a_json_line_do_not_split_it(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "一\u2028二\x85三"}\n', encoding="utf-8")
    assert [row for _, row in read(tmp_path / "a.jsonl", format="jsonl")] == [{"text": "一\u2028二\x85三"}]


def test_a_table_without_header_and_with_ordinary_quotation_marks(tmp_path):
    (tmp_path / "a.tsv").write_text('to category\t王岱舆的"天命三品"论\t法学\nto category\t"仙字溯源\t哲学\n', encoding="utf-8")
    found = read(tmp_path / "a.tsv", format="tsv", columns=("task", "title", "label"), quote="")
    assert found[1] == (2, {"task": "to category", "title": '"仙字溯源', "label": "哲学"})


def test_text_units_and_that_a_file_comes_as_it_is(tmp_path):
    path = tmp_path / "书.txt"
    path.write_bytes("\r\n  第一章\r\n风寒\r\n \r\n第二章\r\n".encode("gb18030"))
    assert read(path, format="txt") == [(1, {"text": "\r\n  第一章\r\n风寒\r\n \r\n第二章\r\n"})]
    assert read(path, format="txt", unit="line") == [(2, {"text": "  第一章"}), (3, {"text": "风寒"}), (5, {"text": "第二章"})]
    assert read(path, format="txt", unit="paragraph") == [(2, {"text": "  第一章\r\n风寒"}), (5, {"text": "第二章"})]


@pytest.mark.parametrize(("value", "path", "expected"), [
    ({"data": [{"title": "梵文", "paragraphs": [{"c": 1}, {"c": 2}]}, {"title": "B", "paragraphs": []}]}, "data[].paragraphs[]",
     [{"c": 1, "_parent": {"title": "梵文"}}, {"c": 2, "_parent": {"title": "梵文"}}]),
    ({"v": "1", "exams": {"E1": {"year": 2013, "data": [{"q": "x"}]}}}, "exams{}.data[]", [{"q": "x", "_parent": {"v": "1", "_key": "E1", "year": 2013}}]),
    ({"216": {"Q": "?"}, "217": "yes"}, "{}", [{"Q": "?", "_key": "216"}, {"value": "yes", "_key": "217"}]),
    ({"q": ["a", "b"], "n": [1, 2]}, "[:]", [{"q": "a", "n": 1}, {"q": "b", "n": 2}]),
])
def test_records_inside_json_by_declared_path(tmp_path, value, path, expected):
    (tmp_path / "a.json").write_text(json.dumps(value), encoding="utf-8")
    assert [row for _, row in read(tmp_path / "a.json", format="json", records=path)] == expected


def test_xml_elements_with_attributes_and_what_stands_around_them(tmp_path):
    body = ('<?xml version="1.0" encoding="gb2312"?><Document source="卫生院"><Focus>流感</Focus><QAPairs>'
            '<QAPair pid="1"><Question qtype="症状">怎么办<b>？</b></Question><Answer/></QAPair></QAPairs></Document>')
    (tmp_path / "a.xml").write_bytes(body.encode("gb18030"))
    (_, row), = read(tmp_path / "a.xml", format="xml", records=".//QAPair|.//pair")
    assert row["Question"]["#text"] == "怎么办？" and row["Question"]["@qtype"] == "症状" and row["Answer"]["#text"] == ""
    assert row["@pid"] == "1" and row["_parent"] == {"@source": "卫生院", "Focus": "流感"}


def test_a_folder_or_pattern_gives_fitting_files_sorted_by_name(tmp_path):
    for name in ("b/2.txt", "a/10.txt", "a/.hidden.txt", "a/1.md", "10.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    reading = Reading(format="txt")
    assert [name for _, name in files.find(tmp_path, reading)] == ["10.txt", "a/10.txt", "b/2.txt"]
    assert [name for _, name in files.find(tmp_path / "*/*.txt", reading)] == ["a/10.txt", "b/2.txt"]
    with pytest.raises(ConfigError, match="no xlsx file there"):
        files.find(tmp_path, Reading(format="xlsx"))
    with pytest.raises(ConfigError, match="no such file or folder"):
        files.find(tmp_path / "absent.txt", reading)


@pytest.mark.parametrize(("name", "content", "reading", "message"), [
    ("cut.jsonl", '{"q": "感冒"}\n{"q": "发', {"format": "jsonl"}, r"cut\.jsonl, row 2: not JSON: .*is the line cut off"),
    ("list.jsonl", "[\n{}\n]", {"format": "jsonl"}, r"list\.jsonl, row 1: .*declare format='json'"),
    ("cut.json", '[{"q": "感冒"}, {"q"', {"format": "json"}, r"cut\.json: not JSON: .*is the file cut off"),
    ("lines.json", '{"q": 1}\n{"q": 2}', {"format": "json"}, r"lines\.json: not JSON: .*declare format='jsonl'"),
    ("object.json", '{"version": 1, "data": []}', {"format": "json"}, r"expected a list, found an object with the keys version, data; declare the path"),
    ("empty.jsonl", "\n\n", {"format": "jsonl"}, r"empty\.jsonl: holds no jsonl rows"),
    ("empty.txt", "", {"format": "txt"}, r"empty\.txt: holds no txt rows"),
    ("header.csv", "q,a\n", {"format": "csv"}, r"header\.csv: holds no csv rows"),
    ("narrow.csv", "q,a\n感冒,多喝水\n发热\n", {"format": "csv"}, r"narrow\.csv, row 3: 1 fields, but 2 columns \(q, a\)"),
    ("narrow.tsv", "q\ta\n发热\n", {"format": "tsv"}, r"narrow\.tsv, row 2: 1 fields, but 2 columns"),
    ("wide.csv", "q,a\n感冒,多喝水,多休息\n", {"format": "csv"}, r"wide\.csv, row 2: 3 fields, but 2 columns \(q, a\)"),
    ("open.csv", 'q,a\nx,y\n"感冒,多喝水\n', {"format": "csv"}, r"open\.csv, row 3: unexpected end of data"),
    ("twice.csv", "q,q\n1,2\n", {"format": "csv"}, r"twice\.csv: its header has the columns 'q' twice"),
    ("bad.parquet", "PAR1 not", {"format": "parquet"}, r"bad\.parquet: not a whole Parquet file"),
    ("bad.xlsx", "PK not", {"format": "xlsx"}, r"bad\.xlsx: not a whole xlsx workbook"),
    ("cut.xml", "<a><b>", {"format": "xml", "records": "b"}, r"cut\.xml: not well-formed XML"),
])
def test_each_damaged_file_is_refused_with_its_place(tmp_path, name, content, reading, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(RecordError, match=message):
        read(tmp_path / name, **reading)


def test_a_missing_sheet_names_those_that_are_there(tmp_path):
    write(tmp_path / "a.xlsx", "xlsx", "")
    with pytest.raises(RecordError, match="no sheet '试题'; there are: Sheet"):
        read(tmp_path / "a.xlsx", format="xlsx", sheet="试题")


@pytest.mark.parametrize(("options", "message"), [
    ({"format": "jsonl", "sheet": "x"}, "sheet='x' is for xlsx, not for format='jsonl'"),
    ({"format": "jsonll"}, "expected one of jsonl"),
    ({"format": "xml"}, "needs records="),
    ({"format": "hub"}, "needs revision="),
])
def test_options_that_can_not_be_meant_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        Reading(**options)


def test_the_hub_is_asked_for_split_and_revision_and_its_failure_offers_a_local_file(monkeypatch):
    import datasets
    asked = []

    def load(path, name, *, split, revision):
        asked.append((path, name, split, revision))
        if revision == "gone":
            raise ConnectionError("Couldn't reach it")
        return TABLE

    monkeypatch.setattr(datasets, "load_dataset", load)
    found = read("someone/set", format="hub", split="test", revision="4f2a", subset="zh")
    assert [row for _, row in found] == TABLE and asked == [("someone/set", "zh", "test", "4f2a")]
    with pytest.raises(ModelUnavailable, match=r"someone/set .*revision gone.*give the file's path"):
        read("someone/set", format="hub", revision="gone")
