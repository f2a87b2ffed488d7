"""The cell that installs what a notebook needs."""

import subprocess
import sys

import pytest

from autograder import install, source

AELIB = f"""\
# Where aelib is missing, as on Colab, this installs it.
# Elsewhere it does nothing.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("aelib") is None:
    package = "git+{install.REPOSITORY}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)"""


@pytest.mark.parametrize(
    "code", ["", "import torch", "# from umap import UMAP", 'text = "import umap"', "import umapper"]
)
def test_what_comes_with_aelib_or_is_not_imported_is_not_installed(code):
    assert install.cell(code) == AELIB


@pytest.mark.parametrize(
    "code", ["import umap", "x = 1\nfrom umap import UMAP", "def f():\n    from umap.plot import points"]
)
def test_what_is_imported_is_installed_under_its_own_name(code):
    cell = install.cell(code)
    assert cell.startswith("# Where aelib or umap is missing")
    assert cell.count("check=True") == 2
    assert cell.endswith(
        AELIB[AELIB.index("if importlib") :]
        .replace('"aelib"', '"umap"')
        .replace(f"git+{install.REPOSITORY}", "umap-learn")
    )


def test_a_revision_is_a_commit_or_a_tag_of_the_repository():
    assert install.cell("", "v1.2.3") == AELIB.replace(install.REPOSITORY, f"{install.REPOSITORY}@v1.2.3")


def test_where_nothing_is_missing_nothing_is_installed(monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **settings: calls.append(arguments[0]))
    exec(compile(install.cell("import statsmodels"), "cell", "exec"), {})
    assert calls == []
    monkeypatch.setattr(install, "MORE", {"no_such_module": "no-such-package"})
    exec(compile(install.cell("import no_such_module"), "cell", "exec"), {})
    assert calls == [[sys.executable, "-m", "pip", "install", "--quiet", "no-such-package"]]


def test_an_assignment_installs_what_a_later_cell_imports(source_with):
    set_up = "# %% locked='install'\n# {install}\n\n"
    more = "# %%\nfrom statsmodels.datasets import elnino"
    task = set_up + '# %% [markdown] task="one" minutes=1 difficulty=1\n# ## One'
    cells = {cell.id: cell.source for cell in source.load(source_with(task=task, more=more)).cells}
    assert cells["install"] == install.cell(more)
    assert "statsmodels" in cells["install"]
