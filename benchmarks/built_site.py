"""The built site on a server of this machine, and Chromium, for what is measured in a browser."""

import contextlib
import importlib.util
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"


def chromium() -> str:
    """Where the browser is; without one nothing can be measured."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return found or sys.exit("this needs Chromium; on Debian: apt install chromium")


@contextlib.contextmanager
def served(folder: Path = SITE) -> Iterator[str]:
    """The address of a server with the site; it compresses texts, as web hosts do."""
    if not (folder / "index.html").is_file():
        sys.exit(f"{folder} has no site; build the book first: make book")
    spec = importlib.util.spec_from_file_location("serve", ROOT / "book" / "_ext" / "serve.py")
    serve = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(serve)
    with serve.server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
