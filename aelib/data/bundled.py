"""Real images that come with scikit-learn: nothing to download."""

import numpy as np
import torch
from sklearn.datasets import load_digits, load_sample_image

from aelib import checks
from aelib.data.dataset import Dataset

PHOTOS = ("china", "flower")

# The weights of red, green and blue in the luma Y' of Recommendation ITU-R BT.601-7, section 2.5.1.
LUMA_WEIGHTS = (0.299, 0.587, 0.114)


def digits() -> Dataset:
    """The 1,797 handwritten digits of scikit-learn.

    Each pixel counts the inked points, 0 to 16, in a 4 x 4 cell of a 32 x 32 bitmap; ``x`` is that count divided by 16.
    They are the test part of the handwritten digits of Alpaydin and Kaynak (1998).

    Returns:
        ``x`` of shape (1797, 1, 8, 8) in [0, 1]; label ``digit``.
    """
    bunch = load_digits()
    x = torch.from_numpy(bunch.images).to(torch.float32).div(16).unsqueeze(1)
    return Dataset(x, {"digit": torch.from_numpy(bunch.target)}, {"digit": tuple("0123456789")})


def photo_patches(n: int = 10_000, *, size: int = 16, gray: bool = False, seed: int = 0) -> Dataset:
    """Square patches, cut at uniformly random places of scikit-learn's two sample photographs (427 x 640 pixels).

    Patches may overlap, so two of them may share pixels: for a test set that shares none with the training set, split
    by ``photo`` or by ``row`` and ``column``.

    Args:
        n: how many patches, at least 1.
        size: height and width of a patch in pixels, 1 to 427.
        gray: whether to keep only the luma, 0.299 R + 0.587 G + 0.114 B (Recommendation ITU-R BT.601-7).
        seed: the seed of the places.

    Returns:
        ``x`` of shape (n, 3, size, size), or (n, 1, size, size) if ``gray``, in [0, 1]; labels ``photo`` (a class),
        ``row`` and ``column`` (of the patch's upper left pixel).

    Raises:
        ValueError: if ``n`` or ``size`` is too small, or ``size`` is larger than a photograph.
    """
    checks.at_least("n", n, 1)
    checks.at_least("size", size, 1)
    photos = torch.from_numpy(np.stack([load_sample_image(f"{name}.jpg") for name in PHOTOS]))  # (2, H, W, 3)
    height, width = photos.shape[1:3]
    if size > min(height, width):
        raise ValueError(f"size: got {size}; expected at most {min(height, width)}, the height of the photographs")

    generator = torch.Generator().manual_seed(seed)
    photo = torch.randint(len(PHOTOS), (n,), generator=generator)
    row = torch.randint(height - size + 1, (n,), generator=generator)
    column = torch.randint(width - size + 1, (n,), generator=generator)

    windows = photos.unfold(1, size, 1).unfold(2, size, 1)  # a view, (2, H - size + 1, W - size + 1, 3, size, size)
    x = windows[photo, row, column].to(torch.float32) / 255
    if gray:
        x = torch.einsum("nchw,c->nhw", x, torch.tensor(LUMA_WEIGHTS)).unsqueeze(1).clamp(0, 1)
    return Dataset(x, {"photo": photo, "row": row, "column": column}, {"photo": PHOTOS})
