"""MNIST, the handwritten digits of LeCun et al. (1998)."""

import torch
from torch import Tensor

from aelib import checks
from aelib.data.dataset import Dataset
from aelib.data.files import RemoteFile, locate, verify
from aelib.data.readers import read_idx

BASE_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"

SIZES = {"train": 60_000, "test": 10_000}

_FILES = {
    "train": (
        ("train-images-idx3-ubyte.gz", "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "md5:d53e105ee54ea40749a09fcbcd1e9432"),
    ),
    "test": (
        ("t10k-images-idx3-ubyte.gz", "md5:9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "md5:ec29112dd5afa0611ce80d1b7f02629c"),
    ),
}


def mnist(part: str = "train") -> Dataset:
    """The handwritten digits of MNIST.

    The files are taken from ``$AELIB_DATA_DIR/mnist`` or from the cache, or are downloaded into the cache (train: 10 MB,
    test: 2 MB). They are checked wherever they come from.

    Args:
        part: "train" (60,000 images) or "test" (10,000).

    Returns:
        ``x`` of shape (N, 1, 28, 28) in [0, 1], the gray levels divided by 255; label ``digit``.

    Raises:
        ConnectionError: if a file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: if ``part`` is unknown or a file is not the one that was published.
    """
    checks.choice("part", part, SIZES)
    images, labels = _FILES[part]
    x = _read(*images, shape=(SIZES[part], 28, 28))
    digit = _read(*labels, shape=(SIZES[part],))
    return Dataset(x.unsqueeze(1) / 255, {"digit": digit.long()}, {"digit": tuple("0123456789")})


def _read(name: str, checksum: str, *, shape: tuple[int, ...]) -> Tensor:
    path = locate(RemoteFile("mnist", name, BASE_URL + name, checksum))
    array = read_idx(path)
    # Before the checksum, because it tells more: the wrong file of the four, or one with rows missing.
    if array.dtype != torch.uint8 or tuple(array.shape) != shape:
        raise ValueError(
            f"{path}: holds {array.dtype} of shape {tuple(array.shape)}; expected torch.uint8 of shape {shape}"
        )
    verify(path, checksum)
    return array
