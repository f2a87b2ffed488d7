"""A real PostgreSQL server for tests: in a folder of its own, on a unix socket, gone at the end."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def _programs():
    """The folder of the server's programs, which Debian does not put on the PATH."""
    found = [Path(path).resolve().parent for name in ("initdb",) if (path := shutil.which(name))]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "postgres").exists()), None)


@contextlib.contextmanager
def server():
    """Run a server; the value is the address of an empty database. Skips the test where there is no PostgreSQL."""
    programs = _programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL here (Debian, Ubuntu: apt install postgresql)")
    # Its socket's path may have 107 characters, and it refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    root = os.getuid() == 0
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if root else {}
    if root:
        shutil.chown(folder, "nobody", "nogroup")
    settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"

    def run(program, *arguments):
        command = [programs / program, "-D", folder / "data", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **user)
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run("initdb", "--username=grader", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        run("pg_ctl", "start", "--wait", "--log", folder / "log", "-o", settings)
        try:
            yield f"postgresql://grader@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder)
