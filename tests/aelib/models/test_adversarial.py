"""The adversarial autoencoder: who learns in which phase, the best discriminator, and codes that come to the prior."""

import math
from functools import partial

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import nn

from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.losses import mmd, rbf_kernel
from aelib.models import AdversarialAE
from aelib.nets import MLP
from aelib.samplers import GaussianMixture, StandardNormal, SwissRoll
from aelib.training import fit


def make(prior=None, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        nets = MLP((3,), (32,), (2,)), MLP((2,), (32,), (3,))
        return AdversarialAE(*nets, Gaussian(), prior or StandardNormal(2), MLP((2,), (32,), (1,)), **settings)


def data(n, seed=0):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))


def test_losses_are_cross_entropies():
    """Against torch's own, with the label 1 for draws from the prior."""
    model, x = make(adv_weight=3.0), data(6)
    out = model(x)
    bce = nn.functional.binary_cross_entropy
    real, fake = torch.sigmoid(model.adversary(out.z_prior)), torch.sigmoid(model.adversary(out.z))
    one, zero = torch.ones(6, 1), torch.zeros(6, 1)
    torch.testing.assert_close(model.loss(x, out, "disc").total, bce(real, one) + bce(fake, zero))
    main = model.loss(x, out, "main")
    torch.testing.assert_close(main.terms["adv"], bce(fake, one).detach())
    torch.testing.assert_close(main.total, main.terms["recon"] + 3 * main.terms["adv"])


def gradients(model, phase):
    model.zero_grad()
    x = data(16)
    model.loss(x, model(x), phase).total.backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}


def test_the_discriminators_phase_gives_the_autoencoder_no_gradient():
    model = make()
    assert gradients(model, "disc") == {f"adversary.{name}" for name, _ in model.adversary.named_parameters()}


def test_the_main_phase_trains_the_encoder_by_both_terms_and_the_decoder_by_one():
    model, x = make(), data(16)
    out = model(x)
    decoder, encoder = list(model.decoder.parameters()), list(model.encoder.parameters())
    main = model.loss(x, out, "main").total
    recon = model.likelihood.nll(out.params, x).mean()
    for params, same in ((decoder, True), (encoder, False)):
        pairs = zip(*(torch.autograd.grad(value, params, retain_graph=True) for value in (main, recon)))
        assert all(torch.allclose(a, b) for a, b in pairs) == same


@pytest.mark.parametrize("phase", ["main", "disc"])
def test_an_optimizer_step_changes_only_the_networks_of_its_phase(phase):
    model, x = make(), data(16)
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.Adam(model.phases()[phase])
    model.loss(x, model(x), phase).total.backward()
    optimizer.step()
    changed = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    adversary = {name for name in before if name.startswith("adversary.")}
    assert changed == (adversary if phase == "disc" else set(before) - adversary)


def test_at_the_best_discriminator_the_loss_is_the_jensen_shannon_divergence():
    """Codes N(1, 0.5^2), prior N(0, 1), D = p / (p + q): 2 log 2 - 2 JS(p, q), JS by numerical integration."""
    p, q = norm(0, 1), norm(1, 0.5)

    def js_density(z):
        middle = 0.5 * (p.pdf(z) + q.pdf(z))
        return 0.5 * (p.pdf(z) * math.log(p.pdf(z) / middle) + q.pdf(z) * (q.logpdf(z) - math.log(middle)))

    js = quad(js_density, -12, 12, points=[0, 1], limit=200)[0]

    class Best(nn.Module):
        def forward(self, z):
            return (-0.5 * z**2) - (-0.5 * ((z - 1) / 0.5) ** 2 - math.log(0.5))

    nets = nn.Identity(), nn.Identity()
    model = AdversarialAE(*nets, Gaussian(), StandardNormal(1).double(), Best())
    generator = torch.Generator().manual_seed(0)
    x = 1 + 0.5 * torch.randn(400_000, 1, generator=generator, dtype=torch.float64)
    best = model.loss(x, model(x, generator=generator), "disc").total.item()
    assert 0.1 < js < math.log(2)
    assert best == pytest.approx(2 * math.log(2) - 2 * js, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize(
    "prior", [StandardNormal(2), GaussianMixture.ring(4, radius=2.0, std=0.3), SwissRoll(radius=2.0)]
)
def test_training_brings_the_codes_to_the_prior(prior):
    kernel = partial(rbf_kernel, scale=0.7)
    model, x = make(prior), data(500)

    def distance():
        with torch.no_grad():
            return mmd(model.encode(x), prior(2000, generator=torch.Generator().manual_seed(5)), kernel).item()

    before = distance()
    fit(model, x, TrainConfig(epochs=60, batch_size=100, lr=5e-3), progress=False, device="cpu")
    assert before > 0.05
    assert distance() < before / 4


@pytest.mark.usefixtures("as_a_user")
def test_bad_arguments():
    with pytest.raises(ValueError, match="adv_weight: got -1"):
        make(adv_weight=-1)
    with pytest.raises(ValueError, match=r"phase: got 'dics'.*did you mean 'disc'"):
        make().loss(data(2), make()(data(2)), "dics")
