"""The solution of the assignment on sparse autoencoders against numpy, scipy, scikit-learn and brute force."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime, minimize_scalar
from scipy.stats import entropy
from sklearn.linear_model import Lasso
from solved_functions import functions

SHAPES = [(6, 4), (1, 3), (5, 1), (2, 9)]


@pytest.fixture(autouse=True)
def float64():
    """As the set-up cell of the notebook has it; tests/conftest.py sets it back."""
    torch.set_default_dtype(torch.float64)


def call(name, *arguments):
    given = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
    result = getattr(functions("04_sparse"), name)(*given)
    return [part.numpy() for part in result] if isinstance(result, tuple) else result.numpy()


def normal(seed, *shapes):
    random = np.random.default_rng(seed)
    found = [random.normal(size=shape) for shape in shapes]
    return found if len(found) > 1 else found[0]


def jacobian_product(name, a, upstream, *settings):
    """The gradient of the inner product of a function's result with a fixed array, by autograd."""
    a = torch.tensor(a, requires_grad=True)
    result = getattr(functions("04_sparse"), name)(a, *settings)
    (gradient,) = torch.autograd.grad((result * torch.tensor(upstream)).sum(), a)
    return gradient.numpy()


def slopes(name, a, upstream, *settings):
    """The same by finite differences of the values."""
    differences = approx_fprime(
        a.flatten(), lambda flat: (call(name, flat.reshape(a.shape), *settings) * upstream).sum(), 1e-7
    )
    return differences.reshape(a.shape)


def cheapest(slope, center, curvature, price):
    """The lowest point of slope z + curvature / 2 (z - center)^2 + price |z|, by search."""
    return minimize_scalar(lambda z: slope * z + curvature / 2 * (z - center) ** 2 + price * abs(z)).x


@pytest.mark.parametrize(("seed", "shape"), list(enumerate(SHAPES)))
def test_the_price_is_the_mean_of_the_norms_of_the_rows(seed, shape):
    z = normal(seed, shape)
    np.testing.assert_allclose(call("l1_penalty", z), sum(np.linalg.norm(row, 1) for row in z) / len(z))
    np.testing.assert_allclose(jacobian_product("l1_penalty", z, 1.0), slopes("l1_penalty", z, 1.0), atol=1e-6)


@pytest.mark.parametrize(("seed", "shape"), list(enumerate([*SHAPES, (3, 40)])))
@pytest.mark.parametrize("threshold", [0.0, 0.5, 2.0])
def test_active_and_dead_units_are_counted_one_by_one(seed, shape, threshold):
    z = np.random.default_rng(seed).integers(-4, 5, size=shape) / 2 * (np.arange(shape[1]) % 3 > 0)
    active = {(n, j) for n, row in enumerate(z.tolist()) for j, value in enumerate(row) if abs(value) > threshold}
    assert call("l0", z, threshold) == len(active) / len(z)
    dead = [j for j in range(shape[1]) if j not in {unit for _, unit in active}]
    assert call("dead_units", z, threshold).tolist() == dead


@pytest.mark.parametrize("price", [0.0, 0.3, 1.5])
def test_the_soft_threshold_has_the_least_cost(price):
    a = np.append(normal(1, (25,)) * 2, [0.0, price, -price])
    z = call("soft_threshold", a, price)
    np.testing.assert_allclose(z, [cheapest(0, value, 1, price) for value in a], atol=1e-5)
    np.testing.assert_allclose(z, torch.nn.functional.softshrink(torch.tensor(a), price), atol=1e-15)


NEVER_ALWAYS_SOMETIMES = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])


@pytest.mark.parametrize("z", [*(1 / (1 + np.exp(normal(7, shape))) for shape in SHAPES), NEVER_ALWAYS_SOMETIMES])
@pytest.mark.parametrize("rho", [0.05, 0.5, 0.8])
def test_the_rate_penalty_is_a_sum_of_relative_entropies_of_rates_that_are_held(z, rho):
    rates = [min(max(sum(column) / len(column), 1e-6), 1 - 1e-6) for column in z.T.tolist()]
    expected = sum(entropy([rho, 1 - rho], [rate, 1 - rate]) for rate in rates)
    np.testing.assert_allclose(call("rate_penalty", z, rho), expected)
    differences = slopes("rate_penalty", z, 1.0, rho)
    np.testing.assert_allclose(jacobian_product("rate_penalty", z, 1.0, rho), differences, rtol=1e-4, atol=1e-4)


def least_error(a, budget):
    """The least squared distance from a to a code without negative values that uses at most so many units, by trial of all."""
    flat = a.flatten().tolist()
    return min(
        sum((value - max(value, 0) * (j in chosen)) ** 2 for j, value in enumerate(flat))
        for chosen in itertools.combinations(range(len(flat)), budget)
    )


TIES = np.array([[2.0, 2.0, -1.0], [2.0, -3.0, 0.5], [1.0, 2.0, 2.0], [-1.0, -2.0, -3.0]])


@pytest.mark.parametrize("a", [normal(3, (4, 3)), normal(4, (1, 5)), normal(5, (3, 1)), TIES])
@pytest.mark.parametrize("s", [1, 2, 3])
def test_no_code_within_the_budget_is_nearer(a, s):
    s = min(s, a.shape[1])
    z = call("top_k", a, s)
    for row, code in zip(a, z):
        assert np.count_nonzero(code) <= s
        np.testing.assert_allclose(math.dist(row, code) ** 2, least_error(row, s))
    shared = call("batch_top_k", a, s)
    assert np.count_nonzero(shared) <= len(a) * s
    np.testing.assert_allclose(np.square(a - shared).sum(), least_error(a, len(a) * s))
    assert all(set(code[code != 0]) <= set(a[a > 0]) for code in (z, shared))


@pytest.mark.parametrize("name", ["soft_threshold", "top_k", "batch_top_k"])
@pytest.mark.parametrize(("shape", "setting"), [((5, 6), 2), ((1, 4), 1), ((3, 2), 1)])
def test_the_gradient_passes_where_a_value_is_kept(name, shape, setting):
    a, upstream = normal(6, shape, shape)
    gradient = jacobian_product(name, a, upstream, setting)
    np.testing.assert_allclose(gradient, slopes(name, a, upstream, setting), atol=1e-6)
    assert np.count_nonzero(gradient) == np.count_nonzero(call(name, a, setting)) > 0


def reconstruct(x, w_enc, b_enc, w_dec):
    """W_dec relu(W_enc x + b_enc), for one example after the other."""
    return [w_dec.dot([max(row.dot(one) + b, 0.0) for row, b in zip(w_enc, b_enc)]) for one in x]


@pytest.mark.parametrize(("d", "k"), [(5, 3), (3, 7), (4, 1), (1, 2)])
def test_rescaled_weights_reconstruct_the_same_with_columns_of_length_one(d, k):
    x, *given = normal(d, (9, d), (k, d), (k,), (d, k))
    copies = [tensor.copy() for tensor in given]
    new = call("rescale", *given)
    np.testing.assert_allclose([math.hypot(*column) for column in new[2].T], np.ones(k))
    np.testing.assert_allclose(reconstruct(x, *new), reconstruct(x, *given), atol=1e-12)
    for tensor, copy in zip(given, copies):
        np.testing.assert_array_equal(tensor, copy)


@pytest.mark.parametrize(("n", "d", "k"), [(6, 4, 3), (3, 3, 8), (1, 5, 5), (4, 1, 2)])
def test_ista_ends_at_the_lasso(n, d, k):
    x, w_dec = normal(n, (n, d), (d, k))
    # scikit-learn divides the squared error by the number of rows, which are the d values here.
    lasso = Lasso(alpha=0.2 / d, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(w_dec, x.T)
    z = call("ista", x, w_dec, 0.2, 5_000)
    np.testing.assert_allclose(z @ w_dec.T, np.reshape(lasso.coef_, (n, k)) @ w_dec.T, atol=1e-5)
    for code, row in zip(z, np.reshape(lasso.coef_, (n, k))):
        np.testing.assert_allclose(np.abs(code).sum(), np.abs(row).sum(), atol=1e-5)


@pytest.mark.parametrize(("n", "d", "k", "price"), [(2, 4, 3, 0.3), (1, 2, 5, 0.0), (3, 1, 1, 0.5)])
def test_each_step_of_ista_minimizes_a_parabola_above_the_cost(n, d, k, price):
    x, w_dec = normal(k, (n, d), (d, k))
    curvature = max(np.linalg.eigvals(w_dec.T @ w_dec).real)
    codes = [call("ista", x, w_dec, price, steps) for steps in range(5)]
    np.testing.assert_array_equal(codes[0], np.zeros((n, k)))
    for before, after in itertools.pairwise(codes):
        for one, old, new in zip(x, before, after):
            slope = approx_fprime(old, lambda z, one=one: 0.5 * math.dist(one, w_dec @ z) ** 2, 1e-7)
            # The bound is a sum over units, so each of them can be minimized by itself.
            best = [cheapest(slope[j], old[j], curvature, price) for j in range(k)]
            np.testing.assert_allclose(new, best, atol=1e-5)


def adam_by_hand(x, w_enc, b_enc, w_dec, price, steps, lr):
    """Adam with the default settings of torch, gradients by the chain rule, and columns divided after every update."""
    weights = [start.copy() for start in (w_enc, b_enc, w_dec)]
    first, second = ([np.zeros_like(weight) for weight in weights] for _ in range(2))
    for step in range(1, steps + 1):
        w_enc, b_enc, w_dec = weights
        gradients = [np.zeros_like(weight) for weight in weights]
        for one in x:
            a = w_enc @ one + b_enc
            z = np.where(a > 0, a, 0.0)
            residual = w_dec @ z - one
            back = np.where(a > 0, w_dec.T @ residual + price, 0.0)
            for total, part in zip(gradients, (np.outer(back, one), back, np.outer(residual, z))):
                total += part / len(x)
        for weight, m, v, gradient in zip(weights, first, second, gradients):
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient**2 - v)
            weight -= lr * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        w_dec /= [math.hypot(*column) for column in w_dec.T]
    return weights


@pytest.mark.parametrize(("seed", "n", "d", "k", "price"), [(1, 20, 6, 4, 0.2), (2, 1, 3, 2, 0.0), (3, 7, 2, 5, 0.4)])
def test_training_takes_the_steps_of_adam(seed, n, d, k, price):
    x, w_enc, b_enc, w_dec = normal(seed, (n, d), (k, d), (k,), (d, k))
    w_dec /= np.linalg.norm(w_dec, axis=0)
    expected = adam_by_hand(x, w_enc, b_enc, w_dec, price, steps=15, lr=0.02)
    for weight, by_hand in zip(call("train", x, w_enc, b_enc, w_dec, price, 15, 0.02), expected):
        np.testing.assert_allclose(weight, by_hand, atol=1e-8)
