"""Rate and distortion against theory: the entropy of a rounded Gaussian, and the variance of a uniform error."""

import math

import pytest
import torch

from aelib.metrics import entropy_decode, entropy_encode, quantize, rate_distortion


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def identity(z):
    return z


def test_a_rounded_gaussian_costs_its_entropy_and_errs_by_a_twelfth():
    """At a small step D the rate is h - log2(D) = log2(sqrt(2 pi e) / D) bits, and the error D^2 / 12."""
    x = normal(20_000, 2)
    for point in rate_distortion(x, x, identity, [0.5, 0.25]):
        assert point.bits_per_value == pytest.approx(math.log2(math.sqrt(2 * math.pi * math.e) / point.step), rel=0.02)
        assert point.mse == pytest.approx(point.step**2 / 12, rel=0.02)
        assert point.bytes_per_example == pytest.approx(2 * point.bits_per_value / 8)


def test_halving_the_step_costs_a_bit_and_saves_six_decibels():
    x = normal(20_000, 1)
    wide, narrow = rate_distortion(x, x, identity, [0.5, 0.25])
    assert narrow.bits_per_value - wide.bits_per_value == pytest.approx(1, abs=0.02)
    assert 10 * math.log10(wide.mse / narrow.mse) == pytest.approx(6.02, abs=0.1)


def test_the_size_is_that_of_the_bytes_that_bring_the_reconstruction_back():
    """Encode by hand unit by unit, decode the bytes, decode the codes: the same size and the same error."""
    x, decode = normal(50, 1, 2, 3), torch.nn.Linear(4, 6).double().requires_grad_(False)
    z = normal(50, 2, 2, seed=1)

    def reconstruct(codes):
        return decode(codes.flatten(1)).view(-1, 1, 2, 3)

    (point,) = rate_distortion(x, z, reconstruct, [0.3], batch_size=7)
    coded = [entropy_encode((unit / 0.3).round().long().numpy()) for unit in z.flatten(1).T]
    codes = 0.3 * torch.stack([torch.from_numpy(entropy_decode(unit)) for unit in coded], 1).double()
    assert point.bytes_per_example == pytest.approx(sum(map(len, coded)) / 50)
    assert point.bits_per_value == pytest.approx(8 * sum(map(len, coded)) / x.numel())
    assert point.mse == pytest.approx((x - reconstruct(codes.view(50, 2, 2))).square().mean().item())


def test_a_step_so_wide_that_all_is_zero_costs_tables_only():
    x = normal(1000, 3)
    (point,) = rate_distortion(x, x, identity, [100.0])
    assert point.bytes_per_example < 0.05
    assert point.mse == pytest.approx(x.square().mean().item())


def test_quantize_is_off_by_half_a_step_at_most():
    z = normal(100, 4).float()
    assert (quantize(z, 0.1).double() * 0.1 - z.double()).abs().max() <= 0.05 + 1e-12


@pytest.mark.usefixtures("as_a_user")
def test_bad_input_is_named():
    x = normal(5, 2)
    with pytest.raises(ValueError, match="step: got 0"):
        rate_distortion(x, x, identity, [0.0])
    with pytest.raises(ValueError, match="z: got 4 codes for 5 examples"):
        rate_distortion(x, x[1:], identity, [1.0])
    with pytest.raises(ValueError, match="z / step: values run from"):
        quantize(x, 1e-30)
    with pytest.raises(ValueError, match="z: 10 of 10 values are NaN or infinite"):
        quantize(x * torch.nan, 1.0)
