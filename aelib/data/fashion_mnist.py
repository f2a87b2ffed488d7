"""Fashion-MNIST, the pictures of clothes of Xiao et al. (2017): the size and form of MNIST, and harder."""

from aelib.data.dataset import Dataset
from aelib.data.idx_images import IdxImages

GARMENTS = (
    "T-shirt or top",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

# The checksums are of what the files hold, since Debian compressed the same bytes anew.
_FASHION_MNIST = IdxImages(
    folder="fashion-mnist",
    base_url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    checksums={
        "train": (
            "gunzip-sha256:c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "gunzip-sha256:bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        "test": (
            "gunzip-sha256:5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "gunzip-sha256:0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    },
    label="garment",
    classes=GARMENTS,
)


def fashion_mnist(part: str = "train") -> Dataset:
    """The pictures of clothes, shoes and bags of Fashion-MNIST.

    The files are taken from ``$AELIB_DATA_DIR/fashion-mnist`` or from the cache, or are downloaded into the cache (train:
    26 MB, test: 4 MB). What is in them is checked wherever they come from. Debian's package ``dataset-fashion-mnist`` puts
    them where ``AELIB_DATA_DIR=/usr/share/datasets`` finds them.

    Args:
        part: "train" (60,000 images) or "test" (10,000).

    Returns:
        ``x`` of shape (N, 1, 28, 28) in [0, 1], the gray levels divided by 255; label ``garment``, with as many images of
        each of the ten classes.

    Raises:
        ConnectionError: if a file is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: if ``part`` is unknown or a file does not hold what was published.
    """
    return _FASHION_MNIST.load(part)
