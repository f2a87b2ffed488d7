"""The prior over indices against counted frequencies, and as the sampler of a VQ-VAE."""

import pytest
import torch

from aelib.index_frequencies import IndexFrequencies
from aelib.models import build
from aelib.quantizers import GradientQuantizer, MovingAverageQuantizer

INDICES = torch.tensor([[0, 2], [0, 1], [0, 2], [3, 2]])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def quantizer(make=MovingAverageQuantizer):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make(2, 3, 4)


def test_fitted_counts_each_column():
    prior = IndexFrequencies.fitted(quantizer(), INDICES)
    assert prior.probabilities.tolist() == [[0.75, 0, 0, 0.25], [0, 0.25, 0.75, 0]]
    assert prior.latent_dim == 6


def test_draws_have_the_counted_frequencies_and_tokens_are_independent():
    codes = quantizer()
    z = IndexFrequencies.fitted(codes, INDICES)(40_000, generator=seeded())
    assert z.shape == (40_000, 6)
    drawn = codes.nearest(z)
    assert torch.equal(codes.lookup(drawn), z)  # every draw is made of entries of the codebook
    shares = torch.zeros(4, 4).index_put_((drawn[:, 0], drawn[:, 1]), torch.tensor(1 / 40_000), accumulate=True)
    expected = torch.outer(torch.tensor([0.75, 0, 0, 0.25]), torch.tensor([0, 0.25, 0.75, 0]))
    torch.testing.assert_close(shares, expected, atol=0.01, rtol=0)
    assert torch.equal(shares > 0, expected > 0)


@pytest.mark.parametrize("make", [MovingAverageQuantizer, GradientQuantizer])
def test_shape_seed_dtype_and_no_gradient(make):
    codes = quantizer(make)
    prior = IndexFrequencies.fitted(codes, INDICES)
    for n in (0, 1, 7):
        assert prior(n).shape == (n, 6)
    assert torch.equal(prior(9, generator=seeded()), prior(9, generator=seeded()))
    assert not torch.equal(prior(9, generator=seeded()), prior(9, generator=seeded(1)))
    assert not prior(3).requires_grad
    assert prior.double()(3).dtype == torch.float64
    assert codes.codebook.dtype == torch.float32


def test_it_serves_a_vq_vae():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build("vqvae", (1, 4, 4), 6).eval()
    x = torch.rand(50, 1, 4, 4, generator=seeded())
    prior = IndexFrequencies.fitted(model.quantizer, model(x).indices)
    z = prior(200, generator=seeded())
    assert model.decode(z).shape == (200, 1, 4, 4)
    used = [set(column.tolist()) for column in model(x).indices.unbind(1)]
    drawn = [set(column.tolist()) for column in model.quantizer.nearest(z).unbind(1)]
    assert all(some <= known for some, known in zip(drawn, used, strict=True))


def test_bad_arguments():
    codes = quantizer()
    with pytest.raises(ValueError, match=r"indices: got shape \(4, 1\); expected a batch of shape \(B, 2\)"):
        IndexFrequencies.fitted(codes, INDICES[:, :1])
    with pytest.raises(ValueError, match="the number of rows of indices: got 0"):
        IndexFrequencies.fitted(codes, INDICES[:0])
    with pytest.raises(ValueError, match=r"indices: values run from 0 to 4; expected all of them in \[0, 3\]"):
        IndexFrequencies.fitted(codes, INDICES + (INDICES == 3))
    with pytest.raises(ValueError, match=r"probabilities: got shape \(2, 3\); expected \(2, 4\)"):
        IndexFrequencies(codes, torch.ones(2, 3))
    for bad in (torch.zeros(2, 4), torch.tensor([[1.0, 1, -1, 1]] * 2)):
        with pytest.raises(ValueError, match="probabilities: got a negative value or a row of zeros"):
            IndexFrequencies(codes, bad)
    with pytest.raises(ValueError, match="n: got -1"):
        IndexFrequencies.fitted(codes, INDICES)(-1)
