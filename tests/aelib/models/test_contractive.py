"""The Jacobian's norm in three ways, against finite differences, and what the penalty does to a code."""

import math

import pytest
import torch
from torch import nn

from aelib.corruption import gaussian
from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.metrics import explained_variance
from aelib.models import ContractiveAE, ExactJacobian, SigmoidLayerJacobian, StochasticJacobian
from aelib.models.linear import Transposed
from aelib.nets import MLP
from aelib.training import evaluate, fit

EVENT = (2, 3)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def one_layer():
    return made(lambda: nn.Sequential(MLP(EVENT, (), (4,)), nn.Sigmoid())).double()


def deep():
    return made(lambda: MLP(EVENT, (7,), (4,), activation=nn.Tanh)).double()


def model(encoder, jacobian, weight=1.0):
    decoder = made(lambda: MLP((4,), (), EVENT)).double()
    return ContractiveAE(encoder, decoder, Gaussian(), jacobian, weight=weight)


def finite_differences(encoder, x, h=1e-5):
    """||J||_F^2 of each example from two evaluations for each value of the input."""
    total = torch.zeros(len(x), dtype=x.dtype)
    with torch.no_grad():
        for index in range(x[0].numel()):
            step = torch.zeros(x[0].numel(), dtype=x.dtype)
            step[index] = h
            step = step.reshape(x.shape[1:])
            total += ((encoder(x + step) - encoder(x - step)) / (2 * h)).square().sum(1)
    return total


def test_closed_form_and_exact_agree_with_finite_differences():
    encoder, x = one_layer(), normal(5, *EVENT)
    expected = finite_differences(encoder, x)
    for jacobian in (SigmoidLayerJacobian(), ExactJacobian()):
        torch.testing.assert_close(model(encoder, jacobian)(x).jac, expected, rtol=1e-6, atol=0)


def test_exact_agrees_with_jacrev_and_finite_differences_for_a_deep_encoder():
    encoder, x = deep(), normal(5, *EVENT)
    jac = model(encoder, ExactJacobian())(x).jac
    each = torch.func.vmap(torch.func.jacrev(lambda one: encoder(one[None])[0]))(x)
    torch.testing.assert_close(jac, each.square().flatten(1).sum(1))
    torch.testing.assert_close(jac, finite_differences(encoder, x), rtol=1e-6, atol=0)


@pytest.mark.parametrize("make", [one_layer, deep])
@pytest.mark.parametrize("num_samples", [1, 3])
def test_the_stochastic_estimate_is_unbiased_with_the_stated_variance(make, num_samples):
    encoder, x, n = make(), normal(1, *EVENT), 20_000
    exact = model(encoder, ExactJacobian())(x).jac.item()
    many = x.expand(n, *EVENT)
    jac = model(encoder, StochasticJacobian(num_samples))(many, generator=torch.Generator().manual_seed(0)).jac.detach()
    assert jac.mean().item() == pytest.approx(exact, abs=5 * jac.std().item() / math.sqrt(n))
    j = torch.func.jacrev(encoder)(x).reshape(4, -1)
    off_diagonal = (j @ j.T).detach().fill_diagonal_(0)
    assert jac.var().item() == pytest.approx(2 * off_diagonal.square().sum().item() / num_samples, rel=0.1)


def test_the_stochastic_estimate_is_exact_where_rows_are_orthogonal():
    encoder = nn.Linear(6, 3, bias=False).double()
    encoder.weight.data = torch.diag(torch.tensor([1.0, 2.0, 3.0]).double()) @ torch.linalg.qr(normal(6, 3)).Q.T
    out = ContractiveAE(encoder, nn.Linear(3, 6).double(), Gaussian(), StochasticJacobian())(normal(5, 6))
    torch.testing.assert_close(out.jac, torch.full((5,), 14.0).double())


def test_the_generator_decides_the_estimate_and_the_loss_does_not_draw_again():
    m, x = model(deep(), StochasticJacobian()), normal(5, *EVENT)
    first, second, third = (m(x, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first.jac, second.jac)
    assert not torch.equal(first.jac, third.jac)
    assert m.loss(x, first).total == m.loss(x, first).total


def test_the_encoder_sees_the_gradient_of_the_penalty():
    """Double backward, against finite differences in the weights; and the same gradient in closed form and exactly."""
    encoder, x = one_layer(), normal(5, *EVENT)
    weight = encoder[0].layers[0].weight
    gradients = [
        torch.autograd.grad(model(encoder, jacobian)(x).jac.mean(), weight)[0]
        for jacobian in (SigmoidLayerJacobian(), ExactJacobian())
    ]
    torch.testing.assert_close(gradients[0], gradients[1])
    h = 1e-4
    for i, j in [(0, 0), (1, 4), (3, 2)]:
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[i, j] += sign * h
                values.append(finite_differences(encoder, x).mean().item())
                weight[i, j] -= sign * h
        slope = (values[0] - values[1]) / (2 * h)
        assert gradients[1][i, j].item() == pytest.approx(slope, rel=1e-3, abs=1e-6)


def test_the_mean_gradient_of_the_estimate_is_the_gradient_of_the_norm():
    encoder, x, n = deep(), normal(1, *EVENT), 20_000
    parameters = list(encoder.parameters())[:3]
    exact = torch.autograd.grad(model(encoder, ExactJacobian())(x).jac.mean(), parameters)
    stochastic = model(encoder, StochasticJacobian())(x.expand(n, *EVENT), generator=torch.Generator().manual_seed(0))
    estimate = torch.autograd.grad(stochastic.jac.mean(), parameters)
    for one, other in zip(estimate, exact):
        torch.testing.assert_close(one, other, atol=0.02 * float(other.abs().max()), rtol=0)


@pytest.mark.parametrize("jacobian", [ExactJacobian(), StochasticJacobian(2)])
def test_convolutions_and_what_comes_with_an_example(jacobian):
    class Conv(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3, stride=2)
            self.out = nn.Linear(2 * 3 * 3, 4)

        def forward(self, x, y):
            return self.out(torch.tanh(self.conv(x)).flatten(1)) * y[:, None]

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 49)

        def forward(self, z, y):
            return self.linear(z).reshape(-1, 1, 7, 7)

    m = made(lambda: ContractiveAE(Conv(), Decoder(), Gaussian(), jacobian)).double()
    x, y = normal(3, 1, 7, 7), torch.tensor([0.0, 1.0, 2.0]).double()
    jac = m(x, y=y).jac
    assert jac[0] == 0
    if isinstance(jacobian, ExactJacobian):
        expected = torch.stack([finite_differences(lambda v, i=i: m.encoder(v, y[[i]]), x[[i]])[0] for i in range(3)])
        torch.testing.assert_close(jac, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("jacobian", [ExactJacobian(), StochasticJacobian(), SigmoidLayerJacobian()])
def test_the_penalty_is_there_without_gradients_too(jacobian):
    m, x = model(one_layer(), jacobian), normal(5, *EVENT)
    with torch.no_grad():
        out = m(x, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(out.jac, m(x, generator=torch.Generator().manual_seed(0)).jac.detach())
    assert evaluate(m, x)["jac"] > 0


def linear_tied(weight, k=3):
    encoder = made(lambda: nn.Linear(4, k, bias=False))
    # Transposed brings a bias of its own, which the mean of the data, zero, leaves at zero.
    return ContractiveAE(encoder, Transposed(encoder, (4,)), Gaussian(), ExactJacobian(), weight=weight)


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0, 5.0])
def test_over_contraction_by_its_closed_form(weight):
    """A tied linear code keeps each component of variance c at 1 - weight / c, and none where the weight exceeds c.

    With s_i the squared length of the code along component i, the loss is the sum of c_i (1 - s_i)^2 / 2 + weight * s_i.
    """
    variances = torch.tensor([4.0, 2.0, 1.0, 0.2])
    x = 2 * torch.cat([torch.eye(4), -torch.eye(4)]) * variances.sqrt()
    m = linear_tied(weight)
    for lr in (3e-2, 3e-3):
        fit(m, x, TrainConfig(epochs=250, batch_size=8, lr=lr), progress=False, device="cpu")
    w = m.encoder.weight.detach()
    kept = (1 - weight / variances).clamp(min=0)
    kept[3] = 0  # the code has three values
    torch.testing.assert_close(w.T @ w, torch.diag(kept), atol=0.01, rtol=0)
    if weight >= 4:
        assert m.encode(x).var(0).max() < 0.01


def curve():
    """200 points of a closed curve that bends in three dimensions."""
    t = torch.linspace(0, 2 * math.pi, 201)[:-1, None]
    return torch.cat([t.cos(), t.sin(), 0.5 * (2 * t).cos()], dim=1)


def trained(x, encoder, decoder, jacobian, weight):
    m = ContractiveAE(encoder, decoder, Gaussian(), jacobian, weight=weight)
    fit(m, x, TrainConfig(epochs=300, batch_size=200, lr=2e-2), progress=False, device="cpu")
    out = m(x)
    return m, out.jac.mean().item(), explained_variance(x, out.x_hat.detach())


@pytest.mark.slow
def test_over_contraction_of_a_sigmoid_code():
    """With tied weights, as in Rifai et al. (2011): a little makes the code less sensitive, too much makes it constant."""
    results = []
    for weight in (0.0, 0.1, 5.0):
        layer = made(lambda: nn.Linear(3, 8))
        pair = nn.Sequential(layer, nn.Sigmoid()), Transposed(layer, (3,))
        results.append(trained(curve(), *pair, SigmoidLayerJacobian(), weight))
    (_, loose, good), (_, firm, fair), (collapsed, none, bad) = results
    assert loose > 1.3 * firm > 0.1 > 1e-6 > none
    assert good > 0.99
    assert fair > 0.98
    assert bad < 1e-3
    assert collapsed.encode(curve()).std(0).max() < 1e-3


@pytest.mark.slow
def test_free_weights_evade_the_penalty_by_a_small_code():
    """The penalty falls to less than a fifth while the reconstruction stays: the code is just smaller."""
    results = []
    for weight in (0.0, 0.2):
        pair = made(lambda: (nn.Sequential(nn.Linear(3, 4), nn.Sigmoid()), MLP((4,), (32,), (3,))))
        results.append(trained(curve(), *pair, SigmoidLayerJacobian(), weight))
    (large, loose, _), (small, firm, quality) = results
    assert firm < loose / 5
    assert quality > 0.99
    assert small.encode(curve()).std(0).max() < 0.6 * large.encode(curve()).std(0).max()


@pytest.mark.slow
def test_contraction_makes_codes_robust_to_noise():
    """Noise moves the codes of a circle, in units of their own spread, less: the part across the circle is ignored."""
    x = curve() * torch.tensor([1.0, 1.0, 0.0])
    noisy = gaussian(0.2)(x, torch.Generator().manual_seed(0))
    shifts = []
    for weight in (0.0, 0.5):
        pair = made(lambda: (MLP((3,), (32,), (2,), activation=nn.Tanh), MLP((2,), (32,), (3,))))
        m, _, quality = trained(x, *pair, StochasticJacobian(), weight)
        z, z_noisy = m.encode(x), m.encode(noisy)
        shifts.append(((z - z_noisy).square().sum() / (z - z.mean(0)).square().sum()).item())
        assert quality > 0.98
    assert shifts[1] < 0.8 * shifts[0]


def test_the_closed_form_refuses_another_encoder():
    m = model(deep(), SigmoidLayerJacobian())
    with pytest.raises(ValueError, match="encoder: it is made of Linear, Tanh, Linear; expected one Linear and one"):
        m(normal(5, *EVENT))


def test_bad_settings():
    with pytest.raises(ValueError, match="weight: got -1"):
        model(deep(), ExactJacobian(), weight=-1)
    with pytest.raises(ValueError, match="num_samples: got 0"):
        StochasticJacobian(0)
