"""The secret of a course, from which the inputs of hidden tests are drawn, so that no student can know them beforehand."""

import hashlib
import os
import secrets
import stat
from pathlib import Path

LENGTH = 32


class SecretError(RuntimeError):
    """The secret of a course cannot be used; says why, and what to do."""


def of(root: Path) -> bytes:
    """The secret of the course in the folder ``root``; it is made at the first call.

    Raises:
        SecretError: if the file is not one that this function made, or others on this machine can read it.
    """
    path = root / ".autograder" / "secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.parent.chmod(0o700)  # beside the secret lies what follows from it: expected values
        unfinished = path.with_name(f"secret.{os.getpid()}")
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
        try:
            os.link(unfinished, path)  # the first of two processes wins, and both then read the same secret
        except FileExistsError:
            pass
        finally:
            os.unlink(unfinished)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SecretError(
            f"{path}: others can read it; make it yours alone with chmod 600, or delete it to draw a new one"
        )
    content = path.read_bytes()
    if len(content) != LENGTH:
        raise SecretError(f"{path}: holds {len(content)} bytes, expected {LENGTH}; delete it, and a new one is drawn")
    return content


def seed(secret: bytes, assignment: str, test: str) -> int:
    """The seed of one hidden test, an integer of 63 bits."""
    digest = hashlib.sha256(b"\0".join([secret, assignment.encode(), test.encode()])).digest()
    return int.from_bytes(digest[:8], "big") >> 1
