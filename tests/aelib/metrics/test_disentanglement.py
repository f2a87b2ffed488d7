"""MIG and DCI on codes whose scores are known, and by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from aelib.metrics import completeness_score, dci, discretize, disentanglement_score, mig, mutual_information


def factors(n=600, seed=0):
    generator = torch.Generator().manual_seed(seed)
    classes = torch.randint(4, (n,), generator=generator)
    return {"shape": classes, "size": torch.rand(n, generator=generator), "angle": torch.rand(n, generator=generator)}


def aligned(known):
    """Each factor in a unit of its own, bent and scaled; and one unit of noise."""
    noise = torch.rand(len(known["size"]), generator=torch.Generator().manual_seed(9))
    return torch.stack([5.0 * known["shape"] - 3, known["size"] ** 3, -100 * known["angle"], noise], 1)


def rotated(known):
    """Each unit a mixture of all factors."""
    units = torch.stack([known["shape"] / 3, known["size"], known["angle"]], 1)
    return (
        (units - units.mean(0)) / units.std(0) @ torch.linalg.qr(torch.tensor([[1.0, 1, 1], [1, -1, 0], [1, 1, -2]])).Q
    )


def random(known):
    return torch.randn(len(known["size"]), 3, generator=torch.Generator().manual_seed(5))


def test_mig_by_hand():
    """Two fair bits v and w; unit 1 is v and unit 2 is the product v w."""
    v, w = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    z = torch.stack([v, v * w], 1).float()
    # v w is 1 with probability 1/4. Given v = 0 it is 0; given v = 1 it is a fair bit: I = H(1/4) - 1/2 log 2.
    h_quarter = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    shared = h_quarter - 0.5 * math.log(2)
    # For v: log 2 against `shared`. For w: unit 1 knows nothing, unit 2 `shared`, by symmetry.
    gap_v, gap_w = (math.log(2) - shared) / math.log(2), shared / math.log(2)
    assert mig(z, {"v": v}) == pytest.approx(gap_v)
    assert mig(z, {"w": w}) == pytest.approx(gap_w)
    assert mig(z, {"v": v, "w": w}) == pytest.approx((gap_v + gap_w) / 2) == pytest.approx(0.5)


def test_mig_of_aligned_rotated_and_random_codes():
    known = factors(4000)
    high, middle, low = (mig(make(known), known) for make in (aligned, rotated, random))
    assert high > 0.95
    assert middle < 0.4
    assert abs(low) < 0.02


def test_mig_falls_when_a_unit_is_there_twice():
    known = factors()
    z = aligned(known)
    assert mig(torch.cat([z, z], 1), known) == pytest.approx(0)


def test_mig_sees_order_and_not_distance():
    known = factors()
    z = aligned(known)
    assert mig(torch.exp(z / 100) + z, known) == pytest.approx(mig(z, known))


def test_dci_of_aligned_rotated_and_random_codes():
    known = factors()
    high, middle, low = (dci(make(known), known) for make in (aligned, rotated, random))
    assert min(high.disentanglement, high.completeness, *high.informativeness.values()) > 0.95
    assert max(middle.disentanglement, middle.completeness) < 0.6
    assert middle.informativeness["size"] > 0.6
    assert max(low.disentanglement, low.completeness) < 0.05
    assert low.informativeness["shape"] == pytest.approx(0.25, abs=0.1)
    assert low.informativeness["size"] < 0.1


def test_dci_says_the_same_again_for_the_same_seed():
    known = factors(100)
    z = rotated(known)
    assert dci(z, known, seed=3) == dci(z, known, seed=3)
    assert dci(z, known, seed=3) != dci(z, known, seed=4)


def test_scores_of_an_importance_matrix_by_hand():
    """Three units for two factors: one for the first, one for both alike, one for none."""
    importance = torch.tensor([[2.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    # Unit 1 has score 1 and weight 2/4, unit 2 has score 0 and weight 2/4.
    assert disentanglement_score(importance) == pytest.approx(0.5)
    # Factor 1: shares 2/3, 1/3, so H = log 3 - 2/3 log 2, to the base 3. Factor 2: one unit only, score 1.
    first = 1 - (math.log(3) - 2 / 3 * math.log(2)) / math.log(3)
    assert completeness_score(importance) == pytest.approx((first + 1) / 2)
    assert disentanglement_score(torch.eye(3)) == completeness_score(torch.eye(3)) == 1
    assert disentanglement_score(torch.ones(3, 2)) == pytest.approx(0, abs=1e-12)
    assert completeness_score(torch.ones(3, 2)) == pytest.approx(0, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=30))
def test_mutual_information_is_scikit_learns(pairs):
    a, b = torch.tensor(pairs).T
    information, entropy = mutual_information(a, b)
    assert information == pytest.approx(mutual_info_score(a.numpy(), b.numpy()), abs=1e-12)
    assert entropy == pytest.approx(mutual_info_score(b.numpy(), b.numpy()), abs=1e-12)


def test_the_bias_of_mutual_information_is_the_one_stated():
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randint(10, (2, 2000), generator=generator) for _ in range(50)]
    mean = np.mean([mutual_information(a, b)[0] for a, b in draws])
    assert mean == pytest.approx(9 * 9 / 4000, rel=0.1)


def test_bins_have_equal_counts():
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    assert torch.bincount(discretize(values, 8)).tolist() == [125] * 8
    assert torch.equal(discretize(values, 8), discretize(values.exp(), 8))


def test_few_values_and_integers_are_their_own_bins():
    assert discretize(torch.tensor([0.5, -1.0, 0.5, 9.0]), 3).tolist() == [1, 0, 1, 2]
    assert discretize(torch.arange(50) * 2, 3).tolist() == list(range(50))


def test_a_frequent_value_keeps_a_bin():
    """Half of the values are 0, as behind a ReLU: they stay together, apart from all others."""
    values = torch.cat([torch.zeros(50), 1 + torch.arange(50.0)])
    bins = discretize(values, 5)
    assert bins[:50].unique().numel() == 1
    assert bins[0] not in bins[50:]


@pytest.mark.usefixtures("as_a_user")
def test_bad_input_is_named():
    known = factors(20)
    z = aligned(known)
    with pytest.raises(ValueError, match="number of units in z: got 1"):
        mig(z[:, :1], known)
    with pytest.raises(
        ValueError, match=r"factors\['size'\]: got shape \(19,\); expected one value for each code, \(20,\)"
    ):
        mig(z, {"size": known["size"][1:]})
    with pytest.raises(ValueError, match=r"factors\['still'\]: all values are the same"):
        dci(z, {**known, "still": torch.zeros(20)})
    with pytest.raises(ValueError, match="number of factors: got 1"):
        dci(z, {"size": known["size"]})
    with pytest.raises(ValueError, match=r"test_share: got 0.0, 0 of the 20 examples; expected to hold out 2 to 19"):
        dci(z, known, test_share=0.0)
    with pytest.raises(ValueError, match="num_bins"):
        mig(z, known, num_bins=1)
