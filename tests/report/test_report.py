"""The report page: right figures, nothing broken by what it shows, every step there, whatever is finished."""

import html
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import fake_run
import pytest

from aquilamed.core import manifest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.report import answers, curves, flow, headline, markup, page, plots, results, runs, scores


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(run folder, page) of a run with every stage."""
    folder = fake_run.make(tmp_path_factory.mktemp("runs") / "quickstart")
    return folder, page.write(folder).read_text(encoding="utf-8")


def words(markup_text: str) -> str:
    """The words of a page as one reads them."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<(style|script)>.*?</\1>", "", markup_text, flags=re.S))))


def row(stage: str, task: str = "exam", lang: str = "zh", reading: str = "letter", **figures) -> dict:
    return {"stage": stage, "task": task, "lang": lang, "reading": reading, "n": 40, "score": 0.25, "low": 0.14, "high": 0.402, "delta": 0.0, "delta_low": 0.0,
            "delta_high": 0.0, "verdict": "same", "unparsed": 0, **figures}


def with_ledger(folder, rows: list[dict]) -> runs.Run:
    fake_run.Maker(folder).step("ledger", "evals.ledger", Counts(n_in=1, n_out=1), config={"order": ["base", "sft"]}, files={"ledger.json": rows})
    return runs.load(folder)


def test_figures_of_a_ledger_made_by_hand_appear(tmp_path):
    rows = [row("base"), row("sft", score=0.4, low=0.263, high=0.554, delta=0.15, verdict="gained", unparsed=3),
            row("base", "bpb-general", "en", "bits", score=1.2, low=1.1, high=1.3), row("sft", "bpb-general", "en", "bits", score=1.25, low=1.15, high=1.35, delta=0.05, verdict="lost", limit="passed")]
    shown = words(scores.show(with_ledger(tmp_path / "r", rows)))
    for wanted in ("25.0 14.0 – 40.2", "40.0 26.3 – 55.4 ▲ +15.0 3 unparsed", "1.250 1.150 – 1.350 ▼ +0.050 limit passed", "n 40"):
        assert wanted in shown, wanted


def test_bits_per_byte_that_fall_are_a_gain(tmp_path):
    rows = [row("base", "bpb-medical", reading="bits", score=1.2), row("sft", "bpb-medical", reading="bits", score=1.0, delta=-0.2, verdict="gained")]
    run = with_ledger(tmp_path / "r", rows)
    assert '<span class="change gained">▲ −0.200</span>' in scores.show(run)
    assert '<span class="gained">−0.200</span>' in headline.show(run) and "中文 1.200 → 1.000" in words(headline.show(run))


def test_headline_takes_the_first_reading_not_the_best(tmp_path):
    rows = [row("base"), row("sft", score=0.3), row("base", reading="text"), row("sft", reading="text", score=0.9)]
    shown = words(headline.show(with_ledger(tmp_path / "r", rows)))
    assert "25.0 % → 30.0 %" in shown and "90.0" not in shown


def test_headline_shows_emergencies_of_both_languages_together(tmp_path):
    rows = [row(stage, "safety", lang, reading, score=score) for stage, score in (("base", 0.0), ("sft", 0.125)) for lang in ("zh", "en", "all") for reading in ("rule", "stopped")]
    shown = words(headline.show(with_ledger(tmp_path / "r", rows)))
    assert "急症先求救 0.0 % → 12.5 %" in shown and "safety · all · by rule, no judge" in shown
    assert "急症先求救" not in words(headline.show(with_ledger(tmp_path / "s", [r for r in rows if r["reading"] == "stopped"])))


def test_ledger_is_copied_byte_for_byte(whole):
    folder, _ = whole
    made = next(folder.glob("*-ledger/ledger.json"))
    assert (folder / "ledger.json").read_bytes() == made.read_bytes() and json.loads(made.read_text(encoding="utf-8"))


def test_everything_is_escaped(whole):
    _, text = whole
    assert html.escape(fake_run.HOSTILE) in text
    assert "<script>alert" not in text and "<b>bold</b>" not in text


def test_page_is_well_formed_and_needs_no_network(whole):
    _, text = whole
    ElementTree.fromstring(re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.S).removeprefix("<!doctype html>\n"))
    assert not re.search(r"src\s*=|url\(|@import|https?://", text) and set(re.findall(r'href="([^"]*)"', text)) == {"items.html"}


def test_every_step_appears_in_the_flow_and_in_the_accounts(whole):
    folder, text = whole
    run = runs.load(folder)
    flowing, accounts = (text[text.index(f'<section id="{name}"'):] for name in ("pipeline", "conservation"))
    for step in run.steps:
        assert f">{step.label}</text>" in flowing and f"<b>{step.label}</b>" in accounts and step.body["digest"][:12] in accounts, step.label
    assert len(run.steps) == 33


def test_notice_and_chinese_headings_stand_at_top_and_bottom(whole):
    _, text = whole
    assert words(text).count("Not for clinical use 不得用于临床") == 2
    assert text.index("不得用于临床") < text.index("<main>") and text.rindex("不得用于临床") > text.index("</main>")
    assert "What each stage gained and cost 各阶段得失" in words(text)


def test_widths_of_the_flow_add_up(whole):
    for step in runs.load(whole[0]).steps:
        found = flow.widths(step, 0.01)
        assert found.into == pytest.approx(found.onward + sum(width for *_, width in found.off))
        assert sum(n for _, n, _ in found.off) == step.n_in - step.n_out and len(found.off) <= flow.MOST_REASONS


def test_hygiene_stands_where_its_records_do_and_the_model_is_only_used(whole):
    steps = {step.name: step for step in runs.load(whole[0]).steps}
    assert (steps["dedup"].group, steps["screened"].group) == ("corpus", "instruct")
    assert steps["cpt1"].carries == {"documents"} and steps["score-sft"].carries == {"benchmarks", "heldout"} and not steps["ledger"].carries


@pytest.mark.parametrize("last", [1, 2, 4])
def test_an_incomplete_run_shows_what_is_finished(tmp_path, last):
    folder = fake_run.make(tmp_path / "half", last)
    manifest.begin(folder / "90-sft", manifest.Identity(stage="train.sft", version=1, config={}, inputs={}))
    text = page.write(folder).read_text(encoding="utf-8")
    assert "Begun and not finished: 90-sft" in words(text) and "Every record accounted for" in text
    assert 'id="ledger"' not in text and not (folder / "ledger.json").exists() and ('id="curves"' in text) == (last == 4)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no finished step of a run .*runs/<recipe>"):
        page.write(tmp_path)
    with pytest.raises(ConfigError, match=r"absent: no such folder"):
        page.write(tmp_path / "absent")
    assert not list(tmp_path.iterdir())


def test_folders_of_an_earlier_recipe_are_set_aside(tmp_path):
    maker = fake_run.Maker(tmp_path / "r")
    old = maker.step("rules", "corpus.rules", fake_run.counts(5))
    maker.step("new", "corpus.rules", fake_run.counts(7))
    (tmp_path / "r" / "02-new").rename(tmp_path / "r" / "01-new")
    run = runs.load(tmp_path / "r")
    assert [step.name for step in run.steps] == ["new"] and run.outdated == (old.name,)
    assert "01-rules" in words(page.write(tmp_path / "r").read_text(encoding="utf-8"))


def test_chance_is_read_from_the_options(whole):
    found = scores.chances(runs.load(whole[0]))
    assert found["exam-heldout", "zh", "letter"] == 0.25 and found["cmexam", "all", "generated"] == 0.2 and found["preferences-subjective", "en", "logprob"] == 0.5


def test_trained_tokens_count_every_epoch(whole):
    steps = runs.load(whole[0]).of(*headline.TRAINING)
    assert headline.trained(steps).total() == 1_050_000 + 590_000 + 2 * 640_000 + 88_000


def test_unknown_licence_stands_out(whole):
    assert '<span class="unknown">unknown</span>' in whole[1] and "1 without a known licence" in whole[1]


def test_long_answers_are_whole(whole):
    answer = fake_run._answer(4, "zh")
    assert len(answer) > 360 and answer in html.unescape(whole[1]) and f"all {len(answer)} characters" in whole[1]


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "lo', encoding="utf-8")
    assert curves.read(tmp_path / "metrics.jsonl") == [{"step": 1, "loss": 2.0}]


def test_round_figures():
    assert plots.ticks(0.0, 1.0, 3) == [0.0, 0.25, 0.5, 0.75, 1.0] and plots.told_apart([0.6931, 0.6932]) == ["0.6931", "0.6932"]
    assert [markup.compact(n) for n in (950, 12_345, 4_560_000)] == ["950", "12.3k", "4.56M"] and markup.clock(3725) == "1 h 02 min"
    assert len(plots.thinned([(k, k) for k in range(1000)])) == plots.MOST_POINTS


def test_nothing_heavy_is_imported():
    code = "import sys; from aquilamed.report import page; print(sorted({'torch', 'transformers', 'pyarrow', 'numba'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}).stdout == "[]\n"


def test_markdown_has_the_ledgers_figures_and_refuses_a_run_without_one(tmp_path):
    rows = [row("base"), row("sft", score=0.4, low=0.263, high=0.554, delta=0.15, verdict="gained"),
            row("base", "bpb-general", "en", "bits", score=1.2, low=1.1, high=1.3), row("base", "preferences-subjective", "all", "logprob", score=0.5)]
    folder = with_ledger(tmp_path / "r", rows).folder
    page_text = results.render([folder, folder])
    assert page_text.count("\n## r\n") == 2 and "Not for clinical use" in page_text
    assert [line for line in page_text.splitlines() if line.startswith("| ")][:5] == [
        "| Task | n | chance | base | sft |", "| --- | --- | --- | --- | --- |",
        "| exam zh letter | 40 | – | 25.0 (14.0 to 40.2) | 40.0 (26.3 to 55.4) ▲ +15.0 |",
        "| bpb-general en bits | 40 | – | 1.200 (1.100 to 1.300) | – |",
        "| preferences-subjective all logprob | 40 | 50.0 % | 50.0 (14.0 to 40.2) | – |"]
    fake_run.Maker(tmp_path / "none").step("texts", "corpus.importing", Counts(n_in=1, n_out=1))
    with pytest.raises(ConfigError, match="holds no ledger yet"):
        results.render([tmp_path / "none"])


def test_blank_lines_of_an_answer_are_counted_not_shown():
    assert answers._answer("一" + "\n" * 40 + "two\n\nthree") == '<p class="answer">一\n↵ × 40\ntwo\n\nthree</p>'
    assert "(empty)" in answers._answer("\n" * 9)
