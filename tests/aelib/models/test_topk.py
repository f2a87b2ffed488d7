"""Top-k codes against sorting, and the auxiliary loss against residuals written out by hand."""

import pytest
import torch

from aelib.activations import BatchTopK, TopK
from aelib.data import digits
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.metrics import reconstruction_error
from aelib.models import DeadUnits, TopKAE
from aelib.nets import MLP
from aelib.training import evaluate, fit


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(make, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def top_k_model(latent_dim=6, likelihood=None, **dead):
    dead_units = DeadUnits(latent_dim, **{"dead_after": 10, **dead})
    pair = made(lambda: (MLP((4,), (), (latent_dim,)), MLP((latent_dim,), (), (4,))))
    return TopKAE(*pair, likelihood or Gaussian(), TopK(2), dead_units).double()


def test_codes_are_the_largest_values():
    model, x = top_k_model(), normal(9, 4)
    expected = torch.zeros(9, 6).double()
    for row, a in zip(expected, model.encoder(x)):
        for j in sorted(range(6), key=lambda j: -a[j])[:2]:
            row[j] = max(a[j].item(), 0)
    torch.testing.assert_close(model.encode(x), expected)
    torch.testing.assert_close(model(x).z, expected)


def test_dead_units_are_counted_in_examples_and_only_in_training():
    units = DeadUnits(3, dead_after=10)
    z = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    for seen in range(1, 6):
        assert not units.dead.any()
        units.watch(z)
        assert units.unused.tolist() == [0, 2 * seen, 0]
    assert units.dead.tolist() == [False, True, False]
    units.watch(z.flip(1) + z)
    units.watch(torch.tensor([[0.0, 3.0, 0.0]]))
    assert units.unused.tolist() == [1, 0, 1]

    model, x = top_k_model(), normal(9, 4)
    model.eval()(x)
    assert model.dead_units.unused.tolist() == [0] * 6
    model.train()(x)
    used = (model.encode(x) > 0).any(0)
    assert model.dead_units.unused.tolist() == [0 if yes else 9 for yes in used]


def test_the_auxiliary_code_is_top_k_of_the_dead_units():
    units = DeadUnits(5, dead_after=1, aux_k=2)
    units.unused.copy_(torch.tensor([0, 1, 5, 0, 2]))
    a = torch.tensor([[9.0, -3.0, -1.0, 9.0, -2.0], [9.0, 1.0, 0.5, 9.0, 2.0]])
    assert units(a).tolist() == [[0, 0, -1, 0, -2], [0, 1, 0, 0, 2]]
    units.unused.copy_(torch.tensor([0, 0, 5, 0, 0]))
    assert units(a).tolist() == [[0, 0, -1, 0, 0], [0, 0, 0.5, 0, 0]]
    units.unused.zero_()
    assert not units(a).any()


def test_the_auxiliary_loss_is_the_error_of_the_residual():
    """Gao et al. (2024), A.2: ||e - e_hat||^2 with e = x - x_hat and e_hat = W_dec z_dead, here halved and against ||e||^2."""
    model, x = top_k_model(aux_k=2, weight=0.5), normal(9, 4)
    model.dead_units.unused.copy_(torch.tensor([0, 99, 0, 99, 99, 0]))
    out = model.eval()(x)
    loss = model.loss(x, out)
    a = model.encoder(x).detach()[:, [1, 3, 4]]
    z_dead = torch.where(a >= a.sort(1).values[:, [1]], a, 0.0)
    e_hat = z_dead @ model.decoder.layers[0].weight.detach()[:, [1, 3, 4]].T
    e = x - out.x_hat.detach()
    expected = 0.5 * ((e - e_hat).square() - e.square()).sum(1).mean()
    torch.testing.assert_close(loss.terms["aux"], expected)
    torch.testing.assert_close(loss.total.detach(), loss.terms["recon"] + 0.5 * expected)


@pytest.mark.parametrize("likelihood", [Gaussian(), Bernoulli()])
def test_the_auxiliary_loss_moves_dead_units_alone(likelihood):
    model = top_k_model(likelihood=likelihood, aux_k=1, weight=1.0)
    x = normal(30, 4).sigmoid()
    model.dead_units.unused[3] = 99
    out = model.eval()(x)
    aux = likelihood.nll(out.aux_params, x).mean()
    into_rows = torch.autograd.grad(aux, model.encoder.layers[0].weight, retain_graph=True)[0]
    into_columns = torch.autograd.grad(aux, model.decoder.layers[0].weight, retain_graph=True)[0]
    into_bias = torch.autograd.grad(aux, model.decoder.layers[0].bias)[0]
    assert into_rows.abs().sum(1).nonzero().flatten().tolist() == [3]
    assert into_columns.abs().sum(0).nonzero().flatten().tolist() == [3]
    assert into_bias.abs().max() < 1e-12


def test_without_dead_units_the_auxiliary_loss_is_zero():
    model, x = top_k_model(), normal(9, 4)
    loss = model.loss(x, model(x))
    assert loss.terms["aux"] == 0
    assert loss.total.item() == loss.terms["recon"].item()


def with_dead_units(weight, seed=0):
    """A dictionary of 48 units, of which the bias holds 40 far below zero for all examples."""
    pair = made(lambda: (MLP((64,), (), (48,)), MLP((48,), (), (64,))), seed)
    with torch.no_grad():
        pair[0].layers[0].bias[8:] = -1.5
    return TopKAE(*pair, Gaussian(), TopK(8), DeadUnits(48, dead_after=1000, aux_k=16, weight=weight))


@pytest.mark.slow
def test_the_auxiliary_loss_revives_dead_units():
    x = digits().flat()[:500]
    x = x - x.mean(0)
    used, errors = {}, {}
    for weight in (0.0, 1.0):
        model = with_dead_units(weight)
        fit(model, x, TrainConfig(epochs=60, batch_size=100, lr=1e-2), progress=False, device="cpu")
        out = model.eval()(x)
        used[weight] = int((out.z > 0).any(0).sum())
        errors[weight] = reconstruction_error(x, out.x_hat.detach())
    assert used[0.0] <= 8
    assert used[1.0] > 30
    assert errors[1.0] < 0.8 * errors[0.0]


@pytest.mark.parametrize("select", [TopK, BatchTopK])
def test_training_goes_on_after_a_stop_with_the_same_counters(select, tmp_path):
    """The counters and the threshold are part of the state: two epochs and two more are the same as four."""

    def model():
        pair = made(lambda: (MLP((4,), (), (6,)), MLP((6,), (), (4,))))
        return TopKAE(*pair, Gaussian(), select(2), DeadUnits(6, dead_after=20, weight=1.0))

    x = normal(40, 4).float()
    straight, stopped = model(), model()
    fit(straight, x, TrainConfig(epochs=4, batch_size=8), progress=False, device="cpu")
    for epochs in (2, 4):
        config = TrainConfig(epochs=epochs, batch_size=8)
        fit(stopped, x, config, progress=False, device="cpu", checkpoint=tmp_path / "run")
        stopped = stopped if epochs == 4 else model()
    for key, value in straight.state_dict().items():
        assert torch.equal(value, stopped.state_dict()[key])


def test_batch_top_k_reaches_k_on_average_in_evaluation():
    x = digits().flat()[:1000]
    pair = made(lambda: (MLP((64,), (), (48,)), MLP((48,), (), (64,))))
    model = TopKAE(*pair, Gaussian(), BatchTopK(6), DeadUnits(48, dead_after=500))
    fit(model, x, TrainConfig(epochs=25, batch_size=100, lr=3e-3), progress=False, device="cpu")
    active = (model.eval().encode(x) > 0).sum(1).double()
    assert active.mean().item() == pytest.approx(6, abs=1)
    assert active.std() > 0.5
    assert evaluate(model, x)["recon"] < evaluate(with_dead_units(0.0), x)["recon"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DeadUnits(0), "latent_dim: got 0"),
        (lambda: DeadUnits(4, dead_after=0), "dead_after: got 0"),
        (lambda: DeadUnits(4, aux_k=5), "aux_k: got 5 with latent_dim 4; expected at most 4"),
        (lambda: DeadUnits(4, aux_k=0), "aux_k: got 0"),
        (lambda: DeadUnits(4, weight=-1), "weight: got -1"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()
