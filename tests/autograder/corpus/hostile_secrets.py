"""Attempts to read what is not the student's, to write to it, and to stay.

Whatever is found is printed, and the tests look for it.
"""
# ruff: noqa: E501  # code of attacks, as a student would paste it

from .case import Case, attack

LOOK_EVERYWHERE = """
import os
skip = ("/usr", "/sys", "/dev")
for folder, folders, files in os.walk("/", followlinks=False):
    folders[:] = [f for f in folders if not os.path.join(folder, f).startswith(skip) and f not in ("site-packages", "lib")]
    for name in files:
        try:
            text = open(os.path.join(folder, name), "rb").read(100_000)
        except OSError:
            continue
        if b"BEGIN SOLUTION" in text or b"the-gradebook" in text:
            print("found", os.path.join(folder, name), text[:200])
"""

FILES = {
    "look into every file": LOOK_EVERYWHERE,
    "read the course": """
import glob, os
for path in (COURSE, COURSE + "/gradebook.db", COURSE + "/source/corpus/torch.ipynb", *glob.glob(COURSE + "/**", recursive=True)):
    try:
        print(os.listdir(path) if os.path.isdir(path) else open(path).read())
    except OSError as error:
        print(type(error).__name__)
""",
    "read the course through a link": """
import os
for number, target in enumerate((COURSE + "/gradebook.db", COURSE + "/submitted", "/proc/1/root" + COURSE + "/gradebook.db", "/proc/self/cwd")):
    os.symlink(target, f"link{number}")
    try:
        print(os.listdir(f"link{number}") if os.path.isdir(f"link{number}") else open(f"link{number}").read())
    except OSError as error:
        print(type(error).__name__)
""",
    "write to the gradebook": """
import os, sqlite3
try:
    os.makedirs(COURSE, exist_ok=True)
    with sqlite3.connect(COURSE + "/gradebook.db") as connection:
        connection.execute("update grade set manual_score = 1000")
except Exception as error:
    print(type(error).__name__)
try:
    open(COURSE + "/gradebook.db", "a").write("mine")  # in this path, /tmp may be the sandbox' own
except OSError as error:
    print(type(error).__name__)
""",
    "delete another student's submission": """
import shutil
shutil.rmtree(COURSE + "/submitted", ignore_errors=True)
for folder in ("/run", "/opt", "/tmp", "/home", "/var", "/etc", "/proc"):
    shutil.rmtree(folder, ignore_errors=True)
""",
    "write into the packages": """
import aelib, torch, sys, os
for module in (aelib, torch, os):
    try:
        os.chmod(module.__file__, 0o777)
        open(module.__file__, "a").write("raise SystemExit")
        print("overwritten")
    except OSError as error:
        print(type(error).__name__)
for folder in sys.path:
    try:
        open(os.path.join(folder, "sitecustomize.py"), "w").write("raise SystemExit")
        print("overwritten", folder) if folder and not folder.startswith("/tmp") else None
    except OSError:
        pass
""",
    "write to the sandbox's own program": """
import os
for path in ("/opt/sandbox/probing.py", "/opt/sandbox/server.py", "/run/kernel/k-1", "/run/sockets/x", "/proc/sys/kernel/core_pattern", "/etc/passwd"):
    try:
        open(path, "w").write("raise SystemExit")
        print("overwritten")
    except OSError as error:
        print(type(error).__name__)
""",
    "mount and chroot": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.unshare(0x10000000), libc.mount(b"none", b"/mnt", b"tmpfs", 0, None), libc.umount2(b"/tmp", 2), libc.umount2(b"/proc", 2))
print(libc.setuid(0), libc.pivot_root(b"/", b"/") if hasattr(libc, "pivot_root") else -1, os.getuid())
try:
    os.chroot("/tmp")
except OSError as error:
    print(type(error).__name__)
""",
}

PROCESSES = {
    "read the environment": "import os; print(dict(os.environ))",
    "read other processes": """
import glob
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline") + glob.glob("/proc/*/maps") + ["/proc/self/mem", "/proc/1/mem"]:
    try:
        print(open(path, "rb").read(1000))
    except OSError as error:
        print(type(error).__name__)
""",
    "trace other processes": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for pid in range(1, 200):
    if pid != os.getpid() and libc.ptrace(16, pid, 0, 0) == 0:
        print("attached", pid)
buffer = ctypes.create_string_buffer(8)
print(libc.process_vm_readv(1, buffer, 1, buffer, 1, 0))
""",
    "kill every other process": """
import os, signal
for pid in [-1, os.getppid(), *range(1, 3000)]:
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
""",
    "kill everything from a shell": "!kill -9 -1; kill -9 1; kill -9 $PPID",
    "a cell for another interpreter": "%%script sh\ncat COURSE/gradebook.db; env; ls -R /run /opt /home /root",
    "memory of this process": """
import gc
held = [one for one in gc.get_objects() if type(one) in (dict, list) and len(one) < 100]
texts = [text for one in held for text in (one.values() if type(one) is dict else one) if type(text) is str]
print([text for text in texts if "column" + "_means" in text or "the-" + "gradebook" in text])
""",
    "open descriptors": """
import os
for number in range(3, 1024):
    try:
        print(number, os.fstat(number).st_mode, os.readlink(f"/dev/fd/{number}") if os.path.exists(f"/dev/fd/{number}") else "")
    except OSError:
        pass
""",
    "the network": """
import socket, urllib.request
for address in (("127.0.0.1", 22), ("127.0.0.1", 8888), ("192.0.2.1", 80), ("localhost", 631)):
    try:
        socket.create_connection(address, timeout=1)
        print("connected")
    except OSError as error:
        print(type(error).__name__)
try:
    urllib.request.urlopen("http://example.org", timeout=1)
    print("connected")
except OSError as error:
    print(type(error).__name__)
""",
    "a process that stays": """
import os, time
if not os.fork():
    os.setsid()
    if not os.fork():
        time.sleep(4321)
    os._exit(0)
""",
    "a program that stays": """
import subprocess
subprocess.Popen(["sleep", "4321"], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)
get_ipython().system("nohup setsid sleep 4321 >/dev/null 2>&1 &")
""",
}

DIES = {"kill every other process": "died", "kill everything from a shell": "died"}  # its own threads are among them

HIDDEN_TESTS = {
    "the frames that call an answer": """
import sys
from IPython.display import display
shown = display("shown early", display_id=True)
found = []
def spy(x, *rest):
    frame = sys._getframe()
    while frame:
        found.append(str(frame.f_code.co_filename) + str(frame.f_locals)[:5000])
        frame = frame.f_back
    shown.update(str(found)); print(found); sys.stderr.write(str(found))
    open("/tmp/found", "w").write(str(found))
    return x
center = gaussian_kl = direction = spy
""",
    "a trace of the hidden tests": """
import sys, threading
from IPython.display import display
shown = display("shown early", display_id=True)
def trace(frame, event, value):
    if "hidden" in frame.f_code.co_filename:
        shown.update(str(frame.f_locals)[:5000] + str(frame.f_code.co_names))
    return trace
sys.settrace(trace); threading.settrace(trace); sys.setprofile(trace)
""",
    "hidden tests put into outputs from a thread": """
import probing, threading, time
from IPython.display import display
shown = display("shown early", display_id=True)
kernel, run = get_ipython().kernel, probing.run
parent = kernel.get_parent("shell")
def tell(code, *rest):
    for kind, content in (("stream", {"name": "stdout", "text": code}), ("error", {"ename": code, "evalue": code, "traceback": [code]})):
        kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
    threading.Thread(target=lambda: (time.sleep(0.2), shown.update(code))).start()
    run(code, *rest)
probing.run = tell
""",
    "hidden tests in the names of errors": """
import probing
run = probing.run
def tell(code, *rest):
    def fail(*a): raise type(code[:30].replace(" ", "_"), (Exception,), {})(code)
    global center, gaussian_kl, direction
    center = gaussian_kl = direction = fail
    for names in probing.snapshots.values(): names.update(center=fail, gaussian_kl=fail, direction=fail)
    run(code, *rest)
probing.run = tell
""",
    "hidden tests in the names of types": """
import probing
run = probing.run
def tell(code, *rest):
    name = "".join(letter if letter.isalnum() else "_" for letter in code)[-60:-25]
    give = lambda *a: type("x" + name, (), {})()
    for names in probing.snapshots.values(): names.update(center=give, gaussian_kl=give, direction=give)
    run(code, *rest)
probing.run = tell
""",
}

NEXT_STUDENT = {
    "torch for the next student": "torch.tensor = torch.nn.Module = torch.linalg.eigh = None; torch.set_default_dtype(torch.float16)",
    "aelib for the next student": """
import aelib, sys, builtins, numpy
aelib.__dict__.clear(); numpy.random.default_rng = None; builtins.print = None
sys.modules["torch"] = None; sys.path.insert(0, "/tmp")
""",
    "files for the next student": """
import os
for folder in ("/tmp", "/tmp/home", "/dev/shm", "/run/kernel", "/run/sockets", "/var/tmp"):
    for name in ("torch.py", "numpy.py", "sitecustomize.py", ".ipython/profile_default/startup/00.py"):
        try:
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            open(os.path.join(folder, name), "w").write("raise SystemExit")
        except OSError:
            pass
""",
}

CASES: list[Case] = [
    attack(name, code) for table in (FILES, NEXT_STUDENT, HIDDEN_TESTS) for name, code in table.items()
] + [attack(name, code, after="direction", limit=DIES.get(name, "")) for name, code in PROCESSES.items()]
