"""Launch and download buttons: where they lead, and that what they open runs where aelib is not installed."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import jupytext
import nbformat
import pytest
import yaml
from book_pages import ROOT, SITE
from bs4 import BeautifulSoup
from elsewhere import Elsewhere

from autograder import bundle, install

REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
MEASURED = Path("book/04_practice/01_which_autoencoder.ipynb")


@pytest.fixture(scope="module")
def publication(script):
    return script("make_publication")


@pytest.fixture(scope="module")
def branch(site, publication, tmp_path_factory):
    """The branch that launch buttons open."""
    folder = tmp_path_factory.mktemp("branch") / "notebooks"
    publication.branch(folder, "1.2.3")
    return folder


@pytest.fixture(scope="module")
def notebooks(branch):
    """Path in the branch -> notebook."""
    return {path.relative_to(branch): nbformat.read(path, as_version=4) for path in branch.rglob("*.ipynb")}


def code_cells(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def links(soup, group):
    return [link["href"] for link in soup.select(f".dropdown-{group}-buttons a[href]")]


def opened(address):
    """The repository, branch and path that a launch button's address names."""
    parts = urlsplit(address)
    if parts.netloc == "mybinder.org":
        where = re.fullmatch(r"/v2/gh/([^/]+/[^/]+)/([^/]+)", parts.path)
        return *where.groups(), parse_qs(parts.query)["urlpath"][0].removeprefix("lab/tree/")
    assert parts.netloc == "colab.research.google.com"
    return re.fullmatch(r"/github/([^/]+/[^/]+)/blob/([^/]+)/(.+)", parts.path).groups()


def test_launch_buttons_lead_to_the_notebook_of_their_page(site, branch, notebooks):
    project = REPOSITORY["url"].removeprefix("https://github.com/")
    found = {page: links(soup, "launch") for page, soup in site.items() if links(soup, "launch")}
    assert {page.with_suffix(".ipynb") for page in found} == set(notebooks)
    for page, addresses in found.items():
        assert {urlsplit(address).netloc for address in addresses} == {"mybinder.org", "colab.research.google.com"}
        for address in addresses:
            assert opened(address) == (project, "notebooks", page.with_suffix(".ipynb").as_posix())
            assert (branch / opened(address)[2]).is_file()


def test_download_buttons_give_the_same_notebook(site, branch, notebooks):
    for path in notebooks:
        page = path.with_suffix(".html")
        (link,) = [link for link in links(site[page], "download") if link.endswith(".ipynb")]
        file = (SITE / page.parent / link).resolve()
        assert file.is_relative_to(SITE)
        assert file.read_bytes() == (branch / path).read_bytes()


def test_the_branch_holds_nothing_else(branch, notebooks):
    files = {path.relative_to(branch).as_posix() for path in branch.rglob("*") if path.is_file()}
    others = files - {path.as_posix() for path in notebooks}
    binder = {f"binder/{path.name}" for path in (ROOT / "binder").iterdir()}
    assert others == {"LICENSE", "LICENSE-TEXT", "README.md", "requirements.txt"} | binder
    for name in ("requirements.txt", "LICENSE", "binder/runtime.txt"):
        assert (branch / name).read_bytes() == (ROOT / name).read_bytes()
    assert "version 1.2.3" in (branch / "README.md").read_text()


CONFIG = """\
import launch

launch.write = lambda folder: None  # which writes the notebooks of the whole book
extensions = ["myst_nb", "launch"]
nb_execution_mode = "off"
html_theme = "sphinx_book_theme"
html_theme_options = {
    "repository_url": "https://github.com/somebody/course",
    "repository_branch": "notebooks",
    "launch_buttons": {"notebook_interface": "jupyterlab", "jupyterhub_url": "https://hub.example.edu"},
}
"""


@pytest.mark.slow
def test_a_hub_opens_the_notebook_too(tmp_path):
    """A small book, as the address of a hub is not in the course's own settings."""
    source = tmp_path / "source"
    (source / "part").mkdir(parents=True)
    (source / "conf.py").write_text(CONFIG)
    (source / "index.md").write_text("# A book\n\n```{toctree}\npart/01_page\npart/02_task\n```\n")
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page")])
    page.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(page, source / "part" / "02_task.ipynb")
    jupytext.write(page, source / "part" / "01_page.md", fmt="md:myst")
    command = [sys.executable, "-m", "sphinx", "-q", source, tmp_path / "build" / "html"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "book" / "_ext"), str(ROOT)])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("part/01_page", "part/02_task"):
        soup = BeautifulSoup((tmp_path / "build" / "html" / f"{name}.html").read_text(), "html.parser")
        (address,) = links(soup, "launch")
        assert address.startswith("https://hub.example.edu/hub/user-redirect/git-pull?")
        query = parse_qs(urlsplit(address).query)
        assert query["urlpath"] == [f"lab/tree/course/{name}.ipynb"]
        assert query["branch"] == ["notebooks"]


def test_the_build_fails_where_a_notebook_cannot_be_made(script, tmp_path, monkeypatch):
    launch, made = script("launch"), script("make_notebooks")
    empty = made.get_cache(tmp_path / "cache")
    monkeypatch.setattr(made, "get_cache", lambda path: empty)
    app = SimpleNamespace(builder=SimpleNamespace(name="html"), outdir=tmp_path / "html")
    with pytest.raises(made.StaleError, match="make book"):
        launch.write_notebooks(app, None)
    launch.write_notebooks(app, ValueError("the build has failed before"))


def imported(code):
    """What is imported, of a package its name."""
    tree = ast.parse(re.sub(r"^%.*$", "", code, flags=re.MULTILINE))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {module.partition(".")[0] for module in modules}


def test_all_that_a_notebook_imports_is_installed_by_its_first_cell(notebooks, branch, publication):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    with_aelib = {re.match(r"[\w-]+", one)[0].lower() for one in project["dependencies"]}
    with_aelib |= {"scipy", "ipython"}  # scikit-learn needs the one, and any Jupyter the other
    distributions = packages_distributions()
    on_binder = (branch / "binder" / "requirements.txt").read_text().split()
    more = set()
    for path, notebook in notebooks.items():
        first, *others = code_cells(notebook)
        installed = dict(re.findall(r'find_spec\("(\w+)"\) is None:\n    package = "(.+)"', first))
        for name in imported("\n".join(others)) - sys.stdlib_module_names - set(installed):
            assert {one.lower() for one in distributions[name]} & with_aelib, f"{path} imports {name}"
        # The cell of an assignment is committed, and so it names no commit.
        revision = publication.REVISION if path.parts[0] == "book" else ""
        assert first == install.cell("\n".join(others), revision), path
        assert installed.pop("aelib") == install.from_repository(revision)
        assert set(installed.values()) <= set(on_binder), path
        more |= set(installed)
    assert more == {"statsmodels", "umap"}


def test_a_notebook_needs_no_sphinx_for_the_numbers_in_its_text(notebooks):
    pages = {path: code_cells(notebook) for path, notebook in notebooks.items() if path.parts[0] == "book"}
    assert sum("glue(" in code for cells in pages.values() for code in cells) > 50
    for path, cells in pages.items():
        defined = [number for number, code in enumerate(cells) if "def glue(name, value, display=True):" in code]
        used = [number for number, code in enumerate(cells) if "glue(" in code]
        assert defined == used[:1], path
        assert "myst_nb" not in "".join(cells)


def test_what_is_published_installs_its_own_revision(publication, script, monkeypatch, tmp_path, site):
    for module in (publication, script("make_notebooks")):
        monkeypatch.setattr(module, "REVISION", "v1.2.3")
    publication.branch(tmp_path / "notebooks", "1.2.3")
    package = f"git+{REPOSITORY['url']}@v1.2.3"
    notebook = nbformat.read(tmp_path / "notebooks" / MEASURED, as_version=4)
    assert f'package = "{package}"' in code_cells(notebook)[0]
    assert f"autoencoder-course @ {package}\n" in (tmp_path / "notebooks/binder/requirements.txt").read_text()
    assert f"{REPOSITORY['url']}/tree/v1.2.3" in (tmp_path / "notebooks/README.md").read_text()


@pytest.fixture
def parts(publication, monkeypatch, tmp_path):
    """A site, a PDF and a notebook that are quickly made."""
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("the site")
    (tmp_path / "book.pdf").write_text("the book")

    def write(folder):
        (folder / "book").mkdir(parents=True)
        (folder / "book" / "page.ipynb").write_text("{}")

    monkeypatch.setattr(publication, "SITE", tmp_path / "html")
    monkeypatch.setattr(publication, "PDF", tmp_path / "book.pdf")
    monkeypatch.setattr(publication, "write", write)
    return tmp_path


def test_downloads_have_the_version_in_their_names_and_are_on_the_site(publication, parts):
    publication.main(parts / "out")
    version = bundle.project_version()
    names = {
        f"autoencoder-course-students-{version}.zip",
        f"autoencoders-notebooks-{version}.zip",
        f"autoencoders-{version}.pdf",
    }
    for folder in ("downloads", "site/downloads"):
        assert {path.name for path in (parts / "out" / folder).iterdir()} == names
    assert (parts / "out" / "site" / "index.html").read_text() == "the site"
    assert {path.name for path in (parts / "out").iterdir()} == {"downloads", "notebooks", "site"}


def test_nothing_is_written_over_or_left_out(publication, parts):
    with pytest.raises(SystemExit, match="html is there already; remove it first"):
        publication.main(parts / "html")
    assert (parts / "html" / "index.html").exists()
    (parts / "book.pdf").unlink()
    with pytest.raises(SystemExit, match=r"book\.pdf is missing; make it first: make downloads"):
        publication.main(parts / "out")
    assert not (parts / "out").exists()


@pytest.mark.slow
def test_a_chapter_with_measured_figures_runs_where_its_first_cell_has_installed_aelib(notebooks, tmp_path):
    elsewhere = Elsewhere(tmp_path)
    codes = [re.sub(r"^%.*$", "", code, flags=re.MULTILINE) for code in code_cells(notebooks[MEASURED])]
    end = next(number for number, code in enumerate(codes) if "benchmarks/results" in code)
    assert "No module named 'aelib'" in elsewhere.run("import aelib").stderr
    # The cells after it put numbers into the text, with what the book's own cells use for that.
    shown = "import json\nprint(json.dumps([aelib.__file__, sorted(table)]))"
    done = elsewhere.run(*codes[: end + 2], shown)
    assert done.returncode == 0, done.stderr
    place, variants = json.loads(done.stdout.splitlines()[-1])
    assert place.startswith(str(elsewhere.root))
    assert "vae" in variants
