"""Top-k and batch-top-k against brute force in numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aelib.activations import BatchTopK, TopK


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def largest(values, n):
    """``values`` with all but the ``n`` largest set to zero, and negative ones too, by sorting."""
    order = np.argsort(-values, kind="stable")
    kept = np.zeros_like(values)
    kept[order[:n]] = values[order[:n]]
    return kept.clip(0)


@given(b=st.integers(0, 6), width=st.integers(1, 9), k=st.integers(1, 9), seed=st.integers(0, 10_000))
def test_top_k_is_brute_force(b, width, k, seed):
    a, k = normal(b, width, seed=seed), min(k, width)
    expected = np.array([largest(row, k) for row in a.numpy()]).reshape(b, width)
    np.testing.assert_array_equal(TopK(k)(a), expected)


@given(b=st.integers(0, 6), width=st.integers(1, 9), k=st.integers(1, 9), seed=st.integers(0, 10_000))
def test_batch_top_k_is_brute_force(b, width, k, seed):
    a, k = normal(b, width, seed=seed), min(k, width)
    np.testing.assert_array_equal(BatchTopK(k)(a), largest(a.numpy().ravel(), b * k).reshape(b, width))


@pytest.mark.parametrize("select", [TopK(2), BatchTopK(2)])
def test_gradients_reach_the_kept_units_alone(select):
    a = (normal(5, 6) + 1).requires_grad_()
    z = select(a)
    weights = normal(5, 6, seed=1)
    (z * weights).sum().backward()
    torch.testing.assert_close(a.grad, torch.where(z > 0, weights, 0.0), rtol=0, atol=0)
    assert torch.autograd.gradcheck(select, a.detach().requires_grad_())


def test_batch_top_k_shares_its_units_out():
    """Examples that need more units get more; k is what they use on average."""
    a = normal(100, 20).abs() * torch.linspace(0.1, 3, 100).double()[:, None]
    active = (BatchTopK(5)(a) > 0).sum(1)
    assert active.sum() == 500
    assert active.min() == 0
    assert active.max() > 10


def test_the_threshold_is_the_mean_of_the_smallest_kept_values():
    select = BatchTopK(2, momentum=0.9)
    smallest = []
    for seed in range(8):
        z = select(normal(4, 6, seed=seed))
        smallest.append(z[z > 0].min().item())
    # Up to 1 / (1 - momentum) = 10 steps it is the plain mean; afterwards each step counts a tenth.
    assert select.threshold.item() == pytest.approx(np.mean(smallest), rel=1e-5)
    expected = np.mean(smallest)
    for seed in range(8, 40):
        z = select(normal(4, 6, seed=seed))
        share = max(1 / (seed + 1), 0.1)
        expected = (1 - share) * expected + share * z[z > 0].min().item()
    assert select.threshold.item() == pytest.approx(expected, rel=1e-5)


def test_in_evaluation_an_example_does_not_depend_on_its_batch():
    select = BatchTopK(3)
    for seed in range(200):
        select(normal(50, 12, seed=seed))
    select.eval()
    a = normal(2000, 12, seed=1000)
    z, before = select(a), select.threshold.clone()
    torch.testing.assert_close(torch.cat([select(row[None]) for row in a[:20]]), z[:20], rtol=0, atol=0)
    assert select.threshold == before
    np.testing.assert_array_equal(z, np.where(a > before.item(), a, 0))
    assert (z > 0).sum(1).double().mean().item() == pytest.approx(3, abs=0.15)


def test_before_training_batch_top_k_is_a_relu():
    a = normal(4, 6)
    torch.testing.assert_close(BatchTopK(2).eval()(a), a.relu(), rtol=0, atol=0)


def test_batches_without_a_positive_value_leave_the_threshold():
    select = BatchTopK(2)
    select(normal(4, 6))
    before = select.threshold.clone()
    for batch in (-normal(4, 6).abs(), torch.zeros(3, 6), torch.zeros(0, 6)):
        assert not select(batch).any()
        assert select.threshold == before
    assert select.steps == 1


def test_the_threshold_is_saved():
    select, other = BatchTopK(2), BatchTopK(2)
    select(normal(4, 6))
    other.load_state_dict(select.state_dict())
    a = normal(4, 6, seed=1)
    torch.testing.assert_close(other.eval()(a), select.eval()(a), rtol=0, atol=0)


@pytest.mark.parametrize("select", [TopK, BatchTopK])
def test_bad_k(select):
    with pytest.raises(ValueError, match="k: got 0; expected a number of at least 1"):
        select(0)
    with pytest.raises(ValueError, match="k: got 5 for codes of 4 values; expected at most 4"):
        select(5)(torch.zeros(2, 4))


def test_bad_momentum():
    with pytest.raises(ValueError, match=r"momentum: got 1.0; expected a number in \[0, 1\)"):
        BatchTopK(1, momentum=1.0)
