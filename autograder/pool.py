"""Workers that run submissions: processes on this machine, or those of a Dask cluster. Only bytes travel."""

import contextlib
from collections.abc import Iterable, Iterator
from types import TracebackType

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, wait

from autograder import workers

AHEAD = 3
"""Submissions for each worker that are under way at once, so that memory does not grow with the class."""
CONNECT_SECONDS = 10
LOG_LENGTH = 20
"""Messages that each connection of Dask remembers. A submission travels in one, and a thousand of them are its default."""
WORKER_SECONDS = 60
LOOK_SECONDS = 30
"""For how long nothing may be finished before a look whether there still are workers."""
GONE = KilledWorker, workers.LostError
"""A worker or its sandbox ended, which is not what a submission does."""


class PoolError(RuntimeError):
    """There are no workers; says what to start."""


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
        dask.config.set({"distributed.admin.low-level-log-length": LOG_LENGTH})
        self._cluster = None
        if not self._scheduler:
            try:
                self._cluster = LocalCluster(
                    n_workers=self._number,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",
                    host="127.0.0.1",
                )
            except RuntimeError as error:
                raise PoolError(f"the workers on this machine do not start: {error.__cause__ or error}") from error
        try:
            self._client = Client(self._cluster or self._scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise PoolError(
                f"no Dask scheduler answers at {self._scheduler!r}; start one with: dask scheduler"
            ) from error
        try:
            self._wait_for_a_worker(
                f"the Dask scheduler at {self._scheduler} has no workers; start some with: "
                f"dask worker {self._scheduler} --nthreads 1"
            )
        except PoolError:
            self._client.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def map(self, requests: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
        """Run all requests, and wait for them: name -> result.

        Raises:
            PoolError: if the workers that ran one died, each time.
        """
        results = {}
        for name, result in self.run(requests):
            if result is None:
                raise PoolError(f"several workers ended while they ran {name!r}; see their logs")
            results[name] = result
        return results

    def run(self, requests: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes | None]]:
        """Run requests, given with their names; names and results come as they finish.

        An empty request has an empty result. One that has none, None, was tried by several workers that ended meanwhile: not by
        what a submission does, which is stopped in its sandbox.
        """
        waiting = iter(requests)
        running: dict[Future[bytes], tuple[str, bytes]] = {}
        lost = []
        room = AHEAD * max(1, len(self._client.scheduler_info()["workers"]))
        while True:
            for name, request in waiting:
                if not request:
                    yield name, b""
                    continue
                running[self._submit(request)] = name, request
                if len(running) >= room:
                    break
            if not running:
                break
            for future in self._finished([*running]):
                name, request = running.pop(future)
                try:
                    yield name, future.result()
                except GONE:
                    lost.append((name, request))
                finally:
                    future.release()
        # Dask blames all that waited for a worker that ended. Those that end one by themselves are left.
        for name, request in lost:
            future = self._submit(request)
            self._finished([future])
            try:
                yield name, future.result()
            except GONE:
                yield name, None

    def _finished(self, futures: "list[Future[bytes]]") -> "set[Future[bytes]]":
        """Wait until some are finished: these. Workers that have all ended are started anew.

        Raises:
            PoolError: if there are none, and none comes.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                found: set[Future[bytes]] = wait(futures, timeout=LOOK_SECONDS, return_when="FIRST_COMPLETED").done
                return found
            if not self._client.scheduler_info()["workers"]:
                if self._cluster is not None:
                    self._cluster.scale(self._number)
                self._wait_for_a_worker("all workers have ended, and no other one came; what is graded is kept")

    def _wait_for_a_worker(self, otherwise: str) -> None:
        try:
            self._client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as error:
            raise PoolError(otherwise) from error

    def _submit(self, request: bytes) -> "Future[bytes]":
        return self._client.submit(workers.run, request, pure=False)
