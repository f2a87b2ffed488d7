"""Thresholds and rates against counting."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aelib.metrics import auprc, auroc, rates_at, threshold_at

# Whole numbers and few of them, so that there are ties.
scores = st.lists(st.integers(-3, 6), min_size=1, max_size=20)


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


@given(normal=scores, rate=st.one_of(st.floats(0, 0.999), st.integers(0, 99).map(lambda percent: percent / 100)))
def test_the_threshold_is_the_smallest_score_that_keeps_the_rate(normal, rate):
    allowed = [t for t in normal if sum(s > t for s in normal) / len(normal) <= rate]
    assert threshold_at(tensor(normal), rate) == min(allowed)


@pytest.mark.parametrize("percent", range(100))
def test_a_rate_means_exactly_that_many_of_a_hundred(percent):
    """0.29 * 100 is 28.999999999999996 in floating point, and 0.07 * 100 is 7.000000000000001."""
    normal = tensor(range(100))
    threshold = threshold_at(normal, percent / 100)
    assert threshold == 99 - percent
    assert rates_at(threshold, normal, normal).false_positive == percent / 100


def test_new_normal_scores_exceed_the_threshold_at_the_rate_stated():
    """(k + 1) / (N + 1) with N = 19 and k = 1: one in ten. Within five standard errors of 4,000 repetitions."""
    draws = torch.rand(4000, 20, generator=torch.Generator().manual_seed(0))
    hits = [row[19].item() > threshold_at(row[:19], 0.09) for row in draws]
    assert sum(hits) / 4000 == pytest.approx(0.1, abs=5 * math.sqrt(0.09 / 4000))


@given(normal=scores, anomalous=scores)
def test_auroc_counts_pairs(normal, anomalous):
    wins = sum((a > n) + 0.5 * (a == n) for a in anomalous for n in normal)
    assert auroc(tensor(normal), tensor(anomalous)) == pytest.approx(wins / len(normal) / len(anomalous))


@given(normal=scores, anomalous=scores)
def test_auprc_adds_precision_times_the_recall_gained(normal, anomalous):
    expected, recall_before = 0.0, 0.0
    for t in sorted({*normal, *anomalous}, reverse=True):
        true, false = sum(a >= t for a in anomalous), sum(n >= t for n in normal)
        recall = true / len(anomalous)
        expected += (recall - recall_before) * true / (true + false)
        recall_before = recall
    assert auprc(tensor(normal), tensor(anomalous)) == pytest.approx(expected)


def test_perfect_chance_and_reversed():
    low, high = tensor([0, 1, 2]), tensor([5, 6])
    assert auroc(low, high) == auprc(low, high) == 1
    assert auroc(high, low) == 0
    same = tensor([1, 1, 1])
    assert auroc(same, same) == 0.5
    assert auprc(same, tensor([1])) == pytest.approx(1 / 4)


def test_rates_by_hand():
    rates = rates_at(2.0, tensor([0, 1, 2, 3]), tensor([2, 3, 4]))
    assert (rates.false_positive, rates.true_positive, rates.precision) == pytest.approx((1 / 4, 2 / 3, 2 / 3))
    assert math.isnan(rates_at(9.0, tensor([0]), tensor([1])).precision)


@pytest.mark.usefixtures("as_a_user")
def test_bad_input_is_named():
    with pytest.raises(ValueError, match="false_positive_rate: got 1"):
        threshold_at(tensor([1]), 1)
    with pytest.raises(ValueError, match=r"normal: got shape \(0,\)"):
        auroc(tensor([]), tensor([1]))
    with pytest.raises(ValueError, match=r"anomalous: got shape \(1, 1\)"):
        rates_at(0.0, tensor([1]), tensor([[1]]))
    with pytest.raises(ValueError, match="anomalous: 1 of 2 values are NaN"):
        auprc(tensor([1]), tensor([1, math.nan]))
