"""The filters on the ground truth, by hand; the examples: balanced, masked, the same for any sharding."""

import html
from collections import Counter

import fake_run
import numpy as np
import pyarrow as pa
import pytest

from aquilamed.core import near, tables
from aquilamed.core.counts import Counts
from aquilamed.core.intervals import wilson
from aquilamed.corpus import classify, rules
from aquilamed.engine.local import Local
from aquilamed.hygiene import dedup
from aquilamed.report import examples, page, results, runs, truth


def document(number: int, lang: str = "zh", text: str = "", **meta) -> dict:
    said = {"truth_dirt": "clean", "truth_lang": lang, "truth_domain": "medical", "truth_quality": "6", "truth_page": f"p{number}", "truth_same": f"p{number}", "domain": "medical", "quality": "5.00"}
    return {"id": f"{number:032x}", "text": text or f"text {number}", "lang": lang, "source": "s", "license": "MIT", "meta": {**said, **meta}}


def step(folder, stage: str, rows: list[tuple[dict, str]], *, config: dict | None = None, n_shards: int = 1) -> runs.Step:
    """A finished step that kept the rows with an empty reason and dropped the others."""
    dropped = Counter(reason for _, reason in rows if reason)
    out = fake_run.Maker(folder).step("it", stage, Counts(n_in=len(rows), n_out=len(rows) - dropped.total(), dropped=dropped), config={"kind": "documents", **(config or {})})
    for number in range(n_shards):
        table = tables.from_rows("documents", [row for row, _ in rows[number::n_shards]])
        reasons = [reason for _, reason in rows[number::n_shards]]
        masks = {reason: np.array([found == reason for found in reasons], bool) for reason in sorted(dropped)}
        tables.save(out, "documents", number, *tables.sift(table, masks))
    return runs.load(folder).steps[0]


def measured(made: runs.Step) -> dict:
    return {(line.reason, line.lang): line for line in truth.measure(made, truth.pages(made))}


def test_precision_and_recall_by_hand(tmp_path):
    rows = [(document(k, truth_dirt="garbled"), "garbled" if k < 3 else "too_short" if k == 3 else "") for k in range(5)]
    rows += [(document(10), "garbled"), (document(11), ""), (document(20, "en", truth_dirt="garbled"), "")]
    found = measured(step(tmp_path / "r", "corpus.rules", rows))
    zh = found["garbled", "zh"]
    assert (zh.n_dropped, zh.precision, zh.n_clean, zh.n_there, zh.recall, zh.dropped_by_any) == (4, wilson(3, 4), 1, 5, wilson(3, 5), wilson(4, 5))
    en = found["garbled", "en"]
    assert (en.n_dropped, en.n_there, en.recall) == (0, 1, wilson(0, 1)) and en.precision.value != en.precision.value
    assert found["too_short", "zh"].precision == wilson(0, 1) and found["too_short", "zh"].meant_for == ("stub",)


def test_of_copies_all_but_one_are_to_go(tmp_path):
    near_one, exact = ({"truth_dirt": kind, "truth_of": "p1", "truth_same": "p1"} for kind in ("near_duplicate", "exact_duplicate"))
    rows = [(document(1), "near_duplicate"), (document(2, **near_one), ""), (document(3, **exact), "exact_duplicate"),          # the longest stays, not the original
            (document(4), ""), (document(5, **{**near_one, "truth_of": "p4", "truth_same": "p4"}), ""),                       # missed
            (document(6, truth_same="x"), "near_duplicate"), (document(7, truth_same="x"), ""),                              # two pages of the same text: right, though not planted
            (document(8), "near_duplicate")]                                                                                # nothing like it stays: wrong
    found = measured(step(tmp_path / "r", "hygiene.dedup", rows))
    one, other = found["near_duplicate", "zh"], found["exact_duplicate", "zh"]
    assert (one.n_dropped, one.precision, one.n_clean, one.n_there, one.recall) == (3, wilson(2, 3), 1, 2, wilson(1, 2))
    assert (other.precision, other.n_there, other.recall, other.dropped_by_any) == (wilson(1, 1), 1, wilson(1, 1), wilson(1, 1))


def test_marks_are_measured_whether_or_not_they_drop(tmp_path):
    rows = [(document(1), ""), (document(2, truth_domain="general"), ""), (document(3, domain="general"), ""), (document(4, domain="general", truth_domain="general"), "general")]
    line = measured(step(tmp_path / "domain", "corpus.classify", rows))["medical", "zh"]
    assert (line.n_dropped, line.precision, line.n_there, line.recall) == (2, wilson(1, 2), 2, wilson(1, 2))
    rows = [(document(1, quality="2.50", least_quality="3.10", truth_quality="2"), ""), (document(2, quality="2.00", least_quality="3.10"), ""),
            (document(3, least_quality="3.10", truth_quality="1"), "")]
    line = measured(step(tmp_path / "quality", "corpus.quality", rows, config={"good": 4.0}))["low_quality", "zh"]
    assert (line.n_dropped, line.precision, line.n_clean, line.n_there, line.recall) == (2, wilson(1, 2), 1, 2, wilson(1, 2)) and line.meant_for == ("quality < 4",)
    rows = [(document(1, quality="2.50", truth_quality="2"), "below_quality"), (document(2, truth_quality="2"), "over_budget"), (document(3, domain="general", truth_quality="0"), "")]
    found = measured(step(tmp_path / "mix", "corpus.mix", rows, config={"min_quality": 4.0}))
    assert set(found) == {("below_quality", "zh")} and found["below_quality", "zh"].recall == wilson(1, 2)


def test_a_run_without_truth_shows_no_such_table(tmp_path):
    bare = {**document(1), "meta": {}}
    made = step(tmp_path / "r", "corpus.rules", [(bare, ""), ({**bare, "id": "f" * 32}, "garbled")])
    assert truth.pages(made) == [] and "ground truth" not in page.write(tmp_path / "r").read_text(encoding="utf-8")


def test_the_page_and_the_markdown_show_it(tmp_path):
    step(tmp_path / "r", "corpus.rules", [(document(1, truth_dirt="unsafe"), "unsafe"), (document(2), "")])
    text = page.write(tmp_path / "r").read_text(encoding="utf-8")
    assert "Measured on the clinic&#x27;s ground truth" in text and "以内置合成门诊的真值衡量" in text and "100.0 % <small>21–100</small>" in text
    assert "| 01 it | unsafe | unsafe | zh | 1 | 100.0 (20.7 to 100.0) | 0 | 1 | 100.0 (20.7 to 100.0) | 100.0 (20.7 to 100.0) |" in results.render([tmp_path / "r"])


SECRETS = ("13812345678", "王小明", "john.doe@example.org")


@pytest.mark.parametrize("n_shards", [1, 3])
def test_examples_are_masked_cut_balanced_and_the_same_for_any_sharding(tmp_path, n_shards):
    rows = [(document(k, ("zh", "en", "en")[k % 3], ("字" if k % 3 == 0 else "word ") * 400), "symbols") for k in range(60)]
    rows += [(document(100, text=f"患者王小明，电话13812345678。{'好' * 400}"), "identifier"), (document(101, "en", f"{'far ' * 200}Contact john.doe@example.org now"), "identifier"), (document(102), "over_budget")]
    made = step(tmp_path / "r", "corpus.rules", rows, n_shards=n_shards)
    found = examples.chosen(made, "dropped")
    assert set(found) == {"symbols", "identifier"} and [one.lang for one in found["symbols"]] == ["zh"] * 5 + ["en"] * 5
    assert all(len(one.text) == examples.CHARACTERS + 2 for one in found["symbols"])
    zh, en = found["identifier"]
    assert zh.text.startswith("患者[姓名1]，电话[电话1]。") and "[EMAIL_1] now" in en.text and en.text.startswith("… ")
    text = html.unescape(page.write(tmp_path / "r").read_text(encoding="utf-8"))
    assert not any(secret in text for secret in SECRETS) and "What the filters dropped, and what they nearly dropped" in text


def test_an_identifier_in_a_detail_is_masked_and_short_languages_are_filled_up(tmp_path):
    assert examples.masked(("", '{"tel": "电话：13812345678"}'), "zh")[1] == '{"tel": "电话：[电话1]"}'
    rows = {"zh": [{"id": "a", "lang": "zh"}], "en": [{"id": f"e{k}", "lang": "en"} for k in range(30)]}
    assert [row["id"] for row in examples.in_turn(rows)] == ["a", *(f"e{k}" for k in range(9))]


@pytest.mark.parametrize("n_shards", [1, 2, 5])
def test_nearly_dropped_are_the_nearest_of_all_shards(tmp_path, n_shards):
    out = fake_run.Maker(tmp_path / "r").step("it", "corpus.rules", Counts(n_in=50, n_out=50), config={"kind": "documents"})
    table = tables.from_rows("documents", [document(k, ("zh", "en")[k % 2]) for k in range(50)])
    for number in range(n_shards):
        part = table.take(pa.array(range(number, 50, n_shards)))
        share = np.arange(number, 50, n_shards) / 50
        tables.save(out, "documents", number, part, part.slice(0, 0).append_column("reason", pa.array([], pa.string())), None, near.nearest(part, {}, {"symbols": share}))
    found = examples.chosen(runs.load(tmp_path / "r").steps[0], "near")["symbols"]
    assert [one.text for one in found] == [f"text {k}" for k in (48, 46, 44, 42, 40, 49, 47, 45, 43, 41)]


def test_no_filter_sees_the_truth(tmp_path):
    words = np.random.default_rng(0).permutation([f"word{k}" for k in range(60)] * 5)
    rows = [document(k, "en", " ".join(words[k:k + 40 + k % 50]) + (" ###!!!" * (k % 9)), truth_dirt=("clean", "garbled")[k % 2], truth_domain=("medical", "general")[k % 2]) for k in range(60)]
    seeds = [{**document(900 + k, "en", " ".join(words[k:k + 30])), "meta": {"label": ("medical", "general")[k % 2]}} for k in range(80)]
    tables.scatter(tmp_path / "seeds", "documents", tables.from_rows("documents", seeds))
    kept = {}
    for name, meta in (("told", lambda row: row["meta"]), ("untold", lambda row: {})):
        tables.scatter(tmp_path / name, "documents", tables.from_rows("documents", [{**row, "meta": meta(row)} for row in rows]))
        rules.run(rules.Config(), {"documents": tmp_path / name}, tmp_path / f"{name}-rules", Local(1))
        dedup.run(dedup.Config(threshold=0.5), {"documents": tmp_path / f"{name}-rules"}, tmp_path / f"{name}-dedup", Local(1))
        classify.run(classify.Config(keep="medical"), {"documents": tmp_path / f"{name}-dedup", "seeds": tmp_path / "seeds"}, tmp_path / f"{name}-domain", Local(1))
        kept[name] = [[row["id"] for row in tables.rows(tmp_path / f"{name}-{part}", "documents")] for part in ("rules", "dedup", "domain")]
    assert kept["told"] == kept["untold"] and 60 > len(kept["told"][0]) > len(kept["told"][1]) > 0


def test_a_kind_that_a_filter_never_finds_has_a_line(tmp_path):
    rows = [(document(1, truth_dirt="ad"), ""), (document(2, truth_dirt="stub"), "too_short"), (document(3, "en", truth_dirt="stub"), "")]
    found = truth.measure(made := step(tmp_path / "r", "corpus.rules", rows), truth.pages(made))
    assert [(line.reason, line.meant_for, line.lang, line.n_there, line.recall.value) for line in found] == [
        ("too_short", ("stub",), "zh", 1, 1.0), ("too_short", ("stub",), "en", 1, 0.0), (truth.NONE, ("ad",), "zh", 1, 0.0)]


def test_warnings_and_repeats_of_a_mix_stand_on_the_page(tmp_path):
    cell = {"asked": 300, "got": 152, "documents": 3, "repeated": 76, "sources": {"books": {"got": 100, "share": 0.66, "documents": 2}, "web": {"got": 52, "share": 0.34, "documents": 1}}}
    notes = {"cells": {"medical en": cell}, "short": ["medical en"], "warnings": ["medical en: 152 of 300 tokens"], "repeated_tokens": 76}
    fake_run.Maker(tmp_path / "r").step("mix", "corpus.mix", Counts(n_in=3, n_out=3, notes=notes))
    text = page.write(tmp_path / "r").read_text(encoding="utf-8")
    assert '<p class="remark"><b>01 mix </b>medical en: 152 of 300 tokens</p>' in text
    assert "short of its budget: medical en: 152 of 300 tokens; 76 tokens are repeats" in text and "01 mix, tokens by source" in text
