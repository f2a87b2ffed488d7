# %% [markdown] locked="intro"
# # Project: a detector and a codec
#
# Two machines from parts that you know. The first watches the temperature of the sea off Peru and raises an alarm when a sensor
# fails. The second turns handwritten digits into bytes and back. You write the ten parts, put them together on real data, and
# then judge both machines in two written reports, which are worth 6 of the points.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top says
#   what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points. The two reports are about numbers
#   that the notebook computes without your functions.
# - Data are tensors with one example a row: `x` has shape (N, d), a code `z` has shape (N, k). Numbers must agree to 0.000001,
#   relative or absolute. No function changes the data that it is given.
# - You may use anything in torch and numpy. What a task asks for cannot be imported ready-made: where there is such a thing, a
#   line `Not allowed here` above the function names it.
# - Before you submit: Kernel, Restart Kernel and Run All Cells, then save. (It stops at the first error; a task that you
#   skipped is one. Save all the same.)

# %% locked="install"
# {install}

# %% locked="setup"
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn

from aelib import data, viz
from aelib.metrics import entropy_encode

# All numbers in this notebook are float64, also those that you make with torch.zeros.
torch.set_default_dtype(torch.float64)


def seeded(seed: int) -> torch.Generator:
    """A source of random numbers that gives the same ones again for the same seed."""
    return torch.Generator().manual_seed(seed)


def cloud(seed: int, n: int, d: int) -> Tensor:
    """n random points in d dimensions, spread by 1, 2, ..., d along d orthogonal directions."""
    generator = seeded(seed)
    directions = torch.linalg.qr(torch.randn(d, d, generator=generator)).Q
    points = torch.randn(n, d, generator=generator) * torch.arange(1.0, d + 1)
    return points @ directions + 3 * torch.randn(d, generator=generator)


def autoencoder(d: int, hidden: int, k: int, seed: int) -> nn.Sequential:
    """A small autoencoder with random weights: the encoder is model[0], the decoder [1]."""
    encoder = nn.Sequential(nn.Linear(d, hidden), nn.Tanh(), nn.Linear(hidden, k))
    decoder = nn.Sequential(nn.Linear(k, hidden), nn.Tanh(), nn.Linear(hidden, d))
    model, generator = nn.Sequential(encoder, decoder), seeded(seed)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=generator)
            nn.init.zeros_(layer.bias)
    return model


class Watched(nn.Module):
    """An autoencoder that remembers in batches what it was given of the examples x."""

    def __init__(self, inner: nn.Module, x: Tensor) -> None:
        super().__init__()
        self.inner, self.x, self.batches = inner, x.clone(), []

    def forward(self, batch: Tensor) -> Tensor:
        if (batch[0] == self.x).all(dim=1).any():
            self.batches.append(batch.detach().clone())
        return self.inner(batch)


def order_taken(train, seed: int) -> list[float]:
    """The order in which a loop takes the examples 0, ..., 19 in two epochs, six at a time."""
    x = torch.arange(20.0)[:, None]
    watched = Watched(nn.Linear(1, 1), x)
    optimizer = torch.optim.SGD(watched.parameters(), lr=1e-4)
    train(watched, optimizer, x, -1 - x, 2, 6, seeded(seed))
    return torch.cat(watched.batches).flatten().tolist()


def coded_bits(levels: Tensor) -> int:
    """The bits of whole numbers, shape (N, k), in a real file, tables included."""
    return sum(8 * len(entropy_encode(column.numpy())) for column in levels.T)


def agrees(answer, expected) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and agree to 0.000001."""
    a, b = torch.as_tensor(answer).detach().double(), torch.as_tensor(expected).double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-6, atol=1e-6)


def shown(answer) -> str:
    """The numbers of a tensor, rounded and on a line of their own, for a message."""
    return "\n" + str(np.round(torch.as_tensor(answer).detach().numpy(), 4))


def is_pair(answer) -> bool:
    """Whether a function returned two things."""
    return isinstance(answer, (tuple, list)) and len(answer) == 2


# %% [markdown] task="windows" minutes=4 difficulty=1
# ## 1. Windows: cut the time line first
#
# An autoencoder wants examples of a fixed size, and a series $s_0, \dots, s_{T-1}$ is one long example. So we slide a window of
# $L$ values over it: $(s_0, \dots, s_{L-1})$ is the first example, $(s_1, \dots, s_L)$ the second, and so on. Neighbors share all
# values but one. If windows were dealt to training and test afterwards, nearly every test window would have its twin in the
# training set. So cut the *time line* first: the training windows lie entirely within $s_0, \dots, s_{P-1}$, the test windows
# entirely within $s_P, \dots, s_{T-1}$.
#
# <details><summary>Hint</summary>
#
# A part with $n$ values has $n - L + 1$ windows. `part.unfold(0, L, 1)` makes them all; a loop and `torch.stack` do as well.
#
# </details>


# %% solution="windows"
def windows(series: Tensor, length: int, past: int) -> tuple[Tensor, Tensor]:
    """All windows of the past and all windows of the rest, which share no value.

    Args:
        series: the values in the order of time, shape (T,).
        length: the number L of values in a window.
        past: the number P of values in the past. It and the rest have L values or more.

    Returns:
        train: the windows of the first P values, in their order, shape (P - L + 1, L).
        test: those of the other values, shape (T - P - L + 1, L).
    """
    ### BEGIN SOLUTION
    return series[:past].unfold(0, length, 1), series[past:].unfold(0, length, 1)
    ### END SOLUTION


# %% tests="windows-shape" points=0.5
# windows(series, length, past) returns a pair: with 10 values, 6 of them past, and windows of 3
# there are 4 for training and 2 for testing.
pair = windows(torch.arange(10.0), 3, 6)
assert is_pair(pair), "return two tensors: train, test"
assert tuple(pair[0].shape) == (4, 3), (
    f"train: expected shape (4, 3), got {tuple(pair[0].shape)}"
)
assert tuple(pair[1].shape) == (2, 3), (
    f"test: expected shape (2, 3), got {tuple(pair[1].shape)}"
)
### BEGIN HIDDEN TESTS
for size, length, past in ((10, 3, 6), (11, 4, 4), (7, 1, 5)):
    train_windows, test_windows = windows(torch.tensor(draw.normal(size=size)), length, past)
    probe(train=train_windows, test=test_windows)
### CHECK train: shape()
### CHECK test: shape()
### END HIDDEN TESTS

# %% tests="windows-values" points=0.5
# Each window starts one value after the one before it. No training window reaches into the
# test years, and no test window into the past.
train_windows, test_windows = windows(torch.arange(10.0), 3, 6)
expected = [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [3.0, 4.0, 5.0]]
assert agrees(train_windows, expected), (
    f"train: expected {expected}, got {shown(train_windows)}"
)
expected = [[6.0, 7.0, 8.0], [7.0, 8.0, 9.0]]
assert agrees(test_windows, expected), f"test: expected {expected}, got {shown(test_windows)}"
### BEGIN HIDDEN TESTS
for size, length, past in ((20, 4, 12), (11, 5, 5), (9, 1, 3), (12, 4, 8)):
    train_windows, test_windows = windows(torch.tensor(draw.normal(size=size)), length, past)
    probe(train=train_windows, test=test_windows)
### END HIDDEN TESTS

# %% [markdown] task="standardize" minutes=6 difficulty=2
# ## 2. Season and scale, from the training years alone
#
# Most of a temperature is the season, and the season is no news. Let $p$ be the period (12 for months), and let $P$ values
# belong to the past. Take off what is usual for the month, and divide by one number for all months:
#
# $$\mu_m = \text{mean of all } s_t \text{ with } t < P \text{ and } t \bmod p = m, \qquad a_t = s_t - \mu_{t \bmod p},$$
#
# $$\sigma^2 = \frac1P \sum_{t=0}^{P-1} a_t^2, \qquad x_t = a_t / \sigma \quad \text{for all } t = 0, \dots, T-1 .$$
#
# Both $\mu$ and $\sigma$ come from the past alone. Whatever is computed from the test years would tell the detector about the
# very months in which it shall look for something odd.
#
# <details><summary>Hint</summary>
#
# `torch.arange(T) % p` is the month of each value. With `month`, a tensor of whole numbers of shape (T,), and `mean` of shape
# (p,), `mean[month]` has shape (T,). `a.std(correction=0)` divides by the number of values, and not by one less.
#
# </details>


# %% solution="standardize"
# Not allowed here: aelib, sklearn, scipy, statsmodels, pandas
def standardize(series: Tensor, past: int, period: int) -> Tensor:
    """Subtract the usual value of each month, and divide by the usual deviation from it.

    Args:
        series: the values in the order of time, the first of them in month 0, shape (T,).
        past: how many values P belong to the past: two periods or more, and a multiple of the
            period. T need not be one.
        period: the number of months p, at least 1.

    Returns:
        x, shape (T,). Its past has mean 0 in each month, and standard deviation 1 altogether.
    """
    ### BEGIN SOLUTION
    month = torch.arange(len(series)) % period
    mean = series[:past].reshape(past // period, period).mean(dim=0)
    x = series - mean[month]
    return x / x[:past].std(correction=0)
    ### END SOLUTION


# %% tests="standardize-shape" points=0.5
# standardize(series, past, period) has the length of the series, whether that is a multiple of
# the period or not.
for size in (8, 11):
    x = standardize(torch.arange(float(size)).square(), 8, 4)
    assert tuple(x.shape) == (size,), f"expected shape ({size},), got {tuple(x.shape)}"
### BEGIN HIDDEN TESTS
for size, past, period in ((8, 8, 4), (11, 8, 4), (6, 4, 1), (25, 24, 12)):
    probe(x=standardize(torch.tensor(draw.normal(size=size)), past, period))
### CHECK x: shape()
### END HIDDEN TESTS

# %% tests="standardize-values" points=1
# With period 2 and the past 1, 10, 3, 20 the usual values are 2 and 15, the differences -1, -5,
# 1, 5, and sigma^2 = (1 + 25 + 1 + 25) / 4 = 13. The later values 5, 30, 7 differ by 3, 15, 5.
series = torch.tensor([1.0, 10.0, 3.0, 20.0, 5.0, 30.0, 7.0])
x = standardize(series, 4, 2)
assert agrees(series, [1.0, 10.0, 3.0, 20.0, 5.0, 30.0, 7.0]), (
    "your function has changed series"
)
expected = torch.tensor([-1.0, -5.0, 1.0, 5.0, 3.0, 15.0, 5.0]) / math.sqrt(13)
assert agrees(x, expected), f"expected {shown(expected)}, got {shown(x)}"
### BEGIN HIDDEN TESTS
for size, past, period in ((30, 24, 12), (17, 8, 4), (9, 6, 1), (23, 15, 3), (10, 10, 5)):
    series = torch.tensor(draw.normal(size=size)) * 3 + 10 + torch.arange(size) % period
    kept = series.clone()
    probe(x=standardize(series, past, period), series_left=torch.equal(series, kept))
### END HIDDEN TESTS

# %% [markdown] task="pca_scores" minutes=8 difficulty=3
# ## 3. PCA as a detector: off the plane, and along it
#
# Fit PCA to the $M$ training windows: their mean $\bar x$, the covariance $S$ with $1/M$, and unit eigenvectors $u_1, \dots, u_k$
# for its $k$ largest eigenvalues $\lambda_1, \dots, \lambda_k$. A new $x$ has the code $z_i = u_i^\top (x - \bar x)$ and the
# reconstruction $\hat x = \bar x + \sum_{i \le k} z_i u_i$. There are two ways to be unusual:
#
# $$\text{off}(x) = \lVert x - \hat x \rVert^2, \qquad \text{along}(x) = \sum_{i=1}^{k} \frac{z_i^2}{\lambda_i} .$$
#
# The first is the reconstruction error. The second says how far the *code* is from the middle, in units of its usual spread. In
# $-2 \log p(x)$ of probabilistic PCA both appear, the first divided by the noise variance.
#
# <details><summary>Hint</summary>
#
# `torch.linalg.eigh` returns the eigenvalues in ascending order, and the eigenvectors as the *columns* of a matrix: the last k
# are the ones to keep. Only `train` decides on the mean, the eigenvalues and the eigenvectors.
#
# </details>


# %% solution="pca_scores"
# Not allowed here: aelib, sklearn
def pca_scores(train: Tensor, x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Two anomaly scores of examples, from PCA of other examples.

    Args:
        train: normal examples, to which PCA is fitted, shape (M, d); the covariance has rank d.
        x: the examples to judge, shape (N, d); N may be 1.
        k: the number of components, 1 to d.

    Returns:
        off: the squared distance of each x to its reconstruction, shape (N,).
        along: the sum of its squared codes, each divided by its variance in train, shape (N,).
    """
    ### BEGIN SOLUTION
    mean = train.mean(dim=0)
    S = (train - mean).T @ (train - mean) / len(train)
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    variances, U = eigenvalues[-k:], eigenvectors[:, -k:]
    z = (x - mean) @ U
    off = (x - mean - z @ U.T).square().sum(dim=1)
    return off, (z.square() / variances).sum(dim=1)
    ### END SOLUTION


# %% tests="pca_scores-shape" points=0.5
# pca_scores(train, x, k) returns a pair (off, along), each with one number for each row of x.
for n in (4, 1):
    pair = pca_scores(cloud(0, 30, 3), torch.ones(n, 3), 2)
    assert is_pair(pair), "return two tensors: off, along"
    for name, scores in zip(("off", "along"), pair):
        assert tuple(scores.shape) == (n,), (
            f"{name}: expected shape ({n},), got {tuple(scores.shape)}"
        )
### BEGIN HIDDEN TESTS
for n, d, k in ((4, 3, 2), (1, 4, 1), (3, 2, 2)):
    train_examples = cloud(int(draw.integers(2**31)), 30, d)
    off, along = pca_scores(train_examples, torch.tensor(draw.normal(size=(n, d))), k)
    probe(off=off, along=along)
### CHECK off: shape()
### CHECK along: shape()
### END HIDDEN TESTS

# %% tests="pca_scores-off" points=1
# off is the squared distance to the plane of the k components through the mean of train. Here
# the mean is (1, 1), the variances are 4.5 and 0.5, and the first component is the first axis.
cross = torch.tensor([[4.0, 1.0], [-2.0, 1.0], [1.0, 2.0], [1.0, 0.0]])
points = torch.tensor([[7.0, 1.0], [1.0, 4.0], [4.0, -1.0]])
off, _ = pca_scores(cross, points, 1)
assert agrees(off, [0.0, 9.0, 4.0]), f"k = 1: expected 0, 9, 4, got {shown(off)}"
off, _ = pca_scores(cross, points, 2)
assert agrees(off, [0.0, 0.0, 0.0]), f"k = d: everything is rebuilt, got {shown(off)}"
### BEGIN HIDDEN TESTS
for m, n, d, k in ((40, 6, 5, 2), (60, 1, 3, 3), (200, 7, 4, 1), (30, 3, 6, 4), (20, 4, 1, 1)):
    train_examples = cloud(int(draw.integers(2**31)), m, d)
    off, _ = pca_scores(train_examples, 4 * torch.tensor(draw.normal(size=(n, d))), k)
    probe(off=off)
### END HIDDEN TESTS

# %% tests="pca_scores-along" points=0.5
# along divides each squared code by the variance that train has there, with 1/M: on the first
# axis (7 - 1)^2 / 4.5 = 8, on the second (4 - 1)^2 / 0.5 = 18.
cross = torch.tensor([[4.0, 1.0], [-2.0, 1.0], [1.0, 2.0], [1.0, 0.0]])
points = torch.tensor([[7.0, 1.0], [1.0, 4.0], [4.0, -1.0]])
_, along = pca_scores(cross, points, 1)
assert agrees(along, [8.0, 0.0, 2.0]), f"k = 1: expected 8, 0, 2, got {shown(along)}"
_, along = pca_scores(cross, points, 2)
assert agrees(along, [8.0, 18.0, 10.0]), f"k = 2: expected 8, 18, 10, got {shown(along)}"
### BEGIN HIDDEN TESTS
for m, n, d, k in ((40, 6, 5, 2), (60, 1, 3, 3), (200, 7, 4, 1), (30, 3, 6, 4), (20, 4, 1, 1)):
    train_examples = cloud(int(draw.integers(2**31)), m, d)
    x = 4 * torch.tensor(draw.normal(size=(n, d)))
    kept = train_examples.clone(), x.clone()
    _, along = pca_scores(train_examples, x, k)
    left = torch.equal(train_examples, kept[0]) and torch.equal(x, kept[1])
    probe(along=along, data_left=left)
### END HIDDEN TESTS

# %% [markdown] task="train" minutes=10 difficulty=3
# ## 4. Train an autoencoder in batches
#
# Write the training loop. In each epoch:
#
# - shuffle the examples anew, with randomness from the generator, and cut them into batches of `batch_size` (the last one may be
#   smaller);
# - for each batch, let the optimizer change the weights once, down the gradient of
#   $\frac1B \sum_{n=1}^{B} \lVert x_n - \hat x_n \rVert^2$;
# - after the last batch, compute the same error on the held-out examples, all of them together.
#
# Nothing is learned from the held-out examples. Return their error after each epoch, as plain numbers without gradient history.
# The optimizer is given and already knows the model's parameters.
#
# <details><summary>Hint</summary>
#
# `torch.randperm(n, generator=generator)` is an order of n examples, and `order.split(batch_size)` cuts it into pieces, such that
# `x[piece]` is a batch. Gradients add up until they are set to zero. In a block under `torch.no_grad()` no history is kept.
#
# </details>


# %% solution="train"
# Not allowed here: aelib
def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    held_out: Tensor,
    epochs: int,
    batch_size: int,
    generator: torch.Generator,
) -> Tensor:
    """Train an autoencoder in place.

    Args:
        model: from examples (B, d) to reconstructions (B, d). Call it once for each batch.
        optimizer: an optimizer of the model's parameters.
        x: the training examples, shape (N, d).
        held_out: other examples, shape (M, d).
        epochs: how often to go through the training examples, at least once.
        batch_size: the number of examples in a batch, at least 1; it may be larger than N.
        generator: where the order of the examples comes from.

    Returns:
        The error of the held-out examples after each epoch, shape (epochs,).
    """
    ### BEGIN SOLUTION
    errors = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = (x[rows] - model(x[rows])).square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors.append((held_out - model(held_out)).square().sum(dim=1).mean())
    return torch.stack(errors)
    ### END SOLUTION


# %% tests="train-shape" points=0.5
# train(model, optimizer, x, held_out, epochs, batch_size, generator) returns one number for
# each epoch, and the weights of the model change.
model = autoencoder(3, 4, 2, seed=0)
before = model[0][0].weight.detach().clone()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
errors = train(model, optimizer, torch.eye(3), torch.ones(5, 3), 4, 2, seeded(0))
assert len(errors) == 4, f"4 epochs: expected 4 numbers, got {len(errors)}"
assert not agrees(model[0][0].weight, before), "the weights are the same as before the training"
### BEGIN HIDDEN TESTS
for n, d, epochs in ((5, 3, 4), (1, 2, 1)):
    model = autoencoder(d, 4, 2, int(draw.integers(2**31)))
    initial = model[0][0].weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    x, held_out = torch.tensor(draw.normal(size=(2, n, d)))
    errors = train(model, optimizer, x, held_out, epochs, 2, seeded(0))
    probe(numbers=len(errors), changed=not torch.equal(initial, model[0][0].weight))
### END HIDDEN TESTS

# %% tests="train-steps" points=1
# In each epoch every example is used once, in a new order from the generator; each batch makes
# one step from gradients of zero; the error is that of the held-out examples.
# One example x = 1, and a model w x with w = 0: the gradient of (1 - w)^2 is -2 (1 - w). With a
# learning rate of 1/4 each epoch halves 1 - w. The held-out x = 2 has the error (2 - 2 w)^2.
line = nn.Linear(1, 1, bias=False)
nn.init.zeros_(line.weight)
optimizer = torch.optim.SGD(line.parameters(), lr=1 / 4)
errors = train(line, optimizer, torch.tensor([[1.0]]), torch.tensor([[2.0]]), 3, 1, seeded(0))
assert agrees(line.weight, [[0.875]]), f"expected w = 0.875, got {line.weight.item():g}"
assert agrees(errors, [1.0, 0.25, 0.0625]), f"expected 1, 1/4, 1/16, got {shown(errors)}"
assert not torch.as_tensor(errors).requires_grad, "the errors still carry gradient history"


order = order_taken(train, 1)
assert sorted(order[:20]) == list(range(20)), "an epoch takes each of the 20 examples once"
assert order[:20] != sorted(order[:20]), "the examples come in their old order"
assert order[:20] != order[20:], "both epochs have the same order"
assert order_taken(train, 1) == order, (
    "the same seed gave two orders: use the generator you are given"
)
assert order_taken(train, 2) != order, (
    "two seeds gave the same order: use the generator you are given"
)
### BEGIN HIDDEN TESTS
seed, other = (int(number) for number in draw.integers(2**31, size=2))
order = order_taken(train, seed)
probe(once=[sorted(order[:20]), sorted(order[20:])], shuffled=order[:20] != sorted(order[:20]))
probe(anew=order[:20] != order[20:], seeded=order_taken(train, other) != order)
# Whoever draws the order from torch's own numbers gets another one the second time.
probe(repeated=order_taken(train, seed) == order)
for n, d, epochs, size in ((8, 3, 3, 3), (5, 2, 2, 9), (4, 1, 2, 1), (6, 4, 3, 6)):
    x, held_out = torch.tensor(draw.normal(size=(2, n, d)))
    kept, start = (x.clone(), held_out.clone()), int(draw.integers(2**31))
    watched, twin = Watched(autoencoder(d, 4, 2, start), x), autoencoder(d, 4, 2, start)
    optimizer = torch.optim.SGD(watched.parameters(), lr=0.03)
    errors = train(watched, optimizer, x, held_out, epochs, size, seeded(seed))
    probe(data_left=torch.equal(x, kept[0]) and torch.equal(held_out, kept[1]))
    probe(history=isinstance(errors, Tensor) and errors.requires_grad)
    probe(batches=[len(batch) for batch in watched.batches])
    # The same steps once more, along the batches that the loop has taken.
    optimizer, again = torch.optim.SGD(twin.parameters(), lr=0.03), []
    for number, batch in enumerate(watched.batches, start=1):
        optimizer.zero_grad()
        (batch - twin(batch)).square().sum(dim=1).mean().backward()
        optimizer.step()
        if number % math.ceil(n / size) == 0:
            again.append((kept[1] - twin(kept[1])).square().sum(dim=1).mean().item())
    pairs = zip(watched.parameters(), twin.parameters())
    probe(off=torch.cat([(one - other).detach().flatten() for one, other in pairs]))
    probe(errors_off=np.array([float(error) for error in errors]) - np.array(again))
### END HIDDEN TESTS

# %% tests="train-held-out" points=0.5
# On examples that lie near a curve, 40 epochs bring the held-out error far below the variance.
t = torch.rand(120, 1, generator=seeded(1)) * 3
curve = torch.cat([t, (2 * t).sin(), (2 * t).cos()], dim=1)
curve = curve + 0.05 * torch.randn(curve.shape, generator=seeded(2))
curve = curve - curve.mean(dim=0)
model = autoencoder(3, 12, 1, seed=3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
errors = train(model, optimizer, curve[:80], curve[80:], 40, 40, seeded(4))
spread = float(curve[80:].square().sum(dim=1).mean())
assert float(errors[-1]) < 0.4 * spread, (
    f"answering with the mean has the error {spread:.2f}; yours is {float(errors[-1]):.2f}, "
    "expected less than 0.4 of that"
)
### BEGIN HIDDEN TESTS
t = torch.tensor(draw.uniform(0, 3, size=(160, 1)))
curve = torch.cat([t, (2 * t).sin(), (2 * t).cos()], dim=1)
curve = curve + 0.05 * torch.tensor(draw.normal(size=(160, 3)))
curve = curve - curve.mean(dim=0)
model = autoencoder(3, 12, 2, int(draw.integers(2**31)))
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
train(model, optimizer, curve[:100], curve[100:], 30, 40, seeded(int(draw.integers(2**31))))
error = (curve[100:] - model(curve[100:])).detach().square().sum(dim=1).mean()
probe(error=error)
### CHECK error: at_most(bound=0.05, times=1.3)
### END HIDDEN TESTS

# %% [markdown] task="threshold" minutes=6 difficulty=2
# ## 5. A threshold for a rate of false alarms
#
# An alarm is raised at $s > t$. Take the scores of $N$ normal examples that no model has seen, and let a new normal score be
# exchangeable with them. If $t$ is the $r$-th largest of the $N$ and there are no ties, the chance of a false alarm is
# $\frac{r}{N + 1}$: the new score takes each of the $N + 1$ ranks equally often. So for a rate of at most $\alpha$ take
#
# $$r = \lfloor \alpha (N + 1) \rfloor .$$
#
# With 99 scores and $\alpha = 5\,\%$ that is the fifth largest. If $r = 0$, there are too few scores to promise so low a rate
# with any of them. Then $t = \infty$: never raise an alarm.
#
# <details><summary>Hint</summary>
#
# $0.29 \cdot 100$ is 29, but a computer says `0.29 * 100 = 28.999999999999996`, and `int` of that is 28. Add a tiny number such
# as 1e-9 before you round down. The largest score has rank 1 and position 0.
#
# </details>


# %% solution="threshold"
# Not allowed here: aelib
def threshold(normal: Tensor, rate: float) -> float:
    """The lowest of the normal scores that promises this rate of false alarms.

    Args:
        normal: the scores of normal examples that no model was trained on, in any order,
            shape (N,).
        rate: the largest rate of false alarms alpha that is accepted, from 0 to below 1.

    Returns:
        The r-th largest score with r = floor(rate (N + 1)), or infinity if r is 0.
    """
    ### BEGIN SOLUTION
    rank = int(rate * (len(normal) + 1) + 1e-9)
    if rank == 0:
        return math.inf
    return float(normal.sort(descending=True).values[rank - 1])
    ### END SOLUTION


# %% tests="threshold-shape" points=0.5
# threshold(normal, rate) is one number, and it is one of the scores.
scores = torch.tensor([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0, 8.0])
t = threshold(scores.clone(), 0.3)
assert torch.as_tensor(t).numel() == 1, "expected one number"
assert (scores == float(t)).any(), f"expected one of the scores, got {float(t):g}"
### BEGIN HIDDEN TESTS
for n, rate in ((9, 0.3), (30, 0.5), (4, 0.25)):
    scores = torch.tensor(draw.normal(size=n))
    t = threshold(scores.clone(), rate)
    probe(numbers=torch.as_tensor(t).numel(), is_a_score=bool((scores == float(t)).any()))
### END HIDDEN TESTS

# %% tests="threshold-values" points=0.5
# With the scores 1, ..., 99 the rate 5% takes the fifth largest, 95. With 1, ..., 10 the rate
# 20% takes rank floor(2.2) = 2, the score 9, and 27% still takes it: floor(2.97) = 2.
scores = torch.arange(1.0, 100.0)[torch.randperm(99, generator=seeded(0))]
kept = scores.clone()
t = float(threshold(scores, 0.05))
assert t == 95, f"1, ..., 99 and 5%: expected 95, got {t:g}"
assert torch.equal(scores, kept), "your function has changed the scores that it was given"
for rate in (0.2, 0.27):
    t = float(threshold(torch.arange(1.0, 11.0), rate))
    assert t == 9, f"1, ..., 10 and {rate:.0%}: expected 9, got {t:g}"
### BEGIN HIDDEN TESTS
for n in (10, 37, 150):
    scores = torch.tensor(draw.normal(size=n))
    untouched = scores.clone()
    for rate in (0.3, 0.62, float(draw.uniform(0.2, 0.9))):
        probe(t=float(threshold(scores, rate)), scores_left=torch.equal(scores, untouched))
tied = torch.tensor(draw.integers(4, size=30)).double()
probe(t=[float(threshold(tied, rate)) for rate in (0.1, 0.4, 0.7)])
### END HIDDEN TESTS

# %% tests="threshold-edges" points=0.5
# Exact ranks come out exactly: 29% of 99 + 1 is rank 29. The largest score has rank 1, and with
# rank 0 the threshold is infinite: 19 scores can promise 5%, 18 cannot.
t = float(threshold(torch.arange(1.0, 100.0), 0.29))
assert t == 71, f"1, ..., 99 and 29%: expected 71, the 29th largest, got {t:g}"
t = float(threshold(torch.arange(1.0, 20.0), 0.05))
assert t == 19, f"1, ..., 19 and 5%: expected 19, the largest, got {t:g}"
t = float(threshold(torch.arange(1.0, 19.0), 0.05))
assert t == math.inf, f"1, ..., 18 and 5%: expected infinity, got {t:g}"
### BEGIN HIDDEN TESTS
scores = torch.tensor(draw.normal(size=99))
for rank in (1, 2, 7, 29, 57, 58, 99):
    probe(t=float(threshold(scores, rank / 100)))
for n, rate in ((8, 0.1), (9, 0.1), (5, 0.0), (1, 0.5), (1, 0.4), (50, 0.0199)):
    probe(never=math.isinf(float(threshold(torch.tensor(draw.normal(size=n)), rate))))
### END HIDDEN TESTS

# %% [markdown] task="auroc" minutes=7 difficulty=3
# ## 6. AUROC, by ranks
#
# The area under the ROC curve is the chance that a random anomaly scores above a random normal example, a tie counting half. With
# $N$ normal and $M$ anomalous scores that is a mean over $N M$ pairs. Ranks need no pairs. Sort all $N + M$ scores together,
# give the smallest the rank 1, and give scores that are equal the *mean* of the ranks that they take up together. Let $R$ be the
# sum of the ranks of the anomalies. Then
#
# $$\text{AUROC} = \frac{1}{N M} \Bigl( R - \frac{M (M + 1)}{2} \Bigr),$$
#
# because an anomaly's rank counts the normal scores below it, the anomalies below it, and itself; and the anomalies among
# themselves take up $1 + 2 + \dots + M$. For example, the scores 2, 5, 5, 7 have the ranks 1, 2.5, 2.5, 4.
#
# <details><summary>Hint</summary>
#
# `both.unique(return_inverse=True, return_counts=True)` gives the different values in ascending order, for each score the
# position of its value among them, and how often each value occurs. A value with `count` scores takes up the ranks up to
# `counts.cumsum(0)`; their mean is `(count - 1) / 2` less than the last one. You may count pairs if you like.
#
# </details>


# %% solution="auroc"
# Not allowed here: aelib, sklearn, scipy, pandas
def auroc(normal: Tensor, anomalous: Tensor) -> float:
    """The chance that an anomaly scores above a normal example, ties counting half.

    Args:
        normal: the scores of normal examples, shape (N,).
        anomalous: the scores of anomalies, shape (M,).

    Returns:
        A number from 0 to 1.
    """
    ### BEGIN SOLUTION
    n, m = len(normal), len(anomalous)
    both = torch.cat([normal, anomalous])
    _, place, counts = both.unique(return_inverse=True, return_counts=True)
    rank = (counts.cumsum(0) - (counts - 1) / 2)[place]
    return float((rank[n:].sum() - m * (m + 1) / 2) / (n * m))
    ### END SOLUTION


# %% tests="auroc-shape" points=0.5
# auroc(normal, anomalous) is one number from 0 to 1: 1 if all anomalies score above all normal
# examples, 0 if all score below.
low, high = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0])
area = auroc(low, high)
assert torch.as_tensor(area).numel() == 1, "expected one number"
assert agrees(float(area), 1.0), f"all anomalies are above: expected 1, got {float(area):g}"
area = auroc(high, low)
assert agrees(float(area), 0.0), f"all anomalies are below: expected 0, got {float(area):g}"
### BEGIN HIDDEN TESTS
for n, m in ((3, 2), (1, 1), (2, 7)):
    low, high = torch.tensor(draw.uniform(size=n)), torch.tensor(draw.uniform(1, 2, size=m))
    one = auroc(low, high)
    probe(numbers=torch.as_tensor(one).numel(), area=float(one))
    probe(area=float(auroc(high, low)))
### END HIDDEN TESTS

# %% tests="auroc-values" points=0.5
# Of the six pairs of 1, 3, 5 with 2, 6 the anomaly is above in four: 2 > 1 and 6 > 1, 3, 5.
area = float(auroc(torch.tensor([5.0, 1.0, 3.0]), torch.tensor([6.0, 2.0])))
assert agrees(area, 4 / 6), f"expected 4/6 = 0.6667, got {area:.4f}"
### BEGIN HIDDEN TESTS
for n, m in ((6, 4), (1, 5), (7, 1), (40, 90)):
    calm, odd = torch.tensor(draw.normal(size=n)), torch.tensor(draw.normal(0.5, size=m))
    kept = calm.clone(), odd.clone()
    probe(area=float(auroc(calm, odd)))
    probe(scores_left=torch.equal(calm, kept[0]) and torch.equal(odd, kept[1]))
### END HIDDEN TESTS

# %% tests="auroc-ties" points=0.5
# A tie counts half: if all scores are equal, the area is 1/2. Of the pairs of 2, 5 with 5, 7
# three are won and one is a tie, 3.5 of 4.
for n, m in ((3, 4), (1, 1)):
    area = float(auroc(torch.ones(n), torch.ones(m)))
    assert agrees(area, 0.5), f"all scores are equal: expected 1/2, got {area:g}"
area = float(auroc(torch.tensor([2.0, 5.0]), torch.tensor([7.0, 5.0])))
assert agrees(area, 3.5 / 4), f"2, 5 and 7, 5: expected 3.5/4 = 0.875, got {area:g}"
### BEGIN HIDDEN TESTS
for n, m in ((6, 4), (1, 5), (9, 2), (30, 50)):
    calm, odd = draw.integers(4, size=n), draw.integers(1, 5, size=m)
    probe(area=float(auroc(torch.tensor(calm).double(), torch.tensor(odd).double())))
### END HIDDEN TESTS

# %% [markdown] task="precision" minutes=4 difficulty=1
# ## 7. How many alarms are real?
#
# The AUROC does not depend on how rare anomalies are. What an operator sees does. Let a share $\pi$ of all examples be
# anomalies, of which the detector finds the share TPR (the true positive rate), and let it raise an alarm at the share FPR of the
# normal ones. By Bayes' rule the precision is
#
# $$\Pr(\text{anomaly} \mid \text{alarm}) = \frac{\pi\, \text{TPR}}{\pi\, \text{TPR} + (1 - \pi)\, \text{FPR}} .$$
#
# <details><summary>Hint</summary>
#
# Imagine 1000 examples. How many of them are anomalies with an alarm, and how many are normal with an alarm?
#
# </details>


# %% solution="precision"
# Not allowed here: aelib, sklearn
def precision(found: Tensor, false_alarms: Tensor, share: Tensor) -> Tensor:
    """Which share of the alarms is real. All tensors have one shape, a case in each place.

    Args:
        found: the share of the anomalies at which there is an alarm (TPR), more than 0.
        false_alarms: the share of the normal examples at which there is one (FPR), more than 0.
        share: the share of the anomalies among all examples, from 0 to 1.

    Returns:
        The share of the anomalies among the alarms, of the same shape.
    """
    ### BEGIN SOLUTION
    real = share * found
    return real / (real + (1 - share) * false_alarms)
    ### END SOLUTION


# %% tests="precision-shape" points=0.5
# precision(found, false_alarms, share) has a number from 0 to 1 in each place; if nothing is an
# anomaly it is 0, if everything is, 1.
real = precision(torch.full((3,), 0.9), torch.full((3,), 0.05), torch.tensor([0.0, 0.5, 1.0]))
assert tuple(real.shape) == (3,), f"three cases: expected shape (3,), got {tuple(real.shape)}"
assert agrees(real[[0, 2]], [0.0, 1.0]), f"expected 0 first and 1 last, got {shown(real)}"
### BEGIN HIDDEN TESTS
for n in (3, 1):
    found, false_alarms = torch.tensor(draw.uniform(0.1, 1, size=(2, n)))
    for share in (0.0, 1.0):
        probe(real=precision(found, false_alarms, torch.full((n,), share)))
### END HIDDEN TESTS

# %% tests="precision-values" points=0.5
# Of 1000 examples 10 are anomalies, and 9 of them are found; of the 990 others 5% are false
# alarms, 49.5. So 9 of 58.5 alarms are real.
one = precision(torch.tensor([0.9]), torch.tensor([0.05]), torch.tensor([0.01]))
assert agrees(one, [9 / 58.5]), f"expected 9/58.5 = 0.1538, got {shown(one)}"
### BEGIN HIDDEN TESTS
for n in (6, 1, 40):
    found, false_alarms, share = torch.tensor(draw.uniform(0.05, 0.95, size=(3, n)))
    probe(real=precision(found, false_alarms, share))
### END HIDDEN TESTS

# %% [markdown] task="quantize" minutes=4 difficulty=2
# ## 8. Round the code
#
# Now the second machine. A code of real numbers has no size in bits. Divide each value of it by a step and round: what is sent
# are whole numbers, the levels. The receiver multiplies them by the step again:
#
# $$\ell_{nj} = \operatorname{round}(z_{nj} / \Delta_j), \qquad \hat z_{nj} = \Delta_j\, \ell_{nj} .$$
#
# Each unit $j$ of the code has a step $\Delta_j$ of its own, and $\hat z$ is off by half a step at most.
#
# <details><summary>Hint</summary>
#
# `.long()` turns numbers into whole numbers (int64). Alone it cuts off toward zero, so that 0.9 becomes 0: round first.
#
# </details>


# %% solution="quantize"
# Not allowed here: aelib
def quantize(z: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Round a code to whole numbers of steps.

    Args:
        z: the codes, shape (N, k).
        steps: the distance between two levels of each unit, more than 0, shape (k,).

    Returns:
        levels: whole numbers of the type int64, shape (N, k).
        z_hat: the code that a receiver makes of them, shape (N, k).
    """
    ### BEGIN SOLUTION
    levels = (z / steps).round().long()
    return levels, levels * steps
    ### END SOLUTION


# %% tests="quantize-shape" points=0.5
# quantize(z, steps) returns a pair (levels, z_hat), both of the shape of z; levels are of the
# type int64.
pair = quantize(torch.ones(4, 3), torch.tensor([0.5, 1.0, 2.0]))
assert is_pair(pair), "return two tensors: levels, z_hat"
for name, part in zip(("levels", "z_hat"), pair):
    assert tuple(part.shape) == (4, 3), (
        f"{name}: expected shape (4, 3), got {tuple(part.shape)}"
    )
assert pair[0].dtype == torch.int64, f"levels: expected the type int64, got {pair[0].dtype}"
### BEGIN HIDDEN TESTS
for n, k in ((4, 3), (1, 1), (2, 5)):
    z, steps = torch.tensor(draw.normal(size=(n, k))), torch.tensor(draw.uniform(1, 2, size=k))
    levels, z_hat = quantize(z, steps)
    probe(levels=levels, z_hat=z_hat, whole=levels.dtype == torch.int64)
### CHECK levels: shape()
### CHECK z_hat: shape()
### END HIDDEN TESTS

# %% tests="quantize-values" points=0.5
# With a step of 1/2 the value 0.9 has the level 2 and comes back as 1; with a step of 2 the
# value -2.8 has the level -1 and comes back as -2.
levels, z_hat = quantize(torch.tensor([[0.9, -2.8], [-0.2, 7.1]]), torch.tensor([0.5, 2.0]))
assert agrees(levels, [[2, -1], [0, 4]]), (
    f"levels: expected [[2, -1], [0, 4]], got {shown(levels)}"
)
assert agrees(z_hat, [[1.0, -2.0], [0.0, 8.0]]), (
    f"z_hat: expected [[1, -2], [0, 8]], got {shown(z_hat)}"
)
### BEGIN HIDDEN TESTS
for n, k in ((6, 3), (1, 4), (4, 4), (5, 1)):
    z = 10 * torch.tensor(draw.normal(size=(n, k)))
    steps, kept = torch.tensor(draw.uniform(0.2, 4, size=k)), z.clone()
    levels, z_hat = quantize(z, steps)
    probe(levels=levels.double(), z_hat=z_hat, z_left=torch.equal(z, kept))
probe(large=quantize(torch.tensor([[3e6, -3e6]]), torch.tensor([0.7, 0.3]))[0].double())
### END HIDDEN TESTS

# %% [markdown] task="entropy_bits" minutes=6 difficulty=2
# ## 9. What levels cost: entropy
#
# Frequent levels get short names. At best, a level that occurs with the frequency $f$ costs $-\log_2 f$ bits, and the mean over
# all examples is the entropy of the frequencies, for each unit $j$ of the code
#
# $$H_j = -\sum_{\ell} f_{j \ell} \log_2 f_{j \ell}, \qquad
# f_{j \ell} = \frac{1}{N} \#\{n : \ell_{nj} = \ell\},$$
#
# where the sum goes over the levels that occur. A unit with one level only costs nothing.
#
# <details><summary>Hint</summary>
#
# `column.unique(return_counts=True)` gives the levels that occur in a column and how often each does. Levels may be negative,
# and between two of them may be gaps; $0 \log 0$ would be no number.
#
# </details>


# %% solution="entropy_bits"
# Not allowed here: aelib, scipy, sklearn, torch.distributions
def entropy_bits(levels: Tensor) -> Tensor:
    """The entropy of each unit of a rounded code.

    Args:
        levels: whole numbers, one example a row, shape (N, k).

    Returns:
        The bits for each unit, as a mean over the examples, shape (k,).
    """
    ### BEGIN SOLUTION
    bits = []
    for unit in levels.T:
        shares = unit.unique(return_counts=True)[1] / len(unit)
        bits.append(-(shares * shares.log2()).sum())
    return torch.stack(bits)
    ### END SOLUTION


# %% tests="entropy_bits-shape" points=0.5
# entropy_bits(levels) has one number for each unit, and a unit that is always the same costs 0.
bits = entropy_bits(torch.tensor([[3, -1, 0], [3, 4, 0], [3, 9, 0], [3, 4, 1]]))
assert tuple(bits.shape) == (3,), f"three units: expected shape (3,), got {tuple(bits.shape)}"
assert agrees(bits[0], 0.0), f"the first unit is always 3: expected 0 bits, got {bits[0]:g}"
### BEGIN HIDDEN TESTS
for n, k in ((4, 3), (1, 2), (5, 1)):
    bits = entropy_bits(torch.full((n, k), int(draw.integers(-5, 5))))
    probe(bits=bits)
### END HIDDEN TESTS

# %% tests="entropy_bits-values" points=0.5
# Two levels, equally often, cost 1 bit; four cost 2 bits; frequencies of 1/2, 1/4 and 1/4 cost
# 1.5 bits.
levels = torch.tensor([[0, -7, 5], [0, 1, 5], [1, 2, -4], [1, 90, 0]])
bits = entropy_bits(levels)
assert agrees(bits, [1.0, 2.0, 1.5]), f"expected 1, 2 and 1.5 bits, got {shown(bits)}"
### BEGIN HIDDEN TESTS
for n, k in ((30, 3), (4, 6), (200, 1), (7, 7)):
    levels = torch.tensor(np.round(2 * draw.normal(size=(n, k)))).long() * 3
    kept = levels.clone()
    probe(bits=entropy_bits(levels), levels_left=torch.equal(levels, kept))
### END HIDDEN TESTS

# %% [markdown] task="rate_point" minutes=7 difficulty=3
# ## 10. A point on the rate-distortion curve
#
# One step $\Delta$ for all units gives one point of the curve: how many bits for each value of the *data*, and how large an
# error. Round the code to levels $\ell = \operatorname{round}(z / \Delta)$; let a coder say how many bits all the levels take
# together; decode what the receiver has, $\Delta\, \ell$. With the total number $n_x$ of values in $x$ ($N$ times the values of
# an example),
#
# $$\text{rate} = \frac{\text{bits of all levels}}{n_x}, \qquad
# \text{distortion} = \frac{1}{n_x} \sum_{\text{all values}} (x - \hat x)^2 .$$
#
# The examples may be vectors or images: $x$ has the shape (N, ...).
#
# <details><summary>Hint</summary>
#
# `x.numel()` is the number of values in `x`. The coder wants whole numbers (int64), and the decoder wants codes on their own
# scale.
#
# </details>


# %% solution="rate_point"
# Not allowed here: aelib
def rate_point(x: Tensor, z: Tensor, decode, step: float, coder) -> tuple[float, float]:
    """What a rounded code costs, and what it is worth.

    Args:
        x: the examples, of shape (N, ...).
        z: their codes before rounding, shape (N, k).
        decode: from codes (N, k) to reconstructions of the shape of x.
        step: the distance between two levels, more than 0.
        coder: from levels, int64 of shape (N, k), to the number of bits that all of them take.
            Call it once.

    Returns:
        rate: bits for each value of x.
        distortion: the mean of the squared errors over all values of x.
    """
    ### BEGIN SOLUTION
    levels = (z / step).round().long()
    x_hat = decode(levels * step)
    return coder(levels) / x.numel(), float((x - x_hat).square().mean())
    ### END SOLUTION


# %% tests="rate_point-shape" points=0.5
# rate_point(x, z, decode, step, coder) returns two numbers (rate, distortion); the coder gets
# whole numbers of the type int64.
seen = []
pair = rate_point(
    torch.ones(2, 4),
    torch.ones(2, 3),
    lambda z: torch.ones(2, 4),
    0.5,
    lambda v: seen.append(v) or 16,
)
assert is_pair(pair), "return two numbers: rate, distortion"
assert torch.as_tensor(pair[0]).numel() == 1, "rate: expected one number"
assert torch.as_tensor(pair[1]).numel() == 1, "distortion: expected one number"
assert [v.dtype for v in seen] == [torch.int64], "call the coder once, with int64"
### BEGIN HIDDEN TESTS
for shape, k in (((2, 4), 3), ((3, 1, 2, 2), 2)):
    x, given = torch.tensor(draw.normal(size=shape)), []
    z = torch.tensor(draw.normal(size=(shape[0], k)))
    rate, distortion = rate_point(
        x, z, lambda v, x=x: 0 * x, 0.5, lambda v, given=given: given.append(v) or 8
    )
    probe(rate=torch.as_tensor(rate).numel(), distortion=torch.as_tensor(distortion).numel())
    probe(calls=len(given), whole=given[0].dtype == torch.int64)
### END HIDDEN TESTS

# %% tests="rate_point-rate" points=0.5
# The rate counts bits for each value of x: 16 bits for 2 examples with 4 values are 2 bits per
# value, however long the code is. The coder gets the levels themselves.
seen = []
rate, _ = rate_point(
    torch.ones(2, 4),
    torch.tensor([[0.9, -0.2, 1.6], [2.1, 0.1, -0.6]]),
    lambda z: torch.ones(2, 4),
    0.5,
    lambda levels: seen.append(levels) or 16,
)
assert agrees(float(rate), 2.0), f"expected 16/8 = 2 bits per value, got {float(rate):g}"
assert agrees(seen[0], [[2, 0, 3], [4, 0, -1]]), (
    f"step 1/2: expected the levels [[2, 0, 3], [4, 0, -1]], the coder got {shown(seen[0])}"
)
### BEGIN HIDDEN TESTS
for shape, k in (((5, 4), 2), ((1, 3), 3), ((3, 1, 2, 2), 6)):
    x, z = (
        torch.tensor(draw.normal(size=shape)),
        3 * torch.tensor(draw.normal(size=(shape[0], k))),
    )
    weight = torch.tensor(draw.uniform(1, 2, size=(shape[0], k)))

    def made_up(levels, weight=weight):
        return float(40 + (weight * levels).sum())

    for step in (0.3, 1.7):
        probe(rate=float(rate_point(x, z, lambda v, x=x: 0 * x, step, made_up)[0]))
### END HIDDEN TESTS

# %% tests="rate_point-distortion" points=0.5
# The decoder gets the rounded code on its own scale, 0.9 as 1 with a step of 1/2. The
# distortion is the mean of the squared errors over all values: here of 0.1, 0.2, 0.1, 0.1.
z = torch.tensor([[0.9, -0.2], [1.6, 2.1]])
_, distortion = rate_point(z, z, lambda v: v, 0.5, lambda levels: 8)
assert agrees(float(distortion), 0.07 / 4), (
    f"expected (0.01 + 0.04 + 0.01 + 0.01) / 4 = 0.0175, got {float(distortion):g}"
)
### BEGIN HIDDEN TESTS
for shape, k in (((5, 4), 2), ((1, 3), 3), ((3, 1, 2, 2), 6)):
    x, z = (
        torch.tensor(draw.normal(size=shape)),
        3 * torch.tensor(draw.normal(size=(shape[0], k))),
    )
    matrix, kept = torch.tensor(draw.normal(size=(k, x[0].numel()))), (x.clone(), z.clone())
    for step in (0.3, 1.7):
        point = rate_point(
            x, z, lambda v, x=x, matrix=matrix: (v @ matrix).reshape(x.shape), step, lambda v: 8
        )
        probe(distortion=float(point[1]))
    probe(data_left=torch.equal(x, kept[0]) and torch.equal(z, kept[1]))
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together: a watch on the sea
#
# The series has the monthly mean temperature of the sea off Peru, from 1950 to 2010. The first thirty years are for training, the
# next ten for the threshold, and the rest for the test. Two faults are made by hand: a *spike* of two standard deviations in one
# month of a window, and a sensor that reads 1.5 standard deviations *too warm* all the time. This part is worth no points;
# change it as you like, except for the next cell: the first report needs it.

# %% locked="faults"
from statsmodels.datasets import elnino

table = elnino.load_pandas().data.drop(columns="YEAR")  # a row for each year from 1950 on
celsius = torch.tensor(table.to_numpy()).flatten()


def faulty(x: Tensor) -> dict[str, Tensor]:
    """Copies of standardized windows with two faults of the sensor."""
    spike = x.clone()
    month = torch.randint(x.shape[1], (len(x),), generator=seeded(0))
    spike[torch.arange(len(x)), month] += 2.0
    return {"spike": spike, "too warm": x + 1.5}


# %%
sea = standardize(celsius, 360, 12)
past, later = windows(sea, 24, 360)
calibration, test = windows(sea[360:], 24, 120)

model = autoencoder(24, 32, 4, seed=0)
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
errors = train(model, optimizer, past, calibration, 60, 32, seeded(1))
print(f"held-out error after 1 and 60 epochs: {float(errors[0]):.2f}, {float(errors[-1]):.2f}")

rest = pca_scores(past, past, 4)[0].mean() / (24 - 4)  # the variance in each dropped direction


def both_halves(x):
    """The two scores of PCA, added up as probabilistic PCA does."""
    off, along = pca_scores(past, x, 4)
    return off / rest + along


detectors = {
    "PCA, off the plane": lambda x: pca_scores(past, x, 4)[0],
    "PCA, both halves": both_halves,
    "autoencoder": lambda x: (x - model(x)).detach().square().sum(dim=1),
}
areas = {}
print("                         AUROC          at the threshold         if 1% are faulty,")
print("                    spike  too warm    spikes  false alarms   share of real alarms")
for name, score in detectors.items():
    t, faults = threshold(score(calibration), 0.05), faulty(test)
    areas[name] = [float(auroc(score(test), score(x))) for x in faults.values()]
    false_alarms = (score(test) > t).double().mean()
    found = (score(faults["spike"]) > t).double().mean()
    tiny = 1e-9  # a share may be 0
    one = precision(found + tiny, false_alarms + tiny, torch.tensor(0.01))
    print(f"{name:18} {areas[name][0]:6.2f} {areas[name][1]:9.2f}", end=" ")
    print(f"{found:9.0%} {false_alarms:13.0%} {float(one):22.0%}")

viz.use_style()
figure, (left, right) = plt.subplots(1, 2, figsize=(7.8, 3.0), width_ratios=[1.7, 1])
years = 1990 + (torch.arange(len(test)) + 24) / 12
left.plot(years, both_halves(test), color="0.3", label="intact windows")
spikes = both_halves(faulty(test)["spike"])
left.plot(years, spikes, ".", markersize=4, color="C3", label="with a spike")
t = threshold(both_halves(calibration), 0.05)
left.axhline(t, color="black", linestyle="--", linewidth=1.2, label="threshold")
left.set_xticks(range(1992, 2011, 3))
left.set(yscale="log", ylim=(3, 150), xlabel="end of the window", ylabel="score, both halves")
left.set_yticks([5, 10, 20, 50, 100], [5, 10, 20, 50, 100])
left.minorticks_off()
left.legend(fontsize=8, loc="lower right")
for shift, marker, (name, values) in zip((0.12, 0, -0.12), "o^s", areas.items()):
    right.plot(values, [1 + shift, shift], marker, label=name)
right.set_yticks([1, 0], ["spike", "too warm"])
right.set(xlabel="AUROC", xlim=(0.5, 1), ylim=(-0.5, 1.5))
right.legend(fontsize=8, loc="center left")
plt.show()

# %% [markdown] locked="together-digits"
# ## Put it together: digits as bytes
#
# 1,400 digits of 8 by 8 pixels train a PCA and an autoencoder; 397 others are coded into bytes. The real file is larger than the
# entropy says: it holds a table of frequencies for each unit as well, and only 397 digits share the tables.

# %%
train_digits, test_digits = data.digits().split(num_test=397, seed=0)
x, x_test = train_digits.flat().double(), test_digits.flat().double()
mean = x.mean(dim=0)
U = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x)).eigenvectors.flip(1)
model = autoencoder(64, 64, 8, seed=0)
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
train(model, optimizer, x, x_test, 60, 50, seeded(1))
codecs = {
    "PCA, 64 values": ((x_test - mean) @ U, lambda z: z @ U.T + mean),
    "PCA, 8 values": ((x_test - mean) @ U[:, :8], lambda z: z @ U[:, :8].T + mean),
    "autoencoder, 8 values": (model[0](x_test).detach(), lambda z: model[1](z).detach()),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(7.8, 3.0), width_ratios=[1.2, 1])
rows = [x_test[:6]]
for name, (z, decode) in codecs.items():
    spread = float(z[:, :8].std())
    steps = [spread * part for part in (2.0, 1.5, 1.0, 0.7, 0.5, 0.35, 0.25)]
    points = [rate_point(x_test, z, decode, step, coded_bits) for step in steps]
    left.plot([float(r) for r, _ in points], [float(d) for _, d in points], "o-", label=name)
    levels, z_hat = quantize(z, torch.full((z.shape[1],), steps[2]))
    entropy = float(entropy_bits(levels).sum()) / 64
    in_file = float(points[2][0])
    print(f"{name:22} {entropy:.3f} bits per pixel by entropy, {in_file:.3f} in a file")
    rows.append(decode(z_hat)[:6])
left.set(xlabel="bits per pixel", ylabel="mean squared error", yscale="log")
left.set_yticks([0.002, 0.005, 0.01, 0.02, 0.05, 0.1], [0.002, 0.005, 0.01, 0.02, 0.05, 0.1])
left.minorticks_off()
left.legend(fontsize=8)
viz.image_grid(right, torch.cat(rows).reshape(-1, 1, 8, 8).float().clamp(0, 1), columns=6)
right.set_yticks(
    [9 * row + 4 for row in range(4)], ["original", "PCA, 64", "PCA, 8", "autoencoder"]
)
right.tick_params(length=0)
right.set_title("step: one standard deviation", fontsize=9)
plt.show()

# %% [markdown] locked="watch"
# ## A watch on the sea, measured
#
# The next cell needs none of your functions, only the cell above that begins with `from statsmodels`. It scores windows of 24
# months with PCA of four values, as in task 3: *off* the plane, *along* it, and *both* as probabilistic PCA adds them up. It
# prints the AUROC for the two faults, and then what two thresholds for 5 % of false alarms do on the test windows, with the
# score *both*: one from the windows that PCA was fitted to, one from those of the eighties. Run it and read on.

# %% locked="watch-measured"
from aelib.metrics import auroc as area_under_roc
from aelib.metrics import rates_at, squared_error, threshold_at
from aelib.models import LinearAE

by_month = (table - table[:30].mean()).to_numpy()
values = torch.from_numpy(by_month / np.sqrt((by_month[:30] ** 2).mean())).flatten()
fitted, eighties, recent = (
    values[a:b].unfold(0, 24, 1) for a, b in ((0, 360), (360, 480), (480, len(values)))
)
linear = LinearAE((24,), 4)
linear.fit_closed_form(fitted)
linear.requires_grad_(False)
code_variances = linear.encode(fitted).var(dim=0, correction=0)
noise_variance = squared_error(fitted, linear(fitted).x_hat).mean() / 20


def sea_scores(x: Tensor) -> dict[str, Tensor]:
    """The three scores of PCA."""
    off = squared_error(x, linear(x).x_hat)
    along = (linear.encode(x).square() / code_variances).sum(dim=1)
    return {"off": off, "along": along, "both": off / noise_variance + along}


intact, faults = sea_scores(recent), faulty(recent)
print(
    f"{len(fitted)} windows fitted, {len(eighties)} of the eighties, {len(recent)} for the test"
)
print("AUROC         " + "".join(f"{score:>8}" for score in intact))
for fault, x in faults.items():
    found = {name: area_under_roc(intact[name], value) for name, value in sea_scores(x).items()}
    print(f"{fault:14}" + "".join(f"{value:8.2f}" for value in found.values()))
for name, x in (("fitted windows", fitted), ("the eighties", eighties)):
    scores = sea_scores(x)["both"]
    rank = int(0.05 * (len(scores) + 1))
    t = threshold_at(scores, (rank - 1) / len(scores))
    rates = rates_at(t, intact["both"], sea_scores(faults["spike"])["both"])
    print(f"threshold from {name:15} {rates.false_positive:6.1%} false alarms,", end=" ")
    print(f"{rates.true_positive:6.1%} of the spikes found")

# %% [markdown] task="watch" minutes=14 difficulty=4
# ## 11. Report: would you let it watch?
#
# The watch shall be installed. Write a report of eight to twelve sentences or formulas, with numbers from the cell above:
#
# 1. Which fault does *off* find better, and which one *along*? Explain both with the two halves of the score, and say why a
#    constant added to all 24 months lies mostly along the plane of this PCA. Why is *both* not the best for every fault?
# 2. Compare the two thresholds with the 5 % that were planned. Why do the windows that PCA was fitted to give a wrong threshold,
#    and why do windows of the eighties not guarantee 5 % either? Name the assumption of the theorem in task 5, and what breaks
#    it here.
# 3. One window in a thousand has a fault. With the threshold from the eighties, and spikes as the faults, how many of the alarms
#    are real? Say what you would tell the person who asked for the watch, and one change that would help more than a better
#    network.

# %% [markdown] answer="watch-why" points=3
# 1. *Off* finds the spike (0.82) and is weaker on the sensor that is too warm (0.64); *along* finds the warm one (0.90) and
#    hardly sees the spike (0.54). Neighboring months are alike, so the components of largest variance are slow waves over the
#    window, and a constant is the slowest of all: four slow waves rebuild it nearly whole (98 % of its squared length). It moves
#    the code and stays near the plane, so $\lVert x - \hat x \rVert^2$ grows little and $\sum z_i^2 / \lambda_i$ much. A spike
#    is spread over all directions; the four that are kept hold about a sixth of its squared length, which is small against
#    their large $\lambda_i$, and the rest is left over as error. *Both* (0.81 and 0.85) has no blind spot, but for each fault
#    one of its halves brings the fluctuations of normal windows and hardly any signal. It is the right sum for anomalies that
#    could be anywhere, and not for one kind.
# 2. Planned were 5 %. With the fitted windows it is 25 %, with the eighties 1.3 %. PCA was fitted to the first windows, so their
#    scores are smaller than those of new windows of the same years would be, and the threshold is too low. (Besides, the sea of
#    the test years is harder to rebuild.) The theorem needs scores that are exchangeable with the new ones. Those of the eighties
#    are not: neighbors share all months but one, so 97 windows hold about as much as five that do not overlap; and the sea
#    changes from decade to decade. The eighties have the strong El Niño of 1982 and 1983 in them, whose windows take up the top
#    ranks, and so the threshold is too high. From the windows of 1984 to 1989 alone it would be far too low: 86 % false alarms.
# 3. $\Pr = 0.001 \cdot 0.175 / (0.001 \cdot 0.175 + 0.999 \cdot 0.013) = 0.013$: about one alarm in 75 is real, and five of six
#    spikes are missed. I would say: as it is, do not install it; nearly every alarm will be the weather (El Niño is unusual and
#    not wrong), and nobody will look at the alarms for long. What helps is another source of knowledge: compare with a second
#    sensor nearby, which sees the same El Niño and not the same fault; or score forecasts of the next month, for which a spike
#    is a surprise.
#
# **Rubric** (1 point each; numbers to two digits are enough)
#
# - Spike off and warm along, with both halves as the reason (half a point). Slow components rebuild a constant (no number is
#   asked for), and the sum dilutes each half with the noise of the other (half a point).
# - 25 % and 1.3 %, and the fitted windows' errors are too small because PCA has seen them (half a point). Exchangeability is
#   named, and overlap or the change of the years breaks it (half a point). "Too few windows" alone is not enough.
# - Precision of 1 to 1.5 %, with Bayes' rule (half a point). A clear advice, and a change that brings in knowledge or
#   changes the question: a second sensor, forecasts, longer series without overlap for the threshold, alarms in a row (half a
#   point). "More training" or "a larger network" earns nothing.

# %% [markdown] locked="codec"
# ## Digits as bytes, measured
#
# The next cell needs none of your functions either. Three codecs are fitted to 1,400 digits and code 397 others: PCA with all 64
# values, PCA with 8, and an autoencoder with 8. For each of them it prints the error *without rounding*, the number of weights
# that the decoder needs, and then pairs of bits per pixel and mean squared error, with a step that is halved each time.

# %% locked="codec-measured"
from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.metrics import mean_squared_error, rate_distortion
from aelib.models import VanillaAE
from aelib.nets import MLP
from aelib.training import fit

train_digits, test_digits = data.digits().split(num_test=397, seed=0)
x, x_test = train_digits.flat().double(), test_digits.flat().double()
torch.manual_seed(0)
network = VanillaAE(MLP((64,), (64,), (8,)), MLP((8,), (64,), (64,)), Gaussian())
fit(network, x, TrainConfig(epochs=80, batch_size=50, lr=3e-3), progress=False, device="cpu")
network.requires_grad_(False)
middle = x.mean(dim=0)
axes = torch.linalg.svd(x - middle).Vh


def linear_codec(k: int) -> tuple:
    """Encoder, decoder, and the number of the decoder's weights, of PCA with k values."""
    kept = axes[:k]
    return lambda v: (v - middle) @ kept.T, lambda z: z @ kept + middle, kept.numel() + 64


weights = sum(parameter.numel() for parameter in network.decoder.parameters())
for name, (encode, decode, size) in {
    "PCA, 64 values": linear_codec(64),
    "PCA, 8 values": linear_codec(8),
    "autoencoder, 8 values": (network.encode, network.decode, weights),
}.items():
    z = encode(x_test)
    error = mean_squared_error(x_test, decode(z))
    print(f"{name}: {size} weights in the decoder; error without rounding {error:.4f}")
    unit = float(z[:, :8].std())
    for point in rate_distortion(
        x_test, z, decode, [unit * 2.0**p for p in (1, 0, -1, -2, -3)]
    ):
        print(f"    {point.bits_per_value:6.3f} bits per pixel    error {point.mse:.4f}")

# %% [markdown] task="codec" minutes=14 difficulty=4
# ## 12. Report: which codec would you send?
#
# Digits shall be sent over a slow line. In the original a pixel is one of 17 gray levels, $\log_2 17 \approx 4.1$ bits. Write a
# report of eight to twelve sentences or formulas, with numbers from the cell above:
#
# 1. A colleague says: "64 pixels become 8 numbers, so we compress by a factor of 8." What is wrong with this? By what factor do
#    PCA with 8 values and the autoencoder really compress? Choose one point of each, and state its error beside the factor.
# 2. Look at what halving the step does. By how much should the rate rise for each codec, in bits per pixel, and does it? Why does
#    the error of two codecs stop falling, and where? Which codec would you take if errors had to be below 0.005?
# 3. Compare PCA with 8 values and the autoencoder at the same error; a straight line between two printed points will do. How many
#    bits does the autoencoder save for a digit? Each decoder must be sent as well, with 4 bytes for each weight. From how many
#    digits on is the autoencoder cheaper?

# %% [markdown] answer="codec-why" points=3
# 1. A real number has no size: eight 32-bit floats are 256 bits, 4 bits per pixel, and $\log_2 17 = 4.1$ are there already in the
#    original. Only a rounded code has a size, and it depends on the step. PCA with 8 values compresses by $4.1 / 0.295 = 14$ with
#    an error of 0.028; the autoencoder by $4.1 / 0.254 = 16$ with 0.030. Dimensions do not say it: PCA with 64 values, which
#    saves no dimension at all, compresses by 5 at 0.782 bits with an error of 0.017.
# 2. Half the step is one more bit for each value of the code: $8/64 = 0.125$ bits per pixel for codes of 8 values, and
#    $64/64 = 1$ for 64. For PCA with 8 values it is 0.12 at first and 0.21 at last, for the autoencoder 0.10 and 0.19: finer
#    levels make larger tables, which only 397 digits share. For PCA with 64 it is 0.4 at first, because most values are still
#    rounded to 0 while the step is large, and 1.0 at last, tables included. The errors of the two short codes stop at 0.024 and
#    0.015, which is what they leave without rounding: what 8 values cannot say, bits do not buy. Below 0.005 only PCA with 64
#    values can be had, for a little more than 1.431 bits per pixel, where its error is 0.0056.
# 3. PCA has the error 0.0251 at 0.430 bits. The autoencoder's points 0.254 (0.0301) and 0.383 (0.0189) give, on a straight line
#    between them, about 0.31 bits for this error. It saves 0.12 bits per pixel, or 7.6 bits for a digit. The decoders weigh
#    $4736 \cdot 32 = 151{,}552$ and $576 \cdot 32 = 18{,}432$ bits. The difference of 133,120 bits is saved after about 17,500
#    digits; for 397 PCA is cheaper. If both sides have the decoders already, the autoencoder wins from the first digit on.
#
# **Rubric** (1 point each; other points of the curves are as good)
#
# - Floats have no size before rounding, or count 32 bits each (half a point). Two factors from $4.1 / \text{rate}$, with their
#   errors (half a point); a factor without its error says nothing and earns nothing.
# - $k/64$ bits for each halving, compared with the numbers (half a point; a reason for the difference is not asked for more than
#   once: tables, or components that are rounded to 0). The floor is the error without rounding, and PCA with 64 values for
#   0.005 (half a point).
# - Bits saved at about equal errors, 5 to 9 for a digit at the error 0.025; or correct for the points chosen (half a point). The
#   *difference* of the decoders divided by it, about 15,000 to 30,000 digits, or what follows from the points chosen (half a
#   point; a quarter if nothing is wrong but that PCA's decoder is taken for free).
