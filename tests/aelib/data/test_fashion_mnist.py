"""Fashion-MNIST: the known figures of its files, and that what they hold is checked, however it is compressed."""

import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from aelib.data import fashion_mnist
from aelib.data.files import RemoteFile, locate, verify

CONTENT = b"one, two, three\n"
CHECKSUM = "gunzip-sha256:" + hashlib.sha256(CONTENT).hexdigest()


def write_idx(path, array):
    head = bytes([0, 0, 0x08, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), compresslevel=1))


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A data folder with files of the test part: right in form, other images."""
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    monkeypatch.setenv("AELIB_DATA_DIR", str(tmp_path))
    write_idx(folder / "t10k-images-idx3-ubyte.gz", np.zeros((10_000, 28, 28), np.uint8))
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", np.zeros(10_000, np.uint8))
    return folder


@pytest.fixture
def real_files():
    """The folder with the real files; without all of them the test is skipped."""
    folder = Path(os.environ.get("AELIB_DATA_DIR", ""), "fashion-mnist")
    names = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    missing = [name for name in names if not (folder / name).is_file()]
    if "AELIB_DATA_DIR" not in os.environ or missing:
        pytest.skip("needs real data: set AELIB_DATA_DIR to a folder with the four files in fashion-mnist")
    return folder


def test_both_parts_have_the_known_figures(real_files):
    train, test = fashion_mnist("train"), fashion_mnist("test")
    assert train.x.shape == (60_000, 1, 28, 28)
    assert test.x.shape == (10_000, 1, 28, 28)
    for part in (train, test):
        assert part.x.dtype == torch.float32
        assert (part.x.min(), part.x.max()) == (0, 1)
        assert part.labels["garment"].bincount().tolist() == [len(part) // 10] * 10
    # The mean and the standard deviation that others normalize by.
    assert train.x.mean().item() == pytest.approx(0.2860, abs=5e-5)
    assert train.x.std().item() == pytest.approx(0.3530, abs=5e-5)
    assert train.labels["garment"][:5].tolist() == [9, 0, 0, 3, 0]
    names = [test.classes["garment"][i] for i in test.labels["garment"][:5]]
    assert names == ["ankle boot", "pullover", "trousers", "trousers", "shirt"]


def test_images_and_labels_belong_together(real_files):
    few, test = fashion_mnist().take(torch.arange(1_500)), fashion_mnist("test")
    classifier = LogisticRegression(C=0.01, max_iter=1000).fit(few.flat().numpy(), few.labels["garment"].numpy())
    assert classifier.score(test.flat().numpy(), test.labels["garment"].numpy()) > 0.7


def test_the_last_image_is_the_one_in_the_file(real_files):
    raw = gzip.decompress((real_files / "train-images-idx3-ubyte.gz").read_bytes())
    last = np.frombuffer(raw[-784:], np.uint8).reshape(28, 28)
    assert np.array_equal((fashion_mnist().x[-1, 0] * 255).round().numpy(), last)


def test_other_images_in_the_right_form_are_an_error(fake):
    found = hashlib.sha256(gzip.decompress((fake / "t10k-images-idx3-ubyte.gz").read_bytes())).hexdigest()
    with pytest.raises(ValueError, match=f"t10k-images.*its gunzip-sha256 is {found}; expected 5b4141f0"):
        fashion_mnist("test")


def test_digits_in_the_place_of_clothes_are_an_error(real_data, fake):
    for file in (real_data / "mnist").glob("t10k-*"):
        (fake / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte\.gz: its gunzip-sha256 is"):
        fashion_mnist("test")


def test_a_missing_row_is_an_error(fake):
    write_idx(fake / "t10k-images-idx3-ubyte.gz", np.zeros((9_999, 28, 28), np.uint8))
    with pytest.raises(ValueError, match=r"\(9999, 28, 28\); expected torch.uint8 of shape \(10000, 28, 28\)"):
        fashion_mnist("test")


def test_an_unknown_part_is_an_error():
    with pytest.raises(ValueError, match="part: got 'validation'; expected one of 'test', 'train'"):
        fashion_mnist("validation")


def test_without_files_and_connection_the_message_says_what_to_do(cache, serve):
    serve(b"", OSError("no route to host"))
    with pytest.raises(ConnectionError) as error:
        fashion_mnist()
    assert "eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz" in str(error.value)
    assert "$AELIB_DATA_DIR/fashion-mnist/train-images-idx3-ubyte.gz" in str(error.value)
    assert list((cache / "fashion-mnist").iterdir()) == []


@pytest.mark.parametrize("level", [1, 9])
def test_what_a_file_holds_is_checked_however_it_is_compressed(tmp_path, level):
    path = tmp_path / "numbers.gz"
    path.write_bytes(gzip.compress(CONTENT, compresslevel=level, mtime=level))
    verify(path, CHECKSUM)
    path.write_bytes(gzip.compress(b"0" + CONTENT[1:]))
    with pytest.raises(ValueError, match=f"its gunzip-sha256 is .* expected {CHECKSUM.split(':')[1]}"):
        verify(path, CHECKSUM)


@pytest.mark.parametrize("received", [gzip.compress(CONTENT)[:-4], gzip.compress(CONTENT)[:12], CONTENT, b""])
def test_a_download_that_cannot_be_decompressed_is_refused_and_not_kept(cache, serve, received):
    serve(received)
    with pytest.raises(ValueError, match=r"what was downloaded is not numbers\.gz"):
        locate(RemoteFile("set", "numbers.gz", "https://example.org/numbers.gz", CHECKSUM))
    assert list((cache / "set").iterdir()) == []
