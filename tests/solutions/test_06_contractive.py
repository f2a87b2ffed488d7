"""The solution of the assignment on contractive autoencoders against numpy, scipy, finite differences and torch.optim."""

import itertools

import numpy as np
import pytest
import scipy.linalg
import torch
from scipy.special import expit
from scipy.stats import multivariate_normal
from solved_functions import functions

SIZES = [(5, 3, 4), (1, 4, 2), (3, 1, 5), (4, 5, 1), (1, 1, 1)]  # examples, features, code values
SEEDED = pytest.mark.parametrize(("seed", "n", "d", "k"), [(seed, *sizes) for seed, sizes in enumerate(SIZES)])


@pytest.fixture(autouse=True)
def float64_as_in_the_notebook():
    torch.set_default_dtype(torch.float64)


def call(name, *arguments):
    given = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
    result = getattr(functions("06_contractive"), name)(*given)
    return [part.detach().numpy() for part in result] if isinstance(result, tuple) else result.detach().numpy()


def drawn(seed, *shapes):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) for shape in shapes]


def differences(f, x, step=1e-5):
    """The derivatives of f at the array x by central differences, along a last axis with an entry for each number in x."""
    steps = step * np.eye(x.size).reshape(-1, *x.shape)
    return np.stack([(np.asarray(f(x + s)) - np.asarray(f(x - s))) / (2 * step) for s in steps], axis=-1)


def signs(n):
    return np.array(list(itertools.product((1.0, -1.0), repeat=n)))


def affine(W, b=None):
    """A layer with copies of these weights."""
    layer = torch.nn.Linear(*W.shape[::-1], bias=b is not None)
    layer.load_state_dict({"weight": torch.tensor(W)} | ({} if b is None else {"bias": torch.tensor(b)}))
    return layer


def two_layers(seed, d, k):
    """The same encoder for numpy, one example at a time, and as a module."""
    down, shift, up = drawn(seed, (6, d), (6,), (k, 6))
    module = torch.nn.Sequential(affine(down, shift), torch.nn.Tanh(), affine(up))
    return (lambda row: up.dot(np.tanh(down.dot(row) + shift))), module


def loss_by_scipy(x, W, b, c, weight):
    total = 0.0
    for row in x:
        x_hat = W.T.dot(expit(W.dot(row) + b)) + c
        J = differences(lambda at: expit(W.dot(at) + b), row)
        total += weight * (J**2).sum() - multivariate_normal(x_hat, np.eye(len(row))).logpdf(row)
    return total / len(x)


@SEEDED
def test_jacobian_and_norm_are_those_of_finite_differences(seed, n, d, k):
    x, W, b = drawn(seed, (n, d), (k, d), (k,))
    J = np.stack([differences(lambda at: expit(W.dot(at) + b), row) for row in x])
    np.testing.assert_allclose(call("jacobian", x, W, b), J, atol=1e-8)
    h = np.stack([expit(W.dot(row) + b) for row in x])
    np.testing.assert_allclose(call("squared_norm", h, W), [scipy.linalg.norm(one) ** 2 for one in J], atol=1e-8)


def test_saturated_units_do_not_react():
    x, W = drawn(0, (4, 3), (2, 3))
    np.testing.assert_array_equal(call("jacobian", x, W, np.array([1000.0, -1000.0])), np.zeros((4, 2, 3)))
    np.testing.assert_array_equal(call("squared_norm", np.array([[0.0, 1.0]]), W), [0.0])


@SEEDED
@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_the_loss_and_its_gradient_are_those_of_the_density_of_scipy_and_finite_differences(seed, n, d, k, weight):
    x, *given = drawn(seed, (n, d), (k, d), (k,), (d,))
    leaves = [torch.tensor(values, requires_grad=True) for values in given]
    loss = functions("06_contractive").contractive_loss(torch.tensor(x), *leaves, weight)
    assert loss.item() == pytest.approx(loss_by_scipy(x, *given, weight))
    loss.backward()
    for i, leaf in enumerate(leaves):
        slopes = differences(lambda at, i=i: loss_by_scipy(x, *given[:i], at, *given[i + 1 :], weight), given[i], 1e-4)
        np.testing.assert_allclose(leaf.grad.flatten(), slopes, atol=1e-5)


@SEEDED
@pytest.mark.parametrize("sigma", [0.1, 1.5])
def test_noise_moves_the_code_as_in_loops(seed, n, d, k, sigma):
    f, module = two_layers(seed, d, k)
    x, eps = drawn(seed + 10, (n, d), (3, n, d))
    expected = [
        np.mean([((f(row + sigma * one) - f(row)) ** 2).sum() / sigma**2 for one in eps[:, i]])
        for i, row in enumerate(x)
    ]
    np.testing.assert_allclose(call("moved_by_noise", module, x, eps, sigma), expected)


@SEEDED
def test_small_noise_of_all_signs_measures_the_norm(seed, n, d, k):
    f, module = two_layers(seed, d, k)
    (x,) = drawn(seed + 20, (n, d))
    norms = [(differences(f, row) ** 2).sum() for row in x]
    eps = np.repeat(signs(d)[:, None], n, axis=1)
    np.testing.assert_allclose(call("moved_by_noise", module, x, eps, 1e-3), norms, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(call("exact_norm", module, x), norms, rtol=1e-6, atol=1e-9)
    u = np.repeat(signs(k)[:, None], n, axis=1)
    np.testing.assert_allclose(call("estimated_norm", module, x, u), norms, rtol=1e-6, atol=1e-9)


@SEEDED
def test_the_estimate_squares_the_derivative_of_each_combination_of_the_code(seed, n, d, k):
    f, module = two_layers(seed, d, k)
    x, u = drawn(seed + 30, (n, d), (4, n, k))
    expected = [np.mean([(v.dot(differences(f, row)) ** 2).sum() for v in u[:, i]]) for i, row in enumerate(x)]
    np.testing.assert_allclose(call("estimated_norm", module, x, u), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("name", "draws"), [("exact_norm", []), ("estimated_norm", drawn(1, (3, 4, 2)))])
def test_the_norms_can_be_learned_from_and_leave_x_alone(name, draws):
    """Central differences of the function itself, in the weights: it is compared with numpy above."""
    _, module = two_layers(3, 3, 2)
    x = torch.tensor(drawn(2, (4, 3))[0])
    given = [x, *map(torch.tensor, draws)]
    weight, before = module[0].weight, module[0].weight.detach().clone()
    slope = torch.autograd.grad(getattr(functions("06_contractive"), name)(module, *given).sum(), weight)[0]

    def norm(values):
        weight.data = torch.tensor(values)
        return call(name, module, *given).sum()

    np.testing.assert_allclose(slope.flatten(), differences(norm, before.numpy()), atol=1e-6)
    assert not x.requires_grad
    assert x.grad is None


@pytest.mark.parametrize(("seed", "n", "d", "sigma"), [(0, 5, 3, 0.6), (1, 1, 2, 3.0), (2, 4, 1, 1.0), (3, 6, 4, 0.0)])
def test_the_denoising_error_is_the_mean_over_noise(seed, n, d, sigma):
    """All vectors of signs have the first two moments of a Gaussian, and the error of an affine map asks for no others."""
    x, M, c = drawn(seed, (n, d), (d, d), (d,))
    errors = [((row - M.dot(row + sigma * eps) - c) ** 2).sum() for row in x for eps in signs(d)]
    np.testing.assert_allclose(call("denoising_error", x, M, c, sigma), np.mean(errors))


@pytest.mark.parametrize(("n", "k", "d", "r"), [(3, 4, 4, 2), (2, 2, 5, 2), (1, 5, 3, 1), (4, 3, 1, 1), (2, 1, 3, 1)])
def test_directions_are_eigenvectors_of_the_product_of_the_jacobian_with_its_transpose(n, k, d, r):
    (J,) = drawn(n, (n, k, d))
    s, v = call("directions", J, r)
    for i in range(n):
        values, vectors = scipy.linalg.eigh(J[i].T @ J[i])
        np.testing.assert_allclose(s[i] ** 2, values[::-1][:r], atol=1e-12)
        for j in range(r):
            np.testing.assert_allclose(abs(v[i, j] @ vectors[:, d - 1 - j]), 1)
            np.testing.assert_allclose(scipy.linalg.norm(J[i] @ v[i, j]), s[i, j])


@pytest.mark.parametrize(("n", "d", "k", "weight"), [(6, 3, 4, 0.4), (1, 2, 3, 1.0), (4, 1, 1, 0.0), (2, 5, 1, 3.0)])
def test_training_a_sigmoid_layer_is_adam_on_the_closed_form(n, d, k, weight):
    """J^T u of sigmoid(W x + b) is sum_j u_j h_j (1 - h_j) W_j: here no derivative by x is needed, let alone of one."""
    x, *weights = drawn(n, (n, d), (k, d), (k,), (d, k), (d,))
    x, steps = torch.tensor(x), torch.tensor(np.random.default_rng(n).choice([-1.0, 1.0], size=(5, n, k)))
    layer, decoder = affine(*weights[:2]), affine(*weights[2:])
    parameters = [*layer.parameters(), *decoder.parameters()]
    adam = torch.optim.Adam(parameters, lr=0.05)
    encoder = torch.nn.Sequential(layer, torch.nn.Sigmoid())
    losses = functions("06_contractive").train(encoder, decoder, adam, x, weight, list(steps))
    W, b, V, c = leaves = [torch.tensor(values, requires_grad=True) for values in weights]
    adam = torch.optim.Adam(leaves, lr=0.05)
    for loss, u in zip(losses, steps, strict=True):
        h = torch.sigmoid(x @ W.T + b)
        pulled = torch.linalg.matrix_norm((u * h * (1 - h)) @ W) ** 2
        expected = (torch.dist(h @ V.T + c, x) ** 2 / 2 + weight * pulled) / n
        adam.zero_grad()
        expected.backward()
        adam.step()
        assert loss == pytest.approx(expected.item())
    for trained, leaf in zip(parameters, leaves):
        torch.testing.assert_close(trained.data, leaf.data)
    assert not x.requires_grad


def test_one_step_on_a_linear_model_by_hand():
    """z = A x, x_hat = D z: the pulled vector is A^T u, and both gradients are known."""
    x, A, D = drawn(8, (5, 3), (2, 3), (3, 2))
    u = np.sign(drawn(9, (5, 2))[0])
    encoder, decoder = affine(A), affine(D)
    sgd = torch.optim.SGD([encoder.weight, decoder.weight], lr=1.0)
    functions("06_contractive").train(encoder, decoder, sgd, torch.tensor(x), 0.3, [torch.tensor(u)])
    away = [D.dot(A.dot(row)) - row for row in x]
    by_A = [np.outer(D.T.dot(e), row) + 0.6 * np.outer(s, A.T.dot(s)) for e, row, s in zip(away, x, u)]
    by_D = [np.outer(e, A.dot(row)) for e, row in zip(away, x)]
    np.testing.assert_allclose(encoder.weight.detach(), A - np.mean(by_A, axis=0))
    np.testing.assert_allclose(decoder.weight.detach(), D - np.mean(by_D, axis=0))
