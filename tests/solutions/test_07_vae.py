"""The solution of the assignment on variational autoencoders against scipy, integrals, finite differences and steps by hand."""

import math
import statistics

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import expit, logsumexp, softmax
from scipy.stats import bernoulli, kstest, norm
from solved_functions import functions

EVENTS = pytest.mark.parametrize("shape", [(4, 3), (1, 5), (3, 1), (2, 1, 3, 4), (1, 1)])


@pytest.fixture(autouse=True)
def float64_as_in_the_notebook():
    torch.set_default_dtype(torch.float64)


def call(name, *arguments):
    given = [torch.tensor(a) if isinstance(a, (np.ndarray, np.generic)) else a for a in arguments]
    return np.asarray(getattr(functions("07_vae"), name)(*given))


def drawn(seed, *shapes):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) for shape in shapes]


def differences(f, x, step=1e-5):
    """The derivatives of a number f by each entry of the array x, by central differences."""
    steps = step * np.eye(x.size).reshape(-1, *x.shape)
    return np.array([(float(f(x + s)) - float(f(x - s))) / (2 * step) for s in steps]).reshape(x.shape)


def assert_slopes(name, *arrays):
    """Gradients of the sum of what a function returns get through to all of its arrays, and are right."""
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    getattr(functions("07_vae"), name)(*leaves).sum().backward()
    for i, leaf in enumerate(leaves):
        expected = differences(lambda at, i=i: call(name, *arrays[:i], at, *arrays[i + 1 :]).sum(), arrays[i])
        np.testing.assert_allclose(leaf.grad, expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 3), (1, 1), (5, 2, 3), (2, 1, 4)])
def test_draws_are_scaled_and_shifted_noise(shape):
    mu, logvar, eps = drawn(len(shape), shape[-2:], shape[-2:], shape)
    z = call("reparameterize", mu, logvar, eps)
    assert z.shape == shape
    for row, unit in np.ndindex(mu.shape):
        std = math.sqrt(math.exp(logvar[row, unit]))
        np.testing.assert_allclose(z[..., row, unit], norm(mu[row, unit], std).ppf(norm.cdf(eps[..., row, unit])))
    assert_slopes("reparameterize", mu, logvar, eps)


@pytest.mark.parametrize(("n", "k"), [(4, 3), (1, 2), (3, 1)])
def test_the_price_of_a_cloud_is_the_integral(n, k):
    mu, logvar = drawn(n, (n, k), (n, k))

    def price(m, s):
        q, p = norm(m, s), norm(0, 1)
        return quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), m - 12 * s, m + 12 * s)[0]

    expected = [sum(price(m, math.exp(v / 2)) for m, v in zip(*rows)) for rows in zip(mu, logvar)]
    np.testing.assert_allclose(call("gaussian_kl", mu, logvar), expected, rtol=1e-7)
    assert_slopes("gaussian_kl", mu, logvar)
    np.testing.assert_allclose(call("gaussian_kl", np.array([[2.0, 0.0]]), np.array([[-1000.0, 0.0]])), [501.5])


@EVENTS
def test_the_bound_for_binary_data_has_the_probabilities_of_scipy(shape):
    x, logits, kl = drawn(sum(shape), shape, shape, shape[:1])
    x = (x > 0).astype(float)
    expected = [bernoulli(expit(a)).logpmf(one).sum() - price for one, a, price in zip(x, logits, kl)]
    np.testing.assert_allclose(call("bernoulli_elbo", x, logits, kl), expected)
    at = torch.tensor(logits, requires_grad=True)
    functions("07_vae").bernoulli_elbo(torch.tensor(x), at, torch.tensor(kl)).sum().backward()
    np.testing.assert_allclose(at.grad, x - expit(logits), atol=1e-12)


def test_extreme_logits_cost_what_they_say():
    x, logits = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]]), np.array([[1e3, -1e3, 2e3, -2e3]] * 2)
    np.testing.assert_allclose(call("bernoulli_elbo", x, logits, np.array([0.0, 5.0])), [-3000, -5])


@EVENTS
@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0])
def test_the_bound_for_real_values_has_the_density_of_scipy(shape, sigma):
    x, x_hat, kl = drawn(sum(shape), shape, shape, shape[:1])
    expected = [norm(mean, sigma).logpdf(one).sum() - price for one, mean, price in zip(x, x_hat, kl)]
    np.testing.assert_allclose(call("gaussian_elbo", x, x_hat, np.array(sigma), kl), expected)
    assert_slopes("gaussian_elbo", x, x_hat, np.array(sigma), kl)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_active_units_have_means_that_vary_by_more_than_the_threshold(n):
    mu = drawn(n, (n, 6))[0] * [0.05, 0.09, 0.11, 0.3, 1.0, 3.0] + [0, 5, -5, 0, 3, 0]
    variances = [statistics.pvariance(unit) for unit in mu.T.tolist()]
    for threshold in (0.01, 0.2):
        active = call("active_units", mu, drawn(0, mu.shape)[0], threshold)
        assert active.tolist() == [variance > threshold for variance in variances]
    assert call("active_units", mu, mu).tolist() == [variance > 0.01 for variance in variances]
    ends = np.array([[-0.5, 1.0], [0.5, 2.5]])  # a variance of exactly 0.25, and more
    assert call("active_units", ends, ends, 0.25).tolist() == [False, True]


def test_new_examples_have_the_moments_of_the_model():
    """Given the code the values are independent: moments are integrals over the code. Tolerance: five standard errors."""
    weight, bias, n, codes = np.array([2.0, -1.0, 0.0]), np.array([0.5, 0.0, -1.0]), 20_000, []
    slope, shift = torch.tensor(weight), torch.tensor(bias)
    x = call("generate", lambda z: codes.append(z) or slope * z + shift, n, 1, torch.Generator().manual_seed(0))
    assert x.shape == (n, 3)
    assert set(x.flatten()) == {0, 1}
    assert kstest(codes[0][:, 0].numpy(), "norm").pvalue > 0.001
    for i, j in np.ndindex(3, 3):
        pair = np.array(sorted({i, j}))
        share = quad(lambda z, v=pair: norm.pdf(z) * expit(weight[v] * z + bias[v]).prod(), -10, 10)[0]
        assert (x[:, i] * x[:, j]).mean() == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / n))


@pytest.mark.parametrize(("n", "d", "k"), [(1, 4, 2), (3, 1, 1)])
def test_a_decoder_that_is_sure_leaves_nothing_to_chance(n, d, k):
    sure = torch.tensor(drawn(n, (k, d))[0]).sign() * 1e6
    codes = []
    x = call("generate", lambda z: codes.append(z) or z @ sure, n, k, torch.Generator().manual_seed(1))
    np.testing.assert_array_equal(x, codes[0].numpy() @ sure.numpy() > 0)


def test_all_chance_comes_from_the_generator():
    state = torch.get_rng_state()
    one, same, other = (call("generate", lambda z: z, 50, 2, torch.Generator().manual_seed(s)) for s in (3, 3, 4))
    assert torch.equal(state, torch.get_rng_state())
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize(("n", "k", "free_bits"), [(5, 4, 0.5), (1, 3, 1.0), (4, 1, 0.0)])
def test_the_price_has_its_three_knobs(n, k, free_bits):
    kl = np.random.default_rng(n).gamma(1.0, size=(n, k))
    charged = [max(statistics.fmean(unit), free_bits) for unit in kl.T.tolist()]
    for beta, T, step in [(1.0, 0, 1), (0.5, 4, 1), (3.0, 4, 3), (3.0, 4, 4), (2.0, 5, 70), (2.0, 1, 1), (2.0, 0, 9)]:
        weight = np.interp(step, [0, T], [0, beta]) if T else beta
        assert call("kl_price", kl, step, beta, T, free_bits) == pytest.approx(weight * sum(charged))
    assert call("kl_price", kl, 1) == pytest.approx(kl.mean(axis=0).sum())
    at = torch.tensor(kl, requires_grad=True)
    functions("07_vae").kl_price(at, 3, 2.0, 4, free_bits).backward()
    np.testing.assert_allclose(at.grad, np.broadcast_to(1.5 / n * (kl.mean(axis=0) > free_bits), kl.shape))


@pytest.mark.parametrize(("n", "k", "size"), [(4, 3, 1), (1, 6, 1000), (5, 1, 30), (3, 7, 3000)])
def test_the_logarithm_of_a_mean_is_that_of_scipy(n, k, size):
    a = size * drawn(k, (n, k))[0]
    np.testing.assert_allclose(call("log_mean_exp", a), logsumexp(a, axis=1, b=1 / k))
    at = torch.tensor(a, requires_grad=True)
    functions("07_vae").log_mean_exp(at).sum().backward()
    np.testing.assert_allclose(at.grad, softmax(a, axis=1), atol=1e-12)
    a[:, 1:] = -np.inf  # weights of zero
    np.testing.assert_allclose(call("log_mean_exp", a), a[:, 0] - math.log(k))


@pytest.mark.parametrize(("n", "draws", "k", "size"), [(3, 5, 2, 0), (1, 1, 3, 0), (2, 4, 1, -2000), (4, 2, 2, 900)])
def test_the_importance_weighted_bound_has_the_densities_of_scipy(n, draws, k, size):
    log_likelihood, z, mu, logvar = drawn(n, (n, draws), (n, draws, k), (n, k), (n, k))
    log_likelihood += size
    log_q = [norm(m, np.exp(v / 2)).logpdf(one).sum(axis=1) for one, m, v in zip(z, mu, logvar)]
    log_w = log_likelihood + norm.logpdf(z).sum(axis=2) - np.stack(log_q)
    bound = call("importance_bound", log_likelihood, z, mu, logvar)
    np.testing.assert_allclose(bound, logsumexp(log_w, axis=1, b=1 / draws))
    assert_slopes("importance_bound", log_likelihood - size, z, mu, logvar)


@pytest.mark.parametrize(("n", "d", "k", "beta"), [(5, 4, 2, 1.0), (1, 3, 1, 0.5), (4, 1, 3, 0.0)])
def test_training_steps_are_descent_with_momentum_by_hand(n, d, k, beta):
    """Affine maps (mu, logvar) = x E and a = z D: the chain rule in numpy, over four steps."""
    E, D = drawn(n, (d, 2 * k), (k, d))
    encoder, decoder = torch.nn.Linear(d, 2 * k, bias=False), torch.nn.Linear(k, d, bias=False)
    encoder.weight.data, decoder.weight.data = torch.tensor(E.T.copy()), torch.tensor(D.T.copy())
    sgd = torch.optim.SGD([encoder.weight, decoder.weight], lr=0.2, momentum=0.9)
    encoder.weight.grad = torch.ones(2 * k, d)  # left over from something else
    speed_E, speed_D = np.zeros_like(E), np.zeros_like(D)
    for seed in range(4):
        x, eps = drawn(seed, (n, d), (n, k))
        x = (x > 0).astype(float)
        loss = functions("07_vae").training_step(encoder, decoder, sgd, torch.tensor(x), torch.tensor(eps), beta)
        mu, logvar = np.split(x @ E, 2, axis=1)
        std = np.exp(logvar / 2)
        z = mu + std * eps
        nll = -bernoulli(expit(z @ D)).logpmf(x).sum()
        price = sum(m**2 / 2 + s**2 / 2 - 0.5 - math.log(s) for m, s in zip(mu.flat, std.flat))
        assert loss == pytest.approx((nll + beta * price) / n)
        by_a = (expit(z @ D) - x) / n
        by_mu = by_a @ D.T + beta * mu / n
        by_logvar = by_a @ D.T * eps * std / 2 + beta * (std**2 - 1) / 2 / n
        speed_E = 0.9 * speed_E + x.T @ np.hstack([by_mu, by_logvar])
        speed_D = 0.9 * speed_D + z.T @ by_a
        E, D = E - 0.2 * speed_E, D - 0.2 * speed_D
        np.testing.assert_allclose(encoder.weight.detach().T, E)
        np.testing.assert_allclose(decoder.weight.detach().T, D)
