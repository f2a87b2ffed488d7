"""The bubblewrap command: what of this machine can be seen in the sandbox, and nothing else can."""

import importlib.util
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
INSTALL = "install bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap)"
PACKAGES = ("aelib",)  # installed from this repository, of which nothing else is shown
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")
ENVIRONMENT = {
    "HOME": "/tmp/home",
    "TMPDIR": "/tmp",
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "USER": "student",
    "LOGNAME": "student",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",  # a class is graded by processes side by side
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class SandboxError(RuntimeError):
    """There can be no sandbox; says what to install or to allow."""


@cache
def program() -> str:
    """The path of bubblewrap.

    Raises:
        SandboxError: if it is not installed, or cannot make a sandbox here.
    """
    path = shutil.which("bwrap")
    if path is None:
        raise SandboxError(f"student code runs in a sandbox, and there is no bubblewrap here: {INSTALL}")
    tried = subprocess.run([path, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True)
    if tried.returncode:
        raise SandboxError(
            f"bubblewrap cannot make a sandbox here: {tried.stderr.strip()}. In a container it needs the right to make "
            "user namespaces (docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined); "
            "on a machine, sysctl kernel.unprivileged_userns_clone=1"
        )
    return path


def places() -> list[Path]:
    """The files and folders of this machine that can be read in the sandbox."""
    found = [path for path in map(Path, SYSTEM) if path.exists()]
    found += [Path(folder).resolve() for folder in (sys.prefix, sys.base_prefix)]
    found += [_folder_of(name) for name in PACKAGES]
    return [place for place in dict.fromkeys(found) if place == Path("/usr") or not place.is_relative_to("/usr")]


def command(sockets: Path) -> list[str]:
    """The command that runs the fork server in a sandbox, with a folder that it may make sockets in."""
    options = [program(), "--unshare-all", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        options += ["--setenv", name, value]
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/run/kernel"]
    for place in places():
        if place.is_symlink():
            options += ["--symlink", str(place.readlink()), str(place)]
        else:
            options += ["--ro-bind", str(place), str(place)]
    options += ["--ro-bind", str(INSIDE), "/opt/sandbox", "--bind", str(sockets), "/run/sockets"]
    options += ["--chdir", "/tmp", "--remount-ro", "/"]
    return [*options, sys.executable, "-s", "-E", "/opt/sandbox/server.py"]


def _folder_of(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SandboxError(f"notebooks import {package}, which is not installed here")
    return Path(found.origin).parent
