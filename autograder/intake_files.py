"""Read the file of a submission, and nothing but a plain file of a bearable size: no link, no device, no pipe."""

import errno
import os
import stat
from contextlib import ExitStack
from pathlib import Path

MEBI = 2**20
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A pipe would otherwise keep us waiting until somebody writes into it.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
MOST_NAMES, MOST_LETTERS = 5, 80


class IntakeError(ValueError):
    """A submission cannot be taken in; says why, in words for its author."""


def read(path: Path, most_bytes: int) -> bytes:
    """What the file at ``path`` holds, ``.../STUDENT/ASSIGNMENT/NAME``; of these three, none may be a link.

    Raises:
        IntakeError: if there is no such file, if it is something else than a plain file, or if it is too large.
    """
    path = path.absolute()
    with ExitStack() as opened:
        try:
            folder = _open(opened, str(path.parents[2]), FOLDER, None)
            for part in path.parts[-3:-1]:
                folder = _open(opened, part, FOLDER | os.O_NOFOLLOW, folder)
        except (OSError, IndexError) as error:
            raise IntakeError("The folder of the submission is not there, or it is a link to another one.") from error
        try:
            handle = _open(opened, path.name, FILE, folder)
        except FileNotFoundError as error:
            raise IntakeError(f"There is no file {_shown(path.name)}. {_there(folder)}") from error
        except OSError as error:
            why = "it is a link" if error.errno == errno.ELOOP else error.strerror
            raise IntakeError(f"The file {_shown(path.name)} cannot be read: {why}.") from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise IntakeError(f"{_shown(path.name)} is not a file.")
        return _content(handle, most_bytes)


def _open(opened: ExitStack, name: str, flags: int, folder: int | None) -> int:
    handle = os.open(name, flags, dir_fd=folder)
    opened.callback(os.close, handle)
    return handle


def _content(handle: int, most_bytes: int) -> bytes:
    """All that can be read, which may be more or less than the size that the file system tells."""
    parts: list[bytes] = []
    room = most_bytes + 1
    try:
        while room and (part := os.read(handle, min(room, MEBI))):
            parts.append(part)
            room -= len(part)
    except OSError as error:
        raise IntakeError(f"The file cannot be read: {error.strerror}.") from error
    if not room:
        raise IntakeError(
            f"The file is larger than {most_bytes / MEBI:g} MiB. Clear the outputs of all cells, save, and submit it again."
        )
    return b"".join(parts)


def _there(folder: int) -> str:
    """What there is instead, by which the author sees a wrong name."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".ipynb"))
    if not names:
        return "The submission has no notebook."
    return f"The submission has {', '.join(map(_shown, names[:MOST_NAMES]))}."


def _shown(name: str) -> str:
    """The name of a file, which on this system is any bytes, as text of one line."""
    text = name.encode("utf-8", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:MOST_LETTERS]
