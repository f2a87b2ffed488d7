"""A convolutional autoencoder is a composition: the vanilla model or the VAE with convolutional networks."""

import pytest
import torch

from aelib.conv import ConvDecoder, ConvEncoder
from aelib.data import digits
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.metrics import explained_variance
from aelib.models import VAE, VanillaAE
from aelib.training import fit


@pytest.mark.slow
@pytest.mark.parametrize(("down", "up"), [("stride", "transpose"), ("pool", "resize")])
def test_learns_digits_it_has_not_seen(down, up):
    x = digits().x
    train, test = x[:1200], x[1200:]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = ConvEncoder((1, 8, 8), (16, 32), 16, down=down)
        model = VanillaAE(encoder, ConvDecoder(16, (32, 16), (1, 8, 8), up=up), Gaussian())
    fit(model, train, TrainConfig(epochs=12, batch_size=64, lr=5e-3), progress=False, device="cpu")
    with torch.no_grad():
        assert explained_variance(test, model.decode(model.encode(test))) > 0.6


def test_a_vae_of_color_images_of_odd_size():
    model = VAE(ConvEncoder((3, 7, 9), (4, 4), 6), ConvDecoder(3, (4, 4), (3, 7, 9)), Bernoulli(), 3)
    x = torch.rand(5, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    out = model(x)
    assert out.x_hat.shape == x.shape
    assert torch.isfinite(model.loss(x, out).total)
    assert model.sample(2).shape == (2, 3, 7, 9)
