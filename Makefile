# `make quickstart` and `make test` do everything from a bare Python 3.11: virtual environment, pinned packages, base model.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: setup quickstart test clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[dev]"
	$(BIN)/python -c 'from aquilamed.models import embedded; embedded.ensure(embedded.TRIMMED)'
	touch $(READY)

quickstart: setup
	$(BIN)/aquilamed run recipes/quickstart.py

test: setup
	$(BIN)/python -m pytest

clean:
	rm -rf .venv runs
