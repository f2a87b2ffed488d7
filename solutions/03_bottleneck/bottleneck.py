# %% [markdown] locked="intro"
# # The bottleneck, and what else keeps an autoencoder honest
#
# A small code does not stop an autoencoder from learning its examples by heart. You build the tools that notice it and those
# that help: measures on held-out examples, weight decay, dropout, early stopping, cross-validation. At the end you put them
# together on handwritten digits. The chapters *The bottleneck, manifolds and memorization*, *Training in practice*,
# *Undercomplete autoencoders* and *Overcomplete autoencoders* have the derivations.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top says
#   what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points.
# - Data are tensors with one example a row: `x` has shape (N, d). Numbers must agree to 0.000001, relative or absolute, where
#   a test does not say otherwise. Functions return tensors unless they say otherwise, and leave their arguments as they are
#   unless they are there to train a model.
# - You may use anything in torch and numpy, except what a task asks you to write: where a library has it ready, a line
#   `Not allowed here` above the function names what you cannot import for it.
# - Before you submit: Kernel, Restart Kernel and Run All Cells, then save. (It stops at the first error; a task that you
#   skipped is one. Save all the same.)

# %% locked="install"
# {install}

# %% locked="setup"
import copy
import math
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn

from aelib import data, viz

# All numbers in this notebook are float64, also those that you make with torch.zeros, and the
# parameters of the layers that you make.
torch.set_default_dtype(torch.float64)


def agrees(answer, expected) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and agree to 0.000001."""
    a, b = torch.as_tensor(answer).detach().double(), torch.as_tensor(expected).double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-6, atol=1e-6)


def number(answer) -> float:
    """The number in a tensor, an array or a number, without its gradient."""
    return float(torch.as_tensor(answer).detach())


def shown(answer) -> str:
    """The numbers of a tensor, rounded and on a line of their own, for a message."""
    return "\n" + str(np.round(torch.as_tensor(answer).detach().numpy(), 4))


def is_pair(answer) -> bool:
    """Whether a function returned two things."""
    return isinstance(answer, (tuple, list)) and len(answer) == 2


def set_parameters(net: nn.Module, numbers) -> None:
    """Fill the parameters of a network, in their order, with numbers of the same shapes."""
    with torch.no_grad():
        for parameter, values in zip(net.parameters(), numbers, strict=True):
            parameter.copy_(torch.as_tensor(values))


def pretend(losses):
    """A training that is only pretended, to test when it is stopped.

    Args:
        losses: the validation losses after the epochs, in their order.

    Returns:
        model: every number of its state says how many epochs it has been trained for.
        train_epoch: takes the model and trains it for one epoch.
        validate: takes the model and returns the validation loss after the last of them.
        epochs: a list with one entry for each epoch that has been trained.
    """
    model, epochs = nn.BatchNorm1d(2), []

    def train_epoch(model: nn.Module) -> None:
        epochs.append(len(epochs))
        for tensor in model.state_dict().values():
            tensor.fill_(len(epochs))

    def validate(model: nn.Module) -> float:
        return float(losses[epochs[-1]])

    return model, train_epoch, validate, epochs


def with_variances(variances, seed: int, n: int = 12) -> tuple[Tensor, Tensor]:
    """n points around (2, ..., 2) with given variances along orthogonal directions, exactly.

    Returns:
        x: the points, shape (n, d).
        directions: the unit vectors that belong to the variances, as columns, shape (d, d).
    """
    generator = torch.Generator().manual_seed(seed)
    d = len(variances)
    noise = torch.randn(n, d, generator=generator)
    scores = math.sqrt(n) * torch.linalg.qr(noise - noise.mean(dim=0)).Q
    directions = torch.linalg.qr(torch.randn(d, d, generator=generator)).Q
    return 2 + (scores * torch.tensor(variances).sqrt()) @ directions.T, directions


# %% [markdown] task="count_parameters" minutes=4 difficulty=1
# ## 1. How much can it store? Count the parameters
#
# The widths of an encoder, from the data to the code, are a list $(d, h_1, \dots, k)$. The decoder has the same widths the
# other way round. A layer that takes $a$ values and gives $b$ has a weight matrix of $b \times a$ numbers and $b$ biases.
#
# For the widths 64, 128, 8 the encoder has $(64 \cdot 128 + 128) + (128 \cdot 8 + 8) = 9352$ parameters and the decoder
# $(8 \cdot 128 + 128) + (128 \cdot 64 + 64) = 9408$: together 18760, to store what is in 8 code values for each example.
#
# <details><summary>Hint</summary>
#
# `pairwise(sizes)` gives the widths on both sides of each encoder layer. The decoder layer between the same two widths
# has as many weights, but biases for its own outputs.
#
# </details>


# %% solution="count_parameters"
# Not allowed here: aelib
def count_parameters(sizes: list[int]) -> int:
    """The number of weights and biases of an autoencoder, encoder and decoder together.

    Args:
        sizes: the widths of the encoder from the data to the code, at least two; those of the
            decoder are the same in reverse order.

    Returns:
        The number of parameters, an integer.
    """
    ### BEGIN SOLUTION
    return sum(2 * a * b + a + b for a, b in pairwise(sizes))
    ### END SOLUTION


# %% tests="count_parameters-shape" points=0.25
# count_parameters(sizes) is a whole number, more than zero.
count = count_parameters([5, 3])
assert count == int(count), f"expected a whole number, got {count!r}"
assert count > 0, f"expected a number above zero, got {count!r}"
### BEGIN HIDDEN TESTS
for length in (2, 4):
    found = count_parameters(draw.integers(2, 9, size=length).tolist())
    probe(whole=found == int(found), positive=found > 0)
### END HIDDEN TESTS

# %% tests="count_parameters-values" points=0.75
# The widths 64, 128, 8 need 18760 parameters. Count both halves, weights and biases.
for sizes, expected in (([3, 1], 10), ([64, 128, 8], 18760)):
    count = count_parameters(sizes)
    assert int(count) == expected, f"for the widths {sizes} expected {expected}, got {count}"
### BEGIN HIDDEN TESTS
for length in (2, 3, 3, 5):
    probe(count=int(count_parameters(draw.integers(2, 30, size=length).tolist())))
probe(count=int(count_parameters([int(draw.integers(2, 9)), int(draw.integers(20, 30))])))
### END HIDDEN TESTS

# %% [markdown] task="explained_variance" minutes=6 difficulty=1
# ## 2. Explained variance
#
# An error of 0.9: is that good? Compare it with what the mean of the examples would achieve as an answer to all of them:
#
# $$1 - \frac{\sum_n \lVert x_n - \hat x_n \rVert^2}{\sum_n \lVert x_n - \bar x \rVert^2}, \qquad
# \bar x = \frac{1}{N} \sum_n x_n \in \mathbb{R}^d .$$
#
# 1 is perfect, and 0 is no better than the mean. On held-out examples the number can be negative: then always answering with
# the mean is better.
#
# <details><summary>Hint</summary>
#
# Both sums go over all examples and all features. $\bar x$ has one number for each feature, and it is the mean of `x`, not of
# `x_hat`.
#
# </details>


# %% solution="explained_variance"
# Not allowed here: aelib, sklearn.metrics
def explained_variance(x: Tensor, x_hat: Tensor) -> Tensor:
    """The share of the variance of examples that their reconstructions keep.

    Args:
        x: the examples, not all the same, shape (N, d).
        x_hat: their reconstructions, shape (N, d).

    Returns:
        One minus the error relative to that of the mean, shape (); at most 1.
    """
    ### BEGIN SOLUTION
    error = (x - x_hat).square().sum()
    variance = (x - x.mean(dim=0)).square().sum()
    return 1 - error / variance
    ### END SOLUTION


# %% tests="explained_variance-shape" points=0.25
# explained_variance(x, x_hat) is one number, and at most 1.
x = torch.tensor([[0.0, 1.0], [2.0, 5.0], [4.0, 0.0]])
share = explained_variance(x, x + 0.5)
assert torch.as_tensor(share).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(share).shape)}"
)
assert float(share) <= 1, f"a share is at most 1, yours is {float(share):g}"
### BEGIN HIDDEN TESTS
for n, d in ((4, 3), (2, 6)):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, d)))
    share = torch.as_tensor(explained_variance(x, x_hat))
    probe(numbers=share.numel(), share=share)
### CHECK share: at_most(bound=1.0)
### END HIDDEN TESTS

# %% tests="explained_variance-values" points=1.25
# For the points (0, 0) and (2, 0) the mean (1, 0) has an error of 1 + 1. An error of 1/2 in one
# of them leaves 1 - 0.5/2 = 0.75. Mind both sums, and which mean it is.
x = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
half = torch.tensor([[0.5, 0.5], [2.0, 0.0]])
for x_hat, expected in ((x, 1.0), (torch.ones(2, 1) * x.mean(dim=0), 0.0), (half, 0.75)):
    share = explained_variance(x.clone(), x_hat.clone())
    assert agrees(float(share), expected), f"expected {expected:g}, got {float(share):g}"
share = explained_variance(x.clone(), torch.zeros(2, 2) - 1)
assert agrees(float(share), -5.0), f"this bad answer has -5, yours is {float(share):g}"
### BEGIN HIDDEN TESTS
for n, d, size in ((9, 4, 0.5), (3, 3, 0.8), (2, 7, 3.0), (12, 1, 0.4)):
    spread, center, shift = (
        draw.uniform(0.5, 3, size=d),
        draw.normal(size=d),
        draw.normal(size=d),
    )
    x = torch.tensor(draw.normal(size=(n, d)) * spread + center)
    x_hat = x + size * torch.tensor(draw.normal(size=(n, d)) + shift)
    probe(share=float(explained_variance(x, x_hat)))
### END HIDDEN TESTS

# %% [markdown] task="autoencoder" minutes=8 difficulty=2
# ## 3. An autoencoder from a list of widths
#
# Build encoder and decoder for widths $(d, h_1, \dots, k)$. Each is a chain of affine layers with
# $\operatorname{relu}(t) = \max(t, 0)$ between them. For one hidden layer,
#
# $$z = W_2 \operatorname{relu}(W_1 x + b_1) + b_2, \qquad \hat x = W_4 \operatorname{relu}(W_3 z + b_3) + b_4 .$$
#
# There is no activation on the code and none on the output: both may be any numbers. With no hidden layer, both halves are
# one affine layer.
#
# <details><summary>Hint</summary>
#
# `nn.Sequential(*layers)` is a network from a list of layers. Write a function that makes one half from a list of widths, and
# call it twice, the second time with `sizes[::-1]`. If you append an activation after every layer, remove the last one.
#
# </details>


# %% solution="autoencoder"
# Not allowed here: aelib
def autoencoder(sizes: list[int]) -> tuple[nn.Module, nn.Module]:
    """A fully connected encoder, and a decoder with the same widths in reverse order.

    Args:
        sizes: the widths of the encoder from the data to the code, at least two.

    Returns:
        encoder: maps (N, sizes[0]) to (N, sizes[-1]). Its parameters are, layer by layer, the
            weights and the biases, as nn.Linear has them.
        decoder: maps (N, sizes[-1]) to (N, sizes[0]).
    """

    ### BEGIN SOLUTION
    def half(widths):
        layers = []
        for fan_in, fan_out in pairwise(widths):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return half(sizes), half(sizes[::-1])
    ### END SOLUTION


# %% tests="autoencoder-shape" points=0.5
# autoencoder(sizes) returns a pair (encoder, decoder): codes have sizes[-1] values, and
# reconstructions sizes[0].
pair = autoencoder([5, 4, 2])
assert is_pair(pair), "return two networks: encoder, decoder"
z = pair[0](torch.ones(7, 5))
assert tuple(z.shape) == (7, 2), f"codes: expected shape (7, 2), got {tuple(z.shape)}"
x_hat = pair[1](z)
assert tuple(x_hat.shape) == (7, 5), f"x_hat: expected shape (7, 5), got {tuple(x_hat.shape)}"
### BEGIN HIDDEN TESTS
for sizes in ([5, 4, 2], [3, 6], [2, 5, 4, 3]):
    encoder, decoder = halves = autoencoder(list(sizes))
    z = encoder(torch.tensor(draw.normal(size=(4, sizes[0]))))
    probe(z=z, x_hat=decoder(z))
### CHECK z: shape()
### CHECK x_hat: shape()
### END HIDDEN TESTS

# %% tests="autoencoder-layers" points=0.5
# Each half has one affine layer between neighboring widths, with weights and biases, and
# nothing else to train.
for sizes in ([5, 4, 2], [3, 7]):
    encoder, decoder = autoencoder(list(sizes))
    for name, part, widths in (("encoder", encoder, sizes), ("decoder", decoder, sizes[::-1])):
        expected = [s for a, b in pairwise(widths) for s in ((b, a), (b,))]
        found = [tuple(parameter.shape) for parameter in part.parameters()]
        assert found == expected, f"{name} for the widths {sizes}: {expected}, yours {found}"
### BEGIN HIDDEN TESTS
for length in (2, 3, 5):
    sizes = draw.permutation(np.arange(2, 12))[:length].tolist()
    parts = autoencoder(list(sizes))
    probe(shapes=[[list(parameter.shape) for parameter in part.parameters()] for part in parts])
### END HIDDEN TESTS

# %% tests="autoencoder-values" points=1
# The activation acts between layers only: here the code is -1 and the reconstruction (0, -1).
encoder, decoder = autoencoder([2, 2, 1])
set_parameters(encoder, ([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], [[-1.0, -1.0]], [0.0]))
set_parameters(decoder, ([[1.0], [-1.0]], [0.0, 0.0], [[-1.0, 0.0], [0.0, -1.0]], [0.0, 0.0]))
z = encoder(torch.tensor([[1.0, -3.0]]))
assert agrees(z, [[-1.0]]), f"the code of (1, -3) is -1, yours is {shown(z)}"
x_hat = decoder(torch.tensor([[-1.0]]))
assert agrees(x_hat, [[0.0, -1.0]]), f"-1 is decoded to (0, -1), yours is {shown(x_hat)}"
### BEGIN HIDDEN TESTS
for sizes in ([6, 4, 2], [5, 3], [2, 3, 4, 7], [3, 5, 1]):
    encoder, decoder = halves = autoencoder(list(sizes))
    for part in halves:
        shapes = [tuple(parameter.shape) for parameter in part.parameters()]
        set_parameters(part, [draw.normal(size=shape) for shape in shapes])
    probe(z=encoder(torch.tensor(draw.normal(size=(6, sizes[0])))))
    probe(x_hat=decoder(torch.tensor(draw.normal(size=(6, sizes[-1])))))
### END HIDDEN TESTS

# %% [markdown] task="memorized" minutes=7 difficulty=2
# ## 4. A sign of memorizing
#
# A model that has memorized answers to new examples with what it has stored. So look at the reconstruction $\hat x$ of each
# held-out example $x$: is it nearer to some *training* example than to $x$ itself? The share of held-out examples with
#
# $$\min_{i} \lVert \hat x - x^{\text{train}}_i \rVert < \lVert \hat x - x \rVert$$
#
# is a sign of memorizing, and no proof: a reconstruction that is only blurred can be counted too, so read it together with the
# error. Equal distances do not count. For the training examples 0 and 10 on a line, held-out 4 with the reconstruction 1 counts
# (1 < 3), and held-out 4 with the reconstruction 3 does not.
#
# <details><summary>Hint</summary>
#
# `torch.cdist(a, b)` has the distance of row i of `a` to row j of `b` in its row i and column j. The mean of True and False is
# a share, after `.double()`.
#
# </details>


# %% solution="memorized"
def memorized(x: Tensor, x_hat: Tensor, train: Tensor) -> Tensor:
    """The share of reconstructions that lie nearer to a training example than to their own.

    Args:
        x: held-out examples, shape (N, d).
        x_hat: their reconstructions, shape (N, d).
        train: the training examples, shape (M, d).

    Returns:
        The share, from 0 to 1, shape ().
    """
    ### BEGIN SOLUTION
    own = (x - x_hat).norm(dim=1)
    nearest = torch.cdist(x_hat, train).amin(dim=1)
    return (nearest < own).double().mean()
    ### END SOLUTION


# %% tests="memorized-shape" points=0.25
# memorized(x, x_hat, train) is one number from 0 to 1, whatever N and M are.
for n, m in ((2, 3), (3, 2)):
    share = torch.as_tensor(memorized(torch.zeros(n, 2), torch.ones(n, 2), torch.ones(m, 2)))
    assert share.numel() == 1, f"expected one number, got shape {tuple(share.shape)}"
    assert 0 <= float(share) <= 1, f"expected a share from 0 to 1, got {float(share):g}"
### BEGIN HIDDEN TESTS
for n, m in ((6, 6), (4, 3), (1, 5)):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, 3)))
    share = torch.as_tensor(memorized(x, x_hat, torch.tensor(draw.normal(size=(m, 3)))))
    probe(numbers=share.numel(), share=share)
### CHECK share: non_negative()
### CHECK share: at_most(bound=1.0)
### END HIDDEN TESTS

# %% tests="memorized-values" points=1
# Training examples (0, 0) and (10, 0): of three reconstructions one is nearer to one of them
# than to its own example, so the share is 1/3.
stored = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
x = torch.tensor([[4.0, 0.0], [10.0, 4.0], [-4.0, 3.0]])
x_hat = torch.tensor([[1.0, 0.0], [10.0, 3.0], [-4.0, 4.0]])
share = memorized(x.clone(), x_hat.clone(), stored.clone())
assert agrees(float(share), 1 / 3), f"expected 1/3, got {float(share):g}"
share = memorized(x[:1].clone(), x_hat[:1].clone(), stored.clone())
assert agrees(float(share), 1.0), f"for the first one alone expected 1, got {float(share):g}"
### BEGIN HIDDEN TESTS
for n, m, d in ((150, 150, 2), (60, 60, 3), (170, 23, 3), (150, 1, 1)):
    x, near = torch.tensor(draw.normal(size=(2, n, d)) * 2)
    stored = torch.tensor(draw.normal(size=(m, d)) * 2)
    mixed = torch.tensor(draw.uniform(size=(n, 1)))
    x_hat = mixed * x + (1 - mixed) * stored[torch.arange(n).flip(0) % m] + 0.3 * near
    probe(share=float(memorized(x, x_hat, stored)))
### END HIDDEN TESTS

# %% tests="memorized-ties" points=0.25
# Half way between the example and a training example is not nearer: equal distances do not
# count.
share = memorized(torch.tensor([[4.0]]), torch.tensor([[2.0]]), torch.tensor([[0.0], [9.0]]))
assert agrees(float(share), 0.0), f"equal distances: expected 0, got {float(share):g}"
### BEGIN HIDDEN TESTS
for n in (7, 12):
    stored = 64.0 * torch.arange(1.0, n + 1)[:, None] * torch.ones(n, 2)
    way = torch.tensor(draw.integers(1, 5, size=(n, 2))).double()
    x_hat = stored + way
    x_hat[::3] = stored[::3] + way[::3] / 2
    probe(share=float(memorized(stored + 2 * way, x_hat, stored)))
### END HIDDEN TESTS

# %% [markdown] task="intrinsic_dimension" minutes=8 difficulty=2
# ## 5. How many numbers are needed?
#
# In $m$ dimensions a ball of twice the radius holds $2^m$ times as many points, so the distances to neighbors know $m$. For
# each of $N$ points let $r_1$ and $r_2$ be the distances to its nearest and its second-nearest *other* point, and
# $\mu = r_2 / r_1$. The most likely dimension is
#
# $$\hat m = \frac{N}{\sum_{i=1}^N \log \mu_i} .$$
#
# For the points 0, 1, 3, 7 on a line the ratios are 3, 2, 3/2 and 6/4, so $\hat m = 4 / \log 13.5 \approx 1.54$. With many
# points it comes near the 1 of a line.
#
# <details><summary>Hint</summary>
#
# `torch.cdist(x, x)` has all distances. In each row sorted from small to large, the first is that of the point to itself.
#
# </details>


# %% solution="intrinsic_dimension"
def intrinsic_dimension(x: Tensor) -> Tensor:
    """The dimension of data, estimated from the distances to the two nearest neighbors.

    Args:
        x: the points, all different, shape (N, d) with N at least 3.

    Returns:
        The estimated dimension, shape (); it need not be a whole number.
    """
    ### BEGIN SOLUTION
    distances = torch.cdist(x, x).topk(3, largest=False).values
    return len(x) / (distances[:, 2] / distances[:, 1]).log().sum()
    ### END SOLUTION


# %% tests="intrinsic_dimension-shape" points=0.25
# intrinsic_dimension(x) is one number above zero.
m_hat = torch.as_tensor(intrinsic_dimension(torch.tensor([[0.0, 0.0], [1.0, 0.0], [3.0, 1.0]])))
assert m_hat.numel() == 1, f"expected one number, got shape {tuple(m_hat.shape)}"
assert float(m_hat) > 0, f"expected a number above zero, got {float(m_hat):g}"
### BEGIN HIDDEN TESTS
for n, d in ((3, 2), (8, 4)):
    m_hat = torch.as_tensor(intrinsic_dimension(torch.tensor(draw.normal(size=(n, d)))))
    probe(numbers=m_hat.numel(), positive=bool(m_hat > 0))
### END HIDDEN TESTS

# %% tests="intrinsic_dimension-values" points=1.25
# The points 0, 1, 3, 7 have 4 / log 13.5; a circle comes out near 1 and a Swiss roll near 2.
m_hat = float(intrinsic_dimension(torch.tensor([[0.0], [1.0], [3.0], [7.0]])))
assert agrees(m_hat, 4 / math.log(13.5)), f"for 0, 1, 3, 7 expected 1.5369, got {m_hat:.4f}"
for points, known in ((data.circle(400, seed=0), 1), (data.swiss_roll(400, seed=0), 2)):
    m_hat = float(intrinsic_dimension(points.x.double()))
    assert abs(m_hat - known) < 0.3, f"expected a number near {known}, got {m_hat:.2f}"
### BEGIN HIDDEN TESTS
for n, d in ((3, 2), (20, 5), (70, 3), (40, 1)):
    probe(m_hat=float(intrinsic_dimension(torch.tensor(draw.normal(size=(n, d))))))
### END HIDDEN TESTS

# %% [markdown] task="weight_penalty" minutes=7 difficulty=2
# ## 6. A price on weights
#
# A penalty adds to the loss what the weights cost: $\alpha_1 |w|$ for each (L1), or $\frac{\alpha_2}{2} w^2$ (L2, weight decay),
# or both:
#
# $$\sum_{W} \Bigl( \alpha_1 \sum_{ij} |W_{ij}| + \frac{\alpha_2}{2} \sum_{ij} W_{ij}^2 \Bigr) .$$
#
# The sum is over the weight matrices $W$ of the affine layers. Biases are free: they only say where the data are. The factors
# and shifts of a normalization layer, which are vectors, are free too. So the matrix $(1, -2)$ alone costs
# $3 \alpha_1 + 2.5\, \alpha_2$.
#
# <details><summary>Hint</summary>
#
# `model.parameters()` gives all of them, whatever the model is made of. A weight matrix has two dimensions: look at `p.ndim`.
# The result must be a tensor with a gradient, or training does not see it.
#
# </details>


# %% solution="weight_penalty"
def weight_penalty(model: nn.Module, l1: float, l2: float) -> Tensor:
    """What the weights of a model cost: l1 for each absolute value, l2/2 for each square.

    Args:
        model: has at least one weight matrix. Only its matrices are penalized.
        l1: the price alpha_1 of absolute values, zero or more.
        l2: the price alpha_2 of squares, zero or more.

    Returns:
        The penalty, shape (), differentiable by the weights.
    """
    ### BEGIN SOLUTION
    weights = [p for p in model.parameters() if p.ndim > 1]
    return sum(l1 * w.abs().sum() + l2 / 2 * w.square().sum() for w in weights)
    ### END SOLUTION


# %% tests="weight_penalty-shape" points=0.25
# weight_penalty(model, l1, l2) is one number, and it is not negative.
cost = torch.as_tensor(weight_penalty(nn.Linear(3, 2), 0.1, 0.2))
assert cost.numel() == 1, f"expected one number, got shape {tuple(cost.shape)}"
assert number(cost) >= 0, f"a price is not negative, yours is {number(cost):g}"
### BEGIN HIDDEN TESTS
cost = torch.as_tensor(weight_penalty(nn.Linear(3, 2), *draw.uniform(0.1, 2, size=2)))
probe(numbers=cost.numel(), positive=bool(cost > 0))
### END HIDDEN TESTS

# %% tests="weight_penalty-values" points=1.25
# The matrix (1, -2) costs 3 l1 + 2.5 l2, each further matrix is added, and biases and
# normalization layers are free.
layer = nn.Linear(2, 1)
set_parameters(layer, ([[1.0, -2.0]], [7.0]))
for l1, l2, expected in ((1.0, 0.0, 3.0), (0.0, 1.0, 2.5), (2.0, 4.0, 16.0)):
    cost = number(weight_penalty(layer, l1, l2))
    assert agrees(cost, expected), f"l1 = {l1:g}, l2 = {l2:g}: {expected:g}, yours {cost:g}"
cost = number(weight_penalty(nn.Sequential(layer, nn.LayerNorm(1), copy.deepcopy(layer)), 1, 0))
assert agrees(cost, 6.0), f"two such layers and a LayerNorm: expected 6, got {cost:g}"
### BEGIN HIDDEN TESTS
for model in (
    nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.LayerNorm(2), nn.Linear(2, 4, bias=False)),
    nn.Sequential(nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5)), nn.Linear(5, 1)),
    nn.Linear(1, 1),
):
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    set_parameters(model, [draw.normal(size=shape) - 0.3 for shape in shapes])
    l1, l2 = draw.uniform(0.1, 2, size=2)
    for prices in ((l1, l2), (l1, 0.0), (0.0, l2)):
        probe(cost=number(weight_penalty(model, *prices)))
### END HIDDEN TESTS

# %% tests="weight_penalty-gradient" points=0.5
# The penalty has a gradient: l1 sign(w) + l2 w for the weights, and nothing for the biases.
layer = nn.Linear(2, 1)
set_parameters(layer, ([[1.0, -2.0]], [7.0]))
cost = weight_penalty(layer, 0.5, 2.0)
assert getattr(cost, "requires_grad", False), "expected a tensor that knows how it was computed"
cost.backward()
assert agrees(layer.weight.grad, [[2.5, -4.5]]), (
    f"for (1, -2), l1 = 0.5 and l2 = 2 it is (2.5, -4.5), yours {shown(layer.weight.grad)}"
)
assert layer.bias.grad is None or not layer.bias.grad.any(), "expected none for the bias"
### BEGIN HIDDEN TESTS
model = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 2))
shapes = [tuple(parameter.shape) for parameter in model.parameters()]
set_parameters(model, [draw.normal(size=shape) for shape in shapes])
cost = weight_penalty(model, *draw.uniform(0.1, 2, size=2))
probe(differentiable=bool(cost.requires_grad))
cost.backward()
for parameter in model.parameters():
    probe(gradient=torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)
### END HIDDEN TESTS

# %% [markdown] task="dropout" minutes=9 difficulty=3
# ## 7. Dropout
#
# In training, dropout sets each value to zero with probability $p$, independently of all others, and divides those that stay
# by $1 - p$:
#
# $$\tilde z_j = \frac{m_j}{1 - p}\, z_j, \qquad m_j \in \{0, 1\}, \quad P(m_j = 0) = p .$$
#
# The mean of $\tilde z_j$ is $z_j$. That is why nothing is left to do when the model is used: out of training the values pass
# unchanged. All randomness comes from the generator that is passed, so a run can be repeated.
#
# <details><summary>Hint</summary>
#
# `torch.rand(..., generator=generator)` draws numbers that are uniform in [0, 1), and a share p of them is below p. Draw one
# for each value of z.
#
# </details>


# %% solution="dropout"
# Not allowed here: aelib, torch.nn.Dropout, torch.nn.functional.dropout, torch.dropout
def dropout(z: Tensor, p: float, training: bool, generator: torch.Generator) -> Tensor:
    """Set values to zero at random and scale the others, so that the mean does not change.

    Args:
        z: the values of a layer, shape (N, k).
        p: the probability that a value is dropped, at least 0 and less than 1.
        training: whether the model is being trained; if not, z is returned as it is.
        generator: where all randomness comes from.

    Returns:
        The values with dropout, shape (N, k).
    """
    ### BEGIN SOLUTION
    if not training:
        return z
    keep = torch.rand(z.shape, generator=generator) >= p
    return z * keep / (1 - p)
    ### END SOLUTION


# %% tests="dropout-shape" points=0.25
# dropout(z, p, training, generator) has the shape of z, in training and out of it.
for training in (True, False):
    found = dropout(torch.ones(3, 5), 0.5, training, torch.Generator().manual_seed(0))
    assert tuple(found.shape) == (3, 5), f"expected shape (3, 5), got {tuple(found.shape)}"
### BEGIN HIDDEN TESTS
for n, k in ((3, 5), (1, 4), (6, 1)):
    z = torch.tensor(draw.normal(size=(n, k)))
    for training in (False, True):
        probe(z_tilde=dropout(z, 0.4, training, torch.Generator().manual_seed(1)))
### CHECK z_tilde: shape()
### END HIDDEN TESTS

# %% tests="dropout-evaluation" points=0.5
# Out of training nothing changes, and with p = 0 nothing changes in training either.
z = torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
for p, training in ((0.6, False), (0.0, True)):
    found = dropout(z.clone(), p, training, torch.Generator().manual_seed(0))
    assert agrees(found, z), f"p = {p}, training = {training}: z changed to {shown(found)}"
### BEGIN HIDDEN TESTS
for p, training in ((0.3, False), (0.8, False), (0.0, True), (0.0, False)):
    z = torch.tensor(draw.normal(size=(20, 6)))
    probe(
        z_tilde=dropout(z, p, training, torch.Generator().manual_seed(int(draw.integers(99))))
    )
### END HIDDEN TESTS

# %% tests="dropout-training" points=1
# In training a share p is zero, each value on its own, and the others are divided by 1 - p.
ones = torch.ones(300, 40)
for p in (0.25, 0.6):
    found = dropout(ones.clone(), p, True, torch.Generator().manual_seed(0))
    dropped, kept = float((found == 0).double().mean()), found[found != 0]
    assert abs(dropped - p) < 0.03, f"p = {p}: the share of zeros is {dropped:.3f}"
    assert agrees(kept, torch.full(kept.shape, 1 / (1 - p))), (
        f"p = {p}: a 1 that stays becomes {1 / (1 - p):.4f}, yours {shown(kept[:3])}"
    )
    for dim, name in ((0, "unit"), (1, "example")):
        shares = (found == 0).double().mean(dim=dim)
        assert shares.std() < 0.2, f"the values of one {name} are dropped all together"
### BEGIN HIDDEN TESTS
for p in (0.2, 0.7):
    signs, sizes = draw.choice([-1, 1], size=(200, 150)), draw.uniform(0.5, 2, size=(200, 150))
    z = torch.tensor(signs * sizes)
    before = z.clone().requires_grad_()
    found = dropout(before, p, True, torch.Generator().manual_seed(int(draw.integers(2**31))))
    factor, zero = found / z, (found == 0).double()
    probe(least=factor[found != 0].min(), most=factor[found != 0].max(), dropped=zero.mean())
    probe(by_unit=zero.mean(dim=0).std(), by_example=zero.mean(dim=1).std())
    found.sum().backward()
    probe(excess=(before.grad * z - found).abs().max())
    dropout(z, p, True, torch.Generator().manual_seed(3))
    probe(changed=(z - before).abs().max())
### CHECK dropped: close(atol=0.03)
### CHECK by_unit: at_most(bound=0.1)
### CHECK by_example: at_most(bound=0.1)
### END HIDDEN TESTS

# %% tests="dropout-generator" points=0.25
# The same generator state gives the same values, the next call gives others, and torch's
# global randomness is not touched.
z, first = torch.ones(20, 20), torch.Generator().manual_seed(5)
one, two = dropout(z, 0.5, True, first), dropout(z, 0.5, True, first)
again = dropout(z, 0.5, True, torch.Generator().manual_seed(5))
assert agrees(one, again), "two generators with the same seed: expected the same values"
assert not agrees(one, two), "one generator used twice: expected other values"
### BEGIN HIDDEN TESTS
z, seed = torch.tensor(draw.uniform(1, 2, size=(20, 20))), int(draw.integers(2**31))
state, used = torch.get_rng_state(), torch.Generator().manual_seed(seed)
one, two = dropout(z, 0.4, True, used), dropout(z, 0.4, True, used)
repeated = dropout(z, 0.4, True, torch.Generator().manual_seed(seed))
other = dropout(z, 0.4, True, torch.Generator().manual_seed(seed + 1))
probe(same=agrees(one, repeated), next_is_new=not agrees(one, two))
probe(by_seed=not agrees(one, other), untouched=torch.equal(state, torch.get_rng_state()))
### END HIDDEN TESTS

# %% [markdown] task="folds" minutes=7 difficulty=3
# ## 8. Cross-validation
#
# With little data, cut the examples at random into $F$ parts. Train on all but one part, judge on that one, and do this for
# each of the parts. So every example is held out exactly once.
#
# Return the positions of the examples: for each part a pair of the positions to train on and those to judge on. The numbers
# of examples in any two parts differ by one at most: 10 examples in 4 parts are 3, 3, 2 and 2.
#
# <details><summary>Hint</summary>
#
# `torch.randperm(n, generator=generator)` is the numbers 0 to n - 1 in random order. Look up what `torch.tensor_split` does
# that `torch.chunk` does not: try both on 10 numbers and 4 parts.
#
# </details>


# %% solution="folds"
# Not allowed here: aelib, sklearn.model_selection
def folds(n: int, num_folds: int, generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Split the positions of n examples for cross-validation.

    Args:
        n: the number of examples.
        num_folds: the number of parts, from 2 to n.
        generator: where the random order comes from.

    Returns:
        num_folds pairs (train, held_out) of positions, one-dimensional tensors of integers:
        those in one part, held_out, and those in all others, train. The parts are random.
    """
    ### BEGIN SOLUTION
    parts = torch.randperm(n, generator=generator).tensor_split(num_folds)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(num_folds)]
    ### END SOLUTION


# %% tests="folds-shape" points=0.25
# folds(n, num_folds, generator) is a list of num_folds pairs (train, held_out); the two tensors
# of a pair have n numbers together.
pairs = folds(12, 3, torch.Generator().manual_seed(0))
assert len(pairs) == 3, f"expected 3 pairs, got {len(pairs)}"
assert all(is_pair(pair) for pair in pairs), "expected pairs (train, held_out)"
found = [(len(rest), len(part)) for rest, part in pairs]
assert found == [(8, 4)] * 3, f"12 examples, 3 parts: expected (8, 4) each, got {found}"
### BEGIN HIDDEN TESTS
for n, num_folds in ((12, 3), (10, 5), (4, 4)):
    pairs = folds(n, num_folds, torch.Generator().manual_seed(int(draw.integers(2**31))))
    probe(lengths=[[len(rest), len(part)] for rest, part in pairs])
### END HIDDEN TESTS

# %% tests="folds-partition" points=0.75
# Every example is held out once, and trained on in all other pairs. 10 examples in 4 parts:
# two parts of 3 and two of 2.
pairs = folds(10, 4, torch.Generator().manual_seed(0))
held = sorted(int(i) for _, held_out in pairs for i in held_out)
assert held == list(range(10)), f"held out, all parts together: expected 0 to 9, got {held}"
for pair in pairs:
    both = sorted(int(i) for part in pair for i in part)
    assert both == list(range(10)), f"one pair together: expected 0 to 9, got {both}"
sizes = sorted(len(held_out) for _, held_out in pairs)
assert sizes == [2, 2, 3, 3], f"expected parts of 2, 2, 3 and 3, got {sizes}"
### BEGIN HIDDEN TESTS
for n, num_folds in ((10, 4), (9, 6), (23, 7), (int(draw.integers(20, 40)), 5), (9, 2), (5, 5)):
    pairs = folds(n, num_folds, torch.Generator().manual_seed(int(draw.integers(2**31))))
    probe(sizes=sorted(len(held_out) for _, held_out in pairs))
    probe(held=sorted(int(i) for _, held_out in pairs for i in held_out))
    for halves in pairs:
        probe(both=sorted(int(i) for half in halves for i in half))
### END HIDDEN TESTS

# %% tests="folds-random" points=0.5
# The parts are random, and they come from the generator alone: the same seed gives the same
# parts.
one, two, other = (folds(60, 3, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
first = one[0][1].sort().values
assert not agrees(first, torch.arange(20)), "the first part is 0, 1, 2, ...: shuffle first"
assert agrees(first, two[0][1].sort().values), "the same seed: expected the same first part"
assert not agrees(first, other[0][1].sort().values), "another seed: expected another part"
### BEGIN HIDDEN TESTS
seed, state = int(draw.integers(2**31)), torch.get_rng_state()
runs = [folds(80, 4, torch.Generator().manual_seed(s)) for s in (seed, seed, seed + 1)]
parts = [{frozenset(int(i) for i in held_out) for _, held_out in run} for run in runs]
probe(same=parts[0] == parts[1], by_seed=parts[0] != parts[2])
probe(blocks=frozenset(range(20)) in parts[0], apart=frozenset(range(0, 80, 4)) in parts[0])
probe(untouched=torch.equal(state, torch.get_rng_state()))
### END HIDDEN TESTS

# %% [markdown] task="early_stopping" minutes=9 difficulty=3
# ## 9. Early stopping
#
# The validation loss falls, and at some epoch it begins to rise: the model starts to learn the noise of its examples. Train
# until `patience` epochs in a row have brought no new lowest loss, or for `max_epochs` at most. Then go back to the best epoch.
#
# - After each epoch, compare the validation loss with the lowest one so far. An equal loss is no improvement.
# - With `patience` = 2 and the losses 5, 4, 6, 3, 7, 7 there are six epochs: the 6 is forgiven, because a 3 follows. The best is
#   epoch 3, counted from 0.
# - At the end the model is as it was after the best epoch: all of `model.state_dict()`, which has the parameters, and also the
#   running means of normalization layers.
#
# <details><summary>Hint</summary>
#
# What `model.state_dict()` returns are the model's own tensors, and they go on changing with it. `copy.deepcopy` makes a copy
# that does not, and `model.load_state_dict` puts one back.
#
# </details>


# %% solution="early_stopping"
# Not allowed here: aelib
def early_stopping(
    model: nn.Module, train_epoch, validate, patience: int, max_epochs: int
) -> int:
    """Train until the validation loss no longer falls, and go back to the best epoch.

    Args:
        model: is trained in place.
        train_epoch: a function; called with the model, it trains it for one epoch.
        validate: a function; called with the model, it returns its validation loss, a number.
        patience: stop after this many epochs in a row without a new lowest loss, at least 1.
        max_epochs: stop after this many epochs anyway, at least 1.

    Returns:
        The epoch with the lowest loss, counted from 0, the first of them if there are several.
    """
    ### BEGIN SOLUTION
    best_loss = math.inf
    for epoch in range(max_epochs):
        train_epoch(model)
        loss = validate(model)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= patience:
            break
    model.load_state_dict(best_state)
    return best_epoch
    ### END SOLUTION


# %% tests="early_stopping-shape" points=0.25
# early_stopping(...) is a whole number, an epoch from 0 to max_epochs - 1.
model, train_epoch, validate, epochs = pretend([3.0, 2.0, 1.0, 4.0])
best = early_stopping(model, train_epoch, validate, 2, 4)
assert best in (0, 1, 2, 3), f"expected a number from 0 to 3, got {best!r}"
### BEGIN HIDDEN TESTS
for losses in ([3.0, 2.0, 1.0, 4.0], [1.0, 2.0, 3.0, 4.0]):
    model, train_epoch, validate, epochs = pretend(np.array(losses) + draw.uniform(0, 0.5))
    probe(is_an_epoch=early_stopping(model, train_epoch, validate, 2, 4) in (0, 1, 2, 3))
### END HIDDEN TESTS

# %% tests="early_stopping-stops" points=0.75
# It trains until there was no new lowest loss for `patience` epochs in a row, and for
# max_epochs at most.
for losses, patience, max_epochs, expected in (
    ([5, 4, 6, 3, 7, 7, 7, 7], 2, 8, 6),
    ([5, 4, 6, 3, 7, 7, 7, 7], 1, 8, 3),
    ([4, 2, 2, 2, 2, 1], 2, 6, 4),
    ([5, 4, 3, 2, 1, 0], 3, 4, 4),
):
    model, train_epoch, validate, epochs = pretend(losses)
    early_stopping(model, train_epoch, validate, patience, max_epochs)
    assert len(epochs) == expected, (
        f"losses {losses}, patience {patience}, max_epochs {max_epochs}: "
        f"expected {expected} epochs, you trained {len(epochs)}"
    )
### BEGIN HIDDEN TESTS
for ranks, patience, max_epochs in (
    ([5, 4, 6, 6, 3, 7, 7, 7, 2, 1], 3, 10),
    ([4, 2, 2, 2, 2, 1, 1, 0], 2, 8),
    ([9, 8, 7, 6, 5, 4, 3, 2], 2, 5),
    ([3, 2, 4, 1, 5, 0], 1, 6),
    ([6, 2, 5, 4, 3, 2.5, 1, 0], 4, 8),
):
    losses = draw.uniform(0.5, 2) * np.array(ranks) - draw.uniform(0, 9)
    model, train_epoch, validate, epochs = pretend(losses)
    early_stopping(model, train_epoch, validate, patience, max_epochs)
    probe(epochs=len(epochs))
for patience in (1, 2, 3, 4):
    model, train_epoch, validate, epochs = pretend(draw.integers(1, 9, size=25))
    early_stopping(model, train_epoch, validate, patience, 25)
    probe(epochs=len(epochs))
### END HIDDEN TESTS

# %% tests="early_stopping-best" points=1
# It returns the best epoch, counted from 0, and the model is as it was after that epoch.
for losses, patience, best_epoch in (
    ([5, 4, 6, 3, 7, 7, 7, 7], 2, 3),
    ([4, 2, 2, 2, 2, 1], 2, 1),
    ([3, 2, 1], 2, 2),
):
    model, train_epoch, validate, epochs = pretend(losses)
    best = early_stopping(model, train_epoch, validate, patience, len(losses))
    assert int(best) == best_epoch, f"losses {losses}: epoch {best_epoch} is best, not {best}"
    for name, tensor in model.state_dict().items():
        assert (tensor == best_epoch + 1).all(), (
            f"losses {losses}: {name} is that after {tensor.flatten()[0]:g} epochs, not after "
            f"{best_epoch + 1}, the best"
        )
### BEGIN HIDDEN TESTS
for ranks, patience, max_epochs in (
    ([5, 4, 6, 6, 3, 7, 7, 7, 2, 1], 3, 10),
    ([4, 2, 2, 2, 2, 1, 1, 0], 2, 8),
    ([9, 8, 7, 6, 5, 4, 3, 2], 2, 5),
    ([3, 1, 2, 2.5], 9, 4),
    ([1, 2, 3, 4], 2, 4),
):
    losses = draw.uniform(0.5, 2) * np.array(ranks) - draw.uniform(0, 9)
    model, train_epoch, validate, epochs = pretend(losses)
    best = early_stopping(model, train_epoch, validate, patience, max_epochs)
    probe(best=int(best), **model.state_dict())
for patience in (1, 3, 5):
    model, train_epoch, validate, epochs = pretend(draw.integers(1, 9, size=25))
    best = early_stopping(model, train_epoch, validate, patience, 25)
    probe(best=int(best), weight=model.weight, running_mean=model.running_mean)
### END HIDDEN TESTS

# %% [markdown] task="train" minutes=13 difficulty=4
# ## 10. Train with weight decay
#
# Now train. The loss is half the squared error, summed over the features and averaged over the examples, plus weight decay on
# the weight matrices $W$ of the model, and not on its biases or normalization layers:
#
# $$L_\mu = \frac12 \cdot \frac1N \sum_n \lVert x_n - \hat x_n \rVert^2 + \frac{\mu}{2} \sum_W \lVert W \rVert_F^2 .$$
#
# Take `steps` steps of Adam with step size `lr`, each on all examples at once. Train in training mode, and leave the model in
# evaluation mode, or dropout stays on. (The tests look at where training ends, not at the way there.)
#
# A *linear* autoencoder tells whether you did it right. At the minimum of $L_\mu$ a principal direction of variance $\lambda$
# is reconstructed with the gain $\max(1 - \mu / \lambda, 0)$. For $\mu = 2$ and the variances 9, 5 and 0.5 the gains are 7/9,
# 3/5 and 0, and a larger code changes nothing.
#
# <details><summary>Hint</summary>
#
# A step sets the gradients to zero, computes the loss, goes backward and lets the optimizer step. `torch.optim.Adam` has an
# argument `weight_decay`, but it would charge for the biases as well. `nn.Module.train` and `nn.Module.eval` set the mode.
#
# </details>


# %% solution="train"
# Not allowed here: aelib
def train(model: nn.Module, x: Tensor, mu: float, lr: float, steps: int) -> list[float]:
    """Train an autoencoder in place, with weight decay on its weight matrices.

    Args:
        model: maps examples (N, d) to their reconstructions (N, d).
        x: the examples, shape (N, d).
        mu: the price of weights, zero or more.
        lr: the step size of Adam.
        steps: the number of steps, at least 1.

    Returns:
        The loss before each step, with the weight decay, as a list of `steps` numbers.
    """
    ### BEGIN SOLUTION
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(steps):
        error = (x - model(x)).square().sum(dim=1).mean()
        decay = sum(p.square().sum() for p in model.parameters() if p.ndim > 1)
        loss = error / 2 + mu / 2 * decay
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses
    ### END SOLUTION


# %% tests="train-shape" points=0.25
# train(model, x, mu, lr, steps) is a list of `steps` numbers.
losses = train(nn.Linear(2, 2), torch.eye(2), mu=0.1, lr=0.01, steps=3)
assert len(losses) == 3, f"expected 3 numbers, got {len(losses)}"
assert all(math.isfinite(float(loss)) for loss in losses), f"expected numbers, got {losses}"
### BEGIN HIDDEN TESTS
for steps in (1, 4):
    x = torch.tensor(draw.normal(size=(5, 2)))
    losses = train(nn.Linear(2, 2), x, mu=0.1, lr=0.01, steps=steps)
    probe(numbers=len(losses), losses=torch.tensor([float(loss) for loss in losses]))
### CHECK losses: finite()
### END HIDDEN TESTS

# %% tests="train-loss" points=0.75
# The first loss is that of the untrained model: half the squared error, sum over features, mean
# over examples, plus mu/2 for each squared weight.
model = nn.Linear(2, 2)
set_parameters(model, ([[0.0, 1.0], [1.0, 0.0]], [1.0, 0.0]))
x = torch.tensor([[1.0, 2.0], [3.0, 3.0]])
first = float(train(model, x, mu=0.6, lr=0.01, steps=1)[0])
assert agrees(first, 0.5 * (5 + 1) / 2 + 0.3 * 2), (
    f"squared errors 5 and 1, weights 1 and 1, mu = 0.6: expected 2.1, got {first:g}"
)
### BEGIN HIDDEN TESTS
for n, d, k, mu in ((7, 4, 2, 0.7), (1, 3, 5, 0.2), (6, 2, 1, 0.0)):
    model = nn.Sequential(nn.Linear(d, k), nn.LayerNorm(k), nn.ReLU(), nn.Linear(k, d))
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    set_parameters(model, [draw.normal(size=shape) for shape in shapes])
    x = torch.tensor(draw.normal(size=(n, d)) + 1)
    probe(first=float(train(model, x, mu=mu, lr=0.01, steps=2)[0]))
### END HIDDEN TESTS

# %% tests="train-gains" points=1
# Training ends where theory says: with mu = 2 the directions of variance 9, 5 and 0.5 are kept
# with the gains 7/9, 3/5 and 0, each up to 0.05.
x, directions = with_variances([9.0, 5.0, 0.5], seed=0)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 3))
losses = train(model, x, mu=2.0, lr=0.1, steps=100)
assert losses[-1] < losses[0], f"the loss rose from {losses[0]:.2f} to {losses[-1]:.2f}"
gains = (directions.T @ model[1].weight @ model[0].weight @ directions).diagonal()
assert torch.allclose(gains, torch.tensor([7 / 9, 3 / 5, 0.0]), atol=0.05), (
    f"expected the gains 0.78, 0.6 and 0, yours are {shown(gains)}"
)
### BEGIN HIDDEN TESTS
x, directions = with_variances([8.0, 5.0, 0.5], int(draw.integers(2**31)))
torch.manual_seed(int(draw.integers(2**31)))
model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 3))
losses = train(model, x, mu=2.0, lr=0.1, steps=100)
scores = torch.tensor(draw.normal(size=(50, 3)) * np.sqrt([8.0, 5.0, 0.5]))
x_new = x.mean(dim=0) + scores @ directions.T
probe(product=model[1].weight @ model[0].weight, last=float(losses[-1]))
probe(error=number((x_new - model(x_new)).square().sum(dim=1).mean()))
### CHECK product: close(atol=0.05)
### CHECK last: at_most(times=1.1)
### CHECK error: at_most(times=1.3)
### END HIDDEN TESTS


# %% tests="train-mode" points=0.5
# The model trains in training mode, so dropout is on, and it is in evaluation mode afterwards.
class Watch(nn.Module):
    """A layer that passes its values on, and notes in which mode it is used."""

    def __init__(self):
        super().__init__()
        self.modes = []

    def forward(self, x):
        self.modes.append(self.training)
        return x


model = nn.Sequential(nn.Linear(2, 6), Watch(), nn.Linear(6, 2)).eval()
train(model, torch.eye(2), mu=0.1, lr=0.01, steps=2)
assert any(model[1].modes), "it was trained in evaluation mode, so dropout would have been off"
assert not model.training, "the model is still in training mode: its dropout stays on"
### BEGIN HIDDEN TESTS
for start in (False, True):
    model = nn.Sequential(nn.Linear(2, 6), Watch(), nn.Linear(6, 2)).train(start)
    train(model, torch.tensor(draw.normal(size=(4, 2))), mu=0.1, lr=0.01, steps=2)
    probe(trained=any(model[1].modes), left_in_training=model.training)
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on handwritten digits of 8 by 8 pixels. One network, with a code of eight values, is trained
# on 30 digits, then with weight decay, with early stopping, and on 200 digits. The last two columns are about 300 digits that
# no model has seen. This part is worth no points; change it as you like.

# %%
train_set, test_set = data.digits().split(797, seed=0)
pool, held_out = train_set.flat().double(), test_set.flat().double()[:300]
chosen, judged = folds(300, 3, torch.Generator().manual_seed(0))[0]
few, many, others = pool[chosen[:30]], pool[chosen], pool[judged]
sizes = [64, 256, 8]
print(f"{count_parameters(sizes)} parameters, and {few.numel()} pixels in 30 digits")
print(f"numbers that a digit needs: about {float(intrinsic_dimension(pool)):.0f} of 64")


def network() -> nn.Module:
    """The autoencoder with its first weights, always the same."""
    torch.manual_seed(0)
    return nn.Sequential(*autoencoder(sizes))


def validate(model: nn.Module) -> float:
    """The error on a hundred digits that are neither trained on nor reported on."""
    with torch.no_grad():
        return float((others - model(others)).square().sum(dim=1).mean())


runs = {
    "30": (few, 0.0),
    "30, decay": (few, 0.01),
    "30, stopped": (few, 0.0),
    "200": (many, 0.0),
}
models = {name: network() for name in runs}
for name in ("30", "30, decay", "200"):
    train(models[name], *runs[name], lr=0.003, steps=200)
twenty_steps = partial(train, x=few, mu=0.0, lr=0.003, steps=20)
best = early_stopping(models["30, stopped"], twenty_steps, validate, patience=2, max_epochs=10)
print(f"early stopping: best after {20 * (best + 1)} steps\n")

heads = ("weights cost", "kept, seen", "kept, new", "memorized")
print(f"{'trained on':12}" + "".join(f"{head:>13}" for head in heads))
pictures = [held_out[:12]]
with torch.no_grad():
    for name, model in models.items():
        examples, x_hat = runs[name][0], model(held_out)
        pictures.append(x_hat[:12])
        print(
            f"{name:12}{float(weight_penalty(model, 0.0, 1.0)):13.0f}"
            f"{float(explained_variance(examples, model(examples))):13.0%}"
            f"{float(explained_variance(held_out, x_hat)):13.0%}"
            f"{float(memorized(held_out, x_hat, examples)):13.0%}"
        )
    encoder, decoder = models["200"]
    noisy = dropout(encoder(held_out), 0.1, True, torch.Generator().manual_seed(0))
    kept = float(explained_variance(held_out, decoder(noisy)))
print(f"\ntrained on 200, a tenth of the code dropped: {kept:.0%} of new digits kept")

viz.use_style()
figure, ax = plt.subplots(figsize=(6.6, 3.0))
viz.image_grid(ax, torch.cat(pictures).reshape(-1, 1, 8, 8).float(), columns=12)
ax.set_yticks([9 * row + 4 for row in range(5)], ["new digits", *models])
ax.tick_params(length=0)
ax.set_title("New digits, and what the four models make of them")
plt.show()

# %% [markdown] task="memory" minutes=10 difficulty=3
# ## 11. What keeps an autoencoder from memorizing?
#
# The model that was trained on 30 digits keeps nearly everything of these, and much less of new ones. In eight to twelve
# sentences or formulas:
#
# 1. Would a code of *one* number have prevented it? Describe an encoder and a decoder that reconstruct any $N$ different points
#    of $\mathbb{R}^d$ exactly through one number, or show that there are none. What has to be large for this?
# 2. Which columns of the table show the memorizing, and which cannot show it? What if the new digits contained copies of the
#    thirty, with a little noise?
# 3. A linear autoencoder has a code larger than the data, $k \ge d$. How many dimensions do its reconstructions have with weight
#    decay $\mu$, and why can one say that the data choose the size of the code? Name one difference from PCA with that many
#    components.

# %% [markdown] answer="memory-why" points=2.5
# 1. No. Take $f(x) = w^\top x$ with a random direction $w$: two different points get the same code only if $w$ is at a right
# angle to their difference, which has probability zero, so all $N$ codes are different. Sort the points by their codes and let
# the decoder be the piecewise linear curve that joins them in this order. It passes through all of them, so every
# reconstruction is exact. One hidden layer of $N - 1$ ReLUs can do this. What has to be large is the decoder: it must have room
# for about $N d$ numbers. The code only says which example it is.
#
# 2. The share that is kept of *new* digits shows it (far below the share of those seen), and so does the share of
# reconstructions that lie nearer to a training example than to their own. The share that is kept of the digits seen cannot show
# it: it is high for a model that has learned the digits and for one that has memorized them. The cost of the weights does not
# show it by itself. With noisy copies of the thirty among the new digits, these would be reconstructed well from memory; what
# is kept of "new" digits would rise, although nothing more was learned.
#
# 3. Direction $i$ comes out with the gain $\max(1 - \mu / \lambda_i, 0)$. So the reconstructions have as many dimensions as
# there are variances $\lambda_i$ above $\mu$, for every $k \ge d$: we choose a price, and the variances of the data decide how
# many directions are worth it. PCA with that many components has the gain 1 in each of them; weight decay shrinks what it
# keeps, most where $\lambda_i$ is little above $\mu$.
#
# **Rubric**
#
# - Part 1, 1 point: half for an encoder with different codes for different points (any reason why a random direction, or any
#   one-to-one map of the finite set, does it), half for a decoder through all points together with what must be large (hidden
#   units, parameters, "capacity"). Only "yes, because one number is too little": 0.
# - Part 2, half a point: a quarter for naming held-out against training performance (or the memorized column) and saying that
#   the training column cannot show it, a quarter for the copies.
# - Part 3, 1 point: half for the number of $\lambda_i > \mu$, independent of $k$; half for a difference from PCA (shrinking is
#   the one expected; that nothing but the product of the weights is determined is right too).
