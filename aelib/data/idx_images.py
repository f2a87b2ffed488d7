"""Data sets in the form of MNIST: 60,000 images to train on and 10,000 to test on, 28 x 28, in four IDX files."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from aelib import checks
from aelib.data.dataset import Dataset
from aelib.data.files import RemoteFile, locate, verify
from aelib.data.readers import read_idx

SIZES = {"train": 60_000, "test": 10_000}

_NAMES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


@dataclass(frozen=True)
class IdxImages:
    """Where the four files of a data set are, and what its classes mean.

    Attributes:
        folder: the data set's folder, under ``$AELIB_DATA_DIR`` and in the cache.
        base_url: the address of the files, before their names.
        checksums: part ("train", "test") -> those of its images and of its labels.
        label: what the classes are called together.
        classes: the name of each class, by its integer.
    """

    folder: str
    base_url: str
    checksums: Mapping[str, tuple[str, str]]
    label: str
    classes: tuple[str, ...]

    def load(self, part: str) -> Dataset:
        """``x`` of shape (N, 1, 28, 28) in [0, 1], the gray levels divided by 255, with the label.

        Raises:
            ConnectionError: if a file is not there and cannot be downloaded.
            ValueError: if ``part`` is unknown or a file is not the one that was published.
        """
        checks.choice("part", part, SIZES)
        images, labels = zip(_NAMES[part], self.checksums[part], strict=True)
        x = self._read(*images, shape=(SIZES[part], 28, 28))
        y = self._read(*labels, shape=(SIZES[part],))
        return Dataset(x.unsqueeze(1) / 255, {self.label: y.long()}, {self.label: self.classes})

    def _read(self, name: str, checksum: str, *, shape: tuple[int, ...]) -> Tensor:
        path = locate(RemoteFile(self.folder, name, self.base_url + name, checksum))
        array = read_idx(path)
        # Before the checksum, because it tells more: the wrong file of the four, or one with rows missing.
        if array.dtype != torch.uint8 or tuple(array.shape) != shape:
            raise ValueError(
                f"{path}: holds {array.dtype} of shape {tuple(array.shape)}; expected torch.uint8 of shape {shape}"
            )
        verify(path, checksum)
        return array
