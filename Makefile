# Two commands matter: `make book` and `make test`. Both make their own set-up; `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Any Python from 3.11 on will do; the first that is found makes the virtual environment.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 8000

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## create .venv from requirements.txt (every other target does this itself)

$(STAMP): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found; name one with PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# What pip cannot bring. The tests open pages in Chromium, the PDF is printed by it, and student code runs in bubblewrap.
.PHONY: programs
programs: ## install Chromium and bubblewrap where they are missing (Debian or Ubuntu, as root; elsewhere this says what to do)
	@missing=(); \
	command -v bwrap > /dev/null || missing+=(bubblewrap); \
	command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null || missing+=(chromium); \
	if [ $${#missing[@]} -gt 0 ]; then \
		{ [ "$$(id -u)" = 0 ] && apt-get -qq update && apt-get -qq install -y "$${missing[@]}"; } || \
			echo "Tests that need $${missing[*]} will be skipped. On Debian: sudo apt install $${missing[*]}"; \
	fi

# ---- the book -------------------------------------------------------------------------------------------------------

# Outputs are cached by the code of a page, and pages that were read are not read again. Both also depend on aelib, on the measured
# figures and on the packages, so they are kept for one state of these and dropped when it changes.
EXECUTION_CACHE := _build/.jupyter_cache
STATE := _build/.state-of-code

.PHONY: book
book: $(STAMP) ## build the book, warnings are errors, and print where to open it
	@mkdir -p _build
	@find aelib benchmarks/results -name '*.py' -o -name '*.mplstyle' -o -name '*.json' | LC_ALL=C sort | xargs cat requirements.txt | cksum > $(STATE).new
	@cmp -s $(STATE) $(STATE).new || rm -rf $(EXECUTION_CACHE) _build/.doctrees _build/jupyter_execute
	@mv $(STATE).new $(STATE)
	@rm -rf _build/html
	$(BIN)/python book/_ext/execute_pages.py
	@# Threads that wait for each other sleep and do not spin: on a busy machine that is the difference between seconds and minutes.
	OMP_WAIT_POLICY=passive $(BIN)/jupyter-book build . --path-output . -W -n --keep-going || \
		{ rm -rf _build/.doctrees; exit 1; }  # or the next build would not say it again
	@echo "The book: file://$(CURDIR)/_build/html/index.html  (or: make serve)"

.PHONY: serve
serve: ## serve the built book on localhost
	@test -f _build/html/index.html || $(MAKE) book
	@echo "http://localhost:$(PORT)/"
	$(BIN)/python book/_ext/serve.py _build/html $(PORT)

DOWNLOADS := _build/downloads

.PHONY: downloads
downloads: programs book ## the book as one PDF, and each page with code as a notebook for plain Jupyter
	@rm -rf $(DOWNLOADS)
	$(BIN)/python book/_ext/make_notebooks.py $(DOWNLOADS)/notebooks
	$(BIN)/python book/_ext/make_pdf.py $(DOWNLOADS)/autoencoders.pdf
	@echo "The book: file://$(CURDIR)/$(DOWNLOADS)/autoencoders.pdf; as notebooks: $(CURDIR)/$(DOWNLOADS)/notebooks/book/index.ipynb"

# ---- publishing -----------------------------------------------------------------------------------------------------

.PHONY: student-bundle
student-bundle: $(STAMP) ## a zip of the student notebooks, checked to give no answer and no hidden test away
	$(BIN)/python -m autograder bundle

PUBLICATION := build/publication

.PHONY: publication
publication: downloads ## what the deploy workflow publishes: the site, the branch `notebooks`, the files of a release
	@rm -rf $(PUBLICATION)
	$(BIN)/python book/_ext/make_publication.py $(PUBLICATION)

# ---- checks ---------------------------------------------------------------------------------------------------------

# One thread for each of two workers is faster on two cores than two threads fighting over them.
PYTHON_ONE := OMP_NUM_THREADS=1 $(BIN)/python
PYTEST := $(PYTHON_ONE) -m pytest

.PHONY: test
test: $(STAMP) programs lint book ## set up, build the book and run every check
	$(PYTEST) -n 2 --dist loadfile
	@$(MAKE) --no-print-directory rerun

.PHONY: quick
quick: $(STAMP) lint ## lint and the tests that take under a minute, for the edit loop
	$(PYTEST) -m "not slow" --ignore tests/book -n 2 --dist loadfile

.PHONY: lint
lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Pages and solutions hold the outputs of a first run. nbval runs them in a second kernel and compares.
.PHONY: rerun
rerun: $(STAMP) ## run the pages of the book and the solutions a second time and compare the outputs
	@rm -rf build/executed
	$(BIN)/python tests/book/executed_pages.py build/executed
	$(PYTHON_ONE) -m autograder run-solutions build/executed/solutions
	@# nbval keeps one kernel for a notebook, so what runs side by side are groups of notebooks.
	find build/executed -name '*.ipynb' | LC_ALL=C sort | \
		PYTHONPATH=tests/book xargs -P 2 -n 6 env $(PYTEST) -q --nbval -p no:xdist -p nbval_figures

.PHONY: exercises
exercises: $(STAMP) ## make the student notebooks in exercises/ anew from solutions/
	$(BIN)/python -m autograder release

.PHONY: grade-demo
grade-demo: $(STAMP) ## grade a demonstration class of six, and print the grades
	$(PYTHON_ONE) -m autograder demo

# pythae wants other versions of packages than the course, so it has an environment of its own.
PYTHAE := build/pythae
$(PYTHAE)/.installed:
	$(PYTHON) -m venv $(PYTHAE)
	$(PYTHAE)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 pythae==0.1.2
	touch $@

# Measured figures are written here; the book shows those that are committed.
RESULTS := benchmarks/results

.PHONY: bench
bench: $(STAMP) $(PYTHAE)/.installed ## measure speed and memory, for the book (a quiet machine, an hour; plain nbgrader takes most of it)
	$(BIN)/python benchmarks/training.py --pythae $(PYTHAE)/bin/python --out $(RESULTS)/training.json
	@for name in scaling contractive sequences grading; do \
		echo $$name; $(BIN)/python benchmarks/$$name.py --out $(RESULTS)/$$name.json || exit 1; done

.PHONY: quality
quality: $(STAMP) ## train and judge every variant with three seeds, for the book (two cores, 30 minutes)
	$(PYTHON_ONE) benchmarks/quality.py --jobs 2 --out $(RESULTS)/quality.json

.PHONY: at-scale
at-scale: $(STAMP) ## train on MNIST, Fashion-MNIST and ECG5000 in AELIB_DATA_DIR, for the book (two cores, half an hour)
	$(PYTHON_ONE) benchmarks/at_scale.py --jobs 2 --out $(RESULTS)/at_scale.json

.PHONY: nightly
nightly: test ## all checks, hostile submissions, 500 submissions with faults, and all measurements anew in build/nightly
	NIGHTLY=1 $(PYTEST) tests/autograder/test_corpus.py tests/benchmarks/test_grading.py tests/benchmarks/test_grading_load.py \
		tests/solutions/test_hidden_tests.py tests/book/test_pages_in_browser.py
	$(PYTHON_ONE) benchmarks/grading_load.py --out build/nightly/grading_load.json
	$(MAKE) --no-print-directory bench quality RESULTS=build/nightly

# ---- upkeep ---------------------------------------------------------------------------------------------------------

.PHONY: lock
lock: $(STAMP) ## compile requirements.txt anew from the ranges in pyproject.toml; NEWEST=1 takes the newest PyTorch too
	$(BIN)/python -m piptools compile --quiet --all-extras --strip-extras --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --upgrade $(if $(NEWEST),,--upgrade-package torch==2.13.0) \
		--output-file requirements.txt pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+.*/\1/' requirements.txt

.PHONY: pictures
pictures: book grade-demo ## take the pictures of README anew
	$(PYTHON_ONE) tests/take_pictures.py .github/pictures

.PHONY: clean
clean: ## delete what can be made again; never course/ (grades) and not .venv
	rm -rf build _build .pytest_cache .mypy_cache .ruff_cache .hypothesis aelib.egg-info autoencoder_course.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
