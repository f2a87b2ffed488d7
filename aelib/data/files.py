"""Where the files of a downloaded data set are: in a folder of the reader's, in the cache, or still to be downloaded."""

import gzip
import hashlib
import os
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import pooch

FOLDER_VARIABLE = "AELIB_DATA_DIR"


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set.

    Attributes:
        folder: the data set's folder, under ``$AELIB_DATA_DIR`` and in the cache.
        name: the file's name there.
        url: the address of the file or, if ``zipped``, of a zip archive that holds it.
        checksum: the file's own, as :func:`verify` takes it.
        zipped: whether ``url`` is an archive.
    """

    folder: str
    name: str
    url: str
    checksum: str
    zipped: bool = False


def locate(file: RemoteFile) -> Path:
    """The path of the file: under ``$AELIB_DATA_DIR``, else in the cache, else downloaded into the cache.

    Raises:
        NotADirectoryError: if ``$AELIB_DATA_DIR`` is set and is no folder.
        ConnectionError: if the download fails.
        ValueError: if something else than the file was downloaded.
    """
    if root := os.environ.get(FOLDER_VARIABLE):
        if not Path(root).is_dir():
            raise NotADirectoryError(f"{FOLDER_VARIABLE}: got {root!r}, which is no folder; expected the data's folder")
        by_hand = Path(root, file.folder, file.name)
        if by_hand.is_file():
            return by_hand
    cached = Path(pooch.os_cache("aelib"), file.folder, file.name)
    if not cached.is_file():
        _download(file, cached)
    return cached


def verify(path: Path, checksum: str) -> None:
    """Check the file at ``path`` against ``checksum``: "md5:...", "sha256:...", or "gunzip-sha256:..." of what a gzip file holds.

    The last does not depend on who compressed the file, and with which settings.

    Raises:
        ValueError: with both checksums if they differ.
    """
    algorithm, _, expected = checksum.partition(":")
    found = _hash(path, algorithm)
    if found != expected:
        raise ValueError(f"{path}: its {algorithm} is {found}; expected {expected}. Delete or replace this file")


def _hash(path: Path, algorithm: str) -> str:
    of_content = algorithm.removeprefix("gunzip-")
    if of_content == algorithm:
        return str(pooch.file_hash(str(path), alg=algorithm))
    try:
        with gzip.open(path) as content:
            return hashlib.file_digest(content, of_content).hexdigest()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: cannot be decompressed ({error}); expected a whole gzip file") from error


def _download(file: RemoteFile, target: Path) -> None:
    """Download to a scratch folder; only a file that is whole and right is moved to ``target``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    by_hand = f"To go without the download, put {file.name} at ${FOLDER_VARIABLE}/{file.folder}/{file.name}"
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        received = Path(scratch, "received")
        try:
            pooch.HTTPDownloader(progressbar=True)(file.url, str(received), None)
        except OSError as error:  # also the base of the errors of requests
            raise ConnectionError(
                f"{target} is not there yet, and {file.url} could not be downloaded ({error}). {by_hand}"
            ) from error
        try:
            if file.zipped:
                with zipfile.ZipFile(received) as archive:
                    received = Path(archive.extract(file.name, scratch))
            verify(received, file.checksum)
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(f"{file.url}: what was downloaded is not {file.name} ({error}). {by_hand}") from error
        os.replace(received, target)
