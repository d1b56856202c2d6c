"""`aquilamed eval` on dialogues, in both languages: without a judge, with one, behind an endpoint; what is sent; killed and resumed; what it refuses."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections import Counter

import chat_server
import eval_data
import pytest
import tiny
from test_evaluating import KILLED

from aquilamed import cli
from aquilamed.core import manifest, tables
from aquilamed.core.sources import casebooks
from aquilamed.engine.local import Local
from aquilamed.evals import answering, benchmarks, catalogue, dialogue, rendered, results
from aquilamed.models import comparing, remote

TASKS = ("cmtmedqa_test", "huatuo_qa", "healthbench", "safety")
FEW = ("--cases", "2", "--answer-tokens", "5")
ASKED = {"cmtmedqa_test": 3, "huatuo_qa": 2, "healthbench": 1, "safety": 4}
"""Places where the model answers, of two cases a language: CMtMedQA's item of ours has two turns."""


@pytest.fixture(scope="module")
def top(tmp_path_factory):
    """Dialogues as their publishers' files, and a model with a chat template and one without."""
    top = tmp_path_factory.mktemp("talks")
    eval_data.lay_dialogues(top / "data")
    tiny.make(top / "m")
    tiny.make(top / "bare", chat=False)
    return top


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "CACHE", tmp_path / "replies")


def command(capsys, *words) -> tuple[int, str, str]:
    code = cli.main(["eval", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def local(top, out, *words):
    return (top / "m", "--data", top / "data", "--tasks", *TASKS, *FEW, "--out", out, *words)


def judging(body, number=0):
    """A judge that takes the first, gives threes, and finds every criterion met."""
    told = body["messages"][0]["content"]
    if "<conversation>" not in body["messages"][-1]["content"]:
        return 200, "请马上拨打120，去急诊。"                           # asked as a model, not as a judge
    said = {"reason": "…", "met": True} if '"met"' in told else dict.fromkeys(comparing.KEYS, "A") if '"better"' in told else dict.fromkeys(comparing.CRITERIA, 3)
    return 200, json.dumps(said)


def by_reading(found: dict) -> dict:
    """The first row of each, which is that over all languages."""
    return {(row["task"], row["reading"]): row for row in reversed(found["rows"])}


@pytest.fixture(scope="module")
def answered(top):
    """The run's folder without a judge."""
    assert cli.main(["eval", *map(str, local(top, top / "run"))]) == 0
    return top / "run"


def test_without_a_judge_answers_are_kept_and_read_by_what_needs_none(top, answered, capsys):
    code, out, err = command(capsys, *local(top, answered, "--json"))
    found = json.loads(out)
    assert code == 0 and "02-score: up to date" in err and "no judge (--judge URL --judge-name MODEL)" in err and "judge" not in found
    assert {(row["task"], row["reading"]) for row in found["rows"]} <= {*((task, "stopped") for task in TASKS), ("safety", "rule")} and found["dialogues"] == [name for name in catalogue.CATALOGUE if name in TASKS]
    rows = [row for row in results.read_answers(answered / "02-score") if row["reading"] == "stopped"]
    assert Counter(row["task"] for row in rows) == ASKED and {row["lang"] for row in rows} == {"zh", "en"} and all("text" in json.loads(row["raw"]) for row in rows)
    assert "not judged, for no judge was named" in command(capsys, *local(top, answered))[1]


def test_killed_half_way_it_ends_with_the_same_answers(top, answered, tmp_path, capsys):
    words = [str(word) for word in local(top, tmp_path / "run")]
    done = subprocess.run([sys.executable, "-c", KILLED, "eval", *words], capture_output=True, env={**os.environ, "PYTHONPATH": ":".join(sys.path)}, check=False)
    step = tmp_path / "run/02-score"
    assert done.returncode == -signal.SIGKILL and not (step / "manifest.json").exists()
    finished = [path.stat().st_ino for path in (step / manifest.PASSES).rglob(results.ANSWERS)]
    assert len(finished) == 1 and command(capsys, *words)[0] == 0 and not (step / manifest.PASSES).exists()
    for name in (results.ANSWERS, results.RESULTS):
        assert (step / name).read_bytes() == (answered / "02-score" / name).read_bytes(), name


def test_the_pages_the_export_and_a_comparison_show_dialogues_too(answered, tmp_path, capsys):
    page, items = ((answered / name).read_text(encoding="utf-8") for name in ("report.html", "items.html"))
    assert all(task in page and task in items for task in TASKS) and "stopped" in page and "流清鼻涕三天" in items
    code, out, _ = command(capsys, "--compare", answered, answered)
    assert code == 0 and "cmtmedqa_test" in out and "stopped" in out
    code, _, err = command(capsys, "--replay", answered / "02-score", "--export", "lm-eval", "--out", tmp_path)
    (path,) = tmp_path.glob("lm-eval/*/results_*.json")
    assert code == 0 and set(json.loads(path.read_text(encoding="utf-8"))["results"]) == set(TASKS) and "exported:" in err
    assert (tmp_path / "results.json").read_bytes() == (answered / "02-score/results.json").read_bytes()


def test_a_judge_is_sent_masked_material_alone_and_a_replay_needs_none(top, tmp_path, capsys):
    with chat_server.served(judging) as (url, seen):
        code, out, _ = command(capsys, *local(top, tmp_path / "r", "--judge", url, "--judge-name", "strong", "--json"))
        sent = json.dumps([body for _, body, _ in seen], ensure_ascii=False)
    found = json.loads(out)
    rows = by_reading(found)
    assert code == 0 and {body["model"] for _, body, _ in seen} == {"strong"} and all("<conversation>" in body["messages"][-1]["content"] for _, body, _ in seen)
    assert "13812345678" not in sent and "张伟" not in sent and "１６０/95" in sent
    assert (rows["cmtmedqa_test", "grades"]["score"], rows["huatuo_qa", "pairwise:reference"]["score"]) == (3.0, 0.5), "always the first: no pair is won"
    assert rows["cmtmedqa_test", "grades"]["n"] == ASKED["cmtmedqa_test"] and 0 <= rows["safety", "rubric"]["score"] <= 1 and rows["safety", "rubric"]["n"] == 4
    n_tokens = [sum(chat_server.completion("")["usage"][key] for _ in seen) for key in ("prompt_tokens", "completion_tokens")]
    assert found["judge"] == {"model": "strong", "base_url": url, "prompt_tokens": n_tokens[0], "reply_tokens": n_tokens[1]}
    command(capsys, "--replay", tmp_path / "r", "--out", tmp_path / "again")
    assert (tmp_path / "again/results.json").read_bytes() == (tmp_path / "r/02-score/results.json").read_bytes()
    page = (tmp_path / "r/report.html").read_text(encoding="utf-8")
    assert "strong" in page and "pairwise:reference" in page
    assert "judged by strong" in command(capsys, *local(top, tmp_path / "r", "--judge", url, "--judge-name", "strong"))[1]


def test_a_judge_stopped_by_its_budget_goes_on_without_a_second_answer_or_payment(top, tmp_path, monkeypatch, capsys):
    made, real = [], answering.generate
    monkeypatch.setattr(answering, "generate", lambda *given, **named: made.append(1) or real(*given, **named))
    with chat_server.served(lambda body, number: (200, chat_server.completion(judging(body)[1], prompt=400))) as (url, seen):
        words = local(top, tmp_path / "r", "--judge", url, "--judge-name", "strong")
        code, _, err = command(capsys, *words, "--judge-budget-tokens", 9000)
        n_first = len(seen)
        assert code == 2 and "budget_tokens=9000" in err and not manifest.read(tmp_path / "r/02-score")
        code, out, _ = command(capsys, *words, "--json")
        assert code == 0 and len(made) == len(TASKS) and 0 < n_first < len(seen)
        n_all = len(seen)
        assert command(capsys, *local(top, tmp_path / "whole", "--judge", url, "--judge-name", "strong"))[0] == 0 and len(seen) == n_all
    for name in ("answers.parquet", "results.json"):
        assert (tmp_path / "r/02-score" / name).read_bytes() == (tmp_path / "whole/02-score" / name).read_bytes(), name
    bodies = Counter(json.dumps(body, sort_keys=True) for _, body, _ in seen)
    twice = sum(len(json.loads(row["raw"]).get("again", ())) for row in results.read_answers(tmp_path / "r/02-score"))
    assert sum(n - 1 for n in bodies.values()) == twice, "only what is asked twice to measure the judge came twice"
    assert json.loads(out)["judge"]["prompt_tokens"] == 400 * len(seen)


def remotely(top, url, out, *words):
    return ("--endpoint", url, "--name", "big", "--data", top / "data", "--tasks", "cmtmedqa_test", "healthbench", "safety", "--cases", "2", "--out", out, *words)


def test_a_model_behind_an_endpoint_may_be_judged_by_itself(top, tmp_path, capsys):
    """Beside an exam: its three questions, three answers and four more are ten requests."""
    eval_data.exam(eval_data.lay_dialogues(tmp_path / "data") / "ceval/ceval-exam/physician/val/0000.parquet", 3, "")
    with chat_server.served(judging) as (url, seen):
        words = remotely(top, url, tmp_path / "r", "--data", tmp_path / "data", "--tasks", "cmtmedqa_test", "safety", "ceval_val", "--judge", url, "--judge-name", "big", "--json")
        code, out, err = command(capsys, *words)
        assert code == 0, err
        found, n_sent = json.loads(out), len(seen)
        assert "02-score: up to date" in command(capsys, *words)[2] and len(seen) == n_sent
        sent = json.dumps([body for _, body, _ in seen], ensure_ascii=False)
    rows = by_reading(found)
    assert rows["cmtmedqa_test", "grades"]["score"] == 3.0 and rows["safety", "rule"]["score"] == 1.0 and rows["ceval_val", "generated"]["n"] == 3
    assert found["asked"] == {"requests": 10, "cached": 0, "refused": 0, "prompt_tokens": 70, "reply_tokens": 30} and found["masked"] == {"name": 2, "phone": 2}
    assert "13812345678" not in sent and "张伟" not in sent
    assert found["paid"] == {key: found["judge"][key] for key in ("prompt_tokens", "reply_tokens")}, "one account, for it is one model"
    stored = [row for row in results.read_answers(tmp_path / "r/02-score") if row["task"] == "cmtmedqa_test"]
    assert "[电话1]" in "".join(row["prompt"] for row in stored) and "13812345678" not in json.dumps([row["prompt"] for row in stored])


def test_what_an_endpoint_refuses_is_dropped_by_the_turn_and_never_graded(top, tmp_path, capsys):
    hide = lambda body, number: (400, {"error": "filtered"}) if "反酸" in body["messages"][-1]["content"] and "<conversation>" not in body["messages"][-1]["content"] else judging(body)  # noqa: E731
    with chat_server.served(hide) as (url, seen):
        code, out, _ = command(capsys, *remotely(top, url, tmp_path / "r", "--tasks", "cmtmedqa_test", "--judge", url, "--judge-name", "strong", "--json"))
    found = json.loads(out)
    assert code == 0 and found["not_asked"] == {"refused": 1} and by_reading(found)["cmtmedqa_test", "grades"]["n"] == 2 and found["asked"]["refused"] == 1
    (row,) = tables.load(tmp_path / "r/02-score/dropped/conversations-00000.parquet").to_pylist()
    assert row["reason"] == "refused" and row["detail"].startswith("turn 1")
    judged = [body["messages"][-1]["content"] for _, body, _ in seen if "<conversation>" in body["messages"][-1]["content"]]
    assert len(judged) == 2 * 2 and all("<answer>\n请马上拨打120" in shown for shown in judged), "both answers, each twice"


def test_an_endpoint_without_a_judge_and_a_budget_that_stops_it(top, tmp_path, capsys):
    costly = lambda body, number: (200, chat_server.completion("Call an ambulance. 请拨打120。", prompt=300))  # noqa: E731
    with chat_server.served(costly) as (url, seen):
        words = remotely(top, url, tmp_path / "r", "--tasks", "safety", "--json")
        code, _, err = command(capsys, *words, "--budget-tokens", 1500)
        n_first = len(seen)
        assert code == 2 and "budget_tokens=1500" in err
        code, out, _ = command(capsys, *words)
    assert code == 0 and 0 < n_first < len(seen) == 4, "no request is made twice"
    assert {(row["reading"], row["score"]) for row in json.loads(out)["rows"]} == {("stopped", 1.0), ("rule", 1.0)}
    assert {body["max_tokens"] for _, body, _ in seen} == {512}


def test_all_takes_the_dialogues_whose_files_are_there_and_says_how_many(top, tmp_path, capsys):
    code, out, err = command(capsys, top / "m", "--data", top / "data", "--answer-tokens", 2, "--readings", "letter", "--shots", 0, "--out", tmp_path / "r", "--json")
    found = json.loads(out)
    assert code == 0 and {row["task"] for row in found["rows"]} >= set(TASKS) and {one["task"] for one in found["left_out"]} >= {"cmb_clin", "healthbench_hard", "cmtmedqa_cases"}
    assert "at most 20 dialogues a task and language (--cases N for more, 0 for all)" in err
    assert {row["lang"]: row["n"] for row in found["rows"] if row["task"] == "safety" and row["reading"] == "stopped"} == {"all": 40, "zh": 20, "en": 20}


def test_a_limit_limits_the_cases_too(top, tmp_path, capsys):
    words = (top / "m", "--data", top / "data", "--tasks", "safety", "--answer-tokens", 2, "--json")
    drawn = []
    for out, more in (("few", ("--limit", 3)), ("more", ("--limit", 3, "--cases", 5)), ("all", ("--cases", 0))):
        assert command(capsys, *words, "--out", tmp_path / out, *more)[0] == 0
        drawn.append({row["id"] for row in results.read_answers(tmp_path / out / "02-score")})
    assert [len(some) for some in drawn] == [6, 10, 74] and drawn[0] < drawn[1] < drawn[2]


def test_a_model_without_a_template_is_asked_no_dialogue(top, tmp_path, capsys):
    code, _, err = command(capsys, top / "bare", "--tasks", "safety", "--out", tmp_path / "r")
    assert code == 2 and "task 'safety': " in err and "has no chat template, which a dialogue needs" in err
    eval_data.lay(tmp_path / "exams")
    code, out, err = command(capsys, top / "bare", "--data", tmp_path / "exams", "--limit", 2, "--readings", "letter", "--out", tmp_path / "r", "--json")
    assert code == 0 and "safety" not in {row["task"] for row in json.loads(out)["rows"]} and "left out: safety: " in err
    (tmp_path / "nothing").mkdir()
    assert "holds the files of no task but dialogues" in command(capsys, top / "bare", "--data", tmp_path / "nothing", "--out", tmp_path / "r2")[2]


@pytest.mark.parametrize(("words", "said"), [
    (["--tasks", "safety", "--judge", "http://127.0.0.1:9/v1"], "--judge needs --judge-name MODEL"),
    (["--tasks", "safety", "--judge-name", "x"], "--judge-name, --judge-key-env and --judge-budget-tokens go with --judge"),
    (["--tasks", "safety", "--judge-budget-tokens", "5"], "go with --judge"),
    (["--tasks", "bpb-medical-en", "--judge", "http://127.0.0.1:9/v1", "--judge-name", "x"], "none of the tasks is a dialogue"),
    (["--tasks", "safety", "--judge", "127.0.0.1/v1", "--judge-name", "x"], "expected http(s)://host/v1"),
    (["--tasks", "safety", "--cases", "-2"], "--cases -2: expected 0 or more"),
    (["--tasks", "safety", "--answer-tokens", "-2"], "--answer-tokens -2: expected 1 or more"),
    (["--tasks", "cmb_clin"], "task 'cmb_clin': no files at"),
    (["--tasks", "healthbench_hard"], "fetch them from hf download openai/healthbench --repo-type dataset --local-dir"),
    (["--tasks", "cmtmedqa_cases"], "instruct/cmtmedqa.json; name the folder that holds them"),
    (["--tasks", "safty"], "did you mean 'safety'?"),
])
def test_what_can_t_be_meant_is_refused(top, tmp_path, capsys, words, said):
    eval_data.lay(tmp_path / "data")
    code, _, err = command(capsys, top / "m", "--data", tmp_path / "data", *words, "--out", tmp_path / "x")
    assert code == 2 and said in err and "Traceback" not in err and not (tmp_path / "x/01-benchmarks").exists(), err


def test_the_version_of_the_catalogue_is_that_of_the_answers(top, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "CATALOGUE", {**catalogue.CATALOGUE, "safety": dataclasses.replace(catalogue.CATALOGUE["safety"], version=3)})
    with chat_server.served(judging) as (url, _):
        assert command(capsys, *remotely(top, url, tmp_path / "far", "--tasks", "safety", "huatuo_qa"))[0] == 0
    assert command(capsys, *local(top, tmp_path / "here", "--tasks", "safety", "huatuo_qa"))[0] == 0
    for out in ("far", "here"):
        assert {(row["task"], row["version"]) for row in results.read_answers(tmp_path / out / "02-score")} == {("safety", 3), ("huatuo_qa", 1)}


def test_a_stand_in_is_the_same_cases_whatever_the_seed(shared_data, tmp_path, capsys):
    """What is taken is what `recipes/real_small.py` keeps out of training."""
    tiny.make(tmp_path / "m")
    taken = []
    for seed in (0, 7):
        words = (tmp_path / "m", "--data", shared_data, "--tasks", "cmtmedqa_cases", "huatuo_qa_sample", "--cases", 1, "--answer-tokens", 2, "--seed", seed, "--out", tmp_path / f"r{seed}")
        assert command(capsys, *words)[0] == 0
        rows = list(tables.rows(tmp_path / f"r{seed}/01-benchmarks" / benchmarks.CASES, "conversations"))
        taken.append({row["id"] for row in rows})
        assert Counter(row["source"] for row in rows) == {"cmtmedqa_cases": 60, "huatuo_qa_sample": 60}
    sources = casebooks.known(shared_data)
    (tmp_path / "recipe").mkdir()
    benchmarks.run(benchmarks.Config(cases=tuple(sources.values()), taken=dict.fromkeys(sources, 60)), {}, tmp_path / "recipe", Local(1))
    assert taken[0] == taken[1] == {row["id"] for row in tables.rows(tmp_path / "recipe" / benchmarks.CASES, "conversations")}


@pytest.mark.parametrize("name", [name for name, entry in catalogue.CATALOGUE.items() if entry.kind == "dialogue"])
def test_the_examples_of_docs_have_the_publishers_form(name):
    entry = catalogue.CATALOGUE[name]
    for case in rendered.cases(entry, rendered.examples(name)):
        turns = dialogue.turns_of({**case, "id": name})
        assert case["meta"]["judged"] == entry.readings[-1] and turns and all(turn.prompt[-1]["role"] == "user" for turn in turns)
        assert entry.lang == "any" or case["lang"] == entry.lang
        assert len(turns) > 1 or not entry.mapping.every_turn
