"""What lm-eval is given is what we ask: the publishers' own rows, and our prompts to the letter."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import evaluation

from aquilamed.evals import drawing


@pytest.fixture(scope="module")
def drawn(shared_data, tmp_path_factory):
    return evaluation.questions(tmp_path_factory.mktemp("questions"))


def test_every_set_has_questions_to_ask(drawn, tmp_path):
    """A set whose subject is named otherwise than the import names it would leave nothing to compare."""
    for source in evaluation.SETS.values():
        (tmp_path / source).mkdir()
        evaluation.lay_ours("fixed", next(name for name, one in evaluation.SETS.items() if one == source), drawn[source], 2, tmp_path / source)
        assert len(evaluation.read_lines(tmp_path / source / "ours.jsonl")) == 2
    (tmp_path / "own").mkdir()
    evaluation.lay_own("mmlu", drawn[evaluation.OWN["mmlu"]], 4, tmp_path / "own")
    assert sum(len(evaluation.read_lines(path)) for path in (tmp_path / "own").glob("mmlu_*.jsonl")) == 4


@pytest.mark.parametrize("task", evaluation.OWN)
def test_the_publisher_s_row_is_the_question_s_own(drawn, task):
    for row in drawn[evaluation.OWN[task]]:
        there = evaluation.published(task, row)
        stem = there.get("sent1") or there.get("QUESTION") or there["question"]
        options = [there[key] for key in ("ending0", "ending1", "ending2", "ending3", "opa", "opb", "opc", "opd") if key in there] or there.get("choices", row["options"])
        right = there.get("label", there.get("cop", there.get("answer", there.get("final_decision"))))
        assert (stem, options) == (row["stem"], row["options"]) and right in (row["answers"][0], row["options"][row["answers"][0]])


def test_lm_eval_s_prompts_are_ours(drawn, tmp_path):
    """The file for lm-eval holds what `score_choices` renders, and no scored question is a worked example."""
    for work in ("fixed", "drawn"):
        folder = tmp_path / work
        folder.mkdir()
        evaluation.lay_ours(work, "MedMCQA", drawn["medmcqa_dev"], 6, folder)
        docs = {doc["id"]: doc for doc in evaluation.read_lines(folder / "ours.jsonl")}
        asked, pool = evaluation.read_lines(folder / "questions.jsonl"), evaluation.read_lines(folder / "pool.jsonl")
        assert len(docs) == 6 and len(pool) == evaluation.POOL[work] and not docs.keys() & {row["id"] for row in pool}
        heads = {doc["prompt"].rsplit("\n\n", 1)[0] for doc in docs.values()}
        assert len(heads) == (1 if work == "fixed" else 6) and all(head.count("Answer:") == evaluation.SHOTS for head in heads)
        how = evaluation.style(work)
        shots = drawing.Shots(pool, how.n_shots, how.seed, how.shots_by)
        assert all(docs[row["id"]]["prompt"].endswith(f"Question: {row['stem']}\n" + "\n".join(f"{a}. {b}" for a, b in zip("ABCD", row["options"], strict=True)) + "\nAnswer:") for row in asked)
        assert all(shot["stem"] in docs[row["id"]]["prompt"] for row in asked for shot in shots.of(row))
        assert json.loads((folder / "tasks.json").read_text())[0]["doc_to_text"] == "prompt"


def test_replies_are_asked_and_ended_alike(drawn, tmp_path):
    evaluation.lay_ours("replies", "MedMCQA", drawn["medmcqa_dev"], 6, tmp_path)
    task, how = json.loads((tmp_path / "tasks.json").read_text())[0], evaluation.style("replies")
    assert task["output_type"] == "generate_until" and task["generation_kwargs"] == {"until": list(evaluation.UNTIL), "do_sample": False, "max_gen_toks": how.max_new_tokens}
    assert [doc["prompt"].count("Answer:") for doc in evaluation.read_lines(tmp_path / "ours.jsonl")] == [1] * 6
    assert [evaluation.cut(text) for text in (" B\nQuestion: x\n\ny", " B\n\nQuestion: x", " B. words\nmore", "")] == [" B", " B", " B. words\nmore", ""]
