"""The variational autoencoder (variant V7)."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Shaped
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.core import Loss
from aelib.gaussian_posterior import GaussianPosteriorAutoencoder, VAEOutput
from aelib.likelihoods import Likelihood
from aelib.losses import free_bits_kl, gaussian_kl
from aelib.sequences import given_steps


@dataclass(frozen=True)
class KLControl:
    """How the KL term is held back *while training*, against the collapse of the posterior onto the prior.

    Attributes:
        warmup_steps: in the t-th training step the KL term has the weight beta * min(t / warmup_steps, 1); 0: beta from the
            start. Source: Bowman et al. (2016), section 3.1; Sønderby et al. (2016).
        free_bits: nats (despite the name) that each dimension of the code may cost for free; 0: none. See
            :func:`aelib.losses.free_bits_kl`.

    Raises:
        ValueError: if a value is below zero.
    """

    warmup_steps: int = 0
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        checks.at_least("warmup_steps", self.warmup_steps, 0)
        checks.at_least("free_bits", self.free_bits, 0)


@final
class VAE(GaussianPosteriorAutoencoder[VAEOutput]):
    """q(z | x) = N(mu(x), diag(exp(logvar(x)))), p(z) = N(0, I), trained to maximize the evidence lower bound.

    The bound on log p(x) is E_q[log p(x | z)] - KL(q(z | x) || p(z)); the loss is its *negative* (erratum E5). A conditional
    VAE is this model with an encoder and a decoder that take ``y`` (see :mod:`aelib.conditioning`).
    Source: Kingma and Welling (2013), equation 3; with beta, Higgins et al. (2017); conditional, Sohn et al. (2015), here with
    the prior p(z | y) = N(0, I).

    Args:
        encoder: from (B, *event_shape) to (B, 2 * latent_dim), the means first and then the log-variances.
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        latent_dim: the number of values in a code.
        beta: the weight of the KL term; 1 gives the bound, and no other value does.
        kl_control: warm-up and free bits; None: neither.

    Raises:
        ValueError: if ``latent_dim`` is below one or ``beta`` below zero.
    """

    steps: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        latent_dim: int,
        *,
        beta: float = 1.0,
        kl_control: KLControl | None = None,
    ) -> None:
        checks.at_least("beta", beta, 0)
        super().__init__(encoder, decoder, likelihood, latent_dim)
        self.beta = beta
        self.kl_control = kl_control or KLControl()
        self.register_buffer("steps", torch.tensor(0))

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> VAEOutput:
        """Draw z = mu + exp(logvar / 2) * eps with eps from N(0, I), and decode it: Kingma and Welling (2013), section 2.4.

        With a warm-up, each pass in training mode counts as one training step.
        """
        if self.training and self.kl_control.warmup_steps:
            self.steps.add_(1)
        mu, logvar = self.posterior(x, **given)
        eps = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
        z = mu + torch.exp(0.5 * logvar) * eps
        x_hat, params = self.decoded(z, **given)
        return VAEOutput(x_hat, z, params, mu, logvar, mask=given_steps(x, given))

    def loss(self, x: Shaped[Tensor, "B *event"], out: VAEOutput, phase: str = "main") -> Loss:
        """-log p(x | z) + beta KL(q(z | x) || p(z)): with beta = 1, an unbiased estimate of the negative bound.

        Warm-up and free bits change the total in training mode only, so that in evaluation mode the losses of any two epochs can
        be compared. The term "kl" is the KL divergence itself in both modes.
        """
        recon = self.recon(x, out)
        control = self.kl_control
        if not (self.training and (control.warmup_steps or control.free_bits)):
            return Loss.weighted({"recon": (1.0, recon), "kl": (self.beta, gaussian_kl(out.mu, out.logvar).mean())})
        total = recon + self.beta * self._warmup() * free_bits_kl(out.mu, out.logvar, control.free_bits)
        return Loss(total, {"recon": recon.detach(), "kl": gaussian_kl(out.mu, out.logvar).mean().detach()})

    def _warmup(self) -> Tensor | float:
        """The factor min(t / warmup_steps, 1) of beta in the t-th training step."""
        if not self.kl_control.warmup_steps:
            return 1.0
        return (self.steps / self.kl_control.warmup_steps).clamp(max=1.0)
