import gzip
import hashlib
import struct

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from aelib.data import mnist


def write_idx(path, array):
    head = bytes([0, 0, 0x08, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), compresslevel=1))


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A data folder with files of MNIST's test part: right in form, other images."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    monkeypatch.setenv("AELIB_DATA_DIR", str(tmp_path))
    write_idx(folder / "t10k-images-idx3-ubyte.gz", np.zeros((10_000, 28, 28), np.uint8))
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", np.zeros(10_000, np.uint8))
    return folder


def test_the_test_part_has_the_known_figures(real_data):
    d = mnist("test")
    assert d.x.shape == (10_000, 1, 28, 28)
    assert d.x.dtype == torch.float32
    assert (d.x.min(), d.x.max()) == (0, 1)
    assert d.x.mean().item() == pytest.approx(0.1325, abs=5e-5)
    assert d.x.std().item() == pytest.approx(0.3105, abs=5e-5)
    assert d.labels["digit"].bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert d.labels["digit"][:5].tolist() == [7, 2, 1, 0, 4]
    assert d.classes["digit"] == tuple("0123456789")


def test_images_and_labels_belong_together(real_data):
    train, test = mnist("test").split(500)
    few = train.take(torch.arange(1_500))
    classifier = LogisticRegression(max_iter=200).fit(few.flat().numpy(), few.labels["digit"].numpy())
    assert classifier.score(test.flat().numpy(), test.labels["digit"].numpy()) > 0.8


def test_the_first_image_is_the_one_in_the_file(real_data):
    raw = gzip.decompress((real_data / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    first = np.frombuffer(raw[16 : 16 + 784], np.uint8).reshape(28, 28)
    assert np.array_equal((mnist("test").x[0, 0] * 255).round().numpy(), first)


def test_a_missing_row_is_an_error(fake):
    write_idx(fake / "t10k-images-idx3-ubyte.gz", np.zeros((9_999, 28, 28), np.uint8))
    with pytest.raises(
        ValueError, match=r"t10k-images.*\(9999, 28, 28\); expected torch.uint8 of shape \(10000, 28, 28\)"
    ):
        mnist("test")


def test_labels_in_the_place_of_images_are_an_error(fake):
    (fake / "t10k-labels-idx1-ubyte.gz").rename(fake / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(ValueError, match=r"t10k-images.*shape \(10000,\); expected .* \(10000, 28, 28\)"):
        mnist("test")


def test_a_truncated_file_is_an_error(fake):
    path = fake / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte\.gz: cannot be decompressed"):
        mnist("test")


def test_a_wrong_magic_number_is_an_error(fake):
    (fake / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x55\x03" + bytes(100)))
    with pytest.raises(
        ValueError, match=r"t10k-images-idx3-ubyte\.gz: begins with the bytes 00 00 55 03; expected an IDX"
    ):
        mnist("test")


def test_other_images_in_the_right_form_are_an_error(fake):
    found = hashlib.md5((fake / "t10k-images-idx3-ubyte.gz").read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=f"its md5 is {found}; expected 9fb629c4189551a2d022fa330f9573f3"):
        mnist("test")


def test_without_files_and_connection_the_message_says_what_to_do(cache, serve):
    serve(b"", OSError("no route to host"))
    with pytest.raises(ConnectionError) as error:
        mnist()
    message = str(error.value)
    assert "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz" in message
    assert "no route to host" in message
    assert "$AELIB_DATA_DIR/mnist/train-images-idx3-ubyte.gz" in message
    assert list((cache / "mnist").iterdir()) == []


def test_an_unknown_part_is_an_error():
    with pytest.raises(ValueError, match="part: got 'validation'; expected one of 'test', 'train'"):
        mnist("validation")
