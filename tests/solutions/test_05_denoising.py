"""The solution of the assignment on denoising against numpy, scipy, scikit-learn, and the statistics of what it draws."""

import itertools
import math
from decimal import Decimal

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import approx_fprime
from sklearn.linear_model import Ridge
from solved_functions import functions
from torch import nn

CORRUPTIONS = {"gaussian_noise": (0.5,), "masking_noise": (0.4,), "salt_and_pepper": (0.3, -1.0, 2.0)}
LEAST = 1e-3  # seeds are fixed: a right sampler below this p-value would be a coincidence of one in a thousand


@pytest.fixture(autouse=True)
def float64():
    """As the set-up cell of the notebook has it; tests/conftest.py sets it back."""
    torch.set_default_dtype(torch.float64)


def call(name, *arguments):
    given = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
    return getattr(functions("05_denoising"), name)(*given)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def normal(seed, *shapes):
    random = np.random.default_rng(seed)
    found = [random.normal(size=shape) for shape in shapes]
    return found if len(found) > 1 else found[0]


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(40, 5), (1, 30), (4, 1, 3, 3)])
def test_all_randomness_comes_from_the_generator(name, shape):
    x, generator, state = torch.tensor(normal(1, shape)), seeded(7), torch.get_rng_state()
    kept = x.clone()
    first, second = (call(name, x, *CORRUPTIONS[name], generator) for _ in range(2))
    assert first.shape == x.shape
    assert not torch.equal(first, second)
    assert torch.equal(first, call(name, x, *CORRUPTIONS[name], seeded(7)))
    assert torch.equal(x, kept)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("sigma", [0.3, 4.0])
def test_gaussian_noise_has_its_distribution_and_no_two_values_share_it(sigma):
    x = normal(2, (3000, 4))
    eps = (call("gaussian_noise", x, sigma, seeded(1)).numpy() - x) / sigma
    assert stats.kstest(eps.flatten(), "norm").pvalue > LEAST
    pairs = [*itertools.combinations(eps.T, 2), (eps[:-1, 0], eps[1:, 0]), (eps[:, 0], x[:, 0])]
    assert all(stats.pearsonr(*pair).pvalue > LEAST for pair in pairs)
    np.testing.assert_array_equal(call("gaussian_noise", x, 0.0, seeded(1)), x)


def independent(kinds):
    """The p-values of the hypotheses that neighbors in a row, and in a column, have nothing to do with each other."""
    for before, after in ((kinds[:, :-1], kinds[:, 1:]), (kinds[:-1], kinds[1:])):
        yield stats.chi2_contingency(stats.contingency.crosstab(before.flatten(), after.flatten()).count).pvalue


@pytest.mark.parametrize("p", [0.2, 0.7])
def test_a_share_p_of_independent_values_is_masked(p):
    x = normal(3, (500, 20))
    x_tilde = call("masking_noise", x, p, seeded(2)).numpy()
    gone = x_tilde == 0
    np.testing.assert_array_equal(x_tilde[~gone], x[~gone])
    assert stats.binomtest(int(gone.sum()), gone.size, p).pvalue > LEAST
    assert min(independent(gone)) > LEAST
    np.testing.assert_array_equal(call("masking_noise", x, 0.0, seeded(2)), x)
    np.testing.assert_array_equal(call("masking_noise", x, 1.0, seeded(2)), np.zeros_like(x))


@pytest.mark.parametrize("p", [0.2, 0.7, 1.0])
def test_salt_and_pepper_share_p(p):
    x = np.random.default_rng(4).uniform(0.1, 0.9, size=(500, 20))
    x_tilde = call("salt_and_pepper", x, p, 0.0, 1.0, seeded(3)).numpy()
    kinds = np.select([x_tilde == 0, x_tilde == 1, x_tilde == x], [0, 1, 2], default=3)
    counts = np.bincount(kinds.flatten(), minlength=3)
    assert len(counts) == 3
    shares = np.array([p / 2, p / 2, 1 - p])
    assert stats.chisquare(counts[shares > 0], x.size * shares[shares > 0]).pvalue > LEAST
    assert min(independent(kinds)) > LEAST
    np.testing.assert_array_equal(call("salt_and_pepper", x, 0.0, 0.0, 1.0, seeded(3)), x)


def disturbed(x, generator):
    return 0.8 * x + 0.5 * torch.randn(x.shape, generator=generator)


def linear(weight, bias):
    r = nn.Linear(*weight.T.shape)
    r.weight, r.bias = nn.Parameter(torch.tensor(weight)), nn.Parameter(torch.tensor(bias))
    return r


@pytest.mark.parametrize(("n", "d"), [(6, 3), (1, 4), (5, 1)])
def test_the_loss_is_a_negative_log_likelihood_of_the_clean_example(n, d):
    x, weight = normal(n, (n, d), (d, d))
    x_tilde = disturbed(torch.tensor(x), seeded(5)).numpy()

    def by_hand(flat):
        pairs = zip(x.flatten(), (x_tilde @ flat.reshape(d, d).T).flatten())
        return sum(-stats.norm(mean, 1).logpdf(value) for value, mean in pairs) / n

    r = linear(weight, np.zeros(d))
    loss = call("denoising_loss", r, x, disturbed, seeded(5))
    loss.backward()
    np.testing.assert_allclose(loss.item(), by_hand(weight.flatten()))
    np.testing.assert_allclose(r.weight.grad.flatten(), approx_fprime(weight.flatten(), by_hand, 1e-6), atol=1e-4)


@pytest.mark.parametrize(("n", "d", "sigma"), [(50, 4, 0.5), (3, 6, 2.0), (9, 1, 1.0)])
def test_the_best_matrix_against_gaussian_noise_is_ridge_regression_of_the_data_on_themselves(n, d, sigma):
    x = normal(d, (n, d))
    ridge = Ridge(alpha=n * sigma**2, fit_intercept=False, solver="svd").fit(x, x)
    W = call("linear_for_gaussian", x.T @ x / n, sigma)
    np.testing.assert_allclose(W, np.reshape(ridge.coef_, (d, d)), atol=1e-12)


@pytest.mark.parametrize(("n", "d"), [(30, 4), (8, 2), (5, 1)])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.8])
def test_the_best_matrix_against_masking_is_least_squares_over_all_masks(n, d, p):
    x = normal(d, (n, d)) + 1
    masks = np.array(list(itertools.product([0.0, 1.0], repeat=d)))
    root = np.sqrt(np.prod(np.where(masks == 1, 1 - p, p), axis=1))[:, None, None]
    inputs, targets = root * masks[:, None] * x, root * np.ones_like(masks)[:, None] * x
    transposed = np.linalg.lstsq(inputs.reshape(-1, d), targets.reshape(-1, d), rcond=None)[0]
    np.testing.assert_allclose(call("linear_for_masking", x.T @ x / n, p), transposed.T, atol=1e-10)


def log_density(place, weights, means, taus, sigma):
    """The log-density of noisy data of a mixture at one place."""
    return np.log(
        weights @ [stats.norm(mean, math.hypot(tau, sigma)).pdf(place).prod() for mean, tau in zip(means, taus)]
    )


@pytest.mark.parametrize(("seed", "d", "k"), [(1, 1, 2), (2, 2, 3), (3, 3, 1), (4, 1, 4)])
@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_the_best_denoiser_and_its_score_fulfil_tweedie(seed, d, k, sigma):
    random, x_tilde = np.random.default_rng(seed), normal(seed, (4, d))
    given = random.dirichlet(np.full(k, 5.0)), random.normal(size=(k, d)), random.uniform(0.2, 1.8, size=k)
    slopes = np.array([approx_fprime(place, log_density, 1e-7, *given, sigma) for place in x_tilde])
    x_hat = call("posterior_mean", x_tilde, *given, sigma)
    np.testing.assert_allclose(x_hat, x_tilde + sigma**2 * slopes, atol=1e-5)
    score = call("score", lambda v: call("posterior_mean", v, *given, sigma), x_tilde, sigma)
    np.testing.assert_allclose(score, slopes, atol=1e-5)


@pytest.mark.parametrize("noisy", [-300.0, 0.03, 90.0, 300.0])
def test_far_from_all_points_the_best_denoiser_is_what_exact_decimals_give(noisy):
    points, weights, sigma = [-2.0, 0.5, 2.0], [0.7, 0.2, 0.1], 0.4
    shares = [
        Decimal(w) * (-((Decimal(noisy) - Decimal(m)) ** 2) / (2 * Decimal(sigma) ** 2)).exp()
        for w, m in zip(weights, points)
    ]
    expected = float(sum(s * Decimal(m) for s, m in zip(shares, points)) / sum(shares))
    given = np.array([[noisy]]), np.array(weights), np.array(points)[:, None], np.zeros(3), sigma
    np.testing.assert_allclose(call("posterior_mean", *given).item(), expected)


@pytest.mark.parametrize(("num_steps", "n", "d", "eta"), [(5, 3, 2, 0.3), (0, 2, 4, 0.5), (1, 1, 1, 1.0)])
def test_a_walk_with_a_matrix_multiplies_by_powers(num_steps, n, d, eta):
    x, weight = normal(d, (n, d), (d, d))
    r = linear(weight, np.zeros(d))
    path = call("walk", r, x, num_steps, eta)
    step = np.eye(d) + eta * (weight - np.eye(d))
    np.testing.assert_allclose(path, [x @ np.linalg.matrix_power(step, t).T for t in range(num_steps + 1)])
    assert not path.requires_grad


@pytest.mark.parametrize(("n", "d", "num_steps"), [(6, 3, 5), (1, 1, 1), (4, 2, 8)])
def test_training_takes_the_steps_of_momentum_on_the_gradient_of_j(n, d, num_steps):
    x, weight, bias = normal(n, (n, d), (d, d), (d,))
    r = linear(weight, bias)
    optimizer = torch.optim.SGD(r.parameters(), lr=0.05, momentum=0.9)
    losses = call("train", r, optimizer, x, disturbed, num_steps, seeded(6))

    generator, expected, speed = seeded(6), [], np.zeros((d, d + 1))
    for _ in range(num_steps):
        errors, slope = [], np.zeros((d, d + 1))
        for clean, noisy in zip(x, disturbed(torch.tensor(x), generator).numpy()):
            residual = weight.dot(noisy) + bias - clean
            errors.append(math.hypot(*residual) ** 2)
            slope += 2 * np.outer(residual, [*noisy, 1.0]) / n
        expected.append(sum(errors) / n)
        speed = 0.9 * speed + slope
        weight, bias = weight - 0.05 * speed[:, :d], bias - 0.05 * speed[:, d]
    np.testing.assert_allclose(losses, expected)
    np.testing.assert_allclose(r.weight.detach(), weight)
    np.testing.assert_allclose(r.bias.detach(), bias)
