r"""Why somebody's loss has another value: how a number is reduced, and what it would be under another convention.

A number is the same quantity on another scale as long as it comes from the same numbers. It may be

- a sum or a mean over the d values of an example, and a sum or a mean over the B examples of a batch;
- for a squared error, with or without the 1/2 of the Gaussian likelihood with sigma = 1, and with or without that likelihood's
  constant (d/2) log(2 pi);
- in nats or in bits; *bits per dimension* are bits and a mean over the values.

:data:`CONVENTIONS` says what others use, read from their sources:

==================  ============================================  =========================================================
convention          where                                         what its loss function returns
==================  ============================================  =========================================================
aelib_gaussian      :mod:`aelib.likelihoods`                      1/2 sum of squares + (d/2) log(2 pi), mean over the batch
aelib_bernoulli     :mod:`aelib.likelihoods`                      sum of cross-entropies, mean over the batch
pythae_mse          clementchadebec/benchmark_VAE, 0.1.2,         1/2 sum of squares, no constant, mean over the batch
                    src/pythae/models/vae/vae_model.py
pythae_bce          the same file                                 sum of cross-entropies, mean over the batch
pytorch_example     pytorch/examples, vae/main.py                 sums over everything, the batch included; what it prints
                                                                  is divided by the number of examples afterwards
keras_example       keras-team/keras-io,                          cross-entropy: mean over channels (Keras takes the mean
                    examples/generative/vae.py                    over the last axis), sum over pixels, mean over the batch
torch_mse_loss      torch.nn.MSELoss()                            mean of squares over everything
torch_bce_loss      torch.nn.BCELoss()                            mean of cross-entropies over everything
==================  ============================================  =========================================================

All of them with a KL take its sum over the dimensions of the code, and treat its batch like that of the reconstruction. Earlier
versions of pythae's file had no 1/2. For gray levels the PyTorch and Keras numbers are cross-entropies and not likelihoods. They
are computed from probabilities, cut off near 0 and 1, and aelib's from logits: for outputs so extreme no scale converts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aelib import checks

_CHOICES = {
    "term": ("squared_error", "cross_entropy", "kl"),
    "over_event": ("sum", "mean", "channel_mean"),
    "over_batch": ("sum", "mean"),
    "unit": ("nats", "bits"),
}


@dataclass(frozen=True)
class Scale:
    """How a term of a loss is reduced. What is not said is as in aelib: sum over the event, mean over the batch, nats.

    Attributes:
        term: what is added up: "squared_error", "cross_entropy" or "kl".
        over_event: over the values of one example: "sum", "mean", or "channel_mean", the mean over channels and the sum over
            pixels.
        over_batch: over the examples: "sum" or "mean".
        unit: "nats" or "bits". A squared error is one in nats in so far as its half is a negative log-likelihood.
        half: for a squared error, whether the 1/2 is there.
        constant: for a squared error, whether (d/2) log(2 pi) is there.

    Raises:
        ValueError: for a name that is not among these.
    """

    term: str
    over_event: Literal["sum", "mean", "channel_mean"] = "sum"
    over_batch: Literal["sum", "mean"] = "mean"
    unit: Literal["nats", "bits"] = "nats"
    half: bool = True
    constant: bool = True

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            checks.choice(name, getattr(self, name), choices)


CONVENTIONS: Mapping[str, Mapping[str, Scale]] = {
    "aelib_gaussian": {"recon": Scale("squared_error"), "kl": Scale("kl")},
    "aelib_bernoulli": {"recon": Scale("cross_entropy"), "kl": Scale("kl")},
    "pythae_mse": {"recon": Scale("squared_error", constant=False), "kl": Scale("kl")},
    "pythae_bce": {"recon": Scale("cross_entropy"), "kl": Scale("kl")},
    "pytorch_example": {"recon": Scale("cross_entropy", over_batch="sum"), "kl": Scale("kl", over_batch="sum")},
    "keras_example": {"recon": Scale("cross_entropy", over_event="channel_mean"), "kl": Scale("kl")},
    "torch_mse_loss": {"recon": Scale("squared_error", over_event="mean", half=False, constant=False)},
    "torch_bce_loss": {"recon": Scale("cross_entropy", over_event="mean")},
}
"""convention -> term ("recon", "kl") -> its scale. The module says where each was read."""


def convention(name: str, term: str) -> Scale:
    """The scale of a term, "recon" or "kl", in one of ``CONVENTIONS``.

    Raises:
        ValueError: for a convention that is not there, or a term that it does not have.
    """
    checks.choice("name", name, CONVENTIONS)
    checks.choice("term", term, CONVENTIONS[name])
    return CONVENTIONS[name][term]


def convert_loss(value: float, source: Scale, target: Scale, *, event_shape: Sequence[int], batch_size: int) -> float:
    """The number on the scale ``target`` that is ``value`` on the scale ``source``.

    Args:
        value: what was reported.
        source: how it was reduced.
        target: how it shall be.
        event_shape: the shape of what the term is added up over: of one example, channels first; (latent_dim,) for a KL.
        batch_size: the number of examples that the number was taken over.

    Raises:
        ValueError: if the two are scales of different terms, or a size is below one.
    """
    if source.term != target.term:
        raise ValueError(f"target: got a scale of {target.term!r}; expected one of {source.term!r}, as source is")
    checks.at_least("batch_size", batch_size, 1)
    for size in event_shape:
        checks.at_least("event_shape", size, 1)
    if not event_shape:
        raise ValueError("event_shape: got no axes; expected at least one")
    factor, constant = _affine(source, event_shape, batch_size)
    new_factor, new_constant = _affine(target, event_shape, batch_size)
    return new_factor * (value / factor - constant + new_constant)


def bits_per_dimension(nats: float, event_shape: Sequence[int], *, levels: int = 1) -> float:
    """nats / (d log 2) + log2(levels): a negative log-likelihood summed over an example, in bits per value; lower is better.

    Args:
        nats: the negative log-likelihood, or minus the ELBO, of one example.
        event_shape: the shape of one example.
        levels: 256 if the data are bytes divided by 255 or 256 and the model gives a *density* of these: the density of the
            bytes themselves is that many times lower. 1 if the model gives probabilities.

    Raises:
        ValueError: if a size or ``levels`` is below one.
    """
    checks.at_least("levels", levels, 1)
    for size in event_shape:
        checks.at_least("event_shape", size, 1)
    return nats / (math.prod(event_shape) * math.log(2)) + math.log2(levels)


def _affine(scale: Scale, event_shape: Sequence[int], batch_size: int) -> tuple[float, float]:
    """(factor, constant) such that the number on this scale is factor * (aelib's without its constant + constant)."""
    divisor = {"sum": 1, "mean": math.prod(event_shape), "channel_mean": event_shape[0]}[scale.over_event]
    factor = (batch_size if scale.over_batch == "sum" else 1) / divisor / (math.log(2) if scale.unit == "bits" else 1)
    if scale.term != "squared_error":
        return factor, 0.0
    constant = math.prod(event_shape) / 2 * math.log(2 * math.pi) if scale.constant else 0.0
    # Without the 1/2 the sum of squares is doubled and the constant, if there is one, is not.
    return (factor, constant) if scale.half else (2 * factor, constant / 2)
