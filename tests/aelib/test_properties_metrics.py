"""Every metric on data that are awkward: one row, equal rows, constant features, one class only, huge and tiny values.

It gives a number in the range that its docstring states, or a ValueError that names what is wrong; never NaN unless documented.
"""

import inspect
import math
from dataclasses import dataclass, fields, is_dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from aelib import metrics

INFINITY = math.inf


@dataclass(frozen=True)
class Case:
    """Data x, codes z of as many rows and columns, and a class y for each row."""

    x: Tensor
    z: Tensor
    y: Tensor

    @property
    def factors(self):
        return {"class": self.y, "quantity": self.x[:, 0]}

    @property
    def images(self):
        return self.x[:, :1, None, None].expand(-1, 1, 11, 12), self.z[:, :1, None, None].expand(-1, 1, 11, 12)


# name -> (how it is called, the least and the largest value that it may give)
CALLS = {
    "auprc": (lambda c: metrics.auprc(c.z[:, 0], c.x[:, 0]), 0, 1),
    "auroc": (lambda c: metrics.auroc(c.z[:, 0], c.x[:, 0]), 0, 1),
    "threshold_at": (lambda c: metrics.threshold_at(c.z[:, 0], 0.3), -INFINITY, INFINITY),
    "clustering_scores": (lambda c: metrics.clustering_scores(c.z, c.y), -1, 1),
    "code_perplexity": (lambda c: metrics.code_perplexity(c.y, 3), 1, 3),
    "completeness_score": (lambda c: metrics.completeness_score(c.z.abs()), 0, 1),
    "disentanglement_score": (lambda c: metrics.disentanglement_score(c.z.abs()), 0, 1),
    "dci": (lambda c: metrics.dci(c.z, c.factors), -INFINITY, 1),
    "mig": (lambda c: metrics.mig(c.z, c.factors, num_bins=2), 0, 1),
    "discretize": (lambda c: metrics.discretize(c.z[:, 0], 3), 0, 5),
    "mutual_information": (lambda c: metrics.mutual_information(c.y, c.y.flip(0)), 0, math.log(3)),
    "explained_variance": (lambda c: metrics.explained_variance(c.x, c.z), -INFINITY, 1),
    "frechet_distance": (lambda c: metrics.frechet_distance(lambda x: x, c.x, c.z), 0, INFINITY),
    "gaussian_frechet": (
        lambda c: metrics.gaussian_frechet(c.x[0], torch.diag(c.x[0].abs()), c.z[0], torch.diag(c.z[0].abs())),
        0,
        INFINITY,
    ),
    "knn_accuracy": (lambda c: metrics.knn_accuracy(c.z, c.y, c.x, c.y, k=1), 0, 1),
    "linear_probe_accuracy": (lambda c: metrics.linear_probe_accuracy(c.z, c.y, c.x, c.y), 0, 1),
    "retrieval_precision": (lambda c: metrics.retrieval_precision(c.z, c.y, k=1), 0, 1),
    "trustworthiness": (lambda c: metrics.trustworthiness(c.x, c.z, k=1), 0, 1),
    "l0": (lambda c: metrics.l0(c.z), 0, 4),
    "unit_rates": (lambda c: metrics.unit_rates(c.z), 0, 1),
    "dead_units": (lambda c: metrics.dead_units(c.z), 0, 3),
    "mean_squared_error": (lambda c: metrics.mean_squared_error(c.x, c.z), 0, INFINITY),
    "reconstruction_error": (lambda c: metrics.reconstruction_error(c.x, c.z), 0, INFINITY),
    "squared_error": (lambda c: metrics.squared_error(c.x, c.z), 0, INFINITY),
    "ssim": (lambda c: metrics.ssim(*c.images), -1, 1),
    "principal_angles": (lambda c: metrics.principal_angles(c.x.T[:, :2], c.z.T[:, :1]), 0, 90),
    "quantize": (lambda c: metrics.quantize(c.z, 0.5), -INFINITY, INFINITY),
    "rate_distortion": (lambda c: metrics.rate_distortion(c.x, c.z, lambda z: z, [0.5])[0], 0, INFINITY),
}
# Infinity for a copy, and NaN for the precision where nothing is called an anomaly, are documented; they have tests of their own.
SPECIAL = {"psnr", "rates_at"}
# These take no data, or bytes and lists of integers, for which tests/aelib/metrics has tests over many inputs.
NOT_OF_DATA = {"bits_per_dimension", "convention", "convert_loss", "entropy_encode", "entropy_decode"}


def test_every_metric_is_here():
    functions = {name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))}
    assert functions == CALLS.keys() | SPECIAL | NOT_OF_DATA


@st.composite
def cases(draw):
    n, d = draw(st.integers(1, 16)), draw(st.integers(2, 4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 100)))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    scale = draw(st.sampled_from([1.0, 1e-4, 1e4]))

    def values():
        rows = scale * torch.randn(n, d, generator=generator, dtype=torch.float64)
        kind = draw(st.sampled_from(["any", "equal rows", "a constant feature", "zeros", "two values"]))
        if kind == "equal rows":
            rows = rows[:1].expand(n, d)
        elif kind == "a constant feature":
            rows[:, 0] = 0.1
        elif kind == "zeros":
            rows = torch.zeros(n, d)
        elif kind == "two values":
            rows = scale * (rows > 0)
        return rows.to(dtype)

    x, z = values(), values()
    z = draw(st.sampled_from([z, x]))  # a copy now and then
    y = torch.randint(0, draw(st.integers(1, 3)), (n,), generator=generator)
    return Case(x, z, y)


def numbers(result):
    """All numbers in what a metric returned."""
    if is_dataclass(result):
        return [number for field in fields(result) for number in numbers(getattr(result, field.name))]
    if isinstance(result, dict | tuple):
        return [
            number for value in (result.values() if isinstance(result, dict) else result) for number in numbers(value)
        ]
    return torch.as_tensor(result).double().flatten().tolist()


def outcome(call, case):
    """What a metric returned and None, or no numbers and what it had against the case."""
    try:
        return call(case), None
    except ValueError as error:
        return (), str(error)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(case=cases())
def test_a_number_in_range_or_an_error_that_says_why(name, case):
    call, low, high = CALLS[name]
    result, message = outcome(call, case)
    assert message is None or any(word in message for word in ("got", "same", "span"))
    for number in numbers(result):
        assert math.isfinite(number)
        assert low - 1e-6 <= number <= high + 1e-6


ORDERLESS = {
    "auprc": lambda c: metrics.auprc(c.z[:, 0], c.x[:, 0]),
    "mean_squared_error": lambda c: metrics.mean_squared_error(c.x, c.z),
    "frechet_distance": lambda c: metrics.frechet_distance(lambda x: x, c.x, c.z),
    "retrieval_precision": lambda c: metrics.retrieval_precision(c.z, c.y, k=2),
    "trustworthiness": lambda c: metrics.trustworthiness(c.x, c.z, k=2),
    "mig": lambda c: metrics.mig(c.z, c.factors, num_bins=4),
    "linear_probe_accuracy": lambda c: metrics.linear_probe_accuracy(c.z, c.y, c.z, c.y),
    "rate_distortion": lambda c: metrics.rate_distortion(c.x, c.z, lambda z: z, [0.5])[0].mse,
}


@pytest.mark.parametrize("name", ORDERLESS)
@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 100), data=st.data())
def test_the_order_of_the_examples_does_not_matter(name, seed, data):
    generator = torch.Generator().manual_seed(seed)
    x, z = torch.randn(2, 12, 3, generator=generator, dtype=torch.float64)
    order = torch.tensor(data.draw(st.permutations(range(12))))
    y = torch.arange(12) % 3
    value = ORDERLESS[name](Case(x, z, y))
    assert ORDERLESS[name](Case(x[order], z[order], y[order])) == pytest.approx(value, abs=1e-9)


Y = torch.arange(20) % 2
Z = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
ONES, ONE_CLASS = torch.ones(20, 3), torch.zeros(20, dtype=torch.long)


def test_one_class_only():
    """All agree, which is true and says nothing; a classifier has nothing to learn."""
    assert metrics.clustering_scores(Z, ONE_CLASS) == metrics.ClusteringScores(1.0, 1.0)
    assert metrics.knn_accuracy(Z, ONE_CLASS, Z, ONE_CLASS) == metrics.retrieval_precision(Z, ONE_CLASS) == 1
    assert metrics.code_perplexity(ONE_CLASS, 5) == 1
    with pytest.raises(ValueError, match="the number of classes in y_train: got 1"):
        metrics.linear_probe_accuracy(Z, ONE_CLASS, Z, ONE_CLASS)
    with pytest.raises(ValueError, match=r"factors\['class'\]: all values are the same"):
        metrics.mig(Z, {"class": ONE_CLASS})


def test_constant_codes_know_nothing():
    assert metrics.linear_probe_accuracy(ONES, Y, ONES, Y) == 0.5
    assert metrics.mig(ONES, {"class": Y}) == 0
    scores = metrics.dci(ONES, {"class": Y, "other": torch.arange(20) // 10})
    assert scores.disentanglement == scores.completeness == 0
    assert metrics.frechet_distance(lambda x: x, ONES, ONES) == 0
    assert metrics.l0(0 * ONES) == 0
    assert metrics.dead_units(0 * ONES).tolist() == [0, 1, 2]


def test_one_row():
    x, z = torch.tensor([[3.0, 1.0]]), torch.tensor([[0.0, 5.0]])
    assert metrics.reconstruction_error(x, z) == 25
    assert metrics.auroc(x[0, :1], z[0, 1:]) == metrics.auprc(x[0, :1], z[0, 1:]) == 1
    assert metrics.threshold_at(x[0, :1], 0.5) == 3
    assert metrics.knn_accuracy(x, Y[:1], z, Y[:1], k=1) == 1
    assert metrics.l0(z) == 1
    with pytest.raises(ValueError, match="all examples are the same"):
        metrics.explained_variance(x, z)
    with pytest.raises(ValueError, match="the number of examples in x: got 1"):
        metrics.frechet_distance(lambda x: x, x, z)
    with pytest.raises(ValueError, match="k: got 1"):
        metrics.retrieval_precision(x, Y[:1], k=1)


NO_ROWS = Case(torch.empty(0, 2), torch.empty(0, 2), torch.empty(0, dtype=torch.long))


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"gaussian_frechet", "discretize", "quantize"}))
def test_no_rows_have_no_metric(name):
    with pytest.raises(ValueError, match=r"got|all values are the same"):
        CALLS[name][0](NO_ROWS)


def test_no_rows_have_no_bins_and_no_levels():
    assert metrics.discretize(NO_ROWS.z[:, 0], 2).shape == (0,)
    assert metrics.quantize(NO_ROWS.z, 1.0).shape == (0, 2)


def test_what_is_documented_not_to_be_a_number():
    x = torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
    assert metrics.psnr(x, x).tolist() == [INFINITY] * 3
    rates = metrics.rates_at(9.0, x[0], x[1])
    assert (rates.false_positive, rates.true_positive) == (0, 0)
    assert math.isnan(rates.precision)
    assert math.isnan(metrics.mean_squared_error(x, x * math.nan))


@pytest.mark.parametrize("n", [2, 7, 11, 49])
@pytest.mark.parametrize("value", [0.1, 0.3, 0.7])
def test_the_rounding_of_a_mean_is_no_variance(n, value):
    """The mean of seven times 0.1 is not 0.1 in single precision; dividing by that variance gave -10^14."""
    x = torch.full((n, 2), value)
    with pytest.raises(ValueError, match="all examples are the same"):
        metrics.explained_variance(x, torch.zeros(n, 2))


@pytest.mark.usefixtures("as_a_user")
def test_ssim_compares_as_many_images_as_there_are():
    x = torch.rand(600, 1, 11, 11, generator=torch.Generator().manual_seed(0))
    for wrong in (x[:1], x[:256], x[:0]):
        with pytest.raises(ValueError, match=f"x_hat: got {len(wrong)} examples for 600 in x"):
            metrics.ssim(x, wrong)


def test_two_bins_of_a_value_that_fills_one():
    """Twelve of twenty are 0: two bins by counts alone would put all twenty into one, which has no entropy."""
    values = torch.cat([torch.zeros(12), 1 + torch.arange(8.0)])
    bins = metrics.discretize(values, 2)
    assert bins[:12].unique().numel() == bins[12:].unique().numel() == bins.unique().numel() - 1 == 1
    codes = torch.stack([values, torch.ones(20)], dim=1)
    assert metrics.mig(codes, {"quantity": values}, num_bins=2) == pytest.approx(1)


def test_scores_of_importances_that_are_all_zero():
    """A factor that no unit serves for is not completely coded by any; by hand, the second column alone scores 1."""
    importance = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
    assert metrics.completeness_score(importance) == pytest.approx(0.5)
    assert metrics.disentanglement_score(importance) == pytest.approx(1)
    assert metrics.completeness_score(0 * importance) == metrics.disentanglement_score(0 * importance) == 0
    for score, message in (
        (metrics.disentanglement_score, "the number of factors: got 1"),
        (metrics.completeness_score, "the number of units: got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            score(torch.ones(1, 1))


def test_one_example_has_no_r_squared():
    factors = {"class": Y[:4], "quantity": Z[:4, 0]}
    with pytest.raises(ValueError, match=r"test_share: got 0.25, 1 of the 4 examples; expected to hold out 2 to 3"):
        metrics.dci(Z[:4], factors)
    assert np.isfinite(metrics.dci(Z[:4], factors, test_share=0.5).informativeness["quantity"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda bad: metrics.dead_units(bad), "z: 6 of 6 values are NaN"),
        (lambda bad: metrics.principal_angles(bad, torch.eye(2)), "a: 6 of 6"),
        (lambda bad: metrics.gaussian_frechet(bad[0], torch.eye(3), bad[0], torch.eye(3)), "mean_a: 3 of 3"),
        (lambda bad: metrics.frechet_distance(lambda x: x, bad, bad), r"features\(x\): 6 of 6"),
        (lambda bad: metrics.quantize(bad, 1.0), "z: 6 of 6"),
        (lambda bad: metrics.auroc(bad[0], bad[0]), "normal: 3 of 3"),
        (lambda bad: metrics.trustworthiness(bad.repeat(3, 1), bad.repeat(3, 1), k=1), "x: 18 of 18"),
    ],
)
def test_nan_is_refused_where_it_would_look_like_an_answer(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.full((2, 3), math.nan))
