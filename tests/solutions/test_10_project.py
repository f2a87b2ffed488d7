"""The project's solution against loops, scipy, scikit-learn and aelib; the numbers of its model answers against its cells."""

import contextlib
import functools
import io
import math
import re
import statistics
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.metrics import precision_score, roc_auc_score
from solved_functions import functions
from torch import nn

from aelib.metrics import rate_distortion
from autograder import bank, paths, source

FOLDER = paths.SOLUTIONS / "10_project"


@pytest.fixture(autouse=True)
def double_precision():
    """As the set-up cell of the notebook has it."""
    torch.set_default_dtype(torch.float64)


def solved(name):
    return getattr(functions("10_project"), name)


def normal(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


def same(answer, expected):
    np.testing.assert_allclose(answer, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("size", "length", "past"), [(20, 4, 12), (9, 1, 3), (8, 4, 4), (30, 2, 28)])
def test_windows_are_all_runs_of_values_on_one_side_of_the_cut(size, length, past):
    series = normal(size, size)
    for found, part in zip(solved("windows")(series, length, past), (series[:past], series[past:])):
        values = part.tolist()
        assert found.tolist() == [values[t : t + length] for t in range(len(values)) if t + length <= len(values)]


@pytest.mark.parametrize(("size", "past", "period"), [(31, 24, 12), (17, 8, 4), (9, 6, 1), (10, 10, 5)])
def test_standardized_values_are_those_of_a_loop_and_the_past_knows_nothing_of_the_future(size, past, period):
    series = 10 + 3 * normal(size, size)
    s = series.tolist()
    usual = [statistics.fmean(s[m:past:period]) for m in range(period)]
    unusual = [value - usual[t % period] for t, value in enumerate(s)]
    x = solved("standardize")(series, past, period)
    same(x, np.array(unusual) / statistics.pstdev(unusual[:past]))
    series[past:] += 100
    assert torch.equal(solved("standardize")(series, past, period)[:past], x[:past])


@pytest.mark.parametrize(("m", "n", "d", "k"), [(40, 6, 5, 2), (30, 1, 3, 3), (20, 4, 1, 1), (60, 3, 4, 1)])
def test_the_two_scores_are_those_of_scikit_learn_and_halves_of_a_gaussian_log_density(m, n, d, k):
    train, x = solved("cloud")(m, m, d).numpy(), 4 * normal(n, n, d).numpy()
    off, along = (score.numpy() for score in solved("pca_scores")(torch.tensor(train), torch.tensor(x), k))
    pca = PCA(k, svd_solver="full").fit(train)
    z, variances = pca.transform(x), pca.explained_variance_ * (m - 1) / m
    same(off, [math.dist(a, b) ** 2 for a, b in zip(x, pca.inverse_transform(z))])
    same(along, [sum(value**2 / variance for value, variance in zip(row, variances)) for row in z])
    across = np.eye(d) - pca.components_.T @ pca.components_
    covariance = pca.components_.T * variances @ pca.components_ + 0.4 * across
    log_p = stats.multivariate_normal(pca.mean_, covariance).logpdf(np.vstack([x, pca.mean_]))
    same(log_p[:-1] - log_p[-1], -(along + off / 0.4) / 2)


@pytest.mark.parametrize(("n", "d", "epochs", "size"), [(8, 3, 3, 3), (5, 2, 2, 9), (1, 4, 3, 1), (6, 1, 2, 6)])
def test_training_takes_the_steps_of_a_loop_in_numpy_with_a_gradient_by_hand(n, d, epochs, size):
    x, held_out = normal(n, n, d), normal(n + 50, 4, d)
    watched = solved("Watched")(nn.Linear(d, d, bias=False), x)
    weight, velocity = watched.inner.weight.detach().numpy().copy(), 0
    optimizer = torch.optim.SGD(watched.parameters(), lr=0.02, momentum=0.5)
    errors = solved("train")(watched, optimizer, x, held_out, epochs, size, solved("seeded")(1))
    assert not errors.requires_grad
    batches = iter([batch.numpy() for batch in watched.batches])
    for error in errors.tolist():
        sizes = [min(size, n - start) for start in range(0, n, size)]
        epoch = [next(batches) for _ in sizes]
        assert [len(batch) for batch in epoch] == sizes
        assert sorted(np.concatenate(epoch).tolist()) == sorted(x.tolist())
        for batch in epoch:
            gradient = sum(-2 * np.outer(row - weight @ row, row) for row in batch) / len(batch)
            velocity = 0.5 * velocity + gradient
            weight = weight - 0.02 * velocity
        same(error, np.mean([math.dist(row, weight @ row) ** 2 for row in held_out.numpy()]))
    assert next(batches, None) is None
    same(watched.inner.weight.detach(), weight)


def test_the_order_comes_from_the_generator_alone():
    torch.manual_seed(1)
    first = solved("order_taken")(solved("train"), 7)
    torch.manual_seed(2)
    assert solved("order_taken")(solved("train"), 7) == first != solved("order_taken")(solved("train"), 8)


@pytest.mark.parametrize(("n", "rate"), [(99, "0.29"), (99, "0.05"), (10, "0.27"), (1, "0.5"), (18, "0.05"), (5, "0")])
def test_the_threshold_is_the_conformal_quantile_in_exact_fractions(n, rate):
    scores = normal(n, n)
    from_below = math.ceil((n + 1) * (1 - Fraction(rate)))
    expected = sorted([*scores.tolist(), math.inf])[from_below - 1]
    assert float(solved("threshold")(scores, float(rate))) == expected


@pytest.mark.parametrize(("n", "rate", "expected"), [(19, 0.1, 0.1), (12, 0.25, 3 / 13)])
def test_new_scores_exceed_the_threshold_as_often_as_the_theorem_says(n, rate, expected):
    trials = normal(n, 6000, n + 1)
    alarms = [float(row[-1]) > solved("threshold")(row[:-1], rate) for row in trials]
    assert abs(np.mean(alarms) - expected) < 4 * math.sqrt(expected * (1 - expected) / len(alarms))


@pytest.mark.parametrize(("n", "m", "levels"), [(6, 4, 3), (1, 1, 1), (1, 5, 2), (30, 50, 6), (40, 7, 10**9)])
def test_the_area_is_that_of_scikit_learn_and_of_mann_and_whitney(n, m, levels):
    random = np.random.default_rng(n)
    calm, odd = random.integers(levels, size=n) * 1.0, random.integers(1, levels + 1, size=m) * 1.0
    area = solved("auroc")(torch.tensor(calm), torch.tensor(odd))
    same(area, roc_auc_score([0] * n + [1] * m, np.concatenate([calm, odd])))
    same(area, stats.mannwhitneyu(odd, calm).statistic / (n * m))


def test_precision_is_what_scikit_learn_counts():
    cases = np.array(
        [[9, 1, 50, 940], [1, 0, 1, 1], [30, 70, 5, 95], [7, 0, 9, 1]]
    )  # found, missed, false alarms, quiet
    real, alarm = [1, 1, 0, 0], [1, 0, 1, 0]
    expected = [precision_score(np.repeat(real, case), np.repeat(alarm, case)) for case in cases]
    tp, fn, fp, tn = torch.tensor(cases.T).double()
    share = (tp + fn) / (tp + fn + fp + tn)
    same(solved("precision")(tp / (tp + fn), fp / (fp + tn), share), expected)


@pytest.mark.parametrize(("n", "k"), [(6, 3), (1, 1), (5, 1), (2, 7)])
def test_levels_are_the_nearest_of_all_and_cost_their_entropy(n, k):
    z, steps = 4 * normal(n, n, k), 0.3 + normal(k, k).abs()
    levels, z_hat = solved("quantize")(z, steps)
    nearest = [[min(range(-99, 100), key=lambda i: abs(v - i * s)) for v, s in zip(row, steps)] for row in z]
    assert levels.tolist() == nearest
    same(z_hat, np.array(nearest) * steps.numpy())
    counts = [np.unique(unit, return_counts=True)[1] for unit in levels.T.numpy()]
    bits = solved("entropy_bits")(levels)
    same(bits, [stats.entropy(count, base=2) for count in counts])
    assert n * float(bits.sum()) <= solved("coded_bits")(levels)


@pytest.mark.parametrize(("shape", "k"), [((9, 4), 2), ((1, 3), 3), ((5, 1, 2, 2), 6)])
@pytest.mark.parametrize("step", [0.2, 1.7])
def test_a_point_of_the_curve_is_that_of_aelib(shape, k, step):
    x, z, matrix = normal(k, *shape), 3 * normal(k + 1, shape[0], k), normal(k + 2, k, math.prod(shape[1:]))

    def decode(codes):
        return (codes @ matrix).reshape(-1, *shape[1:])

    (point,) = rate_distortion(x, z, decode, [step])
    same(solved("rate_point")(x, z, decode, step, solved("coded_bits")), (point.bits_per_value, point.mse))


@functools.cache
def measured():
    """What the cells of the two reports define, and by their names what they print."""
    names, printed = vars(functions("10_project")).copy(), {}
    for cell in source.load(FOLDER / "project.py").cells:
        if cell.id in ("faults", "watch-measured", "codec-measured"):
            with contextlib.redirect_stdout(io.StringIO()) as text:
                exec(cell.source, names)
            printed[cell.id] = text.getvalue()
    return SimpleNamespace(**names), printed


def numbers(text):
    """All numbers in a text, in their order; not those of a list's items, nor indices and exponents of one digit."""
    text = re.sub(r"(?m)^\d\. |[\^_]\d", "", text.replace("{,}", ","))
    return " ".join(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text))


def model_answer(name):
    return bank.model_answers(source.load(FOLDER / "project.py"))[name]


def remark(begin):
    """The rest of the paragraph or item that begins so in the notes for instructors."""
    (rest,) = re.findall(re.escape(begin) + r"(.+?)(?=\n\n|\n- )", (FOLDER / "notes.md").read_text(), re.DOTALL)
    return rest


def test_the_numbers_of_the_report_on_the_watch_are_measured():
    names, printed = measured()
    rows = {line[:14].strip(): line[14:].split() for line in printed["watch-measured"].splitlines()}
    (off, along, both), (off_warm, along_warm, both_warm) = rows["spike"], rows["too warm"]
    rates = re.findall(r"([\d.]+)% false alarms, +([\d.]+)% of the spikes", printed["watch-measured"])
    (loose, loose_found), (tight, tight_found) = rates

    def scores(train, x):
        off, along = solved("pca_scores")(train, x, 4)
        return 20 * off / solved("pca_scores")(train, train, 4)[0].mean() + along

    def windows(start, end):
        return names.values[12 * (start - 1950) : 12 * (end - 1950)].unfold(0, 24, 1)

    fitted, later = windows(1950, 1980), scores(windows(1950, 1980), windows(1990, 2011))

    def alarms(calibration):
        return later > sorted(calibration.tolist())[-math.floor(0.05 * (len(calibration) + 1))]

    def share(parts):
        return 100 * float(parts.double().mean())

    eighties = scores(fitted, windows(1980, 1990))
    assert (f"{share(alarms(scores(fitted, fitted))):.1f}", f"{share(alarms(eighties)):.1f}") == (loose, tight)
    highest = eighties.argsort(descending=True)[:4]  # where windows begin, in months from January 1980 on
    assert ((highest <= 35) & (highest + 24 > 36)).all()  # all have December 1982 and January 1983
    assert (len(eighties) + 23) / 24 == 5
    calm = f"{share(alarms(scores(fitted, windows(1984, 1990)))):.0f}"
    components = np.linalg.svd(fitted - fitted.mean(0))[2][:4]
    constant, spikes = components.sum(1) ** 2 / 24, (components**2).sum(0)
    assert constant[0] < 0.01 < 0.3 < constant[1:3].min()
    assert math.isclose(spikes.mean(), 1 / 6)
    found, false = float(tight_found) / 100, float(tight) / 100
    real = 0.001 * found / (0.001 * found + 0.999 * false)
    assert round(6 * (1 - found)) == 5
    assert 0.01 < real < 0.015  # the rubric

    kept, overlap, fit = f"{100 * constant.sum():.0f}", len(eighties), f"{float(loose):.0f}"
    assert numbers(model_answer("watch-why")) == (
        f"{off} {off_warm} {along_warm} {along} {kept} {both} {both_warm} 5 {fit} {tight} {overlap} 1982 1983 1984 1989 {calm} "
        f"0.001 {found:.3f} 0.001 {found:.3f} 0.999 {false:.3f} {real:.3f} {1 / real:.0f}"
    )
    assert numbers(remark("Measured: ")) == (
        f"{off} {off_warm} {along} {along_warm} {both} {both_warm} {loose} {tight} {loose_found} {tight_found} {100 * real:.1f}"
    )
    assert numbers(remark('*A full answer (3):* "Off')) == (
        f"{off} {off_warm} {along_warm} {fit} 5 {tight} {overlap} 23 1983 "
        f"{0.001 * found:.6f} {0.001 * found:.6f} {false:.4f} {100 * real:.1f} {1 / real:.0f}"
    )
    assert numbers(remark("- The first component")) == f"{kept} {100 * min(spikes):.0f} {100 * max(spikes):.0f}"
    decades = [windows(start, start + 10) for start in (1950, 1960, 1970)]
    others = [windows(1960, 1980), torch.cat(decades[::2]), windows(1950, 1970)]
    unseen = torch.cat([scores(other, decade) for other, decade in zip(others, decades)])
    assert numbers(remark('- *"Is it the fit')) == f"5 {share(alarms(unseen)):.0f} {fit}"
    begins = alarms(eighties).nonzero()
    assert int(((begins <= 95) & (begins + 24 > 96)).sum()) == 2  # have December 1997 and January 1998
    assert numbers(remark('- *"1.3 % is better')) == f"5 {tight} {len(begins)} {len(later)} 1997 1998"
    assert numbers(remark('- *"Does the theorem')) == f"1984 1989 {calm}"


def test_the_numbers_of_the_report_on_the_codecs_are_measured():
    names, printed = measured()
    blocks = re.split(r"\n(?=\w)", printed["codec-measured"])
    weights, floors = zip(*(re.search(r": (\d+) weights .* ([\d.]+)\n", block).groups() for block in blocks))
    curves = [re.findall(r"([\d.]+) bits per pixel +error ([\d.]+)", block) for block in blocks]
    rates, errors = np.array(curves, dtype=float).transpose(2, 0, 1)  # of PCA with 64 values, with 8, the autoencoder
    assert len(names.x_test.unique()) == 17
    assert (len(names.x), *names.x_test.shape) == (1400, 397, 64)
    z = names.linear_codec(64)[0](names.x_test)
    assert (z.abs() < z[:, :8].std() / 2).double().mean() > 0.8  # most values are rounded to 0
    floor_8, floor_network = (float(floor) for floor in floors[1:])
    assert 0.005 < floor_8 < errors[1, -1] < floor_8 + 0.0005
    assert 0.005 < floor_network < errors[2, -1] < floor_network + 0.0005
    assert errors[0, 3] < 0.005

    def saved(of_pca, of_network):
        """Bits that the autoencoder saves for a digit at the error of the third point of PCA."""
        return 64 * (of_pca[2] - np.interp(errors[1, 2], errors[2, [2, 1]], [of_network[2], of_network[1]]))

    gray = f"{math.log2(17):.1f}"
    factors, rises = float(gray) / rates, np.diff(rates)
    size_8, size_network = (32 * int(number) for number in weights[1:])
    bits = saved(rates[1], rates[2])
    digits, rate = (size_network - size_8) / bits, rates[1, 2] - bits / 64
    break_even = f"{500 * round(digits / 500):,}"
    assert 5 < bits < 9  # the rubric
    assert 15_000 < digits < 30_000
    assert numbers(model_answer("codec-why")) == (
        f"32 256 4 17 {gray} 8 {gray} {rates[1, 1]:.3f} {factors[1, 1]:.0f} {errors[1, 1]:.3f} "
        f"{gray} {rates[2, 1]:.3f} {factors[2, 1]:.0f} {errors[2, 1]:.3f} "
        f"64 {factors[0, 1]:.0f} {rates[0, 1]:.3f} {errors[0, 1]:.3f} 8 64 {8 / 64} 8 64 64 1 64 "
        f"8 {rises[1, 0]:.2f} {rises[1, -1]:.2f} {rises[2, 0]:.2f} {rises[2, -1]:.2f} 397 "
        f"64 {rises[0, 0]:.1f} 0 {rises[0, -1]:.1f} {floor_8:.3f} {floor_network:.3f} 8 "
        f"0.005 64 {rates[0, 2]:.3f} {errors[0, 2]:.4f} {errors[1, 2]:.4f} {rates[1, 2]:.3f} "
        f"{rates[2, 1]:.3f} {errors[2, 1]:.4f} {rates[2, 2]:.3f} {errors[2, 2]:.4f} {rate:.2f} {bits / 64:.2f} {bits:.1f} "
        f"{weights[2]} 32 {size_network:,} {weights[1]} 32 {size_8:,} {size_network - size_8:,} {break_even} 397"
    )
    assert numbers(remark('*A full answer (3):* "Eight')) == (
        f"256 {gray} 64 {64 * math.log2(17):.0f} 8 {rates[1, 1]:.3f} {factors[1, 1]:.0f} {errors[1, 1]:.3f} "
        f"{rates[2, 2]:.3f} {factors[2, 2]:.0f} {errors[2, 2]:.3f} {8 / 64} {rises[1:].min():.2f} {rises[1:].max():.2f} "
        f"64 1 {rises[0, 0]:.1f} {rises[0, -1]:.1f} 0 {floor_8:.3f} {floor_network:.3f} 0.005 64 "
        f"{errors[1, 2]:.3f} {rate:.2f} {rates[1, 2]:.2f} {bits:.1f} {int(weights[2]) - int(weights[1])} "
        f"{size_network - size_8:,} {break_even}"
    )
    entropies = []
    for encode in (names.linear_codec(8)[0], names.network.encode):
        z = encode(names.x_test)
        levels = [(z / (z.std() * step)).round().long() for step in (2, 1, 1 / 2)]
        entropies.append([float(solved("entropy_bits")(level).sum()) / 64 for level in levels])
    bits = saved(*entropies)
    break_even = f"{1000 * round((size_network - size_8) / bits / 1000):,}"
    assert numbers(remark('- *"Why do the tables count?"*')) == f"{bits:.1f} {errors[1, 2]:.4f} {break_even}"
