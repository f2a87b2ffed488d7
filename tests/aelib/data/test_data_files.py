import hashlib
import shutil
import socket
import zipfile

import pytest

from aelib.data.files import RemoteFile, locate, verify

CONTENT = b"one, two, three\n"
FILE = RemoteFile("set", "numbers.txt", "https://example.org/numbers.txt", "md5:" + hashlib.md5(CONTENT).hexdigest())
ZIPPED = RemoteFile(
    "set", "numbers.txt", "https://example.org/set.zip", "sha256:" + hashlib.sha256(CONTENT).hexdigest(), zipped=True
)


def archive(tmp_path, **members) -> bytes:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name.replace("_", "."), content)
    return path.read_bytes()


def test_the_readers_own_folder_comes_first_then_the_cache_then_a_download(tmp_path, monkeypatch, cache, serve):
    serve(CONTENT)
    assert locate(FILE) == cache / "set" / "numbers.txt"
    serve(b"", AssertionError("nothing may be downloaded here"))
    assert locate(FILE) == cache / "set" / "numbers.txt"

    own = tmp_path / "own" / "set"
    own.mkdir(parents=True)
    monkeypatch.setenv("AELIB_DATA_DIR", str(own.parent))
    assert locate(FILE) == cache / "set" / "numbers.txt"  # the folder is there, the file is not
    (own / "numbers.txt").write_bytes(CONTENT)
    assert locate(FILE) == own / "numbers.txt"


def test_a_download_leaves_the_file_and_nothing_else(cache, serve):
    serve(CONTENT)
    assert locate(FILE).read_bytes() == CONTENT
    assert [p.name for p in (cache / "set").iterdir()] == ["numbers.txt"]


def test_a_zipped_file_is_unpacked(tmp_path, cache, serve):
    serve(archive(tmp_path, numbers_txt=CONTENT, readme_md=b"hello"))
    assert locate(ZIPPED).read_bytes() == CONTENT
    assert [p.name for p in (cache / "set").iterdir()] == ["numbers.txt"]


def test_a_download_that_breaks_off_leaves_nothing(cache, serve):
    serve(CONTENT[:5], TimeoutError("the connection timed out"))
    with pytest.raises(ConnectionError) as error:
        locate(FILE)
    message = str(error.value)
    assert "https://example.org/numbers.txt" in message
    assert "the connection timed out" in message
    assert "put numbers.txt at $AELIB_DATA_DIR/set/numbers.txt" in message
    assert list((cache / "set").iterdir()) == []


def test_a_stopped_download_leaves_nothing(cache, serve):
    serve(CONTENT[:5], KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        locate(FILE)
    assert list((cache / "set").iterdir()) == []


def test_an_address_where_nobody_answers(cache, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/numbers.txt"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(ConnectionError, match="could not be downloaded") as error:
            locate(RemoteFile("set", "numbers.txt", url, FILE.checksum))
    assert url in str(error.value)
    assert "$AELIB_DATA_DIR/set/numbers.txt" in str(error.value)
    assert list((cache / "set").iterdir()) == []


@pytest.mark.parametrize("received", ["half", "other member", "no archive"])
def test_a_wrong_download_is_refused_and_not_kept(received, tmp_path, cache, serve):
    if received == "half":
        file, content, reason = FILE, CONTENT[:-1], "its md5 is .*; expected " + FILE.checksum[4:]
    elif received == "other member":
        file, content, reason = ZIPPED, archive(tmp_path, readme_md=CONTENT), "no item named 'numbers.txt'"
    else:
        file, content, reason = ZIPPED, b"<html>log in first</html>", "not a zip file"
    serve(content)
    with pytest.raises(ValueError, match=reason) as error:
        locate(file)
    assert file.url in str(error.value)
    assert "$AELIB_DATA_DIR/set/numbers.txt" in str(error.value)
    assert list((cache / "set").iterdir()) == []


def test_a_data_folder_that_does_not_exist_is_an_error(tmp_path, monkeypatch, cache):
    monkeypatch.setenv("AELIB_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(NotADirectoryError, match=r"AELIB_DATA_DIR: got '.*nowhere', which is no folder"):
        locate(FILE)


@pytest.mark.parametrize("file", [FILE, ZIPPED])
def test_verify_notices_one_changed_byte(file, tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_bytes(CONTENT)
    verify(path, file.checksum)
    shutil.copy(path, tmp_path / "copy")
    (tmp_path / "copy").write_bytes(b"0" + CONTENT[1:])
    with pytest.raises(ValueError, match=f"copy: its .* expected {file.checksum.split(':')[1]}"):
        verify(tmp_path / "copy", file.checksum)
