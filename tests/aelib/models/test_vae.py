"""The VAE against probabilistic PCA, whose likelihood is known in closed form, and the reparameterization against its law."""

import math

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn
from torch.distributions import MultivariateNormal

from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.models import VAE
from aelib.nets import MLP
from aelib.training import evaluate, fit


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class LinearPosterior(nn.Module):
    """The exact posterior of probabilistic PCA: a linear mean, and one variance for all examples."""

    def __init__(self, weight, bias, variance):
        super().__init__()
        self.mean = nn.Linear(weight.shape[1], weight.shape[0])
        self.mean.weight.data, self.mean.bias.data = weight, bias
        self.register_buffer("logvar", variance.log())

    def forward(self, x):
        return torch.cat([self.mean(x), self.logvar.expand(len(x), -1)], dim=1)


def probabilistic_pca(x, k):
    """A linear VAE at the maximum of the likelihood (Tipping and Bishop, 1999, equations 7 and 8), and its log-likelihood."""
    pca = PCA(n_components=k).fit(x.numpy())
    # scikit-learn divides by N - 1, the maximum of the likelihood by N.
    shrink = (len(x) - 1) / len(x)
    variances = torch.from_numpy(pca.explained_variance_) * shrink
    sigma2 = pca.noise_variance_ * shrink
    w = torch.from_numpy(pca.components_.T) * (variances - sigma2).sqrt()
    mean = x.mean(0)
    m = w.T @ w + sigma2 * torch.eye(k).double()  # diagonal, because the columns of w are orthogonal
    to_code = torch.linalg.solve(m, w.T)
    encoder = LinearPosterior(to_code, -to_code @ mean, sigma2 / m.diag())
    decoder = nn.Linear(k, x.shape[1])
    decoder.weight.data, decoder.bias.data = w, mean
    model = VAE(encoder, decoder, Gaussian(math.sqrt(sigma2)), k).double()
    marginal = MultivariateNormal(mean, w @ w.T + sigma2 * torch.eye(x.shape[1]).double())
    return model, marginal.log_prob(x).mean().item()


@pytest.fixture(scope="module")
def x():
    return normal(300, 6) @ normal(6, 6, seed=1) + 2


def test_with_the_exact_posterior_the_bound_is_the_likelihood(x):
    """The linear VAE of probabilistic PCA: ELBO = log p(x), within Monte Carlo error; and E12, PCA does have a likelihood."""
    model, log_likelihood = probabilistic_pca(x, 2)
    estimates = [-evaluate(model, x, seed=seed)["total"] for seed in range(40)]
    standard_error = np.std(estimates) / math.sqrt(40)
    assert np.mean(estimates) == pytest.approx(log_likelihood, abs=5 * standard_error)
    assert standard_error < 0.02


def test_with_any_other_posterior_the_bound_is_below(x):
    _, log_likelihood = probabilistic_pca(x, 2)
    for change in (lambda e: e.logvar.add_(1.0), lambda e: e.logvar.sub_(1.0), lambda e: e.mean.bias.data.add_(0.5)):
        worse, _ = probabilistic_pca(x, 2)
        change(worse.encoder)
        bound = np.mean([-evaluate(worse, x, seed=seed)["total"] for seed in range(20)])
        assert bound < log_likelihood - 0.05


def test_training_a_linear_vae_approaches_the_likelihood_from_below(x):
    _, log_likelihood = probabilistic_pca(x, 2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(MLP((6,), (), (4,)), MLP((2,), (), (6,)), Gaussian(learned=True), 2).double()
    for lr in (3e-2, 3e-3):
        fit(model, x, TrainConfig(epochs=400, batch_size=100, lr=lr), progress=False, device="cpu")
    bound = np.mean([-evaluate(model, x, seed=seed)["total"] for seed in range(20)])
    assert log_likelihood - 0.1 < bound < log_likelihood + 0.02


def make():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VAE(MLP((4,), (8,), (4,)), MLP((2,), (8,), (4,)), Bernoulli(), 2)


def test_codes_follow_the_posterior():
    model, x = make(), torch.rand(1, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        out = model(x.expand(100_000, 4), generator=torch.Generator().manual_seed(1))
    mu, std = out.mu[0], torch.exp(out.logvar[0] / 2)
    assert ((out.z.mean(0) - mu).abs() < 5 * std / 100_000**0.5).all()
    torch.testing.assert_close(out.z.std(0), std, rtol=0.02, atol=0)


def test_gradients_flow_through_the_sampling():
    """d/dmu E[z^2] = 2 mu and d/dlogvar E[z^2] = exp(logvar), by the reparameterized sample."""
    mu = torch.tensor([[0.7, -1.2]]).double().requires_grad_()
    logvar = torch.tensor([[0.3, -0.5]]).double().requires_grad_()
    n = 200_000

    class Fixed(nn.Module):
        def forward(self, x):
            return torch.cat([mu, logvar], dim=1).expand(len(x), 4)

    model = VAE(Fixed(), nn.Identity(), Gaussian(), 2).double()
    out = model(torch.zeros(n, 2).double(), generator=torch.Generator().manual_seed(0))
    out.z.square().sum(1).mean().backward()
    torch.testing.assert_close(mu.grad, 2 * mu.detach(), rtol=0.02, atol=0.01)
    torch.testing.assert_close(logvar.grad, logvar.detach().exp(), rtol=0.02, atol=0.01)


def test_beta_weighs_the_kl_term_alone():
    model, x = make(), torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
    out = model(x)
    plain = model.loss(x, out)
    model.beta = 4.0
    heavy = model.loss(x, out)
    torch.testing.assert_close(heavy.total - plain.total, 3 * plain.terms["kl"])
    assert heavy.terms == plain.terms


def test_the_loss_does_not_sample_again():
    model, x = make(), torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
    out = model(x)
    assert model.loss(x, out).total == model.loss(x, out).total


def test_samples_are_decoded_draws_from_the_prior():
    model = make()
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        torch.testing.assert_close(model.sample(5, generator=torch.Generator().manual_seed(3)), model.decode(z))


def test_an_encoder_of_the_wrong_width_is_named():
    model = VAE(MLP((4,), (), (2,)), MLP((2,), (), (4,)), Bernoulli(), 2)
    with pytest.raises(
        ValueError, match=r"the encoder's output: got shape \(3, 2\); expected a batch of shape \(B, 4\)"
    ):
        model(torch.zeros(3, 4))


def test_bad_beta():
    with pytest.raises(ValueError, match="beta: got -1"):
        VAE(MLP((4,), (), (4,)), MLP((2,), (), (4,)), Bernoulli(), 2, beta=-1)
