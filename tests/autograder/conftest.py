import textwrap

import pytest
from classroom import open_course

from autograder import workers
from autograder.pool import Pool
from autograder.sandbox import bubblewrap
from autograder.sandbox.forkserver import ForkServer

TINY = '''\
# %% [markdown] locked="intro"
# Tiny: {points} points, {minutes} minutes.

# %% [markdown] task="double" minutes=2 difficulty=1
# ## Double a number
#
# Add it to itself.

# %% solution="double"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    doubled_x = x + x
    return doubled_x
    ### END SOLUTION

# %% tests="double-small" points=1
# Twice 3 is 6.
assert double(3) == 6, "twice 3 is 6"
### BEGIN HIDDEN TESTS
probe(six=double(3))
### END HIDDEN TESTS

# %% tests="double-other" points=1.5
# Twice 10 is 20.
assert double(10) == 20, "twice 10 is 20"
### BEGIN HIDDEN TESTS
unseen = -1234
probe(negative=double(unseen), other=double(int(draw.integers(100, 1000))))
### END HIDDEN TESTS

# %% [markdown] task="reason" minutes=3 difficulty=1
# ## Say why

# %% [markdown] answer="reason" points=2
# One and one make two.
#
# **Rubric** Two points for any reason.

# %%
print(double(4))
'''

BANK = """\
# %% cell="double" name="square"
# You multiply the number by itself.
# Add it to itself instead.
def double(x):
    return x * x

# %% cell="double" name="absolute"
# You lose the sign.
def double(x):
    return 2 * abs(x)
"""


def write_tiny(root):
    folder = root / "solutions" / "01_tiny"
    folder.mkdir(parents=True)
    (folder / "tiny.py").write_text(TINY)
    (folder / "bank.py").write_text(BANK)
    return folder / "tiny.py"


@pytest.fixture(scope="session")
def sandbox():
    """Skip where there can be no sandbox, with the reason."""
    try:
        bubblewrap.program()
    except bubblewrap.SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def server(sandbox):
    """A warm fork server in a sandbox."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture
def tiny(tmp_path):
    """A folder of sources with one small assignment; the value is the path of its source."""
    return write_tiny(tmp_path)


@pytest.fixture(scope="module")
def tiny_for_module(tmp_path_factory):
    """The same, made once for all tests of a module."""
    return write_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def source_with(tmp_path):
    """Write a source with a task, a solution and a test, of which some parts are replaced; the value is its path."""

    def make(**parts):
        folder = tmp_path / "solutions" / "02_made"
        folder.mkdir(parents=True, exist_ok=True)
        default = {
            "task": '# %% [markdown] task="one" minutes=1 difficulty=1\n# ## One',
            "solution": '# %% solution="one"\ndef one():\n    ### BEGIN SOLUTION\n    return 3 - 2 + 1 - 1\n    ### END SOLUTION',
            "tests": '# %% tests="one-value" points=1\n# It is one.\nassert one() == 1, "it is one"\n'
            "### BEGIN HIDDEN TESTS\nprobe(one=one())\n### END HIDDEN TESTS",
            "more": "",
        }
        text = "\n\n".join(textwrap.dedent(part) for part in (default | parts).values())
        (folder / "made.py").write_text(text + "\n")
        return folder / "made.py"

    return make


@pytest.fixture
def course(sandbox, tiny, tmp_path):
    """A course in which one assignment was generated and nobody has submitted."""
    return open_course(tmp_path / "course", tiny)


@pytest.fixture
def runs(monkeypatch):
    """Run submissions in this process, without a cluster; the value lists the names of those that were run."""
    names = []

    def run(self, requests):
        for name, request in requests:
            if request:
                names.append(name)
            yield name, workers.run(request) if request else b""

    monkeypatch.setattr(Pool, "__enter__", lambda self: self)
    monkeypatch.setattr(Pool, "__exit__", lambda self, *error: None)
    monkeypatch.setattr(Pool, "run", run)
    return names
