"""Submissions run by a Dask cluster: a real scheduler, and workers in folders of their own that know no course."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from classroom import ABSOLUTE, RIGHT, SQUARE, open_course, submit
from distributed import Client, LocalCluster

from autograder import __main__, grades, grading, pool
from autograder.pool import Pool, PoolError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scheduler(sandbox, tmp_path_factory):
    """The address of a scheduler with two workers, each started in an empty folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        address,
        "--dashboard-address",
        "127.0.0.1:0",
    ]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    started = [subprocess.Popen(dask, cwd=tmp_path_factory.mktemp("scheduler"), **quiet)]
    started += [subprocess.Popen(worker, cwd=tmp_path_factory.mktemp("worker"), **quiet) for _ in range(2)]
    try:
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(60)


def test_a_class_is_graded_by_the_workers(scheduler, tiny, tmp_path, capsys):
    course = open_course(tmp_path / "course", tiny)
    submit(course, right=RIGHT, square=SQUARE, absolute=ABSOLUTE)
    command = ["grade", "01_tiny", "--course", str(course.root), "--scheduler", scheduler]
    assert __main__.main(command) == 0
    assert "3 graded, 0 unchanged" in capsys.readouterr().out
    assert {grade.student: grade.score for grade in grades.of(course, "01_tiny")} == {
        "right": 2.5,
        "square": 0,
        "absolute": 1,
    }
    with Client(scheduler) as client:
        folders = set(client.run(os.getcwd).values())
    assert len(folders) == 2
    assert not any(str(course.root).startswith(folder) or folder.startswith(str(course.root)) for folder in folders)


class Killed:
    """A worker's death, from which Dask gives up after several."""

    def __init__(self, unlucky):
        self.unlucky = unlucky

    def __call__(self, request):
        if self.unlucky in request:
            os._exit(1)
        return b"done"


def test_a_worker_that_dies_stops_nobody_else(monkeypatch):
    monkeypatch.setattr(pool.workers, "run", Killed(b"deadly"))
    with Pool(2) as workers:
        results = dict(workers.run((name, name.encode()) for name in ("one", "deadly", "two", "three")))
        assert results == {"one": b"done", "two": b"done", "three": b"done", "deadly": None}
        with pytest.raises(PoolError, match="several workers ended while they ran 'deadly'"):
            workers.map([("deadly", b"deadly")])


def test_workers_that_have_all_ended_are_started_anew(monkeypatch):
    monkeypatch.setattr(pool, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(pool.workers, "run", Killed(b"deadly"))
    with Pool(1) as workers:
        workers._cluster.scale(0)
        while workers._client.scheduler_info()["workers"]:
            time.sleep(0.1)
        assert workers.map([("one", b"one")]) == {"one": b"done"}


def test_if_no_worker_comes_back_it_says_so_and_does_not_wait_for_ever(monkeypatch):
    for name, seconds in (("LOOK_SECONDS", 0.5), ("WORKER_SECONDS", 1)):
        monkeypatch.setattr(pool, name, seconds)
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1") as cluster:
        cluster.wait_for_workers(1)
        with Pool(0, cluster.scheduler_address) as workers:
            cluster.scale(0)
            while workers._client.scheduler_info()["workers"]:
                time.sleep(0.1)
            with pytest.raises(PoolError, match="all workers have ended"):
                workers.map([("one", b"one")])


def test_what_could_not_be_run_is_not_graded_and_is_tried_again(sandbox, tiny, tmp_path, monkeypatch):
    course = open_course(tmp_path / "course", tiny)
    submit(course, right=RIGHT, square=SQUARE)
    options, run = grading.Options(workers=1, progress=False), Pool.run

    def lose_one(self, requests):
        return ((name, None if name == "square" else result) for name, result in run(self, requests))

    with monkeypatch.context() as patch:
        patch.setattr(Pool, "run", lose_one)
        summary = grading.grade(course, "01_tiny", options)
    assert summary.graded == ["right"]
    assert "grade again" in summary.human["square"]
    assert [grade.student for grade in grades.of(course, "01_tiny")] == ["right"]
    assert grading.grade(course, "01_tiny", options).graded == ["square"]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://somewhere"])
def test_no_scheduler(address, tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pool, "CONNECT_SECONDS", 1)
    course = open_course(tmp_path / "course", tiny)
    assert __main__.main(["grade", "01_tiny", "--course", str(course.root), "--scheduler", address]) == 1
    assert f"no Dask scheduler answers at '{address}'; start one with: dask scheduler" in capsys.readouterr().err


def test_a_worker_that_dies_in_the_middle_loses_nothing(scheduler, tiny, tmp_path, monkeypatch):
    """A worker of the cluster is killed while it runs a submission; another one runs that again."""
    course = open_course(tmp_path / "course", tiny)
    submit(course, **{f"s{i}": RIGHT if i % 2 else SQUARE for i in range(6)})
    finish, killed = grading._count, []

    def kill_one(summary, record, seconds):
        finish(summary, record, seconds)
        if not killed:
            with Client(scheduler) as client:
                busy = next((worker for worker, tasks in client.processing().items() if tasks), None)
                if busy is not None:
                    killed.extend(client.run(os.getpid, workers=[busy]).values())
                    os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(grading, "_count", kill_one)
    summary = grading.grade(course, "01_tiny", grading.Options(scheduler=scheduler, progress=False))
    assert killed
    assert sorted(summary.graded) == [f"s{i}" for i in range(6)]
    assert summary.human == {}
    assert {grade.student: grade.score for grade in grades.of(course, "01_tiny")} == {
        f"s{i}": 2.5 * (i % 2) for i in range(6)
    }


def test_workers_without_bubblewrap_say_so(tiny, tmp_path, capsys, monkeypatch):
    course = open_course(tmp_path / "course", tiny)
    submit(course, one=RIGHT)
    monkeypatch.setenv("PATH", "")  # the workers are started with it
    assert __main__.main(["grade", "01_tiny", "--course", str(course.root), "--workers", "1"]) == 1
    said = capsys.readouterr().err
    assert "SandboxError: " in said
    assert "no bubblewrap here: install bubblewrap" in said
    assert grades.of(course, "01_tiny") == []
