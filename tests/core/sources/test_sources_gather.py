import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import Documents, Pair, Skip, Source, casebooks
from aquilamed.core.sources.gather import gather, outside, placed
from aquilamed.core.sources.harvest import cut
from aquilamed.engine.local import Local

PAIR = Pair(prompt=("q",), answer="a", meta={"department": "d?"})


def qa(path, **options):
    return Source(name=options.pop("name", "qa"), path=path, format="jsonl", mapping=PAIR, license="MIT", **options)


def write_lines(path: Path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows), encoding="utf-8")
    return path


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_a_record_says_where_it_came_from_and_every_row_is_accounted_for(tmp_path):
    write_lines(tmp_path / "data/内科/一.jsonl", [{"q": "感冒怎么办？", "a": "多喝水\r\n休息", "d": "内科"}, {"q": "头痛？", "a": ""}])
    write_lines(tmp_path / "data/en.jsonl", [{"q": "What is flu?", "a": "A virus."}])
    counts = gather("conversations", [qa(tmp_path / "data")], tmp_path / "out", Local(1))
    assert counts.as_json() == {"in": 3, "out": 2, "dropped": {"empty": 1}} and counts.langs == Counter(zh=1, en=1)
    zh = next(row for row in tables.rows(tmp_path / "out", "conversations") if row["lang"] == "zh")
    assert zh["messages"][1]["content"] == "多喝水\n休息" and (zh["source"], zh["license"]) == ("qa", "MIT")
    assert zh["meta"] == {"file": "内科/一.jsonl", "row": "1", "department": "内科"}
    assert counts.notes["newlines_normalised"] == 1 and counts.notes["rows"] == {"qa": 3} and counts.notes["encodings"] == {"qa": {"utf-8": 2}}
    gone, = tables.load(tmp_path / "out/dropped/conversations-00000.parquet").to_pylist()
    assert (gone["reason"], gone["detail"], dict(gone["meta"])["row"]) == ("empty", "turn 2 (assistant) has no text", "2")


def test_no_work_is_left_that_a_later_try_would_go_on_with(tmp_path):
    gather("conversations", [qa(write_lines(tmp_path / "a.jsonl", [{"q": "头痛？", "a": "休息"}]))], tmp_path / "out", Local(1))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["conversations"]


def test_a_row_that_does_not_fit_stops_the_import_before_anything_is_written(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", [{"q": "?", "a": "x"}, {"q": "?", "answer": "x"}])
    with pytest.raises(RecordError, match=r"a\.jsonl, row 2: no key 'a'; the row has: q, answer.*mapping of source 'qa', or set on_bad_row='drop'"):
        gather("conversations", [qa(path)], tmp_path / "out", Local(1))
    assert not (tmp_path / "out").exists()


def test_with_drop_bad_rows_are_kept_raw_with_their_reason(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", [{"q": "?", "a": "x"}, {"q": "药", "answer": "x"}, '{"q": "断', '{"q": "\\ud83d", "a": "y"}'])
    counts = gather("conversations", [qa(path)], tmp_path / "out", Local(1), on_bad_row="drop")
    assert counts.as_json() == {"in": 4, "out": 1, "dropped": {"bad_row": 3}}
    rows = tables.load(tmp_path / "out/dropped/raw-00000.parquet").to_pylist()
    assert [(row["file"], row["row"], row["reason"]) for row in rows] == [("a.jsonl", str(n), "bad_row") for n in (2, 3, 4)]
    assert rows[0]["raw"] == '{"q": "药", "answer": "x"}' and rows[1]["raw"] == '{"q": "断\n' and "surrogate" in rows[2]["detail"]


def test_neither_order_of_sources_nor_workers_change_a_byte(tmp_path):
    for name in ("a", "b", "c"):
        write_lines(tmp_path / f"{name}/rows.jsonl", [{"q": f"{name} 问 {n % 7}", "a": "答" if n % 5 else ""} for n in range(40)])
    one = [qa(tmp_path / name, name=name, skip=(Skip(why="six", field="q", when=("a 问 6",)),)) for name in ("a", "b", "c")]
    gather("conversations", one, tmp_path / "one", Local(1))
    gather("conversations", one[::-1], tmp_path / "two", Local(4))
    assert everything(tmp_path / "one") == everything(tmp_path / "two")
    assert set(everything(tmp_path / "one")) == {"conversations/part-00000.parquet", "dropped/conversations-00000.parquet"}


def test_a_long_book_is_cut_at_paragraph_ends_and_nothing_is_lost(tmp_path):
    book = "".join(f"第{n}章\n" + "风寒束表，恶寒发热。" * 12 + "\n\n" for n in range(40))
    pieces = cut(book, 1000)
    assert "".join(pieces) == book and max(map(len, pieces)) <= 1000 and all(piece.endswith("。\n\n") for piece in pieces)
    assert len(pieces) == 6 and min(map(len, pieces)) > 700
    (tmp_path / "书.txt").write_text(book, encoding="gb18030")
    source = Source(name="books", path=tmp_path, format="txt", mapping=Documents(), license="LicenseRef-public-domain")
    counts = gather("documents", [source], tmp_path / "out", Local(1), max_chars=1000)
    rows = sorted(tables.rows(tmp_path / "out", "documents"), key=lambda row: row["meta"]["piece"])
    assert counts.n_in == 6 and [row["meta"]["piece"] for row in rows] == [f"{n}/6" for n in range(1, 7)] and "".join(row["text"] for row in rows) == book


@pytest.mark.parametrize(("text", "max_chars", "first"), [
    ("One two. " * 9, 30, "One two. One two. One two. "),
    ("他说：“今天已经走得很远了。”然后他又走了，一直走到天黑", 20, "他说：“今天已经走得很远了。”"),
    ("他说然后走了很久很久，一直走到天黑也没有回头谁都不知道", 20, "他说然后走了很久很久，"),
    ("x" * 50, 30, "x" * 27),
])
def test_a_text_without_paragraphs_is_cut_after_a_sentence_a_comma_or_anywhere(text, max_chars, first):
    pieces = cut(text, max_chars)
    assert pieces[0] == first and "".join(pieces) == text and max(map(len, pieces)) <= max_chars


def test_an_empty_file_stops_and_a_file_without_rows_among_others_is_noted(tmp_path):
    write_lines(tmp_path / "d/a.jsonl", [{"q": "?", "a": "x"}])
    write_lines(tmp_path / "d/blank.jsonl", ["", ""])
    assert gather("conversations", [qa(tmp_path / "d")], tmp_path / "out", Local(1)).notes["files_without_rows"] == ["qa/blank.jsonl"]
    with pytest.raises(RecordError, match="source 'qa': .*blank.jsonl: holds no jsonl rows"):
        gather("conversations", [qa(tmp_path / "d/blank.jsonl")], tmp_path / "out2", Local(1))
    (tmp_path / "d/zero.jsonl").touch()
    with pytest.raises(RecordError, match=r"zero\.jsonl: an empty file"):
        gather("conversations", [qa(tmp_path / "d")], tmp_path / "out3", Local(1))


def test_if_nothing_is_left_the_reasons_are_named(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", [{"q": "?", "a": ""}])
    with pytest.raises(RecordError, match=r"no conversations came out of qa: all 1 rows were dropped \(empty 1\); e\.g\. turn 2"):
        gather("conversations", [qa(path)], tmp_path / "out", Local(1))


def test_paths_in_an_input_folder_and_files_outside(tmp_path):
    inside, other = qa("step:clinic/talks.jsonl"), qa(write_lines(tmp_path / "x/a.jsonl", [{"q": "?", "a": "x"}]).parent, name="other")
    assert placed([inside, other], {"clinic": tmp_path})[0].path == tmp_path / "talks.jsonl"
    assert outside([inside, other]) == [tmp_path / "x"] and outside([qa(tmp_path / "x/*.jsonl")]) == [tmp_path / "x/a.jsonl"]
    with pytest.raises(ConfigError, match="the step has no input 'clinic'; did you mean 'clinics'"):
        placed([inside], {"clinics": tmp_path})
    with pytest.raises(ConfigError, match="two sources are called other"):
        gather("conversations", [other, other], tmp_path / "out", Local(1))


def test_a_source_of_which_nothing_came_through_is_warned_of(tmp_path):
    good, bad = write_lines(tmp_path / "a.jsonl", [{"q": "头痛？", "a": "休息"}]), write_lines(tmp_path / "b.jsonl", [{"ask": "张三 13812345678", "a": "x"}, {"q": "?", "a": ""}])
    counts = gather("conversations", [qa(good), dataclasses.replace(qa(bad), name="其他")], tmp_path / "out", Local(1), on_bad_row="drop")
    assert counts.notes["warnings"] == ["source '其他': all of its 2 rows were dropped (bad_row 1, empty 1)"] and counts.n_out == 1


def test_a_file_of_this_package_is_named_without_its_place(tmp_path):
    """Else a run made with one installation would be another's under the next."""
    source = casebooks.safety()
    assert source.path == "package:evals/safety_cases.jsonl" and outside([source]) == [casebooks.SAFETY]
    assert gather("conversations", [source], tmp_path / "out", Local(1)).n_out > 0
