# Needs python3 (3.11 or newer) with pip, git and make. Everything else is installed into this folder.
PYTHON ?= python3
VENV ?= .venv
UV := .uv/bin/uv
UV_VERSION := 0.13.9
INSTALLED := $(VENV)/.installed

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)
export PYTHONDEVMODE ?=

.PHONY: help demo test check format screenshots bench clean

help:
	@echo "make demo         start the demo shop on a real primary and two streaming replicas"
	@echo "make test         run the test suite"
	@echo "make check        lint, types, migrations, import direction"
	@echo "make format       let ruff rewrite the code"
	@echo "make screenshots  take pictures of all pages for docs, with the machine's Chromium"
	@echo "make bench        run every benchmark in its short form, ten minutes, for docs; LONG=1: two hours"
	@echo "make clean        remove what the other targets installed and built"

demo: $(INSTALLED)
	$(VENV)/bin/python manage.py demo

test: $(INSTALLED)
	$(VENV)/bin/python -m pytest

check: $(INSTALLED)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(VENV)/bin/python manage.py check

format: $(INSTALLED)
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

screenshots: $(INSTALLED)
	$(VENV)/bin/python manage.py demo_screenshots

bench: $(INSTALLED)
	$(VENV)/bin/python -m benchmarks $(if $(LONG),--long)

# uv comes through pip --target: that needs neither ensurepip nor write access to the system's packages.
$(UV):
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .uv uv==$(UV_VERSION)

# The stamp holds the interpreter, so that a changed PYTHON or lock installs again and nothing else needs the network.
$(INSTALLED): uv.lock pyproject.toml | $(UV)
	$(UV) sync --frozen --quiet --extra demo --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@

clean:
	rm -rf .venv .uv .demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
