"""Whether each unit of a code follows one factor of the data: MIG and DCI, for data whose factors are known.

Factors come as the labels of a :class:`~aelib.data.Dataset`: integers are classes, floats are quantities.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from torch import Tensor

from aelib import checks

NUM_TREES = 50


def discretize(values: Shaped[Tensor, " N"], num_bins: int) -> Int[Tensor, " N"]:
    """Bins of (nearly) equal counts, numbered from 0 by value; integers, and few distinct floats, are their own bins.

    The edges are quantiles, so that an increasing map of the values changes nothing, nor do outliers.

    Raises:
        ValueError: if ``num_bins`` is below two, or a value is not finite.
    """
    checks.at_least("num_bins", num_bins, 2)
    checks.finite("values", values)
    distinct: Tensor
    bins: Tensor
    distinct, bins = torch.unique(values, return_inverse=True)
    if not values.is_floating_point() or len(distinct) <= num_bins:
        return bins
    ordered = values.sort().values
    quantiles = ordered[torch.arange(1, num_bins, device=values.device) * len(values) // num_bins]
    edges, counts = torch.unique(quantiles, return_counts=True)
    # A value that fills a bin or more, such as the 0 of a ReLU, gets one of its own: what lies above it is cut off. The smallest
    # value fills the first bin if it is an edge.
    frequent = edges[(counts > 1) | (edges == ordered[0])]
    bins = torch.searchsorted(edges, values.contiguous(), right=True)
    return bins + torch.searchsorted(frequent, values.contiguous())


def mutual_information(a: Int[Tensor, " N"], b: Int[Tensor, " N"]) -> tuple[float, float]:
    """I(a; b) = H(a) + H(b) - H(a, b) and H(b) of two lists of classes from 0, by their frequencies, in nats.

    Independent classes have I = 0; by frequencies of N examples it comes out near (A - 1) (B - 1) / (2 N) for A and B classes.

    Raises:
        ValueError: if the lists are empty or not equally long.
    """
    checks.at_least("the number of classes in b", len(b), 1)
    if len(a) != len(b):
        raise ValueError(f"a: got {len(a)} classes; expected as many as in b, {len(b)}")
    num_b = int(b.max()) + 1
    h_a, h_b, h_ab = (_entropy(classes) for classes in (a, b, a * num_b + b))
    return max(h_a + h_b - h_ab, 0.0), h_b


def mig(z: Float[Tensor, "N latent_dim"], factors: Mapping[str, Shaped[Tensor, " N"]], *, num_bins: int = 20) -> float:
    """The mutual information gap: the mean over factors v of (I(z_1; v) - I(z_2; v)) / H(v), over the two units that know most.

    From 0 to 1, higher is better: 1 if one unit determines each factor and no other unit knows of it. Units and quantities are
    cut into bins of equal counts, so H(v) of a quantity is about log(num_bins).
    Source: Chen et al. (2018), the mutual information gap, there with samples of q(z | x) in the place of bins.

    Args:
        z: the codes, at least two units.
        factors: name -> its value for each example; at least one.
        num_bins: for each unit and each quantity.

    Raises:
        ValueError: if there are too few units, or a factor does not fit the codes or never varies.
    """
    _check(z, factors, min_factors=1)
    units = [discretize(unit, num_bins) for unit in z.detach().T]
    gaps = []
    for factor in factors.values():
        bins = discretize(factor, num_bins)
        information = [mutual_information(unit, bins) for unit in units]
        second, first = sorted(value for value, _ in information)[-2:]
        gaps.append((first - second) / information[0][1])
    return sum(gaps) / len(gaps)


@dataclass(frozen=True)
class DCI:
    """The three scores of Eastwood and Williams (2018); for the first two 1 is best and 0 worst.

    Attributes:
        disentanglement: whether each unit serves to predict one factor only, weighted by how much the unit serves at all.
        completeness: whether each factor is predicted from one unit only; the mean over factors.
        informativeness: how well each factor is predicted on examples that were held out: accuracy for classes, R^2 for
            quantities (at most 1, negative if worse than the mean); by factor. 1 is best.
    """

    disentanglement: float
    completeness: float
    informativeness: dict[str, float]


def disentanglement_score(importance: Float[Tensor, "latent_dim factors"]) -> float:
    """sum_i rho_i (1 - H(P_i)) from R_ij >= 0, how important unit i is for factor j.

    Logs are to the base of the number of factors,
    P_ij = R_ij / sum_j R_ij, and rho_i is unit i's share of the sum of R. From 0 to 1, higher is better; 0 where all R are 0.
    Source: Eastwood and Williams (2018).

    Raises:
        ValueError: if there is no unit, or there are fewer than two factors, which nothing can tell apart.
    """
    checks.at_least("the number of units", importance.shape[0], 1)
    checks.at_least("the number of factors", importance.shape[1], 2)
    weights = importance.double().sum(1)
    shares = importance.double() / _nonzero(weights).unsqueeze(1)
    scores = 1 - torch.special.entr(shares).sum(1) / math.log(importance.shape[1])
    return float((scores * weights).sum() / _nonzero(weights.sum()))


def completeness_score(importance: Float[Tensor, "latent_dim factors"]) -> float:
    """The mean over factors j of 1 - H(Q_j), with Q_ij = R_ij / sum_i R_ij and logs to the base of the units' number.

    From 0 to 1, higher is better; a factor for which no unit is important, R_ij = 0 for all i, counts as 0.
    Source: Eastwood and Williams (2018).

    Raises:
        ValueError: if there are fewer than two units.
    """
    checks.at_least("the number of units", importance.shape[0], 2)
    totals = importance.double().sum(0)
    shares = importance.double() / _nonzero(totals)
    scores = 1 - torch.special.entr(shares).sum(0) / math.log(importance.shape[0])
    return float(torch.where(totals > 0, scores, 0.0).mean())


def dci(
    z: Float[Tensor, "N latent_dim"],
    factors: Mapping[str, Shaped[Tensor, " N"]],
    *,
    test_share: float = 0.25,
    seed: int = 0,
) -> DCI:
    """Disentanglement, completeness and informativeness, by a random forest for each factor.

    A forest of 50 trees predicts a factor, and every split may take any unit; the importance of a unit is its share in the
    decrease of impurity. That is not quite what it knows: two equal units share their importance.

    Args:
        z: the codes, at least two units.
        factors: name -> its value for each example; at least two.
        test_share: the share of the examples that is held out for informativeness, above 0 and below 1.
        seed: of the forests and of which examples are held out.

    Raises:
        ValueError: if there are too few units or factors, a factor does not fit the codes or never varies, or less than one
            example is left to train on or less than two to test on.
    """
    _check(z, factors, min_factors=2)
    num_test = round(test_share * len(z))
    if not 2 <= num_test < len(z):  # R^2 needs two
        raise ValueError(
            f"test_share: got {test_share!r}, {num_test} of the {len(z)} examples; expected to hold out 2 to {len(z) - 1}"
        )
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(seed)).numpy()
    test, train = order[:num_test], order[num_test:]
    codes = z.detach().double().cpu().numpy()
    columns, scores = [], {}
    for name, factor in factors.items():
        make = RandomForestRegressor if factor.is_floating_point() else RandomForestClassifier
        values = factor.cpu().numpy()
        forest = make(NUM_TREES, max_features=None, random_state=seed).fit(codes[train], values[train])
        scores[name] = float(forest.score(codes[test], values[test]))
        columns.append(torch.from_numpy(forest.feature_importances_))
    importance = torch.stack(columns, 1)
    return DCI(disentanglement_score(importance), completeness_score(importance), scores)


def _nonzero(sums: Tensor) -> Tensor:
    """Sums of values that are not negative, to divide these values by: where a sum is 0, all the quotients are."""
    return sums.clamp(min=torch.finfo(sums.dtype).tiny)


def _entropy(classes: Tensor) -> float:
    p = torch.unique(classes, return_counts=True)[1].double() / len(classes)
    return float(torch.special.entr(p).sum())


def _check(z: Tensor, factors: Mapping[str, Tensor], min_factors: int) -> None:
    checks.batch("z", z)
    checks.finite("z", z)
    checks.at_least("the number of units in z", z.shape[1], 2)
    checks.at_least("the number of factors", len(factors), min_factors)
    for name, factor in factors.items():
        if tuple(factor.shape) != (len(z),):
            raise ValueError(
                f"factors[{name!r}]: got shape {tuple(factor.shape)}; expected one value for each code, ({len(z)},)"
            )
        if len(torch.unique(factor)) < 2:
            raise ValueError(f"factors[{name!r}]: all values are the same; expected a factor that varies")
