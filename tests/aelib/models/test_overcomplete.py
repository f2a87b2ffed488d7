"""Codes that are larger than the data: copying, and what weight decay and dropout on the code change."""

import math

import pytest
import torch
from torch import nn

from aelib.corruption import dropout, gaussian
from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.metrics import reconstruction_error
from aelib.models import NoisyCodeAE, VanillaAE
from aelib.nets import MLP
from aelib.training import evaluate, fit


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def linear_pair(w_enc, w_dec):
    """Networks with exactly these weights and no bias."""
    nets = []
    for weight in (w_enc, w_dec):
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False).to(weight.dtype)
        layer.weight.data = weight.clone()
        nets.append(layer)
    return nets


def seeded_mlps(d, hidden, k):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLP((d,), hidden, (k,)), MLP((k,), hidden[::-1], (d,))


def product(model):
    return (model.decoder.weight @ model.encoder.weight).detach()


@pytest.mark.slow
def test_an_overcomplete_code_learns_to_copy_anything():
    """It reconstructs data that it has never seen and that look nothing like its training data: it copies."""
    x = normal(400, 2) @ normal(2, 4, seed=1) + 0.1 * normal(400, 4, seed=2)
    elsewhere = normal(400, 4, seed=3)
    plain = VanillaAE(*seeded_mlps(4, (), 12), Gaussian())
    for lr in (3e-2, 3e-3):
        fit(plain, x, TrainConfig(epochs=300, batch_size=400, lr=lr), progress=False, device="cpu")
    assert reconstruction_error(x, plain(x).x_hat.detach()) < 1e-4
    assert reconstruction_error(elsewhere, plain(elsewhere).x_hat.detach()) < 0.01 * 4

    noisy = NoisyCodeAE(*seeded_mlps(4, (), 12), Gaussian(), dropout(0.3))
    for lr in (3e-2, 3e-3):
        fit(noisy, x, TrainConfig(epochs=300, batch_size=400, lr=lr), progress=False, device="cpu")
    # With dropout the directions in which the training data vary little are dropped, and other data suffer.
    assert reconstruction_error(elsewhere, noisy.decode(noisy.encode(elsewhere)).detach()) > 0.2 * 4


@pytest.mark.slow
def test_weight_decay_shrinks_each_direction_by_its_variance():
    """For variance c and decay lambda the best product of weights is 1 - lambda / c, and 0 where lambda exceeds c."""
    variances = torch.tensor([4.0, 1.0, 0.25, 0.05])
    x = math.sqrt(4) * torch.cat([torch.eye(4), -torch.eye(4)]) * variances.sqrt()
    torch.testing.assert_close(x.T @ x / len(x), torch.diag(variances))
    for decay in (0.0, 0.1):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = VanillaAE(nn.Linear(4, 6, bias=False), nn.Linear(6, 4, bias=False), Gaussian())
        for lr in (3e-2, 3e-3):
            config = TrainConfig(epochs=300, batch_size=8, lr=lr, weight_decay=decay)
            fit(model, x, config, progress=False, device="cpu")
        expected = torch.diag((1 - decay / variances).clamp(min=0))
        torch.testing.assert_close(product(model), expected, atol=0.01, rtol=0)


def test_dropout_adds_the_penalty_of_its_closed_form():
    """For a linear decoder: E loss = loss without dropout + p / (1 - p) * sum_j z_j^2 ||w_j||^2 / 2."""
    p, x = 0.3, normal(1, 4)
    w_enc, w_dec = normal(6, 4, seed=1), normal(4, 6, seed=2)
    pair = linear_pair(w_enc, w_dec)
    clean = VanillaAE(*pair, Gaussian())
    z = clean.encode(x)
    penalty = p / (1 - p) * (z.square() @ w_dec.square().sum(0)).item() / 2
    n = 200_000
    model, many = NoisyCodeAE(*pair, Gaussian(), dropout(p)), x.expand(n, 4)
    out = model(many, generator=torch.Generator().manual_seed(0))
    losses = model.likelihood.nll(out.params, many).detach().double()
    expected = clean.loss(x, clean(x)).total.item() + penalty
    assert losses.mean().item() == pytest.approx(expected, abs=5 * losses.std().item() / math.sqrt(n))


def test_dropout_rewards_units_that_share_the_work():
    """One copy of each value and four copies both reconstruct perfectly; under dropout four cost a quarter as much."""
    x, eye = normal(2000, 3), torch.eye(3)
    costs = []
    for copies in (1, 4):
        w_enc, w_dec = eye.repeat(copies, 1), eye.repeat(1, copies) / copies
        model = NoisyCodeAE(*linear_pair(w_enc, w_dec), Gaussian(), dropout(0.5))
        torch.testing.assert_close(model.decode(model.encode(x)), x)
        costs.append(evaluate(model, x)["total"] - 1.5 * math.log(2 * math.pi))
    assert costs[1] / costs[0] == pytest.approx(1 / 4, rel=0.1)


def test_the_decoder_sees_the_noise_and_encode_does_not():
    x = normal(50, 4)
    model = NoisyCodeAE(nn.Identity(), nn.Identity(), Gaussian(), gaussian(0.5))
    out = model(x, generator=torch.Generator().manual_seed(1))
    assert torch.equal(model.encode(x), x)
    torch.testing.assert_close(out.z - x, 0.5 * normal(50, 4, seed=1))
    assert torch.equal(out.x_hat, out.z)
