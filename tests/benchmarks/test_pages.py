"""What is measured in a browser: the scripts run, and say when a page is worse than promised."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Stands for Lighthouse: says how it was called and what it found.
STUB = """
import json, sys
path = next(option for option in sys.argv if option.startswith("--output-path=")).partition("=")[2]
device = "desktop" if "--preset=desktop" in sys.argv else "phone"
scores = {"desktop": DESKTOP, "phone": PHONE}[device]
categories = {name: {"score": score} for name, score in zip(("performance", "accessibility"), scores)}
audits = {"largest-contentful-paint": {"numericValue": 1234}}
open(path, "w").write(json.dumps({"categories": categories, "audits": audits}))
"""


def measure(script, out, *options):
    command = [sys.executable, str(ROOT / "benchmarks" / script), "--quick", f"--out={out}", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(autouse=True)
def built():
    if not (ROOT / "_build" / "html" / "index.html").exists():
        pytest.skip("the book is not built; `make test` builds it first, `make book` builds it alone")
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("there is no Chromium to open pages with; on Debian: apt install chromium")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("desktop", "phone", "low"),
    [
        ((0.96, 1), (0.4, 0.95), []),
        ((0.94, 1), (1, 1), ["book/index on a desktop: performance 94"]),
        ((1, 0.9), (1, 0.8), ["book/index on a desktop: accessibility 90", "book/index on a phone: accessibility 80"]),
    ],
)
def test_a_page_below_the_promise_ends_lighthouse_with_its_name(tmp_path, desktop, phone, low):
    (tmp_path / "stub.py").write_text(STUB.replace("DESKTOP", str(desktop)).replace("PHONE", str(phone)))
    done = measure("lighthouse.py", tmp_path / "result.json", f"--command={sys.executable} {tmp_path / 'stub.py'}")
    assert [line for line in low if line not in done.stderr] == []
    assert bool(done.returncode) is bool(low)
    page = json.loads((tmp_path / "result.json").read_text())["pages"]["book/index"]
    assert page["desktop"] == {
        "performance": round(100 * desktop[0]),
        "accessibility": round(100 * desktop[1]),
        "largest content, seconds": 1.2,
    }


@pytest.mark.slow
def test_the_first_response_of_an_explorer_is_measured(tmp_path):
    done = measure("explorer.py", tmp_path / "result.json")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["rounds"] == 2
    assert all(result[name]["seconds"] > 0 for name in ("runtime ready", "first response", "response"))
