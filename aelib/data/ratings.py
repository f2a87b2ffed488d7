"""Ratings: a table of users by items of which few cells are known. MovieLens 100K, and a generated set of the same form."""

import io
import zipfile
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from aelib import checks
from aelib.data.files import RemoteFile, locate, verify

_ARCHIVE = RemoteFile(
    "movielens",
    "ml-100k.zip",
    "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
    "md5:0e33842e24a9c977be4e0107933c0723",
)
_TABLE = "ml-100k/u.data"
_NUM_USERS, _NUM_ITEMS, _NUM_RATINGS = 943, 1682, 100_000

LOWEST, HIGHEST = 1, 5
"""The fewest and the most stars that can be given."""


@dataclass(frozen=True)
class Ratings:
    """The known cells of a table of users by items, one row of each tensor for each of M ratings.

    Attributes:
        user: who rated, integers from 0 to num_users - 1, shape (M,).
        item: what was rated, integers from 0 to num_items - 1, shape (M,).
        stars: how it was rated, floats, shape (M,).
        num_users: the rows of the table; there may be users without any rating.
        num_items: its columns.

    Raises:
        ValueError: if the tensors differ in length, an index is out of range, or a cell is there twice.
    """

    user: Tensor
    item: Tensor
    stars: Tensor
    num_users: int
    num_items: int

    def __post_init__(self) -> None:
        if not len(self.user) == len(self.item) == len(self.stars):
            lengths = len(self.user), len(self.item), len(self.stars)
            raise ValueError(f"user, item, stars: got {lengths} values; expected the same number of each")
        checks.within("user", self.user, 0, self.num_users - 1)
        checks.within("item", self.item, 0, self.num_items - 1)
        twice = len(self) - len((self.user * self.num_items + self.item).unique())
        if twice:
            raise ValueError(f"user, item: got {twice} cells more than once; expected one rating for each")

    def __len__(self) -> int:
        return len(self.stars)

    def table(self) -> tuple[Float[Tensor, "num_users num_items"], Bool[Tensor, "num_users num_items"]]:
        """The stars of each cell, 0 where there is no rating, and which cells have one."""
        stars = torch.zeros(self.num_users, self.num_items)
        known = torch.zeros(self.num_users, self.num_items, dtype=torch.bool)
        stars[self.user, self.item] = self.stars
        known[self.user, self.item] = True
        return stars, known

    def take(self, index: Tensor) -> "Ratings":
        """The ratings at ``index`` (integers or a mask), in a table of the same size."""
        return Ratings(self.user[index], self.item[index], self.stars[index], self.num_users, self.num_items)

    def split(self, num_test: int, *, seed: int = 0) -> tuple["Ratings", "Ratings"]:
        """Shuffle the ratings with ``seed`` and cut into (train, test), the test part with ``num_test`` ratings.

        Raises:
            ValueError: if either part would be empty.
        """
        if not 0 < num_test < len(self):
            raise ValueError(
                f"num_test: got {num_test}; expected 1 to {len(self) - 1}, as there are {len(self)} ratings"
            )
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        return self.take(order[num_test:]), self.take(order[:num_test])


def movielens_100k() -> Ratings:
    """The ratings of MovieLens 100K: 100,000 ratings of 1 to 5 stars, by 943 users of 1,682 films, at least 20 by each user.

    The archive is taken from ``$AELIB_DATA_DIR/movielens`` or from the cache, or is downloaded into the cache (5 MB). It is
    checked wherever it comes from. Its terms of use, in the README inside, forbid passing it on.
    Source: Harper and Konstan (2015).

    Raises:
        ConnectionError: if the archive is not there and cannot be downloaded; the message says where to put it by hand.
        ValueError: if it is not the one that was published.
    """
    path = locate(_ARCHIVE)
    verify(path, _ARCHIVE.checksum)
    with zipfile.ZipFile(path) as archive:
        rows = np.loadtxt(io.BytesIO(archive.read(_TABLE)), dtype=np.int64)  # user, item, stars, seconds; from 1
    if rows.shape != (_NUM_RATINGS, 4):
        raise ValueError(f"{path}: {_TABLE} has shape {rows.shape}; expected ({_NUM_RATINGS}, 4)")
    user, item, stars = torch.from_numpy(rows[:, :3]).unbind(1)
    return Ratings(user - 1, item - 1, stars.float(), _NUM_USERS, _NUM_ITEMS)


def generated_ratings(
    num_users: int = 600, num_items: int = 400, *, per_user: int = 32, latent_dim: int = 4, seed: int = 0
) -> tuple[Ratings, Float[Tensor, "num_users num_items"]]:
    """Ratings drawn from a model, in the form of MovieLens, with the truth that no real data set has.

    User u has a taste t_u and a leniency a_u, item i has features f_i, a quality b_i and a fame c_i, all Gaussian with mean 0.
    The score of a cell is

        3.5 + a_u + b_i + t_u . f_i / sqrt(latent_dim),

    with standard deviations of 0.35 for a, 0.45 for b and 1 for c and each value of t and f. A rating is the score with Gaussian
    noise of standard deviation 0.7, rounded and brought to 1 to 5 stars. Which cells are rated is *not* random: a user's items
    are drawn without replacement, with weights exp(c_i + score), so that the famous and the promising are rated more.

    Args:
        num_users: the rows of the table.
        num_items: its columns.
        per_user: the mean number of ratings of a user, at least 10; half of these are given by everyone, the others are
            spread exponentially, and no one has more than half of all items.
        latent_dim: the number of values in a taste.
        seed: the seed of everything.

    Returns:
        The ratings, and the score of every cell, before noise and rounding.

    Raises:
        ValueError: if a size is too small, or there are fewer than 2 * per_user items.
    """
    checks.at_least("num_users", num_users, 1)
    checks.at_least("per_user", per_user, 10)
    checks.at_least("latent_dim", latent_dim, 1)
    checks.at_least("num_items", num_items, 2 * per_user)
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    taste, features = normal(num_users, latent_dim), normal(num_items, latent_dim)
    score = 3.5 + 0.35 * normal(num_users, 1) + 0.45 * normal(num_items) + taste @ features.T / latent_dim**0.5
    stars = (score + 0.7 * normal(num_users, num_items)).round().clamp(LOWEST, HIGHEST)

    # The largest n of log-weights with Gumbel noise are a draw of n without replacement.
    order = (normal(num_items) + score + _gumbel((num_users, num_items), generator)).argsort(dim=1, descending=True)
    spread = -(per_user / 2) * (1 - torch.rand(num_users, 1, generator=generator)).log()
    number = (per_user / 2 + spread).round().clamp(max=num_items // 2)
    user, place = (torch.arange(num_items) < number).nonzero().unbind(1)
    item = order[user, place]
    return Ratings(user, item, stars[user, item], num_users, num_items), score


def _gumbel(shape: tuple[int, ...], generator: Generator) -> Tensor:
    uniform = torch.rand(shape, generator=generator, dtype=torch.float64).clamp(min=1e-300)
    return -(-uniform.log()).log().float()
