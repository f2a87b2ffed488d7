"""The solution of the assignment on shapes against loops, scipy and torch's own layers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import signal, special
from solved_functions import functions
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

LENGTHS = [([3], 3), ([1], 1), ([1], 4), ([2, 5, 1, 5], 5), ([4, 2, 2, 3, 1, 2], 6)]
# (images, channels in, channels out, kernel, stride, padding), (height, width)
CONVOLUTIONS = [
    ((1, 1, 1, 1, 1, 0), (1, 1)),
    ((2, 3, 4, 3, 2, 1), (7, 6)),
    ((1, 2, 3, 4, 3, 2), (5, 9)),
    ((3, 1, 2, 2, 3, 0), (7, 4)),
    ((1, 2, 1, 5, 1, 2), (1, 2)),
]


@pytest.fixture(autouse=True)
def double_precision():
    """The notebook computes in float64; tests/conftest.py puts the old type back."""
    torch.set_default_dtype(torch.float64)


def solved(name):
    return getattr(functions("08_shapes"), name)


def normal(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_the_sizes_are_those_of_torch_and_every_row_comes_back(stride):
    for n, k, p in np.ndindex(13, 7, 4):
        if k == 0 or n == 0 or n + 2 * p < k:
            continue
        small, extra = solved("sizes")(n, k, stride, p)
        w, x = torch.ones(1, 1, k), torch.ones(1, 1, n)
        y = F.conv1d(x, w, stride=stride, padding=p)
        assert y.shape[2] == small
        assert F.conv_transpose1d(y, w, stride=stride, padding=p, output_padding=extra).shape == x.shape


@pytest.mark.parametrize(("lengths", "num_steps"), LENGTHS)
def test_the_masks_are_true_where_loops_say_so(lengths, num_steps):
    valid = solved("valid_steps")(torch.tensor(lengths), num_steps)
    may_look = solved("causal_mask")(torch.tensor(lengths), num_steps)
    steps = range(1, num_steps + 1)
    assert valid.dtype is may_look.dtype is torch.bool
    assert valid.tolist() == [[t <= length for t in steps] for length in lengths]
    assert may_look.tolist() == [[[s <= min(t, length) for s in steps] for t in steps] for length in lengths]


@pytest.mark.parametrize(("lengths", "num_steps"), LENGTHS)
@pytest.mark.parametrize(("in_x", "in_x_hat"), [(0.0, 9.0), (np.nan, 0.0), (np.inf, np.inf), (1.0, np.nan)])
def test_the_masked_loss_and_its_gradient_are_sums_over_valid_steps(lengths, num_steps, in_x, in_x_hat):
    x, x_hat = normal(0, 2, len(lengths), num_steps, 3)
    mask = torch.arange(num_steps) < torch.tensor(lengths)[:, None]
    x[~mask], x_hat[~mask] = in_x, in_x_hat
    off = np.zeros(x.shape)
    for i, length in enumerate(lengths):
        off[i, :length] = x[i, :length] - x_hat[i, :length]
    loss = solved("masked_loss")(x, x_hat.requires_grad_(), mask)
    loss.backward()
    np.testing.assert_allclose(loss.item(), (off**2).sum() / len(lengths))
    np.testing.assert_allclose(x_hat.grad, -2 * off / len(lengths))


@pytest.mark.parametrize(("lengths", "num_steps"), LENGTHS)
def test_the_last_state_is_that_of_a_gru_which_reads_each_sequence_alone(lengths, num_steps):
    torch.manual_seed(num_steps)
    gru, x = nn.GRU(2, 3, batch_first=True), normal(1, len(lengths), num_steps, 2)
    states = gru(x)[0].detach().requires_grad_()
    last = solved("last_state")(states, torch.tensor(lengths))
    for row, sequence, length in zip(last, x, lengths):
        torch.testing.assert_close(row, gru(sequence[None, :length])[1][0, 0])
    last.sum().backward()
    picked = [[float(t == length) for t in range(1, num_steps + 1)] for length in lengths]
    np.testing.assert_array_equal(states.grad, np.repeat(np.array(picked)[:, :, None], 3, axis=2))


@pytest.mark.parametrize(("lengths", "num_steps"), [*LENGTHS, (list(range(1, 10)), 9), ([2] * 20 + [1] * 20, 2)])
def test_torch_packs_the_ordered_batch_and_the_inverse_brings_it_back(lengths, num_steps):
    order, inverse = solved("packing_order")(torch.tensor(lengths))
    assert [lengths[row] for row in order] == sorted(lengths, reverse=True)
    x = torch.tensor([[float(t < length) * i for t in range(num_steps)] for i, length in enumerate(lengths, 1)])
    packed = pack_padded_sequence(x[order], torch.tensor(lengths)[order], batch_first=True, enforce_sorted=True)
    torch.testing.assert_close(pad_packed_sequence(packed, batch_first=True, total_length=num_steps)[0][inverse], x)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1), (2, 3, 5, 4, 6), (3, 4, 4, 1, 2), (1, 6, 2, 9, 1)])
def test_attention_is_that_of_torch_and_of_a_loop(sizes):
    n, t, s, d, e = sizes
    q, k, v = (normal(seed, *shape) for seed, shape in enumerate([(n, t, d), (n, s, d), (n, s, e)]))
    mask = normal(3, n, t, s) > 0
    mask[:, :, 0] = True
    out = solved("attention")(q, k, v, mask)
    torch.testing.assert_close(out, F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
    for i, j in np.ndindex(n, t):
        seen = mask[i, j].numpy()
        weights = special.softmax(k[i].numpy()[seen] @ q[i, j].numpy() / np.sqrt(d))
        np.testing.assert_allclose(out[i, j], weights @ v[i].numpy()[seen])
    inputs = [one.requires_grad_() for one in (q, k, v)]
    assert torch.autograd.gradcheck(lambda q, k, v: solved("attention")(q, k, v, mask), inputs)


@pytest.mark.parametrize("score", [800.0, 1e6, -800.0, -1e6])
def test_attention_to_extreme_scores_is_a_choice_or_a_mean(score):
    q, k, v = torch.tensor([[[score]]]), torch.tensor([[[1.0], [2.0], [1.0]]]), torch.tensor([[[3.0], [7.0], [5.0]]])
    q.requires_grad_()
    out = solved("attention")(q, k, v, torch.ones(1, 1, 3, dtype=torch.bool))
    out.backward()
    assert [out.item(), q.grad.item()] == pytest.approx([7 if score > 0 else 4, 0], abs=1e-9)


@pytest.mark.parametrize(("numbers", "side"), CONVOLUTIONS)
def test_the_convolution_is_a_correlation_of_which_every_sth_value_is_kept(numbers, side):
    n, c, o, k, s, p = numbers
    x, w, b = normal(0, n, c, *side), normal(1, o, c, k, k), normal(2, o)
    y = solved("conv2d")(x, w, b, s, p)
    torch.testing.assert_close(y, F.conv2d(x, w, b, stride=s, padding=p))
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), (p, p), (p, p)])
    for image, out in np.ndindex(n, o):
        maps = [signal.correlate2d(padded[image, i], w[out, i].numpy(), mode="valid") for i in range(c)]
        np.testing.assert_allclose(y[image, out], sum(maps)[::s, ::s] + b[out].item())


@pytest.mark.parametrize(("numbers", "side"), CONVOLUTIONS)
def test_the_transpose_is_that_of_the_matrix_of_the_convolution(numbers, side):
    n, c, o, k, s, p = numbers
    w, pixels = normal(1, o, c, k, k), c * side[0] * side[1]
    matrix = F.conv2d(torch.eye(pixels).reshape(pixels, c, *side), w, stride=s, padding=p)  # one pixel in each row
    y = normal(2, n, *matrix.shape[1:])
    x_hat = solved("conv_transpose2d")(y, w, s, p, side)
    np.testing.assert_allclose(x_hat.flatten(1), y.flatten(1).numpy() @ matrix.flatten(1).numpy().T, atol=1e-12)


class Watched(nn.Module):
    """A linear autoencoder of sequences that writes down which sequences it is given; x[:, 0, 0] is their number."""

    def __init__(self, num_steps, channels):
        super().__init__()
        d = num_steps * channels
        self.w_enc, self.w_dec, self.b_dec = map(nn.Parameter, (normal(3, 2, d), normal(4, d, 2), normal(5, d)))
        self.batches = []

    def forward(self, x, mask):
        self.batches.append(x[:, 0, 0].int().tolist())
        z = x.masked_fill(~mask[:, :, None], 0.0).flatten(1) @ self.w_enc.T
        return (z @ self.w_dec.T + self.b_dec).reshape(x.shape)


def by_hand(weights, x, mask, batches, lr):
    """Adam in numpy, the gradients of the watched model by the chain rule: the loss of each batch, as a sum, and the weights."""
    losses = []
    means, squares = ([np.zeros_like(w) for w in weights] for _ in range(2))
    for step, rows in enumerate(batches, 1):
        w_enc, w_dec, b_dec = weights
        inside = np.repeat(mask[rows], x.shape[2], axis=1)
        given = np.where(inside, x[rows].reshape(len(rows), -1), 0)
        z = given @ w_enc.T
        off = np.where(inside, z @ w_dec.T + b_dec - given, 0)
        losses.append((off**2).sum())
        back = 2 * off / len(rows)
        for i, gradient in enumerate([(back @ w_dec).T @ given, back.T @ z, back.sum(0)]):
            means[i] = 0.9 * means[i] + 0.1 * gradient
            squares[i] = 0.999 * squares[i] + 0.001 * gradient**2
            spread = np.sqrt(squares[i] / (1 - 0.999**step)) + 1e-8
            weights[i] = weights[i] - lr * means[i] / (1 - 0.9**step) / spread
    return losses, weights


@pytest.mark.parametrize(("n", "batch_size", "channels"), [(10, 4, 1), (7, 7, 2), (3, 8, 1), (5, 1, 2), (1, 1, 1)])
def test_training_takes_the_steps_of_adam_by_hand_on_shuffled_batches(n, batch_size, channels):
    x, lengths = normal(n, n, 4, channels), np.random.default_rng(n).integers(1, 5, size=n)
    x[:, 0, 0] = torch.arange(n)
    mask = torch.arange(4) < torch.tensor(lengths)[:, None]
    x[~mask] = torch.nan
    model, again, other = (Watched(4, channels) for _ in range(3))
    start = [w.detach().numpy() for w in again.parameters()]
    history = solved("train")(model, x, mask, 4, batch_size, 0.05, 7)
    per_epoch = -(-n // batch_size)
    epochs = [model.batches[i : i + per_epoch] for i in range(0, 4 * per_epoch, per_epoch)]
    for batches in epochs:
        assert sorted(row for rows in batches for row in rows) == list(range(n))
        assert [len(rows) for rows in batches[:-1]] == [batch_size] * (per_epoch - 1)
    losses, weights = by_hand(start, x.numpy(), mask.numpy(), model.batches, 0.05)
    np.testing.assert_allclose(history, np.reshape(losses, (4, per_epoch)).sum(1) / n)
    torch.testing.assert_close(list(model.parameters()), [torch.tensor(w) for w in weights], rtol=1e-9, atol=1e-9)
    solved("train")(again, x, mask, 4, batch_size, 0.05, 7)
    solved("train")(other, x, mask, 4, batch_size, 0.05, 8)
    assert again.batches == model.batches
    if n > 4:
        assert other.batches != model.batches
        assert epochs[0] != epochs[1]
