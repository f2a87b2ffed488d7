"""MNIST, the handwritten digits of LeCun et al. (1998)."""

from aelib.data.dataset import Dataset
from aelib.data.idx_images import IdxImages

_MNIST = IdxImages(
    folder="mnist",
    base_url="https://ossci-datasets.s3.amazonaws.com/mnist/",
    checksums={
        "train": ("md5:f68b3c2dcbeaaa9fbdd348bbdeb94873", "md5:d53e105ee54ea40749a09fcbcd1e9432"),
        "test": ("md5:9fb629c4189551a2d022fa330f9573f3", "md5:ec29112dd5afa0611ce80d1b7f02629c"),
    },
    label="digit",
    classes=tuple("0123456789"),
)


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
    return _MNIST.load(part)
