# `make quickstart` and `make test` do everything from a bare Python 3.11: virtual environment, pinned packages, base model.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: setup quickstart test test-gpu results whole tasks measured clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[dev]"
	$(BIN)/python -c 'from aquilamed.models import embedded; embedded.ensure(embedded.TRIMMED)'
	touch $(READY)

quickstart: setup
	$(BIN)/aquilamed run recipes/quickstart.py

# Up to four processes of one thread each: tests are many small models, which more threads only slow down. A process that dies
# ends the tests and is told, for pytest-xdist may wait for ever for one that it starts in its place. What starts a Ray comes after them.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --max-worker-restart 0 -m "not gpu and not ray"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m ray

# What needs a GPU; `make test` leaves it out.
test-gpu: setup
	$(BIN)/python -m pytest -m gpu

# docs/results.md, from the ledgers of the runs that are there.
results: setup
	$(BIN)/aquilamed report $(wildcard runs/quickstart runs/real_small) --markdown > docs/results.md.partial
	mv docs/results.md.partial docs/results.md

# docs/whole.md: every question and dialogue of every task that is there, letters and replies, base model and last model of real_small; under two hours a model on one core.
whole: setup
	$(BIN)/aquilamed eval runs/real_small/01-base --data ../shared/data --readings letter generated --cases 0 --out runs/eval-base
	$(BIN)/aquilamed eval runs/real_small/57-dpo --data ../shared/data --readings letter generated --cases 0 --out runs/eval-dpo
	$(BIN)/aquilamed eval --compare runs/eval-base runs/eval-dpo --markdown > docs/whole.md.partial
	mv docs/whole.md.partial docs/whole.md

# docs/tasks.md, from the catalogue and our own examples.
tasks: setup
	$(BIN)/python -m aquilamed.evals.rendered docs/tasks.md

# docs/benchmarks.md and the short table of the READMEs, from the benchmarks' results.
measured: setup
	$(BIN)/python benchmarks/page.py

clean:
	rm -rf .venv runs
