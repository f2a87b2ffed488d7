"""Fixtures for the tests of data sets: no test may reach the network or the reader's cache."""

from pathlib import Path

import pytest

from aelib.data import files


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, no AELIB_DATA_DIR."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(files.pooch, "os_cache", lambda project: folder / project)
    monkeypatch.delenv("AELIB_DATA_DIR", raising=False)
    return folder / "aelib"


@pytest.fixture
def serve(monkeypatch):
    """A function that sets what a download receives: bytes, or an error that comes after them."""

    def set_answer(content: bytes, error: Exception | None = None):
        class Downloader:
            def __init__(self, **options): ...

            def __call__(self, url, output_file, pooch):
                Path(output_file).write_bytes(content)
                if error:
                    raise error

        monkeypatch.setattr(files.pooch, "HTTPDownloader", Downloader)

    set_answer(b"", AssertionError("nothing may be downloaded here"))
    return set_answer
