"""What holds for every model in MODELS, whatever it is."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from aelib.core import LOSS_TERMS, GenerativeAutoencoder
from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.metrics import explained_variance
from aelib.models import MODELS, VanillaAE, build
from aelib.nets import MLP
from aelib.saving import load, save
from aelib.training import evaluate, fit

LATENT_DIM = 3


def event_shape(name):
    """16 values: an image or, for models of sequences, 8 steps of two values."""
    return (8, 2) if name.startswith("sequence") else (1, 4, 4)


def make(name, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build(name, event_shape(name), LATENT_DIM)


def batch(name, n, seed=0):
    return torch.rand(n, *event_shape(name), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=sorted(MODELS))
def name(request):
    return request.param


@pytest.mark.parametrize("n", [0, 1, 5])
def test_shapes(name, n):
    model, x = make(name), batch(name, n)
    out = model(x)
    assert out.x_hat.shape == x.shape
    assert out.z.shape == model.encode(x).shape == (n, LATENT_DIM)
    assert model.decode(out.z).shape == x.shape
    torch.testing.assert_close(model.decode(out.z), out.x_hat)


def test_loss_is_a_finite_scalar_with_named_terms(name):
    model, x = make(name), batch(name, 5)
    for phase in model.phases():
        loss = model.loss(x, model(x), phase)
        assert loss.total.shape == ()
        assert torch.isfinite(loss.total)
        assert set(loss.terms) <= LOSS_TERMS
        assert not any(value.requires_grad for value in loss.terms.values())


def test_every_parameter_of_a_phase_gets_a_finite_gradient(name):
    model, x = make(name), batch(name, 16)
    phases = model.phases()
    assert {p for params in phases.values() for p in params} == set(model.parameters())
    for phase, params in phases.items():
        model.zero_grad()
        model.loss(x, model(x), phase).total.backward()
        for parameter in params:
            assert parameter.grad is not None
            assert torch.isfinite(parameter.grad).all()
            assert parameter.grad.abs().sum() > 0


def test_loss_is_a_mean_over_the_batch(name):
    """Twice the same examples is the same loss: nothing is summed over the batch. The noise is repeated too."""
    model, x = make(name).eval(), batch(name, 4)
    out = model(x, generator=torch.Generator().manual_seed(1))
    twice = type(out)(**{key: None if value is None else torch.cat([value, value]) for key, value in vars(out).items()})
    for phase in model.phases():
        once, again = model.loss(x, out, phase), model.loss(torch.cat([x, x]), twice, phase)
        # The unbiased MMD leaves out an example's pair with itself, so a repeated example does change it.
        means = once.terms.keys() - {"mmd"}
        assert means
        for term in means:
            torch.testing.assert_close(again.terms[term], once.terms[term])
        if "mmd" not in once.terms:
            torch.testing.assert_close(again.total, once.total)


def test_same_seed_same_numbers(name):
    x, config = batch(name, 20), TrainConfig(epochs=2, batch_size=8, seed=3)
    runs = []
    for disturbance in (0, 1):
        torch.manual_seed(disturbance)  # the state outside must not matter
        model = make(name)
        history = fit(model, x, config, progress=False, device="cpu")
        runs.append((history.train, model.state_dict()))
    assert runs[0][0] == runs[1][0]
    for key, value in runs[0][1].items():
        assert torch.equal(value, runs[1][1][key])


def test_training_leaves_the_random_state_alone(name):
    before = torch.get_rng_state()
    fit(make(name), batch(name, 8), TrainConfig(epochs=1), progress=False, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)
    evaluate(make(name), batch(name, 8))
    assert torch.equal(torch.get_rng_state(), before)


def test_save_and_load(name, tmp_path):
    model, x = make(name), batch(name, 5)
    save(model, tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert type(loaded) is type(model)
    torch.testing.assert_close(loaded.encode(x), model.encode(x), rtol=0, atol=0)
    torch.testing.assert_close(loaded.decode(loaded.encode(x)), model.decode(model.encode(x)), rtol=0, atol=0)


@pytest.mark.slow
# A masked model is trained on hidden patches alone, and nothing is hidden from `encode`: test_masked.py has its own version.
@pytest.mark.parametrize("name", sorted(set(MODELS) - {"masked"}))
def test_overfits_eight_points(name):
    """The eight corners of a cube: three groups of five pixels, each group on or off. A code of three values can hold it all."""
    model = make(name)
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * LATENT_DIM)
    x = torch.cat([corners.repeat_interleave(5, dim=1), torch.ones(8, 1)], dim=1).reshape(8, *event_shape(name))
    # With steps of 1e-2 a ReLU code of three units ends in a poor optimum for one seed in seven, with its penalty or without.
    for lr, epochs in ((3e-3, 1000), (1e-3, 200)):
        fit(model, x, TrainConfig(epochs=epochs, batch_size=8, lr=lr), progress=False, device="cpu")
    assert explained_variance(x, model.decode(model.encode(x))) > 0.98


def on_fake_cuda(model, x_shape):
    """Forward and loss on fake CUDA tensors, where mixing in a tensor that was left on the CPU is an error, GPU or not."""
    phases = list(model.phases())
    # Without gradients, because autograd asks for the real device.
    with torch.no_grad():
        for module in model.modules():
            for tensors in (module._parameters, module._buffers):
                for key, tensor in tensors.items():
                    if tensor is not None:  # a layer without a bias has None in its place
                        tensors[key] = torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda")
        x = torch.empty(x_shape, device="cuda")
        out = model(x)
        return out, [model.loss(x, out, phase).total for phase in phases]


def test_runs_on_another_device(name):
    with FakeTensorMode():
        out, losses = on_fake_cuda(build(name, event_shape(name), LATENT_DIM), (5, *event_shape(name)))
    assert all(loss.device.type == "cuda" for loss in losses)
    assert out.x_hat.device.type == out.z.device.type == "cuda"


def test_a_forgotten_device_is_caught():
    class Forgetful(nn.Module):
        def forward(self, z):
            return z + torch.zeros(3)

    with FakeTensorMode(), pytest.raises(RuntimeError, match="device"):
        on_fake_cuda(VanillaAE(MLP((3,), (), (3,)), Forgetful(), Gaussian()), (5, 3))


@pytest.mark.parametrize("name", [name for name in MODELS if isinstance(make(name), GenerativeAutoencoder)])
def test_generative_models_sample(name):
    model = make(name)
    samples = [model.sample(6, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert samples[0].shape == (6, *event_shape(name))
    assert torch.equal(samples[0], samples[1])
    assert not torch.equal(samples[0], samples[2])
    assert not samples[0].requires_grad


def test_wrong_shape_names_the_argument_and_the_right_shape(name):
    with pytest.raises(
        ValueError, match=rf"x: got shape \(2, 3\); expected .*\(B, {', '.join(map(str, event_shape(name)))}\)"
    ):
        make(name)(torch.zeros(2, 3))


def test_unknown_name_suggests_the_closest():
    with pytest.raises(ValueError, match=r"name: got 'linaer'.*did you mean 'linear'"):
        build("linaer", (3,), 2)


def test_code_size_below_one():
    with pytest.raises(ValueError, match="latent_dim: got 0; expected a number of at least 1"):
        build("linear", (3,), 0)
