"""What a task asks for cannot be imported: how it is noticed, and what it costs."""

import pytest
from classroom import QUIETLY, open_course, record_of, submit

from autograder import allowed, bank, grading, notebooks, source

STUB = "def double(x"
RULE = "# Not allowed here: aelib, torch.distributions, torch.nn.functional.kl_div, .backward\n"


@pytest.fixture
def ruled(tiny):
    """The tiny assignment, whose solution may not be imported."""
    tiny.write_text(tiny.read_text().replace(STUB, RULE + STUB, 1))
    return tiny


@pytest.fixture
def said(ruled):
    """What is said about the text of the solution cell, with a cell of the student's own before it."""
    master = source.load(ruled)

    def of(solution, own=""):
        submission = bank.fill_in(master, {"double": solution})
        submission.cells.insert(0, notebooks.new_cell("code", own, "own"))
        return allowed.broken(master, submission)

    return of


@pytest.mark.parametrize(
    ("solution", "own", "name"),
    [
        ("def double(x):\n    return F.kl_div(x)", "import torch.nn.functional as F", "torch.nn.functional.kl_div"),
        ("def double(x):\n    return nn.functional.kl_div(x)", "from torch import nn", "torch.nn.functional.kl_div"),
        ("def double(x):\n    from torch.distributions import kl\n    return kl(x)", "", "torch.distributions.kl"),
        ("def double(x):\n    return g(x)", "from aelib.losses import gaussian_kl as g", "aelib.losses.gaussian_kl"),
        ("def double(x):\n    return gaussian_kl(x)", "from aelib.losses import *", "aelib.losses"),
        (
            "def double(x):\n    return helper(x)",
            "import aelib\ndef helper(x):\n    return aelib.losses.l1(x)",
            "aelib",
        ),
        ("def double(x):\n    return f(x)", "import torch\ng = torch.distributions.kl\nf = g", "torch.distributions"),
        ("def double(x):\n    x.backward()", "", "backward"),
        ("%time 1\ndef double(x):\n    return eval('x')", "", "eval"),
        ("def double(x):\n    return importlib.import_module('a' + 'elib')", "import importlib", "importlib"),
    ],
)
def test_what_is_not_allowed_is_named(said, solution, own, name):
    found = said(solution, own)
    assert list(found) == ["double"]
    assert f"Your code uses {name}" in found["double"]


@pytest.mark.parametrize(
    ("solution", "own"),
    [
        ("def double(x):\n    return 2 * x", ""),
        ("def double(x):\n    return data.digits()", "from aelib import data, viz"),
        ("def double(x):\n    return 2 * x", "import aelib.losses\nprint(aelib.losses.gaussian_kl)"),  # to compare with
        ("def double(x):\n    return model.eval()", "model = None"),
        ("def double(x): return (", ""),
        ("def double(x):\n    y = x + x\n    return y", "x = y = torch.distributions.Normal(0, 1)"),  # other names
        ("", "def unused(x):\n    return x.backward()"),
    ],
)
def test_what_is_allowed_is_not(said, solution, own):
    assert said(solution, own) == {}


def test_a_task_without_such_a_line_allows_everything(tiny):
    master = source.load(tiny)
    assert allowed.rules(master) == {}
    assert allowed.broken(master, bank.fill_in(master, {"double": "import aelib\naelib.x"})) == {}


@pytest.mark.slow
def test_it_costs_the_marks_of_the_task_and_says_why(tmp_path, ruled):
    course = open_course(tmp_path / "course", ruled)
    submit(
        course,
        honest="def double(x):\n    return 2 * x",
        borrowed="def double(x):\n    import torch.distributions\n    torch.distributions\n    return 2 * x",
    )
    grading.grade(course, "01_tiny", QUIETLY)
    assert all(record_of(course, "honest").passed.values())
    record = record_of(course, "borrowed")
    assert not any(record.passed.values())
    assert record.diagnoses["double"][0] == "not allowed"
    assert all("torch.distributions, which is not allowed here" in message for message in record.messages.values())
