"""The Fréchet distance against closed forms, scipy's matrix root, and the transport that it measures."""

import numpy as np
import pytest
import scipy.linalg
import torch

from aelib.metrics import frechet_distance, gaussian_frechet


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(d, seed):
    root = normal(d, d, seed=seed)
    return root @ root.T / d


def test_in_one_dimension_it_is_the_distance_of_means_and_deviations():
    """(m_a - m_b)^2 + (s_a - s_b)^2."""
    one = torch.ones(1, 1)
    assert gaussian_frechet(torch.tensor([1.0]), 4 * one, torch.tensor([-2.0]), 9 * one) == pytest.approx(9 + 1)


def test_for_diagonal_covariances_it_is_the_sum_over_the_axes():
    a, b = torch.tensor([0.5, 2.0, 3.0]), torch.tensor([1.5, 0.1, 0.0])
    mean_a, mean_b = normal(3), normal(3, seed=1)
    expected = ((mean_a - mean_b) ** 2).sum().item() + ((a - b) ** 2).sum().item()
    assert gaussian_frechet(mean_a, torch.diag(a**2), mean_b, torch.diag(b**2)) == pytest.approx(expected, rel=1e-6)


def test_it_is_the_formula_with_scipys_root():
    mean_a, mean_b, cov_a, cov_b = normal(5), normal(5, seed=1), covariance(5, 2), covariance(5, 3)
    root = scipy.linalg.sqrtm((cov_a @ cov_b).numpy()).real
    expected = ((mean_a - mean_b) ** 2).sum() + np.trace((cov_a + cov_b).numpy() - 2 * root)
    assert gaussian_frechet(mean_a, cov_a, mean_b, cov_b) == pytest.approx(expected.item())


def test_it_is_the_cost_of_the_best_map_between_the_gaussians():
    """T = S_a^(-1/2) (S_a^(1/2) S_b S_a^(1/2))^(1/2) S_a^(-1/2) takes one to the other, at the cost tr(S_a + S_b - 2 T S_a)."""
    cov_a, cov_b = covariance(4, 4).numpy(), covariance(4, 5).numpy()
    root = scipy.linalg.sqrtm(cov_a).real
    inverse = np.linalg.inv(root)
    transport = inverse @ scipy.linalg.sqrtm(root @ cov_b @ root).real @ inverse
    np.testing.assert_allclose(transport @ cov_a @ transport.T, cov_b)
    cost = np.trace(cov_a + cov_b - 2 * transport @ cov_a)
    zero = torch.zeros(4).double()
    assert gaussian_frechet(zero, torch.tensor(cov_a), zero, torch.tensor(cov_b)) == pytest.approx(cost)


def test_it_is_zero_for_equal_gaussians_symmetric_and_blind_to_rotations():
    mean_a, mean_b, cov_a, cov_b = normal(4), normal(4, seed=1), covariance(4, 2), covariance(4, 3)
    assert gaussian_frechet(mean_a, cov_a, mean_a, cov_a) == pytest.approx(0, abs=1e-10)
    distance = gaussian_frechet(mean_a, cov_a, mean_b, cov_b)
    assert gaussian_frechet(mean_b, cov_b, mean_a, cov_a) == pytest.approx(distance)
    q = torch.linalg.qr(normal(4, 4, seed=7)).Q
    assert gaussian_frechet(q @ mean_a, q @ cov_a @ q.T, q @ mean_b, q @ cov_b @ q.T) == pytest.approx(distance)


def test_singular_covariances_have_a_distance():
    """Two points apart, and a line against a plane."""
    zero, one = torch.zeros(2), torch.ones(2)
    assert gaussian_frechet(zero, torch.zeros(2, 2), one, torch.zeros(2, 2)) == pytest.approx(2)
    line = torch.diag(torch.tensor([1.0, 0.0]))
    assert gaussian_frechet(zero, line, zero, torch.eye(2)) == pytest.approx(1)


def test_the_distance_of_two_sets_is_that_of_their_moments():
    x, y = normal(300, 1, 2, 3), 1.5 * normal(200, 1, 2, 3, seed=1) + 0.3

    def features(batch):
        assert len(batch) <= 64
        return batch.flatten(1)[:, :4] ** 2

    moments = []
    for examples in (x, y):
        rows = examples.flatten(1).numpy()[:, :4] ** 2
        moments += [torch.tensor(rows.mean(0)), torch.tensor(np.cov(rows, rowvar=False))]
    expected = gaussian_frechet(*moments)
    assert frechet_distance(features, x, y, batch_size=64) == pytest.approx(expected)


def test_one_feature_is_enough():
    x, y = normal(50, 1), normal(60, 1, seed=1) + 2
    expected = (x.mean() - y.mean()) ** 2 + (x.std() - y.std()) ** 2
    assert frechet_distance(lambda batch: batch, x, y) == pytest.approx(expected.item())


def test_few_examples_make_it_too_large():
    """Two samples of one distribution: the distance falls with their size, and is not 0."""
    sizes = [40, 400, 4000]
    distances = [frechet_distance(lambda x: x, normal(n, 10), normal(n, 10, seed=1)) for n in sizes]
    assert distances[0] > 5 * distances[1] > 25 * distances[2] > 0


@pytest.mark.usefixtures("as_a_user")
def test_bad_input_is_named():
    x = normal(5, 3)
    with pytest.raises(ValueError, match="number of examples in y: got 1"):
        frechet_distance(lambda batch: batch, x, x[:1])
    with pytest.raises(ValueError, match=r"features\(x\): got shape \(5, 3, 1\)"):
        frechet_distance(lambda batch: batch.unsqueeze(2), x, x)
    with pytest.raises(ValueError, match=r"features\(x\): 15 of 15 values are NaN"):
        frechet_distance(lambda batch: batch * torch.nan, x, x)
    with pytest.raises(ValueError, match="cov_b: its smallest eigenvalue is -1"):
        gaussian_frechet(x[0], torch.eye(3), x[0], -torch.eye(3))
