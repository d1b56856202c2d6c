"""What repeated paragraphs and identifiers look like on the page, from steps that ran."""

import pytest

from aquilamed.clinic import notes, screened
from aquilamed.core import manifest, tables
from aquilamed.engine.local import Local
from aquilamed.hygiene import repeats
from aquilamed.report import cuts, page, runs

STANDING = {"zh": "本网站内容仅供参考，不能代替医生的诊断，请联系客服王小明，电话13812345678。", "en": "All rights reserved by the publisher; call 212-555-0123 for the printed edition of this page."}


def _sealed(run, name, stage, module, config, inputs):
    out = run / name
    identity = manifest.Identity(stage=stage, version=module.VERSION, config={}, inputs={})
    manifest.begin(out, identity)
    counts = module.run(config, inputs, out, Local(1))
    manifest.seal(out, identity, counts, step=name.partition("-")[2], paper="ours", seconds=1.0, provenance={"packages": {}})
    return counts


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    texts = [f"第{number}篇文章谈{topic}患者的饮食、运动、血糖监测与用药，内容与其他各篇都不相同，编号为{number}。\n{STANDING[lang]}" if lang == "zh" else f"Article {number} on {topic} tells of diet, exercise, monitoring and drugs, and is not any of the others, being number {number}.\n{STANDING[lang]}"
             for lang, topic, n in (("zh", "糖尿病", 14), ("en", "Diabetes", 12)) for number in range(n)]
    tables.scatter(folder / "in", "documents", tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT"} for text in texts]))
    counts = _sealed(folder, "01-repeats", "hygiene.repeats", repeats, repeats.Config(), {"documents": folder / "in"})
    assert counts.notes["paragraphs_cut"] == 26
    _sealed(folder, "02-notes", "clinic.notes", notes, notes.Config(n_notes=40), {})
    return folder


def test_the_commonest_paragraphs_are_shown_masked_in_both_languages(run):
    assert [(lang, n) for lang, n, _ in cuts.paragraphs(run / "01-repeats" / "cut")] == [("zh", 14), ("en", 12)]
    shown = cuts.show(runs.load(run))
    assert "13812345678" not in shown and "212-555-0123" not in shown
    assert "本网站内容仅供参考" in shown and "[电话1]" in shown and "[PHONE_1]" in shown


def test_identifiers_of_notes_are_measured_by_language_and_kind(run):
    counts = _sealed(run, "03-identifiers", "clinic.screened", screened, screened.Config(), {"notes": run / "02-notes"})
    total = counts.notes["identifiers"]
    assert set(total) == {"zh", "en", "mixed"} and counts.n_in == counts.n_out == 88 == sum(counts.langs.values())
    assert all(one["recall"] >= 0.95 and one["precision"] >= 0.95 and one["n"] > 50 for one in total.values())
    text = page.render(runs.load(run))
    assert "Paragraphs cut, identifiers found" in text and "By kind, zh" in text and "record number" in text


def test_a_run_without_either_has_no_such_section(tmp_path, run):
    for name in ("01-repeats", "03-identifiers"):
        if (run / name).is_dir():
            (run / name).rename(tmp_path / name)
    assert "Paragraphs cut" not in page.render(runs.load(run))
