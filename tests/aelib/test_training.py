"""fit and evaluate: against a loop written out by hand, and what they promise about seeds, stopping and resuming."""

import math
import shutil

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.models import VAE, LinearAE, VanillaAE
from aelib.nets import MLP
from aelib.training import evaluate, fit, seed_of


def data(n=30, seed=0):
    return torch.rand(n, 5, generator=torch.Generator().manual_seed(seed))


def make(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return VAE(MLP((5,), (8,), (4,)), MLP((2,), (8,), (5,)), Bernoulli(), 2)


def run(model, x, config, **options):
    return fit(model, x, config, progress=False, device="cpu", **options)


def same_weights(a, b):
    return all(torch.equal(value, b.state_dict()[name]) for name, value in a.state_dict().items())


def test_fit_is_the_loop_one_would_write():
    x, config = data(), TrainConfig(epochs=3, batch_size=8, lr=1e-2, seed=5)
    by_fit, by_hand = make(), make()
    history = run(by_fit, x, config)

    losses = []
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1e-2, fused=True)
    for epoch in range(3):
        order, total = torch.randperm(30, generator=torch.Generator().manual_seed(seed_of(5, epoch))), 0.0
        with torch.random.fork_rng():
            torch.manual_seed(seed_of(5, epoch, 1))
            for start in range(0, 30, 8):
                x_batch = x[order[start : start + 8]]
                loss = by_hand.loss(x_batch, by_hand(x_batch)).total
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(x_batch)
        losses.append(total / 30)
    assert same_weights(by_fit, by_hand)
    assert history.train["total"] == pytest.approx(losses)


def test_terms_add_up_to_the_total():
    history = run(make(), data(), TrainConfig(epochs=2))
    for epoch in range(2):
        parts = history.train["recon"][epoch] + history.train["kl"][epoch]
        assert history.train["total"][epoch] == pytest.approx(parts, rel=1e-5)


def test_validation_does_not_change_the_training():
    with_validation, without = make(), make()
    history = run(with_validation, data(), TrainConfig(epochs=3), x_val=data(7, seed=1))
    run(without, data(), TrainConfig(epochs=3))
    assert same_weights(with_validation, without)
    assert len(history.val["total"]) == len(history) == 3


def test_evaluate_does_not_depend_on_the_batch_size():
    model = VanillaAE(MLP((5,), (8,), (2,)), MLP((2,), (8,), (5,)), Gaussian())
    x = data()
    expected = model.loss(x, model(x)).total.item()
    for batch_size in (1, 7, 30, 100):
        assert evaluate(model, x, batch_size=batch_size)["total"] == pytest.approx(expected, rel=1e-6)


def test_evaluate_turns_dropout_off_and_puts_it_back():
    net = nn.Sequential(nn.Linear(5, 5), nn.Dropout(0.5))
    model = VanillaAE(net, MLP((5,), (), (5,)), Gaussian()).train()
    assert evaluate(model, data(), seed=0) == evaluate(model, data(), seed=1)
    assert model.training


def test_patience_stops_and_goes_back_to_the_best_weights():
    """Validation data far from the training data get worse as training goes on."""
    model, x_val, seen = make(), 1 - data().round(), []
    config = TrainConfig(epochs=200, lr=5e-2, patience=3)
    history = run(model, data().round(), config, x_val=x_val, on_epoch=lambda epoch, m: seen.append(epoch))
    assert len(history) < 200
    assert history.best_epoch == min(range(len(history)), key=history.val["total"].__getitem__)
    assert len(history) == history.best_epoch + 1 + 3
    assert seen == list(range(len(history)))
    assert evaluate(model, x_val, seed=config.seed)["total"] == history.val["total"][history.best_epoch]


class Stop(Exception):
    pass


@pytest.mark.parametrize("stop_after", [0, 2, 4])
@pytest.mark.parametrize("patience", [None, 2])
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(tmp_path, stop_after, patience):
    x, x_val, config = data(), data(9, seed=1), TrainConfig(epochs=6, batch_size=7, lr=5e-2, patience=patience)
    whole = make()
    expected = run(whole, x, config, x_val=x_val)

    def stop(epoch, model):
        if epoch == stop_after:
            raise Stop

    file = tmp_path / "run.pt"
    if stop_after < len(expected):
        with pytest.raises(Stop):
            run(make(), x, config, x_val=x_val, checkpoint=file, on_epoch=stop)
    resumed = make(seed=9)  # other initial weights: all must come from the file
    history = run(resumed, x, config, x_val=x_val, checkpoint=file)
    if stop_after < len(expected):
        assert same_weights(resumed, whole)
        assert history.val == expected.val
        assert history.train == expected.train
        assert history.best_epoch == expected.best_epoch
    # A finished run is not trained any further.
    again = make(seed=10)
    assert len(run(again, x, config, x_val=x_val, checkpoint=file)) == len(history)
    assert same_weights(again, resumed)


def test_a_finished_run_can_be_given_more_epochs(tmp_path):
    file, longer = tmp_path / "run.pt", make()
    run(make(), data(), TrainConfig(epochs=2), checkpoint=file)
    history = run(longer, data(), TrainConfig(epochs=5), checkpoint=file)
    whole = make()
    assert history.train == run(whole, data(), TrainConfig(epochs=5)).train
    assert same_weights(longer, whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"config": TrainConfig(epochs=2, lr=0.5)}, "made with lr=0.001; this one has lr=0.5"),
        ({"x": data(29)}, "made with num_examples=30; this one has num_examples=29"),
        ({"model": LinearAE((5,), 2)}, "made with model='VAE'; this one has model='LinearAE'"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_and_kept(tmp_path, change, message):
    file = tmp_path / "run.pt"
    run(make(), data(), TrainConfig(epochs=2), checkpoint=file)
    before = file.read_bytes()
    arguments = {"model": make(), "x": data(), "config": TrainConfig(epochs=2), **change}
    with pytest.raises(ValueError, match=message):
        run(**arguments, checkpoint=file)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (data() * 3 - 1, r"x: values run from .* expected all of them in \[0, 1\]"),
        (data().masked_fill(data() > 0.9, math.nan), r"x: \d+ of 150 values are NaN or infinite"),
        (data()[:, :4], r"x: got shape \(30, 4\); expected a batch of shape \(B, 5\)"),
        (data()[0], r"x: got shape \(5,\); expected a batch of shape \(B, \*event_shape\)"),
        (data()[:0], r"the number of examples in x: got 0"),
    ],
)
@pytest.mark.usefixtures("as_a_user")
def test_bad_data_are_refused_before_any_step(x, message):
    model, untouched = make(), make()
    with pytest.raises(ValueError, match=message):
        run(model, x, TrainConfig(epochs=1))
    assert same_weights(model, untouched)


@pytest.mark.usefixtures("as_a_user")
def test_arrays_are_refused_by_name():
    with pytest.raises(TypeError, match=r"x_val: got ndarray; expected a torch\.Tensor"):
        run(make(), data(), TrainConfig(epochs=1), x_val=data().numpy())


def test_patience_needs_validation_data():
    with pytest.raises(ValueError, match="x_val: got None with patience=2"):
        run(make(), data(), TrainConfig(patience=2))


def test_a_loss_that_blows_up_is_reported():
    with pytest.raises(FloatingPointError, match=r"the loss term '.*' became .*; a smaller lr"):
        run(LinearAE((5,), 2), data(), TrainConfig(epochs=20, lr=1e30))


def test_float64_data_train_a_float32_model():
    assert math.isfinite(run(make(), data().double(), TrainConfig(epochs=1)).train["total"][0])


@pytest.mark.parametrize(
    ("setting", "value"), [("epochs", 0), ("batch_size", 0), ("lr", -1.0), ("weight_decay", -1.0), ("patience", 0)]
)
def test_config_ranges(setting, value):
    with pytest.raises(ValueError, match=f"{setting}: got {value}; expected a number of at least"):
        TrainConfig(**{setting: value})


def test_the_progress_bar_shows_the_loss(capsys):
    fit(make(), data(), TrainConfig(epochs=2), device="cpu")
    assert "loss" in capsys.readouterr().err


class ClassOnly(nn.Module):
    """A decoder that looks at what the example comes with, and at nothing else."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(3, 5)

    def forward(self, z, *, y):
        return self.table(y)


class IgnoresClass(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = MLP((5,), (), (2,))

    def forward(self, x, *, y):
        return self.net(x)


def test_what_examples_come_with_goes_to_encoder_and_decoder():
    """With the class alone to decode from, the best reconstruction is the mean of the class."""
    x, y = data(60), torch.arange(60) % 3
    model = VanillaAE(IgnoresClass(), ClassOnly(), Gaussian())
    run(model, x, TrainConfig(epochs=300, batch_size=60, lr=5e-2), given={"y": y})
    means = torch.stack([x[y == label].mean(0) for label in range(3)])
    torch.testing.assert_close(model.decoder.table.weight.detach(), means, atol=1e-3, rtol=0)
    expected = model.loss(x, model(x, y=y)).total.item()
    assert evaluate(model, x, given={"y": y}, batch_size=7)["total"] == pytest.approx(expected, rel=1e-6)


def test_given_needs_a_row_for_each_example():
    with pytest.raises(ValueError, match=r"given\['y'\]: got 2 rows; expected one for each of the 30 examples of x"):
        run(make(), data(), TrainConfig(epochs=1), given={"y": torch.zeros(2)})


class Rows(Dataset):
    """Examples that are read one by one, with what they come with."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, number):
        return self.x[number], {"y": self.y[number]}


class TakesClass(nn.Module):
    def __init__(self, in_dim, out_dim):
        super().__init__()
        self.net, self.table = MLP((in_dim,), (8,), (out_dim,)), nn.Embedding(3, out_dim)

    def forward(self, x, *, y):
        return self.net(x) + self.table(y)


def test_a_streamed_data_set_trains_as_a_tensor_does():
    x, y = data(), torch.arange(30) % 3
    config, models = TrainConfig(epochs=3, batch_size=7), []
    for source, given in ((x, {"y": y}), (Rows(x, y), None)):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = VAE(TakesClass(5, 4), TakesClass(2, 5), Bernoulli(), 2)
        history = run(model, source, config, given=given, x_val=source, given_val=given)
        models.append((model, history.train, history.val))
    assert same_weights(models[0][0], models[1][0])
    assert models[0][1:] == models[1][1:]


@pytest.mark.parametrize(
    ("source", "given", "message"),
    [
        (Rows(data() * 3, torch.zeros(30)), None, "x: values run from"),
        (Rows(data()[:0], torch.zeros(0)), None, "the number of examples in x: got 0"),
        (Rows(data(), torch.zeros(30)), {"y": torch.zeros(30)}, r"given: got \['y'\] beside a Dataset"),
    ],
)
def test_bad_streams_are_refused(source, given, message):
    with torch.random.fork_rng():
        model = VAE(TakesClass(5, 4), TakesClass(2, 5), Bernoulli(), 2)
    with pytest.raises(ValueError, match=message):
        run(model, source, TrainConfig(epochs=1), given=given)


@pytest.mark.slow
@pytest.mark.usefixtures("as_a_user")
@pytest.mark.filterwarnings("ignore")  # those of the compiler itself
@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="torch.compile needs a C++ compiler")
def test_a_compiled_run_gives_the_same_numbers_up_to_rounding():
    """With a smaller last batch, so that two graphs are needed; the noise of the two runs is not the same, so: no noise."""
    x, config = data(30), TrainConfig(epochs=4, batch_size=8, lr=1e-2)
    results = []
    for compiled in (False, True):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = VanillaAE(MLP((5,), (8,), (2,)), MLP((2,), (8,), (5,)), Bernoulli())
        history = run(model, x, config, compile=compiled)
        results.append((history.train["total"], model.state_dict()))
    assert results[1][0] == pytest.approx(results[0][0], rel=1e-4)
    for name, value in results[1][1].items():
        torch.testing.assert_close(value, results[0][1][name], rtol=1e-3, atol=1e-4)
