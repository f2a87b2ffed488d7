"""The protocol that every model follows: what a forward pass returns, what a loss is, and what a model can be asked.

One loss convention holds everywhere: **sum over the event, mean over the batch, in nats**, with the likelihood's own
constants included (see :mod:`aelib.likelihoods`). A loss is then the negative log-likelihood of one example, and numbers
from different models, image sizes and batch sizes can be compared.
"""

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, final

import torch
from jaxtyping import Float, Shaped
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.likelihoods import Likelihood
from aelib.sequences import given_steps

LOSS_TERMS = frozenset({"recon", "kl", "sparsity", "aux", "jac", "adv", "disc", "mmd", "codebook", "commit"})
"""Every name that a loss term may have, so that a plot or a table of one model reads like that of any other."""


@dataclass(frozen=True)
class AEOutput:
    """What one training pass returns. Each family of models extends it with what its loss needs.

    Attributes:
        x_hat: the reconstruction, the mean of p(x | z), shape (B, *event_shape).
        z: the code that the decoder received, shape (B, latent_dim).
        params: what the decoder returned, the parameters of p(x | z) (logits for a Bernoulli likelihood). The loss is
            computed from these and not from ``x_hat``, because log(sigmoid(a)) is exact where sigmoid(a) has rounded to 0.
        mask: True where a value counts in the loss: the steps that are there, shape (B, T), where the examples are padded
            sequences that came with ``lengths``; None where all values count.
    """

    x_hat: Tensor
    z: Tensor
    params: Tensor
    mask: Tensor | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Loss:
    """A loss with its parts.

    Attributes:
        total: the scalar to minimize, with its graph.
        terms: the parts without their weights, detached, each a scalar under a name from :data:`LOSS_TERMS`.
    """

    total: Float[Tensor, ""]
    terms: dict[str, Tensor]

    @classmethod
    def weighted(cls, terms: Mapping[str, tuple[float, Float[Tensor, ""]]]) -> "Loss":
        """The sum of weight * value over ``terms``, given as name -> (weight, value).

        Raises:
            ValueError: for a name that is not in :data:`LOSS_TERMS`.
        """
        unknown = sorted(set(terms) - LOSS_TERMS)
        if unknown:
            raise ValueError(f"terms: got the names {unknown}; expected names from {sorted(LOSS_TERMS)}")
        # A weight of one is left out: on small models a step is made of calls, and each one counts.
        parts = [value if weight == 1 else weight * value for weight, value in terms.values()]
        total = functools.reduce(torch.add, parts)
        return cls(total, {name: value.detach() for name, (_, value) in terms.items()})


OutT = TypeVar("OutT", bound=AEOutput)


class Autoencoder(nn.Module, ABC, Generic[OutT]):
    """An encoder, a decoder and the likelihood that compares what went in with what came out.

    A subclass is abstract or final: it implements the abstract methods below and overrides nothing else.

    What an example comes *with*, such as its class ``y`` or the length of a sequence, is passed on by name to the encoder and
    the decoder: ``model(x, y=y)`` calls ``encoder(x, y=y)`` and ``decoder(z, y=y)``. Each is a tensor of B rows. Beside
    sequences that are padded to one length come ``lengths`` of shape (B,); padding then counts nothing, whatever it holds.

    Args:
        encoder: from (B, *event_shape) to a code, or to whatever the model makes its code of.
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z), how the decoder's output is read and scored.
        adversary: a network that is trained against the others, in a phase of its own.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, *, adversary: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.adversary = adversary
        self.recipe: dict[str, Any] | None = None  # what aelib.models.build was called with, if it made this model

    @abstractmethod
    def encode(self, x: Shaped[Tensor, "B *event"], **given: Tensor) -> Float[Tensor, "B latent_dim"]:
        """The deterministic code of ``x``: f(x), or the posterior mean where the model has a posterior."""

    @abstractmethod
    def forward(self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor) -> OutT:
        """One training pass. It samples where the model samples, from ``generator`` or torch's own, and computes no loss."""

    @abstractmethod
    def loss(self, x: Shaped[Tensor, "B *event"], out: OutT, phase: str = "main") -> Loss:
        """The loss of ``out = self(x)`` in one phase of training. It never samples again."""

    @final
    def decode(self, z: Float[Tensor, "B latent_dim"], **given: Tensor) -> Float[Tensor, "B ..."]:
        """The mean of p(x | z), in data space."""
        return self.decoded(z, **given)[0]

    @final
    def decoded(self, z: Float[Tensor, "B latent_dim"], **given: Tensor) -> tuple[Tensor, Tensor]:
        """Both (x_hat, params): the mean of p(x | z), and the parameters that the decoder returned and the loss needs."""
        params: Tensor = self.decoder(z, **given)
        return self.likelihood.mean(params), params

    @final
    def recon(self, x: Shaped[Tensor, "B *event"], out: OutT) -> Float[Tensor, ""]:
        """-log p(x | z), summed over the values that count and averaged over the batch: the loss term of that name.

        Raises:
            ValueError: for a batch of no examples, which has no mean.
        """
        checks.at_least("the number of examples in x", len(x), 1)
        return self.likelihood.nll(out.params, x, out.mask).mean()

    @final
    def phases(self) -> dict[str, list[nn.Parameter]]:
        """What each phase of a training step updates: "disc" the parameters of the adversary, if any, and "main" all others."""
        if self.adversary is None:
            return {"main": list(self.parameters())}
        against = list(self.adversary.parameters())
        known = {id(parameter) for parameter in against}
        return {"main": [p for p in self.parameters() if id(p) not in known], "disc": against}


class DirectAutoencoder(Autoencoder[OutT]):
    """A model whose code is what its encoder returns, z = f(x), whatever happens to it on the way to the decoder in training."""

    @final
    def encode(self, x: Shaped[Tensor, "B *event"], **given: Tensor) -> Float[Tensor, "B latent_dim"]:
        """The code f(x) of an example as it is given, with nothing hidden, and without noise."""
        z: Tensor = self.encoder(x, **given)
        return z


class DeterministicAutoencoder(DirectAutoencoder[AEOutput]):
    """The forward pass of every model whose code goes straight to the decoder: z = f(x), x_hat = E[x | g(z)]."""

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> AEOutput:
        """Encode and decode; nothing is sampled, so ``generator`` is not used."""
        z = self.encode(x, **given)
        x_hat, params = self.decoded(z, **given)
        return AEOutput(x_hat, z, params, mask=given_steps(x, given))


class GenerativeAutoencoder(Autoencoder[OutT]):
    """An autoencoder with a prior over its codes, from which new examples can be drawn."""

    @abstractmethod
    def sample(self, n: int, *, generator: Generator | None = None, **given: Tensor) -> Float[Tensor, "n ..."]:
        """The means of p(x | z) for ``n`` codes z drawn from the prior."""
