"""Where things are in the repository, and how a file is written so that nobody ever reads half of it."""

import os
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SOLUTIONS = REPOSITORY / "solutions"
EXERCISES = REPOSITORY / "exercises"
COURSE = REPOSITORY / "course"
DEMO = REPOSITORY / "build" / "demo"

# Beside the source notebook of an assignment lie the bank of wrong solutions and other right answers.
BANK = "bank.py"
RIGHT = "right.py"


def sources(solutions: Path) -> list[Path]:
    """The percent notebooks that are the source of an assignment, ``NN_topic/NAME.py``, in order."""
    return sorted(path for path in solutions.glob("[0-9][0-9]_*/*.py") if path.name not in (BANK, RIGHT))


def write(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in one step: a reader finds the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o644)  # mkstemp makes files that only their owner can read
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
