"""The masked autoencoder: how many patches are hidden and which, what the loss counts, and that it learns to fill in."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from aelib.data import digits
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.models.masked import MaskedAE
from aelib.patches import PatchDecoder, PatchEncoder, Patches
from aelib.training import evaluate, fit

SHAPE = (1, 8, 8)


def make(ratio=0.75, out_dim=None, width=16, shape=SHAPE, likelihood=None):
    patches = Patches(shape, 2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = PatchEncoder(patches, width, 4, out_dim=out_dim, num_layers=1)
        decoder = PatchDecoder(4, width, patches)
        if out_dim is not None:
            decoder = nn.Sequential(nn.Linear(out_dim, 4 * patches.number), decoder)
        return MaskedAE(encoder, decoder, likelihood or Gaussian(), patches, ratio=ratio)


def images(n, shape=SHAPE, seed=0):
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("ratio", "hidden"), [(0.75, 12), (0.5, 8), (0.01 + 1 / 16, 1), (0.9, 14), (0.95, 15)])
def test_the_ratio_is_exact_for_every_image(ratio, hidden):
    model, x = make(ratio), images(50)
    mask = model.patches.split(model(x, generator=noise()).mask)
    assert (mask.all(2) == mask.any(2)).all()  # whole patches
    assert (mask[:, :, 0].sum(1) == hidden).all()


def test_every_patch_is_hidden_equally_often():
    """Within five standard errors of 3/4 over 4,000 images; and images are masked apart from one another."""
    mask = make().patches.split(make()(images(4000), generator=noise()).mask)[:, :, 0].float()
    assert ((mask.mean(0) - 0.75).abs() < 5 * math.sqrt(0.75 * 0.25 / 4000)).all()
    assert len(mask.unique(dim=0)) > 1000


def test_masks_come_from_the_generator():
    model, x = make(), images(4)
    masks = [model(x, generator=noise(seed)).mask for seed in (0, 0, 1)]
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


@pytest.mark.parametrize("out_dim", [None, 5])
def test_hidden_patches_reach_neither_code_nor_reconstruction(out_dim):
    model, x = make(out_dim=out_dim), images(6)
    out = model(x, generator=noise())
    changed = model(torch.where(out.mask, images(6, seed=1), x), generator=noise())
    assert torch.equal(changed.z, out.z)
    assert torch.equal(changed.x_hat, out.x_hat)
    assert not torch.equal(model(torch.where(out.mask, x, images(6, seed=1)), generator=noise()).z, out.z)


def test_the_loss_counts_hidden_patches_alone():
    """By hand: half the squared error over 48 of 64 pixels, and the Gaussian's constant for each."""
    model, x = make(), images(6)
    out = model(x, generator=noise())
    by_hand = 0.5 * ((x - out.x_hat)[out.mask] ** 2).sum() / 6 + 48 / 2 * math.log(2 * math.pi)
    torch.testing.assert_close(model.loss(x, out).total, by_hand)
    elsewhere = torch.where(out.mask, x, images(6, seed=1))
    assert torch.equal(model.loss(elsewhere, out).total, model.loss(x, out).total)
    x_hat = out.params.detach().requires_grad_()
    model.loss(x, replace(out, x_hat=x_hat, params=x_hat)).total.backward()
    assert torch.equal(x_hat.grad != 0, out.mask)


@pytest.mark.parametrize("out_dim", [None, 5])
def test_codes(out_dim):
    """Tokens one after the other, or a code of the size that was asked for; ``encode`` sees the whole image."""
    model, x = make(out_dim=out_dim), images(3)
    assert model.encode(x).shape == model(x).z.shape == (3, 16 * 4 if out_dim is None else out_dim)
    torch.testing.assert_close(model.encode(x), model.encoder(x, visible=torch.arange(16).expand(3, -1)))
    assert model.decode(model.encode(x)).shape == x.shape


@pytest.mark.slow
@pytest.mark.parametrize("out_dim", [None, 3])
def test_learns_what_the_other_patches_tell(out_dim):
    """Eight images of four patches, in which any three patches tell the fourth: it is filled in without error."""
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    x = torch.cat([corners.repeat_interleave(5, dim=1), torch.ones(8, 1)], dim=1).reshape(8, 1, 4, 4)
    model = make(ratio=0.25, out_dim=out_dim, shape=(1, 4, 4))
    fit(model, x, TrainConfig(epochs=400, batch_size=8, lr=1e-2), progress=False, device="cpu")
    out = model(x, generator=noise())
    assert (out.x_hat - x)[out.mask].abs().max() < 0.2


@pytest.mark.slow
def test_fills_in_digits_better_than_their_mean():
    """Half of each digit from the other half, on digits it has not seen, against the mean digit, pixel by pixel."""
    x = digits().x
    train, test = x[:1200], x[1200:]
    model = make(ratio=0.5, out_dim=8, width=32)
    fit(model, train, TrainConfig(epochs=20, batch_size=100, lr=5e-3), progress=False, device="cpu")
    with torch.no_grad():
        out = model(test, generator=noise())
    error = (test - out.x_hat)[out.mask].square().mean()
    mean_error = (test - train.mean(0))[out.mask].square().mean()
    assert error < 0.8 * mean_error


def test_with_another_likelihood():
    model, x = make(likelihood=Bernoulli()), images(3)
    assert evaluate(model, x)["total"] > 0
    assert (model.decode(model.encode(x)) - 0.5).abs().max() < 0.5


def test_bad_ratio():
    for ratio in (0.0, 1.0, -0.5, 1.5, math.nan, 0.02):
        with pytest.raises(
            ValueError, match=r"ratio: got .*, for 16 patches; expected a share that hides some but not"
        ):
            make(ratio)
