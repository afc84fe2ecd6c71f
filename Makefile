# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
# make demo              environment, install, a recording of a procedural flat, a run on it that is
#                        asked what it saw, its report
# make demo BAG=my_bag   the same on your own rosbag2
# make test              linter, type checker, tests
PYTHON ?= python3
VENV   ?= .venv
TORCH  ?= torch==2.13.0
OUT    ?= out
FLAT   := $(OUT)/flat
BAG    ?= $(FLAT)
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

$(FLAT): | $(STAMP)
	$(VENV)/bin/loc3r world record $@ --apartment 3 --seed 9 --rate 6

# What the truth is, is known of our own recording; answers need the package's weights.
TRUTH  := --ground-truth /ground_truth/pose
QUIZ   := $(if $(wildcard loc3r_ros/tiny/vlm/model.safetensors),--quiz $(FLAT)/questions.jsonl)

demo: $(STAMP) $(BAG)
	$(VENV)/bin/loc3r run $(BAG) -o $(OUT)/run --overwrite $(if $(filter $(FLAT),$(BAG)),$(TRUTH) $(QUIZ))

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
