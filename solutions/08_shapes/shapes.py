# %% [markdown] locked="intro"
# # Shapes: convolutions and sequences
#
# Images have neighbors, and sequences have an end. Here you write the pieces with which networks deal with both: sizes,
# masks, orders, attention, and a convolution with its transpose. At the end you train an autoencoder of sequences.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top says
#   what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points. Tasks 1, 8 and 9 are about images,
#   tasks 2 to 7 and 10 about sequences.
# - What a task asks for cannot be imported. The stub says what is not allowed there. You may use anything else in torch and
#   numpy.
# - Sequences in a batch have shape (B, T, ...): all are padded to T steps. Numbers must agree to 0.000001, relative or
#   absolute. Functions return tensors unless they say otherwise, and leave their arguments as they are.
# - Before you submit: Kernel, Restart Kernel and Run All Cells, then save. (It stops at the first error; a task that you
#   skipped is one. Save all the same.)

# %% locked="install"
# {install}

# %% locked="setup"
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from aelib import data, viz

# All numbers in this notebook are float64, also those that you make with torch.zeros.
torch.set_default_dtype(torch.float64)


def normal(seed: int, *shape: int) -> Tensor:
    """Normal random numbers of a shape; the same seed gives the same numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def agrees(answer, expected) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and agree to 0.000001."""
    a, b = torch.as_tensor(answer).detach().double(), torch.as_tensor(expected).double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-6, atol=1e-6)


def shown(answer) -> str:
    """The numbers of a tensor, rounded and on a line of their own, for a message."""
    return "\n" + str(np.round(torch.as_tensor(answer).detach().double().numpy(), 4))


def is_pair(answer) -> bool:
    """Whether a function returned two things."""
    return isinstance(answer, (tuple, list)) and len(answer) == 2


# %% [markdown] task="sizes" minutes=6 difficulty=1
# ## 1. There and back
#
# In a row of $n$ pixels, padded to $n + 2p$, a kernel of $k$ pixels fits at the starts $0, s, 2s, \dots$ up to $n + 2p - k$.
# So a convolution with stride $s$ makes of $n$ pixels
#
# $$n' = \Bigl\lfloor \frac{n + 2p - k}{s} \Bigr\rfloor + 1 .$$
#
# A transposed convolution paints the kernel at the same starts and cuts the padding off. Of $n'$ values it makes
#
# $$(n' - 1)\, s + k - 2p + o$$
#
# pixels, where the *output padding* $o$ is 0 unless you ask for more. For $s > 1$ the floor rounds, so that several $n$ give
# the same $n'$, and for $o = 0$ only the smallest of them comes back. Return $n'$ and the $o$ that brings back the $n$ pixels
# you began with.
#
# For $n = 28$, $k = 3$, $s = 2$, $p = 1$ that is $n' = 14$ and $o = 1$: without it, 14 values come back as 27 pixels.
#
# <details><summary>Hint</summary>
#
# In Python `//` divides and rounds down. For the second number, set the formula equal to $n$ and solve it for $o$.
#
# </details>


# %% solution="sizes"
# Not allowed here: aelib, torch.nn, torch.conv1d, torch.conv2d
# Not allowed here: torch.conv_transpose1d, torch.conv_transpose2d
def sizes(n: int, k: int, s: int, p: int) -> tuple[int, int]:
    """The size after a convolution, and the output padding that brings the old size back.

    Args:
        n: the number of pixels in a row, with n + 2p at least k.
        k: the size of the kernel, at least 1.
        s: the stride, at least 1.
        p: the padding on each side, at least 0.

    Returns:
        small: the number of values after the convolution.
        output_padding: what must be added so that n pixels come back, 0 to s - 1.
    """
    ### BEGIN SOLUTION
    small = (n + 2 * p - k) // s + 1
    back = (small - 1) * s + k - 2 * p
    return small, n - back
    ### END SOLUTION


# %% tests="sizes-shape" points=0.25
# sizes(n, k, s, p) returns a pair of whole numbers: the first at least 1, the second at
# least 0.
pair = sizes(10, 3, 2, 1)
assert is_pair(pair), "return two numbers: small, output_padding"
assert all(float(one) == int(one) for one in pair), f"expected whole numbers, got {pair}"
assert pair[0] >= 1, f"the kernel fits at least once, yours fits {pair[0]} times"
assert pair[1] >= 0, f"output padding adds pixels, yours is {pair[1]}"
### BEGIN HIDDEN TESTS
for n in (int(draw.integers(10, 20)), 8, 9):
    small, extra = sizes(n, 3, 2, 1)
    probe(whole=float(small) == int(small) and float(extra) == int(extra))
    probe(small=float(small), extra=float(extra), below_stride=bool(extra < 2))
### CHECK small: at_least(bound=1)
### CHECK extra: non_negative()
### END HIDDEN TESTS

# %% tests="sizes-there" points=0.5
# 28 pixels become 14 with k = 3, s = 2, p = 1. A kernel as large as the padded image fits
# exactly once.
for given, expected in (
    ((28, 3, 2, 1), 14),
    ((7, 3, 2, 1), 4),
    ((12, 4, 3, 0), 3),
    ((6, 3, 1, 1), 6),
    ((3, 7, 2, 2), 1),
):
    small, _ = sizes(*given)
    assert small == expected, f"(n, k, s, p) = {given}: expected {expected} values, got {small}"
### BEGIN HIDDEN TESTS
for given in ((5, 5, 2, 0), (11, 3, 1, 2), (9, 2, 4, 1), (12, 3, 2, 1)):
    probe(small=sizes(*given)[0])
for _ in range(8):
    k, s, p = int(draw.integers(1, 6)), int(draw.integers(1, 5)), int(draw.integers(0, 4))
    probe(small=sizes(int(draw.integers(5, 60)), k, s, p)[0])
### END HIDDEN TESTS

# %% tests="sizes-back" points=0.75
# 28 pixels need an output padding of 1 and 7 need none. With stride 3 you may need 0, 1 or 2,
# and with stride 1 nothing is lost.
for given, expected in (
    ((28, 3, 2, 1), 1),
    ((7, 3, 2, 1), 0),
    ((10, 4, 3, 0), 0),
    ((11, 4, 3, 0), 1),
    ((12, 4, 3, 0), 2),
    ((9, 5, 1, 2), 0),
):
    _, extra = sizes(*given)
    assert extra == expected, f"(n, k, s, p) = {given}: expected {expected}, got {extra}"
### BEGIN HIDDEN TESTS
for given in ((5, 5, 2, 0), (11, 3, 4, 2), (9, 2, 4, 0), (12, 3, 2, 1)):
    probe(extra=sizes(*given)[1])
for _ in range(8):
    k, s, p = int(draw.integers(1, 6)), int(draw.integers(2, 6)), int(draw.integers(0, 4))
    probe(extra=sizes(int(draw.integers(5, 60)), k, s, p)[1])
### END HIDDEN TESTS

# %% [markdown] task="valid_steps" minutes=4 difficulty=1
# ## 2. Which steps are there
#
# A tensor has no ragged edge, so sequences of different lengths are padded to $T$ steps. A **mask** says what is data:
#
# $$m_{it} = \text{True} \Leftrightarrow t \le L_i, \qquad t = 1, \dots, T,$$
#
# where $L_i$ is the length of sequence $i$. In Python positions count from 0: the first $L_i$ entries of row $i$ are True.
#
# <details><summary>Hint</summary>
#
# `torch.arange` lists the positions. Compare a row of T positions with a column of B lengths: a tensor `a` becomes a column as
# `a[:, None]`.
#
# </details>


# %% solution="valid_steps"
# Not allowed here: aelib, torch.nn.utils.rnn
def valid_steps(lengths: Tensor, num_steps: int) -> Tensor:
    """True for the steps of each sequence, False for its padding.

    Args:
        lengths: the number of steps of each sequence, integers from 1 to T, shape (B,).
        num_steps: T, to which all sequences are padded.

    Returns:
        The mask, a boolean tensor of shape (B, T).
    """
    ### BEGIN SOLUTION
    return torch.arange(num_steps) < lengths[:, None]
    ### END SOLUTION


# %% tests="valid_steps-shape" points=0.25
# valid_steps(lengths, T) is a boolean tensor with a row for each sequence and a column for
# each step.
mask = valid_steps(torch.tensor([2, 5, 1]), 5)
assert tuple(mask.shape) == (3, 5), (
    f"3 lengths, T = 5: expected (3, 5), got {tuple(mask.shape)}"
)
assert mask.dtype is torch.bool, f"expected dtype torch.bool, got {mask.dtype}"
### BEGIN HIDDEN TESTS
for n, t in ((3, 5), (1, 4), (6, 2)):
    mask = valid_steps(torch.tensor(draw.integers(1, t + 1, size=n)), t)
    probe(mask=mask, is_bool=mask.dtype is torch.bool)
### CHECK mask: shape()
### END HIDDEN TESTS

# %% tests="valid_steps-values" points=0.75
# For the lengths 2 and 3 and T = 4: row 0 has two True, row 1 has three, at the start.
mask = valid_steps(torch.tensor([2, 3]), 4)
assert agrees(mask, [[1, 1, 0, 0], [1, 1, 1, 0]]), f"expected 1100 and 1110, got {shown(mask)}"
mask = valid_steps(torch.tensor([1, 3, 2]), 3)
assert agrees(mask, [[1, 0, 0], [1, 1, 1], [1, 1, 0]]), (
    f"lengths 1, 3, 2 with T = 3: expected 100, 111, 110, got {shown(mask)}"
)
### BEGIN HIDDEN TESTS
probe(mask=valid_steps(torch.tensor([1, 4, 2, 3]), 4))
for n, t in ((4, 6), (1, 3), (5, 5), (3, 1)):
    probe(mask=valid_steps(torch.tensor(draw.integers(1, t + 1, size=n)), t))
### END HIDDEN TESTS

# %% [markdown] task="masked_loss" minutes=8 difficulty=2
# ## 3. A loss that does not see padding
#
# The squared error of a sequence sums over the steps that are there, and over the $C$ values of each. The loss of a batch is
# the mean over its sequences:
#
# $$\frac{1}{B} \sum_{i=1}^{B} \sum_{t=1}^{T} m_{it} \sum_{c=1}^{C} (x_{itc} - \hat x_{itc})^2 .$$
#
# What stands in the padding must not matter *at all*, even if it is NaN or infinite: neither for the value nor for the gradient
# with respect to $\hat x$. There is a trap: 0 times NaN is NaN. It waits in the product $m \cdot (\dots)^2$. It waits in the
# backward pass too: the derivative of $(x - \hat x)^2$ is $-2 (x - \hat x)$, and autograd multiplies it with what comes back.
#
# <details><summary>Hint</summary>
#
# `torch.where(condition, a, 0.0)` picks and does not multiply. Use it *before* you square. The mask has shape (B, T) and the
# data (B, T, C), so it needs one more axis.
#
# </details>


# %% solution="masked_loss"
# Not allowed here: aelib
def masked_loss(x: Tensor, x_hat: Tensor, mask: Tensor) -> Tensor:
    """The squared error: a sum over valid steps and their values, a mean over the sequences.

    Args:
        x: the sequences, shape (B, T, C); its padding can hold anything, also NaN.
        x_hat: their reconstructions, shape (B, T, C); likewise.
        mask: True for valid steps, a boolean tensor of shape (B, T).

    Returns:
        The loss, shape (); torch can differentiate it with respect to x_hat.
    """
    ### BEGIN SOLUTION
    difference = torch.where(mask[:, :, None], x - x_hat, 0.0)
    return difference.square().sum() / len(x)
    ### END SOLUTION


# %% tests="masked_loss-shape" points=0.25
# masked_loss(x, x_hat, mask) is one number, and it is not negative.
loss = masked_loss(
    torch.zeros(4, 3, 2), torch.ones(4, 3, 2), torch.ones(4, 3, dtype=torch.bool)
)
assert torch.as_tensor(loss).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(loss).shape)}"
)
assert float(loss) >= 0, f"a sum of squares is not negative, yours is {float(loss):g}"
### BEGIN HIDDEN TESTS
for n, t, c in ((4, 3, 2), (1, 2, 5)):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, t, c)))
    loss = masked_loss(x, x_hat, torch.ones(n, t, dtype=torch.bool))
    probe(numbers=torch.as_tensor(loss).numel(), loss=loss)
### CHECK loss: non_negative()
### END HIDDEN TESTS

# %% tests="masked_loss-values" points=1
# Two sequences with the valid values (1, 2) and (3), reconstructed as zeros, have the loss
# (1 + 4 + 9)/2 = 7, whatever stands behind them. x and x_hat stay as they are.
x, x_hat = torch.tensor([[[1.0], [2.0], [90.0]], [[3.0], [90.0], [90.0]]]), torch.zeros(2, 3, 1)
before = x.clone()
loss = masked_loss(x, x_hat, torch.tensor([[True, True, False], [True, False, False]]))
assert agrees(float(loss), 7.0), f"expected 7, got {float(loss):g}"
assert torch.equal(x, before), "your function has changed x: work on a copy"
loss = masked_loss(torch.full((1, 3, 2), 2.0), torch.zeros(1, 3, 2), torch.ones(1, 3).bool())
assert agrees(float(loss), 24.0), (
    f"one sequence of 3 steps with 2 values, all off by 2: expected 24, got {float(loss):g}"
)
### BEGIN HIDDEN TESTS
for n, t, c in ((6, 5, 3), (1, 4, 2), (3, 2, 1)):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, t, c)))
    lengths = torch.tensor(draw.integers(1, t + 1, size=n))
    lengths[0] = 1
    mask = torch.arange(t) < lengths[:, None]
    x[~mask] += 50
    probe(loss=float(masked_loss(x, x_hat, mask)), x=x, x_hat=x_hat)
### END HIDDEN TESTS

# %% tests="masked_loss-nan" points=0.75
# NaN and infinity in the padding reach neither the loss nor its gradient, which is 0 there
# and 2 (x_hat - x)/B at valid steps.
x, x_hat = torch.tensor([[[1.0], [math.nan]], [[3.0], [math.inf]]]), torch.zeros(2, 2, 1)
x_hat.requires_grad_()
value = masked_loss(x, x_hat, torch.tensor([[True, False], [True, False]]))
assert agrees(torch.as_tensor(value).reshape(()), 5.0), (
    f"(1 + 9)/2 = 5, yours is {shown(value)}"
)
value.backward()
assert agrees(x_hat.grad, [[[-1.0], [0.0]], [[-3.0], [0.0]]]), (
    "expected the gradient -1 and -3 at the two valid steps and 0 elsewhere, "
    f"got {shown(x_hat.grad)}"
)
### BEGIN HIDDEN TESTS
for (n, t, c), there, here in (
    ((5, 4, 2), math.nan, 0.0),
    ((1, 3, 1), math.inf, 1.0),
    ((3, 3, 2), math.nan, math.nan),
):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, t, c)))
    lengths = torch.tensor(draw.integers(1, t + 1, size=n))
    lengths[0] = t - 1
    mask = torch.arange(t) < lengths[:, None]
    x[~mask], x_hat[~mask] = there, here
    loss = masked_loss(x, x_hat.requires_grad_(), mask)
    probe(loss=loss)
    loss.backward()
    probe(gradient=x_hat.grad)
### END HIDDEN TESTS

# %% [markdown] task="last_state" minutes=6 difficulty=2
# ## 4. The state after the last letter
#
# A recurrent encoder reads a padded batch and gives a state $h_t$ for every step. The code is made from $h_L$: the state after
# the *last valid step* of each sequence, not after the last cell of the tensor. Behind it, the network has read padding.
#
# So the result has one row for each sequence, and each row comes from a step of its own:
#
# $$\text{row } i = h_{i, L_i} .$$
#
# The gradient comes back to these steps alone.
#
# <details><summary>Hint</summary>
#
# Step $L$ stands at position $L - 1$. `a[rows, columns]` with two tensors of integers picks one entry for each pair of them,
# while `a[:, columns]` picks all these columns for every row.
#
# </details>


# %% solution="last_state"
# Not allowed here: aelib, torch.nn.utils.rnn
def last_state(h: Tensor, lengths: Tensor) -> Tensor:
    """The state after the last valid step of each sequence.

    Args:
        h: the states after each step, shape (B, T, n).
        lengths: the number of steps of each sequence, integers from 1 to T, shape (B,).

    Returns:
        The states, shape (B, n); torch can differentiate them with respect to h.
    """
    ### BEGIN SOLUTION
    return h[torch.arange(len(h)), lengths - 1]
    ### END SOLUTION


# %% tests="last_state-shape" points=0.25
# last_state(h, lengths) has one row for each sequence and one column for each value of a state.
last = last_state(torch.ones(3, 4, 2), torch.tensor([4, 1, 2]))
assert tuple(last.shape) == (3, 2), (
    f"3 sequences, states of 2 values: expected shape (3, 2), got {tuple(last.shape)}"
)
### BEGIN HIDDEN TESTS
for n, t, m in ((3, 4, 2), (1, 3, 5)):
    lengths = torch.tensor(draw.integers(1, t + 1, size=n))
    probe(last=last_state(torch.tensor(draw.normal(size=(n, t, m))), lengths))
### CHECK last: shape()
### END HIDDEN TESTS

# %% tests="last_state-values" points=0.5
# With h_it = 10 i + t, for i = 0, 1, 2 and t = 1, ..., 4, the lengths 4, 1, 3 give 4, 11
# and 23.
h = 10 * torch.arange(3.0)[:, None, None] + torch.arange(1.0, 5)[:, None]
last = last_state(h, torch.tensor([4, 1, 3]))
assert agrees(last, [[4.0], [11.0], [23.0]]), f"expected 4, 11 and 23, got {shown(last)}"
### BEGIN HIDDEN TESTS
probe(last=last_state(torch.tensor(draw.normal(size=(4, 4, 4))), torch.tensor([1, 3, 2, 3])))
for n, t, m in ((5, 4, 3), (1, 3, 2), (4, 4, 4), (3, 1, 2)):
    lengths = torch.tensor(draw.integers(1, t + 1, size=n))
    probe(last=last_state(torch.tensor(draw.normal(size=(n, t, m))), lengths))
### END HIDDEN TESTS

# %% tests="last_state-gradient" points=0.5
# A gradient comes back to the last valid step of each sequence, and to no other step.
h = torch.zeros(2, 3, 1, requires_grad=True)
last = last_state(h, torch.tensor([2, 3]))
assert last.requires_grad, "torch cannot differentiate your result: pick entries of h itself"
last.sum().backward()
assert agrees(h.grad, [[[0.0], [1.0], [0.0]], [[0.0], [0.0], [1.0]]]), (
    f"for the lengths 2 and 3 the gradient is 1 there and 0 elsewhere, got {shown(h.grad)}"
)
### BEGIN HIDDEN TESTS
for n, t, m in ((4, 5, 2), (1, 4, 3), (3, 3, 3)):
    h = torch.tensor(draw.normal(size=(n, t, m)), requires_grad=True)
    lengths = torch.tensor(draw.integers(1, t, size=n))
    last = last_state(h, lengths)
    probe(differentiable=last.requires_grad)
    (last * torch.tensor(draw.normal(size=(n, m)))).sum().backward()
    probe(gradient=h.grad)
### END HIDDEN TESTS

# %% [markdown] task="packing_order" minutes=6 difficulty=2
# ## 5. Longest first, and back again
#
# Fast kernels for recurrent networks want a batch sorted by length, the longest sequence first: then the sequences that have
# not ended yet are always the first rows. Afterwards the results must go back to where their sequences stood.
#
# Return two permutations, as tensors of positions: `order`, with which `lengths[order]` is descending, and `inverse`, which
# undoes it:
#
# `x[order][inverse]` equals `x`, for every tensor `x` with B rows.
#
# Sequences of the same length may come in any order. For the lengths 2, 5, 9, 7, `order` is 2, 3, 1, 0: row 2 comes first. And
# `inverse` is 3, 2, 0, 1: what was row 0 now stands at position 3.
#
# <details><summary>Hint</summary>
#
# `torch.argsort` returns the positions that sort a tensor. `inverse` has to sort `order` into 0, 1, 2, ... .
#
# </details>


# %% solution="packing_order"
# Not allowed here: aelib, torch.nn.utils.rnn
def packing_order(lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The order of a batch with the longest sequence first, and the order that undoes it.

    Args:
        lengths: the number of steps of each sequence, integers, shape (B,).

    Returns:
        order: positions with which lengths[order] is descending, integers, shape (B,).
        inverse: positions with which x[order][inverse] is x, integers, shape (B,).
    """
    ### BEGIN SOLUTION
    order = torch.argsort(lengths, descending=True)
    return order, torch.argsort(order)
    ### END SOLUTION


# %% tests="packing_order-shape" points=0.25
# packing_order(lengths) returns a pair (order, inverse), each with one position for each
# sequence.
pair = packing_order(torch.tensor([3, 1, 2]))
assert is_pair(pair), "return two tensors: order, inverse"
for name, one in zip(("order", "inverse"), pair):
    assert tuple(one.shape) == (3,), f"{name}: expected shape (3,), got {tuple(one.shape)}"
    assert not one.is_floating_point(), f"{name}: positions are integers, got {one.dtype}"
### BEGIN HIDDEN TESTS
for n in (3, 1):
    order, inverse = packing_order(torch.tensor(draw.integers(1, 9, size=n)))
    probe(order=order, inverse=inverse, integers=not order.is_floating_point())
### CHECK order: shape()
### CHECK inverse: shape()
### END HIDDEN TESTS

# %% tests="packing_order-order" points=0.75
# For the lengths 2, 5, 9, 7 the order is 2, 3, 1, 0. Equal lengths are fine, and every
# position occurs once.
order, _ = packing_order(torch.tensor([2, 5, 9, 7]))
assert order.tolist() == [2, 3, 1, 0], f"expected 2, 3, 1, 0, got {order.tolist()}"
lengths = torch.tensor([4, 4, 6, 4, 6])
order, _ = packing_order(lengths)
assert lengths[order].tolist() == [6, 6, 4, 4, 4], (
    f"lengths[order] is to be 6, 6, 4, 4, 4, yours is {lengths[order].tolist()}"
)
assert sorted(order.tolist()) == [0, 1, 2, 3, 4], (
    f"every position has to occur once in the order, yours is {order.tolist()}"
)
### BEGIN HIDDEN TESTS
for lengths in (
    torch.tensor(draw.integers(1, 6, size=15)),
    torch.tensor([3, 1, 2, 5, 4]),
    torch.tensor(draw.permutation(12) + 1),
    torch.tensor([7]),
):
    rows, _ = packing_order(lengths)
    probe(lengths=lengths[rows], positions=rows.sort().values)
### END HIDDEN TESTS

# %% tests="packing_order-inverse" points=0.5
# x[order][inverse] is x again. For the lengths 2, 5, 9, 7 the inverse is 3, 2, 0, 1.
order, inverse = packing_order(torch.tensor([2, 5, 9, 7]))
assert inverse.tolist() == [3, 2, 0, 1], f"expected 3, 2, 0, 1, got {inverse.tolist()}"
x = torch.tensor([10.0, 20.0, 30.0, 40.0])
assert agrees(x[order][inverse], x), (
    f"x[order][inverse] is not x, but {shown(x[order][inverse])}"
)
### BEGIN HIDDEN TESTS
for lengths in (
    torch.tensor([2, 3, 1, 5, 4]),
    torch.tensor(draw.permutation(12) + 1),
    torch.tensor(draw.integers(1, 6, size=15)),
):
    x = torch.tensor(draw.normal(size=len(lengths)))
    rows, undone = packing_order(lengths)
    probe(back=x[rows][undone], identity=undone[rows])
### END HIDDEN TESTS

# %% [markdown] task="causal_mask" minutes=6 difficulty=2
# ## 6. No look ahead, no look at padding
#
# In attention, every step is a *query* that looks at the other steps, its *keys*. A decoder that writes step after step must
# not look ahead: query $t$ may look at key $s$ only if $s \le t$, at itself too. And nobody may look at padding:
#
# $$m_{its} = \text{True} \Leftrightarrow s \le t \text{ and } s \le L_i .$$
#
# Queries in the padding need no rule of their own. They look at what is there, and nobody reads what they find.
#
# <details><summary>Hint</summary>
#
# Make the two conditions one after the other and join them with `&`. Three axes in the order (B, T, T): the lengths become
# `lengths[:, None, None]`, the queries a column, the keys a row.
#
# </details>


# %% solution="causal_mask"
# Not allowed here: aelib, torch.nn.Transformer, .generate_square_subsequent_mask
def causal_mask(lengths: Tensor, num_steps: int) -> Tensor:
    """Which step may look at which: at no later one, and at no padding.

    Args:
        lengths: the number of steps of each sequence, integers from 1 to T, shape (B,).
        num_steps: T, to which all sequences are padded.

    Returns:
        The mask, a boolean tensor of shape (B, T, T): [i, t, s] says whether in sequence i
        query t may look at key s.
    """
    ### BEGIN SOLUTION
    steps = torch.arange(num_steps)
    not_later = steps <= steps[:, None]
    valid = steps < lengths[:, None, None]
    return not_later & valid
    ### END SOLUTION


# %% tests="causal_mask-shape" points=0.25
# causal_mask(lengths, T) is a boolean tensor of shape (B, T, T).
mask = causal_mask(torch.tensor([2, 4]), 4)
assert tuple(mask.shape) == (2, 4, 4), (
    f"2 lengths, T = 4: expected shape (2, 4, 4), got {tuple(mask.shape)}"
)
assert mask.dtype is torch.bool, f"expected dtype torch.bool, got {mask.dtype}"
### BEGIN HIDDEN TESTS
for n, t in ((2, 4), (1, 3), (5, 2)):
    mask = causal_mask(torch.tensor(draw.integers(1, t + 1, size=n)), t)
    probe(mask=mask, is_bool=mask.dtype is torch.bool)
### CHECK mask: shape()
### END HIDDEN TESTS

# %% tests="causal_mask-order" points=0.5
# Without padding, query t sees the keys up to t and itself: for T = 3 the rows are 100, 110
# and 111.
mask = causal_mask(torch.tensor([3]), 3)
assert agrees(mask, [[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]), (
    f"one row for each query: expected 100, 110, 111, got {shown(mask)}"
)
### BEGIN HIDDEN TESTS
for n, t in ((1, int(draw.integers(4, 7))), (3, 4), (2, 2)):
    probe(mask=causal_mask(torch.full((n,), t), t))
### END HIDDEN TESTS

# %% tests="causal_mask-padding" points=0.5
# With length 2 and T = 3 the last key is padding: the rows are 100, 110 and 110.
mask = causal_mask(torch.tensor([2, 1]), 3)
assert agrees(mask[0], [[1, 0, 0], [1, 1, 0], [1, 1, 0]]), (
    f"length 2: expected 100, 110, 110, got {shown(mask[0])}"
)
assert agrees(mask[1], [[1, 0, 0], [1, 0, 0], [1, 0, 0]]), (
    f"length 1: all queries see the first key alone, yours see {shown(mask[1])}"
)
### BEGIN HIDDEN TESTS
for n, t in ((4, 5), (5, 5), (1, 4), (3, 2)):
    lengths = torch.tensor(draw.integers(1, t + 1, size=n))
    lengths[0] = t - 1
    probe(mask=causal_mask(lengths, t))
### END HIDDEN TESTS

# %% [markdown] task="attention" minutes=10 difficulty=3
# ## 7. Attention
#
# A query $q_t$ is compared with every key $k_s$. The softmax of the scores weighs the values $v_s$:
#
# $$\text{out}_t = \sum_{s=1}^{S} w_{ts}\, v_s, \qquad
# w_{ts} = \frac{m_{ts} \exp(q_t^\top k_s / \sqrt{d})}{\sum_{r} m_{tr} \exp(q_t^\top k_r / \sqrt{d})},$$
#
# where $d$ is the number of entries of a query and of a key. The weights of a query are at least 0 and add up to 1, and what is
# masked has weight 0, *exactly*.
#
# Scores can be large: with 1000 in the exponent, exp overflows, and the formula as it stands gives NaN. `torch.softmax` subtracts
# the largest score first, which changes nothing else.
#
# <details><summary>Hint</summary>
#
# `a.mT` transposes the last two axes, and `@` multiplies the matrices of a batch one by one. A score of minus infinity gives the
# weight 0: `scores.masked_fill(condition, value)` puts a value in where the condition is True.
#
# </details>


# %% solution="attention"
# Not allowed here: aelib, torch.nn.attention, torch.nn.MultiheadAttention
# Not allowed here: torch.nn.functional.scaled_dot_product_attention
# Not allowed here: torch.nn.functional.multi_head_attention_forward
def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Scaled dot-product attention, with a mask.

    Args:
        q: the queries, shape (B, T, d).
        k: the keys, shape (B, S, d).
        v: the values, shape (B, S, e).
        mask: True where a query may look at a key, a boolean tensor of shape (B, T, S); each
            query may look at one key or more.

    Returns:
        What each query finds, shape (B, T, e); torch can differentiate it.
    """
    ### BEGIN SOLUTION
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)
    return weights @ v
    ### END SOLUTION


# %% tests="attention-shape" points=0.25
# attention(q, k, v, mask) has one row for each query, as long as a value.
out = attention(
    torch.ones(2, 3, 4), torch.ones(2, 5, 4), torch.ones(2, 5, 6), torch.ones(2, 3, 5).bool()
)
assert tuple(out.shape) == (2, 3, 6), (
    f"2 times 3 queries, values of 6 numbers: expected shape (2, 3, 6), got {tuple(out.shape)}"
)
### BEGIN HIDDEN TESTS
for n, t, s, d, e in ((2, 3, 5, 4, 6), (1, 1, 2, 3, 1)):
    shapes = (n, t, d), (n, s, d), (n, s, e)
    q, k, v = (torch.tensor(draw.normal(size=shape)) for shape in shapes)
    probe(out=attention(q, k, v, torch.ones(n, t, s, dtype=torch.bool)))
### CHECK out: shape()
### END HIDDEN TESTS

# %% tests="attention-values" points=0.5
# Scores log 3 and 0 (here d = 4, and the root of 4 is 2) give the weights 3/4 and 1/4: of the
# values 4 and 8 that makes 5.
k = torch.tensor([[[math.log(3.0), 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]])
q, v = torch.tensor([[[2.0, 0.0, 5.0, 0.0]]]), torch.tensor([[[4.0], [8.0]]])
out = attention(q, k, v, torch.ones(1, 1, 2, dtype=torch.bool))
assert agrees(out, [[[5.0]]]), f"expected 5, got {shown(out)}"
### BEGIN HIDDEN TESTS
for n, t, s, d, e in ((2, 3, 5, 4, 6), (1, 2, 3, 1, 2), (3, 4, 4, 9, 4), (2, 1, 1, 2, 3)):
    shapes = (n, t, d), (n, s, d), (n, s, e)
    q, k, v = (torch.tensor(draw.normal(size=shape)) for shape in shapes)
    probe(out=attention(q, k, v, torch.ones(n, t, s, dtype=torch.bool)))
### END HIDDEN TESTS

# %% tests="attention-mask" points=0.75
# What is masked has weight 0, and the other weights add up to 1: with equal scores out is the
# mean of the values that may be seen. No gradient comes back to the rest.
q, k, v = torch.ones(1, 2, 3), torch.ones(1, 3, 3), torch.tensor([[[2.0], [4.0], [900.0]]])
v.requires_grad_()
out = attention(q, k, v, torch.tensor([[[True, True, False], [True, False, False]]]))
assert agrees(out, [[[3.0], [2.0]]]), f"expected (2 + 4)/2 = 3 and then 2, got {shown(out)}"
out.sum().backward()
assert agrees(v.grad, [[[1.5], [0.5], [0.0]]]), (
    f"the gradient is the sum of the weights, 1.5, 0.5 and 0, yours is {shown(v.grad)}"
)
### BEGIN HIDDEN TESTS
for n, t, s, d, e in ((2, 3, 5, 4, 6), (1, 4, 4, 2, 1), (3, 2, 6, 1, 2)):
    shapes = (n, t, d), (n, s, d), (n, s, e)
    q, k, v = (torch.tensor(draw.normal(size=shape), requires_grad=True) for shape in shapes)
    mask = torch.tensor(draw.random(size=(n, t, s)) < 0.5)
    mask[:, :, 0], mask[:, :, -1] = True, False
    out = attention(q, k, v, mask)
    out.square().sum().backward()
    probe(out=out, of_q=q.grad, of_k=k.grad, of_v=v.grad)
### END HIDDEN TESTS

# %% tests="attention-large" points=0.5
# Scores of 1000 and more, or of -1000 and less, give no NaN, neither in the result nor in its
# gradient.
for sign in (1.0, -1.0):
    q = torch.tensor([[[sign * 1000.0]]], requires_grad=True)
    k, v = torch.tensor([[[1.0], [2.0], [1.0]]]), torch.tensor([[[5.0], [6.0], [5.0]]])
    out = attention(q, k, v, torch.ones(1, 1, 3, dtype=torch.bool))
    expected = 6.0 if sign > 0 else 5.0
    assert agrees(out, [[[expected]]]), f"expected {expected:g}, got {shown(out)}"
    out.sum().backward()
    assert agrees(q.grad, [[[0.0]]]), f"expected the gradient 0, got {shown(q.grad)}"
### BEGIN HIDDEN TESTS
for sign in (1, -1):
    q = torch.tensor(sign * draw.uniform(1000, 3000, size=(2, 3, 4)), requires_grad=True)
    k, v = torch.tensor(draw.uniform(1, 2, size=(2, 2, 5, 4)))
    mask = torch.tensor(draw.random(size=(2, 3, 5)) < 0.5)
    mask[:, :, 1] = True
    out = attention(q, k, v, mask)
    probe(out=out)
    out.sum().backward()
    probe(gradient=q.grad)
### END HIDDEN TESTS

# %% [markdown] task="conv2d" minutes=10 difficulty=3
# ## 8. A convolution by hand
#
# One small rule, applied everywhere. With channels $c$, rows $i$ and columns $j$, a kernel $w$ of $k \times k$ values, stride $s$
# and padding $p$,
#
# $$y_{o,i,j} = b_o + \sum_{c} \sum_{u=0}^{k-1} \sum_{v=0}^{k-1} w_{o,c,u,v}\; x_{c,\; si + u - p,\; sj + v - p},$$
#
# for each image $x$ of the batch. Pixels outside of it count as zero. The kernel is not turned around. Images need not be square.
#
# <details><summary>Hint</summary>
#
# `F.pad(x, (p, p, p, p))` puts zeros around the images. Then either loop over $u$ and $v$: for fixed $u, v$ the pixels that
# meet $w_{o,c,u,v}$ are a strided slice of the image. Or let `x.unfold(dimension, size, step)` cut all patches at once,
# first along the rows, then along the columns, and sum with `torch.einsum`.
#
# </details>


# %% solution="conv2d"
# Not allowed here: aelib, scipy, torch.nn.Conv2d, torch.nn.Conv3d, torch.conv2d, torch.conv3d
# Not allowed here: torch.nn.functional.conv2d, torch.nn.functional.conv3d, torch.convolution
# Not allowed here: .conv2d, .conv3d, .convolution
def conv2d(x: Tensor, w: Tensor, b: Tensor, stride: int, padding: int) -> Tensor:
    """The convolution of images with a kernel, plus a bias.

    Args:
        x: the images, shape (B, C, height, width).
        w: the kernel, shape (O, C, k, k).
        b: the bias of each channel that comes out, shape (O,).
        stride: s, at least 1, for rows and columns alike.
        padding: p, at least 0, on each side.

    Returns:
        The maps, shape (B, O, height', width').
    """
    ### BEGIN SOLUTION
    _, _, k, _ = w.shape
    padded = F.pad(x, (padding,) * 4)
    patches = padded.unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("ncijuv,ocuv->noij", patches, w) + b[:, None, None]
    ### END SOLUTION


# %% tests="conv2d-shape" points=0.25
# conv2d(x, w, b, stride, padding) has shape (B, O, height', width'), with the sizes of task 1.
y = conv2d(torch.ones(2, 3, 7, 5), torch.ones(4, 3, 3, 3), torch.ones(4), stride=2, padding=1)
assert tuple(y.shape) == (2, 4, 4, 3), (
    f"2 images of 7 x 5, 4 channels out, k = 3, s = 2, p = 1: expected (2, 4, 4, 3), "
    f"got {tuple(y.shape)}"
)
### BEGIN HIDDEN TESTS
for (n, c, o, k, s, p), side in (((2, 3, 4, 3, 2, 1), (7, 5)), ((1, 1, 2, 2, 1, 0), (3, 6))):
    x, w = (
        torch.tensor(draw.normal(size=(n, c, *side))),
        torch.tensor(draw.normal(size=(o, c, k, k))),
    )
    probe(y=conv2d(x, w, torch.tensor(draw.normal(size=o)), s, p))
### CHECK y: shape()
### END HIDDEN TESTS

# %% tests="conv2d-values" points=0.75
# With stride 1 and no padding: the kernel (1, 0; 0, 10) adds to each pixel ten times the one
# below it to the right. All channels are summed, and the bias is added once.
x = torch.arange(9.0).reshape(1, 1, 3, 3)
w = torch.tensor([[[[1.0, 0.0], [0.0, 10.0]]]])
y = conv2d(x, w, torch.tensor([0.5]), stride=1, padding=0)
assert agrees(y, [[[[40.5, 51.5], [73.5, 84.5]]]]), (
    f"pixels 0 to 8 in three rows: expected 40.5, 51.5 and 73.5, 84.5, got {shown(y)}"
)
x, w, b = normal(0, 2, 3, 4, 6), normal(1, 5, 3, 2, 2), normal(2, 5)
y = conv2d(x, w, b, stride=1, padding=0)
assert agrees(y, F.conv2d(x, w, b)), "with 3 channels in and 5 out, torch finds another result"
### BEGIN HIDDEN TESTS
for (n, c, o, k), side in (
    ((2, 3, 4, 3), (5, 6)),
    ((1, 1, 1, 1), (4, 3)),
    ((2, 1, 2, 2), (3, 5)),
    ((1, 3, 3, 3), (3, 3)),
):
    x, w = (
        torch.tensor(draw.normal(size=(n, c, *side))),
        torch.tensor(draw.normal(size=(o, c, k, k))),
    )
    probe(y=conv2d(x, w, torch.tensor(draw.normal(size=o)), 1, 0))
### END HIDDEN TESTS

# %% tests="conv2d-stride" points=0.75
# Stride and padding: zeros all around the image, and the kernel moves s pixels at a time.
x = torch.arange(9.0).reshape(1, 1, 3, 3)
w = torch.tensor([[[[1.0, 0.0], [0.0, 10.0]]]])
y = conv2d(x, w, torch.tensor([0.0]), stride=2, padding=1)
assert agrees(y, [[[[0.0, 20.0], [60.0, 84.0]]]]), (
    f"the same kernel, s = 2, p = 1: expected 0, 20 and 60, 84, got {shown(y)}"
)
x, w, b = normal(3, 2, 2, 8, 5), normal(4, 3, 2, 3, 3), normal(5, 3)
for s, p in ((1, 1), (2, 0), (3, 2)):
    y = conv2d(x, w, b, stride=s, padding=p)
    assert agrees(y, F.conv2d(x, w, b, s, p)), f"s = {s}, p = {p}: torch finds another result"
### BEGIN HIDDEN TESTS
for (n, c, o, k, s, p), side in (
    ((2, 2, 3, 3, 2, 1), (7, 6)),
    ((1, 3, 1, 4, 3, 2), (5, 9)),
    ((1, 1, 2, 3, 1, 2), (4, 6)),
    ((2, 1, 1, 2, 2, 0), (6, 5)),
):
    x, w = (
        torch.tensor(draw.normal(size=(n, c, *side))),
        torch.tensor(draw.normal(size=(o, c, k, k))),
    )
    probe(y=conv2d(x, w, torch.tensor(draw.normal(size=o)), s, p))
### END HIDDEN TESTS

# %% [markdown] task="conv_transpose2d" minutes=12 difficulty=4
# ## 9. The way back: the transpose
#
# Without its bias, a convolution is a matrix $C$: it maps the pixels of an image to the values of its maps. The **transposed
# convolution** is $C^\top$, so for all images $x$ and all maps $y$
#
# $$\langle C x,\, y \rangle = \langle x,\, C^\top y \rangle,$$
#
# where $\langle a, b \rangle$ is the sum of all products of entries in the same place. Read it as painting: each value
# $y_{o,i,j}$ paints the kernel $w_o$, multiplied by $y_{o,i,j}$, on an empty padded image, with its upper left corner at
# $(si, sj)$. Strokes that overlap add up. At the end the padding is cut off.
#
# You are told the size of the image, because $y$ alone does not tell it (task 1). Pixels that no stroke reaches stay zero.
#
# <details><summary>Hint</summary>
#
# The kernel is that of the convolution, of shape (O, C, k, k): from O channels it paints C. For one place (i, j) the strokes of
# all channels are `torch.einsum("no,ocuv->ncuv", y[:, :, i, j], w)`. Add them to a k by k window of the padded image.
#
# </details>


# %% solution="conv_transpose2d"
# Not allowed here: aelib, torch.autograd, torch.func, torch.nn.grad, .backward
# Not allowed here: torch.nn.ConvTranspose2d, torch.nn.functional.conv_transpose2d
# Not allowed here: torch.conv_transpose2d, torch.convolution
# Not allowed here: .ConvTranspose2d, .conv_transpose2d, .convolution
def conv_transpose2d(
    y: Tensor, w: Tensor, stride: int, padding: int, size: tuple[int, int]
) -> Tensor:
    """The transpose of a convolution without bias.

    Args:
        y: the maps, shape (B, O, height', width').
        w: the kernel of the convolution, shape (O, C, k, k).
        stride: s, at least 1, for rows and columns alike.
        padding: p, at least 0, on each side.
        size: height and width of an image of which the convolution makes height' x width'
            values.

    Returns:
        The images, shape (B, C, height, width).
    """
    ### BEGIN SOLUTION
    _, channels, k, _ = w.shape
    (height, width), (rows, columns) = size, y.shape[2:]
    image = F.pad(torch.zeros(len(y), channels, height, width), (padding,) * 4)
    for i in range(rows):
        for j in range(columns):
            window = image[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
            window += torch.einsum("no,ocuv->ncuv", y[:, :, i, j], w)
    return image[:, :, padding : padding + height, padding : padding + width]
    ### END SOLUTION


# %% tests="conv_transpose2d-shape" points=0.25
# conv_transpose2d(y, w, stride, padding, size) has shape (B, C, height, width): C channels, as
# the images have.
x_hat = conv_transpose2d(torch.ones(2, 4, 4, 3), torch.ones(4, 3, 3, 3), 2, 1, (7, 5))
assert tuple(x_hat.shape) == (2, 3, 7, 5), (
    "a kernel of shape (4, 3, 3, 3), size (7, 5): expected (2, 3, 7, 5), "
    f"got {tuple(x_hat.shape)}"
)
### BEGIN HIDDEN TESTS
for (n, c, o, k, s, p), side in (((2, 3, 4, 3, 2, 1), (7, 5)), ((1, 2, 1, 3, 2, 1), (8, 6))):
    y = torch.tensor(draw.normal(size=(n, o, *((a + 2 * p - k) // s + 1 for a in side))))
    probe(x_hat=conv_transpose2d(y, torch.tensor(draw.normal(size=(o, c, k, k))), s, p, side))
### CHECK x_hat: shape()
### END HIDDEN TESTS

# %% tests="conv_transpose2d-painting" points=0.75
# The values 1 and 10 paint the kernel (1, 2; 3, 4) side by side with stride 2. With stride 1
# the strokes overlap in the middle, and there they add up.
y, w = torch.tensor([[[[1.0, 10.0]]]]), torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
x_hat = conv_transpose2d(y, w, stride=2, padding=0, size=(2, 4))
assert agrees(x_hat, [[[[1.0, 2.0, 10.0, 20.0], [3.0, 4.0, 30.0, 40.0]]]]), (
    f"stride 2: expected 1, 2, 10, 20 above 3, 4, 30, 40, got {shown(x_hat)}"
)
x_hat = conv_transpose2d(y, w, stride=1, padding=0, size=(2, 3))
assert agrees(x_hat, [[[[1.0, 12.0, 20.0], [3.0, 34.0, 40.0]]]]), (
    f"stride 1: expected 1, 12, 20 above 3, 34, 40, got {shown(x_hat)}"
)
### BEGIN HIDDEN TESTS
for k, s, side in ((2, 1, (4, 3)), (3, 2, (5, 7)), (2, 3, (5, 2)), (3, 1, (3, 3))):
    y = torch.tensor(draw.normal(size=(1, 1, *((a - k) // s + 1 for a in side))))
    probe(x_hat=conv_transpose2d(y, torch.tensor(draw.normal(size=(1, 1, k, k))), s, 0, side))
### END HIDDEN TESTS

# %% tests="conv_transpose2d-adjoint" points=0.75
# For all x and y the sum of (C x) * y is the sum of x * x_hat: with several channels, with
# padding, and with a size that the stride does not divide.
for (c, o, k, s, p), side in (
    ((2, 3, 3, 2, 1), (7, 5)),
    ((2, 2, 3, 2, 1), (8, 6)),
    ((3, 1, 4, 3, 2), (6, 9)),
):
    w, x = normal(0, o, c, k, k), normal(1, 2, c, *side)
    Cx = F.conv2d(x, w, stride=s, padding=p)
    y = normal(2, *Cx.shape)
    x_hat = conv_transpose2d(y, w, s, p, side)
    left, right = float((Cx * y).sum()), float((x * x_hat).sum())
    assert agrees(left, right), (
        f"C = {c}, O = {o}, k = {k}, s = {s}, p = {p}, size {side}: "
        f"{left:g} and {right:g} differ"
    )
### BEGIN HIDDEN TESTS
for (n, c, o, k, s, p), side in (
    ((1, 2, 2, 3, 2, 1), (8, 5)),
    ((2, 2, 3, 3, 2, 1), (7, 6)),
    ((1, 3, 1, 4, 3, 2), (6, 10)),
    ((2, 1, 2, 2, 3, 0), (7, 4)),
    ((1, 1, 1, 3, 1, 2), (3, 4)),
):
    y = torch.tensor(draw.normal(size=(n, o, *((a + 2 * p - k) // s + 1 for a in side))))
    probe(x_hat=conv_transpose2d(y, torch.tensor(draw.normal(size=(o, c, k, k))), s, p, side))
### END HIDDEN TESTS

# %% [markdown] task="train" minutes=13 difficulty=4
# ## 10. Train on sequences
#
# The next cell has a small autoencoder of sequences and something to learn: noisy waves of 4 to 12 steps. Your function trains a
# model on such a batch. The rules:
#
# 1. In each epoch every sequence is used once, in a new random order, in batches of `batch_size`; the last one may be smaller.
#    The order comes from a `torch.Generator` that begins with `seed`, so the same seed gives the same result and another seed
#    another one.
# 2. The loss of a batch is that of task 3: squared errors, summed over the valid steps and their values, as a mean over the
#    sequences of the batch. Padding can hold anything, also NaN, and has no influence on the trained model.
# 3. One `torch.optim.Adam` with the given learning rate, and otherwise its defaults, makes one step for each batch.
# 4. Return one number for each epoch: the mean over all sequences of the loss that each had when its batch was used. With
#    batches of 4, 4 and 2 sequences, the loss of the last batch counts half as much as each of the others.
#
# <details><summary>Hint</summary>
#
# `torch.randperm(n, generator=...)` is a random order, and `.split(batch_size)` cuts it into batches of positions. `x` and `mask`
# must be taken at the same positions. Gradients add up until you set them to zero. The optimizer remembers the steps before:
# make it once.
#
# </details>


# %% locked="train-model"
class SequenceAE(torch.nn.Module):
    """A linear autoencoder of sequences. What stands in the padding does not change x_hat.

    Args:
        num_steps: T, to which all sequences are padded.
        channels: C, the number of values in a step.
        latent_dim: the number of values in a code.
        seed: for the first weights.
    """

    def __init__(self, num_steps: int, channels: int, latent_dim: int, seed: int) -> None:
        super().__init__()
        d = num_steps * channels
        self.w_enc = torch.nn.Parameter(normal(seed, latent_dim, d) / d**0.5)
        self.w_dec = torch.nn.Parameter(normal(seed + 1, d, latent_dim) / latent_dim**0.5)
        self.b_dec = torch.nn.Parameter(torch.zeros(d))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Reconstructions of x, of shape (B, T, C), where mask, of shape (B, T), is True."""
        z = x.masked_fill(~mask.unsqueeze(2), 0.0).flatten(1) @ self.w_enc.T
        return (z @ self.w_dec.T + self.b_dec).reshape(x.shape)


def waves(seed: int, n: int, filler: float = 0.0) -> tuple[Tensor, Tensor]:
    """n noisy waves of 4 to 12 steps, padded with a filler: x (n, 12, 1) and mask (n, 12)."""
    phase = 2 * math.pi * torch.rand(n, 1, generator=torch.Generator().manual_seed(seed))
    x = torch.sin(0.7 * torch.arange(12.0) + phase) + 0.3 * normal(seed + 1, n, 12)
    goes_on = normal(seed + 2, n, 12) > -1.2
    goes_on[:, :4] = True
    mask = goes_on.cumprod(dim=1).bool()
    return x.masked_fill(~mask, filler).unsqueeze(2), mask


# %% solution="train"
# Not allowed here: aelib
def train(
    model: torch.nn.Module,
    x: Tensor,
    mask: Tensor,
    epochs: int,
    batch_size: int,
    lr: float,
    seed: int,
) -> list[float]:
    """Train a model in place, by the rules above.

    Args:
        model: x_hat = model(x, mask), for a batch of any size.
        x: the sequences, shape (N, T, C); padding can hold anything, also NaN.
        mask: True for valid steps, a boolean tensor of shape (N, T).
        epochs: how often each sequence is used.
        batch_size: the number of sequences in a batch; the last one of an epoch may be smaller.
        lr: Adam's learning rate.
        seed: for the order of the sequences.

    Returns:
        For each epoch, the mean over the sequences of their losses.
    """
    ### BEGIN SOLUTION
    shuffling = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=shuffling).split(batch_size):
            difference = x[rows] - model(x[rows], mask[rows])
            valid = torch.where(mask[rows][:, :, None], difference, 0.0)
            loss = valid.square().sum() / len(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
    return history
    ### END SOLUTION


# %% tests="train-shape" points=0.25
# train(...) returns one number for each epoch, and the weights of the model have changed.
model = SequenceAE(12, 1, 2, seed=0)
x, mask = waves(seed=10, n=20)
history = train(model, x, mask, epochs=3, batch_size=8, lr=0.01, seed=1)
assert len(history) == 3, f"3 epochs: expected 3 numbers, got {len(history)}"
assert not agrees(model.w_dec, SequenceAE(12, 1, 2, seed=0).w_dec), "w_dec has not changed"
### BEGIN HIDDEN TESTS
for n, epochs in ((9, 2), (3, 4)):
    model, start = SequenceAE(12, 1, 2, 5), SequenceAE(12, 1, 2, 5)
    history = train(model, *waves(int(draw.integers(2**31)), n), epochs, 4, 0.01, 2)
    pairs = zip(model.parameters(), start.parameters())
    probe(numbers=len(history), moved=[bool((one != other).any()) for one, other in pairs])
### END HIDDEN TESTS

# %% tests="train-step" points=1
# With all sequences in one batch, the first number is the loss of the untrained model, and
# each step makes it smaller here. The steps are Adam's.
x, mask = waves(seed=20, n=30)
x, mask = x[:, :4], mask[:, :4]  # four steps, which all of them have
model = SequenceAE(4, 1, 2, seed=3)
first = (x - model(x, mask)).square().sum().item() / len(x)
history = train(model, x, mask, epochs=20, batch_size=30, lr=0.02, seed=0)
assert agrees(float(history[0]), first), (
    f"the untrained model has the loss {first:g}, your first number is {float(history[0]):g}"
)
assert max(np.diff([float(one) for one in history])) < 0, "the loss rises somewhere"
### BEGIN HIDDEN TESTS
for n, c in ((12, 1), (5, 2), (1, 1)):
    x, mask = waves(int(draw.integers(2**31)), n, filler=float(draw.normal()))
    model = SequenceAE(12, c, 2, int(draw.integers(1000)))
    history = train(model, x.repeat(1, 1, c), mask, epochs=5, batch_size=12, lr=0.05, seed=4)
    probe(history=torch.tensor([float(one) for one in history]))
### END HIDDEN TESTS

# %% tests="train-batches" points=0.75
# The learning rate 0 changes nothing: then each number is the loss of all sequences, also if
# the last batch is smaller. A seed gives the same result twice, and another seed another one.
x, mask = waves(seed=30, n=10)
x, mask = x[:, :4], mask[:, :4]
model = SequenceAE(4, 1, 2, seed=3)
first = (x - model(x, mask)).square().sum().item() / len(x)
history = train(model, x, mask, epochs=2, batch_size=4, lr=0.0, seed=0)
assert agrees([float(one) for one in history], [first, first]), (
    f"batches of 4, 4 and 2: expected {first:g} twice, got {[float(one) for one in history]}"
)
one, same, other = (
    train(SequenceAE(4, 1, 2, 3), x, mask, epochs=2, batch_size=4, lr=0.05, seed=seed)
    for seed in (1, 1, 2)
)
assert agrees(one, same), "the same seed gives two different results"
assert not agrees(one, other), "two different seeds give the same result"
### BEGIN HIDDEN TESTS
for n, batch_size in ((11, 4), (7, 3), (3, 2)):
    x, mask = waves(int(draw.integers(2**31)), n)
    history = train(SequenceAE(12, 1, 3, 8), x, mask, 2, batch_size, 0.0, 6)
    probe(history=torch.tensor([float(one) for one in history]))
x, mask = waves(int(draw.integers(2**31)), 20)
one, same, other = (
    torch.tensor([float(a) for a in train(SequenceAE(12, 1, 3, 8), x, mask, 3, 6, 0.05, seed)])
    for seed in (11, 11, 12)
)
probe(same=(one - same).abs().max(), differs=bool((one - other).abs().max() > 1e-9))
### END HIDDEN TESTS

# %% tests="train-padding" points=0.5
# The padding has no influence, not even if it is NaN: the trained weights are the same.
trained = []
for filler in (0.0, 7.0, math.nan):
    model = SequenceAE(12, 1, 2, seed=0)
    train(model, *waves(40, 20, filler), epochs=3, batch_size=8, lr=0.02, seed=5)
    trained.append(model.w_dec)
assert agrees(trained[1], trained[0]), "padding of 7 and of 0 give different weights"
assert agrees(trained[2], trained[0]), "with NaN in the padding the weights are different ones"
### BEGIN HIDDEN TESTS
where, found = int(draw.integers(2**31)), []
for filler in (0.0, float(draw.uniform(3, 9)), math.nan):
    model = SequenceAE(12, 1, 2, 1)
    found += [[float(one) for one in train(model, *waves(where, 15, filler), 3, 6, 0.03, 5)]]
    found[-1] += model.b_dec.tolist()
zero, number, nan = torch.tensor(found)
probe(number=(number - zero).abs().max(), nan=(nan - zero).abs().max())
### END HIDDEN TESTS

# %% tests="train-learns" points=0.5
# Training helps on new waves, too: on four steps the loss is less than 0.3 after it, and more
# than 2 before.
x_new, mask_new = waves(seed=51, n=200)
x_new, mask_new = x_new[:, :4], mask_new[:, :4]
model = SequenceAE(4, 1, 2, seed=0)
before = (x_new - model(x_new, mask_new)).square().sum().item() / len(x_new)
x, mask = waves(seed=50, n=100)
train(model, x[:, :4], mask[:, :4], epochs=30, batch_size=25, lr=0.03, seed=0)
after = (x_new - model(x_new, mask_new)).square().sum().item() / len(x_new)
assert after < 0.3 < 2 < before, f"before training {before:.2f}, after it {after:.2f}"
### BEGIN HIDDEN TESTS
where = int(draw.integers(2**31))
model = SequenceAE(12, 1, 3, int(draw.integers(1000)))
train(model, *waves(where, 120, filler=4.0), epochs=30, batch_size=30, lr=0.03, seed=9)
x_new, mask_new = waves(where + 10, 200)
probe(held_out=(x_new - model(x_new, mask_new))[mask_new].square().sum() / len(x_new))
### CHECK held_out: at_most(times=1.2)
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on handwritten digits of 8 by 8 pixels. As *images*, they go through a convolution of
# stride 2 and come back through its transpose. As *sequences*, each is a scan that reads row after row and breaks off after
# 4 to 8 of them. This part is worth no points; change it as you like.

# %%
digits = data.digits()
images, labels = digits.x[:700].double(), digits.labels["digit"][:700]

# As images. The kernels have equal weights, so they smooth. The transpose paints a checkerboard
# with kernel 3, and none with kernel 4.
small, extra = sizes(8, 3, 2, 1)
print(f"8 pixels become {small}, and come back with an output padding of {extra}")
painted = []
for k in (3, 4):
    w = torch.ones(1, 1, k, k) / k**2
    maps = conv2d(images[:6], w, torch.zeros(1), stride=2, padding=1)
    painted.append(conv_transpose2d(maps, w, 2, 1, (8, 8)) * 4)

# As sequences of rows, with noise where a scan has broken off.
lengths = torch.randint(4, 9, (700,), generator=torch.Generator().manual_seed(0))
mask = valid_steps(lengths, 8)
x = torch.where(mask[:, :, None], images.squeeze(1), normal(0, 700, 8, 8))
model = SequenceAE(8, 8, 12, seed=0)
history = train(model, x[:500], mask[:500], epochs=20, batch_size=50, lr=0.02, seed=0)
x_hat = model(x, mask).detach()
print(f"loss in training: {history[0]:.2f} in the first epoch, {history[-1]:.2f} in the last")
print(f"held-out loss: {float(masked_loss(x[500:], x_hat[500:], mask[500:])):.2f}")

# Each row looks at itself and those above. What the last row finds is a summary of the scan:
# of the rows as they are, which have no order, or of rows that are written where they stand.
rows = torch.where(mask[:, :, None], images.squeeze(1) - images.mean(), 0.0)
in_place = torch.einsum("nsc,sr->nsrc", rows, torch.eye(8)).flatten(2)
may_look = causal_mask(lengths, 8)
for name, values in (("without places", rows), ("with places", in_place)):
    summary = last_state(attention(rows, rows, values, may_look), lengths)
    nearest = torch.cdist(summary[500:], summary[:500]).argmin(dim=1)
    share = (labels[nearest] == labels[500:]).double().mean()
    print(f"summary {name}: the nearest one has the same label in {share:.0%} of scans")
weights = attention(2 * rows, 2 * rows, torch.eye(8).expand(700, 8, 8), may_look)

# The scans of six new digits, the longest first, and back where they were.
order, inverse = packing_order(lengths[500:506])
scans = torch.where(mask[500:506, :, None], x[500:506], math.nan)[order]
assert torch.equal(lengths[500:506][order][inverse], lengths[500:506])

viz.use_style()
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 2.6), width_ratios=[6, 6, 2.6])
viz.image_grid(left, torch.cat([images[:6], *painted]), columns=6)
left.set_title("Images; painted back\nwith kernel 3 and 4", fontsize=9)
grid = torch.stack([images[500:506, 0][order], scans, x_hat[500:506][order]])
viz.image_grid(middle, grid.reshape(18, 1, 8, 8), columns=6)
middle.set_title("Digits, longest scan first;\nscans; rebuilt from 12 numbers", fontsize=9)
viz.image_grid(right, weights[500:506][order][None, :1], high=1.2)
right.set_title("Who looks at whom,\nin the longest scan", fontsize=9)
right.set(xlabel="key", ylabel="query")
plt.show()

# %% [markdown] locked="order"
# ## What a network is told
#
# Three encoders with random weights read words in a tensor of ten places, with zero vectors where there is no letter. Each
# makes a code of five numbers: a fully connected layer, a convolution with an activation and then a sum over all places, and
# attention with one query and no positions, which does not look at empty places. Run the cell and compare the codes.

# %% locked="order-codes"
letters = normal(0, 26, 8)  # a vector for each letter of the alphabet
w_full, w_conv = normal(1, 5, 80) / 9, normal(2, 5, 8, 3) / 5
query, w_key, w_value = normal(3, 1, 8), normal(4, 8, 8) / 3, normal(5, 5, 8) / 3


def placed(word: str, start: int) -> Tensor:
    """A word as ten vectors, shape (1, 10, 8), its first letter in the place start."""
    x = torch.zeros(1, 10, 8)
    for place, letter in enumerate(word, start):
        x[0, place] = letters[ord(letter) - ord("a")]
    return x


def codes(x: Tensor) -> dict[str, Tensor]:
    """The codes of one sequence by the three encoders."""
    there = (x != 0).any(dim=2).unsqueeze(1)
    return {
        "fully connected": x.flatten(1) @ w_full.T,
        "convolution, sum": torch.relu(F.conv1d(x.mT, w_conv, padding=1)).sum(dim=2),
        "attention": F.scaled_dot_product_attention(
            query[None], x @ w_key.T, x @ w_value.T, attn_mask=there
        ).squeeze(1),
    }


one = codes(placed("listen", 2))
anagram, moved = codes(placed("silent", 2)), codes(placed("listen", 3))
for name in one:
    print(
        f"{name:17} listen and silent: {float((one[name] - anagram[name]).norm()):.4f},  "
        f"listen moved by one place: {float((one[name] - moved[name]).norm()):.4f}"
    )
assert agrees(one["attention"], anagram["attention"]), "attention does not see the order"
assert agrees(one["convolution, sum"], moved["convolution, sum"]), (
    "the sum does not see the place"
)

# %% [markdown] task="order" minutes=9 difficulty=3
# ## 11. Order, place and padding
#
# In six to ten sentences or formulas:
#
# 1. Which encoder cannot tell *listen* from *silent*? Show it from the formula of task 7. Say why the other two can, and what
#    is usually added so that this one can too.
# 2. Which encoders do not notice that the word has moved by one place, and why? What would the fully connected layer need to
#    learn, and from which data, to treat all places alike?
# 3. A recurrent autoencoder gives a word one code when it is alone, and another when a longer word is in its batch. Name two
#    places in the whole program (encoder, loss, score) where padding can get in, the cure for each, and one test that would
#    have found the fault in the codes.

# %% [markdown] answer="order-why" points=3
# 1. Attention. With a fixed query $q$ its code is $\sum_s w_s V v_s$ with $w_s \propto m_s \exp(q^\top K v_s / \sqrt d)$.
# Each term of the sum above and of the one in the denominator belongs to one letter and does not depend on where it stands,
# and sums do not depend on the order of their terms. Both words have the same letters, so they have the same code. The fully
# connected layer has other weights for every place. The convolution sees three neighbors at once, and *lis* does not occur
# in *silent*; its activation comes before the sum, otherwise the sum would be linear in the letters and blind to their order
# too. What is usually added: a vector $p_s$ for each position, added to $v_s$.
# 2. The convolution with the sum: shifting the word shifts the map (equivariance), and a sum over all places does not change,
# as long as an empty place is left on both sides of the word. And
# attention without positions: the mask moves with the letters, and a sum does not see an order. The fully connected layer
# has weights of its own for each place. To treat places alike it must learn the same weights again for every place, so it
# needs examples of words in all places, for example by random shifts.
# 3. The encoder takes the state after the last cell of the tensor: gather the state at step $L$, or let the state stand
# still where the mask is False. The loss sums over all cells: pick the valid ones with the mask. The score divides by
# the number of cells: divide by the number of valid steps. The test: encode the same word with no padding and with more of
# it, also filled with garbage, and compare the codes.
#
# **Rubric** (1 point each)
#
# - Attention, with the reason that a sum does not depend on the order of its terms, and positions as what is added. Half a point
#   without a reason from the formula, or without positions. That the convolution needs its activation is not asked for.
# - Convolution with the sum *and* attention, with equivariance (or shared weights) and the sum as reasons; the fully
#   connected layer needs the same weights for every place, and examples in all of them. Half a point if one encoder is
#   missing or a reason is.
# - Two places with a cure each, and a test that compares codes with different padding. Half a point for one place with its cure,
#   or for two without a test.
