"""The VAE against probabilistic PCA, whose likelihood is known in closed form, and the reparameterization against its law."""

import math

import numpy as np
import pytest
import torch
from linear_gaussian import normal, probabilistic_pca
from torch import nn
from torch.distributions import Normal, kl_divergence

from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Categorical, Gaussian
from aelib.losses import free_bits_kl, gaussian_kl
from aelib.models import VAE, KLControl
from aelib.nets import MLP
from aelib.training import evaluate, fit


@pytest.fixture(scope="module")
def x():
    return normal(300, 6) @ normal(6, 6, seed=1) + 2


def test_with_the_exact_posterior_the_bound_is_the_likelihood(x):
    """The linear VAE of probabilistic PCA: ELBO = log p(x), within Monte Carlo error; and E12, PCA does have a likelihood."""
    model, log_likelihood = probabilistic_pca(x, 2)
    estimates = [-evaluate(model, x, seed=seed)["total"] for seed in range(40)]
    standard_error = np.std(estimates) / math.sqrt(40)
    assert np.mean(estimates) == pytest.approx(log_likelihood.mean().item(), abs=5 * standard_error)
    assert standard_error < 0.02


def test_with_any_other_posterior_the_bound_is_below(x):
    _, log_likelihood = probabilistic_pca(x, 2)
    for change in (lambda e: e.logvar.add_(1.0), lambda e: e.logvar.sub_(1.0), lambda e: e.mean.bias.data.add_(0.5)):
        worse, _ = probabilistic_pca(x, 2)
        change(worse.encoder)
        bound = np.mean([-evaluate(worse, x, seed=seed)["total"] for seed in range(20)])
        assert bound < log_likelihood.mean() - 0.05


@pytest.mark.slow
def test_training_a_linear_vae_approaches_the_likelihood_from_below(x):
    _, log_likelihood = probabilistic_pca(x, 2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(MLP((6,), (), (4,)), MLP((2,), (), (6,)), Gaussian(learned=True), 2).double()
    for lr in (3e-2, 3e-3):
        fit(model, x, TrainConfig(epochs=400, batch_size=100, lr=lr), progress=False, device="cpu")
    bound = np.mean([-evaluate(model, x, seed=seed)["total"] for seed in range(20)])
    assert log_likelihood.mean() - 0.1 < bound < log_likelihood.mean() + 0.02


def rand(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def make(**settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VAE(MLP((4,), (8,), (4,)), MLP((2,), (8,), (4,)), Bernoulli(), 2, **settings)


def test_codes_follow_the_posterior():
    model, x = make(), rand(1, 4)
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
    model, x = make(), rand(3, 4)
    out = model(x)
    plain = model.loss(x, out)
    model.beta = 4.0
    heavy = model.loss(x, out)
    torch.testing.assert_close(heavy.total - plain.total, 3 * plain.terms["kl"])
    assert heavy.terms == plain.terms


def test_the_loss_does_not_sample_again():
    model, x = make(), rand(3, 4)
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


def test_warmup_raises_the_weight_of_the_kl_term_linearly():
    model, x = make(beta=2.0, kl_control=KLControl(warmup_steps=4)), rand(3, 4)
    weights = []
    for _ in range(6):
        loss = model.loss(x, model(x))
        weights.append(((loss.total - loss.terms["recon"]) / loss.terms["kl"]).item())
    assert weights == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 2.0], rel=1e-4)


def test_evaluation_does_not_count_as_training_and_has_the_full_weight():
    model, x = make(beta=2.0, kl_control=KLControl(warmup_steps=4, free_bits=9.0)).eval(), rand(3, 4)
    loss = model.loss(x, model(x))
    torch.testing.assert_close(loss.total, loss.terms["recon"] + 2 * loss.terms["kl"])
    assert model.steps == 0


def test_the_count_of_steps_is_saved_with_the_model():
    model, other = make(kl_control=KLControl(warmup_steps=10)), make(kl_control=KLControl(warmup_steps=10))
    for _ in range(3):
        model(rand(2, 4))
    other.load_state_dict(model.state_dict())
    assert other.steps == 3


class Constant(nn.Module):
    def __init__(self, out):
        super().__init__()
        self.out = out

    def forward(self, x):
        return self.out


def test_free_bits_are_counted_for_each_dimension_after_the_mean_over_the_batch():
    model, x = make(kl_control=KLControl(free_bits=0.5)), rand(8, 4)
    mu = torch.tensor([[2.0, 0.1], [0.0, 0.9]])
    logvar = torch.tensor([[-1.0, 0.0], [0.3, 0.0]])
    model.encoder = Constant(torch.cat([mu, logvar], dim=1))
    loss = model.loss(x[:2], model(x[:2]))
    q = Normal(mu, torch.exp(logvar / 2))
    per_dimension = kl_divergence(q, Normal(0.0, 1.0)).mean(0).tolist()
    assert per_dimension[0] > 0.5 > per_dimension[1]
    penalty = (loss.total - loss.terms["recon"]).item()
    assert penalty == pytest.approx(per_dimension[0] + 0.5, rel=1e-5)
    assert loss.terms["kl"].item() == pytest.approx(sum(per_dimension), rel=1e-6)


def test_free_bits_have_no_gradient_where_they_are_free():
    mu = torch.tensor([[2.0, 0.1], [0.0, 0.9]]).requires_grad_()
    free_bits_kl(mu, torch.zeros(2, 2), 0.5).backward()
    torch.testing.assert_close(mu.grad, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))


@pytest.mark.slow
def test_free_bits_keep_a_code_in_use_that_would_collapse():
    """One value and a strong beta: without free bits the posterior is the prior, with them it costs what is free."""
    x = (torch.rand(64, 1, generator=torch.Generator().manual_seed(0)) > 0.5).double() * 2 - 1
    costs = []
    for free in (0.0, 0.3):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            control = KLControl(free_bits=free)
            model = VAE(MLP((1,), (), (2,)), MLP((1,), (), (1,)), Gaussian(), 1, beta=4.0, kl_control=control).double()
        fit(model, x, TrainConfig(epochs=150, batch_size=64, lr=2e-2), progress=False, device="cpu")
        with torch.no_grad():
            costs.append(gaussian_kl(*model.posterior(x)).mean().item())
    assert costs[0] < 0.01
    assert costs[1] == pytest.approx(0.3, abs=0.05)


class OneHot(nn.Module):
    def forward(self, x):
        return nn.functional.one_hot(x, 3).float()


@pytest.mark.slow
def test_integers_with_a_categorical_likelihood():
    """Eight rows of four symbols: with codes of two values and beta = 0 they are learned by heart."""
    x = torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0], [1, 1, 1, 1], [0, 0, 2, 2]]).repeat(2, 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = nn.Sequential(OneHot(), MLP((4, 3), (32,), (4,)))
        model = VAE(encoder, MLP((2,), (32,), (3, 4)), Categorical(3), 2, beta=0.0)
    fit(model, x, TrainConfig(epochs=300, batch_size=8, lr=1e-2), progress=False, device="cpu")
    x_hat = model.decode(model.encode(x))
    assert x_hat.shape == (8, 3, 4)
    assert torch.equal(x_hat.argmax(1), x)


def test_bad_kl_control():
    with pytest.raises(ValueError, match="warmup_steps: got -1"):
        KLControl(warmup_steps=-1)
    with pytest.raises(ValueError, match=r"free_bits: got -0.5"):
        KLControl(free_bits=-0.5)
