"""Attention against the formula in numpy and torch's own module, and what padding may not change."""

import numpy as np
import pytest
import torch
from torch import nn

from aelib.sequences import Steps
from aelib.transformer import Attention, Block, TransformerDecoder, TransformerEncoder, sinusoidal_positions

LENGTHS = torch.tensor([3, 6, 1, 4])


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def array(tensor):
    return tensor.detach().double().numpy()


def affine(layer, x):
    return x @ array(layer.weight).T + (0 if layer.bias is None else array(layer.bias))


def test_one_head_is_the_formula():
    """softmax(Q K^T / sqrt(d)) V in numpy, one sequence at a time and without its padding."""
    net, x, memory = Attention(4, 1), normal(4, 5, 4), normal(4, 6, 4, seed=1)
    mask = torch.arange(6) < LENGTHS[:, None]
    out = array(net(x, memory, mask))
    for i, length in enumerate(LENGTHS.tolist()):
        q, own = affine(net.query, array(x[i])), array(memory[i, :length])
        scores = q @ affine(net.key, own).T / np.sqrt(4)
        weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        np.testing.assert_allclose(out[i], affine(net.out, weights @ affine(net.value, own)), atol=1e-6)


def test_several_heads_are_torchs():
    net, x, memory = Attention(8, 4), normal(4, 5, 8), normal(4, 6, 8, seed=1)
    other = nn.MultiheadAttention(8, 4, batch_first=True)
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.cat([net.query.weight, net.key.weight, net.value.weight]))
        other.in_proj_bias.copy_(torch.cat([net.query.bias, torch.zeros(8), net.value.bias]))
        other.out_proj.load_state_dict(net.out.state_dict())
    mask = torch.arange(6) < LENGTHS[:, None]
    expected, _ = other(x, memory, memory, key_padding_mask=~mask)
    torch.testing.assert_close(net(x, memory, mask), expected)


def test_a_bias_of_the_keys_would_change_nothing():
    """Why there is none: it adds the same number to all scores of a query."""
    net, x, memory = Attention(4, 1), normal(4, 5, 4), normal(4, 6, 4, seed=1)
    before = net(x, memory)
    net.key.bias = nn.Parameter(normal(4, seed=2))
    torch.testing.assert_close(net(x, memory), before)


def test_positions_are_sines_and_cosines():
    by_hand = np.array(
        [
            [np.sin(t / 10000 ** (c / 6)) if c % 2 == 0 else np.cos(t / 10000 ** ((c - 1) / 6)) for c in range(6)]
            for t in range(9)
        ]
    )
    np.testing.assert_allclose(sinusoidal_positions(9, 6), by_hand, atol=1e-6)


def test_a_block_treats_its_vectors_alike():
    """Permuting the vectors permutes what comes out: only positions tell steps apart."""
    net, h, memory = Block(8, 2, cross=True), normal(2, 5, 8), normal(2, 3, 8, seed=1)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(net(h[:, order], memory=memory), net(h, memory=memory)[:, order])


def test_with_one_slot_all_positions_find_the_same_in_memory():
    """Why a decoder has several: with one, softmax has nothing to choose from."""
    found = [Attention(8, 2)(normal(1, 5, 8), normal(1, slots, 8, seed=1)) for slots in (1, 3)]
    torch.testing.assert_close(found[0], found[0][:, :1].expand(-1, 5, -1))
    assert (found[1] - found[1][:, :1]).abs().max() > 1e-3


def test_the_longest_sequences_may_be_longer():
    """The same weights with three more steps of padding: the same code, and the same valid steps."""
    nets = []
    for num_steps in (6, 9):
        steps = Steps((num_steps, 2))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            nets.append((TransformerEncoder(steps, 8, 3), TransformerDecoder(3, 8, steps)))
    x = normal(4, 9, 2)
    z = [encoder(x[:, : encoder.steps.num_steps], lengths=LENGTHS) for encoder, _ in nets]
    torch.testing.assert_close(z[0], z[1])
    out = [decoder(z[0], lengths=LENGTHS) for _, decoder in nets]
    torch.testing.assert_close(out[0], out[1][:, :6])
    assert out[1][:, 6:].abs().sum() == 0


@pytest.mark.parametrize("n", [0, 1, 4])
def test_tokens(n):
    steps = Steps((6,), num_classes=7)
    encoder, decoder = TransformerEncoder(steps, 8, 3), TransformerDecoder(3, 8, steps)
    assert decoder(encoder(torch.ones(n, 6, dtype=torch.long))).shape == (n, 7, 6)


@pytest.mark.usefixtures("as_a_user")
def test_bad_arguments():
    steps = Steps((6, 2))
    for make, message in [
        (lambda: Attention(6, 4), "width: got 6 with num_heads=4; expected a multiple of num_heads"),
        (lambda: TransformerEncoder(steps, 7, 3, num_heads=1), "width: got 7; expected an even number"),
        (lambda: TransformerEncoder(steps, 8, 3, num_layers=0), "num_layers: got 0"),
        (lambda: TransformerDecoder(3, 8, steps, num_slots=0), "num_slots: got 0"),
        (lambda: TransformerEncoder(steps, 8, 3)(torch.zeros(2, 5, 2)), r"x: got shape .*\(B, 6, 2\)"),
        (lambda: TransformerDecoder(3, 8, steps)(torch.zeros(2, 2)), r"z: got shape .*\(B, 3\)"),
        (lambda: TransformerDecoder(3, 8, steps)(torch.zeros(2, 3), lengths=torch.tensor([1, 7])), "lengths: values"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
