"""Our share of evaluation.py: WORK MODEL FOLDER. Prints seconds, memory, tokens, and each question's log-probabilities and prediction as JSON."""

import json
import sys
import time
from pathlib import Path

from evaluation import cut, read_lines, style

from aquilamed.evals import choice
from aquilamed.models import folders
from aquilamed.train import allocator


def main() -> None:
    work, model, folder = sys.argv[1], folders.load(sys.argv[2], device="cpu"), Path(sys.argv[3])
    asked, pool = read_lines(folder / "questions.jsonl"), read_lines(folder / "pool.jsonl")
    read = [0]
    model.network.get_decoder().register_forward_pre_hook(lambda module, given, named: read.__setitem__(0, read[0] + named["input_ids"].numel()), with_kwargs=True)
    began, spent = time.perf_counter(), time.process_time()
    found = choice.score_choices(model, asked, style(work), pool)
    seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    said = work == "replies"
    picked = {answer.id: cut(answer.raw["text"]) if said else answer.parsed for answer in found.answers}
    logp = {} if said else {answer.id: answer.raw["logp"] for answer in found.answers}
    print(json.dumps({
        "seconds": seconds, "cpu": cpu, "picked": picked, "right": None if said else sum(answer.score for answer in found.answers), "logp": logp,
        "least": found.tokens["least"], "read": read[0], "peak_bytes": allocator.peak_bytes()}))


if __name__ == "__main__":
    main()
