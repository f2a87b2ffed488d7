import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from autograder.report_statistics import correlation, histogram, items

WORTH = {"one": 1.0, "two": 2.0}
POINTS = [{"one": 1, "two": 2}, {"one": 1, "two": 1}, {"one": 0, "two": 1}, {"one": 0, "two": 0}]


def test_a_small_class_by_hand():
    one, two = items(POINTS, WORTH)
    # For "one", the points for the rest are 2, 1, 1, 0: deviations (1/2, 1/2, -1/2, -1/2) and (1, 0, 0, -1).
    assert (one.name, one.worth, one.count, one.mean) == ("one", 1, 4, 0.5)
    assert one.discrimination == pytest.approx(1 / math.sqrt(2))
    assert (two.mean, two.count) == (0.5, 4)
    assert two.discrimination == pytest.approx(1 / math.sqrt(2))


def test_the_correlation_is_the_point_biserial_one_of_scipy():
    generator = np.random.default_rng(0)
    passed = generator.random(40) < 0.6
    rest = generator.normal(size=40) + passed
    points = [{"test": float(a), "rest": float(b)} for a, b in zip(passed, rest)]
    (test, _) = items(points, {"test": 1.0, "rest": 10.0})
    assert test.discrimination == pytest.approx(stats.pointbiserialr(passed, rest).statistic)
    assert test.discrimination == pytest.approx(stats.pearsonr(passed, rest).statistic)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-50, 50)), min_size=3, max_size=30))
def test_the_correlation_is_scipy_s_where_it_is_defined(pairs):
    x, y = zip(*pairs)
    got = correlation(x, y)
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert got == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    else:
        assert math.isnan(got)


def test_an_answer_that_somebody_has_not_read_counts_for_nobody_s_mean():
    one, two = items([{"one": 1, "two": 2}, {"one": 1}, {"one": 0, "two": 1}], WORTH)
    assert (one.count, two.count, two.mean) == (3, 2, 0.75)


def test_without_submissions_there_are_no_numbers():
    one, _ = items([], WORTH)
    assert one.count == 0
    assert math.isnan(one.mean)
    assert math.isnan(one.discrimination)


def test_scores_on_a_border_count_to_the_right_and_all_scores_count():
    assert histogram([0, 1.9, 2, 19.9, 20], 20) == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert histogram([0.1 + 0.2], 3) == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert histogram([-1, 25], 20) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]  # extra credit can lead beyond the maximum
