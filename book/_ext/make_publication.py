"""Make what the deploy workflow publishes of the built book: ``python make_publication.py OUT_FOLDER``.

``notebooks/`` becomes the branch that launch buttons open, ``downloads/`` the files of a release, ``site/`` the site, with those.
"""

import shutil
import sys
from pathlib import Path

from contents import ROOT
from make_notebooks import REVISION, write

from autograder import bundle, install

SITE = ROOT / "_build" / "html"
PDF = ROOT / "_build" / "downloads" / "autoencoders.pdf"
README = """\
# The notebooks of the course

[The pages of the book](book/index.ipynb) that hold code, and the assignments, as notebooks: version {version}, made from
{origin}. The launch buttons of the book open them. This branch is written anew from there, so do not change anything here.
"""


def branch(folder: Path, version: str) -> None:
    """Write the branch: the notebooks, and what Binder installs for them."""
    write(folder)
    for name in ("requirements.txt", *bundle.LICENSES):
        shutil.copyfile(ROOT / name, folder / name)
    shutil.copytree(ROOT / "binder", folder / "binder")
    wanted = folder / "binder" / "requirements.txt"
    text = wanted.read_text(encoding="utf-8").replace(install.from_repository(), install.from_repository(REVISION))
    wanted.write_text(text, encoding="utf-8")
    origin = f"{install.REPOSITORY}/tree/{REVISION or 'main'}"
    (folder / "README.md").write_text(README.format(version=version, origin=origin), encoding="utf-8")


def downloads(folder: Path, notebooks: Path, version: str) -> None:
    """Write what can be downloaded, each file with the version in its name."""
    bundle.write(folder, REVISION)
    shutil.copyfile(PDF, folder / f"autoencoders-{version}.pdf")
    name = f"autoencoders-notebooks-{version}"
    files = [*notebooks.rglob("*.ipynb"), *(notebooks / license for license in bundle.LICENSES)]
    content = {f"{name}/{path.relative_to(notebooks).as_posix()}": path.read_bytes() for path in files}
    (folder / f"{name}.zip").write_bytes(bundle.archive(content))


def main(folder: Path) -> None:
    """Write all of it into a folder that is not there yet."""
    if folder.exists():
        sys.exit(f"{folder} is there already; remove it first")
    if not PDF.exists():
        sys.exit(f"{PDF} is missing; make it first: make downloads")
    version = bundle.project_version()
    branch(folder / "notebooks", version)
    downloads(folder / "downloads", folder / "notebooks", version)
    shutil.copytree(SITE, folder / "site")
    shutil.copytree(folder / "downloads", folder / "site" / "downloads")
    print(f"version {version}: {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
