"""Greedy pre-training against PCA, and against training a deep network from scratch."""

import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from aelib.corruption import masking
from aelib.data import digits
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.metrics import principal_angles
from aelib.models import VAE, VanillaAE
from aelib.models.linear import Transposed
from aelib.nets import MLP
from aelib.pretraining import pretrain_greedily
from aelib.training import evaluate, fit


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def deep(event_shape, hidden_dims, latent_dim, likelihood, activation=nn.ReLU):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = MLP(event_shape, hidden_dims, (latent_dim,), activation=activation)
        decoder = MLP((latent_dim,), hidden_dims[::-1], event_shape, activation=activation)
        return VanillaAE(encoder, decoder, likelihood)


def composed(net):
    """The matrix of a network without activations."""
    w = torch.eye(net.layers[0].in_features).double()
    for layer in net.layers:
        if isinstance(layer, nn.Linear):
            w = layer.weight.detach() @ w
    return w


@pytest.fixture(scope="module")
def x():
    scales = torch.tensor([4.0, 3.0, 1.5, 1.2, 0.5, 0.3]).double()
    return normal(300, 6) * scales @ torch.linalg.qr(normal(6, 6, seed=1)).Q + 1


@pytest.mark.slow
def test_greedy_linear_layers_find_the_principal_subspace(x):
    model = deep((6,), (4,), 2, Gaussian(), activation=nn.Identity).double()
    for lr in (3e-2, 3e-3):
        pretrain_greedily(model, x, TrainConfig(epochs=300, batch_size=300, lr=lr), progress=False, device="cpu")
    pca = PCA(n_components=2).fit(x.numpy())
    components = torch.from_numpy(pca.components_.T)
    assert principal_angles(composed(model.encoder).T, components).max() < 0.5
    assert principal_angles(composed(model.decoder), components).max() < 0.5
    expected = torch.from_numpy(pca.inverse_transform(pca.transform(x.numpy())))
    torch.testing.assert_close(model(x).x_hat.detach(), expected, atol=0.05, rtol=0)


def test_without_shared_weights_the_second_layer_may_find_another_subspace(x):
    """Why the two layers share W: the best code T V^T x of a free layer is principal components only up to any matrix T."""
    v = torch.from_numpy(PCA(n_components=4).fit(x.numpy()).components_)
    t = torch.diag(torch.tensor([0.1, 1.0, 1.0, 5.0]).double())
    second = torch.from_numpy(PCA(n_components=2).fit((x @ v.T @ t).numpy()).components_)
    assert principal_angles((second @ t @ v).T, v[:2].T).max() > 45


def test_one_history_for_each_layer_and_every_layer_is_set(x):
    model = deep((6,), (5, 4), 2, Gaussian()).double()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    histories = pretrain_greedily(model, x, TrainConfig(epochs=3), progress=False, device="cpu")
    assert [len(history) for history in histories] == [3, 3, 3]
    assert all(history.train["recon"][-1] < history.train["recon"][0] for history in histories)
    assert all(not torch.equal(p, before[name]) for name, p in model.named_parameters())
    for down, up in zip(model.encoder.layers[::2], list(model.decoder.layers[::2])[::-1]):
        assert torch.equal(up.weight, down.weight.T)
        assert up.weight.data_ptr() != down.weight.data_ptr()
    fit(model, x, TrainConfig(epochs=1), progress=False, device="cpu")
    assert not torch.equal(model.decoder.layers[-1].weight, model.encoder.layers[0].weight.T)


def test_each_layer_learns_from_the_layers_before(x):
    """By hand, with nothing but fit: the second layer's data are the first layer's codes."""
    config = TrainConfig(epochs=4, seed=5)
    model, by_hand = (deep((6,), (5,), 2, Gaussian()).double() for _ in range(2))
    pretrain_greedily(model, x, config, progress=False, device="cpu")
    first, second = by_hand.encoder.layers[0], by_hand.encoder.layers[2]
    mirrors = Transposed(first, (6,)), Transposed(second, (5,))
    mirrors[0].bias, mirrors[1].bias = by_hand.decoder.layers[2].bias, by_hand.decoder.layers[0].bias
    outer = VanillaAE(nn.Sequential(first, nn.ReLU()), mirrors[0], Gaussian().double())
    fit(outer, x, config, progress=False, device="cpu")
    h = torch.relu(first(x)).detach()
    inner = VanillaAE(second, nn.Sequential(mirrors[1], nn.ReLU()), Gaussian().double())
    fit(inner, h, config, progress=False, device="cpu")
    assert torch.equal(model.encoder.layers[0].weight, first.weight)
    assert torch.equal(model.encoder.layers[2].weight, second.weight)
    assert torch.equal(model.decoder.layers[0].bias, by_hand.decoder.layers[0].bias)


@pytest.mark.slow
def test_pretraining_is_a_better_start_than_chance():
    """Deep, with saturating units: from a pre-trained start a few epochs go further (Hinton and Salakhutdinov, 2006)."""
    x = digits().flat()[:1000]
    config = TrainConfig(epochs=10, batch_size=100, lr=3e-3)
    from_chance, pretrained = (deep((64,), (64, 48, 32, 24), 4, Bernoulli(), activation=nn.Sigmoid) for _ in range(2))
    pretrain_greedily(pretrained, x, config, progress=False, device="cpu")
    for model in (from_chance, pretrained):
        fit(model, x, config, progress=False, device="cpu")
    assert evaluate(pretrained, x)["recon"] < evaluate(from_chance, x)["recon"] - 1


def test_stacked_denoising(x):
    plain, denoising = deep((2, 3), (5,), 2, Gaussian()).double(), deep((2, 3), (5,), 2, Gaussian()).double()
    config, x = TrainConfig(epochs=3), x.reshape(-1, 2, 3)
    pretrain_greedily(plain, x, config, progress=False, device="cpu")
    pretrain_greedily(denoising, x, config, corruption=masking(0.3), progress=False, device="cpu")
    assert not torch.equal(plain.encoder.layers[0].weight, denoising.encoder.layers[0].weight)
    assert denoising(x).x_hat.shape == x.shape


def test_what_cannot_be_taken_apart_is_named(x):
    with pytest.raises(TypeError, match="model: its encoder is of type Linear; expected an MLP"):
        pretrain_greedily(VanillaAE(nn.Linear(6, 2), MLP((2,), (), (6,)), Gaussian()), x)
    lopsided = VAE(MLP((6,), (5,), (4,)), MLP((2,), (5,), (6,)), Gaussian(), 2)
    with pytest.raises(ValueError, match=r"shapes \[\(6, 5\), \(5, 4\)\].* \[\(5, 6\), \(2, 5\)\]; expected mirror"):
        pretrain_greedily(lopsided, x)
    with pytest.raises(ValueError, match=r"x: got shape \(300, 6\); expected a batch of shape \(B, 5\)"):
        pretrain_greedily(deep((5,), (4,), 2, Gaussian()).double(), x)
