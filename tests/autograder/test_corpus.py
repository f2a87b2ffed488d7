"""Every submission of the corpus through intake, the sandbox and the verdicts: nobody gains, loses, stays or stops the others."""

import json
import os
import shutil

import psutil
import pytest
from corpus import CANARY, CASES, FULL, NAME, WRONG, material

from autograder import bank, intake, probes, release, source
from autograder.sandbox import bubblewrap
from autograder.sandbox.execution import execute
from autograder.sandbox.forkserver import ForkServer
from autograder.sandbox.limits import Limits
from autograder.verdicts import judge

pytestmark = pytest.mark.skipif(not os.environ.get("NIGHTLY"), reason="takes four minutes: NIGHTLY=1, or make nightly")
TIGHT = Limits(memory=700, disk=32, file=16, processes=12, threads=80, output=1, cell_seconds=2, total_seconds=6)
# What hostile submissions print when they get what they are after.
SUCCESS = ("connected", "overwritten", "attached")


class Course:
    """A course folder with things that nobody may see, and a warm sandbox."""

    def __init__(self, root):
        self.root = root
        for path in ("gradebook.db", f"source/corpus/{NAME}.ipynb", f"submitted/someone-else/corpus/{NAME}.ipynb"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(CANARY)
        self.material = material(root)
        self.tests = probes.read(self.material.master)
        self.probes = probes.requests(self.tests, bytes(32), "corpus")
        self.server = ForkServer()
        self.expected = execute(self.server, self.material.master, self.probes, TIGHT)
        self.processes = self.own_processes()
        self.files = self.own_files()
        self.hidden = [CANARY, *release.secrets(self.material.master)]

    def own_processes(self):
        return {process.pid for process in psutil.Process(self.server.pid).children(recursive=True)}

    def own_files(self):
        places = (self.root, self.server.connection_file.parent)
        files = {path: path.lstat().st_size for place in places for path in place.rglob("*")}
        return {path: size for path, size in files.items() if "submitted/me" not in str(path)}

    def folder(self):
        """An empty folder for the next submission."""
        shutil.rmtree(self.root / "submitted" / "me", ignore_errors=True)
        folder = self.root / "submitted" / "me" / "corpus"
        folder.mkdir(parents=True)
        return folder

    def grade(self, notebook):
        """What comes of a notebook, its points, and the messages of its tests."""
        execution = execute(self.server, notebook, self.probes, TIGHT)
        verdicts = {
            name: judge(test, self.expected.values[name], execution.values.get(name))
            for name, test in self.tests.items()
        }
        worth = source.points(self.material.master)
        score = sum(worth[name] for name, verdict in verdicts.items() if verdict.passed)
        return execution, score, [verdict.message for verdict in verdicts.values()]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    try:
        bubblewrap.program()
    except bubblewrap.SandboxError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTOR", CANARY)
        made = Course(tmp_path_factory.mktemp("course"))
        yield made
        made.server.close()


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}")
def test_submission(course, case):
    path = case.write(course.material, course.folder())
    taken = intake.take(path, course.material.released)
    assert case.problem in taken.problem
    assert bool(case.problem) == bool(taken.problem)
    assert (taken.notebook is None) == bool(case.problem)
    assert any(case.note in note for note in taken.notes) if case.note else taken.notes == []
    if taken.notebook is None:
        return
    execution, score, messages = course.grade(taken.notebook)
    assert score == case.score, messages
    # On a busy machine the time may be up before anything else is.
    hit = set(execution.limits.values())
    assert hit & {case.limit, "cell", "total"} if case.limit else hit == set()
    check_secrets(course, execution, messages)
    assert course.own_processes() == course.processes
    assert course.own_files() == course.files
    if case.kind == "hostile":
        assert after_it(course) == (FULL, {})


def check_secrets(course, execution, messages):
    """Nothing that a submission shows or its author is told holds what is not the author's."""
    shown = "".join(json.dumps(execution.outputs).replace("\\n", "").split())
    for secret in (*course.hidden, *SUCCESS):
        assert secret not in shown
    for message in messages:
        assert not any(word in message for word in ("unseen", "probe", "draw", "gaussian_kl", "torch")), message


def after_it(course):
    """What an honest submission gets that comes next."""
    execution, score, _ = course.grade(bank.fill_in(course.material.released, course.material.right))
    return score, execution.limits


@pytest.mark.slow
def test_an_honest_submission_before_all_others(course):
    assert after_it(course) == (FULL, {})


@pytest.mark.slow
def test_wrong_answers_earn_nothing(course):
    """Or hostile submissions, which have these answers, could not be seen to gain nothing."""
    assert course.grade(bank.fill_in(course.material.released, WRONG))[1] == 0
    assert course.grade(course.material.released)[1] == 0


def test_the_corpus_is_large_and_its_names_differ():
    kinds = [case.kind for case in CASES]
    assert len({case.name for case in CASES}) == len(CASES)
    assert {kind: kinds.count(kind) >= 20 for kind in ("hostile", "broken", "honest")} == dict.fromkeys(kinds, True)
    assert len(CASES) >= 60
