"""The codebook against brute force and plain NumPy, the gradient straight through, and dead entries."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.models import VQVAE
from aelib.nets import MLP
from aelib.quantizers import GradientQuantizer, MovingAverageQuantizer, code_perplexity
from aelib.training import fit


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def make(quantizer, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        width = quantizer.num_tokens * quantizer.code_dim
        return VQVAE(MLP((5,), (16,), (width,)), MLP((width,), (16,), (5,)), Gaussian(), quantizer, **settings)


def averages(num_tokens=3, code_dim=2, num_codes=7, **settings):
    quantizer = MovingAverageQuantizer(num_tokens, code_dim, num_codes, **settings)
    quantizer.codebook.copy_(normal(num_codes, code_dim, seed=9))
    quantizer.sums.copy_(quantizer.codebook)
    return quantizer


def test_nearest_is_brute_force():
    quantizer, z_e = averages(), normal(20, 6)
    indices = quantizer.nearest(z_e)
    for i in range(20):
        for t in range(3):
            token = z_e[i, 2 * t : 2 * t + 2]
            distances = [(token - entry).square().sum().item() for entry in quantizer.codebook]
            assert indices[i, t] == int(np.argmin(distances))
            assert torch.equal(quantizer.lookup(indices)[i, 2 * t : 2 * t + 2], quantizer.codebook[indices[i, t]])


def test_the_decoder_sees_the_entries_of_the_codebook():
    model, x = make(averages()).eval(), normal(8, 5)
    out = model(x)
    torch.testing.assert_close(out.z, out.z_q)
    torch.testing.assert_close(out.z_q, model.encode(x))
    torch.testing.assert_close(model.decode(model.encode(x)), out.x_hat)


@pytest.mark.parametrize("quantizer", [averages(), GradientQuantizer(3, 2, 7)])
def test_the_gradient_of_the_reconstruction_goes_straight_through(quantizer):
    """d recon / d z_e is d recon / d z_q of the decoder alone, and the codebook gets none of it."""
    model, x = make(quantizer), normal(8, 5)
    out = model(x)
    (at_z_e,) = torch.autograd.grad(model.likelihood.nll(out.params, x).sum(), out.z_e)
    z_q = out.z_q.detach().requires_grad_()
    (at_z_q,) = torch.autograd.grad(model.likelihood.nll(model.decoder(z_q), x).sum(), z_q)
    torch.testing.assert_close(at_z_e, at_z_q)
    assert at_z_e.abs().sum() > 0


def test_codebook_and_commitment_pull_from_both_sides():
    """Equation 3 by hand; the codebook moves to z_e by one term and z_e to the codebook by the other."""
    quantizer = GradientQuantizer(3, 2, 7)
    model, x = make(quantizer, commit_weight=0.5), normal(8, 5)
    out = model(x)
    loss = model.loss(x, out)
    distance = ((out.z_e - out.z_q) ** 2).sum().detach() / 8
    torch.testing.assert_close(loss.terms["commit"], distance)
    torch.testing.assert_close(loss.terms["codebook"], distance)
    torch.testing.assert_close(loss.total, loss.terms["recon"] + 1.5 * distance)
    (grad,) = torch.autograd.grad(loss.total, quantizer.codebook, retain_graph=True)
    by_hand = torch.zeros(7, 2)
    for i in range(8):
        for t in range(3):
            c = out.indices[i, t]
            by_hand[c] += 2 / 8 * (quantizer.codebook[c] - out.z_e[i, 2 * t : 2 * t + 2]).detach()
    torch.testing.assert_close(grad, by_hand)
    (total_at, recon_at) = (
        torch.autograd.grad(value, out.z_e, retain_graph=True)[0]
        for value in (loss.total, model.likelihood.nll(out.params, x).mean())
    )
    torch.testing.assert_close(total_at - recon_at, 0.5 * 2 / 8 * (out.z_e - out.z_q).detach(), atol=1e-6, rtol=1e-5)


def test_moving_averages_are_numpys():
    quantizer = averages(decay=0.8, dead_below=0.0)
    codebook = quantizer.codebook.double().numpy().copy()
    counts, sums = np.ones(7), codebook.copy()
    for step in range(5):
        z_e = normal(20, 6, seed=step)
        quantizer.update(z_e, quantizer.nearest(z_e), None)
        tokens = z_e.double().numpy().reshape(60, 2)
        nearest = ((tokens[:, None] - codebook[None]) ** 2).sum(2).argmin(1)
        for c in range(7):
            counts[c] = 0.8 * counts[c] + 0.2 * (nearest == c).sum()
            sums[c] = 0.8 * sums[c] + 0.2 * tokens[nearest == c].sum(0)
            codebook[c] = sums[c] / counts[c]
    np.testing.assert_allclose(quantizer.codebook.numpy(), codebook, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(quantizer.counts.numpy(), counts, rtol=1e-5)


def test_an_entry_that_is_never_used_keeps_its_place():
    quantizer = averages(1, 2, 2, decay=0.5, dead_below=0.0)
    quantizer.codebook.copy_(torch.tensor([[0.0, 0.0], [100.0, 100.0]]))
    quantizer.sums.copy_(quantizer.codebook)
    for _ in range(300):
        quantizer.update(torch.zeros(4, 2), torch.zeros(4, 1, dtype=torch.int64), None)
    torch.testing.assert_close(quantizer.codebook, torch.tensor([[0.0, 0.0], [100.0, 100.0]]))


def test_dead_entries_are_put_onto_tokens_of_the_batch():
    quantizer = averages(1, 2, 4, decay=0.5, dead_below=0.05)
    quantizer.codebook[1:] = 1000.0
    quantizer.sums.copy_(quantizer.codebook)
    books = []
    start = {name: value.clone() for name, value in quantizer.state_dict().items()}
    for seed in (0, 0, 1):
        quantizer.load_state_dict(start)
        generator = torch.Generator().manual_seed(seed)
        for step in range(10):
            z_e = normal(50, 2, seed=step)
            quantizer.update(z_e, quantizer.nearest(z_e), generator)
        books.append(quantizer.codebook.clone())
    assert torch.equal(books[0], books[1])
    assert not torch.equal(books[0], books[2])
    z_e = normal(200, 2, seed=77)
    assert code_perplexity(quantizer.nearest(z_e), 4) > 2.5
    assert books[0].abs().max() < 10


def test_evaluation_and_empty_batches_leave_the_codebook_alone():
    model = make(averages())
    before = {name: value.clone() for name, value in model.quantizer.state_dict().items()}
    model(torch.zeros(0, 5))
    model.eval()(normal(8, 5))
    for name, value in model.quantizer.state_dict().items():
        assert torch.equal(value, before[name])


def test_perplexity():
    assert code_perplexity(torch.arange(8).reshape(2, 4), 8).item() == pytest.approx(8)
    assert code_perplexity(torch.full((5, 2), 3), 8).item() == pytest.approx(1)
    p = np.array([0.5, 0.25, 0.25])
    assert code_perplexity(torch.tensor([0, 0, 1, 2]), 5).item() == pytest.approx(math.exp(-(p * np.log(p)).sum()))
    assert code_perplexity(torch.zeros(0, 2, dtype=torch.int64), 5).item() == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [GradientQuantizer, MovingAverageQuantizer])
def test_training_finds_clusters(kind):
    """Four tight clusters and four entries of one token: the mean of each cluster is an entry, as k-means would have it."""
    centers = torch.tensor([[2.0, 2.0], [2.0, -2.0], [-2.0, 2.0], [-2.0, -2.0]])
    x = centers.repeat(50, 1) + 0.1 * normal(200, 2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VQVAE(nn.Identity(), nn.Linear(2, 2), Gaussian(), kind(1, 2, 4))
    if kind is GradientQuantizer:
        # Nothing frees a gradient-trained entry that shares a cluster with another; it starts in its quadrant.
        model.quantizer.codebook.data.copy_(0.1 * centers)
    fit(model, x, TrainConfig(epochs=150, batch_size=50, lr=2e-2), progress=False, device="cpu")
    indices = model.quantizer.nearest(x)
    assert code_perplexity(indices, 4) > 3.9
    assert torch.cdist(centers, model.quantizer.codebook.detach()).min(1).values.max() < 0.2


def test_bad_arguments():
    with pytest.raises(ValueError, match="num_codes: got 0"):
        GradientQuantizer(1, 2, 0)
    with pytest.raises(ValueError, match=r"decay: got 1.5; expected a number from 0 to 1"):
        MovingAverageQuantizer(1, 2, 3, decay=1.5)
    with pytest.raises(ValueError, match="commit_weight: got -1"):
        make(averages(), commit_weight=-1)
    with pytest.raises(ValueError, match=r"the encoder's output: got shape \(2, 5\); expected .*\(B, 6\)"):
        averages().nearest(torch.zeros(2, 5))
