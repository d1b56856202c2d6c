"""Small exams in both languages, laid out as their publishers' files are, and answers written by hand."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aquilamed.core import manifest
from aquilamed.evals import catalogue, rendered, results

N_EN, N_ZH = 12, 9
PERSON = "患者张伟，手机 13812345678。"


def lay(top: Path, *, zh_shots: bool = True) -> Path:
    """MedQA as its publisher's file, C-Eval as the hub's snapshot (with worked examples), one English text."""
    (top / "benchmarks/medqa_us").mkdir(parents=True)
    rows = [{"question": f"A {20 + k}-year-old woman has a fever of 39 °C for {k} days. What comes first?", "options": {"A": "Rest", "B": "Culture", "C": "Surgery", "D": "Nothing"},
             "answer": "Culture", "answer_idx": "B", "meta_info": f"step{k % 2 + 1}"} for k in range(N_EN)]
    (top / "benchmarks/medqa_us/phrases_no_exclude_test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    exam(top / "ceval/ceval-exam/physician/val/0000.parquet", N_ZH, "")
    if zh_shots:
        exam(top / "ceval/ceval-exam/physician/dev/0000.parquet", 5, "例题：")
    (top / "pretrain/en_medical").mkdir(parents=True)
    pages = [{"id": str(k), "title": f"Fever {k}", "text": f"Fever number {k} is a rise of the body's temperature above 38 degrees."} for k in range(4)]
    (top / "pretrain/en_medical/openstax_anatomy.jsonl").write_text("".join(json.dumps(page) + "\n" for page in pages), encoding="utf-8")
    return top


def exam(path: Path, n: int, lead: str) -> None:
    path.parent.mkdir(parents=True)
    rows = [{"id": k, "question": f"{lead}{PERSON if k == 1 and not lead else ''}第{k}题：患者发热（Ｂ超正常），首先应做的是____", "A": "休息", "B": "血培养", "C": "手术", "D": "观察", "answer": "ABCD"[k % 4], "explanation": ""} for k in range(n)]
    pq.write_table(pa.Table.from_pylist(rows), path)


def answered(values: dict[str, float], *, task: str = "exam", reading: str = "letter", prompt: str = "p", lang: str = "zh") -> list[dict]:
    """Rows of a scored stage: id -> right (1), wrong (0) or unparsed (None)."""
    said = {1: [-1.0, -2.0], 0: [-2.0, -1.0], None: [-1.0, -1.0]}
    return [{"task": task, "reading": reading, "version": 1, "id": id, "lang": lang, "subject": "", "difficulty": "", "group": id, "prompt_hash": prompt, "prompt": prompt,
             "raw": json.dumps({"logp": said[value], "answers": [0], "option_bytes": [1, 1]}), "parsed": None, "score": 0.0, "bits": None, "bytes": None} for id, value in values.items()]


def stored(folder: Path, rows: list[dict]) -> Path:
    """A scored step's folder with these answers."""
    folder.mkdir(parents=True)
    results.write_answers(folder / results.ANSWERS, rows)
    manifest.write_json(folder / results.RESULTS, results.report(results.read_answers(folder), 0))
    return folder


def damaged(folder: Path, *, raw: str) -> None:
    """Put `raw` in place of the first answer's."""
    rows = pq.read_table(folder / results.ANSWERS).to_pylist()
    results.write_answers(folder / results.ANSWERS, [{**rows[0], "raw": raw}, *rows[1:]])


def lay_dialogues(top: Path) -> Path:
    """CMtMedQA's and Huatuo's test files and HealthBench as the hub has them: the items of ours that docs/tasks.md shows, and in each Chinese set one that names a person."""
    asks = {"cmtmedqa_test": {"id": 9, "cate1": "内科", "instruction": f"{PERSON}血压１６０/95，要吃药吗？", "input": "", "output": "先复测血压。"},
            "huatuo_qa": {"questions": [[f"{PERSON}头晕两天，怎么办？"]], "answers": ["先测血压，必要时就诊。"]}}
    for name in ("cmtmedqa_test", "huatuo_qa", "healthbench"):
        entry, rows = catalogue.CATALOGUE[name], [*(one["row"] for one in rendered.examples(name)), *([asks[name]] if name in asks else [])]
        path = top / entry.hub / entry.files
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(rows, ensure_ascii=False) if entry.format == "json" else "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return top
