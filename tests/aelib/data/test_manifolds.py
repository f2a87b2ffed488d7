import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.datasets import make_moons, make_s_curve, make_swiss_roll

from aelib.data import circle, gaussian_mixture, helix, moons, s_curve, swiss_roll

MANIFOLDS = [swiss_roll, s_curve, circle, helix, moons]
MEANS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 20.0]])


def test_swiss_roll_has_scikit_learns_equation_and_range():
    theirs, t = make_swiss_roll(20_000, random_state=0)
    d = swiss_roll(20_000)
    x, angle, height = d.x.numpy(), d.labels["angle"].numpy(), d.labels["height"].numpy()
    # Their points satisfy what ours must, so the equation is theirs.
    for points, chart in ((theirs, t), (x, angle)):
        assert np.allclose(np.hypot(points[:, 0], points[:, 2]), chart, atol=1e-5)
        assert np.allclose(np.cos(chart) * points[:, 2], np.sin(chart) * points[:, 0], atol=1e-4)
    assert np.array_equal(x[:, 1], height)
    assert stats.ks_2samp(angle, t).pvalue > 1e-3
    assert stats.ks_2samp(height, theirs[:, 1]).pvalue > 1e-3


def test_s_curve_has_scikit_learns_equation_and_range():
    theirs, t = make_s_curve(20_000, random_state=0)
    d = s_curve(20_000)
    x, angle = d.x.numpy(), d.labels["angle"].numpy()
    for points, chart in ((theirs, t), (x, angle)):
        z = points[:, 2]
        assert np.allclose(points[:, 0] ** 2 + (z + np.sign(chart)) ** 2, 1, atol=1e-5)
        assert np.allclose(points[:, 0], np.sin(chart), atol=1e-5)
    assert np.array_equal(x[:, 1], d.labels["height"].numpy())
    assert stats.ks_2samp(angle, t).pvalue > 1e-3
    assert stats.ks_2samp(x[:, 1], theirs[:, 1]).pvalue > 1e-3


def test_moons_lie_on_scikit_learns_half_circles():
    theirs, which = make_moons(2_000, random_state=0)
    d = moons(2_000)
    for points, moon in ((theirs, which), (d.x.numpy(), d.labels["moon"].numpy())):
        for k, (center, side) in enumerate([((0, 0), 1), ((1, 0.5), -1)]):
            offset = points[moon == k] - center
            assert np.allclose(np.hypot(*offset.T), 1, atol=1e-5)
            assert (side * offset[:, 1] >= -1e-6).all()
    assert stats.binomtest(int(d.labels["moon"].sum()), 2_000).pvalue > 1e-3
    angle = torch.atan2(d.x[:, 1], d.x[:, 0])[d.labels["moon"] == 0]
    assert torch.allclose(angle, d.labels["angle"][d.labels["moon"] == 0], atol=1e-5)
    assert d.classes["moon"] == ("upper", "lower")


def test_circle_and_helix_satisfy_their_equations():
    d = circle(5_000)
    assert torch.allclose(d.x.norm(dim=1), torch.ones(5_000), atol=1e-6)
    assert torch.allclose(torch.atan2(d.x[:, 1], d.x[:, 0]).remainder(2 * math.pi), d.labels["angle"], atol=1e-5)
    assert stats.kstest(d.labels["angle"].numpy(), stats.uniform(0, 2 * math.pi).cdf).pvalue > 1e-3

    d = helix(5_000)
    turn = 2 * math.pi * d.x[:, 2]
    assert torch.allclose(turn, d.labels["angle"], atol=1e-5)
    assert torch.allclose(d.x[:, 0], turn.cos(), atol=1e-5)
    assert torch.allclose(d.x[:, 1], turn.sin(), atol=1e-5)
    assert stats.kstest(d.x[:, 2].numpy(), stats.uniform(0, 3).cdf).pvalue > 1e-3


@pytest.mark.parametrize("manifold", MANIFOLDS)
def test_noise_is_gaussian_with_the_stated_deviation(manifold):
    exact, noisy = manifold(20_000, seed=2), manifold(20_000, noise=0.3, seed=2)
    for name in exact.labels:
        assert torch.equal(exact.labels[name], noisy.labels[name])  # the labels are those of the exact point
    residual = (noisy.x - exact.x).flatten().numpy()
    assert stats.kstest(residual, stats.norm(0, 0.3).cdf).pvalue > 1e-3


@pytest.mark.parametrize("manifold", MANIFOLDS)
def test_every_manifold_has_seed_shape_and_checks(manifold):
    d = manifold(40, noise=0.1, seed=1)
    assert len(d) == 40
    assert d.x.dtype == torch.float32
    assert torch.equal(d.x, manifold(40, noise=0.1, seed=1).x)
    assert not torch.equal(d.x, manifold(40, noise=0.1, seed=2).x)
    with pytest.raises(ValueError, match="n: got 0; expected a number of at least 1"):
        manifold(0)
    with pytest.raises(ValueError, match=r"noise: got -0\.1; expected a number of at least 0"):
        manifold(noise=-0.1)


def test_gaussian_mixture_has_the_given_means_scales_and_weights():
    scale, weights = torch.tensor([0.5, 1.0, 2.0]), torch.tensor([1.0, 2.0, 5.0])
    d = gaussian_mixture(40_000, means=MEANS, scale=scale, weights=weights, seed=4)
    component = d.labels["component"]
    assert stats.chisquare(component.bincount().numpy(), 40_000 * weights.numpy() / 8).pvalue > 1e-3
    for k in range(3):
        standardized = ((d.x[component == k] - MEANS[k]) / scale[k]).flatten().numpy()
        assert stats.kstest(standardized, "norm").pvalue > 1e-3
    assert d.classes["component"] == ("0", "1", "2")
    assert torch.equal(d.x, gaussian_mixture(40_000, means=MEANS, scale=scale, weights=weights, seed=4).x)


def test_gaussian_mixture_without_spread_or_weights_gives_the_means_equally_often():
    d = gaussian_mixture(3_000, means=MEANS, scale=0)
    assert torch.equal(d.x, MEANS[d.labels["component"]])
    assert stats.chisquare(d.labels["component"].bincount().numpy()).pvalue > 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n: got 0"),
        ({"means": torch.zeros(3)}, r"means: got shape \(3,\); expected \(K, d\)"),
        ({"means": torch.zeros(0, 2)}, r"means: got shape \(0, 2\)"),
        ({"means": torch.tensor([[math.nan, 0.0]])}, "means: 1 of 2 values are NaN"),
        ({"scale": -1.0}, r"scale: got -1\.0; expected a number of at least 0"),
        ({"scale": torch.ones(2)}, r"scale: got shape \(2,\); expected \(3,\)"),
        ({"weights": torch.ones(4)}, r"weights: got shape \(4,\); expected \(3,\)"),
        ({"weights": torch.tensor([1.0, 1.0, -1.0])}, r"weights: got -1\.0"),
        ({"weights": torch.zeros(3)}, r"weights: got \[0\.0, 0\.0, 0\.0\]; expected at least one above 0"),
    ],
)
def test_gaussian_mixture_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        gaussian_mixture(**{"means": MEANS, **arguments})
