"""The solution of the assignment on losses against scipy, torch's losses and optimizers, autograd and loops."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import integrate, special, stats
from solved_functions import functions
from torch import nn

SIZES = [(5, 4, 2), (1, 3, 2), (7, 1, 1), (3, 3, 3), (2, 2, 6)]


@pytest.fixture(autouse=True)
def double_precision():
    """As the set-up cell of the notebook has it."""
    torch.set_default_dtype(torch.float64)


def solved(name):
    return getattr(functions("02_losses"), name)


def normal(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


def network(seed, n, d, k):
    """Random examples and w_enc, b_enc, w_dec, b_dec."""
    return [normal(seed + i, *shape) for i, shape in enumerate([(n, d), (k, d), (k,), (d, k), (d,)])]


def same(answer, expected, **tolerance):
    np.testing.assert_allclose(answer, expected, **({"rtol": 1e-10, "atol": 1e-12} | tolerance))


@pytest.mark.parametrize(("n", "d", "sigma"), [(6, 3, 1.0), (1, 4, 0.1), (5, 1, 2.5), (2, 9, 0.7)])
def test_the_gaussian_surprise_is_that_of_scipy(n, d, sigma):
    x, x_hat = normal(n, n, d), normal(n + 1, n, d)
    expected = -stats.norm.logpdf(x.numpy(), x_hat.numpy(), sigma).sum(1)
    same(solved("gaussian_nll")(x, x_hat, sigma), expected)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.0])
def test_the_gaussian_surprise_belongs_to_a_density(sigma):
    def density(x):
        return math.exp(-solved("gaussian_nll")(torch.tensor([[x]]), torch.tensor([[0.5]]), sigma).item())

    same(integrate.quad(density, -30, 31, points=[0.5])[0], 1.0, rtol=1e-7)


@pytest.mark.parametrize(("n", "d"), [(6, 3), (1, 5), (8, 1), (1, 1)])
def test_the_best_sigma_is_the_one_that_scipy_fits_to_the_errors(n, d):
    x, x_hat = 2 * normal(n, n, d) + 1, normal(d, n, d)
    _, sigma = stats.norm.fit((x - x_hat).flatten().numpy(), floc=0)
    same(solved("best_sigma")(x, x_hat), sigma)
    costs = [solved("gaussian_nll")(x, x_hat, sigma * factor).mean() for factor in (0.99, 1.0, 1.01)]
    assert costs[1] < min(costs[0], costs[2])


@pytest.mark.parametrize(("event_shape", "sigma"), [((5,), 1.0), ((1,), 0.2), ((3, 2, 4), 0.5), ((2, 7), 3.0)])
def test_a_printed_error_becomes_the_mean_surprise_of_the_data_that_it_came_from(event_shape, sigma):
    x, x_hat = normal(1, 6, *event_shape), normal(2, 6, *event_shape)
    expected = -stats.norm.logpdf(x.numpy(), x_hat.numpy(), sigma).sum() / 6
    same(solved("mse_to_nats")(F.mse_loss(x_hat, x).item(), event_shape, sigma), expected)


@pytest.mark.parametrize("shape", [(6, 4), (3, 1, 2, 5), (1, 7), (4, 1), (1, 1)])
@pytest.mark.parametrize("kind", ["binary", "gray"])
def test_the_bernoulli_surprise_is_the_cross_entropy_with_the_gradient_of_theory(shape, kind):
    x = np.random.default_rng(len(shape)).uniform(size=shape)
    x = x.round() if kind == "binary" else x
    logits = (3 * normal(5, *shape)).requires_grad_()
    beliefs = special.expit(logits.detach().numpy())
    costs = -special.xlogy(x, beliefs) - special.xlogy(1 - x, 1 - beliefs)
    nll = solved("bernoulli_nll")(torch.tensor(x), logits)
    same(nll.detach(), costs.reshape(len(x), -1).sum(1))
    nll.sum().backward()
    same(logits.grad, beliefs - x)


@pytest.mark.parametrize("size", [30.0, 1000.0, 1e6])
def test_certain_bets_on_coins_cost_nothing_or_their_logit(size):
    x = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    logits = torch.tensor([[-size, size]]).repeat(4, 1).requires_grad_()
    nll = solved("bernoulli_nll")(x, logits)
    same(nll.detach(), [0.0, size, size, 2 * size], atol=1e-6)
    nll.sum().backward()
    same(logits.grad, special.expit(logits.detach().numpy()) - x.numpy(), atol=1e-6)


@pytest.mark.parametrize(("n", "c", "d"), [(4, 3, 3), (1, 2, 5), (6, 5, 1), (3, 3, 3), (2, 1, 2)])
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_the_categorical_surprise_is_that_of_torch_and_of_a_loop(n, c, d, scale):
    x = torch.tensor(np.random.default_rng(n).integers(c, size=(n, d)))
    logits = scale * normal(n, n, c, d)
    nll = solved("categorical_nll")(x, logits)
    same(nll, F.cross_entropy(logits, x, reduction="none").sum(1))
    beliefs = special.log_softmax(logits.numpy(), axis=1)
    same(nll, [-sum(beliefs[i, x[i, j], j] for j in range(d)) for i in range(n)])


@pytest.mark.parametrize(("n", "d", "k"), SIZES)
def test_the_forward_pass_is_that_of_loops_in_numpy(n, d, k):
    given = network(10, n, d, k)
    x, w_enc, b_enc, w_dec, b_dec = (array.numpy() for array in given)
    z, x_hat = solved("forward")(*given)
    codes = [[math.tanh(w_enc[i].dot(row) + b_enc[i]) for i in range(k)] for row in x]
    same(z, codes)
    same(x_hat, [[w_dec[j].dot(code) + b_dec[j] for j in range(d)] for code in codes])


@pytest.mark.parametrize(("n", "d", "k"), SIZES)
@pytest.mark.parametrize("bias", [0.0, 40.0])
def test_the_gradients_by_hand_are_those_of_automatic_differentiation(n, d, k, bias):
    x, *params = network(20, n, d, k)
    params[1] = params[1] + bias
    leaves = [p.clone().requires_grad_() for p in params]
    x_hat = F.linear(torch.tanh(F.linear(x, leaves[0], leaves[1])), leaves[2], leaves[3])
    expected = torch.autograd.grad(F.mse_loss(x_hat, x, reduction="sum") / (2 * n), leaves)
    for gradient, of_torch in zip(solved("backward")(x, *params), expected, strict=True):
        same(gradient, of_torch)


@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 1), (2, 1, 3)])
@pytest.mark.parametrize("h", [0.01, 0.5, 2.0])
def test_central_differences_are_exact_for_squares_and_off_by_h_squared_for_cubes(shape, h):
    theta, weights = normal(1, *shape), normal(2, *shape)
    before = theta.clone()
    squares = solved("central_difference")(lambda t: (t * weights).sum() ** 2, theta, h)
    same(squares, 2 * (theta * weights).sum() * weights, rtol=1e-8, atol=1e-10)
    cubes = solved("central_difference")(lambda t: (weights * t**3).sum(), theta, h)
    same(cubes, weights * (3 * theta**2 + h**2), rtol=1e-8, atol=1e-10)
    assert torch.equal(theta, before)


def test_central_differences_come_near_automatic_differentiation():
    theta = normal(3, 3, 2).requires_grad_()
    (expected,) = torch.autograd.grad(theta.sin().logsumexp((0, 1)), theta)
    slope = solved("central_difference")(lambda t: t.sin().logsumexp((0, 1)), theta.detach(), 1e-5)
    same(slope, expected, rtol=1e-7)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(3,), (2, 4), (1,)])
def test_steps_with_momentum_are_those_of_torch_also_when_the_step_size_changes(rho, shape):
    theta, m = normal(4, *shape), torch.zeros(shape)
    parameter = nn.Parameter(theta.clone())
    optimizer = torch.optim.SGD([parameter], lr=1.0, momentum=rho)
    for step, lr in enumerate([0.1, 0.3, 0.02, 0.2]):
        g = normal(50 + step, *shape)
        parameter.grad, optimizer.param_groups[0]["lr"] = g.clone(), lr
        optimizer.step()
        theta, m = solved("momentum_step")(theta, m, g, lr, rho)
        same(theta, parameter.detach())


@pytest.mark.parametrize(("n", "batch_size", "sizes"), [(10, 4, [4, 4, 2]), (3, 8, [3]), (3, 1, [1, 1, 1])])
def test_training_takes_the_steps_of_torch_along_random_batches_of_all_examples(n, batch_size, sizes):
    data, batches = normal(n, n, 5), []

    def gradients(rows, params):
        batches.append(rows)
        w, b = (p.clone().requires_grad_() for p in params)
        examples, wanted = rows.split([3, 2], dim=1)
        return list(torch.autograd.grad(F.mse_loss(F.linear(examples, w, b), wanted), [w, b]))

    start = [normal(1, 2, 3), normal(2, 2)]
    before = [p.clone() for p in start]
    end = solved("train")(gradients, data, start, 0.2, 3, batch_size, torch.Generator().manual_seed(n))
    assert [len(batch) for batch in batches] == 3 * sizes
    for epoch in torch.cat(batches).split(n):
        assert sorted(epoch.tolist()) == sorted(data.tolist())

    parameters = [nn.Parameter(p.clone()) for p in before]
    optimizer = torch.optim.SGD(parameters, lr=0.2)
    for batch in list(batches):
        for parameter, gradient in zip(parameters, gradients(batch, parameters)):
            parameter.grad = gradient
        optimizer.step()
    for parameter, trained, first, given in zip(parameters, end, before, start, strict=True):
        same(trained, parameter.detach())
        assert torch.equal(first, given)


def test_the_order_of_training_is_new_in_each_epoch_and_comes_from_the_generator_alone():
    def orders(generator):
        """The orders of two epochs."""
        seen = []
        solved("train")(lambda rows, _: seen.extend(rows.tolist()) or [], torch.arange(50), [], 0.1, 2, 8, generator)
        return [tuple(seen[:50]), tuple(seen[50:])]

    state = torch.get_rng_state()
    generator = torch.Generator().manual_seed(1)
    first, later = orders(generator), orders(generator)
    assert first == orders(torch.Generator().manual_seed(1))
    assert len({*first, *later, *orders(torch.Generator().manual_seed(2)), tuple(range(50))}) == 7
    assert torch.equal(state, torch.get_rng_state())
