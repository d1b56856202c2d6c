"""The three stages end to end: benchmarks -> score -> ledger, with tiny models."""

import json

import pyarrow.parquet as pq
import pytest
import tiny
import torch

from aquilamed.core import manifest, tables
from aquilamed.core.errors import ConfigError, ModelUnavailable
from aquilamed.core.records import make
from aquilamed.core.sources import Questions, Source, known
from aquilamed.engine.local import Local
from aquilamed.evals import benchmarks, ledger, results, score

ENGINE = Local(2)
torch.set_num_threads(1)
TEXTS = {"zh": "患者发热{}天，体温三十九度，服用药物后好转。", "en": "After {} days of fever the patient took the medicine and recovered."}


def exam(folder, name, n=12, lang="zh"):
    """A small exam as JSONL; the last row is the first again, and one has two right answers."""
    stem = {"zh": "第{}题：体温多少度为发热？", "en": "Question {}: which temperature is a fever?"}[lang]
    rows = [{"question": stem.format(i), "options": ["36", "38", "39"], "answer": "BC" if i == 3 else "B"} for i in range(n)]
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in [*rows, rows[0]]), encoding="utf-8")
    return Source(name=name, path=path, format="jsonl", license="CC0-1.0", mapping=Questions())


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Folder with two models, benchmarks, held-out texts, pairs, and both models scored."""
    top = tmp_path_factory.mktemp("evals")
    config = benchmarks.Config(sources=(exam(top, "exam-zh"), exam(top, "exam-en", lang="en")), limit=8)
    benchmarks.run(config, {}, top / "benchmarks", ENGINE)
    documents = [make("documents", {"text": TEXTS[lang].format(i), "source": "s", "license": "CC0-1.0", "meta": {"domain": domain}})
                 for i, (lang, domain) in enumerate([(a, b) for a in TEXTS for b in ("medical", "general")] * 8)]
    tables.write(top / "heldout/documents/part-00000.parquet", tables.from_rows("documents", documents))
    pairs = [make("preferences", {"prompt": [{"role": "user", "content": f"第{i}次发烧怎么办？"}], "chosen": "多喝水，必要时就医。", "rejected": "不知道。",
                                  "kind": ("subjective", "objective")[i % 2], "source": "p", "license": "CC0-1.0"}) for i in range(8)]
    tables.write(top / "pairs/preferences/part-00000.parquet", tables.from_rows("preferences", pairs))
    for number, stage in enumerate(("base", "sft")):
        tiny.make(top / f"{stage}-model" / "model", seed=number)
        inputs = {"model": top / f"{stage}-model", "benchmarks": top / "benchmarks", "heldout": top / "heldout", "preferences": top / "pairs",
                  "reference": top / "base" if number else top / "base-model"}
        (top / stage).mkdir()
        counts = score.run(score.Config(sample_tokens=4), inputs, top / stage, ENGINE)
        (top / stage / "counts.json").write_text(json.dumps({**counts.as_json(), "langs": counts.langs}))
    return top


def test_benchmarks_mark_a_sample_and_keep_everything(scored):
    rows = list(tables.rows(scored / "benchmarks", "questions"))
    assert len(rows) == 24 and sum(row["meta"]["scored"] == "1" for row in rows) == 16
    dropped = pq.read_table(scored / "benchmarks/dropped/questions-sifted.parquet")
    assert dropped["reason"].to_pylist() == ["duplicate", "duplicate"]


def test_benchmarks_do_not_depend_on_the_order_of_sources_and_rows(tmp_path):
    one, two = exam(tmp_path, "a"), exam(tmp_path, "b", lang="en")
    benchmarks.run(benchmarks.Config(sources=(one, two), limit=3), {}, tmp_path / "x", ENGINE)
    for source in (one, two):
        lines = source.path.read_text(encoding="utf-8").split("\n")
        source.path.write_text("\n".join([lines[0], *reversed(lines[1:])]), encoding="utf-8")
    benchmarks.run(benchmarks.Config(sources=(two, one), limit=3), {}, tmp_path / "y", Local(1))
    chosen = [{row["id"]: row["meta"]["scored"] for row in tables.rows(tmp_path / name, "questions")} for name in "xy"]
    assert chosen[0] == chosen[1] and list(chosen[0].values()).count("1") == 6


def test_worked_examples_are_never_scored(tmp_path):
    source = exam(tmp_path, "a")
    counts = benchmarks.run(benchmarks.Config(sources=(source,), shots={"a": source}, limit=5), {}, tmp_path / "x", ENGINE)
    questions = list(tables.rows(tmp_path / "x", "questions"))
    shots = {row["id"] for row in tables.rows(tmp_path / "x/shots", "questions")}
    assert shots == {row["id"] for row in questions if row["meta"]["scored"] == "0"} and len(shots) == 7
    assert counts.n_in == counts.n_out + sum(counts.dropped.values()) == 26
    assert counts.dropped == {"duplicate": 2, "scored": 5}


def test_real_benchmarks(shared_data, tmp_path):
    every = known.questions(shared_data)
    config = benchmarks.Config(sources=(every["cmexam_val"], every["mmlu_test"], every["head_qa_test"]), limit=50, limits={"cmexam_val": 20},
                               shots={"head_qa_test": every["head_qa_dev"]})
    counts = benchmarks.run(config, {}, tmp_path, ENGINE)
    assert counts.n_in == counts.n_out + sum(counts.dropped.values()) and counts.dropped["skipped:no_answer"] == 1
    assert counts.notes["scored"] == {"cmexam_val": 20, "head_qa_test": 50, "mmlu_test": 50}
    rows = list(tables.rows(tmp_path, "questions"))
    assert {row["lang"] for row in rows if row["source"] == "mmlu_test"} <= {"en", "other"}
    assert len({(row["id"], row["source"]) for row in rows}) == len(rows) > 10_000
    assert {row["source"] for row in tables.rows(tmp_path / "shots", "questions")} == {"head_qa_test"}


def test_benchmarks_refuse(tmp_path):
    source = exam(tmp_path, "exam-zh")
    with pytest.raises(ConfigError, match="did you mean 'exam-zh'"):
        benchmarks.Config(sources=(source,), limits={"exam-zhh": 3})


def test_every_item_is_accounted_for(scored):
    counts = json.loads((scored / "base/counts.json").read_text())
    n_several = counts["dropped"].get("several_answers", 0)
    assert counts["in"] == counts["out"] + n_several == 16 + 32 + 8 + 12
    assert counts["langs"]["zh"] + counts["langs"]["en"] == counts["out"]
    if n_several:
        assert set(pq.read_table(scored / "base/dropped/questions-00000.parquet")["reason"].to_pylist()) == {"several_answers"}


def test_answers_hold_all_that_results_need(scored):
    for stage in ("base", "sft"):
        stored = json.loads((scored / stage / "results.json").read_text(encoding="utf-8"))
        assert results.replay(scored / stage) == stored
        assert {(r["task"], r["reading"]) for r in stored["results"]} == {
            *((exam, reading) for exam in ("exam-zh", "exam-en") for reading in ("letter", "text", "generated")), ("bpb-medical", "bits"), ("bpb-general", "bits"),
            *(("preferences-" + kind, reading) for kind in ("objective", "subjective") for reading in ("logprob", "margin")), ("samples", "stopped")}
    bpb = next(r for r in stored["results"] if r["task"] == "bpb-medical")
    rows = [row for row in results.read_answers(scored / "sft") if row["task"] == "bpb-medical" and row["lang"] == "zh"]
    assert bpb["by_lang"]["zh"]["score"] == pytest.approx(sum(r["bits"] for r in rows) / sum(r["bytes"] for r in rows), abs=1e-6)


def test_scores_are_split_by_the_sources_own_difficulty(scored, tmp_path):
    table = list(tables.rows(scored / "benchmarks", "questions"))
    for number, row in enumerate(sorted(table, key=lambda row: row["id"])):
        row["meta"] |= {"difficulty": "12"[number % 2]} if row["lang"] == "zh" else {}
    tables.write(tmp_path / "benchmarks/questions/part-00000.parquet", tables.from_rows("questions", table))
    score.run(score.Config(sample_tokens=0, readings=("letter",)), {"model": scored / "base-model", "benchmarks": tmp_path / "benchmarks"}, tmp_path, ENGINE)
    found = {r["task"]: r for r in json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]}
    parts = found["exam-zh"]["by_difficulty"]
    assert set(parts) == {"1", "2"} and sum(part["n"] for part in parts.values()) == found["exam-zh"]["n"] and found["exam-en"]["by_difficulty"] == {}
    assert results.replay(tmp_path) == json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))


def test_replay_judges_anew(scored, tmp_path):
    rows = results.read_answers(scored / "base")
    for row in rows:
        if row["reading"] == "letter":
            raw = json.loads(row["raw"])
            row["raw"] = json.dumps({**raw, "logp": [-9.0, -1.0, -9.0]})
    results.write_answers(tmp_path / "answers.parquet", rows)
    manifest.write_json(tmp_path / "results.json", {"seed": 0, "results": []})
    found = {(r["task"], r["reading"]): r["score"] for r in results.replay(tmp_path)["results"]}
    assert found["exam-zh", "letter"] == found["exam-en", "letter"] == 1.0


def test_a_second_run_gives_the_same_bytes(scored, tmp_path):
    inputs = {"model": scored / "sft-model", "benchmarks": scored / "benchmarks", "heldout": scored / "heldout", "preferences": scored / "pairs",
              "reference": scored / "base"}
    told = []
    score.run(score.Config(sample_tokens=4), inputs, tmp_path, Local(1, told.append))
    ends = {at.note: (at.done, at.total) for at in told}
    assert all(done == total for done, total in ends.values()) and [note.split(", ")[1] for note in ends] == [f"{k} of {len(ends)} tasks" for k in range(1, len(ends) + 1)]
    for name in ("answers.parquet", "results.json", "samples.json"):
        assert (tmp_path / name).read_bytes() == (scored / "sft" / name).read_bytes()


def test_reference_of_the_base_is_itself(scored):
    margins = {stage: [json.loads(row["raw"]) for row in results.read_answers(scored / stage) if row["reading"] == "margin"] for stage in ("base", "sft")}
    assert all(raw["chosen"] == pytest.approx(raw["reference_chosen"]) for raw in margins["base"])
    assert [raw["reference_chosen"] for raw in margins["sft"]] == [raw["chosen"] for raw in margins["base"]]


def test_limits_and_forms(scored, tmp_path):
    inputs = {"model": scored / "base-model", "benchmarks": scored / "benchmarks"}
    config = score.Config(tasks=("exam-zh",), limit=2, forms={"exam-zh": "chat"}, readings=("letter",), sample_tokens=0)
    score.run(config, inputs, tmp_path, ENGINE)
    rows = results.read_answers(tmp_path)
    assert len(rows) <= 2 and all(row["prompt"].startswith("<bos><|im_start|>user") for row in rows)
    with pytest.raises(ConfigError, match="no benchmark 'exam-z' .*did you mean 'exam-zh'"):
        score.run(score.Config(tasks=("exam-z",)), inputs, tmp_path, ENGINE)
    with pytest.raises(ConfigError, match="letters"):
        score.Config(readings=("letters",))


def test_models_without_a_template_are_refused_where_one_is_needed(scored, tmp_path):
    inputs = {"model": tiny.make(tmp_path / "m", chat=False), "heldout": scored / "heldout"}
    with pytest.raises(ModelUnavailable, match="has no chat template"):
        score.run(score.Config(), inputs, tmp_path, ENGINE)
    counts = score.run(score.Config(sample_tokens=0), inputs, tmp_path, ENGINE)
    assert counts.n_out == 32


LEDGER_KEYS = {"stage", "task", "lang", "reading", "n", "score", "low", "high", "delta", "delta_low", "delta_high", "verdict", "unparsed"}


def test_ledger(scored, tmp_path):
    config = ledger.Config(order=("base", "sft"), base="base", limits={"bpb-general": 0.03})
    ledger.run(config, {"base": scored / "base", "sft": scored / "sft"}, tmp_path, ENGINE)
    rows = json.loads((tmp_path / "ledger.json").read_text(encoding="utf-8"))
    assert all(LEDGER_KEYS < set(row) for row in rows)
    cells = {(r["stage"], r["task"], r["reading"], r["lang"]): r for r in rows}
    assert {key[3] for key in cells if key[1] == "bpb-general"} == {"zh", "en", "all"} and ("sft", "exam-zh", "letter", "all") not in cells
    base, sft = cells["base", "bpb-general", "bits", "all"], cells["sft", "bpb-general", "bits", "all"]
    assert (base["delta"], base["verdict"], base["step_delta"]) == (0.0, "same", None)
    assert sft["delta"] == pytest.approx(sft["score"] - base["score"], abs=2e-6) and sft["step_delta"] == sft["delta"]
    claimed = sft["p_adjusted"] <= 0.05 and ("gained" if sft["delta_high"] < 0 else "lost" if sft["delta_low"] > 0 else "")
    assert sft["verdict"] == (claimed or "same")
    assert sft["limit"] == ("passed" if sft["delta_low"] > 0.03 * base["score"] else "doubtful" if sft["delta"] > 0.03 * base["score"] else "kept")
    family = sorted(row["p"] for row in rows if row["stage"] == "sft")
    assert min(row["p_adjusted"] for row in rows if row["stage"] == "sft") == pytest.approx(min(1, len(family) * family[0]), abs=1e-5)


def answers(folder, values, *, task="exam", reading="letter", prompt="p", lang="zh"):
    """A scored stage written by hand."""
    raws = [{"bits": v, "bytes": 100} if reading == "bits" else {"logp": [-1.0, -2.0] if v else [-2.0, -1.0], "answers": [0]} for v in values]
    rows = [{"task": task, "reading": reading, "version": 1, "id": f"{i:03d}", "lang": lang, "subject": "", "difficulty": "", "group": str(i), "prompt_hash": prompt,
             "prompt": prompt, "raw": json.dumps(raw), "parsed": "", "score": 0.0, "bits": raw.get("bits"), "bytes": raw.get("bytes")}
            for i, raw in enumerate(raws)]
    folder.mkdir()
    results.write_answers(folder / "answers.parquet", rows)
    return folder


def verdicts(tmp_path, **stages):
    config = ledger.Config(order=tuple(stages), base=next(iter(stages)), limits={"bpb-general": 0.03})
    ledger.run(config, stages, tmp_path, ENGINE)
    return [(r["stage"], r["delta"], r["verdict"], r["step_verdict"], r.get("limit")) for r in ledger.read(tmp_path / "ledger.json")]


def test_verdicts_by_hand(tmp_path):
    right = [1] * 40 + [0] * 60
    stages = {"base": answers(tmp_path / "a", right), "up": answers(tmp_path / "b", [1] * 55 + [0] * 45), "back": answers(tmp_path / "c", right),
              "few": answers(tmp_path / "d", [1] * 43 + [0] * 57)}
    assert verdicts(tmp_path, **stages) == [("base", 0.0, "same", None, None), ("up", 0.15, "gained", "gained", None),
                                            ("back", 0.0, "same", "lost", None), ("few", 0.03, "same", "same", None)]


def test_one_gain_among_many_tasks_is_no_verdict(tmp_path):
    """7 gained of 100 has p = 2 / 2**7 = .0156: enough alone, not among the rows of four tasks (.0625), though its interval excludes zero."""
    up, right = [1] * 47 + [0] * 53, [1] * 40 + [0] * 60
    stages = {}
    for stage, gained in (("base", right), ("sft", up)):
        parts = [answers(tmp_path / f"{stage}{task}", gained if task == 0 else right, task=f"exam-{task}") for task in range(4)]
        rows = [row for part in parts for row in results.read_answers(part)]
        (tmp_path / stage).mkdir()
        results.write_answers(tmp_path / stage / "answers.parquet", rows)
        stages[stage] = tmp_path / stage
    config = ledger.Config(order=("base", "sft"), base="base")
    cells = {stage: ledger.cells_of(results.read_answers(folder)) for stage, folder in stages.items()}
    many = [row for row in ledger.lines(cells, config) if row["stage"] == "sft"]
    alone = ledger.lines({stage: {key: rows for key, rows in some.items() if key[0] == "exam-0"} for stage, some in cells.items()}, config)[-1]
    assert [(row["p"], row["p_adjusted"], row["verdict"]) for row in many] == [(0.015625, 0.0625, "same"), *[(1.0, 1.0, "same")] * 3]
    assert many[0]["delta_low"] > 0 and (alone["p_adjusted"], alone["verdict"], alone["step_verdict"]) == (0.015625, "gained", "gained")


def test_limits_tell_doubt_from_certainty(tmp_path):
    """A limit of 3 % of 1.53 bits is .0459: +.06 on every document lies beyond it; the same in the mean, spread wide, may not."""
    of = lambda name, change: answers(tmp_path / name, [150 + i % 7 + change(i) for i in range(20)], task="bpb-general", reading="bits")  # noqa: E731
    found = verdicts(tmp_path, base=of("a", lambda i: 0), sure=of("b", lambda i: 6 + i % 2), unsure=of("c", lambda i: 6 + (20 if i % 2 else -20)), fine=of("d", lambda i: 4))
    assert [row[4] for row in found] == ["kept", "passed", "doubtful", "kept"]


def test_lower_bits_are_a_gain(tmp_path):
    of = lambda name, change: answers(tmp_path / name, [150 + i % 7 + change for i in range(20)], task="bpb-general", reading="bits")  # noqa: E731
    found = verdicts(tmp_path, base=of("a", 0), better=of("b", -3), worse=of("c", 6))
    assert [row[2:] for row in found] == [("same", None, "kept"), ("gained", "gained", "kept"), ("lost", "lost", "passed")]
    assert [row[1] for row in found] == [0.0, -0.03, 0.06]


def test_other_words_are_refused(tmp_path):
    stages = {"base": answers(tmp_path / "a", [1, 0]), "sft": answers(tmp_path / "b", [1, 0], prompt="q")}
    with pytest.raises(ConfigError, match="sft against base: item 000 was put in other words"):
        verdicts(tmp_path, **stages)
    with pytest.raises(ConfigError, match="order names 'dpo'"):
        ledger.run(ledger.Config(order=("base", "dpo"), base="base"), {"base": stages["base"]}, tmp_path, ENGINE)
    with pytest.raises(ConfigError, match="holds no answers.parquet"):
        ledger.run(ledger.Config(order=("base",), base="base"), {"base": tmp_path}, tmp_path, ENGINE)
