"""A real browser for tests: what a page shows, and what it asks a server for while it is open."""

import http.server
import shutil
import subprocess
import threading
from dataclasses import dataclass

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium to open pages with")
PAGE = "/page.html"


@dataclass(frozen=True)
class Seen:
    """What came of opening a page.

    Attributes:
        dom: the document as it is after everything in it that wanted to run has run.
        asked: the paths that were asked for, beside the page itself.
    """

    dom: str
    asked: set[str]


def opened(make_page, folder):
    """Open the page that ``make_page(address of a server)`` gives, in a browser with the profile ``folder``."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != PAGE:
                asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content if self.path == PAGE else b"")

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        content = make_page(address).encode()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            command += [f"--user-data-dir={folder}", "--virtual-time-budget=4000", "--dump-dom", address + PAGE]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        finally:
            server.shutdown()
            thread.join()
    return Seen(done.stdout, {path for path in asked if path != "/favicon.ico"})
