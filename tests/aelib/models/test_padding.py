"""Sequences padded to one length, in the models that are not made for sequences: what the padding holds changes nothing."""

import math

import pytest
import torch
from torch import nn

from aelib.activations import TopK
from aelib.corruption import dropout, gaussian
from aelib.likelihoods import Gaussian
from aelib.models.adversarial import AdversarialAE
from aelib.models.contractive import ContractiveAE, StochasticJacobian
from aelib.models.denoising import DenoisingAE
from aelib.models.overcomplete import NoisyCodeAE
from aelib.models.sparse import L1, SparseAE
from aelib.models.topk import DeadUnits, TopKAE
from aelib.models.vanilla import VanillaAE
from aelib.models.vq import VQVAE
from aelib.models.wae import WassersteinAE
from aelib.quantizers import GradientQuantizer
from aelib.recurrent import RecurrentDecoder, RecurrentEncoder
from aelib.samplers import StandardNormal
from aelib.sequences import Steps

MODELS = {
    "vanilla": VanillaAE,
    "overcomplete": lambda *parts: NoisyCodeAE(*parts, dropout(0.3)),
    "sparse": lambda *parts: SparseAE(*parts, L1(0.1)),
    "topk": lambda *parts: TopKAE(*parts, TopK(2), DeadUnits(4)),
    "denoising": lambda *parts: DenoisingAE(*parts, gaussian(0.3)),
    "contractive": lambda *parts: ContractiveAE(*parts, StochasticJacobian()),
    "wasserstein": lambda *parts: WassersteinAE(*parts, StandardNormal(4)),
    "adversarial": lambda *parts: AdversarialAE(*parts, StandardNormal(4), nn.Linear(4, 1)),
    "vq": lambda *parts: VQVAE(*parts, GradientQuantizer(2, 2, 8)),
}
LENGTHS = torch.tensor([3, 6, 1, 4])
THERE = (torch.arange(6) < LENGTHS[:, None])[..., None]


def make(name):
    torch.manual_seed(0)
    steps = Steps((6, 2))
    return MODELS[name](RecurrentEncoder(steps, 8, 4), RecurrentDecoder(4, 8, steps), Gaussian())


def sequences(padding):
    return torch.where(THERE, torch.randn(4, 6, 2, generator=torch.Generator().manual_seed(1)), padding)


def step(model, x):
    out = model(x, generator=torch.Generator().manual_seed(2), lengths=LENGTHS)
    loss = model.loss(x, out)
    parameters = model.phases()["main"]
    return out, loss, torch.autograd.grad(loss.total, parameters, allow_unused=True, materialize_grads=True)


@pytest.mark.parametrize("name", MODELS)
def test_padding_changes_neither_the_loss_nor_its_gradient(name):
    """Not even NaN. And the reconstruction term is the squared error of the steps that are there, counted by hand."""
    with torch.random.fork_rng():
        _, expected, gradient = step(make(name), sequences(0.0))
        out, loss, other = step(make(name), x := sequences(math.nan))
    assert loss.total == expected.total
    assert all(torch.equal(a, b) for a, b in zip(gradient, other, strict=True))
    errors = ((out.x_hat - x)[THERE.expand_as(x)] ** 2 + math.log(2 * math.pi)).sum() / 2
    torch.testing.assert_close(loss.terms["recon"], errors.detach() / 4)
