"""Each convention is computed from scratch on the same numbers, and our helper leads from any of them to aelib's and back."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal

from aelib.likelihoods import Bernoulli, Gaussian
from aelib.losses import gaussian_kl
from aelib.metrics import CONVENTIONS, Scale, bits_per_dimension, convention, convert_loss

B, SHAPE, LATENT_DIM = 6, (3, 4, 5), 2
GENERATOR = torch.Generator().manual_seed(0)
X = torch.rand(B, *SHAPE, generator=GENERATOR, dtype=torch.float64)
LOGITS = torch.randn(B, *SHAPE, generator=GENERATOR, dtype=torch.float64)
MU, LOGVAR = torch.randn(2, B, LATENT_DIM, generator=GENERATOR, dtype=torch.float64)
P = torch.sigmoid(LOGITS)


def cross_entropies():
    """As in a textbook, value by value, in numpy."""
    x, p = X.numpy(), P.numpy()
    return -(x * np.log(p) + (1 - x) * np.log(1 - p))


def kls():
    """By integrating q log(q / p) on a grid, dimension by dimension."""
    grid = torch.linspace(-60, 60, 40_001, dtype=torch.float64)
    q, p = Normal(MU[..., None], torch.exp(LOGVAR / 2)[..., None]), Normal(0.0, 1.0)
    log_q = q.log_prob(grid)
    return torch.trapezoid(log_q.exp() * (log_q - p.log_prob(grid)), grid).numpy()


SQUARES = (X.numpy() - P.numpy()) ** 2
# What each loss function does, from its description: sums and means over (batch, channels, rows, columns).
REPORTED = {
    ("aelib_gaussian", "recon"): Gaussian().nll(P, X).mean().item(),
    ("aelib_bernoulli", "recon"): Bernoulli().nll(LOGITS, X).mean().item(),
    ("aelib_gaussian", "kl"): gaussian_kl(MU, LOGVAR).mean().item(),
    ("aelib_bernoulli", "kl"): gaussian_kl(MU, LOGVAR).mean().item(),
    ("pythae_mse", "recon"): np.mean([0.5 * row.sum() for row in SQUARES]),
    ("pythae_mse", "kl"): np.mean([row.sum() for row in kls()]),
    ("pythae_bce", "recon"): np.mean([row.sum() for row in cross_entropies()]),
    ("pythae_bce", "kl"): np.mean([row.sum() for row in kls()]),
    ("pytorch_example", "recon"): cross_entropies().sum(),
    ("pytorch_example", "kl"): kls().sum(),
    # Keras has channels last; its cross-entropy is a mean over the last axis, and the example sums over rows and columns.
    ("keras_example", "recon"): cross_entropies().transpose(0, 2, 3, 1).mean(-1).sum((1, 2)).mean(),
    ("keras_example", "kl"): kls().sum(1).mean(),
    ("torch_mse_loss", "recon"): F.mse_loss(P, X).item(),
    ("torch_bce_loss", "recon"): F.binary_cross_entropy(P, X).item(),
}


def event(term):
    return (LATENT_DIM,) if term == "kl" else SHAPE


def test_every_convention_is_recomputed():
    assert set(REPORTED) == {(name, term) for name, terms in CONVENTIONS.items() for term in terms}


@pytest.mark.parametrize(("name", "term"), sorted(REPORTED))
def test_each_convention_converts_to_aelibs_and_back(name, term):
    scale = convention(name, term)
    ours = "aelib_gaussian" if scale.term == "squared_error" else "aelib_bernoulli"
    target, sizes = convention(ours, term), {"event_shape": event(term), "batch_size": B}
    assert convert_loss(REPORTED[name, term], scale, target, **sizes) == pytest.approx(REPORTED[ours, term], rel=1e-9)
    assert convert_loss(REPORTED[ours, term], target, scale, **sizes) == pytest.approx(REPORTED[name, term], rel=1e-9)


def test_pytorchs_example_prints_our_number():
    """Its loss is a sum over the batch; what it prints is divided by the number of examples."""
    assert REPORTED["pytorch_example", "recon"] / B == pytest.approx(REPORTED["aelib_bernoulli", "recon"])


def test_no_scale_converts_what_was_cut_off():
    """A certain and wrong output costs 200 nats from its logit, and 100 from its probability in torch."""
    x, logit = torch.ones(1, 1), torch.full((1, 1), -200.0)
    assert Bernoulli().nll(logit, x).item() == pytest.approx(200)
    assert F.binary_cross_entropy(torch.sigmoid(logit), x).item() == 100


def test_keras_number_is_ours_for_one_channel_only():
    scale, target = convention("keras_example", "recon"), convention("aelib_bernoulli", "recon")
    assert convert_loss(1.0, scale, target, event_shape=(1, 28, 28), batch_size=B) == 1
    assert convert_loss(1.0, scale, target, event_shape=(3, 28, 28), batch_size=B) == pytest.approx(3)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("unit", ["nats", "bits"])
@pytest.mark.parametrize("over_event", ["sum", "mean", "channel_mean"])
@pytest.mark.parametrize("over_batch", ["sum", "mean"])
def test_every_squared_error_is_the_sum_that_it_says(half, constant, unit, over_event, over_batch):
    """Value by value: (1/2) (x - m)^2, with a share of the constant, then each reduction in turn."""
    values = (0.5 if half else 1) * SQUARES + (0.5 * math.log(2 * math.pi) if constant else 0)
    values = values / math.log(2) if unit == "bits" else values
    over_channels = values.sum(1) if over_event == "sum" else values.mean(1)
    rows = over_channels.mean((1, 2)) if over_event == "mean" else over_channels.sum((1, 2))
    expected = rows.sum() if over_batch == "sum" else rows.mean()
    target = Scale("squared_error", over_event, over_batch, unit, half, constant)
    ours = convert_loss(
        REPORTED["aelib_gaussian", "recon"], Scale("squared_error"), target, event_shape=SHAPE, batch_size=B
    )
    assert ours == pytest.approx(expected, rel=1e-9)


def test_bits_per_dimension_is_a_scale_too():
    nats = REPORTED["aelib_bernoulli", "recon"]
    scale = Scale("cross_entropy", over_event="mean", unit="bits")
    expected = convert_loss(nats, Scale("cross_entropy"), scale, event_shape=SHAPE, batch_size=B)
    assert bits_per_dimension(nats, SHAPE) == pytest.approx(expected)


def test_a_fair_coin_costs_one_bit_and_a_uniform_byte_eight():
    assert bits_per_dimension(784 * math.log(2), (1, 28, 28)) == pytest.approx(1)
    # A uniform density on [0, 1] is 1 everywhere, 0 nats; each of the 256 bytes has probability 1/256.
    assert bits_per_dimension(0.0, (1, 28, 28), levels=256) == pytest.approx(8)


@pytest.mark.usefixtures("as_a_user")
def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"name: got 'pytorch_exmaple'; .*did you mean 'pytorch_example'"):
        convention("pytorch_exmaple", "recon")
    with pytest.raises(ValueError, match="term: got 'kl'; expected one of 'recon'"):
        convention("torch_mse_loss", "kl")
    for field in ("term", "over_event", "over_batch", "unit"):
        with pytest.raises(ValueError, match=f"{field}: got 'averge'"):
            Scale(**{"term": "kl", field: "averge"})


def test_bad_sizes_and_mixed_terms_are_refused():
    kl, recon = Scale("kl"), Scale("cross_entropy")
    with pytest.raises(ValueError, match="target: got a scale of 'cross_entropy'; expected one of 'kl'"):
        convert_loss(1.0, kl, recon, event_shape=(2,), batch_size=1)
    with pytest.raises(ValueError, match="batch_size"):
        convert_loss(1.0, kl, kl, event_shape=(2,), batch_size=0)
    with pytest.raises(ValueError, match="event_shape: got 0"):
        convert_loss(1.0, kl, kl, event_shape=(2, 0), batch_size=1)
    with pytest.raises(ValueError, match="event_shape: got no axes"):
        convert_loss(1.0, kl, kl, event_shape=(), batch_size=1)
    with pytest.raises(ValueError, match="levels"):
        bits_per_dimension(1.0, (2,), levels=0)
