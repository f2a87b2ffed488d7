"""The solution of the assignment on the bottleneck against scikit-learn, scipy, torch's optimizers, closed forms and loops."""

import copy
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from solved_functions import functions
from torch import nn


@pytest.fixture(autouse=True)
def double_precision():
    """As the set-up cell of the notebook has it."""
    torch.set_default_dtype(torch.float64)


def solved(name):
    return getattr(functions("03_bottleneck"), name)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def normal(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


def filled(*layers):
    """A network with parameters that are always the same, those of normalization layers too."""
    model = nn.Sequential(*layers)
    for i, parameter in enumerate(model.parameters()):
        parameter.data = normal(i, *parameter.shape)
    return model


def small_network():
    return filled(nn.Linear(4, 3), nn.LayerNorm(3), nn.ReLU(), nn.Linear(3, 4))


@pytest.mark.parametrize("sizes", [[5, 4, 2], [3, 6], [1, 1], [2, 3, 4, 7], [64, 128, 8]])
def test_both_halves_are_affine_layers_with_rectifiers_between_them_and_their_numbers_are_counted(sizes):
    halves = solved("autoencoder")(sizes)
    for half, widths in zip(halves, (sizes, sizes[::-1]), strict=True):
        x = h = normal(1, 6, widths[0]).numpy()
        parameters = [p.detach().numpy() for p in half.parameters()]
        assert [p.shape for p in parameters] == [s for a, b in pairwise(widths) for s in ((b, a), (b,))]
        for number, (w, b) in enumerate(zip(parameters[::2], parameters[1::2])):
            h = np.array([w.dot(np.maximum(row, 0) if number else row) + b for row in h])
        np.testing.assert_allclose(half(torch.tensor(x)).detach(), h, atol=1e-12)
    assert solved("count_parameters")(sizes) == sum(p.numel() for half in halves for p in half.parameters())


@pytest.mark.parametrize(("n", "d", "size"), [(9, 4, 0.5), (2, 7, 3.0), (12, 1, 0.4), (5, 5, 0.0)])
def test_the_explained_variance_is_the_variance_weighted_r2_score(n, d, size):
    x = normal(n, n, d) * torch.arange(1.0, d + 1) + 3
    x_hat = x + size * (normal(d, n, d) + 0.5)
    assert solved("explained_variance")(x, x_hat) == pytest.approx(r2_score(x, x_hat, multioutput="variance_weighted"))


@pytest.mark.parametrize(("n", "m", "d"), [(40, 30, 2), (1, 5, 3), (8, 1, 1), (25, 60, 5)])
def test_the_share_of_memorized_is_that_of_a_nearest_neighbor_search(n, m, d):
    x, noise, stored = normal(n, n, d), normal(m, n, d), normal(d, m, d)
    x_hat = 0.6 * x + 0.8 * noise
    nearest, _ = KDTree(stored).query(x_hat.numpy())
    counted = sum(near < math.dist(a, b) for near, a, b in zip(nearest, x.tolist(), x_hat.tolist()))
    assert n == 1 or 0 < counted < n
    np.testing.assert_allclose(solved("memorized")(x, x_hat, stored), counted / n)
    middle = x.round() + 1
    assert solved("memorized")(x.round()[:1], middle[:1], middle[:1] + 1) == 0  # equal distances do not count


@pytest.mark.parametrize(("n", "d"), [(3, 2), (20, 5), (70, 3), (30, 1)])
def test_the_intrinsic_dimension_is_computed_from_the_two_nearest_of_a_neighbor_search(n, d):
    x = normal(n, n, d).numpy()
    distances, _ = KDTree(x).query(x, k=3)  # the first neighbor is the point itself
    expected = n / sum(math.log(second / first) for _, first, second in distances)
    np.testing.assert_allclose(solved("intrinsic_dimension")(torch.tensor(x)), expected, rtol=1e-6)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_the_intrinsic_dimension_of_a_torus_is_found_within_five_standard_errors(m):
    angles = torch.tensor(np.random.default_rng(m).uniform(0, 2 * np.pi, size=(1500, m)))
    torus = torch.cat([angles.cos(), angles.sin(), torch.zeros(1500, 2)], dim=1)
    assert abs(solved("intrinsic_dimension")(torus) - m) < 5 * m / math.sqrt(1500)


@pytest.mark.parametrize(("l1", "l2"), [(0.7, 0.4), (0.7, 0.0), (0.0, 0.4), (0.0, 0.0)])
def test_the_penalty_charges_each_entry_of_a_matrix_and_pulls_it_toward_zero(l1, l2):
    model = small_network()
    matrices = [model[0].weight, model[3].weight]
    entries, penalty = torch.cat([w.flatten() for w in matrices]).tolist(), solved("weight_penalty")(model, l1, l2)
    np.testing.assert_allclose(penalty.item(), math.fsum(l1 * abs(w) + l2 * w * w / 2 for w in entries), rtol=1e-12)
    penalty.backward()
    pull = [g for matrix in matrices for g in matrix.grad.flatten().tolist()]
    np.testing.assert_allclose(pull, [math.copysign(l1, w) + l2 * w for w in entries], atol=1e-12)
    assert all(p.grad is None or not p.grad.any() for p in model.parameters() if p.ndim == 1)


@pytest.mark.parametrize(("p", "n", "k"), [(0.1, 400, 300), (0.5, 300, 500), (0.8, 400, 300)])
def test_dropout_keeps_the_mean_and_drops_each_value_on_its_own(p, n, k):
    z = normal(1, n, k).requires_grad_()
    dropped = solved("dropout")(z, p, True, seeded(0))
    (gradient,) = torch.autograd.grad(dropped.sum(), z)
    ratio = (dropped / z).detach()
    np.testing.assert_allclose(ratio, torch.where(ratio > 0, 1 / (1 - p), 0), atol=1e-12)
    np.testing.assert_allclose(gradient, ratio, atol=1e-12)
    zero = (ratio == 0).double()
    assert abs(zero.mean() - p) < 5 * math.sqrt(p * (1 - p) / (n * k))
    for dim, size in ((0, n), (1, k)):  # the spread of means of independent values, to a fifth
        assert abs(zero.mean(dim).std() / math.sqrt(p * (1 - p) / size) - 1) < 0.2


def test_dropout_changes_nothing_out_of_use_and_takes_its_randomness_from_the_generator():
    z, state, used = torch.ones(30, 20), torch.get_rng_state(), seeded(1)
    for p, training in ((0.4, False), (0.0, True), (0.0, False)):
        assert torch.equal(solved("dropout")(z, p, training, seeded(0)), z)
    one, two, again = (solved("dropout")(z, 0.5, True, generator) for generator in (used, used, seeded(1)))
    assert torch.equal(one, again)
    assert not torch.equal(one, two)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(("n", "num_folds"), [(10, 4), (9, 6), (23, 7), (5, 5), (9, 2), (2, 2)])
def test_folds_have_the_sizes_of_scikit_learn_and_hold_out_each_example_once(n, num_folds):
    pairs = solved("folds")(n, num_folds, seeded(n))
    sizes = sorted(len(held_out) for _, held_out in KFold(num_folds).split(np.zeros(n)))
    assert sorted(len(held_out) for _, held_out in pairs) == sizes
    assert sorted(torch.cat([held_out for _, held_out in pairs]).tolist()) == list(range(n))
    assert all(sorted(train.tolist() + held_out.tolist()) == list(range(n)) for train, held_out in pairs)


def test_any_two_examples_are_equally_often_in_the_same_fold():
    together, generator = np.zeros((6, 6)), seeded(0)
    for _, held_out in (pair for _ in range(1500) for pair in solved("folds")(6, 3, generator)):
        together[np.ix_(held_out, held_out)] += 1 / 1500
    assert abs(together[~np.eye(6, dtype=bool)] - 1 / 5).max() < 5 * math.sqrt(0.2 * 0.8 / 1500)  # five standard errors


@pytest.mark.parametrize("patience", [1, 2, 4, 20])
@pytest.mark.parametrize("seed", range(6))
def test_early_stopping_ends_after_epochs_without_a_new_lowest_loss_and_restores_the_best(seed, patience):
    losses = np.random.default_rng(seed).integers(0, 9, size=15)
    ends = (t for t in range(patience + 1, 16) if losses[t - patience : t].min() >= losses[: t - patience].min())
    epochs = next(ends, 15)
    model, states = filled(nn.Linear(2, 3), nn.BatchNorm1d(3)), []

    def train_epoch(model):
        model(normal(len(states), 5, 2))  # moves the running means
        model[0].weight.data += normal(len(states) + 50, 3, 2)
        states.append(copy.deepcopy(model.state_dict()))

    best = solved("early_stopping")(model, train_epoch, lambda _: losses[len(states) - 1], patience, 15)
    assert len(states) == epochs
    assert best == np.argmin(losses[:epochs])
    assert all(torch.equal(tensor, states[best][name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(("n", "mu"), [(7, 0.3), (1, 0.1), (12, 0.0)])
def test_training_takes_the_steps_of_adam_in_training_mode_with_decay_on_the_matrices_alone(n, mu):
    x, model = normal(n, n, 4), small_network().eval()
    other, losses, modes = copy.deepcopy(model), [], []
    model.register_forward_hook(lambda *_: modes.extend(module.training for module in model.modules()))
    found = solved("train")(model, x, mu, 0.02, 25)
    assert all(modes)
    assert not any(module.training for module in model.modules())
    matrices, others = [other[0].weight, other[3].weight], [other[0].bias, *other[1].parameters(), other[3].bias]
    optimizer = torch.optim.Adam([{"params": matrices, "weight_decay": mu}, {"params": others}], lr=0.02)
    for _ in range(25):
        optimizer.zero_grad()
        error = nn.functional.mse_loss(other(x), x) * 4 / 2
        error.backward()
        losses.append(error.item() + mu / 2 * sum(np.linalg.norm(w.detach()) ** 2 for w in matrices))
        optimizer.step()
    np.testing.assert_allclose(found, losses, rtol=1e-8)
    for parameter, expected in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(parameter.detach(), expected.detach(), rtol=1e-6, atol=1e-9)


def test_training_one_layer_ends_at_ridge_regression():
    x, layer = normal(3, 20, 3) + 2, filled(nn.Linear(3, 3))
    solved("train")(layer, x, 0.5, 0.05, 1500)
    np.testing.assert_allclose(layer(x).detach(), Ridge(alpha=20 * 0.5).fit(x, x).predict(x), atol=1e-3)


@pytest.mark.parametrize("code", [3, 6])
def test_training_two_layers_shrinks_principal_directions_as_theory_says(code):
    x = normal(code, 40, 3) * torch.tensor([3.0, 2.2, 0.5]) + 2
    model = filled(nn.Linear(3, code), nn.Linear(code, 3))
    solved("train")(model, x, 1.5, 0.05, 400)
    variances, directions = np.linalg.eigh(np.cov(x.T, bias=True))
    expected = directions * np.maximum(1 - 1.5 / variances, 0) @ directions.T
    np.testing.assert_allclose((model[1].weight @ model[0].weight).detach(), expected, atol=0.01)
