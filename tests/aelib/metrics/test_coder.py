"""The entropy coder: what goes in comes out, and its size is the entropy."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aelib.metrics import entropy_decode, entropy_encode

INT64 = st.integers(-(2**63), 2**63 - 1)


def entropy_bits(symbols):
    n = len(symbols)
    return sum(-c * math.log2(c / n) for c in Counter(symbols.tolist()).values())


def table_bytes(symbols):
    """One byte for each seven bits of: how many values there are, their gaps, the first with its sign, and their counts."""
    values, counts = np.unique(symbols, return_counts=True)
    gaps = [2 * abs(int(values[0])) + 1, *np.diff(values).tolist()]
    return sum(math.ceil(max(n.bit_length(), 1) / 7) for n in (len(values), *gaps, *counts.tolist()))


@given(st.one_of(st.lists(st.integers(-3, 3)), st.lists(st.integers(-1000, 1000)), st.lists(INT64)))
def test_decoded_is_what_was_encoded(values):
    symbols = np.array(values, dtype=np.int64)
    np.testing.assert_array_equal(entropy_decode(entropy_encode(symbols)), symbols)


@given(
    n=st.integers(1, 3000),
    spread=st.floats(0.01, 300),
    seed=st.integers(0, 1000),
    kind=st.sampled_from(["normal", "laplace", "geometric"]),
)
def test_size_is_the_entropy_plus_the_table(n, spread, seed, kind):
    random = np.random.default_rng(seed)
    draws = {
        "normal": random.normal(0, spread, n),
        "laplace": random.laplace(0, spread, n),
        "geometric": random.geometric(1 / (1 + spread), n) - 1e3,
    }
    symbols = draws[kind].round().astype(np.int64)
    coded = entropy_encode(symbols)
    np.testing.assert_array_equal(entropy_decode(coded), symbols)
    entropy = entropy_bits(symbols) / 8
    assert entropy <= len(coded) <= 1.01 * entropy + table_bytes(symbols) + 12


def test_a_long_message_costs_its_entropy_to_a_thousandth():
    symbols = np.random.default_rng(0).binomial(20, 0.3, 100_000)
    payload = len(entropy_encode(symbols)) - table_bytes(symbols)
    assert payload == pytest.approx(entropy_bits(symbols) / 8, rel=1e-3)


def test_a_constant_costs_nothing_but_its_table():
    assert len(entropy_encode(np.full(1_000_000, 7))) < 16
    assert len(entropy_encode(np.array([], dtype=np.int64))) <= 2


def test_rare_symbols_are_not_rounded_away():
    symbols = np.zeros(200_000, dtype=np.int64)
    symbols[[5, 77_777, 199_999]] = [1, -1, 2]
    coded = entropy_encode(symbols)
    np.testing.assert_array_equal(entropy_decode(coded), symbols)
    assert len(coded) < 40


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 100])
def test_damaged_bytes_are_refused(cut):
    coded = entropy_encode(np.random.default_rng(0).integers(-5, 6, 500))
    for damaged in (coded[:-cut], coded + bytes(cut), b""):
        with pytest.raises(ValueError, match="are damaged; expected what entropy_encode returned"):
            entropy_decode(damaged)


@pytest.mark.usefixtures("as_a_user")
def test_only_lists_of_integers_are_coded():
    for wrong in (np.zeros(3), np.zeros((2, 2), dtype=np.int64), np.zeros(3, dtype=np.uint64)):
        with pytest.raises(ValueError, match="expected signed integers"):
            entropy_encode(wrong)
