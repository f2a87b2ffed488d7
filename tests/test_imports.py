"""Who may import whom, read from the source of every module."""

import ast
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
    """The modules that a file imports, as full names; `from a import b` counts as both a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
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


def test_the_walk_sees_imports():
    """The test above would pass vacuously if nothing were read."""
    assert "aelib.core.DeterministicAutoencoder" in MODULES["aelib.models.linear"]
    assert "torch" in forbidden("autograder.release")
    assert "aelib.models.vae" in forbidden("aelib.models.iwae")
    assert "aelib.models" in forbidden("aelib.gaussian_posterior")
