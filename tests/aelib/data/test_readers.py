import gzip
import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aelib.data import read_idx, read_ucr

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def idx_bytes(array: np.ndarray) -> bytes:
    """The file's bytes, written number by number as the format describes them."""
    letter = {"uint8": "B", "int8": "b", "int16": "h", "int32": "i", "float32": "f", "float64": "d"}[array.dtype.name]
    head = bytes([0, 0, CODES[array.dtype.name], array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return head + b"".join(struct.pack(">" + letter, value) for value in array.ravel().tolist())


arrays = st.sampled_from(sorted(CODES)).flatmap(
    lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
)


@given(array=arrays, compressed=st.booleans())
def test_idx_comes_back_as_it_was_written(array, compressed, tmp_path_factory):
    path = tmp_path_factory.mktemp("idx") / "array"
    path.write_bytes(gzip.compress(idx_bytes(array)) if compressed else idx_bytes(array))
    found = read_idx(path)
    assert found.dtype == getattr(torch, array.dtype.name)
    assert tuple(found.shape) == array.shape
    assert found.numpy().tobytes() == array.tobytes()


@given(array=arrays.filter(lambda a: a.size > 0), data=st.data())
def test_a_cut_idx_file_is_never_taken_for_whole(array, data, tmp_path_factory):
    content = idx_bytes(array)
    kept = data.draw(st.integers(0, len(content) - 1))
    path = tmp_path_factory.mktemp("idx") / "array"
    path.write_bytes(content[:kept])
    with pytest.raises(ValueError, match="expected"):
        read_idx(path)
    path.write_bytes(gzip.compress(content)[: -1 - kept % 8])
    with pytest.raises(ValueError, match="expected a whole gzip file"):
        read_idx(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"begins with the bytes \(none\); expected an IDX file"),
        (b"\x89PNG\r\n", "begins with the bytes 89 50 4e 47; expected an IDX file"),
        (b"\0\0\x07\x01\0\0\0\1\5", "begins with the bytes 00 00 07 01; expected an IDX file"),
        (b"\0\0\x08\x03\0\0\0\1", "holds 8 bytes; expected a header of 16 for 3 axes"),
        (b"\0\0\x08\x01\0\0\0\2\1\2\3", r"holds 11 bytes; expected 10, as its header says uint8 of shape \(2,\)"),
    ],
)
def test_what_is_no_idx_file(content, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_idx(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_ucr(tmp_path / "nothing")


@pytest.mark.parametrize("separator", ["  ", "\t", ",", ", "])
def test_ucr_table(separator, tmp_path):
    rows = [["-1", "0.5", "1e-3", "-2"], ["7.0000000e+00", "1", "2", "3"], ["1", "4", "5", "6"], ["-1", "7", "8", "9"]]
    path = tmp_path / "table.txt"
    path.write_text("".join(separator.join(row) + "\n" for row in rows) + "\n")
    d = read_ucr(path)
    assert torch.equal(d.x, torch.tensor([[0.5, 1e-3, -2], [1, 2, 3], [4, 5, 6], [7, 8, 9]]))
    assert d.labels["class"].tolist() == [0, 2, 1, 0]
    assert d.classes["class"] == ("-1", "1", "7")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no row"),
        ("1\n", "line 1: holds 1 numbers; expected 2"),
        ("1 2 3\n1 2\n", "line 2: holds 2 numbers; expected 3"),
        ("1 2 3\n\n1 2 x\n", "line 3: could not convert string to float: 'x'"),
        ("1.5 2 3\n", r"line 1: begins with 1\.5; expected a class, a whole number"),
        ("1 2 nan\n", "1 of 3 values are NaN or infinite"),
        ("1 2 \u00e9\n", "is not text"),
    ],
)
def test_what_is_no_ucr_table(text, message, tmp_path):
    path = tmp_path / "table.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as error:
        read_ucr(path)
    assert str(path) in str(error.value)


def test_ucr_file_reads_like_numpys(real_data):
    path = real_data / "ecg5000" / "ECG5000_TRAIN.txt"
    expected = np.loadtxt(path)
    d = read_ucr(path)
    assert np.array_equal(d.x.numpy(), expected[:, 1:].astype(np.float32))
    assert np.array_equal(d.labels["class"].numpy() + 1, expected[:, 0])
