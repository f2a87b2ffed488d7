"""Loss terms against torch's own and Monte Carlo."""

import torch
from torch.distributions import Independent, Normal, kl_divergence

from aelib.losses import gaussian_kl


def posterior():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(6, 3, generator=generator), torch.randn(6, 3, generator=generator)


def test_gaussian_kl_is_torchs():
    mu, logvar = posterior()
    q = Independent(Normal(mu, torch.exp(logvar / 2)), 1)
    p = Independent(Normal(torch.zeros(6, 3), torch.ones(6, 3)), 1)
    torch.testing.assert_close(gaussian_kl(mu, logvar), kl_divergence(q, p))


def test_gaussian_kl_is_the_mean_of_the_log_ratio():
    """Monte Carlo: KL(q || p) = E_q[log q(z) - log p(z)], within five standard errors."""
    mu, logvar = (value.double() for value in posterior())
    eps = torch.randn(200_000, 6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    z = mu + torch.exp(logvar / 2) * eps
    log_ratio = 0.5 * (z.square() - eps.square() - logvar).sum(2)
    error = (log_ratio.mean(0) - gaussian_kl(mu, logvar)).abs()
    assert (error < 5 * log_ratio.std(0) / 200_000**0.5).all()


def test_gaussian_kl_is_zero_at_the_prior_only():
    zero = torch.zeros(1, 2)
    assert gaussian_kl(zero, zero).item() == 0
    assert gaussian_kl(zero + 0.1, zero).item() > 0
    assert gaussian_kl(zero, zero + 0.1).item() > 0
