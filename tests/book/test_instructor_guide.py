"""The commands of the instructor's pages, run in their order in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from autograder import paths
from autograder.sandbox.bubblewrap import SandboxError, program

PAGES = [paths.REPOSITORY / "book" / "instructor" / name for name in ("guide.md", "deploy.md")]
BLOCK = re.compile(r"^```\{code-block\} bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```+\{?(?:code-block\} )?(bash|console|sh|shell)\b", re.MULTILINE)
# What the commands use of the repository. Not aelib: notebooks in the sandbox import the one that is installed.
COPIED = ("autograder", "solutions", "exercises", "nbgrader_config.py")


DEMO = "python -m autograder demo"
"""It takes minutes, and ``tests/autograder/test_demo.py`` runs it."""


@dataclass(frozen=True)
class Box:
    """A box with commands.

    Attributes:
        where: the page and the first command.
        options: of the directive.
        commands: what is in it.
    """

    where: str
    options: dict[str, str]
    commands: str


def boxes():
    found = []
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            options = dict(re.findall(r"^:(\w+): (.*)$", block, re.MULTILINE))
            commands = re.sub(r"^:\w+: .*\n", "", block, flags=re.MULTILINE)
            found.append(Box(f"{page.name}: {commands.splitlines()[0]}", options, commands))
    return found


def test_every_box_says_whether_it_is_run_and_why_if_not():
    found = boxes()
    assert len(found) == sum(len(FENCE.findall(page.read_text(encoding="utf-8"))) for page in PAGES)
    assert {box.options.get("class") for box in found} == {"run", "not-run"}
    for box in found:
        if box.options["class"] == "not-run":
            assert box.commands.startswith("# "), f"{box.where}: expected the reason as a comment in the first line"
    assert sum(box.options["class"] == "run" for box in found) > sum(box.options["class"] == "not-run" for box in found)


def test_the_penalty_of_the_example_is_a_tenth_a_day():
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGES[0].read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names = {"c": Config()}
    exec(example, names)
    penalty = names["c"].AssignLatePenalties.plugin_class().late_submission_penalty
    hour = 60 * 60
    assert [penalty("ada", 20.0, hours * hour) for hours in (1, 24, 25, 24 * 30)] == [2, 2, 4, 20]
    assert "plugin_class" in AssignLatePenalties.class_trait_names(config=True)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The folder in which all boxes were run, and box -> what it printed."""
    try:
        program()
    except SandboxError as error:
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("guide") / "repository"
    for name in COPIED:
        source = paths.REPOSITORY / name
        root.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
    # On a hub an administrator writes this; here the exchange is a folder of the test's own.
    settings, exchange = root.parent / "jupyter", root.parent / "exchange"
    settings.mkdir()
    exchange.mkdir()
    exchange.chmod(0o777)
    (settings / "nbgrader_config.py").write_text(f"c.Exchange.root = {str(exchange)!r}\n")
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(root),
        "JUPYTER_CONFIG_DIR": str(settings),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "OMP_NUM_THREADS": "1",
    }
    printed = {}
    for box in boxes():
        if box.options["class"] == "run" and box.commands.strip() != DEMO:
            command = ["bash", "-euo", "pipefail", "-c", box.commands]
            done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{box.where}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            printed[box.options.get("name", box.where)] = done.stdout + done.stderr
    return root, printed


@pytest.mark.slow
def test_the_commands_lead_to_marks_and_feedback(followed):
    root, printed = followed
    assert "2 graded, 0 unchanged" in printed["grade"]
    for student in ("11", "12"):
        assert (root / "course" / "autograded" / student / "01_linear" / "linear.ipynb").exists()
    assert (root / "course" / "reports" / "01_linear.html").exists()
    feedback = list((root / "build" / "student").rglob("feedback/*/linear.html"))
    assert len(feedback) == 1
    assert "</strong> of 20 points" in feedback[0].read_text()


@pytest.mark.slow
def test_grading_again_without_a_change_does_nothing(followed):
    _, printed = followed
    assert "0 graded, 2 unchanged" in printed["again"]


@pytest.mark.slow
def test_the_exports_hold_the_marks(followed):
    root, _ = followed
    canvas = (root / "course" / "exports" / "01_linear-canvas.csv").read_text()
    assert '"Lovelace, Ada",11,u11,ada,A,0,\n' in canvas
    assert '"Hopper, Grace",12,u12,grace,A,,\n' in canvas  # the written answer has not been read
    moodle = (root / "course" / "exports" / "01_linear-moodle.csv").read_text()
    assert re.search(r"^12,17,", moodle, re.MULTILINE)


@pytest.mark.slow
def test_nothing_of_the_course_can_be_read_by_others(followed):
    root, _ = followed
    assert (root / "course").stat().st_mode & 0o077 == 0
    assert (root / "course" / ".autograder" / "secret").stat().st_mode & 0o077 == 0
