"""Lighthouse on three typical pages of the built site, for a desktop and for a phone. It needs Node and Chromium.

python benchmarks/lighthouse.py --out build/lighthouse.json
"""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"
PAGES = ("book/index", "book/02_variants/08_vae", "exercises/04_sparse/sparse")
CATEGORIES = ("performance", "accessibility")
VERSION = "13.5.0"
RUNS = 3


def site_server():
    """The project's own server: it compresses texts, as web hosts do."""
    spec = importlib.util.spec_from_file_location("serve", ROOT / "book" / "_ext" / "serve.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.server(SITE)


def scores(command, url, device):
    """The scores of one run, from 0 to 100, and how long the largest content took, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        options = ["--quiet", "--output=json", f"--output-path={path}", f"--only-categories={','.join(CATEGORIES)}"]
        options += ["--chrome-flags=--headless --no-sandbox"] + ["--preset=desktop"] * (device == "desktop")
        subprocess.run([*command, url, *options], check=True)
        report = json.loads(path.read_text())
    found = {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}
    return found | {"largest content, seconds": report["audits"]["largest-contentful-paint"]["numericValue"] / 1000}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--command", default=f"npx --yes lighthouse@{VERSION}", help="how Lighthouse is started")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium:
        os.environ.setdefault("CHROME_PATH", chromium)
    result = {"lighthouse": VERSION, "machine": platform.machine(), "cores": os.cpu_count(), "pages": {}}
    with site_server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for page in PAGES:
            for device in ("desktop", "phone"):
                url = f"http://127.0.0.1:{server.server_port}/{page}.html"
                runs = [scores(options.command.split(), url, device) for _ in range(RUNS)]
                median = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
                result["pages"].setdefault(page, {})[device] = median
                print(page, device, median, flush=True)
        server.shutdown()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
