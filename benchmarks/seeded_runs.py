"""Runs with several seeds: in processes of their own, written down after each, and going on from the file.

A run is a dictionary that holds, among other things, its ``error``: None, or what went wrong.
"""

import argparse
import contextlib
import io
import json
import queue
import statistics
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import report

Run = dict[str, Any]
Task = tuple[Any, ...]
"""What a run is made from, and told from the others by."""


class Lane(threading.Thread):
    """Takes one task after the other to a process of its own; if that process dies, the task has failed, and a new one starts.

    Args:
        tasks: what is still to be done, shared with other lanes.
        do: makes a run of a task, given as arguments.
        failed: makes a run of a task and its error.
        done: where the runs go.
    """

    def __init__(
        self,
        tasks: queue.SimpleQueue[Task],
        do: Callable[..., Run],
        failed: Callable[..., Run],
        done: queue.SimpleQueue[Run],
    ) -> None:
        super().__init__(daemon=True)
        self.tasks, self.do, self.failed, self.done = tasks, do, failed, done

    def run(self) -> None:
        process = new_process()
        while True:
            try:
                task = self.tasks.get_nowait()
            except queue.Empty:
                process.shutdown()
                return
            try:
                self.done.put(process.submit(self.do, *task).result())
            except Exception as error:  # the process died, or its answer cannot be read: the other tasks go on
                process.shutdown()
                process = new_process()
                self.done.put(self.failed(*task, f"{type(error).__name__}: {error}"))


def new_process() -> ProcessPoolExecutor:
    """One process that has imported everything it needs."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def finished(missing: Sequence[Task], do: Callable[..., Run], failed: Callable[..., Run], jobs: int) -> Iterator[Run]:
    """The runs of all tasks, ``jobs`` at a time, in the order in which they end."""
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    done: queue.SimpleQueue[Run] = queue.SimpleQueue()
    for task in missing:
        tasks.put(task)
    for _ in range(min(jobs, len(missing))):
        Lane(tasks, do, failed, done).start()
    for _ in missing:
        yield done.get()


def complete(
    result: dict[str, Any],
    runs: list[Run],
    new: Iterator[Run],
    number: int,
    *,
    order: Callable[[Run], Any],
    table: Callable[[list[Run]], Any],
    out: Path | None,
) -> dict[str, Any]:
    """``result`` with the table and the runs, old and new; the file is written after each of the ``number`` new ones."""
    for count, run in enumerate(new, start=1):
        runs = sorted([*runs, run], key=order)
        with contextlib.redirect_stdout(io.StringIO()):  # the whole table is printed once, at the end
            report.write(out, result | {"table": table(runs), "runs": runs})
        errors = sum(one["error"] is not None for one in runs)
        print(f"{count} of {number} runs, {errors} failed", file=sys.stderr, flush=True)
    return result | {"table": table(runs), "runs": runs}


def before(options: argparse.Namespace, parser: argparse.ArgumentParser, same: dict[str, Any]) -> list[Run]:
    """The runs that the file holds already, without those that failed.

    Args:
        options: with ``out``, the file.
        parser: says it if the file is of something else, and ends the program.
        same: what the file must hold in the same words for its runs to count: name -> value.
    """
    if options.out is None or not options.out.exists():
        return []
    try:
        known = json.loads(options.out.read_text(encoding="utf-8"))
        fits = all(known[name] == value for name, value in json.loads(json.dumps(same)).items())
        runs = [one for one in known["runs"] if one["error"] is None]
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        parser.error(
            f"--out: {options.out} holds something else, or a table with other settings; move it away or name another file"
        )
    return runs


def spread(values: list[float]) -> dict[str, Any] | None:
    """Mean, standard deviation (n - 1; None for one value) and number."""
    if not values:
        return None
    std = report.significant(statistics.stdev(values)) if len(values) > 1 else None
    return {"mean": report.significant(statistics.fmean(values), 6), "std": std, "seeds": len(values)}
