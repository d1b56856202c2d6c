"""The section of judged dialogues: won, tied and lost, a judge's faults in red, grades by aspect, dashes where nobody judged."""

import json

from fake_run import Maker

from aquilamed.core.counts import Counts
from aquilamed.evals import grading, results
from aquilamed.evals.task import Answer, Asked, Task
from aquilamed.models import comparing
from aquilamed.report import page, runs


def rows(task, reading, raws):
    answers = [Answer(id=f"{k}:1", reading=reading, raw={"text": "休息", "judge": "strong", **raw}, lang="zh" if k % 2 else "en", group=str(k), prompt=f"p{k}") for k, raw in enumerate(raws)]
    return Task(name=task, kind="conversations", items=(), ask=None).rows(Asked(answers=answers, dropped=[]))


def test_outcomes_and_faults_are_shown(tmp_path):
    side = lambda said: json.dumps(dict.fromkeys(comparing.KEYS, said))  # noqa: E731
    grades = json.dumps(dict(zip(grading.ASPECTS, (5, 4, 3, 2), strict=True)))
    criteria = [{"criterion": "休息", "points": 4, "tags": ["axis:accuracy"]}, {"criterion": "drug", "points": -2, "tags": ["axis:accuracy"]}]
    met = [json.dumps({"reason": "", "met": said}) for said in (True, False)]
    made = [*rows("first", "pairwise:reference", [{"other": "喝水", "replies": [side("A"), side("A")]}] * 40), *rows("fair", "pairwise:reference", [{"other": "喝水", "replies": [side("A"), side("B")]}] * 40),
            *rows("turns", "grades", [{"turn": 1, "replies": [grades], "again": [grades]}] * 8), *rows("safe", "rubric", [{"criteria": criteria, "replies": met}] * 8),
            *rows("silent", "grades", [{"turn": 1, "replies": [None]}] * 8)]
    report = results.report(made, 0)
    Maker(tmp_path).step("score-sft", "evals.score", Counts(n_in=1, n_out=1), files={"results.json": report})
    shown = page.render(runs.load(tmp_path))
    lines = shown.split('id="judges"')[1].split("</section>")[0].split("<tr>")[2:]
    by_task = {line.split('<td data-label="Task"><div>')[1].split("<")[0]: line for line in lines}
    assert "+1.00" in by_task["first"] and "lost" in by_task["first"].split('data-label="Position"')[1] and "100.0 %" in by_task["first"]
    assert 'class="lost"' not in by_task["fair"].split('data-label="Position"')[1].split("</td>")[0] and "strong" in by_task["fair"]
    assert all(f"{aspect} {grade}.00" in by_task["turns"] for aspect, grade in zip(grading.ASPECTS, (5, 4, 3, 2), strict=True)) and "accuracy 100.0 %" in by_task["safe"]
    assert by_task["silent"].count("–") == 4
    tasks = shown.split('id="tasks"')[1].split("</section>")[0]
    assert "3.50" in tasks and "silent" not in tasks
    (tmp_path / "none").mkdir()
    Maker(tmp_path / "none").step("score-sft", "evals.score", Counts(n_in=1, n_out=1), files={"results.json": results.report(rows("safe", "stopped", [{"stopped": True}]), 0)})
    assert 'id="judges"' not in page.render(runs.load(tmp_path / "none"))
