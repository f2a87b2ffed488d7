"""Denoising autoencoders against posterior means that are known in closed form."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from aelib.corruption import gaussian, masking
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.models import DenoisingAE
from aelib.nets import MLP
from aelib.training import evaluate, fit

LOG_2PI = math.log(2 * math.pi)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def made(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def train(model, x, *, epochs, batch_size):
    for lr in (1e-2, 2e-3, 4e-4):
        fit(model, x, TrainConfig(epochs=epochs, batch_size=batch_size, lr=lr), progress=False, device="cpu")


def two_points(n):
    return torch.tensor([[-2.0], [2.0]]).repeat(n // 2, 1)


def test_worked_example_3_in_closed_form():
    """W3: for x in {-2, 2} and noise 0.5, the best slope is 4 / 4.25 = 0.941 and its squared error 0.2353."""
    x = two_points(400_000).double()
    x_tilde = gaussian(0.5)(x, seeded())
    w = (x * x_tilde).sum() / x_tilde.square().sum()
    residual = x - w * x_tilde
    standard_error = residual.std() / (x_tilde.std() * math.sqrt(len(x)))
    assert w.item() == pytest.approx(4 / 4.25, abs=5 * standard_error.item())
    squares = residual.square()
    assert squares.mean().item() == pytest.approx(0.2353, abs=5e-5 + 5 * squares.std().item() / math.sqrt(len(x)))
    assert pytest.approx(0.2353, abs=5e-5) == 4 - 16 / 4.25


def test_worked_example_3_by_gradient_training():
    model = made(lambda: DenoisingAE(nn.Linear(1, 1), nn.Identity(), Gaussian(), gaussian(0.5)))
    train(model, two_points(8000), epochs=10, batch_size=400)
    assert model.encoder.weight.item() == pytest.approx(4 / 4.25, abs=0.01)
    assert model.encoder.bias.item() == pytest.approx(0, abs=0.02)
    squared_error = 2 * evaluate(model, two_points(200_000))["recon"] - LOG_2PI
    assert squared_error == pytest.approx(0.2353, abs=0.005)


@pytest.mark.slow
def test_the_best_denoiser_of_worked_example_3_is_2_tanh_8x():
    """By Bayes' rule, by averaging x over noisy values that fall together, and by training a network."""
    v = torch.linspace(-3, 3, 61).double()
    up, down = (Normal(center, 0.5).log_prob(v).exp() for center in (2.0, -2.0))
    best = 2 * torch.tanh(8 * v)
    torch.testing.assert_close(2 * (up - down) / (up + down), best)

    x = two_points(4_000_000)
    x_tilde = gaussian(0.5)(x, seeded())
    for middle in (-2.0, -0.2, -0.1, 0.1, 0.2, 1.0):
        near = x[(x_tilde - middle).abs() < 0.01]
        expected = 2 * math.tanh(8 * middle)
        standard_error = math.sqrt((4 - expected**2) / len(near))
        assert len(near) > 20
        assert near.mean().item() == pytest.approx(expected, abs=5 * standard_error)

    model = made(lambda: DenoisingAE(MLP((1,), (32,), (1,)), nn.Identity(), Gaussian(), gaussian(0.5)))
    train(model, two_points(8000), epochs=15, batch_size=400)
    probe = x_tilde[:20_000]
    error = (model.encode(probe) - 2 * torch.tanh(8 * probe)).square().mean().item()
    assert error < 0.01
    # Far below what any straight line can reach.
    assert 2 * evaluate(model, two_points(100_000))["recon"] - LOG_2PI < 0.05


def mixture(extra_variance=0.0):
    """Three Gaussians in the plane; adding noise of variance s adds s to each of their variances."""
    centers = torch.tensor([[-1.5, 0.0], [1.0, 1.0], [1.0, -1.2]])
    std = math.sqrt(0.3**2 + extra_variance)
    parts = Independent(Normal(centers, std), 1)
    return MixtureSameFamily(Categorical(torch.tensor([0.5, 0.3, 0.2])), parts)


def score(density, at):
    at = at.detach().clone().requires_grad_()
    return torch.autograd.grad(density.log_prob(at).sum(), at)[0]


@pytest.mark.slow
def test_a_trained_denoiser_is_the_score_of_the_noisy_density():
    """E4, Tweedie: (r(v) - v) / sigma^2 is the score of the noisy density, and not that of the clean one."""
    sigma = 0.5
    with torch.random.fork_rng():
        torch.manual_seed(0)
        x = mixture().sample((20_000,))
    encoder = made(lambda: nn.Sequential(MLP((2,), (64,), (32,), activation=nn.SiLU), nn.SiLU()))
    model = DenoisingAE(encoder, made(lambda: nn.Linear(32, 2)), Gaussian(), gaussian(sigma))
    train(model, x, epochs=8, batch_size=500)
    v = gaussian(sigma)(x[:5000], seeded(1))
    learned = ((model.decode(model.encode(v)) - v) / sigma**2).detach()
    noisy, clean = score(mixture(sigma**2), v), score(mixture(), v)

    def share(target):
        return ((learned - target).square().sum() / target.square().sum()).item()

    assert share(noisy) < 0.05
    assert share(clean) > 0.4


def test_tweedies_formula_by_bayes_rule():
    """The posterior mean by brute-force integration on a grid is v + sigma^2 * score of the noisy density at v."""
    sigma, axis = 0.5, torch.linspace(-4, 4, 161)
    grid = torch.cartesian_prod(axis, axis)
    v = torch.tensor([[0.0, 0.0], [0.5, -1.0], [-2.5, 0.7]])
    log_joint = mixture().log_prob(grid) + Independent(Normal(grid, sigma), 1).log_prob(v[:, None])
    posterior_mean = torch.softmax(log_joint, dim=1) @ grid
    torch.testing.assert_close(posterior_mean, v + sigma**2 * score(mixture(sigma**2), v), atol=1e-4, rtol=0)


def masked_optimum(s, q):
    """E2: W* = S (q S + (1 - q) diag S)^-1."""
    return s @ torch.linalg.inv(q * s + (1 - q) * torch.diag(s.diag()))


def masked_loss(w, x, p):
    """The expected squared error of x -> W x_tilde, summed over all 2^d masks, through the model itself."""
    total = torch.zeros((), dtype=x.dtype)
    layer = nn.Linear(*w.shape, bias=False).to(x.dtype)
    layer.weight = nn.Parameter(w)
    for kept in itertools.product([0.0, 1.0], repeat=len(w)):
        mask = torch.tensor(kept, dtype=x.dtype)
        model = DenoisingAE(layer, nn.Identity(), Gaussian(), lambda x, generator, mask=mask: x * mask)
        chance = math.prod(1 - p if one else p for one in kept)
        total = total + chance * (2 * model.loss(x, model(x)).total - len(w) * LOG_2PI)
    return total, layer.weight


@pytest.mark.parametrize("q", [0.3, 0.7])
def test_the_best_linear_reconstruction_under_masking(q):
    """E2 against brute force over all masks: the gradient at W* is zero, and every other W is worse."""
    x = torch.randn(40, 4, generator=seeded(), dtype=torch.float64) @ torch.randn(
        4, 4, generator=seeded(1), dtype=torch.float64
    )
    best = masked_optimum(x.T @ x / len(x), q)
    loss, weight = masked_loss(best, x, 1 - q)
    loss.backward()
    assert weight.grad.abs().max() < 1e-12
    rows = [(x * torch.tensor(kept).double(), kept) for kept in itertools.product([0.0, 1.0], repeat=4)]
    root = np.concatenate([np.full(len(x), math.sqrt(math.prod(q if k else 1 - q for k in kept))) for _, kept in rows])
    inputs = torch.cat([masked for masked, _ in rows]).numpy() * root[:, None]
    targets = x.repeat(16, 1).numpy() * root[:, None]
    np.testing.assert_allclose(best.T, np.linalg.lstsq(inputs, targets, rcond=None)[0], atol=1e-9)
    for seed in range(5):
        other = best + 0.05 * torch.randn(4, 4, generator=seeded(seed), dtype=torch.float64)
        assert masked_loss(other, x, 1 - q)[0] > loss


def test_practice_problem_3():
    """P3 and E2: for x = (1, 2, 3, 4) and p = 0.3, W_ij = x_i / (3.1 x_j); an unmasked x comes out as 1.29 x."""
    x = torch.tensor([[1.0, 2.0, 3.0, 4.0]]).double()
    best = masked_optimum(x.T @ x, 0.7)
    torch.testing.assert_close(best, x.T / (3.1 * x))
    assert best.diag().numpy() == pytest.approx([0.3226] * 4, abs=5e-5)
    torch.testing.assert_close(best @ x[0], 4 / 3.1 * x[0])
    assert pytest.approx(1.29, abs=0.005) == 4 / 3.1
    # The notes' 1 / (1 - p) on the diagonal is unbiased, and worse.
    assert masked_loss(torch.eye(4).double() / 0.7, x, 0.3)[0] > masked_loss(best, x, 0.3)[0] + 1


def test_independent_features_are_not_inflated():
    """E2: for independent features with mean zero, W* is the identity."""
    torch.testing.assert_close(
        masked_optimum(torch.diag(torch.tensor([1.0, 4.0, 9.0])), 0.7), torch.eye(3), atol=1e-6, rtol=0
    )


def test_the_target_is_the_clean_example():
    x = torch.rand(30, 4, generator=seeded())
    model = DenoisingAE(nn.Identity(), nn.Identity(), Gaussian(), gaussian(0.5))
    out = model(x, generator=seeded(1))
    noise = 0.5 * torch.randn(30, 4, generator=seeded(1))
    torch.testing.assert_close(out.x_tilde, x + noise)
    expected = 0.5 * noise.square().sum(1).mean() + 2 * LOG_2PI
    torch.testing.assert_close(model.loss(x, out).total, expected)


def test_codes_of_clean_and_of_noisy_examples_can_be_asked_for():
    x = torch.rand(5, 4, generator=seeded())
    model = made(lambda: DenoisingAE(MLP((4,), (8,), (2,)), MLP((2,), (8,), (4,)), Bernoulli(), masking(0.5)))
    out = model(x, generator=seeded(1))
    assert torch.equal(model.encode(out.x_tilde), out.z)
    assert not torch.equal(model.encode(x), out.z)
    assert torch.equal(model.eval()(x, generator=seeded(1)).x_tilde, out.x_tilde)


def test_any_callable_is_a_corruption_but_not_one_that_changes_the_shape():
    x = torch.rand(5, 4, generator=seeded())
    model = DenoisingAE(nn.Identity(), nn.Identity(), Gaussian(), lambda x, generator: x.flip(1))
    assert torch.equal(model(x).x_tilde, x.flip(1))
    model.corruption = lambda x, generator: x[:, :2]
    with pytest.raises(ValueError, match=r"corruption: it made shape \(5, 2\) of \(5, 4\)"):
        model(x)
