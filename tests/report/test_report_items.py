"""The page of single items: nothing in it can break out, all of it can be found again, and the filters say what is so."""

import html
import json
import re
import shutil
import subprocess
from urllib.parse import quote

import fake_run
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aquilamed.core import manifest, tables
from aquilamed.core.counts import Counts
from aquilamed.core.records import make
from aquilamed.report import exams, items, page, runs, whiskers

HOSTILE = '</script><script>alert("x")</script><!-- <b>bold</b> \u2028 & \'q\''
SHOTS = "题目：例题一，发热先做什么？\nA. 休息\nB. 血培养\n答案：B\n\n" * 3
BROWSER = shutil.which("chromium")


def question(n: int, lang: str = "zh", **fields) -> dict:
    stem = {"zh": f"第{n}题：患者发热，Ｂ超正常，首先应做", "en": f"Question {n}: what comes first in a FEVER?"}[lang]
    return make("questions", {"stem": stem, "options": ["休息", HOSTILE] if lang == "zh" else ["Rest", "Culture"], "answers": [1], "subject": "", "context": "", "source": f"exam-{lang}", "lang": lang,
                              "license": "CC0-1.0", **fields})


def answer(row: dict, right: bool, text: str) -> list[dict]:
    prompt = (SHOTS if row["lang"] == "zh" else "") + row["stem"] + "\n答案："
    raw = {"answers": [1], "logp": [-1.5, -0.5] if right else [-0.25, -2.0]}
    shared = {"task": row["source"], "id": row["id"], "lang": row["lang"], "subject": row["subject"], "prompt": prompt}
    return [{**shared, "reading": "letter", "raw": json.dumps(raw), "parsed": "B" if right else "A", "score": float(right)},
            {**shared, "reading": "generated", "raw": json.dumps({"answers": [1], "text": text, "n_options": 2}), "parsed": None, "score": 0.0}]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Ten Chinese and five English questions, two stages: of the Chinese ones the second stage gains those with an even number and loses none."""
    maker = fake_run.Maker(tmp_path_factory.mktemp("runs") / "two")
    zh, en = [question(n) for n in range(10)], [question(n, "en") for n in range(5)]
    folder = maker.step("benchmarks", "evals.benchmarks", Counts(n_in=15, n_out=15))
    tables.write(folder / "questions/part-00000.parquet", tables.from_rows("questions", [*zh, *en]))
    for stage, right in (("base", lambda n, lang: lang == "en"), ("sft", lambda n, lang: lang == "en" or n % 2 == 0)):
        out = maker.step(f"score-{stage}", "evals.score", Counts(n_in=15, n_out=15), inputs={"benchmarks": "benchmarks"})
        rows = [one for lang, some in (("zh", zh), ("en", en)) for n, row in enumerate(some) for one in answer(row, right(n, lang), f"{HOSTILE} 我不确定 {stage}" if n else "")]
        pq.write_table(pa.Table.from_pylist(rows), out / "answers.parquet")
    maker.step("ledger", "evals.ledger", Counts(n_in=1, n_out=1), config={"order": ["base", "sft"]}, inputs={"base": "score-base", "sft": "score-sft"}, files={"ledger.json": []})
    page.write(maker.folder)
    return maker.folder


def blocks(path) -> tuple[dict, list[dict]]:
    found = re.findall(r'<script type="application/json" class="(\w+)">(.*?)</script>', path.read_text(encoding="utf-8"), re.S)
    return json.loads(found[0][1]), [item for kind, text in found if kind == "block" for item in json.loads(text)]


def test_every_answer_is_in_the_page_with_its_prompt_and_question(run):
    head, found = blocks(run / "items.html")
    assert head["stages"] == ["base", "sft"] and head["readings"] == ["letter", "generated"] and head["n"] == len(found) == 15
    rows = [row for folder in sorted(run.glob("*-score-*")) for row in pq.read_table(folder / "answers.parquet").to_pylist()]
    stage = {"base": 0, "sft": 1}
    shown = {(item["t"], item["i"], head["readings"][a[0]], a[1]): (a[2], a[3], head["prefixes"][item["p"][a[4]][0]] + item["p"][a[4]][1], {**a[5], "answers": item["k"]}) for item in found for a in item["a"]}
    wanted = {(row["task"], row["id"], row["reading"], number // 30): (row["parsed"], row["score"], row["prompt"], json.loads(row["raw"])) for number, row in enumerate(rows)}
    assert shown == wanted and len(stage) == 2
    assert next(item for item in found if item["l"] == "zh")["o"] == ["休息", HOSTILE]


def test_worked_examples_stand_in_the_page_once(run):
    text = (run / "items.html").read_text(encoding="utf-8")
    assert text.count("例题一") == 3, "the three of one prefix, not thirty"


def test_nothing_breaks_out_of_its_element(run):
    text = (run / "items.html").read_text(encoding="utf-8")
    assert "alert(" in text and "<script>alert" not in text and "<b>bold" not in text and "\u2028" not in text
    scripts = re.findall(r"<script[^>]*>", text)
    assert scripts == ['<script type="application/json" class="head">', '<script type="application/json" class="block">', "<script>"]
    assert "innerHTML" not in text and "insertAdjacentHTML" not in text and "document.write" not in text


def test_the_page_needs_no_network_and_carries_the_notice(run):
    text = (run / "items.html").read_text(encoding="utf-8")
    assert not re.search(r"\ssrc\s*=|url\(|@import|https?://|fetch\(|XMLHttpRequest", text) and set(re.findall(r'href="([^"]*)"', text)) == {"report.html"}
    assert text.count("Not for clinical use") == 2 and "不得用于临床" in text
    assert 'href="items.html"' in (run / "report.html").read_text(encoding="utf-8")


def test_a_run_that_scored_nothing_has_no_such_page(tmp_path):
    fake_run.make(tmp_path / "r", last=2)
    page.write(tmp_path / "r")
    assert not (tmp_path / "r/items.html").exists() and "items.html" not in (tmp_path / "r/report.html").read_text(encoding="utf-8")


def test_many_items_come_in_blocks(run, monkeypatch, tmp_path):
    monkeypatch.setattr(items, "BLOCK", 4)
    items.write(runs.load(run), tmp_path / "items.html")
    text = (tmp_path / "items.html").read_text(encoding="utf-8")
    assert text.count('class="block"') == 4 and blocks(tmp_path / "items.html") == blocks(run / "items.html")


def seen(run, *fragments: str) -> dict:
    """What a browser shows with the filters of the address: the count, the ids of the rows, the open item's words."""
    if not BROWSER:
        pytest.skip("chromium is not installed: the page's script can't be run here")
    address = f"{(run / 'items.html').as_uri()}#{'&'.join(fragments)}"
    words = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000", "--dump-dom", address]
    dom = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
    plain = lambda pattern: [html.unescape(re.sub(r"<[^>]*>", "", one)) for one in re.findall(pattern, dom, re.S)]  # noqa: E731
    return {"count": plain(r'<p id="count"[^>]*>(.*?)</p>')[0], "rows": plain(r'<div class="text"[^>]*>(.*?)</div>'), "item": plain(r'<article id="item"[^>]*>(.*?)</article>')[0], "dom": dom}


@pytest.mark.slow
def test_a_search_folds_width_case_and_script(run):
    for word, n in (("發熱", 10), ("ｆｅｖｅｒ", 5), ("b超", 10), ("fever culture", 5), ("发热 fever", 0), ("Question 3", 1)):
        assert seen(run, f"q={quote(word)}")["count"] == f"{n} of 15 items · 题", word


@pytest.mark.slow
def test_filters_keep_what_they_say(run):
    assert seen(run, "apart=1")["count"].startswith("5 of 15") and seen(run, "apart=1", "reading=1")["count"].startswith("0 of 15")
    assert seen(run, "stage=0", "state=wrong")["count"].startswith("10 of 15") and seen(run, "stage=1", "state=wrong")["count"].startswith("5 of 15")
    assert seen(run, "reading=1", "state=unparsed", "lang=en")["count"].startswith("5 of 15") and seen(run, "task=exam-zh")["count"].startswith("10 of 15")


@pytest.mark.slow
def test_an_open_item_shows_all_of_it_as_text(run):
    found = seen(run, "q=" + quote("第3题"))
    assert len(found["rows"]) == 1 and "第3题" in found["rows"][0]
    for said in ("exam-zh", HOSTILE, "right · 正确", "−0.25", "unparsed · 未解析", "我不确定 base", "例题一", "Prompt as the model saw it"):
        assert said in found["item"], said
    assert '<script>alert' not in found["dom"] and "<b>bold" not in found["dom"]


def test_scores_by_task_of_an_evaluation_without_a_ledger(tmp_path):
    maker = fake_run.Maker(tmp_path / "eval")
    result = {"task": "exam", "reading": "letter", "version": 1, "n": 40, "score": 0.25, "low": 0.14, "high": 0.402, "unparsed": 3,
              "by_lang": {"zh": {"n": 40, "score": 0.25, "low": 0.14, "high": 0.402, "unparsed": 3}},
              "by_subject": {"内科学": {"n": 30, "score": 0.3, "low": 0.1, "high": 0.5, "unparsed": 0}, HOSTILE: {"n": 10, "score": 0.1, "low": 0.0, "high": 0.4, "unparsed": 0}}}
    maker.step("score", "evals.score", Counts(n_in=43, n_out=40, dropped={"too_long": 3}), files={"results.json": {"seed": 0, "results": [result]}})
    manifest.write_json(maker.folder / "asked.json", {"model": "embedded:x", "left_out": [{"task": "cmmlu_test", "why": "no files"}]})
    text = page.render(runs.load(maker.folder))
    for said in ("25.0 (3 ?) · 40", "letter zh", "内科学", "30.0 · 30", "Not asked, and in no score: too_long 3", "Left out, for their files were not there: cmmlu_test", "evaluation", "3 unparsed, counted as wrong", "model embedded:x"):
        assert said in text, said
    assert "<script>alert" not in text and exams.show(runs.load(maker.folder))


def test_long_and_wide_names_are_cut_alike():
    assert whiskers._short("x" * 40) == "x" * 29 + "…" and whiskers._short("内" * 20) == "内" * 14 + "…" and whiskers._short("内科学") == "内科学"


def test_panels_that_guard_the_training_are_no_stages(run, tmp_path):
    shutil.copytree(run, tmp_path / "two")
    maker = fake_run.Maker(tmp_path / "two")
    maker.n = 4
    out = maker.step("panel-sft", "evals.score", Counts(n_in=1, n_out=1))
    shutil.copy(next((tmp_path / "two").glob("*-score-sft")) / "answers.parquet", out)
    assert [name for name, _ in runs.load(tmp_path / "two").scored()] == ["base", "sft", "panel-sft"]
    assert items.collect(runs.load(tmp_path / "two"))["stages"] == ["base", "sft"]


def test_grades_have_a_picture_of_their_own_and_what_was_not_judged_has_none(tmp_path):
    maker = fake_run.Maker(tmp_path / "talks")
    cell = {"n": 8, "score": 3.75, "low": 3.1, "high": 4.4, "unparsed": 0}
    none = {"n": 0, "score": None, "low": None, "high": None, "unparsed": 8}
    results = [{"task": "talk", "reading": "grades", "version": 1, **cell, "by_lang": {"zh": cell}, "by_subject": {}},
               {"task": "talk", "reading": "pairwise:gpt", "version": 1, **none, "by_lang": {"zh": none}, "by_subject": {}},
               {"task": "talk", "reading": "rule", "version": 1, **cell, "score": 0.5, "low": 0.2, "high": 0.8, "by_lang": {"zh": {**cell, "score": 0.5, "low": 0.2, "high": 0.8}}, "by_subject": {}}]
    maker.step("score", "evals.score", Counts(n_in=8, n_out=8), files={"results.json": {"seed": 0, "results": results}})
    text = exams.show(runs.load(maker.folder))
    assert text.count("<figure>") == 2 and "3.75 · 8" in text and "50.0 · 8" in text and "pairwise" not in text
