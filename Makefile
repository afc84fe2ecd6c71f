# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
# make demo              environment, install, a recording of a procedural room, a run on it, its report
# make demo BAG=my_bag   the same on your own rosbag2
# make test              linter, type checker, tests
PYTHON ?= python3
VENV   ?= .venv
TORCH  ?= torch==2.13.0
OUT    ?= out
BAG    ?= $(OUT)/room
STAMP  := $(VENV)/.installed

.PHONY: demo test test-slow lint clean
.DELETE_ON_ERROR:

$(STAMP): setup.py setup.cfg Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No venv module: apt install python3-venv"; exit 1; }
	@touch $(VENV)/COLCON_IGNORE
	$(VENV)/bin/pip install -q --upgrade pip
	$(VENV)/bin/pip install -q '$(TORCH)'
	$(VENV)/bin/pip install -q -e '.[engine,eval,bench,train,dev]'
	@touch $@

$(OUT)/room: | $(STAMP)
	$(VENV)/bin/loc3r world record $@ --seed 7

demo: $(STAMP) $(BAG)
	$(VENV)/bin/loc3r run $(BAG) -o $(OUT)/run --overwrite $(if $(filter $(OUT)/room,$(BAG)),--ground-truth /ground_truth/pose)

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

test: lint
	$(VENV)/bin/pytest -m 'not slow'

test-slow: $(STAMP)
	$(VENV)/bin/pytest -m slow

clean:
	rm -rf $(VENV) $(OUT) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
