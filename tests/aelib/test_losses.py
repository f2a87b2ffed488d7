"""Loss terms against torch's own and Monte Carlo."""

import math
from functools import partial

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from aelib.losses import (
    free_bits_kl,
    gaussian_kl,
    gaussian_log_density,
    inverse_multiquadratic,
    l1_norm,
    mmd,
    rate_kl,
    rbf_kernel,
    sigmoid_jacobian_norm,
)


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


def test_free_bits_take_the_maximum_of_the_mean():
    mu, logvar = posterior()
    kl = kl_divergence(Normal(mu, torch.exp(logvar / 2)), Normal(0.0, 1.0))
    for minimum in (0.0, 0.5, 100.0):
        by_hand = sum(max(minimum, kl[:, j].mean().item()) for j in range(3))
        assert free_bits_kl(mu, logvar, minimum).item() == pytest.approx(by_hand, rel=1e-5)
    torch.testing.assert_close(free_bits_kl(mu, logvar, 0.0), gaussian_kl(mu, logvar).mean())


def test_gaussian_log_density_is_torchs():
    mu, logvar = posterior()
    z = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1))
    expected = Independent(Normal(mu, torch.exp(logvar / 2)), 1).log_prob(z)
    torch.testing.assert_close(gaussian_log_density(z, mu, logvar), expected)


@pytest.mark.parametrize("kernel", [partial(rbf_kernel, scale=0.8), partial(inverse_multiquadratic, scale=1.5)])
def test_mmd_is_a_double_loop(kernel):
    a, b = posterior()[0].double(), posterior()[1][:4].double()

    def k(u, v):
        return kernel(((u - v) ** 2).sum()).item()

    aa = sum(k(a[i], a[j]) for i in range(6) for j in range(6) if i != j) / 30
    bb = sum(k(b[i], b[j]) for i in range(4) for j in range(4) if i != j) / 12
    ab = sum(k(u, v) for u in a for v in b) / 24
    assert mmd(a, b, kernel).item() == pytest.approx(aa + bb - 2 * ab)


def test_kernels_are_their_formulas():
    assert rbf_kernel(torch.tensor(3.0), 2.0).item() == pytest.approx(math.exp(-3 / 8))
    assert inverse_multiquadratic(torch.tensor(3.0), 2.0).item() == pytest.approx(4 / 7)


def test_mmd_of_two_gaussians_is_the_closed_form_without_bias():
    """E k(u, v) = (h^2 / (h^2 + s^2 + t^2))^(k/2) exp(-||m||^2 / (2 (h^2 + s^2 + t^2))) for u ~ N(0, s^2 I), v ~ N(m, t^2 I)."""
    h, s, t, m = 1.3, 1.0, 0.6, torch.tensor([0.7, -0.4]).double()

    def expectation(variance, squared_distance):
        total = h**2 + variance
        return h**2 / total * math.exp(-squared_distance / (2 * total))

    exact = expectation(2 * s**2, 0) + expectation(2 * t**2, 0) - 2 * expectation(s**2 + t**2, m.square().sum().item())
    generator = torch.Generator().manual_seed(0)
    for n, repeats in ((5, 1000), (2000, 1)):
        estimates = []
        for _ in range(repeats):
            a = s * torch.randn(n, 2, generator=generator, dtype=torch.float64)
            b = m + t * torch.randn(n, 2, generator=generator, dtype=torch.float64)
            estimates.append(mmd(a, b, partial(rbf_kernel, scale=h)).item())
        # Five standard errors for the small samples; for the large one, what was left of the noise.
        tolerance = 5 * torch.tensor(estimates).std().item() / repeats**0.5 if repeats > 1 else 0.02
        assert tolerance < 0.03
        assert sum(estimates) / repeats == pytest.approx(exact, abs=tolerance)


def test_mmd_needs_two_rows():
    with pytest.raises(ValueError, match="the number of rows of b: got 1; expected a number of at least 2"):
        mmd(torch.zeros(2, 3), torch.zeros(1, 3), partial(rbf_kernel, scale=1.0))


def test_rate_kl_is_torchs_bernoulli_divergence():
    z = torch.rand(50, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rates = Bernoulli(z.mean(0))
    expected = kl_divergence(Bernoulli(torch.full((7,), 0.05).double()), rates).sum()
    torch.testing.assert_close(rate_kl(z, 0.05), expected)


def test_rate_kl_is_zero_where_the_mean_is_rho_whatever_the_values():
    half = torch.tensor([[0.0], [0.4]]).double()
    torch.testing.assert_close(rate_kl(half, 0.2), torch.tensor(0.0).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(rate_kl(torch.full_like(half, 0.2), 0.2), torch.tensor(0.0).double(), atol=1e-12, rtol=0)


def test_rate_kl_of_a_saturated_unit_is_large_and_finite():
    for value in (0.0, 1.0):
        z = torch.full((4, 1), value, requires_grad=True)
        kl = rate_kl(z, 0.1)
        kl.backward()
        assert torch.isfinite(kl)
        assert kl > 1
        assert torch.isfinite(z.grad).all()


def test_l1_norm_is_torchs():
    z = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(l1_norm(z), torch.linalg.vector_norm(z, ord=1, dim=1))


def test_sigmoid_jacobian_norm_is_autograds():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    x = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    jacobians = torch.stack([torch.autograd.functional.jacobian(lambda row: torch.sigmoid(weight @ row), r) for r in x])
    torch.testing.assert_close(
        sigmoid_jacobian_norm(torch.sigmoid(x @ weight.T), weight), jacobians.square().sum((1, 2))
    )
