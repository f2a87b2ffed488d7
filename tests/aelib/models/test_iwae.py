"""The importance-weighted bound against the VAE's, and against probabilistic PCA's likelihood."""

import numpy as np
import pytest
import torch
from linear_gaussian import normal, probabilistic_pca
from torch.distributions import Independent, Normal, kl_divergence

from aelib.likelihoods import Bernoulli
from aelib.models import IWAE
from aelib.nets import MLP


def make(num_samples):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return IWAE(MLP((4,), (8,), (4,)), MLP((2,), (8,), (4,)), Bernoulli(), 2, num_samples=num_samples)


def data(n):
    return (torch.rand(n, 4, generator=torch.Generator().manual_seed(0)) > 0.5).float()


def distributions(out):
    q = Independent(Normal(out.mu, torch.exp(out.logvar / 2)), 1)
    return q, Independent(Normal(torch.zeros_like(out.mu), torch.ones_like(out.mu)), 1)


def test_the_bound_is_its_formula():
    """Example by example and draw by draw, with torch's distributions."""
    model, x = make(3), data(5)
    with torch.no_grad():
        out = model(x, generator=torch.Generator().manual_seed(1))
        loss = model.loss(x, out)
        q, p = distributions(out)
        log_w = []
        for k in range(3):
            z = out.draws[:, k]
            log_p_x = Independent(torch.distributions.Bernoulli(logits=model.decoder(z)), 1).log_prob(x)
            log_w.append(log_p_x + p.log_prob(z) - q.log_prob(z))
    bound = torch.stack(log_w).exp().mean(0).log().mean()
    torch.testing.assert_close(loss.total, -bound)
    torch.testing.assert_close(loss.terms["kl"], kl_divergence(q, p).mean())


def test_z_and_x_hat_are_those_of_the_first_draw():
    model, x = make(3), data(5)
    out = model(x)
    assert out.draws.shape == (5, 3, 2)
    assert out.draws_params.shape == (5, 3, 4)
    torch.testing.assert_close(out.z, out.draws[:, 0])
    torch.testing.assert_close(out.params, out.draws_params[:, 0])
    torch.testing.assert_close(model.decode(out.z), out.x_hat)


def test_one_sample_is_the_evidence_lower_bound_in_expectation():
    """K = 1: for the same draws the reconstruction is the same, and the log-ratio is the KL divergence on average."""
    model, x = make(1), data(4).repeat(20_000, 1)
    with torch.no_grad():
        out = model(x, generator=torch.Generator().manual_seed(1))
        q, p = distributions(out)
        loss = model.loss(x, out)
        log_ratio = q.log_prob(out.z) - p.log_prob(out.z)
    torch.testing.assert_close(loss.total, loss.terms["recon"] + log_ratio.mean())
    gap = (loss.total - loss.terms["recon"] - loss.terms["kl"]).abs()
    assert gap < 5 * (log_ratio - kl_divergence(q, p)).std() / len(x) ** 0.5


def test_the_bound_rises_with_k_to_the_likelihood():
    """A linear-Gaussian model with a posterior that is too wide and off its place."""
    x = normal(300, 6) @ normal(6, 6, seed=1) + 2
    bounds = []
    for num_samples, repeats in ((1, 100), (5, 40), (50, 10), (1000, 1)):
        model, log_likelihood = probabilistic_pca(x, 2, IWAE, num_samples=num_samples)
        model.encoder.logvar.add_(1.0)
        model.encoder.mean.bias.data.add_(0.2)
        estimates = []
        with torch.no_grad():
            for seed in range(repeats):
                out = model(x, generator=torch.Generator().manual_seed(seed))
                estimates.append(-model.loss(x, out).total.item())
        bounds.append(np.mean(estimates))
    assert bounds == sorted(bounds)
    assert bounds[1] > bounds[0] + 0.1
    assert bounds[0] < log_likelihood.mean() - 0.3
    assert bounds[-1] == pytest.approx(log_likelihood.mean().item(), abs=0.02)


def test_what_examples_come_with_is_repeated_for_each_draw():
    class Shift(torch.nn.Module):
        def forward(self, z, *, y):
            return torch.cat([z, z], dim=1) + y[:, None]

    class Zero(torch.nn.Module):
        def forward(self, x, *, y):
            return torch.zeros(len(x), 4)

    model = IWAE(Zero(), Shift(), Bernoulli(), 2, num_samples=3)
    y = torch.tensor([0.0, 10.0])
    out = model(data(2), y=y)
    torch.testing.assert_close(out.draws_params, torch.cat([out.draws, out.draws], dim=2) + y[:, None, None])


def test_bad_num_samples():
    with pytest.raises(ValueError, match="num_samples: got 0"):
        make(0)
