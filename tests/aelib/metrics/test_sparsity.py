"""Use of units and codes against counting."""

import math

import pytest
import torch

from aelib.metrics import code_perplexity, dead_units, l0, unit_rates


def codes():
    return torch.tensor([[0.0, 2.0, 0.0, -1.0], [0.0, 0.0, 0.0, 0.3], [0.0, 0.5, 0.0, 0.2]])


def test_by_hand():
    z = codes()
    assert unit_rates(z).tolist() == pytest.approx([0, 2 / 3, 0, 1])
    assert l0(z) == pytest.approx(5 / 3)
    assert dead_units(z).tolist() == [0, 2]


def test_the_threshold_is_on_magnitudes_and_does_not_count_itself():
    z = codes()
    assert unit_rates(z, threshold=0.5).tolist() == pytest.approx([0, 1 / 3, 0, 1 / 3])
    assert l0(z, threshold=0.5) == pytest.approx(2 / 3)
    assert dead_units(z, threshold=1).tolist() == [0, 2, 3]


def test_large_sets_are_counted_in_parts():
    z = (torch.rand(5000, 7, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    expected = [sum(row[j] for row in z.tolist()) / 5000 for j in range(7)]
    assert unit_rates(z).tolist() == pytest.approx(expected)
    assert l0(z) == pytest.approx(sum(expected))


def test_perplexity_of_equally_frequent_entries_is_their_number():
    assert code_perplexity(torch.arange(8).repeat(3), 8) == pytest.approx(8)
    assert code_perplexity(torch.arange(8).repeat(3).view(4, 6), 100) == pytest.approx(8)
    assert code_perplexity(torch.zeros(5, dtype=torch.long), 8) == pytest.approx(1)


def test_perplexity_by_hand():
    """Frequencies 1/2, 1/4, 1/4 have an entropy of 1.5 bits."""
    assert code_perplexity(torch.tensor([0, 0, 1, 2]), 4) == pytest.approx(2**1.5)


def test_perplexity_is_exp_of_the_mean_surprise():
    indices = torch.randint(5, (50,), generator=torch.Generator().manual_seed(0))
    counts = [indices.tolist().count(i) for i in range(5)]
    surprise = sum(-math.log(counts[i] / 50) for i in indices.tolist()) / 50
    assert code_perplexity(indices, 5) == pytest.approx(math.exp(surprise))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="number of examples in z"):
        l0(torch.zeros(0, 3))
    with pytest.raises(ValueError, match="threshold"):
        unit_rates(codes(), threshold=-1)
    with pytest.raises(ValueError, match="indices: values run from 0 to 5"):
        code_perplexity(torch.arange(6), 5)
    with pytest.raises(ValueError, match="number of indices"):
        code_perplexity(torch.zeros(0, dtype=torch.long), 5)
