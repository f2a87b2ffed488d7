"""How good a reconstruction is: errors in the units of the data, PSNR in decibels, and the structural similarity SSIM.

A reconstruction that is not finite, as of a model that has diverged, has an error that is not: it is reported and not refused.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from aelib import checks

SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
_SSIM_BATCH = 256  # images whose five blurred maps are in memory at a time


def squared_error(x: Float[Tensor, "N *event"], x_hat: Float[Tensor, "N *event"]) -> Float[Tensor, " N"]:
    """||x - x_hat||^2 of each example, summed over the event, in squared data units; lower is better.

    Raises:
        ValueError: if the shapes differ, or there are no examples.
    """
    _check_pairs(x, x_hat)
    return (x - x_hat).double().flatten(1).square().sum(1)


def reconstruction_error(x: Float[Tensor, "N *event"], x_hat: Float[Tensor, "N *event"]) -> float:
    """The mean over the examples of ||x - x_hat||^2, summed over the event, in squared data units; lower is better.

    Raises:
        ValueError: if the shapes differ.
    """
    return squared_error(x, x_hat).mean().item()


def mean_squared_error(x: Float[Tensor, "N *event"], x_hat: Float[Tensor, "N *event"]) -> float:
    """The mean of (x - x_hat)^2 over all values of all examples, in squared data units; lower is better.

    It is :func:`reconstruction_error` divided by the number of values of one example.

    Raises:
        ValueError: if the shapes differ.
    """
    return reconstruction_error(x, x_hat) / x[0].numel()


def explained_variance(x: Float[Tensor, "N *event"], x_hat: Float[Tensor, "N *event"]) -> float:
    """1 - error / variance: the share of the variance of ``x`` that ``x_hat`` keeps; 1 is perfect, 0 is what the mean achieves.

    Raises:
        ValueError: if the shapes differ, or all examples are the same.
    """
    error = reconstruction_error(x, x_hat)
    # Not by the variance, which need not come out as zero: the mean is rounded.
    if (x == x[0]).all():
        raise ValueError("x: all examples are the same; expected data with some variance to explain")
    return 1 - error / reconstruction_error(x, x.mean(0).expand_as(x))


def psnr(x: Float[Tensor, "N *event"], x_hat: Float[Tensor, "N *event"], *, peak: float = 1.0) -> Float[Tensor, " N"]:
    """10 log10(peak^2 / mse) of each example, its peak signal-to-noise ratio, in decibels; higher is better.

    A perfect copy has an infinite one. The mean over examples is what is usually reported; it is not the ratio at the mean
    error, which is never higher.

    Args:
        x: the examples.
        x_hat: their reconstructions.
        peak: the largest value less the smallest that a pixel can have: 1 for images in [0, 1], 255 for bytes.

    Raises:
        ValueError: if the shapes differ, or ``peak`` is not above 0.
    """
    _check_peak(peak)
    return 10 * torch.log10(peak**2 / (squared_error(x, x_hat) / x[0].numel()))


def ssim(x: Float[Tensor, "N C H W"], x_hat: Float[Tensor, "N C H W"], *, peak: float = 1.0) -> Float[Tensor, " N"]:
    """The mean structural similarity of each image with its reconstruction, at most 1; higher is better.

    Within a Gaussian window of 11 x 11 pixels with a standard deviation of 1.5, whose weights sum to 1, it compares the means,
    the variances and the covariance of two images a and b:

        SSIM = (2 m_a m_b + C_1) (2 s_ab + C_2) / ((m_a^2 + m_b^2 + C_1) (s_a^2 + s_b^2 + C_2)),

    with C_1 = (0.01 peak)^2 and C_2 = (0.03 peak)^2. The mean is over all windows that lie inside the image, and over channels.
    1 is reached by a copy only; a negative value means that the images vary against each other.
    Source: Wang et al. (2004).

    Args:
        x: the images.
        x_hat: their reconstructions.
        peak: the largest value less the smallest that a pixel can have: 1 for images in [0, 1], 255 for bytes.

    Raises:
        ValueError: if the shapes differ, there are no images or smaller ones than the window, or ``peak`` is not above 0.
    """
    _check_peak(peak)
    _check_pairs(x, x_hat)
    if x.ndim != 4 or min(x.shape[2:]) < SSIM_WINDOW:
        raise ValueError(
            f"x: got shape {tuple(x.shape)}; expected (N, C, H, W) with images of at least {SSIM_WINDOW} x {SSIM_WINDOW}"
        )
    pairs = zip(x.split(_SSIM_BATCH), x_hat.split(_SSIM_BATCH))
    return torch.cat([_ssim(a.double(), b.double(), peak) for a, b in pairs])


def _ssim(a: Float[Tensor, "N C H W"], b: Float[Tensor, "N C H W"], peak: float) -> Float[Tensor, " N"]:
    offsets = torch.arange(SSIM_WINDOW, dtype=a.dtype, device=a.device) - SSIM_WINDOW // 2
    weights = torch.exp(-offsets.square() / (2 * SSIM_SIGMA**2))
    weights = weights / weights.sum()

    def blur(images: Tensor) -> Tensor:
        # The window is a product of one along the rows and one along the columns.
        maps = images.flatten(0, 1).unsqueeze(1)
        return F.conv2d(F.conv2d(maps, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1)).view(len(images), -1)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a.square()) - mean_a.square(), blur(b.square()) - mean_b.square()
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a.square() + mean_b.square() + c1)
    return (luminance * (2 * covariance + c2) / (var_a + var_b + c2)).mean(1)


def _check_pairs(x: Tensor, x_hat: Tensor) -> None:
    checks.batch("x_hat", x_hat, x.shape[1:])
    if len(x) != len(x_hat) or len(x) == 0:
        raise ValueError(
            f"x_hat: got {len(x_hat)} examples for {len(x)} in x; expected the same number, and at least one"
        )


def _check_peak(peak: float) -> None:
    if not peak > 0:
        raise ValueError(f"peak: got {peak!r}; expected a number above 0")
