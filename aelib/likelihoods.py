"""Likelihoods p(x | z): how a decoder's output is read, and the reconstruction loss that follows from it.

``nll`` returns one value per example: the negative log-likelihood in nats, summed over the event, constants included.

====================  =============================  =======================================================
likelihood            what the decoder returns       -log p(x | z), summed over the d values of an example
====================  =============================  =======================================================
Gaussian              the mean m                     ||x - m||^2 / (2 sigma^2) + d log(sigma) + (d/2) log(2 pi)
GaussianWithVariance  m and l = log s^2 on axis 1    1/2 sum((x - m)^2 / s^2 + l) + (d/2) log(2 pi)
Bernoulli             logits a, p = sigmoid(a)       -sum(x log p + (1 - x) log(1 - p)); no constant for x in {0, 1}
Categorical           logits, classes on axis 1      -sum log softmax(a)[x]; no constant
====================  =============================  =======================================================
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from aelib import checks


def sum_event(values: Shaped[Tensor, "B *event"]) -> Shaped[Tensor, " B"]:
    """Sum over everything but the batch."""
    return values.flatten(1).sum(1) if values.ndim > 1 else values


class Likelihood(nn.Module, ABC):
    """p(x | params), where ``params`` is what a decoder returned for a batch."""

    @abstractmethod
    def mean(self, params: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
        """E[x | params], the reconstruction."""

    @abstractmethod
    def values_nll(self, params: Float[Tensor, "B ..."], x: Shaped[Tensor, "B *event"]) -> Float[Tensor, "B *event"]:
        """-log p of each single value of ``x``, in nats."""

    @final
    def nll(
        self,
        params: Float[Tensor, "B ..."],
        x: Shaped[Tensor, "B *event"],
        mask: Shaped[Tensor, "B ..."] | None = None,
    ) -> Float[Tensor, " B"]:
        """-log p(x | params) of each example in nats, summed over the event; lower is better.

        Args:
            params: what the decoder returned.
            x: the examples.
            mask: which values count, 1 or True, and which do not, whatever they are; of the shape of ``x``, or of its first axes.
                None: all.

        Raises:
            ValueError: if ``params`` has not the shape that goes with ``x``; or if ``x`` lies on the CPU and holds values that
                the likelihood cannot have produced. On a GPU the second check would stall every training step; there
                :func:`aelib.training.fit` makes it once, before the first step.
        """
        if mask is not None:
            mask = mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)).bool()
            # Not products, which would let a NaN in where nothing counts; and the gradient of a NaN is one, so x comes first.
            x = torch.where(mask, x, 0)
        if x.device.type == "cpu" and not torch.compiler.is_compiling():
            self.check_range(x)
        values = self.values_nll(params, x)
        return sum_event(values if mask is None else torch.where(mask, values, 0.0))

    @final
    def check(self, x: Shaped[Tensor, "B *event"], argument: str = "x") -> None:
        """Check that ``x`` holds values that this likelihood can have produced.

        Raises:
            ValueError: if it does not; the message calls it ``argument``.
        """
        if x.is_floating_point():
            checks.finite(argument, x)
        self.check_range(x, argument)

    @abstractmethod
    def check_range(self, x: Shaped[Tensor, "B *event"], argument: str = "x") -> None:
        """The part of :meth:`check` that is cheap enough for every training step.

        Raises:
            ValueError: if a value is out of range.
        """


def _check_output(params: Tensor, expected: Sequence[int]) -> None:
    """Without this an output of one value would be stretched over all values of an example, and nobody would know."""
    if params.shape != expected:
        raise ValueError(f"the decoder's output: got shape {tuple(params.shape)}; expected {tuple(expected)}")


@final
class Gaussian(Likelihood):
    """p(x | m) = N(x; m, sigma^2 I), with one standard deviation for all values.

    With sigma = 1 the loss is *half* the squared error plus (d/2) log(2 pi): the mean squared error is this likelihood with
    its 1/2, its constant and its sum over values left out.

    Args:
        sigma: the standard deviation, in the units of the data; above zero.
        learned: whether sigma is a parameter that training adjusts, starting at ``sigma``.

    Raises:
        ValueError: if ``sigma`` is not a finite number above zero.
    """

    log_sigma: Tensor

    def __init__(self, sigma: float = 1.0, *, learned: bool = False) -> None:
        super().__init__()
        if not 0 < sigma < math.inf:
            raise ValueError(f"sigma: got {sigma!r}; expected a finite number above 0")
        log_sigma = torch.tensor(math.log(sigma))
        if learned:
            self.log_sigma = nn.Parameter(log_sigma)
        else:
            self.register_buffer("log_sigma", log_sigma)

    def mean(self, params: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
        """The decoder's output is the mean."""
        return params

    def values_nll(self, params: Float[Tensor, "B *event"], x: Float[Tensor, "B *event"]) -> Float[Tensor, "B *event"]:
        """(x - m)^2 / (2 sigma^2) + log(sigma) + (1/2) log(2 pi)."""
        _check_output(params, x.shape)
        scaled = (x - params) * torch.exp(-self.log_sigma)
        return 0.5 * scaled.square() + self.log_sigma + 0.5 * math.log(2 * math.pi)

    def check_range(self, x: Shaped[Tensor, "B *event"], argument: str = "x") -> None:
        """Any number will do."""


@final
class GaussianWithVariance(Likelihood):
    """p(x | m, l) = N(x; m, diag(exp(l))), with a mean and a log-variance for each single value, both from the decoder.

    Axis 1 of the decoder's output is twice as long as that of ``x``: the means first, then raw values r. The log-variances are
    l = 2 log(min_sigma) + softplus(r - 2 log(min_sigma)): r itself except near the floor, below which l never falls.
    Without a floor the likelihood has no maximum: the variance of a value that is always reconstructed exactly, such as a
    black corner, would go to zero and the density to infinity.
    Source: for the floor, Chua et al. (2018).

    Args:
        min_sigma: the smallest standard deviation, in the units of the data; above zero.

    Raises:
        ValueError: if ``min_sigma`` is not a finite number above zero.
    """

    def __init__(self, *, min_sigma: float = 1e-2) -> None:
        super().__init__()
        if not 0 < min_sigma < math.inf:
            raise ValueError(f"min_sigma: got {min_sigma!r}; expected a finite number above 0")
        self.min_logvar = 2 * math.log(min_sigma)

    def mean(self, params: Float[Tensor, "B C2 *rest"]) -> Float[Tensor, "B C *rest"]:
        """The first half of axis 1."""
        return self._split(params)[0]

    def values_nll(
        self, params: Float[Tensor, "B C2 *rest"], x: Float[Tensor, "B C *rest"]
    ) -> Float[Tensor, "B C *rest"]:
        """(x - m)^2 exp(-l) / 2 + l / 2 + (1/2) log(2 pi)."""
        mean, logvar = self._split(params)
        _check_output(params, (len(x), 2 * x.shape[1], *x.shape[2:]))
        return 0.5 * ((x - mean).square() * torch.exp(-logvar) + logvar + math.log(2 * math.pi))

    def check_range(self, x: Shaped[Tensor, "B *event"], argument: str = "x") -> None:
        """Any number will do."""

    def _split(self, params: Tensor) -> tuple[Tensor, Tensor]:
        if params.ndim < 2 or params.shape[1] % 2:
            raise ValueError(
                f"the decoder's output: got shape {tuple(params.shape)}; expected an even axis 1, means and then log-variances"
            )
        mean, raw = params.chunk(2, dim=1)
        return mean, self.min_logvar + F.softplus(raw - self.min_logvar)


@final
class Bernoulli(Likelihood):
    """p(x | a) = sigmoid(a)^x (1 - sigmoid(a))^(1 - x), each value on its own; a are logits.

    For x in {0, 1} this is a probability. Values in between, such as gray levels, are accepted as is customary, but then the
    number is a cross-entropy and not the negative log of a normalized density.
    """

    def mean(self, params: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
        """p = sigmoid(a)."""
        return torch.sigmoid(params)

    def values_nll(self, params: Float[Tensor, "B *event"], x: Float[Tensor, "B *event"]) -> Float[Tensor, "B *event"]:
        """-(x log p + (1 - x) log(1 - p)), computed from the logits."""
        _check_output(params, x.shape)
        return F.binary_cross_entropy_with_logits(params, x, reduction="none")

    def check_range(self, x: Shaped[Tensor, "B *event"], argument: str = "x") -> None:
        """Every value must lie in [0, 1]."""
        checks.within(argument, x, 0, 1)


@final
class Categorical(Likelihood):
    """p(x = c | a) = softmax(a)[c] for classes on axis 1 of ``a``: logits (B, C, *event_shape), x integers (B, *event_shape).

    Args:
        num_classes: C, at least two.

    Raises:
        ValueError: if ``num_classes`` is below two.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        checks.at_least("num_classes", num_classes, 2)
        self.num_classes = num_classes

    def mean(self, params: Float[Tensor, "B C *event"]) -> Float[Tensor, "B C *event"]:
        """The probability of each class, on axis 1."""
        return torch.softmax(params, dim=1)

    def values_nll(
        self, params: Float[Tensor, "B C *event"], x: Shaped[Tensor, "B *event"]
    ) -> Float[Tensor, "B *event"]:
        """-log softmax(a)[x]."""
        _check_output(params, (len(x), self.num_classes, *x.shape[1:]))
        return F.cross_entropy(params, x.long(), reduction="none")

    def check_range(self, x: Shaped[Tensor, "B *event"], argument: str = "x") -> None:
        """Every value must be an integer from 0 to C - 1."""
        if x.is_floating_point():
            raise ValueError(f"{argument}: got {x.dtype}; expected integers from 0 to {self.num_classes - 1}")
        checks.within(argument, x, 0, self.num_classes - 1)
