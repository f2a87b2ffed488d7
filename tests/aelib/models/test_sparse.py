"""Penalties on the code against soft-thresholding and target rates."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso
from torch import nn

from aelib.data import digits
from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.metrics import reconstruction_error
from aelib.models import L1, KLRate, SparseAE, unit_columns
from aelib.training import fit


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(make, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


class FreeCodes(nn.Module):
    """One free code for each example: the best that any encoder could give."""

    def __init__(self, n, k):
        super().__init__()
        self.z = nn.Parameter(0.1 * normal(n, k))

    def forward(self, x):
        return self.z


def linear(weight):
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False).to(weight.dtype)
    layer.weight.data = weight.clone()
    return layer


def soft_threshold(a, t):
    return a.sign() * (a.abs() - t).clamp(min=0)


def test_l1_codes_of_an_orthonormal_dictionary_are_soft_thresholded():
    """min_z 1/2 ||x - D z||^2 + t ||z||_1 is soft_threshold(D^T x, t): by scikit-learn, and by gradient descent on the loss."""
    d, x, t = torch.linalg.qr(normal(6, 4)).Q, normal(8, 6, seed=1), 0.4
    best = soft_threshold(x @ d, t)
    lasso = Lasso(alpha=t / 6, fit_intercept=False, tol=1e-10).fit(d.numpy(), x.T.numpy())
    np.testing.assert_allclose(lasso.coef_, best, atol=1e-6)

    model = SparseAE(FreeCodes(8, 4), linear(d), Gaussian(), L1(t))
    for step in range(800):
        loss = model.loss(x, model(x)).total
        (gradient,) = torch.autograd.grad(loss, model.encoder.z)
        with torch.no_grad():
            model.encoder.z -= 8 * 0.5 / (1 + 0.1 * step) * gradient
    torch.testing.assert_close(model.encoder.z.detach(), best, atol=5e-3, rtol=0)


def test_the_l1_loss_term_by_term():
    x, weight = normal(5, 3), 0.7
    model = SparseAE(linear(normal(4, 3, seed=1)), linear(normal(3, 4, seed=2)), Gaussian(), L1(weight))
    out = model(x)
    loss = model.loss(x, out)
    sparsity = np.abs(out.z.detach().numpy()).sum(1).mean()
    recon = 0.5 * reconstruction_error(x, out.x_hat.detach()) + 1.5 * math.log(2 * math.pi)
    assert loss.terms["sparsity"].item() == pytest.approx(sparsity)
    assert loss.total.item() == pytest.approx(recon + weight * sparsity)


def test_l1_is_evaded_by_a_small_code_and_a_steep_decoder_unless_columns_have_unit_length():
    x, d = normal(20, 3), torch.linalg.qr(normal(3, 3)).Q
    model = SparseAE(linear(d.T / 1000), linear(1000 * d), Gaussian(), L1(1.0))
    loss = model.loss(x, model(x))
    assert reconstruction_error(x, model(x).x_hat.detach()) < 1e-12
    assert loss.terms["sparsity"].item() < 0.01
    unit_columns(model.decoder)
    torch.testing.assert_close(model.decoder.weight, d)
    assert reconstruction_error(x, model(x).x_hat.detach()) > 1
    fit(model, x, TrainConfig(epochs=20, lr=0.1), progress=False, device="cpu")
    torch.testing.assert_close(model.decoder.weight.norm(dim=0), torch.ones(3).double())


@pytest.mark.slow
def test_more_l1_means_fewer_active_units_and_too_much_means_none():
    x = digits().flat()[:400]
    active, errors = [], []
    for weight in (0.0, 0.1, 10.0):
        encoder, decoder = made(lambda: (nn.Sequential(nn.Linear(64, 32), nn.ReLU()), nn.Linear(32, 64)))
        model = SparseAE(encoder, unit_columns(decoder), Gaussian(), L1(weight))
        fit(model, x, TrainConfig(epochs=40, batch_size=50, lr=1e-2), progress=False, device="cpu")
        out = model(x)
        active.append((out.z > 0).double().sum(1).mean().item())
        errors.append(reconstruction_error(x, out.x_hat.detach()))
    assert active[0] > 1.5 * active[1] > 3
    assert active[2] < 0.1
    assert errors[0] < errors[1] < errors[2]


def test_the_target_rate_is_a_mean_and_not_a_number_of_active_units():
    """E8 and P5: rho = 0.05 with 100 units gives codes that sum to 5 on average; here no unit is ever exactly 0."""
    x = digits().flat()[:500]
    model = made(
        lambda: SparseAE(
            nn.Sequential(nn.Linear(64, 100), nn.Sigmoid()), nn.Linear(100, 64), Gaussian(), KLRate(10.0, rho=0.05)
        )
    )
    fit(model, x, TrainConfig(epochs=150, batch_size=500, lr=2e-2), progress=False, device="cpu")
    z = model.encode(x).detach()
    assert z.sum(1).mean().item() == pytest.approx(0.05 * 100, abs=0.3)
    assert z.mean(0).sub(0.05).abs().max() < 0.03
    assert (z > 0).all()
    assert ((z > 0.5).sum(1) != 5).double().mean() > 0.5
    assert math.comb(100, 5) == 75_287_520


def test_codes_all_at_the_target_rate_pay_nothing():
    assert KLRate(1.0, rho=0.05)(torch.full((7, 100), 0.05)).item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L1(-1), "weight: got -1"),
        (lambda: KLRate(-1), "weight: got -1"),
        (lambda: KLRate(1, rho=0), r"rho: got 0; expected a rate in \(0, 1\)"),
        (lambda: KLRate(1, rho=1.5), "rho: got 1.5"),
        (lambda: KLRate(1)(torch.tensor([[2.0]])), r"z \(a rate needs an encoder that ends in a sigmoid\): values run"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()
