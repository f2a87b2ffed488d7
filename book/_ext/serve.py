"""Serve the built site on this machine as a web host does: texts compressed. ``python serve.py FOLDER PORT``."""

import functools
import gzip
import http.server
import io
import sys
from pathlib import Path

TEXTS = {".css", ".html", ".js", ".json", ".svg", ".txt"}


@functools.lru_cache(maxsize=256)
def compressed(path: Path, changed: float) -> bytes:
    """The content of a file, compressed; anew when it has changed."""
    return gzip.compress(path.read_bytes(), compresslevel=6)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder; those that are texts are compressed for whoever understands that."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> io.BytesIO | object:
        """Answer a request, but for the content."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in TEXTS or not path.is_file() or "gzip" not in self.headers.get("Accept-Encoding", ""):
            return super().send_head()
        content = compressed(path, path.stat().st_mtime)
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)

    def log_message(self, *_: object) -> None:
        """Print nothing: a page asks for fifty files."""


def server(folder: Path, port: int = 0) -> http.server.ThreadingHTTPServer:
    """A server of a folder on this machine; its ``server_port`` is a free one if none is given."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))


if __name__ == "__main__":
    server(Path(sys.argv[1]), int(sys.argv[2])).serve_forever()
