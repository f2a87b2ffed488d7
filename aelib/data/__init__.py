"""Data sets: bundled, generated or downloaded. Functions return a `Dataset`, or `Ratings`; every random one takes a seed.

Bundled with a package that is installed anyway (no download):
    `digits`: 1,797 handwritten digits, 8 x 8.
    `photo_patches`: patches of two photographs.

Generated, with the factors that made each example as labels:
    `glyphs`: letters and digits in several fonts and random poses.
    `swiss_roll`, `s_curve`, `circle`, `helix`, `moons`: manifolds with their charts.
    `gaussian_mixture`: points of several Gaussians.
    `generated_ratings`: stars that users gave to items, with the scores behind them; as `Ratings`.

Read from ``$AELIB_DATA_DIR``, or downloaded once and kept in a cache:
    `mnist`: handwritten digits, 28 x 28.
    `fashion_mnist`: clothes, shoes and bags, in the size and form of MNIST.
    `ecg5000`: 500 heartbeats of an electrocardiogram.
    `movielens_100k`: 100,000 ratings of films; as `Ratings`.

For files of your own:
    `read_idx`: the IDX format of MNIST, as a tensor.
    `read_ucr`: the text tables of the UCR time series archive, as a `Dataset`.
"""

from aelib.data.bundled import digits, photo_patches
from aelib.data.dataset import Dataset
from aelib.data.ecg5000 import ecg5000
from aelib.data.fashion_mnist import fashion_mnist
from aelib.data.glyphs import glyphs
from aelib.data.manifolds import circle, gaussian_mixture, helix, moons, s_curve, swiss_roll
from aelib.data.mnist import mnist
from aelib.data.ratings import Ratings, generated_ratings, movielens_100k
from aelib.data.readers import read_idx, read_ucr

__all__ = [
    "Dataset",
    "Ratings",
    "circle",
    "digits",
    "ecg5000",
    "fashion_mnist",
    "gaussian_mixture",
    "generated_ratings",
    "glyphs",
    "helix",
    "mnist",
    "moons",
    "movielens_100k",
    "photo_patches",
    "read_idx",
    "read_ucr",
    "s_curve",
    "swiss_roll",
]
