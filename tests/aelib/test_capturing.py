"""Recorded steps against steps that are taken as they are. Without a GPU, what records is a stand-in that runs again."""

import copy

import pytest
import torch
from torch import nn

from aelib.capturing import WARM_UP, CapturedSteps, fixed_state
from aelib.distributed import Group
from aelib.history import TrainConfig
from aelib.models import build
from aelib.stepping import Steps
from aelib.training import fit


class Rerun:
    """Runs a recording by doing it again, into the same memory each time."""

    def __init__(self, error=None):
        self.recorded = 0
        self.error = error

    def aside(self, step):
        return step()

    def record(self, step):
        if self.error:
            raise RuntimeError(self.error)
        self.recorded += 1
        result = []

        def replay():
            values = step()
            if not result:
                result.append(torch.empty_like(values))
            return result[0].copy_(values)

        return replay


def pair(name, recorder):
    """The same model twice: (model, its steps as they are), (model, its captured steps)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = build(name, (6,), 3)
    models = plain, copy.deepcopy(plain)
    for model in models:
        model.train()
    steps = [Steps(model, TrainConfig(lr=1e-2), Group(), compile=False) for model in models]
    return (models[0], steps[0]), (models[1], CapturedSteps(steps[1], models[1], recorder))


def batches(n=12):
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(4 if i % 4 else 3, 6, generator=generator) for i in range(n)]


def take(step, number, x, given=None):
    with torch.random.fork_rng():
        torch.manual_seed(number)
        return step(x, given or {}, 1.0)


@pytest.mark.parametrize("name", ["undercomplete", "vae", "adversarial", "vqvae", "sparse_topk"])
def test_recorded_steps_are_the_same_steps(name):
    """Two sizes of batch, one or two phases, noise, and buffers that move."""
    recorder = Rerun()
    (plain, step), (model, captured) = pair(name, recorder)
    captured.new_epoch()
    for number, x in enumerate(batches()):
        expected = take(step, number, x)
        # The caller's tensor may be used for something else afterwards, and so may the recording's.
        given = x.clone()
        losses = take(captured, number, given)
        given.zero_()
        assert [(total.item(), {k: v.item() for k, v in terms.items()}) for total, terms in losses] == [
            (total.item(), {k: v.item() for k, v in terms.items()}) for total, terms in expected
        ]
    assert recorder.recorded == 1  # the smaller batch came only three times
    assert not captured.why_not
    for key, value in plain.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


def test_losses_of_earlier_steps_are_not_overwritten():
    _, (_, captured) = pair("undercomplete", Rerun())
    captured.new_epoch()
    x = batches()[1]
    then, losses = [], []
    for _ in range(WARM_UP + 4):
        losses.append(captured(x, {}, 1.0)[0][0])
        then.append(losses[-1].item())
    assert [value.item() for value in losses] == then
    assert len(set(then)) == len(then)


def test_what_cannot_be_recorded_is_taken_as_it_is(caplog):
    caplog.set_level("INFO", "aelib.capturing")
    (plain, step), (model, captured) = pair("undercomplete", Rerun("operation not permitted when stream is capturing"))
    captured.new_epoch()
    for number, x in enumerate(batches()):
        take(step, number, x)
        take(captured, number, x)
    assert "not permitted" in captured.why_not
    assert "not permitted" in caplog.text
    for key, value in plain.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


class Counting(nn.Module):
    """Multiplies by a number that it keeps in Python and changes at every call."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x * self.calls


class Replacing(nn.Module):
    """Puts a new tensor where another one was."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return x


@pytest.mark.parametrize("part", [Counting(), Replacing()])
def test_a_model_that_a_step_changes_outside_of_its_tensors_is_not_recorded(part):
    recorder = Rerun()
    _, (model, captured) = pair("undercomplete", recorder)
    model.encoder = nn.Sequential(part, model.encoder)
    captured.new_epoch()
    for x in batches():
        captured(x, {}, 1.0)
    assert "Python" in captured.why_not
    assert recorder.recorded == 0


def test_a_number_changed_between_epochs_makes_a_new_recording():
    recorder = Rerun()
    _, (model, captured) = pair("vae", recorder)
    x = batches()[1]
    for beta, recordings in ((1.0, 1), (1.0, 1), (0.5, 2)):
        model.beta = beta
        captured.new_epoch()
        for _ in range(WARM_UP + 2):
            captured(x, {}, 1.0)
        assert recorder.recorded == recordings


def test_the_fixed_state_names_what_differs():
    model = build("vae", (6,), 3)
    before = fixed_state(model)
    model.beta = 2.0
    changed = {name for name, value in fixed_state(model).items() if before[name] != value}
    assert changed == {".beta"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("name", ["undercomplete", "vae", "adversarial", "vqvae", "sparse_topk", "contractive"])
def test_a_gpu_trains_the_same_with_recorded_steps(name):
    x, results = torch.rand(30, 6, generator=torch.Generator().manual_seed(0)), []
    for capture in (False, True):
        with torch.random.fork_rng(["cuda"]):
            torch.manual_seed(0)
            model = build(name, (6,), 3)
        config = TrainConfig(epochs=5, batch_size=4, lr=1e-3)
        fit(model, x, config, device="cuda", capture=capture, progress=False)
        results.append(model.state_dict())
    for key, value in results[0].items():
        torch.testing.assert_close(results[1][key], value, rtol=1e-3, atol=1e-4)
