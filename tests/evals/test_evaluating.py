"""`aquilamed eval`: any model, in both languages; replay, compare, export; what it refuses; killed and resumed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import chat_server
import eval_data
import pytest
import tiny

from aquilamed import cli, scoreboard
from aquilamed.core import manifest
from aquilamed.evals import judge, lm_eval, results, rules
from aquilamed.models import remote

TASKS = ("medqa_us_test", "ceval_val", "bpb-medical-en")


@pytest.fixture(scope="module")
def top(tmp_path_factory):
    """Data and two models."""
    top = tmp_path_factory.mktemp("eval")
    eval_data.lay(top / "data")
    for number in (0, 1):
        tiny.make(top / f"m{number}", seed=number)
    return top


def command(capsys, *words) -> tuple[int, str, str]:
    code = cli.main(["eval", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def asked(capsys, top, model="m0", out="a", *words):
    return command(capsys, top / model, "--data", top / "data", "--reply-tokens", 6, "--out", top / out, *words)


@pytest.fixture(scope="module")
def evaluated(top):
    """The run's folder of `m0` on three tasks."""
    assert cli.main(["eval", str(top / "m0"), "--data", str(top / "data"), "--tasks", *TASKS, "--reply-tokens", "6", "--out", str(top / "a")]) == 0
    return top / "a"


def test_a_table_of_both_languages_and_the_pages(top, evaluated, capsys):
    code, out, err = asked(capsys, top, "m0", "a", "--tasks", *TASKS)
    lines = {tuple(line.split()[:3]): line.split() for line in out.splitlines()}
    for reading in ("letter", "text", "text-prior", "generated"):
        assert lines["medqa_us_test", "en", reading][3:5] == ["0", "12"] and lines["ceval_val", "zh", reading][3:5] == ["3", "9"]
    assert ("bpb-medical-en", "en", "bits") in lines
    assert code == 0 and "03-score: up to date" in err and "Not for clinical use" in err
    assert "no worked examples (0-shot), for there are no files of them: medqa_us_test" in err
    assert {path.name for path in evaluated.iterdir()} >= {"01-benchmarks", "02-texts", "03-score", "report.html", "items.html", "asked.json"}
    page = (evaluated / "report.html").read_text(encoding="utf-8")
    assert f"aquilamed eval --replay {evaluated.parent.name}/{evaluated.name}" in page and "aquilamed run recipes" not in page       # it has no recipe file
    assert out.splitlines()[-1] == f"page: {evaluated / 'report.html'}"


def test_json_holds_what_the_table_says(top, evaluated, capsys):
    _, out, _ = asked(capsys, top, "m0", "a", "--tasks", *TASKS, "--json")
    found = json.loads(out)
    stored = json.loads((evaluated / "03-score/results.json").read_text(encoding="utf-8"))["results"]
    assert {(row["task"], row["reading"], row["n"], row["score"], row["unparsed"]) for row in found["rows"]} == {(r["task"], r["reading"], r["n"], r["score"], r["unparsed"]) for r in stored}
    assert found["n_shots"] == {"medqa_us_test": 0, "ceval_val": 3} and found["left_out"] == [] and found["model"] == str(top / "m0")


def test_worked_examples_are_in_the_chinese_prompts_alone(evaluated):
    rows = results.read_answers(evaluated / "03-score")
    assert {row["prompt"].count("例题：") for row in rows if row["task"] == "ceval_val"} == {3}
    assert {row["prompt"].count("Answer:") for row in rows if row["task"] == "medqa_us_test"} == {1}


def test_a_limit_asks_a_part_of_the_same_items(top, evaluated, capsys):
    asked(capsys, top, "m0", "few", "--tasks", "medqa_us_test", "--limit", 5)
    few, all_ = ({row["id"]: row["raw"] for row in results.read_answers(folder) if row["reading"] == "letter" and row["task"] == "medqa_us_test"}
                 for folder in (top / "few/02-score", evaluated / "03-score"))
    assert len(few) == 5 and few.keys() < all_.keys()
    assert [json.loads(few[id])["logp"] for id in sorted(few)] == [pytest.approx(json.loads(all_[id])["logp"], abs=1e-4) for id in sorted(few)]


def test_replay_needs_neither_model_nor_data_and_gives_the_same_bytes(evaluated, tmp_path, monkeypatch, capsys):
    shutil.copytree(evaluated / "03-score", tmp_path / "alone")
    monkeypatch.setitem(sys.modules, "torch", None)
    code, out, _ = command(capsys, "--replay", tmp_path / "alone", "--out", tmp_path / "again")
    assert code == 0 and "the same numbers as in results.json" in out
    assert (tmp_path / "again/results.json").read_bytes() == (evaluated / "03-score/results.json").read_bytes()


def test_replay_of_a_run_takes_every_model_in_it(evaluated, tmp_path, capsys):
    for number in (1, 2):
        shutil.copytree(evaluated / "03-score", tmp_path / f"run/0{number}-score")
    shutil.copytree(evaluated / "03-score", tmp_path / "run/03-score.old-1")
    code, out, _ = command(capsys, "--replay", tmp_path / "run", "--json")
    assert code == 0 and [Path(one["folder"]).name for one in json.loads(out)] == ["01-score", "02-score"] and all(one["same"] for one in json.loads(out))
    assert command(capsys, "--replay", tmp_path / "run", "--out", tmp_path / "x")[2].count("holds 2 evaluations") == 1


def test_replay_says_how_the_rules_have_changed_and_what_moved(evaluated, monkeypatch, capsys):
    monkeypatch.setattr(rules, "VERSION", rules.VERSION + 1)
    monkeypatch.setitem(rules.CHANGES, rules.VERSION, "letters that are read as equal are right")
    monkeypatch.setitem(judge._JUDGES, "letter", lambda raw: ("A", 1.0))
    code, out, _ = command(capsys, "--replay", evaluated)
    assert code == 0 and f"then {rules.VERSION - 1}, now {rules.VERSION}" in out and f"{rules.VERSION}: letters that are read as equal are right" in out
    assert "figures differ from results.json" in out and "judged otherwise: ceval_val letter:" in out and "judged otherwise: medqa_us_test text" not in out


def test_a_replay_that_gives_other_figures_by_the_same_rules_fails(evaluated, tmp_path, capsys):
    shutil.copytree(evaluated / "03-score", tmp_path / "a")
    path = tmp_path / "a/results.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    for changed in ({**stored, "results": [{**stored["results"][0], "n": 1}, *stored["results"][1:]]}, {**stored, "judged": [{"task": "t", "reading": "grades", "n": 3}]}):
        path.write_text(json.dumps(changed), encoding="utf-8")
        code, out, _ = command(capsys, "--replay", tmp_path / "a")
        assert code == 1 and "figures differ from results.json" in out


@pytest.mark.parametrize(("damage", "said"), [
    (lambda step: (step / "results.json").unlink(), "results.json: can't be read"),
    (lambda step: (step / "results.json").write_text("{", encoding="utf-8"), "results.json: can't be read"),
    (lambda step: (step / "results.json").write_text("[]", encoding="utf-8"), "it holds no seed and results"),
    (lambda step: eval_data.damaged(step, raw="{}"), "its raw can't be judged"),
    (lambda step: eval_data.damaged(step, raw="{"), "its raw can't be judged")])
def test_a_damaged_evaluation_is_told_in_a_line(evaluated, tmp_path, capsys, damage, said):
    shutil.copytree(evaluated / "03-score", tmp_path / "a")
    damage(tmp_path / "a")
    code, out, err = command(capsys, "--replay", tmp_path / "a")
    assert (code, out, err.count("\n")) == (2, "", 1) and said in err and str(tmp_path / "a") in err


def test_two_versions_of_a_task_are_not_compared(tmp_path, capsys):
    rows = eval_data.answered({"a": 1})
    eval_data.stored(tmp_path / "old", rows)
    eval_data.stored(tmp_path / "new", [{**row, "version": 2} for row in rows])
    code, _, err = command(capsys, "--compare", tmp_path / "old", tmp_path / "new")
    assert code == 2 and "version 1 of the task against version 2" in err


def test_compare_on_the_items_of_both_worked_by_hand(tmp_path, capsys):
    """Eight items are shared: 1 stays right, 5 are gained, 1 is lost, 1 stays wrong. McNemar: 2 * (1 + 6) / 2**6."""
    old = {"a": 1, "b": 0, "c": 0, "d": 0, "e": 0, "f": None, "g": 1, "h": 0, "only-old": 1}
    new = {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 0, "h": 0, "only-new": 1}
    eval_data.stored(tmp_path / "old", [*eval_data.answered(old), *eval_data.answered({"x": 1}, task="gone", lang="en")])
    eval_data.stored(tmp_path / "new", [*eval_data.answered(new), *eval_data.answered({"y": 1}, reading="text")])
    code, out, _ = command(capsys, "--compare", tmp_path / "old", tmp_path / "new", "--json")
    found = json.loads(out)
    (row,) = found["rows"]
    assert code == 0 and (row["task"], row["lang"], row["reading"], row["n"], row["n_old"], row["n_new"]) == ("exam", "zh", "letter", 8, 9, 9)
    assert (row["old"], row["new"], row["delta"], row["gained"], row["lost"], row["unparsed_old"]) == (2 / 8, 6 / 8, 0.5, 5, 1, 1)
    assert row["p"] == pytest.approx(2 * (1 + 6) / 64) and row["low"] < 0.5 < row["high"] and row["verdict"] == "same"
    assert [(one["task"], one["lang"], one["reading"], Path(one["only_in"]).name) for one in found["left_out"]] == [("gone", "en", "letter", "old"), ("exam", "zh", "text", "new")]
    _, out, _ = command(capsys, "--compare", tmp_path / "old", tmp_path / "new")
    assert "8 of 9/9" in out and "+50.0" in out and "left out: gone en letter (1 items): only in" in out
    _, out, _ = command(capsys, "--compare", tmp_path / "old", tmp_path / "new", "--markdown")
    assert "| exam | zh | letter | 8 of 9/9 | 25.0 | 75.0 | +50.0 |" in out and "不得用于临床" in out
    assert len({line.count("|") for line in out.splitlines() if line.startswith("|")}) == 1


def test_compare_of_swapped_folders_is_the_mirror(tmp_path, capsys):
    for name, values in (("old", {"a": 1, "b": 0, "c": 0}), ("new", {"a": 0, "b": 1, "c": 1})):
        eval_data.stored(tmp_path / name, eval_data.answered(values))
    there, back = (json.loads(command(capsys, "--compare", tmp_path / a, tmp_path / b, "--json")[1])["rows"][0] for a, b in (("old", "new"), ("new", "old")))
    assert (there["delta"], there["gained"], there["lost"], there["p"]) == (-back["delta"], back["lost"], back["gained"], back["p"])


def test_compare_of_two_runs_and_of_one_with_itself(top, evaluated, capsys):
    asked(capsys, top, "m1", "b", "--tasks", "medqa_us_test")
    code, out, _ = command(capsys, "--compare", evaluated, top / "b")
    assert code == 0 and "left out: ceval_val zh letter (9 items): only in" in out
    rows = json.loads(command(capsys, "--compare", evaluated, evaluated, "--json")[1])["rows"]
    assert rows and all((row["delta"], row["gained"], row["lost"], row["p"], row["verdict"]) == (0, 0, 0, 1, "same") for row in rows)


def test_compare_refuses_other_words_and_nothing_in_common(top, evaluated, tmp_path, capsys):
    asked(capsys, top, "m0", "chat", "--tasks", "medqa_us_test", "--form", "chat", "--readings", "letter")
    code, _, err = command(capsys, "--compare", evaluated, top / "chat")
    assert code == 2 and "was put in other words" in err and "medqa_us_test" in err
    asked(capsys, top, "m0", "long", "--tasks", "ceval_val", "--readings", "generated", "--reply-tokens", 7)
    code, _, err = command(capsys, "--compare", evaluated, top / "long")
    assert code == 2 and "within other limits" in err and "ceval_val (zh, generated)" in err
    eval_data.stored(tmp_path / "other", eval_data.answered({"a": 1}))
    assert "have no item in common" in command(capsys, "--compare", evaluated, tmp_path / "other")[2]


def test_export_in_lm_evals_layout(evaluated, tmp_path, capsys):
    """Keys as in lm-eval 0.4.13's `EvalResults` and `SampleResult`; its own `make_table` was run on such a file by hand."""
    code, _, err = command(capsys, "--replay", evaluated / "03-score", "--export", "lm-eval", "--out", tmp_path)
    (folder,) = (tmp_path / "lm-eval").iterdir()
    (path,) = folder.glob("results_*.json")
    found = json.loads(path.read_text(encoding="utf-8"))
    stored = {(r["task"], r["reading"]): r for r in json.loads((evaluated / "03-score/results.json").read_text(encoding="utf-8"))["results"]}
    assert code == 0 and "exported:" in err and set(found["results"]) == set(TASKS)
    assert found["results"]["ceval_val"]["acc,letter"] == stored["ceval_val", "letter"]["score"] and found["n-shot"] == {"ceval_val": 3, "medqa_us_test": 0, "bpb-medical-en": 0}
    assert found["results"]["bpb-medical-en"]["bits_per_byte,none"] == stored["bpb-medical-en", "bits"]["score"] and found["higher_is_better"]["bpb-medical-en"] == {"bits_per_byte": False}
    assert {"group_subtasks", "configs", "versions", "n-samples", "config", "git_hash", "date", "task_hashes", "model_name", "model_name_sanitized"} <= set(found)
    lines = [json.loads(line) for line in next(folder.glob("samples_medqa_us_test_*.jsonl")).read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 4 * eval_data.N_EN and {line["filter"] for line in lines} == {"letter", "text", "text-prior", "generated"}
    letter = next(line for line in lines if line["filter"] == "letter")
    assert [letter["arguments"][f"gen_args_{k}"]["arg_1"] for k in range(4)] == [" A", " B", " C", " D"] and letter["target"] == "B"
    assert [one[0][0] for one in letter["resps"]] == [one[0] for one in letter["filtered_resps"]] and letter["doc"]["options"] == ["Rest", "Culture", "Surgery", "Nothing"]
    assert letter["acc"] in (0.0, 1.0) and letter["metrics"] == ["acc"]


def test_standard_error_is_lm_evals():
    assert lm_eval._stderr([1.0, 0.0, 0.0, 1.0]) == pytest.approx((4 * 0.25 / 3 / 4) ** 0.5) and lm_eval._stderr([1.0]) == "N/A"


def test_all_lists_what_is_left_out(top, capsys):
    code, out, err = asked(capsys, top, "m0", "all", "--limit", 2, "--readings", "letter", "--answer-tokens", 4, "--json")
    found = json.loads(out)
    assert code == 0 and {row["task"] for row in found["rows"]} == {*TASKS, "safety"}
    assert {one["task"] for one in found["left_out"]} >= {"cmmlu_test", "cmexam_test", "mmlu_test"} and "left out: cmmlu_test: no files at" in err
    assert "Left out, for their files were not there: " in (top / "all/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("words", "said"), [
    (["{m0}", "--data", "{data}", "--tasks", "medqa_us_tests"], "no task 'medqa_us_tests'; did you mean 'medqa_us_test'?"),
    (["{m0}", "--data", "{data}", "--tasks", "cmmlu_test"], "cmmlu/{{anatomy"),
    (["{m0}", "--data", "{data}", "--tasks", "cmmlu_test"], "fetch them from hf download haonan-li/cmmlu"),
    (["{m0}", "--data", "{data}/nowhere"], "nowhere: no such folder"),
    (["{m0}", "--data", "{data}", "--tasks", "medqa_us_test", "--shots", "3"], "no files of worked examples for it; give --shots 0"),
    (["{m0}", "--data", "{data}", "--tasks", "medqa_us_test", "--shots", "17"], "--shots 17: expected 0..16"),
    (["{m0}", "--data", "{data}", "--tasks", "medqa_us_test", "--readings", "letters"], "did you mean 'letter'?"),
    (["{data}/no-model", "--data", "{data}", "--tasks", "medqa_us_test"], "no such model folder"),
    (["{data}", "--data", "{data}", "--tasks", "medqa_us_test"], "not a whole Hugging Face model folder, it lacks config.json"),
    ([], "needs one of a model, --endpoint, --replay, --compare, --list; given: none"),
    (["{m0}", "--replay", "{data}"], "given: a model and --replay"),
    (["--replay", "{data}"], "holds no answers.parquet"),
    (["--replay", "{data}/nowhere"], "no such folder"),
    (["--endpoint", "http://127.0.0.1:9/v1"], "--endpoint needs --name MODEL"),
    (["{m0}", "--name", "x"], "go with --endpoint"),
    (["--endpoint", "127.0.0.1/v1", "--name", "x"], "expected http(s)://host/v1"),
    (["--endpoint", "http://127.0.0.1:9/v1", "--name", "x", "--data", "{data}", "--readings", "letter"], "gives no log-probabilities"),
    (["--endpoint", "http://127.0.0.1:9/v1", "--name", "x", "--data", "{data}", "--tasks", "bpb-medical-en"], "bits per byte need log-probabilities"),
    (["--endpoint", "http://127.0.0.1:9/v1", "--name", "x", "--form", "plain"], "an endpoint takes chat turns alone"),
    (["--list", "--markdown"], "--markdown goes with --compare"),
    (["--list", "--export", "lm-eval"], "--export goes with an evaluation or with --replay"),
])
def test_what_can_t_be_meant_is_refused(top, tmp_path, capsys, words, said):
    given = [word.format(m0=top / "m0", data=top / "data") for word in words]
    code, _, err = command(capsys, *given, *([] if not words or "--list" in words else ["--out", tmp_path / "x"]))
    assert code == 2 and said.format() in err, err
    assert "Traceback" not in err and not (tmp_path / "x/01-benchmarks").exists(), "nothing is read before all is known to be there"


def test_another_evaluation_is_never_written_over(top, evaluated, capsys):
    code, _, err = asked(capsys, top, "m1", "a", "--tasks", *TASKS)
    assert code == 2 and "inputs.model" in err and "--replace, or name another folder with --out" in err


def test_a_model_without_a_template_is_asked_in_plain_text_and_generates(top, tmp_path, capsys):
    tiny.make(tmp_path / "bare", chat=False)
    code, out, _ = command(capsys, tmp_path / "bare", "--data", top / "data", "--tasks", "ceval_val", "--reply-tokens", 4, "--limit", 3, "--out", tmp_path / "r")
    assert code == 0 and "ceval_val  zh        generated" in out
    code, _, err = command(capsys, tmp_path / "bare", "--data", top / "data", "--tasks", "ceval_val", "--form", "chat", "--out", tmp_path / "r2")
    assert code == 2 and "has no chat template" in err


def test_list_says_whether_files_are_there(top, capsys):
    rows = {row["task"]: row for row in json.loads(command(capsys, "--list", "--data", top / "data", "--json")[1])}
    assert rows["ceval_val"]["there"] and rows["ceval_val"]["n_shots"] == 3 and rows["medqa_us_test"]["n_shots"] == 0 and not rows["cmmlu_test"]["there"]
    assert "CMB-Exam" in command(capsys, "--list")[1]


KILLED = """
import os, signal, sys
from aquilamed import cli
from aquilamed.evals import parts
keep = parts.keep
def once(out, task, asked):
    kept = keep(out, task, asked)
    os.kill(os.getpid(), signal.SIGKILL)
parts.keep = once
cli.main(sys.argv[1:])
"""


def test_killed_half_way_it_goes_on_with_the_next_task(top, evaluated, tmp_path, capsys):
    words = [str(top / "m0"), "--data", str(top / "data"), "--tasks", *TASKS, "--reply-tokens", "6", "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-c", KILLED, "eval", *words], capture_output=True, env={**os.environ, "PYTHONPATH": ":".join(sys.path)}, check=False)
    assert done.returncode == -signal.SIGKILL
    (part,) = (tmp_path / "run/03-score/passes").iterdir()
    made = (part / "answers.parquet").stat().st_mtime_ns
    assert not (tmp_path / "run/03-score/manifest.json").exists()
    time.sleep(0.01)
    seen = []
    keep = sys.modules["aquilamed.evals.parts"].keep
    try:
        sys.modules["aquilamed.evals.parts"].keep = lambda out, task, asked: seen.append(task.name) or keep(out, task, asked)
        assert command(capsys, *words)[0] == 0
    finally:
        sys.modules["aquilamed.evals.parts"].keep = keep
    assert made and part.name not in seen and sorted([*seen, part.name]) == sorted(TASKS)
    for name in ("answers.parquet", "results.json"):
        assert (tmp_path / "run/03-score" / name).read_bytes() == (evaluated / "03-score" / name).read_bytes(), name
    assert not (tmp_path / "run/03-score/passes").exists()


def reply(body, number):
    """Answers B; refuses what speaks of 25 years; thinks aloud in Chinese."""
    said = body["messages"][-1]["content"]
    if "25-year-old" in said:
        return 400, {"error": "filtered"}
    return 200, "<think>可能是A</think>\n答案：Ｂ" if "患者" in said else "Answer: B"


def remotely(capsys, top, url, *words):
    return command(capsys, "--endpoint", url, "--name", "big", "--data", top / "data", "--tasks", "medqa_us_test", "ceval_val", *words)


def test_an_endpoint_is_asked_masked_and_a_refusal_is_never_graded(top, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(remote, "CACHE", tmp_path / "replies")
    with chat_server.served(reply) as (url, seen):
        code, out, err = remotely(capsys, top, url, "--out", tmp_path / "r", "--json")
        again = remotely(capsys, top, url, "--out", tmp_path / "r2", "--json")
        n_sent = len(seen)
    found = json.loads(out)
    rows = {row["task"]: row for row in found["rows"]}
    assert code == 0 and {row["reading"] for row in found["rows"]} == {"generated"}
    assert (rows["medqa_us_test"]["n"], rows["medqa_us_test"]["score"]) == (eval_data.N_EN - 1, 1.0) and found["not_asked"] == {"refused": 1}
    assert rows["ceval_val"]["score"] == pytest.approx(2 / 9, abs=1e-6) and rows["ceval_val"]["unparsed"] == 0          # answers go round A to D; of nine, 1 and 5 are B
    texts = json.dumps([body for _, body, _ in seen], ensure_ascii=False)
    assert "13812345678" not in texts and "张伟" not in texts and found["masked"]["phone"] == 1
    assert found["asked"] | {} == {**found["asked"], "requests": 21, "cached": 0, "refused": 1}
    assert n_sent == 22 and json.loads(again[1])["asked"]["cached"] == 20, "replies are kept; only the refused one is asked again"
    stored = results.read_answers(tmp_path / "r/02-score")
    assert {json.loads(row["raw"])["text"] for row in stored if row["lang"] == "zh"} == {"<think>可能是A</think>\n答案：Ｂ"} and "13812345678" not in json.dumps([row["prompt"] for row in stored])
    assert sum(row["prompt"].count("例题：") for row in stored) == 9 * 3
    assert "model big" in (tmp_path / "r/report.html").read_text(encoding="utf-8")
    assert json.loads(command(capsys, "--replay", tmp_path / "r", "--json")[1])[0]["same"]


def test_a_budget_stops_and_the_same_command_goes_on(top, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(remote, "CACHE", tmp_path / "replies")
    costly = lambda body, number: (200, chat_server.completion("B", prompt=300))  # noqa: E731
    with chat_server.served(costly) as (url, seen):
        code, _, err = remotely(capsys, top, url, "--out", tmp_path / "r", "--budget-tokens", 3000)
        assert code == 2 and "budget_tokens=3000" in err and not manifest.read(tmp_path / "r/02-score")
        n_first = len(seen)
        code, out, _ = remotely(capsys, top, url, "--out", tmp_path / "r", "--json")
    assert code == 0 and 0 < n_first < 21 == len(seen) and json.loads(out)["asked"]["cached"] == n_first, "nothing is asked or paid twice"


def test_an_endpoint_that_fails_grades_nothing(top, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(remote, "CACHE", tmp_path / "replies")
    with chat_server.served(lambda body, number: (401, {"error": "no"})) as (url, _):
        code, out, err = remotely(capsys, top, url, "--out", tmp_path / "r")
    assert code == 2 and "HTTP 401" in err and not out and not (tmp_path / "r/02-score/results.json").exists()


def test_figures_on_other_scales_are_written_as_they_are():
    row = {"task": "talk", "lang": "zh", "n": 3, "visible": None, "unparsed": 1}
    rows = [{**row, "reading": "grades", "score": 3.75, "low": 3.1, "high": 4.4}, {**row, "reading": "pairwise:gpt", "score": None, "low": None, "high": None}]
    table = scoreboard.as_table({"rows": rows, "n_shots": {}, "not_asked": {}, "left_out": []}).splitlines()
    assert table[1].split()[3:] == ["3", "3.75", "3.10", "–", "4.40", "–", "1"] and table[2].split()[3:] == ["3", "–", "–", "–", "–", "–", "1"]
