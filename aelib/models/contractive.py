"""The contractive autoencoder (variant V6), with its penalty computed in three ways."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, final

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.core import AEOutput, DirectAutoencoder, Loss
from aelib.likelihoods import Likelihood
from aelib.losses import sigmoid_jacobian_norm
from aelib.sequences import given_steps


@dataclass(frozen=True)
class ContractiveOutput(AEOutput):
    """An :class:`~aelib.core.AEOutput` with how sensitive the code is.

    Attributes:
        jac: ||J||_F^2 of the encoder at each example, or an estimate of it, shape (B,), with its graph.
    """

    jac: Tensor


class EncoderJacobian(ABC):
    """A way to find z = f(x) together with the squared Frobenius norm of df/dx at each example."""

    @abstractmethod
    def __call__(
        self, encoder: nn.Module, x: Float[Tensor, "B *event"], given: Mapping[str, Tensor], generator: Generator | None
    ) -> tuple[Float[Tensor, "B latent_dim"], Float[Tensor, " B"]]:
        """Both f(x) and ||J||_F^2 for f(x) = encoder(x, **given); gradients can be taken through both."""


@final
class ExactJacobian(EncoderJacobian):
    """The norm itself, for any encoder: latent_dim backward passes, one for each row of the Jacobian, vectorized."""

    def __call__(
        self, encoder: nn.Module, x: Float[Tensor, "B *event"], given: Mapping[str, Tensor], generator: Generator | None
    ) -> tuple[Float[Tensor, "B latent_dim"], Float[Tensor, " B"]]:
        """Pull every row u of the identity back through the encoder, to J^T u."""
        z, *pull = torch.func.vjp(lambda x: encoder(x, **given), x)
        rows = torch.eye(z.shape[1], device=z.device, dtype=z.dtype).unsqueeze(1).expand(-1, *z.shape)
        (pulled,) = torch.func.vmap(pull[0])(rows)
        return z, pulled.flatten(2).square().sum((0, 2))


@final
class StochasticJacobian(EncoderJacobian):
    """An unbiased estimate of the norm, for any encoder, at the cost of ``num_samples`` backward passes.

    It is the mean of ||J^T u||^2 over vectors u of independent random signs. As E[u u^T] = I its mean is tr(J J^T), and its
    variance with one vector is 2 sum_(i != j) (J J^T)_ij^2, the least that independent entries of mean 0 and variance 1 can have:
    none at all where the rows of J are orthogonal.
    Source: Hutchinson (1990).

    Args:
        num_samples: how many vectors to draw for each example.

    Raises:
        ValueError: if ``num_samples`` is below one.
    """

    def __init__(self, num_samples: int = 1) -> None:
        checks.at_least("num_samples", num_samples, 1)
        self.num_samples = num_samples

    def __call__(
        self, encoder: nn.Module, x: Float[Tensor, "B *event"], given: Mapping[str, Tensor], generator: Generator | None
    ) -> tuple[Float[Tensor, "B latent_dim"], Float[Tensor, " B"]]:
        """Pull random signs u back through the encoder, to J^T u."""
        z, *pull = torch.func.vjp(lambda x: encoder(x, **given), x)
        coins = torch.empty(self.num_samples, *z.shape, device=z.device, dtype=z.dtype)
        signs = 2 * coins.bernoulli_(0.5, generator=generator) - 1
        (pulled,) = torch.func.vmap(pull[0])(signs)
        return z, pulled.flatten(2).square().sum(2).mean(0)


@final
class SigmoidLayerJacobian(EncoderJacobian):
    """The norm itself in closed form, without a backward pass, for an encoder sigmoid(W x + b) and no other.

    The encoder is one ``nn.Linear`` followed by one ``nn.Sigmoid``, however they are wrapped, such as
    ``nn.Sequential(MLP(event_shape, (), (latent_dim,)), nn.Sigmoid())``.
    Source: Rifai et al. (2011).
    """

    def __call__(
        self, encoder: nn.Module, x: Float[Tensor, "B *event"], given: Mapping[str, Tensor], generator: Generator | None
    ) -> tuple[Float[Tensor, "B latent_dim"], Float[Tensor, " B"]]:
        """From the code and the weights.

        Raises:
            ValueError: if the encoder is made of anything else.
        """
        leaves = [module for module in encoder.modules() if not list(module.children())]
        if [type(leaf) for leaf in leaves] != [nn.Linear, nn.Sigmoid]:
            raise ValueError(
                f"encoder: it is made of {', '.join(type(leaf).__name__ for leaf in leaves)}; expected one Linear and one "
                "Sigmoid (for any other encoder there are ExactJacobian and StochasticJacobian)"
            )
        z: Tensor = encoder(x, **given)
        return z, sigmoid_jacobian_norm(z, cast(nn.Linear, leaves[0]).weight)


@final
class ContractiveAE(DirectAutoencoder[ContractiveOutput]):
    """A deterministic autoencoder that pays for the sensitivity of its code: -log p(x | f(x)) + weight * ||df/dx||_F^2.

    The penalty asks the code to ignore changes of x, the reconstruction asks it to keep those that the data make; what is left is
    sensitivity along the data and little across it. If the weight exceeds what the reconstruction gains, the code is constant.
    The penalty can be evaded: a code c times smaller with a decoder c times steeper reconstructs the same at 1 / c^2 of the
    penalty. Tied weights, as in the source, or weight decay rule this out.
    Source: Rifai et al. (2011).

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim); the code of an example must not depend on other examples, so
            batch normalization in training is out.
        decoder: g, from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        jacobian: how the penalty is computed.
        weight: of the penalty, in nats for a squared unit of the code per squared unit of the data.

    Raises:
        ValueError: if ``weight`` is negative.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        jacobian: EncoderJacobian,
        *,
        weight: float = 0.1,
    ) -> None:
        checks.at_least("weight", weight, 0)
        super().__init__(encoder, decoder, likelihood)
        self.jacobian = jacobian
        self.weight = weight

    def forward(
        self, x: Float[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> ContractiveOutput:
        """Encode, find the norm of the Jacobian on the way, decode. Only the stochastic estimate uses ``generator``."""
        z, jac = self.jacobian(self.encoder, x, given, generator)
        x_hat, params = self.decoded(z, **given)
        return ContractiveOutput(x_hat, z, params, jac, mask=given_steps(x, given))

    def loss(self, x: Float[Tensor, "B *event"], out: ContractiveOutput, phase: str = "main") -> Loss:
        """-log p(x | z) + weight * ||J||_F^2."""
        recon = self.recon(x, out)
        return Loss.weighted({"recon": (1.0, recon), "jac": (self.weight, out.jac.mean())})
