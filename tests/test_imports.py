"""Who may import whom, read from the source of every module."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEAVES = {
    f"aelib.{name}"
    for name in (
        *(
            "activations",
            "autoregressive",
            "conditioning",
            "conv",
            "corruption",
            "index_frequencies",
            "latent",
            "likelihoods",
            "losses",
            "nets",
            "patches",
        ),
        *("quantizers", "recurrent", "samplers", "sequences", "transformer"),
    )
}
LISTS = {
    "aelib.models",
    "aelib.models.factories",
}  # these bring the models together; all other modules in there are models


def imports(path):
    """The modules that a file imports, as they are written; `from a import b` counts as both a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            names |= {start, *(f"{start}.{alias.name}" for alias in node.names)}
    return names


def module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module(path): imports(path) for package in ("aelib", "autograder") for path in (ROOT / package).rglob("*.py")
}


def within(name, package):
    return name == package or name.startswith(package + ".")


def forbidden(name):
    """The packages that module ``name`` may not import."""
    if within(name, "autograder.sandbox.inside"):
        return {"autograder"}  # scripts for the student's side of the sandbox, where torch is and the autograder is not
    if within(name, "autograder"):
        return {"torch", "aelib"}
    rules = {"autograder", "nbgrader", "IPython"}
    if not within(name, "aelib.viz"):
        rules |= {"matplotlib"}
    if name in LEAVES:
        rules |= {"aelib.core", "aelib.models", "aelib.training", "aelib.metrics", "aelib.viz", "aelib.data"}
    if name in {"aelib.core", "aelib.gaussian_posterior"} or within(name, "aelib.data"):
        rules |= {"aelib.models", "aelib.training", "aelib.metrics", "aelib.viz"}
    if name == "aelib.training" or any(within(name, f"aelib.{package}") for package in ("bounds", "metrics", "viz")):
        rules |= {"aelib.models"}
    if within(name, "aelib.models"):
        rules |= {"aelib.training", "aelib.metrics", "aelib.viz"}
    if within(name, "aelib.models") and name not in LISTS:
        rules |= {other for other in MODULES if within(other, "aelib.models") and other not in (name, "aelib.models")}
    return rules


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_one_way(name):
    bad = {found for found in MODULES[name] for package in forbidden(name) if within(found, package)}
    assert not bad
    assert not any(found.startswith(".") for found in MODULES[name]), "modules are imported by their full names"


def test_the_walk_sees_imports():
    """The test above would pass vacuously if nothing were read."""
    assert "aelib.core.DeterministicAutoencoder" in MODULES["aelib.models.linear"]
    assert "torch" in forbidden("autograder.release")
    assert "aelib.models.vae" in forbidden("aelib.models.iwae")
    assert "aelib.models" in forbidden("aelib.gaussian_posterior")


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {
    "aelib": (),
    "autograder": ("grading",),
    "book/_ext": ("book",),
    "benchmarks": ("grading", "dev"),
    "tests": ("book", "grading", "dev"),
}
"""What installs the packages that the code of a folder may import, beyond the dependencies of aelib."""

PYTHAE = "pythae"  # has an environment of its own


def plain(name):
    return re.sub("[-_.]+", "-", name).lower()


@pytest.mark.parametrize("folder", sorted(EXTRAS))
def test_what_is_imported_is_declared(folder):
    """A package that comes along with another may go away with it."""
    wanted = [*PROJECT["dependencies"]]
    for extra in EXTRAS[folder]:
        wanted += PROJECT["optional-dependencies"][extra]
    declared = {plain(re.match(r"[\w.-]+", one)[0]) for one in wanted} | {"autoencoder-course"}
    paths = list((ROOT / folder).rglob("*.py"))
    own = {path.stem for path in [*paths, *(ROOT / "tests").rglob("*"), *(ROOT / "book" / "_ext").glob("*.py")]}
    distributions = packages_distributions()
    missing = {}
    for path in paths:
        for name in {found.partition(".")[0] for found in imports(path)} - sys.stdlib_module_names - own - {PYTHAE, ""}:
            if not {plain(one) for one in distributions.get(name, ())} & declared:
                missing.setdefault(name, path.relative_to(ROOT).as_posix())
    assert paths
    assert missing == {}
