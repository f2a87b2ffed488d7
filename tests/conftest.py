"""Fixtures for all tests."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import torch
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# The same examples in every run, and no limit of time: a busy machine is no bug.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

REAL_FILES = ("mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz", "ecg5000/ECG5000_TRAIN.txt")


class FilesAndAssignments(LoadFileScheduling):
    """One process runs the tests of a file; in tests/solutions, those of one assignment in it, since each takes minutes."""

    def _split_scope(self, nodeid: str) -> str:
        assignment = re.match(r"tests/solutions/.*\[(\d\d_[a-z]+)", nodeid)
        return super()._split_scope(nodeid) + (assignment[1] if assignment else "")


@pytest.hookimpl(optionalhook=True)  # nbval runs without pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return FilesAndAssignments(config, log)


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Code of a notebook sets torch's default type and the style of figures: the next test does not see it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # leave the second core to others
    with mpl.rc_context():
        yield
    plt.close("all")
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser. It lives as long as the tests of one file, since its event loop would be in the way of others."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium to open pages with; on Debian: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the real files, made known to aelib; without all of them the test is skipped.

    It is the folder that AELIB_DATA_DIR names or, if that is not set, ../shared/data as seen from the repository.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AELIB_DATA_DIR") or beside)
    missing = [name for name in REAL_FILES if not (folder / name).is_file()]
    if missing:
        pytest.skip(
            f"needs real data: {folder} lacks {', '.join(missing)}; set AELIB_DATA_DIR to the folder that has them"
        )
    monkeypatch.setenv("AELIB_DATA_DIR", str(folder))
    return folder
