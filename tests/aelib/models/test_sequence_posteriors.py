"""VAEs of padded sequences: padding counts nothing in their losses and likelihoods, row by row against unpadded computation."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal

from aelib.bounds import active_units, collapse_report, log_likelihood
from aelib.history import TrainConfig
from aelib.likelihoods import Categorical, Gaussian
from aelib.models import IWAE, VAE
from aelib.recurrent import RecurrentDecoder, RecurrentEncoder
from aelib.sequences import Steps
from aelib.training import evaluate, fit

LENGTHS = torch.tensor([3, 6, 1, 4])
MODELS = {"vae": VAE, "iwae": lambda *parts: IWAE(*parts, num_samples=3)}


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


def make(name, num_steps=6, num_classes=None):
    steps = Steps((num_steps, 2)) if num_classes is None else Steps((num_steps,), num_classes)
    likelihood = Gaussian() if num_classes is None else Categorical(num_classes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MODELS[name](RecurrentEncoder(steps, 8, 6), RecurrentDecoder(3, 8, steps), likelihood, 3)


def sequences(num_classes=None, padding=0.0):
    generator = torch.Generator().manual_seed(0)
    if num_classes is None:
        return torch.where(
            (torch.arange(6) < LENGTHS[:, None])[..., None], torch.randn(4, 6, 2, generator=generator), padding
        )
    return torch.where(
        torch.arange(6) < LENGTHS[:, None], torch.randint(num_classes, (4, 6), generator=generator), padding
    )


def rows(name, x):
    """Each row cut to its own length, and a model with the same weights for sequences of that length."""
    whole = make(name)
    for i, length in enumerate(LENGTHS.tolist()):
        alone = make(name, num_steps=length)
        alone.load_state_dict(whole.state_dict())
        yield x[i : i + 1, :length], alone


def step(model, x):
    model.zero_grad()
    loss = model.loss(x, model(x, generator=torch.Generator().manual_seed(1), lengths=LENGTHS)).total
    loss.backward()
    return [loss.detach(), *(parameter.grad.clone() for parameter in model.parameters())]


@pytest.mark.parametrize(("num_classes", "paddings"), [(None, (0.0, 1e6, math.nan)), (5, (0, 4, -100))])
def test_what_the_padding_holds_changes_nothing(name, num_classes, paddings):
    model = make(name, num_classes=num_classes)
    expected, *others = [step(model, sequences(num_classes, padding)) for padding in paddings]
    for other in others:
        assert all(torch.equal(one, another) for one, another in zip(expected, other, strict=True))


def test_the_loss_is_that_of_each_row_without_padding(name):
    model, x = make(name), sequences(padding=math.nan)
    with torch.no_grad():
        out = model(x, lengths=LENGTHS)
        loss = model.loss(x, out)
        draws = out.draws if name == "iwae" else out.z.unsqueeze(1)
        bounds, recons = [], []
        for i, (row, alone) in enumerate(rows(name, x)):
            q = Independent(Normal(out.mu[i], torch.exp(out.logvar[i] / 2)), 1)
            p = Independent(Normal(torch.zeros(3), torch.ones(3)), 1)
            log_p_x = -alone.likelihood.nll(alone.decoder(draws[i]), row.expand(draws.shape[1], -1, -1))
            recons.append(-log_p_x.mean())
            log_w = log_p_x + p.log_prob(draws[i]) - q.log_prob(draws[i])
            bounds.append(log_w.logsumexp(0) - math.log(draws.shape[1]))
            torch.testing.assert_close(alone.encode(row)[0], out.mu[i])
    torch.testing.assert_close(loss.terms["recon"], torch.stack(recons).mean())
    expected = -torch.stack(bounds).mean() if name == "iwae" else loss.terms["recon"] + loss.terms["kl"]
    torch.testing.assert_close(loss.total, expected)


def test_the_likelihood_is_that_of_each_row_without_padding(name):
    """One row at a time, so that the same seed gives the same draws."""
    model, x = make(name), sequences(padding=math.nan)
    for i, (row, alone) in enumerate(rows(name, x)):
        lengths = LENGTHS[i : i + 1]
        padded = log_likelihood(model, x[i : i + 1], given={"lengths": lengths}, num_samples=7)
        torch.testing.assert_close(padded, log_likelihood(alone, row, num_samples=7))
    together = [
        log_likelihood(model, sequences(padding=value), given={"lengths": LENGTHS}) for value in (0.0, math.nan)
    ]
    assert torch.equal(together[0], together[1])


def test_codes_are_measured_without_padding(name):
    model = make(name)
    reports = [
        collapse_report(model, sequences(padding=value), given={"lengths": LENGTHS}) for value in (0.0, math.nan)
    ]
    assert torch.equal(reports[0].kl, reports[1].kl)
    assert active_units(model, sequences(padding=math.nan), given={"lengths": LENGTHS}).shape == (3,)


def test_without_lengths_all_sequences_are_full(name):
    model, x = make(name), sequences()
    full = torch.full((4,), 6)
    torch.testing.assert_close(
        evaluate(model, x)["total"], evaluate(model, x, given={"lengths": full})["total"], rtol=1e-6, atol=0
    )
    assert model(x).mask is None


def test_fit_passes_lengths_on(name):
    model, x, given = make(name), sequences(), {"lengths": LENGTHS}
    before = evaluate(model, x, given=given)["total"]
    fit(model, x, TrainConfig(epochs=30, lr=1e-2), given=given, progress=False, device="cpu")
    assert evaluate(model, x, given=given)["total"] < before
