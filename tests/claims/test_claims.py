"""What the notes claim, by the ids of the errata page, where no test of a model has it already; and that none is missing.

Each test computes what the notes say and what is true, with aelib on one side.
"""

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from linear_gaussian import probabilistic_pca
from sklearn.decomposition import PCA

from aelib.bounds import log_likelihood
from aelib.data import glyphs
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.metrics import mean_squared_error, quantize, rate_distortion, squared_error
from aelib.models import VAE, LinearAE, VanillaAE
from aelib.nets import MLP
from aelib.training import evaluate, fit

IDS = {*(f"W{n}" for n in range(1, 4)), *(f"P{n}" for n in range(1, 6)), *(f"E{n}" for n in range(1, 14))}


def test_every_id_has_a_test():
    """Every worked example, practice problem and erratum is named by a test that computes it."""
    named = set()
    for path in Path(__file__).parents[1].joinpath("aelib").rglob("test_*.py"):
        named |= claims(path)
    named |= claims(Path(__file__))
    assert IDS - named == set()


def claims(path):
    """The ids in the docstrings of the tests of a file."""
    tests = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    texts = " ".join(ast.get_docstring(test) or "" for test in tests if test.name.startswith("test_"))
    return set(re.findall(r"\b[WPE]\d+\b", texts))


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(weights_in, weights_out):
    """A linear autoencoder with these weights, on data with mean zero."""
    model = LinearAE((weights_in.shape[1],), len(weights_in)).double()
    with torch.no_grad():
        model.enc.weight.copy_(weights_in)
        model.dec.weight.copy_(weights_out)
        model.enc.bias.zero_()
        model.dec.bias.zero_()
    return model


def model_error(model, x):
    """The mean over examples of the squared distance, from the model's own loss."""
    constant = x.shape[1] / 2 * math.log(2 * math.pi)
    return 2 * (model.loss(x, model(x)).total - constant)


def test_the_gradient_of_the_one_dimensional_loss_vanishes_at_eigenvectors():
    """P2: on unit vectors w the gradient of the loss lies along w where S w = lambda w; the best lambda is the largest."""
    x = random(200, 4) @ torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.5]).double())
    x = x - x.mean(0)
    values, vectors = np.linalg.eigh((x.T @ x / len(x)).numpy())

    def along_the_sphere(w):
        w = w.clone().requires_grad_()
        scatter = x - (x @ w)[:, None] * w
        (gradient,) = torch.autograd.grad(scatter.square().sum(1).mean(), w)
        return gradient - (gradient @ w) * w

    losses = []
    for vector in torch.tensor(vectors).T:
        assert along_the_sphere(vector).abs().max() < 1e-10
        losses.append(model_error(linear(vector[None], vector[:, None]), x).item())
    np.testing.assert_allclose(losses, values.sum() - values)
    other = torch.tensor(vectors[:, 0] + vectors[:, 1]) / math.sqrt(2)
    assert along_the_sphere(other).norm() > 0.1


def test_which_traces_are_the_linear_loss():
    """E3, quiz question 5: tr((I-M) S (I-M)^T), and neither of the note's two, unless M is an orthogonal projector."""
    x = random(300, 5, seed=1) @ random(5, 5, seed=2)
    x = x - x.mean(0)
    covariance = x.T @ x / len(x)

    def compared(weights_in, weights_out):
        m = weights_out @ weights_in
        rest = torch.eye(5).double() - m
        true, first = torch.trace(rest @ covariance @ rest.T), torch.trace(rest.T @ covariance @ rest)
        second = torch.trace(covariance) - torch.trace(m @ covariance)
        loss = model_error(linear(weights_in, weights_out), x)
        return [(value / loss).item() for value in (true, first, second)]

    any_weights = compared(random(2, 5, seed=3), random(5, 2, seed=4))
    assert any_weights[0] == pytest.approx(1)
    assert all(abs(ratio - 1) > 0.05 for ratio in any_weights[1:])
    basis = torch.linalg.qr(random(5, 2, seed=5)).Q
    assert compared(basis.T, basis) == pytest.approx([1, 1, 1])


def test_the_bound_is_to_be_raised_and_its_negative_is_the_loss():
    """E5: the expression of the notes is a lower bound of log p(x), so descending on it would drive the likelihood down."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(MLP((4,), (8,), (4,)), MLP((2,), (8,), (4,)), Gaussian(), 2)
    x = random(64, 4).float() + 2
    before, evidence = evaluate(model, x)["total"], -log_likelihood(model, x, num_samples=500).mean().item()
    fit(model, x, TrainConfig(epochs=60, lr=1e-2), progress=False, device="cpu")
    after, better = evaluate(model, x)["total"], -log_likelihood(model, x, num_samples=500).mean().item()
    assert before > evidence  # the loss is above -log p(x), so its negative is a lower bound of log p(x)
    assert after > better
    assert after < before
    assert better < evidence


def test_the_slips_of_the_pen():
    """E6: (0.01 + 0.01 + 0.01 + 0.49) / 4 = 0.13 is no row's error: no entry is off by 0.7. E7: three of six terms are zero."""
    x = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0]])
    x_hat = torch.tensor([[0.9, 0.1, 0.8, 0.1], [0.1, 0.9, 0.1, 0.8], [0.8, 0.9, 0.1, 0.1]])
    assert pytest.approx(0.13) == (0.01 + 0.01 + 0.01 + 0.49) / 4
    assert (x - x_hat).abs().max().item() == pytest.approx(0.2)
    assert squared_error(x, x_hat).numpy() / 4 == pytest.approx([0.0175] * 3)

    weights, probabilities = (1, 0, 1, 0, 1, 0), (0.9, 0.2, 0.8, 0.1, 0.8, 0.2)
    six = [w * math.log(p) for w, p in zip(weights, probabilities, strict=True)]
    nll = Bernoulli().nll(torch.logit(torch.tensor([[0.9, 0.2, 0.8]])), torch.tensor([[1.0, 0.0, 1.0]])).item()
    assert nll == pytest.approx(-sum(six), rel=1e-6)
    assert sum(term != 0 for term in six) == 3


def test_probabilistic_pca_draws_new_examples():
    """E12: decoded draws from the prior, with the noise added, have the covariance of the model that scikit-learn's PCA fits."""
    x = random(300, 6, seed=8) @ random(6, 6, seed=9) + 2
    model, _ = probabilistic_pca(x, 2)
    generator = torch.Generator().manual_seed(0)
    means = model.sample(200_000, generator=generator)
    noise = torch.randn(means.shape, generator=generator, dtype=torch.float64)
    drawn = means + model.likelihood.log_sigma.exp() * noise
    expected = PCA(2).fit(x.numpy()).get_covariance() * 299 / 300  # of maximum likelihood, which divides by N
    tolerance = 6 * math.sqrt(2 / len(drawn)) * expected.max()
    np.testing.assert_allclose(np.cov(drawn.T.numpy()), expected, atol=tolerance)
    np.testing.assert_allclose(drawn.mean(0), x.mean(0), atol=6 * math.sqrt(expected.max() / len(drawn)))
    assert tolerance < 0.05 * expected.max()
    assert torch.cdist(drawn[:1000], x).min() > 0  # and are no copies


@pytest.mark.slow
def test_a_code_of_one_number_memorizes_and_does_not_generalize():
    """E9: h = 1 rebuilds a finite set; but two opposite points of any circle have one code, whatever the continuous encoder."""
    train, new = random(8, 6, seed=6).float(), random(500, 6, seed=7).float()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VanillaAE(MLP((6,), (64,), (1,)), MLP((1,), (128, 128), (6,)), Gaussian())
    for lr, epochs in ((3e-3, 1500), (3e-4, 500)):
        fit(model, train, TrainConfig(epochs=epochs, batch_size=8, lr=lr), progress=False, device="cpu")
    model = model.double()
    train, new = train.double(), new.double()
    variance = train.var(0, correction=0).mean().item()
    assert mean_squared_error(train, model.decode(model.encode(train))) < 0.01 * variance
    assert mean_squared_error(new, model.decode(model.encode(new))) > variance

    def gap(angle):
        """Code minus code of the opposite point of a circle: it changes its sign over half a turn, so it is zero somewhere."""
        point = torch.zeros(1, 6, dtype=torch.float64)
        point[0, :2] = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
        return (model.encode(point) - model.encode(-point)).item()

    low, high = 0.0, math.pi
    assert gap(low) == pytest.approx(-gap(high))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if gap(low) * gap(middle) > 0 else (low, middle)
    assert abs(gap(low)) < 1e-12  # two points at distance 2 with one code


@pytest.mark.slow
def test_a_vae_is_blurrier_than_the_deterministic_model():
    """E11: same networks, likelihood, data and training; edges (the mean squared difference of neighboring pixels) are weaker."""
    x = glyphs(2000, seed=0).flat()
    edges = {}
    for name in ("deterministic", "vae"):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            code = 8 if name == "deterministic" else 16
            nets = MLP((784,), (128,), (code,)), MLP((8,), (128,), (784,))
            model = VanillaAE(*nets, Gaussian(0.3)) if name == "deterministic" else VAE(*nets, Gaussian(0.3), 8)
        fit(model, x, TrainConfig(epochs=25, batch_size=100, lr=2e-3), progress=False, device="cpu")
        with torch.no_grad():
            images = model.decode(model.encode(x)).reshape(-1, 28, 28)
        edges[name] = (images.diff(dim=1).square().mean() + images.diff(dim=2).square().mean()).item()
    real = x.reshape(-1, 28, 28)
    truth = (real.diff(dim=1).square().mean() + real.diff(dim=2).square().mean()).item()
    assert edges["vae"] < edges["deterministic"] < truth


def test_dimensions_are_not_bits():
    """E13: one real number carries both of two 8-bit values; a code of more numbers than the data has can cost fewer bits."""
    pairs = torch.cartesian_prod(torch.arange(256.0), torch.arange(256.0)).double()
    packed = (pairs[:, :1] * 256 + pairs[:, 1:])[::7]

    def unpack(z):
        return torch.cat([(z / 256).floor(), z % 256], dim=1)

    (dense,) = rate_distortion(pairs[::7], packed, unpack, [1.0])
    assert dense.mse == 0
    assert dense.bits_per_value * 2 > 13  # nothing is saved: as many bits as there are pairs to tell apart
    constant = pairs[1234].expand(512, 2)
    (wide,) = rate_distortion(constant, constant.repeat(1, 2), lambda z: z[:, :2], [1.0])
    assert wide.mse == 0
    assert wide.bits_per_value < 1  # twice as many dimensions as the data, and hardly a bit
    assert quantize(packed, 1.0).unique().numel() == len(packed)
