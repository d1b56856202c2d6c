"""Paragraphs that stand in many documents: cut, dropped with their document, or reported; nothing is lost silently."""

import numpy as np
import pyarrow as pa
import pytest

from aquilamed.core import manifest, tables, text
from aquilamed.core.errors import ConfigError
from aquilamed.core.sources import known
from aquilamed.corpus import importing
from aquilamed.engine.local import Local
from aquilamed.hygiene import repeats
from aquilamed.hygiene.paragraphs import paragraphs
from killed import continued_everywhere

NOTICE = {"zh": "本站内容仅供参考，不能代替医生的诊断。", "en": "This site is for information only and does not replace a doctor."}
BODY = {
    "zh": ("高血压早期多没有明显症状，应当定期测量，编号{}。", "治疗从限盐和运动开始，必要时用药，方案{}号。", "治疗与随访"),
    "en": ("Hypertension seldom has early symptoms, so measure it, says note {}.", "Treatment begins with salt and sport, by plan number {}.",
           "Adverse Effects and Contraindications")}
LANGS = ["zh", "en"]


def page(lang, k, *, notice=True):
    """A page with a heading that all pages have and, unless told otherwise, the notice before its last line."""
    first, second, heading = BODY[lang]
    return "\n".join([first.format(k), heading, *([NOTICE[lang]] if notice else []), second.format(k)])


def write(folder, texts, n_shards=2):
    table = tables.from_rows("documents", [{"text": t, "source": "s", "license": "MIT", "meta": {"row": str(k)}} for k, t in enumerate(texts)])
    for number in range(n_shards):
        tables.write(folder / "documents" / tables.part(number), table.take(pa.array(range(number, len(table), n_shards))))
    return {"documents": folder}


def run(inputs, out, engine=None, **settings):
    return repeats.run(repeats.Config(**{"min_documents": 3, **settings}), inputs, out, engine or Local(1))


def written(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and manifest.PASSES not in path.relative_to(folder).parts)
    return sorted((str(path.relative_to(folder)), path.read_bytes()) for path in files)


@pytest.mark.parametrize("lang", LANGS)
def test_what_stands_in_enough_documents_is_cut_and_kept_aside(tmp_path, lang):
    texts = [page(lang, k, notice=k < 3) for k in range(5)]
    counts = run(write(tmp_path / "in", texts), tmp_path / "out")
    rows = sorted(tables.rows(tmp_path / "out", "documents"), key=lambda row: row["meta"]["row"])
    assert [row["text"] for row in rows] == [page(lang, k, notice=False) for k in range(5)], "the heading is too short to count"
    assert [row["meta"].get("paragraphs_cut") for row in rows] == ["1", "1", "1", None, None]
    assert all(row["id"] == text.content_id(row["text"]) for row in rows)
    assert counts.n_in == counts.n_out == 5 and counts.notes == {"documents_cut": 3, "paragraphs_cut": 3, "repeated_paragraphs": 1}
    cuts = sorted(tables.read(tmp_path / "out" / "cut", "cut").to_pylist(), key=lambda row: row["before"])
    assert cuts == sorted(({"id": rows[k]["id"], "before": text.content_id(texts[k]), "line": 3, "text": NOTICE[lang], "documents": 3} for k in range(3)),
                          key=lambda row: row["before"])


@pytest.mark.parametrize("lang", LANGS)
def test_one_document_fewer_cuts_nothing(tmp_path, lang):
    texts = [page(lang, k, notice=k < 2) for k in range(5)]
    counts = run(write(tmp_path / "in", texts), tmp_path / "out")
    assert counts.notes == {"documents_cut": 0, "paragraphs_cut": 0, "repeated_paragraphs": 0} and not (tmp_path / "out" / "cut").exists()
    assert sorted(tables.read(tmp_path / "out", "documents")["text"].to_pylist()) == sorted(texts)


def test_a_paragraph_counts_once_in_a_document(tmp_path):
    texts = ["\n".join([NOTICE["zh"]] * 9 + [BODY["zh"][0].format(k)]) for k in range(2)]
    assert run(write(tmp_path / "in", texts), tmp_path / "out").notes["repeated_paragraphs"] == 0
    assert run(write(tmp_path / "in", texts), tmp_path / "two", min_documents=2).notes == {"documents_cut": 2, "paragraphs_cut": 18, "repeated_paragraphs": 1}


@pytest.mark.parametrize(("one", "other"), [
    ("版权所有，转载请注明出处（ABC 网）", "版权所有, 转载请注明出处(abc网)"), ("版权所有，转载请注明出处", "版權所有，轉載請注明出處"), (NOTICE["en"], f"  {NOTICE['en'].upper()} ")])
def test_width_case_blanks_and_script_make_no_other_paragraph(tmp_path, one, other):
    texts = [f"{line}\n{BODY['zh'][0].format(k)}" for k, line in enumerate([one, other, one])]
    assert run(write(tmp_path / "in", texts), tmp_path / "out").notes["paragraphs_cut"] == 3


def test_doses_that_differ_are_other_paragraphs(tmp_path):
    texts = [f"每日一次，每次口服阿司匹林 {100 + k} mg，饭后服用。\n{BODY['zh'][0].format(k)}" for k in range(5)]
    assert run(write(tmp_path / "in", texts), tmp_path / "out").notes["repeated_paragraphs"] == 0


@pytest.mark.parametrize("lang", LANGS)
def test_a_document_of_which_too_little_is_left_is_dropped_whole(tmp_path, lang):
    texts = [page(lang, k) for k in range(3)] + [f"{NOTICE[lang]}\n2026-11-26"]
    counts = run(write(tmp_path / "in", texts), tmp_path / "out")
    gone = tables.read(tmp_path / "out" / "dropped", "documents").to_pylist()
    assert counts.dropped == {"only_repeats": 1} and counts.n_out == 3
    assert [row["text"] for row in gone] == texts[3:], "as it came"
    assert text.content_id(texts[3]) not in tables.read(tmp_path / "out" / "cut", "cut")["before"].to_pylist()


@pytest.mark.parametrize("lang", LANGS)
def test_drop_and_report_leave_texts_as_they_are(tmp_path, lang):
    texts = [page(lang, k) for k in range(3)] + [f"{NOTICE[lang]}\n{BODY[lang][2]}", page(lang, 9, notice=False)]
    inputs = write(tmp_path / "in", texts)
    dropping = run(inputs, tmp_path / "drop", action="drop")
    gone = tables.read(tmp_path / "drop" / "dropped", "documents").to_pylist()
    n, heading = (len(words.replace(" ", "")) for words in (NOTICE[lang], BODY[lang][2]))
    assert [(row["text"], row["reason"], row["detail"]) for row in gone] == [(texts[3], "repeated_paragraphs", f"{n / (n + heading):.4f}")]
    assert dropping.n_in == 5 and dropping.n_out == 4
    reporting = run(inputs, tmp_path / "report", action="report")
    shares = {row["text"]: row["meta"].get("repeated_share") for row in tables.rows(tmp_path / "report", "documents")}
    assert set(shares) == set(texts) and shares[texts[4]] is None and shares[texts[3]] == f"{n / (n + heading):.4f}"
    assert reporting.notes == {"documents_reported": 4, "repeated_paragraphs": 1} and reporting.n_out == 5


def test_shards_pieces_workers_and_kills_change_no_byte(tmp_path, monkeypatch):
    texts = [page(lang, k, notice=k % 3 > 0) for k in range(20) for lang in LANGS] + ["", "\n\n", NOTICE["zh"]]
    inputs = write(tmp_path / "in", texts, 3)
    whole = run(inputs, tmp_path / "whole")
    wanted = written(tmp_path / "whole")
    monkeypatch.setattr(repeats, "KEYS_AT_ONCE", 5)
    assert run(inputs, tmp_path / "pieces", Local(2)) == whole and written(tmp_path / "pieces") == wanted

    def check(counts, at):
        assert counts == whole and written(tmp_path / f"killed-{at}") == wanted, at
    assert continued_everywhere(lambda engine, at: run(inputs, tmp_path / f"killed-{at}", engine), check) > 10
    one = run(write(tmp_path / "one", texts, 1), tmp_path / "one-out")
    assert (one.n_out, one.dropped, one.notes) == (whole.n_out, whole.dropped, whole.notes)


def test_lines_are_cut_at_their_bytes():
    texts = pa.array(["", "a\n", "高血压\r\n\n Ｂ超 ", None, "x"]).slice(1)
    found, data = paragraphs(texts), texts.buffers()[2].to_pybytes()
    assert [data[b:e].decode() for b, e in zip(found.begin, found.end, strict=True)] == ["a", "", "高血压\r", "", " Ｂ超 ", "", "x"]
    assert found.owner.tolist() == [0, 0, 1, 1, 1, 2, 3] and found.chars.tolist() == [1, 0, 3, 0, 2, 0, 1]
    assert found.tokens.tolist() == [1, 0, 3, 0, 2, 0, 1] and paragraphs(pa.array(["服 5mg/日, don't"])).tokens.tolist() == [6]
    assert found.key[4] == paragraphs(pa.array(["b 超"])).key[0] != found.key[0] and len(np.unique(found.key)) == 5


@pytest.mark.parametrize(("setting", "message"), [
    ({"min_documents": 1}, "min_documents=1: expected 2 or more"), ({"min_tokens": 0}, "min_tokens=0: expected 1 or more"),
    ({"max_share": 1.5}, "max_share=1.5: expected a share"), ({"min_left_chars": 0}, "min_left_chars=0: expected 1 or more")])
def test_refusals_name_the_setting(setting, message):
    with pytest.raises(ConfigError, match=message):
        repeats.Config(**setting)


def test_of_real_textbooks_the_standing_phrases_are_cut_and_headings_and_advice_stay(tmp_path, shared_data):
    sources = known.documents(shared_data)
    books = tuple(sources[name] for name in ("openstax_anatomy", "openstax_nursing"))
    counts = importing.run(importing.Config(sources=books), {}, tmp_path / "in", Local(1))
    done = repeats.run(repeats.Config(), {"documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    cut = {row["text"] for row in tables.read(tmp_path / "out" / "cut", "cut").to_pylist()}
    assert "By the end of this section, you should be able to:" in cut and 5 < len(cut) < 20
    assert not cut & {"Learning Outcomes", "Adverse Effects and Contraindications", "Take the drug with food if it causes an upset stomach."}
    assert done.n_out == counts.n_out, "no page is made of them alone"


@pytest.mark.parametrize("action", ["cut", "drop", "report"])
def test_shards_without_rows_pass(tmp_path, action):
    tables.write(tmp_path / "in" / "documents" / tables.part(0), tables.from_rows("documents", []))
    counts = run({"documents": tmp_path / "in"}, tmp_path / "out", action=action)
    assert counts.n_in == counts.n_out == 0 and counts.notes["repeated_paragraphs"] == 0
