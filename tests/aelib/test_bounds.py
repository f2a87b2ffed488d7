"""Bounds against probabilistic PCA's likelihood, numerical integration and closed forms."""

import math

import numpy as np
import pytest
import torch
from linear_gaussian import normal, probabilistic_pca
from scipy.integrate import quad
from scipy.stats import norm
from torch import nn

from aelib.bounds import HasPosterior, active_units, collapse_report, log_likelihood
from aelib.conditioning import Conditioned
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.models import IWAE, VAE, VanillaAE
from aelib.nets import MLP


@pytest.fixture(scope="module")
def x():
    return normal(200, 6) @ normal(6, 6, seed=1) + 2


class Given(nn.Module):
    """A posterior that is the input itself: the means, then the log-variances."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()).double())

    def forward(self, x):
        return x * self.scale


def with_posterior(k):
    return VAE(Given(), nn.Identity(), Gaussian(), k)


def test_with_the_exact_posterior_every_draw_is_the_likelihood(x):
    """w = p(x | z) p(z) / q(z | x) = p(x) for each z, so one draw is enough, for each example."""
    model, expected = probabilistic_pca(x, 2)
    for settings in ({"num_samples": 1}, {"num_samples": 7, "batch_size": 3}, {"num_samples": 5, "batch_size": 64}):
        torch.testing.assert_close(log_likelihood(model, x, **settings), expected)


@pytest.mark.parametrize("model_class", [VAE, IWAE])
def test_with_another_posterior_it_rises_to_the_likelihood_with_k(x, model_class):
    model, expected = probabilistic_pca(x, 2, model_class)
    model.encoder.logvar.add_(1.0)
    model.encoder.mean.bias.data.add_(0.2)
    estimates = [log_likelihood(model, x, num_samples=k).mean().item() for k in (1, 10, 1000)]
    assert estimates[0] + 0.1 < estimates[1] < estimates[2]
    assert estimates[2] == pytest.approx(expected.mean().item(), abs=0.02)


def test_a_likelihood_that_is_not_gaussian():
    """One Bernoulli value with logit 2 z + 0.5: log p(x) by numerical integration."""
    model = VAE(Given(), nn.Linear(1, 1).double(), Bernoulli(), 1)
    model.decoder.weight.data.fill_(2.0)
    model.decoder.bias.data.fill_(0.5)
    # Any posterior will do, so a wide one: N(0, 1), the prior itself.
    model.encoder = MLP((1,), (), (2,)).double()
    for parameter in model.encoder.parameters():
        nn.init.zeros_(parameter)
    x = torch.tensor([[1.0], [0.0]]).double()
    p1 = quad(lambda z: norm.pdf(z) / (1 + math.exp(-2 * z - 0.5)), -10, 10)[0]
    estimate = log_likelihood(model, x, num_samples=100_000, batch_size=20_000)
    np.testing.assert_allclose(estimate.numpy(), [math.log(p1), math.log(1 - p1)], atol=0.01)


def test_batches_bound_what_is_decoded_at_once(x):
    sizes = []

    class Watched(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, z):
            sizes.append(len(z))
            return self.inner(z)

    model, _ = probabilistic_pca(x, 2)
    model.decoder = Watched(model.decoder)
    assert log_likelihood(model, x[:9], num_samples=25, batch_size=10).shape == (9,)
    assert sum(sizes) == 9 * 25
    assert max(sizes) == 10
    sizes.clear()
    log_likelihood(model, x[:9], num_samples=3, batch_size=10)
    assert sizes == [9, 9, 9]


def test_what_examples_come_with_goes_along(x):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(Conditioned(MLP((9,), (), (4,)), 3), Conditioned(MLP((5,), (), (6,)), 3), Gaussian(), 2).double()
    y = torch.arange(200) % 3
    together = log_likelihood(model, x, num_samples=500, given={"y": y})
    for c in range(3):
        alone = log_likelihood(model, x[y == c], num_samples=500, given={"y": y[y == c]}, seed=1)
        assert together[y == c].mean().item() == pytest.approx(alone.mean().item(), rel=0.02)
    assert active_units(model, x, given={"y": y}).shape == (2,)
    assert collapse_report(model, x, given={"y": y}).kl.shape == (2,)


def test_the_model_and_the_random_state_are_as_before(x):
    model, _ = probabilistic_pca(x, 2)
    before = torch.get_rng_state()
    for training in (True, False):
        model.train(training)
        first, again = (log_likelihood(model, x, num_samples=3, seed=4) for _ in range(2))
        collapse_report(model, x)
        assert torch.equal(first, again)
        assert model.training == training
    assert torch.equal(torch.get_rng_state(), before)


def test_active_units_are_those_whose_mean_moves():
    means = torch.tensor([0.0, 0.05, 0.2, 1.0]).double() * normal(2000, 4)
    model, out = with_posterior(4), torch.cat([means, torch.zeros(2000, 4).double()], dim=1)
    assert active_units(model, out).tolist() == [False, False, True, True]
    assert active_units(model, out, threshold=0.5).tolist() == [False, False, False, True]


def test_mutual_information_of_three_posteriors():
    """I(n; z) and KL(q(z) || p(z)) for three overlapping posteriors in one dimension, by numerical integration."""
    means, stds = [-1.0, 0.5, 2.0], [0.5, 0.8, 0.3]

    def mixture(z):
        return sum(norm.pdf(z, m, s) for m, s in zip(means, stds)) / 3

    def integral(f):
        return quad(f, -8, 8, points=[-1.0, 0.5, 2.0], limit=200)[0]

    marginal = integral(lambda z: mixture(z) * (math.log(mixture(z)) - norm.logpdf(z)) if mixture(z) > 0 else 0.0)
    kls = [0.5 * (s**2 + m**2 - 1) - math.log(s) for m, s in zip(means, stds)]
    rows = torch.tensor([[m, 2 * math.log(s)] for m, s in zip(means, stds)]).double()
    report = collapse_report(with_posterior(1), rows.repeat(1500, 1))
    assert report.kl.item() == pytest.approx(np.mean(kls))
    assert report.marginal_kl == pytest.approx(marginal, abs=0.03)
    assert report.mutual_information == pytest.approx(np.mean(kls) - marginal, abs=0.03)
    assert report.num_collapsed == 0


def test_a_linear_model_has_the_information_of_a_gaussian_channel():
    """mu ~ N(0, a) and variance v for all: I = 1/2 log(1 + a / v) for each dimension; a third that is collapsed adds nothing."""
    a, v = torch.tensor([1.0, 0.5, 0.0]).double(), torch.tensor([0.5, 0.5, 1.0]).double()
    rows = torch.cat([a.sqrt() * normal(3000, 3, seed=5), v.log().expand(3000, 3)], dim=1)
    report = collapse_report(with_posterior(3), rows)
    expected = 0.5 * torch.log(1 + a / v).sum().item()
    assert report.mutual_information == pytest.approx(expected, abs=0.05)
    assert report.num_collapsed == 1
    assert report.kl[2].item() == 0
    assert report.mutual_information + report.marginal_kl == pytest.approx(report.kl.sum().item())


def test_information_is_at_most_log_n():
    """Ten posteriors far apart: each code tells which example it is, which is log 10 nats."""
    rows = torch.stack([torch.arange(10.0) * 100, torch.zeros(10)], dim=1).double()
    assert collapse_report(with_posterior(1), rows).mutual_information == pytest.approx(math.log(10))


def test_collapsed_onto_the_prior():
    report = collapse_report(with_posterior(2), torch.zeros(50, 4).double())
    assert report.num_collapsed == 2
    assert report.mutual_information == pytest.approx(0, abs=1e-12)
    assert report.marginal_kl == pytest.approx(0, abs=1e-12)


def test_only_models_with_a_posterior_will_do(x):
    model, _ = probabilistic_pca(x, 2)
    assert isinstance(model, HasPosterior)
    assert not isinstance(VanillaAE(nn.Identity(), nn.Identity(), Gaussian()), HasPosterior)


def test_bad_arguments(x):
    model, _ = probabilistic_pca(x, 2)
    with pytest.raises(ValueError, match="num_samples: got 0"):
        log_likelihood(model, x, num_samples=0)
    with pytest.raises(ValueError, match="batch_size: got 0"):
        log_likelihood(model, x, batch_size=0)
    with pytest.raises(ValueError, match="the number of examples in x: got 0"):
        active_units(model, x[:0])
