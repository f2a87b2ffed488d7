"""Corruptions against the statistics they promise."""

import math
import pickle

import pytest
import torch

from aelib.corruption import dropout, gaussian, masking, salt_and_pepper

ALL = {
    "gaussian": gaussian(0.5),
    "masking": masking(0.3),
    "dropout": dropout(0.3),
    "salt_and_pepper": salt_and_pepper(0.4, -1.0, 2.0),
}
N = 200_000


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def assert_mean(values, expected):
    """The mean of ``values`` is ``expected`` within five standard errors."""
    values = values.double()
    assert abs(values.mean() - expected) < 5 * values.std() / math.sqrt(values.numel())


@pytest.fixture(params=sorted(ALL))
def corruption(request):
    return ALL[request.param]


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (4, 2, 5, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_dtype_stay_and_so_does_x(corruption, shape, dtype):
    x = torch.rand(shape, generator=seeded(), dtype=dtype)
    before = x.clone()
    x_tilde = corruption(x, None)
    assert (x_tilde.shape, x_tilde.dtype) == (x.shape, x.dtype)
    assert torch.equal(x, before)


def test_the_generator_decides_the_noise(corruption):
    x = torch.rand(20, 20, generator=seeded())
    assert torch.equal(corruption(x, seeded(1)), corruption(x, seeded(1)))
    assert not torch.equal(corruption(x, seeded(1)), corruption(x, seeded(2)))
    generator = seeded(1)
    assert not torch.equal(corruption(x, generator), corruption(x, generator))


def test_corruptions_can_be_sent_to_another_process(corruption):
    x = torch.rand(5, 5, generator=seeded())
    assert torch.equal(pickle.loads(pickle.dumps(corruption))(x, seeded()), corruption(x, seeded()))


def test_gaussian_noise_has_mean_zero_and_its_standard_deviation():
    x = torch.full((N, 1), 3.0)
    noise = gaussian(0.5)(x, seeded()) - x
    assert_mean(noise, 0)
    assert_mean(noise.square(), 0.25)
    assert_mean(noise.double() ** 4, 3 * 0.5**4)


def test_masking_sets_a_share_p_to_zero_and_leaves_the_rest():
    x = torch.rand(N // 4, 4, generator=seeded(1)) + 1
    x_tilde = masking(0.3)(x, seeded())
    masked = x_tilde == 0
    assert_mean(masked, 0.3)
    assert torch.equal(x_tilde[~masked], x[~masked])
    # Values of one example are masked independently: two at once with probability p^2.
    assert_mean(masked[:, 0] & masked[:, 1], 0.3**2)


def test_masking_takes_integers_too():
    x = torch.full((1000, 2), 7)
    x_tilde = masking(0.5)(x, seeded())
    assert x_tilde.dtype == torch.long
    assert set(x_tilde.unique().tolist()) == {0, 7}


def test_dropout_is_unbiased_and_masking_is_not():
    x = torch.full((N, 1), 2.0)
    assert_mean(dropout(0.3)(x, seeded()), 2.0)
    assert_mean(masking(0.3)(x, seeded()), 0.7 * 2.0)
    # Var = x^2 p / (1 - p)
    assert_mean((dropout(0.3)(x, seeded()) - 2).square(), 4 * 0.3 / 0.7)


def test_salt_and_pepper_replaces_a_share_p_half_by_each():
    x = torch.rand(N // 4, 4, generator=seeded(1))
    x_tilde = salt_and_pepper(0.4, -1.0, 2.0)(x, seeded())
    assert_mean(x_tilde == -1, 0.2)
    assert_mean(x_tilde == 2, 0.2)
    untouched = (x_tilde != -1) & (x_tilde != 2)
    assert torch.equal(x_tilde[untouched], x[untouched])


def test_the_ends_of_the_ranges():
    x = torch.rand(50, 4, generator=seeded()) + 1
    assert torch.equal(gaussian(0)(x, None), x)
    assert torch.equal(masking(0)(x, None), x)
    assert torch.equal(masking(1)(x, None), torch.zeros_like(x))
    assert torch.equal(dropout(0)(x, None), x)
    assert set(salt_and_pepper(1)(x, seeded()).unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gaussian(-0.1), "sigma: got -0.1; expected a finite number of at least 0"),
        (lambda: gaussian(math.nan), "sigma: got nan"),
        (lambda: gaussian(math.inf), "sigma: got inf"),
        (lambda: masking(1.5), r"p: got 1.5; expected a probability in \[0, 1\]"),
        (lambda: masking(math.nan), "p: got nan"),
        (lambda: dropout(1.0), r"p: got 1.0; expected a probability in \[0, 1\)"),
        (lambda: salt_and_pepper(-0.1), "p: got -0.1"),
        (lambda: salt_and_pepper(0.1, 1, 1), "low, high: got 1 and 1; expected low to be below high"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()
