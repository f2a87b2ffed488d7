"""Angles between subspaces against scipy."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from aelib.metrics import principal_angles


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


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
