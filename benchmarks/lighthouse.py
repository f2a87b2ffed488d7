"""Lighthouse on three typical pages of the built site, for a desktop and for a phone. It needs Node and Chromium.

Each page is judged three times, and the median counts. A score below 95 ends the run with an error, but for the speed on
Lighthouse's phone, a slow one on a slow network: it is written down as it is. There MathJax, which sets the formulas in the page,
takes most of the time.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import report
from built_site import chromium, served

PAGES = ("book/index", "book/02_variants/08_vae", "exercises/04_sparse/sparse")
CATEGORIES = ("performance", "accessibility")
VERSION = "13.5.0"
LEAST = 95


def scores(command, url, device):
    """The scores of one run, from 0 to 100, and how long the largest content took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        options = ["--quiet", "--output=json", f"--output-path={path}", f"--only-categories={','.join(CATEGORIES)}"]
        options += ["--chrome-flags=--headless --no-sandbox"] + ["--preset=desktop"] * (device == "desktop")
        environment = os.environ | {"CHROME_PATH": chromium()}
        subprocess.run([*command, url, *options], check=True, env=environment)
        found = json.loads(path.read_text())
    largest = found["audits"]["largest-contentful-paint"]["numericValue"] / 1000
    judged = {name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES}
    return judged | {"largest content, seconds": report.significant(largest, 2)}


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--command", default=f"npx --yes lighthouse@{VERSION}", help="how Lighthouse is started")
    options = report.chosen(parser)
    result = {**report.about(options), "lighthouse": VERSION, "pages": {}}
    with served() as address:
        for page in PAGES:
            result["pages"][page] = {}
            for device in ("desktop", "phone"):
                url = f"{address}/{page}.html"
                runs = [scores(options.command.split(), url, device) for _ in range(1 if options.quick else 3)]
                result["pages"][page][device] = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    report.write(options.out, result)
    low = [
        f"{page} on a {device}: {name} {figures[name]}"
        for page, devices in result["pages"].items()
        for device, figures in devices.items()
        for name in CATEGORIES
        if figures[name] < LEAST and (device, name) != ("phone", "performance")
    ]
    if low:
        sys.exit(f"below {LEAST}: {'; '.join(low)}")


if __name__ == "__main__":
    main()
