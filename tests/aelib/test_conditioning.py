"""Conditioning against concatenation by hand, and a conditional VAE that draws the class it is asked for."""

import pytest
import torch
from torch import nn

from aelib.conditioning import Conditioned
from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.models import VAE
from aelib.nets import MLP
from aelib.training import evaluate, fit

Y = torch.tensor([2, 0, 1, 2])


def test_one_hot_is_put_behind_the_input():
    x = torch.arange(16.0).reshape(4, 2, 2)
    expected = torch.cat([x.reshape(4, 4), nn.functional.one_hot(Y, 3)], dim=1)
    assert torch.equal(Conditioned(nn.Identity(), 3)(x, y=Y), expected)


def test_an_embedding_is_a_row_of_its_table():
    x = torch.arange(8.0).reshape(4, 2)
    net = Conditioned(nn.Identity(), 3, embed_dim=5)
    expected = torch.stack([torch.cat([row, net.embedding.weight[c]]) for row, c in zip(x, Y)])
    torch.testing.assert_close(net(x, y=Y), expected)


@pytest.mark.slow
@pytest.mark.parametrize("embed_dim", [None, 2])
def test_a_conditional_vae_draws_the_class_it_is_asked_for(embed_dim):
    generator = torch.Generator().manual_seed(0)
    centers = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 3.0]])
    y = torch.randint(3, (300,), generator=generator)
    x = centers[y] + 0.3 * torch.randn(300, 2, generator=generator)
    width = embed_dim or 3
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = Conditioned(MLP((2 + width,), (16,), (2,)), 3, embed_dim=embed_dim)
        decoder = Conditioned(MLP((1 + width,), (16,), (2,)), 3, embed_dim=embed_dim)
        model = VAE(encoder, decoder, Gaussian(0.3), 1)
    fit(model, x, TrainConfig(epochs=60, batch_size=50, lr=1e-2), given={"y": y}, progress=False, device="cpu")
    for c in range(3):
        samples = model.sample(200, generator=generator, y=torch.full((200,), c))
        assert (samples - centers[c]).norm(dim=1).mean() < 0.6
    wrong = evaluate(model, x, given={"y": (y + 1) % 3})["total"]
    assert evaluate(model, x, given={"y": y})["total"] < wrong - 5


@pytest.mark.usefixtures("as_a_user")
def test_bad_classes():
    net = Conditioned(nn.Identity(), 3)
    with pytest.raises(ValueError, match=r"y: values run from 0 to 3; expected all of them in \[0, 2\]"):
        net(torch.zeros(2, 2), y=torch.tensor([0, 3]))
    with pytest.raises(ValueError, match=r"y: got shape \(1,\); expected \(2,\), one class for each example of x"):
        net(torch.zeros(2, 2), y=torch.tensor([0]))
    with pytest.raises(ValueError, match="num_classes: got 0"):
        Conditioned(nn.Identity(), 0)
