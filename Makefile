# make run    the dashboard on http://127.0.0.1:8501, with the embedded demo
# make test   lint, types and all tests but the longest; make test-long runs those
# make check  lint, types and the quick tests: some four minutes on two cores, for while you work
# Each sets everything up in .venv first, once; they need Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8501
PYTEST := $(VENV)/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
PIP := $(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.PHONY: run test test-long check lint types clean

run: $(VENV)/.ready
	$(VENV)/bin/python -m streamlit run app.py --server.port $(PORT)

# The types are checked beside the tests: each of the two keeps one core busy for a part of the time only.
test: $(VENV)/.ready-test lint
	@$(VENV)/bin/mypy & types=$$!; $(PYTEST); tests=$$?; wait $$types && exit $$tests

test-long: $(VENV)/.ready-test
	$(PYTEST) -m long

check: $(VENV)/.ready-test lint types
	$(PYTEST) -m "not slow and not real and not browser"

lint: $(VENV)/.ready-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.ready-test
	$(VENV)/bin/mypy

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Unitscope needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "No virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

# The project itself is installed as a link to this folder, so that .venv/bin/unitscope and `import interpret` are what
# stands here.
$(VENV)/.ready: requirements.txt requirements-optional.txt constraints.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what Unitscope needs into $(VENV) (PyTorch is large; this takes a few minutes, once) ..."
	$(PIP) --requirement requirements.txt
	@$(PIP) --requirement requirements-optional.txt || \
	  echo "pyfim could not be compiled here (it needs a C compiler); the built-in engine mines instead, with the same result."
	$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.ready-test: requirements-test.txt $(VENV)/.ready
	@echo "Installing what the checks need ..."
	$(PIP) --requirement requirements-test.txt
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
