"""However often the grader or its sandboxes are killed, nothing is lost and nothing is left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from classroom import (
    ABSOLUTE,
    QUIETLY,
    RIGHT,
    SQUARE,
    folder_of,
    is_sound,
    scores,
    start,
    submit,
)

from autograder import grading, paths, workers
from autograder.assignment import Assignment
from autograder.pool import Pool
from autograder.sandbox import bubblewrap
from autograder.sandbox.forkserver import ForkServer


def kept(course, kind):
    return sorted((course.root / ".autograder" / kind / "01_tiny" / "tiny").glob("[!.]*.json"))


def kill_when(process, ready):
    """Kill a process as soon as something is so, and wait until all that it started is gone."""
    below = []
    while not ready():
        assert process.poll() is None, "it has ended before"
        below = psutil.Process(process.pid).children(recursive=True)
        os.sched_yield()
    below += psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, left = psutil.wait_procs(below, timeout=30)
    assert left == []


@pytest.fixture
def private_tmp(monkeypatch):
    """The folder for temporary files of all processes that a test starts. The path of a socket in it must be short."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_where_it_was(course, private_tmp):
    answers = {f"s{i}": {"double": (RIGHT, SQUARE, ABSOLUTE)[i % 3], "reason": "So."} for i in range(6)}
    expected = {student: (2.5, 0, 1)[int(student[1:]) % 3] for student in answers}
    submit(course, **answers)
    # Just when somebody is recorded, when an execution was kept, and when the gradebook was written but not yet noted.
    kill_when(start(course), lambda: len(kept(course, "finished")) >= 1)
    finished = {path: path.stat().st_mtime_ns for path in kept(course, "finished")}
    executions = {path: path.stat().st_mtime_ns for path in kept(course, "executions")}
    assert is_sound(course)
    kill_when(start(course), lambda: len(kept(course, "executions")) > len(executions))
    kill_when(start(course), lambda: len(kept(course, "before")) > len(kept(course, "finished")))
    leftover = course.root / ".autograder" / "records" / "01_tiny" / "tiny" / ".s1.json.abc"
    leftover.write_text("{")
    out, _ = start(course).communicate()
    graded, unchanged = (int(word) for word in out.splitlines()[0].split() if word.isdigit())
    assert graded + unchanged == len(answers)
    assert unchanged >= len(finished)
    for path, time in {**finished, **executions}.items():
        assert path.stat().st_mtime_ns == time, f"{path.name} was done twice"
    assert scores(course) == expected
    assert is_sound(course)
    assert not leftover.exists()
    assert list(private_tmp.glob("autograder-*")) == []


def request_for(course, answer):
    submit(course, one=answer)
    one = Assignment(course.root, "01_tiny", "tiny")
    return one.request(one.take(folder_of(course, "one")).notebook, course.limits, sandboxed=True)


@pytest.mark.slow
def test_a_fork_server_that_was_killed_is_started_again(course):
    request = request_for(course, RIGHT)
    values = json.loads(workers.run(request))["values"]
    server = psutil.Process(workers.kernels(True).pid)
    inside = server.children(recursive=True)
    server.kill()
    psutil.wait_procs(inside)
    assert json.loads(workers.run(request))["values"] == values


@pytest.mark.slow
def test_a_submission_whose_sandbox_ends_twice_is_left_to_a_person(course, monkeypatch):
    request = request_for(course, RIGHT)

    def end(server, *arguments):
        os.kill(server.pid, signal.SIGKILL)
        raise BrokenPipeError

    monkeypatch.setattr(workers, "execute", end)
    with pytest.raises(workers.LostError):
        workers.run(request)
    submit(course, one=RIGHT)
    assert "grade again" in grade_lost(course, monkeypatch).human["one"]


def grade_lost(course, monkeypatch):
    def lose(self, requests):
        return ((name, None) for name, _ in requests)

    one = Assignment(course.root, "01_tiny", "tiny")
    paths.write(one.place("answers", "all"), "{}")
    monkeypatch.setattr(grading, "known", lambda *arguments, **more: None)
    monkeypatch.setattr(Pool, "run", lose)
    return grading.grade(course, "01_tiny", QUIETLY)


def test_folders_of_workers_that_were_killed_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, alive = tmp_path / "autograder-dead", tmp_path / "autograder-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / workers.LOCK).touch()
    code = f"import fcntl, sys; f = open({str(alive / workers.LOCK)!r}, 'w'); fcntl.flock(f, 2); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        workers.delete_leftovers()
        assert (dead.exists(), alive.exists()) == (False, True)
        process.communicate(b"\n")
    workers.delete_leftovers()
    assert not alive.exists()


def test_the_folder_is_marked_before_the_sandbox_starts(monkeypatch):
    marked_then = []
    monkeypatch.setattr(ForkServer, "_open", lambda self: marked_then.append((self._folder / workers.LOCK).exists()))
    monkeypatch.setattr(ForkServer, "close", lambda self: shutil.rmtree(self._folder))
    monkeypatch.setattr(bubblewrap, "program", lambda: "bwrap")
    workers.MarkedForkServer().close()
    assert marked_then == [True]
