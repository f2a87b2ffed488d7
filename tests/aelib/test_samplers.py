"""Samplers against the moments and densities that they promise, and scikit-learn."""

import copy
import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.mixture import GaussianMixture as Sklearns
from torch._subclasses.fake_tensor import FakeTensorMode

from aelib.samplers import GaussianMixture, StandardNormal, SwissRoll

ALL = [StandardNormal(3), GaussianMixture.ring(5), SwissRoll()]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("sampler", ALL, ids=lambda sampler: type(sampler).__name__)
def test_shape_seed_and_dtype(sampler):
    for n in (0, 1, 7):
        assert sampler(n).shape == (n, sampler.latent_dim)
    assert torch.equal(sampler(5, generator=seeded()), sampler(5, generator=seeded()))
    assert not torch.equal(sampler(5, generator=seeded()), sampler(5, generator=seeded(1)))
    assert sampler.double()(3).dtype == torch.float64


def test_standard_normal_is_normal():
    z = StandardNormal(2)(20_000, generator=seeded()).numpy()
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.03


def test_ring_has_its_modes_where_it_says():
    z = GaussianMixture.ring(4, radius=3.0, std=0.2)(40_000, generator=seeded())
    centers = torch.tensor([[3.0, 0.0], [0.0, 3.0], [-3.0, 0.0], [0.0, -3.0]])
    nearest = torch.cdist(z, centers).argmin(1)
    for c in range(4):
        mine = z[nearest == c]
        assert len(mine) == pytest.approx(10_000, rel=0.05)
        torch.testing.assert_close(mine.mean(0), centers[c], atol=0.02, rtol=0)
        torch.testing.assert_close(mine.std(0), torch.tensor([0.2, 0.2]), atol=0.01, rtol=0)


def test_a_mixture_has_the_moments_of_its_formula():
    """E z = sum w m, and Cov z = sum w (S + m m^T) - E z E z^T."""
    means = torch.tensor([[0.0, 1.0], [3.0, -1.0]]).double()
    scale_tril = torch.tensor([[[1.0, 0.0], [0.5, 0.3]], [[0.2, 0.0], [-1.0, 0.7]]]).double()
    weights = torch.tensor([1.0, 3.0]).double()  # divided by their sum
    z = GaussianMixture(means, scale_tril, weights)(200_000, generator=seeded())
    w = weights / 4
    mean = w @ means
    second = torch.einsum("c,cij->ij", w, scale_tril @ scale_tril.mT + means[:, :, None] * means[:, None])
    torch.testing.assert_close(z.mean(0), mean, atol=0.02, rtol=0)
    torch.testing.assert_close(z.T.cov(), second - torch.outer(mean, mean), atol=0.05, rtol=0)


def test_a_component_without_weight_is_never_drawn():
    far = torch.tensor([[0.0], [100.0], [0.0], [100.0]])
    z = GaussianMixture(far, torch.ones(4, 1, 1), torch.tensor([1.0, 0.0, 1.0, 0.0]))(10_000, generator=seeded())
    assert z.max() < 50


def test_swiss_roll_lies_on_its_spiral():
    z = SwissRoll(radius=5.0, noise=0.0)(2_000, generator=seeded())
    s = z.norm(dim=1) / 5
    torch.testing.assert_close(z[:, 0], 5 * s * torch.cos(3 * math.pi * s), atol=1e-4, rtol=0)
    torch.testing.assert_close(z[:, 1], 5 * s * torch.sin(3 * math.pi * s), atol=1e-4, rtol=0)
    assert stats.kstest(s.square().numpy(), stats.uniform(1 / 9, 8 / 9).cdf).pvalue > 0.01
    noisy = SwissRoll(radius=5.0, noise=0.5)(2_000, generator=seeded())
    assert (noisy - z).std().item() == pytest.approx(0.5, rel=0.05)


def test_fitted_is_scikit_learns_mixture():
    z = GaussianMixture.ring(3, radius=3.0, std=0.5)(600, generator=seeded())
    theirs = Sklearns(3, random_state=0).fit(z.double().numpy())
    ours = GaussianMixture.fitted(z, 3)
    covariances = (ours.scale_tril @ ours.scale_tril.mT).numpy()
    np.testing.assert_allclose(ours.means.numpy(), theirs.means_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(covariances, theirs.covariances_, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(ours.cumulative.numpy(), theirs.weights_.cumsum(), rtol=1e-5)
    assert ours.means.dtype == z.dtype
    drawn = ours(20_000, generator=seeded(1))
    torch.testing.assert_close(drawn.T.cov(), z.T.cov(), atol=0.1, rtol=0.05)


def test_a_sampler_is_saved_with_its_numbers():
    ring, other = GaussianMixture.ring(4, radius=2.0), GaussianMixture.ring(4, radius=9.0)
    other.load_state_dict(ring.state_dict())
    assert torch.equal(ring(9, generator=seeded()), other(9, generator=seeded()))


@pytest.mark.usefixtures("as_a_user")
def test_bad_arguments():
    for call, message in [
        (lambda: StandardNormal(0), "latent_dim: got 0"),
        (lambda: GaussianMixture.ring(0), "num_components: got 0"),
        (lambda: GaussianMixture.ring(3, std=-1), "std: got -1"),
        (lambda: SwissRoll(noise=-1), "noise: got -1"),
        (
            lambda: GaussianMixture(torch.zeros(2, 3), torch.zeros(2, 3)),
            r"scale_tril: got shape \(2, 3\); expected \(2, 3, 3\)",
        ),
        (
            lambda: GaussianMixture(torch.zeros(2, 1), torch.ones(2, 1, 1), torch.tensor([1.0, -1.0])),
            "weights: got .*; expected values of at least 0",
        ),
        (lambda: GaussianMixture.fitted(torch.zeros(2, 3), 5), "the number of rows of z: got 2"),
        (lambda: GaussianMixture.fitted(torch.full((5, 2), math.nan), 2), "z: 10 of 10 values are NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("sampler", ALL, ids=lambda sampler: type(sampler).__name__)
def test_a_sampler_draws_on_the_device_of_its_numbers(sampler):
    """On fake CUDA tensors, where mixing in a tensor that was left on the CPU is an error, GPU or not."""
    with FakeTensorMode(allow_non_fake_inputs=False):
        fake = copy.copy(sampler)
        fake._buffers = {k: torch.empty(v.shape, dtype=v.dtype, device="cuda") for k, v in sampler._buffers.items()}
        assert fake(5).device.type == "cuda"
