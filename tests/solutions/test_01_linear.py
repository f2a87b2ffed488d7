"""The solution of the assignment on linear autoencoders against numpy: what all submissions are compared with must be right."""

import math

import numpy as np
import pytest
import torch
from solved_functions import functions

SHAPES = [(50, 4), (6, 8), (200, 2), (1, 3), (30, 6)]


def cloud(seed, n, d):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.arange(1, d + 1) + 3


def call(name, *arguments):
    given = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
    result = getattr(functions("01_linear"), name)(*given)
    return [part.numpy() for part in result] if isinstance(result, tuple) else result


@pytest.mark.parametrize(("seed", "shape"), list(enumerate(SHAPES)))
def test_center_and_covariance(seed, shape):
    x = cloud(seed, *shape)
    x_c, mean = call("center", x)
    np.testing.assert_allclose(mean, [sum(column) / len(x) for column in x.T.tolist()])
    np.testing.assert_allclose(x_c, x - mean)
    np.testing.assert_allclose(call("covariance", x_c), np.cov(x, rowvar=False, bias=True), atol=1e-12)


@pytest.mark.parametrize(("seed", "d", "k"), [(1, 4, 2), (2, 6, 3), (3, 5, 4), (4, 3, 3), (5, 2, 1)])
def test_the_weights_are_those_of_the_singular_value_decomposition(seed, d, k):
    x = cloud(seed, 50, d)
    x = x - x.mean(0)
    _, values, rows = np.linalg.svd(x)
    covariance = x.T @ x / len(x)
    eigenvalue, w = call("fit_1d", covariance)
    np.testing.assert_allclose(eigenvalue, values[0] ** 2 / len(x))
    np.testing.assert_allclose(np.outer(w, w), np.outer(rows[0], rows[0]), atol=1e-9)
    w_enc, w_dec = call("fit", covariance, k)
    np.testing.assert_allclose(w_dec @ w_enc, rows[:k].T @ rows[:k], atol=1e-9)
    np.testing.assert_allclose(call("discarded_variance", covariance, k), (values[k:] ** 2).sum() / len(x), atol=1e-9)
    np.testing.assert_allclose(call("explained_variance_ratio", x), values**2 / (values**2).sum())


@pytest.mark.parametrize(("d", "h"), [(3, 3), (3, 7), (1, 2)])
def test_without_a_bottleneck_every_input_comes_out(d, h):
    w_enc, w_dec = call("wide", d, h)
    assert w_enc.shape == (h, d)
    np.testing.assert_array_equal(w_dec @ w_enc, np.eye(d))


@pytest.mark.parametrize(("n", "d", "k"), [(9, 4, 2), (1, 3, 1), (5, 2, 6)])
def test_reconstructions_and_their_error(n, d, k):
    random = np.random.default_rng(n)
    x, mean, w_enc, w_dec = (random.normal(size=shape) for shape in ((n, d), (d,), (k, d), (d, k)))
    x_hat = call("reconstruct", x, mean, w_enc, w_dec).numpy()
    np.testing.assert_allclose(x_hat, [mean + w_dec.dot(w_enc.dot(row - mean)) for row in x])
    error = call("reconstruction_error", x, x_hat)
    np.testing.assert_allclose(error, sum(math.dist(a, b) ** 2 for a, b in zip(x, x_hat)) / n)


@pytest.mark.parametrize(
    ("shares", "share", "enough"),
    [
        ([0.5, 0.375, 0.125], 0.875, 2),
        ([0.25] * 4, 0.5, 2),
        ([0.7, 0.2, 0.05, 0.05], 0.69, 1),
        ([0.4, 0.3, 0.2, 0.1], 0.95, 4),
    ],
)
def test_the_smallest_code_that_keeps_a_share(shares, share, enough):
    assert call("choose_k", np.array(shares), share) == enough
    assert sum(shares[:enough]) >= share > sum(shares[: enough - 1])
