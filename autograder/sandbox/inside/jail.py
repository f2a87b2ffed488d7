"""From a forked process to a jailed one: namespaces of its own, a private temporary file system, limits, no privileges.

The fork server runs in a bubblewrap sandbox; this is a second one inside the first, so that one submission sees nothing of
another that the same server ran. It is Linux's own calls: bubblewrap starts programs, and a fork is no program.
"""

import ctypes
import os
import resource
from pathlib import Path

STUDENT = 1000  # the user id inside
HOME = "/tmp/home"
SOCKETS = "/run/sockets"  # of all submissions, one folder each
KERNEL = "/run/kernel"  # of this one

NEW_NAMESPACES = 0x10000000 | 0x20000000 | 0x00020000 | 0x08000000  # user, pid, mount, ipc
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = (
    1,
    2,
    4,
    32,
    4096,
    8192,
    16384,
    1 << 18,
)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
SIGKILL = 9
CAPABILITY_VERSION = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    """Call a function of the C library; raise OSError if it fails."""
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source, target, kind, flags, options=""):
    """Mount as the system call of that name does."""
    call("mount", source.encode(), target.encode(), kind.encode(), flags, options.encode())


def unshare():
    """Leave the namespaces of the server. The next process that this one forks is the first of the new ones."""
    user, group = os.getuid(), os.getgid()
    call("unshare", NEW_NAMESPACES)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{STUDENT} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{STUDENT} {group} 1")
    call("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)


def build(name, disk_bytes, kept):
    """Make the file system of one submission: its own /tmp and sockets, and no /proc to look into.

    What is to be kept of the sandbox's /tmp, as where Python lies there, is put into the new one before that takes its place.
    """
    call("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    facts = {name: Path("/proc", name).read_text() for name in ("cpuinfo", "meminfo", "stat")}
    mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for fact, text in facts.items():
        Path("/proc", fact).write_text(text)
    mount("none", "/proc", "none", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    mount(f"{SOCKETS}/{name}", KERNEL, "none", MS_BIND)
    mount("tmpfs", SOCKETS, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=755")
    private = f"size={disk_bytes},nr_inodes=16k,mode=1777"
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, private)
    for place in kept:
        target = place.replace("/tmp", "/dev/shm", 1)
        os.makedirs(target)
        mount(place, target, "none", MS_BIND | MS_REC)
    mount("/dev/shm", "/tmp", "none", MS_MOVE)
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, private)
    os.mkdir(HOME)
    os.chdir(HOME)


def limit(*, data_bytes, file_bytes, cpu_seconds):
    """Set what the kernel of the system enforces for each process by itself."""
    for kind, value in (
        (resource.RLIMIT_DATA, data_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def seal(**limits):
    """Set the limits, make the sockets' folder read-only, and give up every privilege, for good."""
    limit(**limits)
    mount("none", KERNEL, "none", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    drop_privileges()


def guard():
    """What the first process does when the kernel runs: nobody may look into it or steer it."""
    drop_privileges()
    call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)


def drop_privileges():
    """Give up every capability, in a way that starting a program brings none back."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the last that this system knows was the one before
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())
