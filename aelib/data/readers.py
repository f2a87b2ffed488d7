"""Readers of two file formats. A file that is not what it should be raises an error that says where it goes wrong."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aelib import checks
from aelib.data.dataset import Dataset

# The third byte of an IDX file says what each number is; numbers have their most significant byte first.
# Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", section "The IDX file format".
IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: str | Path) -> Tensor:
    """The array in an IDX file, plain or compressed with gzip (told by its first bytes, not by its name).

    Args:
        path: the file.

    Returns:
        The array, with the shape and the type that the file states (uint8, int8, int16, int32, float32 or float64).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not an IDX file, or if it is shorter or longer than its header says.
    """
    content = Path(path).read_bytes()
    if content.startswith(_GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: cannot be decompressed ({error}); expected a whole gzip file") from error

    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_DTYPES:
        types = ", ".join(f"{code:02x}" for code in IDX_DTYPES)
        raise ValueError(
            f"{path}: begins with the bytes {content[:4].hex(' ') or '(none)'}; expected an IDX file, which begins with "
            f"00 00, a type ({types}) and the number of axes"
        )
    dtype, num_axes = np.dtype(IDX_DTYPES[content[2]]), content[3]
    start = 4 + 4 * num_axes
    if len(content) < start:
        raise ValueError(f"{path}: holds {len(content)} bytes; expected a header of {start} for {num_axes} axes")
    shape = struct.unpack(f">{num_axes}I", content[4:start])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise ValueError(
            f"{path}: holds {len(content)} bytes; expected {expected}, as its header says {dtype.name} of shape {shape}"
        )
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return torch.from_numpy(array.astype(dtype.newbyteorder("=")))


def read_ucr(path: str | Path) -> Dataset:
    """The table of a time series data set in the UCR text format.

    Each row is one series: its class, a whole number, then its values; separated by blanks, tabs or commas.
    Source: Dau et al. (2019).

    Args:
        path: the file.

    Returns:
        ``x`` of shape (N, T); label ``class``, 0 to K - 1 in the order of the file's numbers, whose classes are named by
        those numbers.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it has no row, a row of another length, or something that is not a finite number.
    """
    rows: list[list[float]] = []
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not text ({error}); expected rows of numbers") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = [float(word) for word in line.replace(",", " ").split()]
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}; expected a class and values, all numbers") from error
        if not row:
            continue
        expected = len(rows[0]) if rows else max(len(row), 2)
        if len(row) != expected:
            raise ValueError(
                f"{path}, line {number}: holds {len(row)} numbers; expected {expected}, a class and values"
            )
        if not row[0].is_integer():
            raise ValueError(f"{path}, line {number}: begins with {row[0]}; expected a class, a whole number")
        rows.append(row)
    if not rows:
        raise ValueError(f"{path}: holds no row; expected a class and values in each row")

    table = torch.tensor(rows, dtype=torch.float64)
    checks.finite(str(path), table)
    values, label = table[:, 0].unique(sorted=True, return_inverse=True)
    return Dataset(
        table[:, 1:].to(torch.float32), {"class": label}, {"class": tuple(f"{v:.0f}" for v in values.tolist())}
    )
