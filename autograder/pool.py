"""Workers that run submissions: processes on this machine, or those of a Dask cluster. Only bytes travel."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

from distributed import Client, KilledWorker, LocalCluster, as_completed

from autograder import workers
from autograder.sandbox.execution import Execution

AHEAD = 3
"""Submissions for each worker that are under way at once, so that memory does not grow with the class."""


class Pool:
    """The workers of a grading run, for a ``with`` statement.

    Args:
        number: processes on this machine; not used with a scheduler.
        scheduler: the address of a Dask scheduler, such as tcp://HOST:8786, whose workers have this package installed.
    """

    def __init__(self, number: int, scheduler: str = "") -> None:
        self._number = number
        self._scheduler = scheduler

    def __enter__(self) -> "Pool":
        self._cluster = None
        if not self._scheduler:
            self._cluster = LocalCluster(
                n_workers=self._number,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                host="127.0.0.1",
            )
        self._client = Client(self._cluster or self._scheduler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def map(self, requests: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
        """Run all requests, and wait for them: name -> result."""
        return dict(self.run(requests))

    def run(self, requests: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Run requests, given with their names; names and results come as they finish. An empty request has an empty result."""
        waiting = iter(requests)
        names: dict[Any, str] = {}
        done = as_completed()
        room = AHEAD * max(1, len(self._client.scheduler_info()["workers"]))
        while True:
            for name, request in waiting:
                if not request:
                    yield name, b""
                    continue
                future = self._client.submit(workers.run, request, pure=False)
                names[future.key] = name
                done.add(future)
                if len(names) >= room:
                    break
            if not names:
                return
            future = next(done)
            name = names.pop(future.key)
            try:
                yield name, future.result()
            except KilledWorker:
                yield name, Execution(limits={"": "memory"}).to_bytes()
            finally:
                future.release()
