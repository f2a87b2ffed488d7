"""Reconstruction metrics against scikit-learn, arithmetic, and SSIM's formula as four loops."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import explained_variance_score
from sklearn.metrics import mean_squared_error as sklearn_mse

from aelib.metrics import explained_variance, mean_squared_error, psnr, reconstruction_error, squared_error, ssim


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_worked_example_2():
    """W2: each row's mean squared error is 0.0175 (E6: none is 0.13), and so is that of the batch."""
    x = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0]])
    x_hat = torch.tensor([[0.9, 0.1, 0.8, 0.1], [0.1, 0.9, 0.1, 0.8], [0.8, 0.9, 0.1, 0.1]])
    for row, row_hat in zip(x, x_hat):
        assert reconstruction_error(row[None], row_hat[None]) / 4 == pytest.approx(0.0175, rel=1e-6)
    assert reconstruction_error(x, x_hat) / 4 == pytest.approx(0.0175, rel=1e-6)


def test_reconstruction_error_sums_the_event_and_averages_the_batch():
    x, x_hat = normal(5, 2, 3), normal(5, 2, 3, seed=1)
    total = sum(((x[i] - x_hat[i]) ** 2).sum().item() for i in range(5))
    assert reconstruction_error(x, x_hat) == pytest.approx(total / 5)


def test_explained_variance_is_scikit_learns_for_centered_errors():
    x, noise = normal(200, 4), normal(200, 4, seed=1)
    x_hat = x + 0.3 * (noise - noise.mean(0))
    expected = explained_variance_score(x.numpy(), x_hat.numpy(), multioutput="variance_weighted")
    assert explained_variance(x, x_hat) == pytest.approx(expected)


def test_explained_variance_of_the_mean_is_zero_and_of_a_copy_one():
    x = normal(20, 3)
    assert explained_variance(x, x) == 1
    assert explained_variance(x, x.mean(0).expand(20, 3)) == pytest.approx(0)


def test_constant_data_have_no_variance_to_explain():
    x = torch.ones(3, 2)
    with pytest.raises(ValueError, match="all examples are the same"):
        explained_variance(x, x)


@pytest.mark.usefixtures("as_a_user")
def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"x_hat: got shape \(2, 3\); expected a batch of shape \(B, 2\)"):
        reconstruction_error(torch.zeros(2, 2), torch.zeros(2, 3))


def test_squared_error_is_one_number_for_each_example():
    x, x_hat = normal(4, 2, 3), normal(4, 2, 3, seed=1)
    expected = [
        sum((a - b) ** 2 for a, b in zip(x[i].flatten().tolist(), x_hat[i].flatten().tolist())) for i in range(4)
    ]
    np.testing.assert_allclose(squared_error(x, x_hat).numpy(), expected)


def test_mean_squared_error_is_scikit_learns():
    x, x_hat = normal(30, 5), normal(30, 5, seed=1)
    assert mean_squared_error(x, x_hat) == pytest.approx(sklearn_mse(x.numpy(), x_hat.numpy()))


def test_small_errors_are_not_lost_in_single_precision():
    """A million errors of 1e-4 beside one of 100: a sum in single precision would lose the small ones."""
    x = torch.zeros(1, 1_000_001)
    x_hat = torch.full_like(x, 1e-2)
    x_hat[0, 0] = 1e4
    assert reconstruction_error(x, x_hat) == pytest.approx(1e8 + 100, rel=1e-9)


@pytest.mark.parametrize("metric", [squared_error, reconstruction_error, mean_squared_error, psnr])
def test_numbers_of_examples_must_agree(metric, as_a_user):
    with pytest.raises(ValueError, match="x_hat: got 1 examples for 2 in x"):
        metric(torch.zeros(2, 3), torch.zeros(1, 3))
    with pytest.raises(ValueError, match="at least one"):
        metric(torch.zeros(0, 3), torch.zeros(0, 3))


def test_psnr_by_hand():
    """An error of 0.1 everywhere is 20 dB below a peak of 1; bytes and fractions of 255 say the same; a copy is perfect."""
    x = torch.zeros(3, 1, 4, 4, dtype=torch.float64)
    x_hat = x + torch.tensor([0.1, 0.01, 0.0]).double().view(3, 1, 1, 1)
    values = psnr(x, x_hat)
    assert values[:2].tolist() == pytest.approx([20, 40])
    assert values[2] == math.inf
    torch.testing.assert_close(psnr(255 * x, 255 * x_hat, peak=255), values)


def test_the_mean_psnr_is_at_least_that_of_the_mean_error():
    x, x_hat = normal(20, 9), normal(20, 9, seed=1) * torch.linspace(0.1, 3, 20).double()[:, None]
    assert psnr(x, x_hat).mean() > 10 * math.log10(1 / mean_squared_error(x, x_hat))


def ssim_by_hand(a, b, peak):
    """Equation 13 for each window and channel, with the window's weights as one 11 x 11 table."""
    table = np.array([[math.exp(-(i**2 + j**2) / (2 * 1.5**2)) for j in range(-5, 6)] for i in range(-5, 6)])
    table /= table.sum()
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    values = []
    for plane_a, plane_b in zip(a, b):
        for top in range(a.shape[1] - 10):
            for left in range(a.shape[2] - 10):
                p, q = (plane[top : top + 11, left : left + 11] for plane in (plane_a, plane_b))
                mean_p, mean_q = (table * p).sum(), (table * q).sum()
                var_p, var_q = (table * (p - mean_p) ** 2).sum(), (table * (q - mean_q) ** 2).sum()
                cov = (table * (p - mean_p) * (q - mean_q)).sum()
                numerator = (2 * mean_p * mean_q + c1) * (2 * cov + c2)
                values.append(numerator / ((mean_p**2 + mean_q**2 + c1) * (var_p + var_q + c2)))
    return np.mean(values)


@pytest.mark.parametrize("peak", [1.0, 255.0])
def test_ssim_is_its_formula(peak):
    generator = torch.Generator().manual_seed(0)
    x = peak * torch.rand(3, 2, 14, 13, generator=generator)
    x_hat = 0.7 * x + 0.3 * peak * torch.rand(3, 2, 14, 13, generator=generator)
    expected = [ssim_by_hand(a.double().numpy(), b.double().numpy(), peak) for a, b in zip(x, x_hat)]
    np.testing.assert_allclose(ssim(x, x_hat, peak=peak).numpy(), expected, rtol=1e-9)


def test_ssim_of_a_copy_is_one_and_of_a_negative_below_zero():
    x = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    np.testing.assert_allclose(ssim(x, x).numpy(), 1)
    assert (ssim(x, 1 - x) < 0).all()


def test_ssim_batches_change_nothing():
    x = torch.rand(300, 1, 11, 11, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ssim(x, 1 - x)[256:], ssim(x[256:], 1 - x[256:]))


def test_ssim_and_psnr_refuse_what_they_cannot_read():
    with pytest.raises(ValueError, match="at least 11 x 11"):
        ssim(torch.zeros(1, 1, 8, 20), torch.zeros(1, 1, 8, 20))
    for metric in (psnr, ssim):
        with pytest.raises(ValueError, match="peak: got 0"):
            metric(torch.zeros(1, 1, 11, 11), torch.zeros(1, 1, 11, 11), peak=0)
