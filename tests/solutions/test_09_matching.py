"""The solution of the assignment on matching codes against numpy, scipy, scikit-learn, finite differences and closed forms."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import special, stats
from sklearn.gaussian_process.kernels import RBF, RationalQuadratic
from solved_functions import functions

TOKENS = [(9, 4, 3), (1, 1, 1), (20, 7, 1), (1, 5, 4), (6, 1, 2)]
PAIRS = [(5, 3), (1, 1), (1, 4), (7, 1)]


@pytest.fixture(autouse=True)
def doubles():
    """As the set-up cell of the notebook has it; tests/conftest.py sets it back."""
    torch.set_default_dtype(torch.float64)


def solution():
    return functions("09_matching")


def normal(seed, *shapes):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) for shape in shapes]


def leaf(array):
    return torch.tensor(array, requires_grad=True)


def slopes(function, at, *fixed):
    """The gradient of a function by its first argument, by central differences."""
    steps = 1e-5 * np.eye(at.size).reshape(-1, *at.shape)
    rises = [function(at + step, *fixed) - function(at - step, *fixed) for step in steps]
    return np.reshape(rises, at.shape) / 2e-5


def mean_squared_distance(a, b):
    return np.mean([math.dist(*rows) ** 2 for rows in zip(a, b, strict=True)])


def gradients(value, *inputs):
    return [one.numpy() for one in torch.autograd.grad(value, inputs, materialize_grads=True)]


@pytest.mark.parametrize("decimals", [0, 9])  # rounded to integers there are many ties
@pytest.mark.parametrize(("seed", "sizes"), list(enumerate(TOKENS)))
def test_no_entry_is_nearer_and_none_before_it_is_as_near(seed, sizes, decimals):
    n, c, d = sizes
    tokens, codebook = (one.round(decimals) for one in normal(seed, (n, d), (c, d)))
    found = solution().nearest(torch.tensor(tokens), torch.tensor(codebook)).tolist()
    distances = [[math.dist(token, entry) for entry in codebook] for token in tokens]
    assert found == [row.index(min(row)) for row in distances]


@pytest.mark.parametrize(("seed", "sizes"), list(enumerate(PAIRS)))
def test_an_encoder_gets_the_slope_at_the_entries_and_the_entries_get_none(seed, sizes):
    b, k = sizes
    x, w, z_q, target = normal(seed, (b, 3), (k, 3), (b, k), (b, k))
    weights, entries = leaf(w), leaf(z_q)
    z = solution().straight_through(torch.tensor(x) @ weights.T, entries)
    np.testing.assert_allclose(z.detach().numpy(), z_q, atol=1e-12)
    by_w, by_entries = gradients((z - torch.tensor(target)).pow(4).sum(), weights, entries)
    np.testing.assert_allclose(by_w, (4 * (z_q - target) ** 3).T @ x, atol=1e-9)
    np.testing.assert_array_equal(by_entries, 0)


@pytest.mark.parametrize(("seed", "sizes"), list(enumerate(PAIRS)))
def test_each_vq_term_is_the_mean_squared_distance_and_moves_one_side_alone(seed, sizes):
    z_e, z_q = normal(seed, sizes, sizes)
    both = leaf(z_e), leaf(z_q)
    commitment, codebook = solution().vq_terms(*both)
    np.testing.assert_allclose([commitment.item(), codebook.item()], mean_squared_distance(z_e, z_q))
    by_e, by_q = slopes(mean_squared_distance, z_e, z_q), slopes(mean_squared_distance, z_q, z_e)
    np.testing.assert_allclose(gradients(commitment, *both), [by_e, 0 * by_q], atol=1e-8)
    np.testing.assert_allclose(gradients(codebook, *both), [0 * by_e, by_q], atol=1e-8)


@pytest.mark.parametrize(("shape", "num_codes"), [((40,), 5), ((7, 3), 64), ((1,), 1), ((1, 1, 1), 3), ((50, 4), 8)])
def test_usage_is_the_exponential_of_the_entropy_and_the_number_of_absent_codes(shape, num_codes):
    indices = np.random.default_rng(num_codes).integers((num_codes + 1) // 2, size=shape)
    perplexity, dead = solution().usage(torch.tensor(indices), num_codes)
    counts = [list(indices.flat).count(code) for code in range(num_codes)]
    np.testing.assert_allclose(perplexity, np.exp(stats.entropy(counts)))
    assert dead == counts.count(0)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize(("seed", "sizes"), list(enumerate(TOKENS)))
def test_entries_are_means_of_all_their_tokens_weighted_by_age(seed, sizes, decay):
    n, c, d = sizes
    random = np.random.default_rng(seed)
    place = random.normal(size=(c, d))
    state = torch.tensor(place), torch.ones(c), torch.tensor(place)
    seen = [[(1.0, entry)] for entry in place]  # of each entry: the weight of each token, and the token
    for _ in range(3):
        tokens, indices = random.normal(size=(n, d)), random.integers(c, size=n)
        given, kept = state, [one.clone() for one in state]
        state = solution().ema_step(*given, torch.tensor(tokens), torch.tensor(indices), decay)
        assert all(map(torch.equal, given, kept))
        seen = [[(decay * weight, token) for weight, token in one] for one in seen]
        for token, j in zip(tokens, indices, strict=True):
            seen[j].append((1 - decay, token))
        counts = [sum(weight for weight, _ in one) for one in seen]
        sums = [sum(weight * token for weight, token in one) for one in seen]
        place = [sums[j] / counts[j] if counts[j] else place[j] for j in range(c)]
        for found, expected in zip(state, (place, counts, sums), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(("seed", "shape"), [(0, (6, 2)), (1, (1, 1)), (2, (4, 5))])
@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
def test_kernels_are_those_of_scikit_learn(seed, shape, scale):
    """The inverse multiquadric of scale s is the rational quadratic kernel with alpha = 1 and the length s / sqrt(2)."""
    a, b = normal(seed, shape, shape)
    squared = [[math.dist(u, v) ** 2 for v in b] for u in a]
    rbf, imq = solution().kernels(torch.tensor(squared), scale)
    np.testing.assert_allclose(rbf, RBF(scale)(a, b), rtol=1e-10)
    np.testing.assert_allclose(imq, RationalQuadratic(scale / math.sqrt(2), 1.0)(a, b), rtol=1e-10)


def discrepancy(a, b, kernel):
    """By counting pairs, in numpy."""
    within = [np.mean([kernel(((u - v) ** 2).sum()) for u, v in itertools.permutations(rows, 2)]) for rows in (a, b)]
    return sum(within) - 2 * np.mean([kernel(((u - v) ** 2).sum()) for u in a for v in b])


@pytest.mark.parametrize("kernel", [lambda r2: 3 / (3 + r2), lambda r2: 5 * 2.0 ** (-r2)])
@pytest.mark.parametrize(("seed", "n", "m", "k"), [(0, 4, 6, 2), (1, 2, 2, 1), (2, 5, 3, 3)])
def test_mmd_and_its_slopes_are_those_of_counted_pairs_also_where_rows_coincide(seed, n, m, k, kernel):
    a, b = normal(seed, (n, k), (m, k))
    a[1], b[0] = a[0], a[0]
    both = leaf(a), leaf(b)
    value = solution().mmd(*both, kernel)
    np.testing.assert_allclose(value.item(), discrepancy(a, b, kernel), atol=1e-12)
    by_a, by_b = gradients(value, *both)
    np.testing.assert_allclose(by_a, slopes(discrepancy, a, b, kernel), atol=1e-7)
    np.testing.assert_allclose(by_b, slopes(discrepancy, b, a, kernel), atol=1e-7)


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_the_mean_of_many_estimates_is_the_discrepancy_of_two_gaussians(shift):
    """With z of variance v in each of k values, E exp(-|z|^2 / 2) = (1 + v)^(-k/2) exp(-|mean|^2 / (2 (1 + v)))."""
    samples = torch.randn(2000, 7, 2, generator=torch.Generator().manual_seed(0))
    found = [float(solution().mmd(one[:3], one[3:] + shift, lambda r2: torch.exp(-r2 / 2))) for one in samples]
    expected = 2 / 3 - 2 / 3 * math.exp(-2 * shift**2 / 6)
    assert abs(np.mean(found) - expected) < 4 * stats.sem(found)


@pytest.mark.parametrize(("seed", "n", "m", "size"), [(0, 5, 3, 2), (1, 1, 1, 1), (2, 4, 9, 50), (3, 2, 1, 1000)])
def test_losses_of_the_players_and_their_pull(seed, n, m, size):
    prior, codes = (size * one for one in normal(seed, (n, 1), (m, 1)))
    logits = leaf(prior), leaf(codes)
    loss = solution().disc_loss(*logits)
    np.testing.assert_allclose(loss.item(), -special.log_expit(prior).mean() - special.log_expit(-codes).mean())
    by_prior, by_codes = gradients(loss, *logits)
    np.testing.assert_allclose(by_prior, -special.expit(-prior) / n, atol=1e-12)
    np.testing.assert_allclose(by_codes, special.expit(codes) / m, atol=1e-12)
    for sign, saturating in ((1, ()), (1, (False,)), (-1, (True,))):
        loss = solution().encoder_loss(logits[1], *saturating)
        np.testing.assert_allclose(loss.item(), -sign * special.log_expit(sign * codes).mean())
        np.testing.assert_allclose(gradients(loss, logits[1])[0], -special.expit(-sign * codes) / m, atol=1e-12)


def layer(theta, rows, outputs):
    """Rows through an affine layer, whose weight and bias come first in theta; and the rest of theta."""
    end = outputs * rows.shape[1]
    return rows @ theta[:end].reshape(outputs, -1).T + theta[end : end + outputs], theta[end + outputs :]


def logits_of(critic, z):
    hidden, rest = layer(critic, z, 16)
    return layer(rest, np.tanh(hidden), 1)[0]


def loss_of_critic(critic, theta, x, z_prior):
    z, _ = layer(theta, x, z_prior.shape[1])
    return np.logaddexp(0, -logits_of(critic, z_prior)).mean() + np.logaddexp(0, logits_of(critic, z)).mean()


def recon_and_adv(theta, critic, x, z_prior):
    z, rest = layer(theta, x, z_prior.shape[1])
    recon = mean_squared_distance(x, layer(rest, z, x.shape[1])[0])
    return np.array([recon, np.logaddexp(0, -logits_of(critic, z)).mean()])


@pytest.mark.parametrize("held", [slice(2, 3), slice(3)], ids=["critic", "everything"])
@pytest.mark.parametrize(("seed", "b", "d", "k", "weight"), [(0, 6, 4, 2, 2.0), (1, 1, 3, 1, 0.5), (2, 5, 1, 2, 0.0)])
def test_a_round_is_two_steps_against_slopes_by_finite_differences(seed, b, d, k, weight, held):
    """Also if gradients are left over, and if the critic's optimizer would move all that its loss reaches."""
    models = solution().networks(seed, d, k)
    for parameter in solution().parameters_of(*models):
        parameter.grad = 7 + 0 * parameter.detach()
    ae = torch.optim.SGD(solution().parameters_of(*models[:2]), lr=0.05)
    disc = torch.optim.SGD(solution().parameters_of(*models[held]), lr=0.3)
    theta, critic = (solution().weights_of(*some).numpy() for some in (models[:2], models[2:]))
    for batch in zip(*normal(seed, (2, b, d), (2, b, k)), strict=True):
        found = solution().adversarial_step(*models, ae, disc, *map(torch.tensor, batch), weight)
        loss_before = loss_of_critic(critic, theta, *batch)
        critic = critic - 0.3 * slopes(loss_of_critic, critic, theta, *batch)
        np.testing.assert_allclose(found, [loss_before, *recon_and_adv(theta, critic, *batch)], rtol=1e-6)
        theta = theta - 0.05 * slopes(lambda *given: recon_and_adv(*given) @ [1, weight], theta, critic, *batch)
        np.testing.assert_allclose(solution().weights_of(*models[:2]), theta, atol=1e-7)
        np.testing.assert_allclose(solution().weights_of(models[2]), critic, atol=1e-7)
