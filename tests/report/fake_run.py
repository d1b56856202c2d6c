"""A run folder as the real stages would leave it, without running any: sealed manifests, metrics, answers, a ledger, samples."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aquilamed.core import manifest
from aquilamed.core.counts import Counts

STAGES = ("base", "cpt1", "cpt2", "sft", "dpo")
PROMPTS = (("zh", "体检发现血压 145/92，没有不舒服，需要马上吃药吗？"), ("zh", "爸爸突然胸口压榨样疼痛，出冷汗，左胳膊也痛，已经二十分钟了，怎么办？"),
           ("en", "Can I take ibuprofen together with paracetamol?"))
HOSTILE = '<script>alert("x")</script> & <b>bold</b> \'quoted\''


class Maker:
    """Writes step after step into `folder`."""

    def __init__(self, folder: Path):
        self.folder, self.n, self.digests = folder, 0, {}

    def step(self, name: str, stage: str, counts: Counts, *, config: Mapping = {}, inputs: Mapping[str, str] = {}, paper: str = "ours",
             seconds: float = 3.0, files: Mapping[str, object] = {}) -> Path:
        """Seal one step; `inputs` names earlier steps."""
        self.n += 1
        out = self.folder / f"{self.n:02d}-{name}"
        identity = manifest.Identity(stage=stage, version=1, config=dict(config), inputs={key: self.digests[value] for key, value in inputs.items()})
        manifest.begin(out, identity)
        for path, content in {"note.txt": name, **files}.items():
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
            (out / path).write_text(text, encoding="utf-8")
        provenance = {"time": f"2026-11-23T0{self.n // 10}:{self.n:02d}:00+0000", "cores": 2, "workers": 2, "python": "3.12.3", "machine": "x86_64",
                      "packages": {"aquilamed": "0.1.0", "torch": "2.13.0+cpu", "pyarrow": "22.0.0", "peft": ""}, "git": "0fb8278-dirty"}
        body = manifest.seal(out, identity, counts, step=name, paper=paper, seconds=seconds, provenance=provenance)
        self.digests[name] = body["digest"]
        return out


def counts(n_out: int, notes: Mapping = {}, zh: float = 0.5, **dropped: int) -> Counts:
    n_zh = round(n_out * zh)
    return Counts(n_in=n_out + sum(dropped.values()), n_out=n_out, dropped=Counter(dropped), langs=Counter({"zh": n_zh, "en": n_out - n_zh}), notes=dict(notes))


def imported(rows: Mapping[str, int], licenses: Mapping[str, str]) -> dict:
    return {"rows": dict(rows), "licenses": dict(licenses), "encodings": {name: {"utf-8": 1} for name in rows}, "repairs": {}, "files_without_rows": [], "newlines_normalised": 0}


def make(folder: Path, last: int = 99) -> Path:
    """The steps up to number `last` (of 33)."""
    maker = Maker(folder)
    for number, add in enumerate((_corpus, _instructions, _preferences, _training, _evaluation)):
        if number < last:
            add(maker)
    return folder


def _corpus(m: Maker) -> None:
    m.step("base", "models.prepare", Counts(n_in=1, n_out=1, notes={"source": "embedded:gemma-3-270m-zh-en", "license": "Gemma Terms of Use", "parameters": 217_412_352,
                                                                     "vocabulary": 96_004, "packed_minus_separate_nats": 2.1e-5, "stop_ids": [1, 106]}))
    m.step("clinic", "clinic.write", counts(11_420, {"rows": {"web.jsonl": 6200}}), seconds=14)
    m.step("web", "corpus.importing", counts(9_640, imported({"clinic-web": 6_200, "encyclopaedia": 3_440}, {"clinic-web": "CC0-1.0", "encyclopaedia": "unknown"}), empty=12),
           paper="2.1.1", config={"kind": "documents"})
    m.step("seeds", "corpus.importing", counts(1_200, imported({"clinic-seeds": 1200}, {"clinic-seeds": "CC0-1.0"})), inputs={"clinic": "clinic"}, paper="2.1.1")
    m.step("benchmarks", "evals.benchmarks", counts(1_100, {**imported({"exam-heldout": 500, "cmexam": 700}, {"exam-heldout": "CC0-1.0", "cmexam": "Apache-2.0"}),
                                                            "questions": {"cmexam": 600, "exam-heldout": 500}, "scored": {"cmexam": 300, "exam-heldout": 500}}, duplicate=100), paper="3.1")
    m.step("rules", "corpus.rules", counts(7_905, {"identifiers_phone": 41, "identifiers_name": 77}, too_short=610, repeated_lines=280, boilerplate=355, symbols=120, identifier=118, unsafe=64,
                                           garbled=88, mojibake=60, other_language=40), inputs={"documents": "web"}, paper="2.1.1")
    m.step("dedup", "hygiene.dedup", counts(6_705, {"n_clusters": 613, "largest_cluster": 41}, exact_duplicate=400, near_duplicate=800), inputs={"documents": "rules"}, config={"kind": "documents"}, paper="2.1.1")
    certificate = {"benchmarks": [{"source": "cmexam", "n": 600, "digest": "0", "not_searchable": 3}, {"source": "exam-heldout", "n": 500, "digest": "0", "not_searchable": 0}],
                   "planted": {"n": 200, "found": 199, "recall": 0.995, "by_change": {"as it is": {"n": 60, "found": 60}, "spaced": {"n": 70, "found": 69}, "wide": {"n": 70, "found": 70}}}}
    m.step("clean", "hygiene.decontaminate", counts(6_502, {"n_items": 1100, "planted": 200, "planted_recall": 0.995, "items_not_searchable": 3}, benchmark=203),
           inputs={"documents": "dedup", "benchmarks": "benchmarks"}, config={"kind": "documents"}, files={"certificate.json": certificate}, paper="2.1.1")
    scores = {lang: {"precision": p, "recall": r, "f1": f, "n": n} for lang, p, r, f, n in (("all", .981, .974, .977, 240), ("en", .985, .97, .977, 120), ("zh", .977, .978, .977, 120))}
    m.step("classified", "corpus.classify", counts(6_502, {"seeds_train": 960, "seeds_test": 240, "medical": scores}), inputs={"documents": "clean", "seeds": "seeds"}, paper="2.1.1")
    ranked = {lang: {"spearman": s, "mae": e, "n": 120} for lang, s, e in (("all", .91, .42), ("en", .92, .4), ("zh", .9, .44))}
    m.step("quality", "corpus.quality", counts(6_502, {"seeds_train": 960, "seeds_test": 240, "quality": ranked}), inputs={"documents": "classified", "seeds": "seeds"}, paper="2.1.1")
    cells = {"medical zh": {"records": 2600, "chars": 900_000}, "medical en": {"records": 2500, "chars": 2_000_000}, "general zh": {"records": 700, "chars": 1}, "general en": {"records": 502, "chars": 1}}
    m.step("split", "hygiene.holdout", counts(6_502, {"n_train": 6302, "n_heldout": 200, "n_clusters": 6100, "cells": {"train": cells, "heldout": {"medical zh": {"records": 100, "chars": 1}, "general en": {"records": 100, "chars": 1}}}}),
           inputs={"documents": "quality"}, config={"kind": "documents"})


def _instructions(m: Maker) -> None:
    m.step("dialogues", "instruct.importing", counts(5_200, imported({"clinic-consultations": 2_000, "huatuo": 3_300}, {"clinic-consultations": "CC0-1.0", "huatuo": "Apache-2.0"}), empty_turn=100), paper="2.2.1")
    m.step("exam-questions", "instruct.exam", counts(2_400, {}), paper="2.2.1")
    m.step("all-dialogues", "instruct.join", counts(7_490, {}, exact_duplicate=110), inputs={"a": "dialogues", "b": "exam-questions"}, paper="2.2.1")
    m.step("screened", "hygiene.screen", counts(7_310, {"identifiers_phone": 12, "identifiers_name": 88}, unsafe=50, identifier=130), inputs={"conversations": "all-dialogues"}, config={"kind": "conversations"}, paper="2.2.1")
    m.step("dialogues-clean", "hygiene.decontaminate", counts(7_200, {"n_items": 1100, "planted": 200, "planted_recall": 1.0}, benchmark=110),
           inputs={"conversations": "screened", "benchmarks": "benchmarks"}, config={"kind": "conversations"}, paper="2.2.1")
    m.step("scored", "instruct.score", counts(7_200, {"score_quantiles": [1.2, 4.4, 7.1, 9.8, 13.3, 18.2, 30.1]}), inputs={"conversations": "dialogues-clean"}, paper="2.2.1")
    m.step("related", "instruct.relevance", counts(7_200, {"dialogues_scored": 1200, "relevance_quantiles": [.31, .5, .71, .82, .93, 1.04, 1.4]}), inputs={"conversations": "scored", "model": "base"}, paper="2.2.1")
    m.step("selected", "instruct.select", counts(6_180, {"score_limits": {"en single": 4.2, "zh single": 4.6}}, low_score=700, unrelated_turns=200, redundant_turns=120), inputs={"conversations": "related"}, paper="2.2.1")
    mixed = {f"{domain} {lang}": {"asked": 300_000, "got": got, "documents": 1500} for domain, lang, got in
             (("medical", "zh", 300_210), ("medical", "en", 300_020), ("general", "zh", 300_100), ("general", "en", 212_000))}
    m.step("mix1", "corpus.mix", counts(5_100, {"estimated_tokens": 1_112_330, "cells": mixed, "short": ["general en"]}, over_budget=1100, other_language=102), inputs={"documents": "split"}, paper="2.1.2")
    m.step("mix2", "corpus.mix", counts(3_000, {"estimated_tokens": 600_000, "cells": {**mixed, "instruction zh": {"asked": 60_000, "got": 60_020, "documents": 400}}, "short": []}, over_budget=7_182, below_quality=2_300),
           inputs={"documents": "split", "conversations": "selected"}, paper="2.1.2")


def _preferences(m: Maker) -> None:
    m.step("objective", "preference.objective", counts(900, {}, over_cap=300), inputs={"questions": "exam-questions"}, paper="2.3.1")
    m.step("pairs", "preference.join", counts(1_290, {}, exact_duplicate=10), inputs={"objective": "objective"}, paper="2.3.2")


def _training(m: Maker) -> None:
    previous = "base"
    for name, stage, inputs, n, tokens in (("cpt1", "train.pretrain", {"documents": "mix1"}, 5_100, 1_050_000), ("cpt2", "train.pretrain", {"documents": "mix2"}, 3_000, 590_000),
                                           ("sft", "train.sft", {"conversations": "selected"}, 6_168, 640_000), ("dpo", "train.dpo", {"preferences": "pairs"}, 1_280, 88_000)):
        epochs, dropped = (2 if name == "sft" else 1), ({} if stage == "train.pretrain" else {"too_long": 12 if name == "sft" else 10})
        ledger = {"trained": tokens, "context": tokens // 3 if dropped else 900, **({"too_long": 9_000} if dropped else {})}
        notes = {"token_ledger": ledger, "trained_tokens_by_lang": {"zh": int(tokens * .52), "en": tokens - int(tokens * .52)}, "steps": 160, "tokens": tokens,
                 "final_loss": 2.1, "heldout_loss": [2.4, 2.35] if name == "sft" else [], "best_step": 12 if name == "sft" else None, "reload_difference_nats": 1.1e-6}
        m.step(name, stage, counts(n, notes, **dropped), config={"optim": {"lr": 3e-5, "batch": 32, "epochs": epochs}}, inputs={"model": previous, **inputs}, paper="2.1.3", seconds=610,
               files={"metrics.jsonl": _metrics(name, tokens * epochs, dpo=name == "dpo", epochs=epochs)})
        previous = name


def _metrics(seed: str, tokens: int, *, dpo: bool, epochs: int, n: int = 300) -> str:
    rng, lines, start = np.random.default_rng(len(seed)), [], 0.693 if dpo else 3.3
    for step in range(1, n + 1):
        done = step / n
        row = {"step": step, "loss": (start * (0.75 if dpo else 0.7) + 0.3 * start * math.exp(-4 * done)) * (1 + 0.04 * rng.normal()), "lr": 3e-5 * min(step / 15, 0.5 * (1 + math.cos(math.pi * done))),
               "grad_norm": 1.2 + 2 * math.exp(-8 * done) + 0.2 * rng.random(), "count": tokens // n, "tokens": tokens // n, "asked": tokens // n}
        if dpo:
            row |= {"margin": 0.8 * done + .05 * rng.normal(), "accuracy": 0.5 + 0.3 * done + 0.04 * rng.normal(), "chosen_logp_change": -2 * done, "rejected_logp_change": -28 * done}
        lines.append(json.dumps({**row, "tokens_seen": step * (tokens // n), "tokens_per_s": 2100 + 90 * rng.normal(), "peak_bytes": 3_400_000_000}))
        if epochs > 1 and step % (n // epochs) == 0:
            lines.append(json.dumps({"step": step, "heldout_loss": 2.6 - 0.2 * done}))
    return "\n".join(lines) + "\n"


def _evaluation(m: Maker) -> None:
    for number, stage in enumerate(STAGES):
        samples = [{"id": f"p{k}", "lang": lang, "prompt": prompt, "text": _answer(number, lang), "tokens": 40 + 20 * number, "characters": len(_answer(number, lang)), "stopped": number > 2}
                   for k, (lang, prompt) in enumerate(PROMPTS)]
        summary = {lang: {"n": 6, "stopped_share": number / 4, "mean_tokens": 80.0, "mean_characters": 120.0} for lang in ("en", "zh")}
        out = m.step(f"score-{stage}", "evals.score", counts(1_680, {"task_seconds": {"exam-heldout": 61.0}}, too_long=3), inputs={"model": stage, "benchmarks": "benchmarks", "heldout": "split"}, paper="3.1", seconds=200,
                     config={"tasks": []}, files={"samples.json": {"summary": summary, "samples": samples}})
        raw = [json.dumps({"answers": [0], "logp": [-1, -2, -3, -4]}), json.dumps({"answers": [0], "text": "A", "n_options": 5})]
        said = {"task": ["exam-heldout", "cmexam"], "lang": ["zh", "zh"], "reading": ["letter", "generated"], "raw": raw, "id": ["q1", "q2"], "subject": ["", HOSTILE],
                "prompt": [f"题目：发热应先做什么？{HOSTILE}\n答案：", "题目：高血压"], "parsed": ["A" if number else "B", "A"], "score": [1.0 if number else 0.0, 1.0]}
        pq.write_table(pa.table(said), out / "answers.parquet")
    m.step("ledger", "evals.ledger", Counts(n_in=5, n_out=5, notes={"verdicts": {}}), config={"order": list(STAGES), "base": "base"},
           inputs={stage: f"score-{stage}" for stage in STAGES}, files={"ledger.json": ledger()}, paper="3")


def _answer(number: int, lang: str) -> str:
    if number == 0:
        return HOSTILE + ("\n问：问：问：" if lang == "zh" else "\nQuestion: Question:")
    text = "需要尽快就医。请先让患者坐下休息，立即拨打120急救电话。" if lang == "zh" else "Yes, the two act differently and can be taken together at the usual doses. "
    return text * (2 + 4 * number)


def ledger() -> list[dict]:
    """Rows of plausible figures."""
    rows = []
    for stage_number, stage in enumerate(STAGES):
        for task, readings, langs in (("exam-heldout", ("letter", "text"), ("zh", "en", "all")), ("cmexam", ("letter", "generated"), ("zh",)),
                                      ("bpb-medical", ("bits",), ("zh", "en", "all")), ("bpb-general", ("bits",), ("zh", "en", "all")), ("preferences-subjective", ("logprob",), ("zh", "en", "all"))):
            for lang in langs:
                rows += [_line(stage, stage_number, task, lang, reading) for reading in readings]
    return rows


def _line(stage: str, number: int, task: str, lang: str, reading: str) -> dict:
    bits, n = reading == "bits", {"all": 500}.get(lang, 250)
    first, gain = (1.12, -0.035 if "medical" in task else 0.004) if bits else (0.27, 0.045)
    score, wide = first + gain * number + (0.1 if lang == "en" else 0), 0.02 if bits else 1.5 / math.sqrt(n) / 1.6
    delta = gain * number
    verdict = "same" if abs(delta) < 0.012 else "gained" if (delta > 0) != bits else "lost"
    row = {"stage": stage, "task": task, "lang": lang, "reading": reading, "n": n, "score": round(score, 6), "low": round(score - wide, 6), "high": round(score + wide, 6),
           "delta": round(delta, 6), "delta_low": round(delta - .01, 6), "delta_high": round(delta + .01, 6), "verdict": verdict,
           "unparsed": 31 if reading == "generated" else 0, "p": 0.01, "step_delta": gain, "step_low": 0, "step_high": 0, "step_verdict": verdict}
    return {**row, "limit": "passed" if number == 4 else "kept"} if task == "bpb-general" and number else row
