"""Likelihoods against torch.distributions, and the worked numbers of the course."""

import math

import pytest
import torch
from torch import distributions

from aelib.likelihoods import Bernoulli, Categorical, Gaussian, GaussianWithVariance


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 4, 4)])
@pytest.mark.parametrize("sigma", [1.0, 0.3])
def test_gaussian_is_torchs(shape, sigma, generator):
    params, x = torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
    expected = -distributions.Normal(params, sigma).log_prob(x)
    torch.testing.assert_close(Gaussian(sigma).nll(params, x), expected.reshape(5, -1).sum(1))


def test_gaussian_with_unit_sigma_is_half_the_squared_error_and_a_constant(generator):
    params, x = torch.randn(4, 6, generator=generator), torch.randn(4, 6, generator=generator)
    by_hand = 0.5 * ((x - params) ** 2).sum(1) + 3 * math.log(2 * math.pi)
    torch.testing.assert_close(Gaussian().nll(params, x), by_hand)


def test_learned_sigma_reaches_the_root_mean_squared_error(generator):
    """For fixed means, the likelihood is highest where sigma^2 is the mean squared error."""
    params, x = torch.zeros(50, 4), 0.7 * torch.randn(50, 4, generator=generator)
    likelihood = Gaussian(learned=True)
    optimizer = torch.optim.LBFGS(likelihood.parameters(), max_iter=50)

    def closure():
        optimizer.zero_grad()
        loss = likelihood.nll(params, x).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(
        likelihood.log_sigma.exp().square().detach(), (x - params).square().mean(), rtol=1e-4, atol=0
    )


def test_fixed_sigma_is_not_a_parameter():
    assert list(Gaussian().parameters()) == []


@pytest.mark.parametrize("shape", [(5, 3), (5, 1, 4, 4)])
def test_bernoulli_is_torchs(shape, generator):
    params = torch.randn(shape, generator=generator)
    x = (torch.rand(shape, generator=generator) > 0.5).float()
    expected = -distributions.Bernoulli(logits=params).log_prob(x)
    torch.testing.assert_close(Bernoulli().nll(params, x), expected.reshape(5, -1).sum(1))


def test_bernoulli_of_practice_problem_4():
    """P4: the mean over three pixels is 0.1839 nats; three terms, not six (E7)."""
    x, p = torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([[0.9, 0.2, 0.8]])
    nll = Bernoulli().nll(torch.logit(p), x)
    assert nll.item() / 3 == pytest.approx(-(math.log(0.9) + math.log(0.8) + math.log(0.8)) / 3, rel=1e-6)
    assert round(nll.item() / 3, 4) == 0.1839


def test_bernoulli_is_finite_where_the_probability_rounds_to_zero():
    nll = Bernoulli().nll(torch.tensor([[-200.0]]), torch.tensor([[1.0]]))
    assert nll.item() == 200.0


def test_categorical_is_torchs(generator):
    params = torch.randn(5, 7, 3, 2, generator=generator)
    x = torch.randint(0, 7, (5, 3, 2), generator=generator)
    expected = -distributions.Categorical(logits=params.movedim(1, -1)).log_prob(x)
    torch.testing.assert_close(Categorical(7).nll(params, x), expected.reshape(5, -1).sum(1))
    torch.testing.assert_close(Categorical(7).mean(params).sum(1), torch.ones(5, 3, 2))


def test_bernoulli_refuses_values_outside_the_unit_interval():
    with pytest.raises(ValueError, match=r"x: values run from -1 to 2; expected all of them in \[0, 1\]"):
        Bernoulli().nll(torch.zeros(1, 2), torch.tensor([[-1.0, 2.0]]))


@pytest.mark.parametrize("likelihood", [Gaussian(), Bernoulli()])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_check_says_where_the_first_bad_value_is(likelihood, bad):
    x = torch.zeros(2, 3)
    x[1, 2] = bad
    with pytest.raises(ValueError, match=r"pixels: 1 of 6 values are NaN or infinite, the first at index \(1, 2\)"):
        likelihood.check(x, "pixels")


def test_categorical_checks_its_classes():
    with pytest.raises(ValueError, match=r"x: got torch.float32; expected integers from 0 to 3"):
        Categorical(4).check(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"x: values run from 0 to 4; expected all of them in \[0, 3\]"):
        Categorical(4).check(torch.tensor([[0, 4]]))
    with pytest.raises(ValueError, match="num_classes: got 1"):
        Categorical(1)


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan, math.inf])
def test_sigma_must_be_above_zero(sigma):
    with pytest.raises(ValueError, match=r"sigma: got .*; expected a finite number above 0"):
        Gaussian(sigma)


def test_a_mask_leaves_values_out_even_if_they_are_nan(generator):
    params, x = torch.randn(3, 4, 2, generator=generator), torch.randn(3, 4, 2, generator=generator)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]])
    by_hand = [Gaussian().nll(params[i : i + 1, : mask[i].sum()], x[i : i + 1, : mask[i].sum()]) for i in range(3)]
    x[1, 2:] = math.nan
    torch.testing.assert_close(Gaussian().nll(params, x, mask), torch.cat(by_hand))


@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 4, 4)])
def test_gaussian_with_variance_is_torchs(shape, generator):
    mean, logvar, x = (torch.randn(shape, generator=generator).double() for _ in range(3))
    likelihood, params = GaussianWithVariance(min_sigma=1e-4), torch.cat([mean, logvar], dim=1)
    expected = -distributions.Normal(mean, torch.exp(logvar / 2)).log_prob(x)
    torch.testing.assert_close(likelihood.nll(params, x), expected.flatten(1).sum(1), rtol=1e-5, atol=1e-5)
    assert torch.equal(likelihood.mean(params), mean)


def test_the_variance_has_a_floor_with_a_gradient():
    """Below the floor the standard deviation is min_sigma, however far; at the floor the raw value is raised by log 2."""
    likelihood, zero = GaussianWithVariance(min_sigma=0.1), torch.zeros(1, 1)
    floor = 2 * math.log(0.1)
    for raw, logvar in ((-1e6, floor), (floor, floor + math.log(2)), (5.0, 5.0)):
        nll = likelihood.nll(torch.tensor([[0.0, raw]]), zero).item()
        assert nll == pytest.approx(0.5 * (logvar + math.log(2 * math.pi)), abs=1e-3)
    raw = torch.tensor([[0.0, floor - 3]]).requires_grad_()
    likelihood.nll(raw, zero).sum().backward()
    assert raw.grad[0, 1] > 0


def test_predicted_variances_reach_those_of_the_data(generator):
    """Two values with different noise: the likelihood is highest where each variance is its mean squared error."""
    x = torch.randn(400, 2, generator=generator) * torch.tensor([0.2, 3.0])
    params = torch.zeros(1, 4).requires_grad_()
    optimizer = torch.optim.LBFGS([params], max_iter=100)

    def closure():
        optimizer.zero_grad()
        loss = GaussianWithVariance().nll(params.expand(400, 4), x).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(params.detach()[0, 2:].exp(), x.var(0, correction=0), rtol=0.02, atol=0)
    torch.testing.assert_close(params.detach()[0, :2], x.mean(0), rtol=0.02, atol=1e-3)


@pytest.mark.usefixtures("as_a_user")
def test_gaussian_with_variance_names_what_is_wrong():
    with pytest.raises(ValueError, match=r"min_sigma: got 0.0"):
        GaussianWithVariance(min_sigma=0.0)
    with pytest.raises(ValueError, match=r"the decoder's output: got shape \(2, 3\); expected an even axis 1"):
        GaussianWithVariance().nll(torch.zeros(2, 3), torch.zeros(2, 3))
