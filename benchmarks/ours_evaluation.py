"""Our share of evaluation.py: WORK MODEL FOLDER. Prints seconds, memory, tokens, and each question's log-probabilities and prediction as JSON."""

import json
import sys
import time
from pathlib import Path

from evaluation import read_lines, style

from aquilamed.evals import choice
from aquilamed.models import folders
from aquilamed.train import allocator


def main() -> None:
    work, model, folder = sys.argv[1], folders.load(sys.argv[2], device="cpu"), Path(sys.argv[3])
    asked, pool = read_lines(folder / "questions.jsonl"), read_lines(folder / "pool.jsonl")
    began, spent = time.perf_counter(), time.process_time()
    found = choice.score_choices(model, asked, style(work), pool)
    picked = {answer.id: answer.parsed for answer in found.answers}
    seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    print(json.dumps({
        "seconds": seconds, "cpu": cpu, "picked": picked, "right": sum(answer.score for answer in found.answers), "logp": {answer.id: answer.raw["logp"] for answer in found.answers},
        **found.tokens, "peak_bytes": allocator.peak_bytes()}))


if __name__ == "__main__":
    main()
