"""The class that both graders grade: one assignment, and notebooks as students hand them in.

Plain nbgrader gets the same source with hidden tests that it understands. Each is what it was, with ``probe`` made a function
that compares: the value is turned into an assert against what the solution hands out under the same seed. A student's notebook is
the same to the byte on both sides.
"""

import copy
import random

import numpy as np

from autograder import bank, notebooks, paths, probes, source, values
from autograder.course import Course

SOURCE = paths.SOLUTIONS / "01_linear" / "linear.py"
NAME, NOTEBOOK = SOURCE.parent.name, SOURCE.stem
KINDS = ("right", "wrong", "none")
SHARES = (8, 1, 1)  # of ten answers to a task

SETTINGS = """\
c = get_config()
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"
"""
"""nbgrader_config.py of the plain course: the stubs of this course, so that both release the same notebook."""

ASSERTING = """\
import random
draw = np.random.default_rng({seed})
for seeding in (random.seed, np.random.seed, torch.manual_seed):
    seeding({seed} % 2**32)
wanted = iter({wanted})

def probe(**named):
    for name, value in named.items():
        right_name, check, right = next(wanted)
        value, right = (value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)), np.array(right)
        assert name == right_name, "another value was expected"
        assert value.shape == right.shape or value.size == right.size == 1 and right.ndim == 0, "wrong shape"
        assert check != "close" or np.allclose(value.reshape(right.shape), right, rtol=1e-6, atol=1e-6), "wrong numbers"
        assert check != "non_negative" or (value >= 0).all(), "negative"

{code}
assert next(wanted, None) is None, "values are missing"
"""
"""A hidden test as plain nbgrader has it, which stands in the cell behind the visible asserts."""


def open_course(folder):
    """A course that has the assignment, generated and ready to be graded."""
    course = Course(folder)
    course.add_source(SOURCE)
    course.generate_assignment(NAME)
    return course


def submissions(released, number):
    """So many notebooks: each solution cell is answered rightly, by a mistake from the bank, or not at all."""
    model = bank.model_answers(source.load(SOURCE))
    wrong = {}
    for answer in bank.read(SOURCE.with_name(paths.BANK)):
        wrong.setdefault(answer.cell, []).append(answer.code)
    draw = random.Random(0)
    for _ in range(number):
        answers = {}
        for cell, mistakes in wrong.items():
            kind = draw.choices(KINDS, SHARES)[0]
            if kind != "none":
                answers[cell] = model[cell] if kind == "right" else draw.choice(mistakes)
        yield notebooks.to_text(bank.fill_in(released, answers))


def hand_in(folder, texts):
    """Put notebooks into a course folder, by the name of their student."""
    for student, text in texts.items():
        paths.write(folder / "submitted" / student / NAME / f"{NOTEBOOK}.ipynb", text)


def plain_source(notebook, asked, right):
    """The source notebook for plain nbgrader.

    Args:
        notebook: this course's source notebook.
        asked: name of a test -> its ``Probe``, whose seed the asserts have too.
        right: name of a test -> what it hands out for the solution under that seed.
    """
    tests = probes.read(notebook)
    plain = copy.deepcopy(notebook)
    for cell in plain.cells:
        if cell.id in tests:
            test = tests[cell.id]
            wanted = [_assert(test, name, value) for name, value in values.named(right[cell.id])]
            hidden = ASSERTING.format(seed=asked[cell.id].seed, wanted=repr(wanted), code=test.code)
            visible = "\n".join(source.split(cell.source, "HIDDEN TESTS")[0])
            cell.source = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}### END HIDDEN TESTS"
    return plain


def _assert(test, name, value):
    """What is asserted about one value: its name, the check, and the right value."""
    checks = [check for check in test.checks if check.value == name]
    kinds = {check.name for check in checks} or {"close"}
    if len(kinds) > 1 or not kinds <= {"close", "shape", "non_negative"} or any(check.arguments for check in checks):
        raise ValueError(f"{test.name}: {name}: plain nbgrader is given no assert for {', '.join(sorted(kinds))}")
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{test.name}: {name}: plain nbgrader is given asserts on arrays and numbers alone")
    return name, *kinds, value.tolist()
