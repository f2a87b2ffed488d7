"""The variational autoencoder (variant V7), and the importance-weighted one that has a tighter bound (V11)."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Shaped
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.core import AEOutput, GenerativeAutoencoder, Loss, OutT
from aelib.likelihoods import Likelihood
from aelib.losses import free_bits_kl, gaussian_kl, gaussian_log_density


@dataclass(frozen=True)
class VAEOutput(AEOutput):
    """An :class:`~aelib.core.AEOutput` with the posterior q(z | x) = N(mu, diag(exp(logvar))) that z was drawn from.

    Attributes:
        mu: the posterior means, shape (B, latent_dim).
        logvar: the logarithms of the posterior variances, shape (B, latent_dim).
    """

    mu: Tensor
    logvar: Tensor


@dataclass(frozen=True)
class IWAEOutput(VAEOutput):
    """A :class:`VAEOutput` with all K draws from the posterior; ``z``, ``x_hat`` and ``params`` belong to the first.

    Attributes:
        draws: the codes, shape (B, K, latent_dim).
        draws_params: what the decoder returned for each of them, shape (B, K, ...).
    """

    draws: Tensor
    draws_params: Tensor


@dataclass(frozen=True)
class KLControl:
    """How the KL term is held back *while training*, against the collapse of the posterior onto the prior.

    Attributes:
        warmup_steps: in the t-th training step the KL term has the weight beta * min(t / warmup_steps, 1); 0: beta from the
            start. Source: Bowman et al. (2016), section 3.1; Sønderby et al. (2016), section 2.3.
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


class GaussianPosteriorAutoencoder(GenerativeAutoencoder[OutT]):
    """What every model with q(z | x) = N(mu(x), diag(exp(logvar(x)))) and p(z) = N(0, I) shares.

    Args:
        encoder: from (B, *event_shape) to (B, 2 * latent_dim), the means first and then the log-variances.
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        latent_dim: the number of values in a code.

    Raises:
        ValueError: if ``latent_dim`` is below one.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, latent_dim: int) -> None:
        checks.at_least("latent_dim", latent_dim, 1)
        super().__init__(encoder, decoder, likelihood)
        self.latent_dim = latent_dim

    @final
    def posterior(
        self, x: Shaped[Tensor, "B *event"], **given: Tensor
    ) -> tuple[Float[Tensor, "B latent_dim"], Float[Tensor, "B latent_dim"]]:
        """The means and the log-variances of q(z | x).

        Raises:
            ValueError: if the encoder's output is not of shape (B, 2 * latent_dim).
        """
        out: Tensor = self.encoder(x, **given)
        checks.batch("the encoder's output", out, (2 * self.latent_dim,))
        mu, logvar = out.chunk(2, dim=1)
        return mu, logvar

    @final
    def encode(self, x: Shaped[Tensor, "B *event"], **given: Tensor) -> Float[Tensor, "B latent_dim"]:
        """The posterior mean mu(x)."""
        return self.posterior(x, **given)[0]

    @final
    @torch.no_grad()
    def sample(self, n: int, *, generator: Generator | None = None, **given: Tensor) -> Float[Tensor, "n ..."]:
        """The means of p(x | z) for ``n`` codes drawn from N(0, I)."""
        like = next(self.decoder.parameters())
        z = torch.randn(n, self.latent_dim, generator=generator, device=like.device, dtype=like.dtype)
        return self.decode(z, **given)


@final
class VAE(GaussianPosteriorAutoencoder[VAEOutput]):
    """q(z | x) = N(mu(x), diag(exp(logvar(x)))), p(z) = N(0, I), trained to maximize the evidence lower bound.

    The bound on log p(x) is E_q[log p(x | z)] - KL(q(z | x) || p(z)); the loss is its *negative* (erratum E5). A conditional
    VAE is this model with an encoder and a decoder that take ``y`` (see :mod:`aelib.conditioning`).
    Source: Kingma and Welling (2013), equation 3; with beta, Higgins et al. (2017), equation 4; conditional, Sohn et al. (2015),
    equation 4, with the prior p(z | y) = N(0, I).

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
        """Draw z = mu + exp(logvar / 2) * eps with eps from N(0, I), and decode it (Kingma and Welling, 2013, section 2.4).

        With a warm-up, each pass in training mode counts as one training step.
        """
        if self.training and self.kl_control.warmup_steps:
            self.steps.add_(1)
        mu, logvar = self.posterior(x, **given)
        eps = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
        z = mu + torch.exp(0.5 * logvar) * eps
        x_hat, params = self.decoded(z, **given)
        return VAEOutput(x_hat, z, params, mu, logvar)

    def loss(self, x: Shaped[Tensor, "B *event"], out: VAEOutput, phase: str = "main") -> Loss:
        """-log p(x | z) + beta KL(q(z | x) || p(z)): with beta = 1, an unbiased estimate of the negative bound.

        Warm-up and free bits change the total in training mode only, so that in evaluation mode the losses of any two epochs can
        be compared. The term "kl" is the KL divergence itself in both modes.
        """
        recon = self.likelihood.nll(out.params, x).mean()
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


@final
class IWAE(GaussianPosteriorAutoencoder[IWAEOutput]):
    """A VAE trained on the importance-weighted bound log (1/K) sum_k w_k, with w_k = p(x | z_k) p(z_k) / q(z_k | x) and z_k ~ q.

    In expectation the bound is the evidence lower bound at K = 1, it never falls with K, and it tends to log p(x).
    Source: Burda, Grosse and Salakhutdinov (2016), equation 8 and theorem 1.

    Args:
        encoder: from (B, *event_shape) to (B, 2 * latent_dim), the means first and then the log-variances.
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        latent_dim: the number of values in a code.
        num_samples: K, the number of codes drawn for each example; a step costs K decoder passes.

    Raises:
        ValueError: if ``latent_dim`` or ``num_samples`` is below one.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, latent_dim: int, *, num_samples: int = 5
    ) -> None:
        checks.at_least("num_samples", num_samples, 1)
        super().__init__(encoder, decoder, likelihood, latent_dim)
        self.num_samples = num_samples

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> IWAEOutput:
        """Draw K codes for each example and decode all of them as one batch of B * K."""
        mu, logvar = self.posterior(x, **given)
        shape = (len(mu), self.num_samples, self.latent_dim)
        eps = torch.randn(shape, generator=generator, device=mu.device, dtype=mu.dtype)
        draws = mu.unsqueeze(1) + torch.exp(0.5 * logvar).unsqueeze(1) * eps
        repeated = {name: value.repeat_interleave(self.num_samples, dim=0) for name, value in given.items()}
        x_hat, params = self.decoded(draws.flatten(0, 1), **repeated)
        x_hats, draws_params = (values.unflatten(0, shape[:2]) for values in (x_hat, params))
        first_x_hat, first_z, first_params = (values.select(1, 0) for values in (x_hats, draws, draws_params))
        return IWAEOutput(first_x_hat, first_z, first_params, mu, logvar, draws, draws_params)

    def loss(self, x: Shaped[Tensor, "B *event"], out: IWAEOutput, phase: str = "main") -> Loss:
        """-log (1/K) sum_k w_k, as the mean over the batch.

        Its terms are those of the evidence lower bound on the same draws; by how much the total lies below their sum is what the
        K samples gain, up to the noise of the draws.
        """
        repeated = x.repeat_interleave(self.num_samples, dim=0)
        nll = self.likelihood.nll(out.draws_params.flatten(0, 1), repeated).reshape(-1, self.num_samples)
        zero = torch.zeros_like(out.draws)
        log_p = gaussian_log_density(out.draws, zero, zero)
        log_q = gaussian_log_density(out.draws, out.mu.unsqueeze(1), out.logvar.unsqueeze(1))
        log_mean = torch.logsumexp(log_p - log_q - nll, dim=1) - math.log(self.num_samples)
        terms = {"recon": nll.mean().detach(), "kl": gaussian_kl(out.mu, out.logvar).mean().detach()}
        return Loss(-log_mean.mean(), terms)
