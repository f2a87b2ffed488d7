"""The Wasserstein autoencoder: what its penalty is, and that training brings the codes to the prior."""

from functools import partial

import pytest
import torch

from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.losses import mmd, rbf_kernel
from aelib.models import WassersteinAE
from aelib.nets import MLP
from aelib.samplers import GaussianMixture, StandardNormal
from aelib.training import fit


def make(prior=None, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        nets = MLP((3,), (32,), (2,)), MLP((2,), (32,), (3,))
        return WassersteinAE(*nets, Gaussian(), prior or StandardNormal(2), **settings)


def data(n, seed=0):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))


def test_the_codes_do_not_depend_on_chance_but_the_draws_from_the_prior_do():
    model, x = make(), data(5)
    outs = [model(x, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    for out in outs:
        assert torch.equal(out.z, model.encode(x))
    assert torch.equal(outs[0].z_prior, outs[1].z_prior)
    assert not torch.equal(outs[0].z_prior, outs[2].z_prior)
    assert torch.equal(outs[0].z_prior, model.prior(5, generator=torch.Generator().manual_seed(0)))


def test_the_penalty_is_the_mean_over_pairs():
    """Brute force over all pairs, with the default kernel C / (C + d^2), C = 2 * latent_dim * 1."""
    model, x = make(mmd_weight=3.0), data(6)
    out = model(x)
    loss = model.loss(x, out)

    def k(a, b):
        return 4 / (4 + (a - b).square().sum())

    pairs = [(i, j) for i in range(6) for j in range(6)]
    same = sum(k(out.z[i], out.z[j]) + k(out.z_prior[i], out.z_prior[j]) for i, j in pairs if i != j) / 30
    cross = sum(k(out.z[i], out.z_prior[j]) for i, j in pairs) / 36
    torch.testing.assert_close(loss.terms["mmd"], (same - 2 * cross).detach())
    torch.testing.assert_close(loss.total, loss.terms["recon"] + 3 * loss.terms["mmd"])


def test_a_batch_of_one_has_no_penalty():
    model, x = make(), data(1)
    loss = model.loss(x, model(x))
    assert loss.terms["mmd"] == 0
    assert loss.total == loss.terms["recon"]


@pytest.mark.parametrize("prior", [StandardNormal(2), GaussianMixture.ring(3, radius=2.0, std=0.3)])
def test_training_brings_the_codes_to_the_prior(prior):
    kernel = partial(rbf_kernel, scale=0.7)
    model, x = make(prior, mmd_weight=100.0), data(400)

    def distance():
        with torch.no_grad():
            return mmd(model.encode(x), prior(2000, generator=torch.Generator().manual_seed(5)), kernel).item()

    before = distance()
    fit(model, x, TrainConfig(epochs=60, batch_size=100, lr=5e-3), progress=False, device="cpu")
    assert before > 0.1
    assert distance() < before / 5


def test_bad_weight():
    with pytest.raises(ValueError, match="mmd_weight: got -1"):
        make(mmd_weight=-1)
