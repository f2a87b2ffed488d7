"""The cell with which a notebook installs what it needs where that is missing, as on Colab: one text for all notebooks."""

import re

REPOSITORY = "https://github.com/autoencoder-course/autoencoder-course"
# What a notebook may import that does not come with aelib -> what pip installs it from.
MORE = {"statsmodels": "statsmodels", "umap": "umap-learn"}
OPENING = """\
# Where {names} is missing, as on Colab, this installs it.
# Elsewhere it does nothing.
import importlib.util
import subprocess
import sys"""
ONE = """

if importlib.util.find_spec("{name}") is None:
    package = "{package}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)"""


def from_repository(revision: str = "") -> str:
    """What pip installs aelib from: the repository as it is when that is done, or a commit or tag of it."""
    return f"git+{REPOSITORY}@{revision}" if revision else f"git+{REPOSITORY}"


def cell(code: str, revision: str = "") -> str:
    """The code of the cell, for a notebook with this code: it installs aelib, and what of ``MORE`` is imported."""
    found = re.findall(r"^[ \t]*(?:import|from) (\w+)", code, re.MULTILINE)
    packages = {"aelib": from_repository(revision)} | {name: MORE[name] for name in MORE if name in found}
    parts = [ONE.format(name=name, package=package) for name, package in packages.items()]
    return OPENING.format(names=" or ".join(packages)) + "".join(parts)
