"""Recurrent networks against torch's own, packed; what padding may not change; and what bad lengths say."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from aelib.autoregressive import AutoregressiveDecoder
from aelib.recurrent import Recurrence, RecurrentDecoder, RecurrentEncoder
from aelib.sequences import Steps, valid_steps, without_padding

TORCHS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
LENGTHS = torch.tensor([3, 6, 1, 4])


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def torchs(recurrence, cell):
    """torch's module with the same weights."""
    net = TORCHS[cell](recurrence.inputs.in_features, recurrence.hidden_dim, batch_first=True)
    state = [recurrence.inputs.weight, recurrence.states.weight, recurrence.inputs.bias, recurrence.states.bias]
    net.load_state_dict(dict(zip(["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"], state)))
    return net


@pytest.mark.parametrize("cell", TORCHS)
def test_a_recurrence_is_torchs(cell):
    """Outputs, and gradients of all weights and inputs."""
    own, v = Recurrence(2, 5, cell), normal(4, 6, 2).requires_grad_()
    other, weights = torchs(own, cell), normal(4, 6, 5, seed=1)
    torch.testing.assert_close(own(v), other(v)[0])
    own_grads = torch.autograd.grad((own(v) * weights).sum(), [v, *own.parameters()])
    (other(v)[0] * weights).sum().backward()
    for name, grad in zip(["weight_ih_l0", "bias_ih_l0", "weight_hh_l0", "bias_hh_l0"], own_grads[1:]):
        torch.testing.assert_close(grad, getattr(other, name).grad)
    torch.testing.assert_close(own_grads[0], v.grad)


@pytest.mark.parametrize("cell", TORCHS)
def test_an_encoder_is_torchs_run_over_packed_sequences(cell):
    net, x = RecurrentEncoder(Steps((6, 2)), 5, 3, cell=cell), normal(4, 6, 2)
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    last = torchs(net.recurrence, cell)(packed)[1]
    last = last[0][0] if cell == "lstm" else last[0]
    torch.testing.assert_close(net(x, lengths=LENGTHS), net.to_out(last))


@pytest.mark.parametrize("cell", TORCHS)
def test_a_decoder_is_torchs_run_over_packed_copies_of_z(cell):
    net, z = RecurrentDecoder(3, 5, Steps((6, 2)), cell=cell), normal(4, 3)
    copies = z[:, None].expand(-1, 6, -1)
    packed = pack_padded_sequence(copies, LENGTHS, batch_first=True, enforce_sorted=False)
    h, _ = pad_packed_sequence(torchs(net.recurrence, cell)(packed)[0], batch_first=True)
    expected = without_padding(net.to_out(h), valid_steps(z, 6, LENGTHS))
    torch.testing.assert_close(net(z, lengths=LENGTHS), expected)


def test_without_lengths_all_sequences_are_full():
    encoder, decoder = RecurrentEncoder(Steps((6, 2)), 5, 3), RecurrentDecoder(3, 5, Steps((6, 2)))
    x, full = normal(4, 6, 2), torch.full((4,), 6)
    assert torch.equal(encoder(x), encoder(x, lengths=full))
    assert torch.equal(decoder(encoder(x)), decoder(encoder(x), lengths=full))


@pytest.mark.parametrize("kind", [RecurrentDecoder, AutoregressiveDecoder])
def test_a_longer_decoder_only_adds_steps(kind):
    """The same weights, unrolled for three steps more."""
    short = kind(3, 5, Steps((6, 2)))
    long = kind(3, 5, Steps((9, 2)))
    long.load_state_dict(short.state_dict())
    z = normal(4, 3)
    torch.testing.assert_close(long(z)[:, :6], short(z))
    assert long(z, lengths=LENGTHS)[:, 6:].abs().sum() == 0


def test_tokens_are_unit_vectors():
    """The same numbers as torch's GRU on one-hot vectors; logits have classes on axis 1."""
    steps = Steps((6,), num_classes=7)
    x = torch.randint(0, 7, (4, 6), generator=torch.Generator().manual_seed(0))
    encoder, decoder = RecurrentEncoder(steps, 5, 3), RecurrentDecoder(3, 5, steps)
    z = encoder(x)
    h, _ = torchs(encoder.recurrence, "gru")(F.one_hot(x, 7).float())
    torch.testing.assert_close(z, encoder.to_out(h[:, -1]))
    assert decoder(z).shape == (4, 7, 6)


def test_with_targets_each_step_sees_the_truth_before_it():
    """Against one step after the other by torch's cell, and by what changing one step changes."""
    net, z, x = AutoregressiveDecoder(3, 5, Steps((6, 2))), normal(4, 3), normal(4, 6, 2, seed=1)
    nn.init.normal_(net.before_first, generator=torch.Generator().manual_seed(2))
    before = torch.cat([net.before_first.expand(4, 1, 2), x[:, :-1]], dim=1)
    h, _ = torchs(net.recurrence, "gru")(torch.cat([z[:, None].expand(-1, 6, -1), before], dim=2))
    torch.testing.assert_close(net(z, targets=x), net.to_out(h))
    changed = x.clone()
    changed[:, 3] += 1
    difference = (net(z, targets=changed) - net(z, targets=x)).abs().sum((0, 2))
    assert (difference[:4] == 0).all()
    assert (difference[4:] > 0).all()


def test_without_targets_each_step_sees_what_came_out_before_it():
    """What was generated, given as targets, comes out again."""
    real, z = AutoregressiveDecoder(3, 5, Steps((6, 2))), normal(4, 3)
    torch.testing.assert_close(real(z, targets=real(z)), real(z))
    tokens = AutoregressiveDecoder(3, 5, Steps((6,), num_classes=7))
    torch.testing.assert_close(tokens(z, targets=tokens(z).argmax(1)), tokens(z))


@pytest.mark.parametrize("cell", TORCHS)
def test_empty_batches(cell):
    steps = Steps((6, 2))
    assert RecurrentEncoder(steps, 5, 3, cell=cell)(torch.zeros(0, 6, 2)).shape == (0, 3)
    assert RecurrentDecoder(3, 5, steps, cell=cell)(torch.zeros(0, 3)).shape == (0, 6, 2)


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        (torch.tensor([3, 0, 1, 2]), ValueError, r"lengths: values run from 0 to 3; expected all of them in \[1, 6\]"),
        (torch.tensor([3, 7, 1, 2]), ValueError, r"lengths: values run from 1 to 7; expected all of them in \[1, 6\]"),
        (torch.tensor([3, 2]), ValueError, r"lengths: got shape \(2,\); expected \(4,\), one for each sequence"),
        (torch.ones(4, 1).long(), ValueError, r"lengths: got shape \(4, 1\); expected \(4,\)"),
        (torch.ones(4), TypeError, r"lengths: got torch.float32; expected a tensor of integers"),
        ([1, 2, 3, 4], TypeError, r"lengths: got list; expected a tensor of integers"),
    ],
)
def test_bad_lengths(lengths, error, message):
    with pytest.raises(error, match=message):
        RecurrentEncoder(Steps((6, 2)), 5, 3)(normal(4, 6, 2), lengths=lengths)
    with pytest.raises(error, match=message):
        RecurrentDecoder(3, 5, Steps((6, 2)))(normal(4, 3), lengths=lengths)


@pytest.mark.usefixtures("as_a_user")
def test_bad_arguments():
    tokens = RecurrentEncoder(Steps((6,), num_classes=7), 5, 3)
    for make, message in [
        (lambda: Steps((1, 4, 4)), r"event_shape: got \(1, 4, 4\); expected \(T, C\) for real values"),
        (lambda: Steps((6, 2), num_classes=7), r"event_shape: got \(6, 2\); expected \(T,\) for tokens"),
        (lambda: Steps((0, 2)), "event_shape: got 0"),
        (lambda: Steps((6,), num_classes=1), "num_classes: got 1"),
        (lambda: Recurrence(2, 5, "grue"), "cell: got 'grue'.*did you mean 'gru'"),
        (lambda: RecurrentEncoder(Steps((6, 2)), 5, 3)(torch.zeros(4, 5, 2)), r"x: got shape .*\(B, 6, 2\)"),
        (lambda: RecurrentDecoder(3, 5, Steps((6, 2)))(torch.zeros(4, 2)), r"z: got shape .*\(B, 3\)"),
        (lambda: tokens(torch.full((4, 6), 7)), r"x: values run from 7 to 7; expected all of them in \[0, 6\]"),
        (lambda: tokens(torch.zeros(4, 6)), r"x: got torch.float32; expected integers from 0 to 6"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


def test_padding_may_hold_anything():
    """NaN for real values, -100 for tokens."""
    x, mask = normal(4, 6, 2), valid_steps(LENGTHS, 6, LENGTHS)
    assert mask.tolist() == [[t < length for t in range(6)] for length in LENGTHS.tolist()]
    encoder = RecurrentEncoder(Steps((6, 2)), 5, 3)
    z = encoder(torch.where(mask[..., None], x, math.nan), lengths=LENGTHS)
    assert torch.equal(z, encoder(x, lengths=LENGTHS))
    encoder, x = RecurrentEncoder(Steps((6,), num_classes=7), 5, 3), torch.ones(4, 6, dtype=torch.long)
    z = encoder(torch.where(mask, x, -100), lengths=LENGTHS)
    assert torch.equal(z, encoder(x, lengths=LENGTHS))
