"""What a submission may use, and what its student is told when it is more."""

from dataclasses import dataclass

MEBI = 2**20
INHERITED = 512  # MiB that a process may have from the server before it does anything

REASONS = {
    "memory": "Your notebook used more than the {memory} MiB of memory that it may use, and was stopped.",
    "processes": "Your notebook had more than {processes} processes or {threads} threads at once, and was stopped.",
    "output": "Your notebook printed or drew more than {output} MiB, and was stopped.",
    "cell": "This cell took longer than {cell_seconds:g} seconds, and was stopped.",
    "total": "Your notebook took longer than {total_seconds:g} seconds in all, and was stopped.",
    "garbled": "While this cell ran, your notebook sent messages that cannot be read, and was stopped.",
    "died": "The notebook's process ended while this cell ran.",
}
"""Name of a limit -> the message; ``Limits.message`` fills in the numbers."""


@dataclass(frozen=True)
class Limits:
    """The limits of one submission. Each is a setting of the course.

    Attributes:
        memory: of all its processes together, in MiB, beside what Python and the imported packages take.
        disk: of its temporary files together, in MiB; they are kept in memory, beside what ``memory`` counts.
        file: of one file, in MiB.
        processes: at once, three of which are the sandbox's and the kernel's.
        threads: at once, in all processes together; a kernel has about ten.
        output: of all cells together, in MiB.
        cell_seconds: for one cell.
        total_seconds: for the whole notebook.
    """

    memory: int = 2048
    disk: int = 256
    file: int = 128
    processes: int = 16
    threads: int = 256
    output: int = 16
    cell_seconds: float = 60
    total_seconds: float = 300

    def message(self, name: str) -> str:
        """What the student is told who hit the limit ``name``, one of :data:`REASONS`."""
        return REASONS[name].format(**vars(self))

    def order(self) -> dict[str, object]:
        """The limits in the form in which the fork server takes them."""
        return {
            "memory_bytes": self.memory * MEBI,
            "disk_bytes": self.disk * MEBI,
            "processes": self.processes,
            "threads": self.threads,
            "own": {
                "data_bytes": (self.memory + INHERITED) * MEBI,
                "file_bytes": self.file * MEBI,
                "cpu_seconds": int(2 * self.total_seconds) + 1,
            },
        }
