"""Metrics against scipy, scikit-learn and arithmetic."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import explained_variance_score

from aelib.metrics import explained_variance, principal_angles, reconstruction_error


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_worked_example_2():
    """W2: each row's mean squared error is 0.0175 (E6: none is 0.13), and so is that of the batch."""
    x = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0]])
    x_hat = torch.tensor([[0.9, 0.1, 0.8, 0.1], [0.1, 0.9, 0.1, 0.8], [0.8, 0.9, 0.1, 0.1]])
    for row, row_hat in zip(x, x_hat):
        assert reconstruction_error(row[None], row_hat[None]) / 4 == pytest.approx(0.0175, rel=1e-6)
    assert reconstruction_error(x, x_hat) / 4 == pytest.approx(0.0175, rel=1e-6)


def test_reconstruction_error_sums_the_event_and_averages_the_batch():
    x, x_hat = normal(5, 2, 3), normal(5, 2, 3, seed=1)
    total = sum(((x[i] - x_hat[i]) ** 2).sum().item() for i in range(5))
    assert reconstruction_error(x, x_hat) == pytest.approx(total / 5)


def test_explained_variance_is_scikit_learns_for_centered_errors():
    x, noise = normal(200, 4), normal(200, 4, seed=1)
    x_hat = x + 0.3 * (noise - noise.mean(0))
    expected = explained_variance_score(x.numpy(), x_hat.numpy(), multioutput="variance_weighted")
    assert explained_variance(x, x_hat) == pytest.approx(expected)


def test_explained_variance_of_the_mean_is_zero_and_of_a_copy_one():
    x = normal(20, 3)
    assert explained_variance(x, x) == 1
    assert explained_variance(x, x.mean(0).expand(20, 3)) == pytest.approx(0)


@given(d=st.integers(2, 6), k=st.integers(1, 4), m=st.integers(1, 4), seed=st.integers(0, 10_000))
def test_principal_angles_are_scipys(d, k, m, seed):
    a, b = normal(d, min(k, d), seed=seed), normal(d, min(m, d), seed=seed + 1)
    expected = np.rad2deg(scipy.linalg.subspace_angles(a.numpy(), b.numpy()))
    np.testing.assert_allclose(principal_angles(a, b).numpy(), expected, rtol=1e-6, atol=1e-5)


def test_principal_angles_know_spans_and_not_bases():
    a, t = normal(6, 3), normal(3, 3, seed=1)
    assert principal_angles(a, a @ t).max() < 1e-10


def test_a_tiny_angle_is_not_rounded_away():
    angle = 1e-9
    a, b = torch.tensor([[1.0], [0.0]]).double(), torch.tensor([[np.cos(angle)], [np.sin(angle)]])
    assert principal_angles(a, b).item() == pytest.approx(np.rad2deg(angle), rel=1e-6)


@pytest.mark.usefixtures("as_a_user")
def test_dependent_columns_are_refused():
    a = normal(4, 1)
    with pytest.raises(ValueError, match="b: its 2 columns span 1 dimensions"):
        principal_angles(a, torch.cat([a, 2 * a], dim=1))
    with pytest.raises(ValueError, match="b: got columns of 3 values; expected 4, as in a"):
        principal_angles(a, normal(3, 1))


def test_constant_data_have_no_variance_to_explain():
    x = torch.ones(3, 2)
    with pytest.raises(ValueError, match="all examples are the same"):
        explained_variance(x, x)


@pytest.mark.usefixtures("as_a_user")
def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"x_hat: got shape \(2, 3\); expected a batch of shape \(B, 2\)"):
        reconstruction_error(torch.zeros(2, 2), torch.zeros(2, 3))
