"""How far a set of generated examples is from a set of real ones, as Gaussians in a space of features."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from aelib import checks


def gaussian_frechet(
    mean_a: Float[Tensor, " d"], cov_a: Float[Tensor, "d d"], mean_b: Float[Tensor, " d"], cov_b: Float[Tensor, "d d"]
) -> float:
    """The squared Fréchet distance ||m_a - m_b||^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) between two Gaussians; 0 is best.

    It is the least mean squared distance E ||a - b||^2 that two variables with these laws can have. The trace of the root is
    computed as the sum of the singular values of S_a^(1/2) S_b^(1/2), which exists for singular covariances too.
    Source: Dowson and Landau (1982).

    Raises:
        ValueError: if values are not finite, or a covariance is not symmetric with eigenvalues of at least 0, up to rounding.
    """
    for argument, value in (("mean_a", mean_a), ("cov_a", cov_a), ("mean_b", mean_b), ("cov_b", cov_b)):
        checks.finite(argument, value)
    mean_a, mean_b = mean_a.double(), mean_b.double()
    root_a, root_b = _root("cov_a", cov_a.double()), _root("cov_b", cov_b.double())
    overlap: Tensor = torch.linalg.svdvals(root_a @ root_b).sum()
    traces = cov_a.double().trace() + cov_b.double().trace()
    return max(((mean_a - mean_b).square().sum() + traces - 2 * overlap).item(), 0.0)


@torch.no_grad()
def frechet_distance(
    features: Callable[[Tensor], Tensor],
    x: Shaped[Tensor, "N *event"],
    y: Shaped[Tensor, "M *event"],
    *,
    batch_size: int = 256,
) -> float:
    """The squared Fréchet distance between Gaussians fitted to the features of two sets of examples; lower is better.

    Means and covariances (with N - 1) are taken in the space of ``features``, so numbers can be compared only if these are the
    same, and the sets as large: with few examples the distance is too large, and above 0 even for two samples of one
    distribution. Take several times as many examples as there are features.
    :class:`aelib.classifier.Classifier` has features made for this; the FID of
    Heusel et al. (2017) is this distance in those of an Inception network.

    Args:
        features: from a batch to one row of features for each of its examples.
        x: real examples.
        y: generated ones.
        batch_size: examples that go through ``features`` at a time.

    Raises:
        ValueError: if there are fewer than two examples in a set, or features are not finite.
    """
    means, covs = [], []
    for argument, examples in (("x", x), ("y", y)):
        checks.at_least(f"the number of examples in {argument}", len(examples), 2)
        rows = torch.cat([features(batch).double() for batch in examples.split(batch_size)])
        checks.batch(f"features({argument})", rows, rows.shape[-1:])
        checks.finite(f"features({argument})", rows)
        means.append(rows.mean(0))
        covs.append(torch.cov(rows.T).reshape(rows.shape[1], rows.shape[1]))
    return gaussian_frechet(means[0], covs[0], means[1], covs[1])


def _root(argument: str, cov: Float[Tensor, "d d"]) -> Float[Tensor, "d d"]:
    """The symmetric root of a covariance."""
    eigenvalues, vectors = torch.linalg.eigh(cov)
    slack = 1e-6 * eigenvalues.abs().max()
    if (eigenvalues < -slack).any() or (cov - cov.T).abs().max() > slack:
        raise ValueError(
            f"{argument}: its smallest eigenvalue is {eigenvalues.min().item():.4g}, its largest asymmetry "
            f"{(cov - cov.T).abs().max().item():.4g}; expected a symmetric matrix without negative eigenvalues"
        )
    root: Tensor = (vectors * eigenvalues.clamp(min=0).sqrt()) @ vectors.T
    return root
