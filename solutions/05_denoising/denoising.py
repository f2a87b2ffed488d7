# %% [markdown] locked="intro"
# # Denoising autoencoders
#
# You damage examples in three ways, train a network to repair them, and compare it with repairs that have a closed form: the
# best matrix for Gaussian and for masking noise, and the best denoiser of all for data whose density is known. On the way a
# denoiser turns into arrows that point to where data are dense. At the end all of it works on handwritten digits.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top says
#   what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points.
# - Data are tensors with one example a row: `x` has shape (N, d), and `x_tilde` is a corrupted `x`. Numbers must agree to
#   0.000001, relative or absolute. Functions return tensors.
# - Where a function takes a `generator`, all its randomness comes from there: `torch.randn(x.shape, generator=generator)`. Then
#   the same seed gives the same noise again, and nobody else's random numbers change. What is tested is how your noise is
#   distributed, not its single values. No function changes the `x` that it is given.
# - You may use anything in torch and numpy, but what a task asks for cannot be imported: where a line above the function says
#   `Not allowed here`, code that uses one of these names earns nothing in that task. Comparing with them in a cell of your own
#   is fine.
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

# All numbers in this notebook are float64, also those that you make with torch.zeros.
torch.set_default_dtype(torch.float64)


def seeded(seed: int) -> torch.Generator:
    """A source of random numbers that gives the same ones again for the same seed."""
    return torch.Generator().manual_seed(seed)


def second_moment(seed: int, d: int) -> Tensor:
    """A random symmetric matrix of shape (d, d) whose eigenvalues are all positive."""
    points = torch.randn(3 * d, d, generator=seeded(seed))
    return points.T @ points / len(points)


def network(d: int, hidden: int, seed: int) -> nn.Sequential:
    """A small denoiser with random weights, from d values to d values."""
    r = nn.Sequential(nn.Linear(d, hidden), nn.Tanh(), nn.Linear(hidden, d))
    generator = seeded(seed)
    for parameter in r.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return r


def agrees(answer, expected) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and agree to 0.000001."""
    a, b = torch.as_tensor(answer).detach().double(), torch.as_tensor(expected).double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-6, atol=1e-6)


def shown(answer) -> str:
    """The numbers of a tensor, rounded and on a line of their own, for a message."""
    return "\n" + str(np.round(torch.as_tensor(answer).detach().numpy(), 4))


# %% [markdown] task="gaussian_noise" minutes=4 difficulty=1
# ## 1. Gaussian noise
#
# Every value gets noise of its own, with mean 0 and standard deviation $\sigma$:
#
# $$\tilde x = x + \sigma \varepsilon, \qquad \varepsilon \sim \mathcal N(0, I) .$$
#
# <details><summary>Hint</summary>
#
# `torch.randn(x.shape, generator=generator)` draws one number from $\mathcal N(0, 1)$ for each value of `x`.
#
# </details>


# %% solution="gaussian_noise"
# Not allowed here: aelib
def gaussian_noise(x: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    """Add independent Gaussian noise to each value.

    Args:
        x: the examples, of any shape.
        sigma: the standard deviation of the noise, at least 0.
        generator: where all randomness comes from.

    Returns:
        x_tilde, of the shape of x. It is drawn anew at every call.
    """
    ### BEGIN SOLUTION
    return x + sigma * torch.randn(x.shape, generator=generator)
    ### END SOLUTION


# %% tests="gaussian_noise-shape" points=0.5
# gaussian_noise(x, sigma, generator) has the shape of x, and sigma = 0 changes nothing.
for shape in ((5, 3), (2, 1, 4, 4)):
    x_tilde = gaussian_noise(torch.ones(shape), 0.5, seeded(0))
    assert tuple(x_tilde.shape) == shape, f"expected shape {shape}, got {tuple(x_tilde.shape)}"
x_tilde = gaussian_noise(torch.ones(5, 3), 0.0, seeded(0))
assert agrees(x_tilde, torch.ones(5, 3)), (
    f"without noise all stays 1, yours are {shown(x_tilde)}"
)
### BEGIN HIDDEN TESTS
for shape in ((4, 3), (1, 1), (2, 1, 3, 3)):
    x = torch.tensor(draw.normal(size=shape))
    probe(x_tilde=gaussian_noise(x, 0.7, seeded(int(draw.integers(2**31)))))
    probe(nothing=gaussian_noise(x, 0.0, seeded(int(draw.integers(2**31)))))
### CHECK x_tilde: shape()
### END HIDDEN TESTS

# %% tests="gaussian_noise-values" points=0.5
# The noise has mean 0 and standard deviation sigma, each value has its own, all of it comes
# from the generator, and x stays as it was.
x = torch.full((400, 50), 3.0)
generator = seeded(1)
x_tilde = gaussian_noise(x, 0.2, generator)
assert agrees(x, torch.full((400, 50), 3.0)), (
    "your function has changed the x that it was given"
)
noise = x_tilde.detach() - 3.0
assert abs(float(noise.mean())) < 0.02, (
    f"mean of the noise: expected about 0, got {noise.mean():.3f}"
)
assert 0.18 < float(noise.std()) < 0.22, (
    f"sigma = 0.2: expected a standard deviation of about 0.2, got {noise.std():.3f}"
)
assert len(torch.unique(x_tilde)) == x.numel(), (
    "some values got the same noise; draw one for each"
)
again = gaussian_noise(x, 0.2, generator)
assert not agrees(again, x_tilde), "the second call gave the same noise as the first"
repeated = gaussian_noise(x, 0.2, seeded(1))
assert agrees(repeated, x_tilde), "the same seed gave other noise; is all of it from generator?"
### BEGIN HIDDEN TESTS
for sigma in (0.1, 3.0):
    seed = int(draw.integers(2**31))
    x = torch.tensor(draw.normal(size=(500, 40)))
    kept, state, generator = x.clone(), torch.get_rng_state(), seeded(seed)
    x_tilde = gaussian_noise(x, sigma, generator)
    anew = gaussian_noise(kept.clone(), sigma, generator)
    repeated = gaussian_noise(kept.clone(), sigma, seeded(seed))
    u = (x_tilde - kept) / sigma
    probe(
        mean=u.mean(), length=u.abs().mean(), square=u.square().mean(), fourth=u.pow(4).mean()
    )
    probe(x_left=torch.equal(x, kept), others_left=torch.equal(state, torch.get_rng_state()))
    probe(anew=not torch.equal(anew, x_tilde), repeated=torch.equal(repeated, x_tilde))
    alike = gaussian_noise(torch.full((30, 7), float(draw.normal())), sigma, seeded(seed))
    probe(values=len(torch.unique(alike)))
### CHECK mean: close(rtol=0, atol=0.06)
### CHECK length: close(rtol=0, atol=0.04)
### CHECK square: close(rtol=0, atol=0.1)
### CHECK fourth: close(rtol=0, atol=0.7)
### END HIDDEN TESTS

# %% [markdown] task="masking_noise" minutes=5 difficulty=1
# ## 2. Masking noise
#
# Each value is set to zero with probability $p$, independently of all others, and stays *as it was* otherwise:
#
# $$\tilde x_i = m_i x_i, \qquad
# m_i = \begin{cases} 0 & \text{with probability } p, \\ 1 & \text{with probability } q = 1 - p. \end{cases}$$
#
# What stays is not divided by $q$, as dropout does: this is damage to undo, and not a layer of a network.
#
# <details><summary>Hint</summary>
#
# `torch.bernoulli(probabilities, generator=generator)` is 1 with the probability that stands in that place, else 0. Or compare
# `torch.rand(x.shape, generator=generator)` with a number.
#
# </details>


# %% solution="masking_noise"
# Not allowed here: aelib
def masking_noise(x: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """Set each value to zero with probability p.

    Args:
        x: the examples, of any shape.
        p: the probability that a value is set to zero, from 0 to 1, both included.
        generator: where all randomness comes from.

    Returns:
        x_tilde, of the shape of x. It is drawn anew at every call.
    """
    ### BEGIN SOLUTION
    return x * torch.bernoulli(torch.full_like(x, 1 - p), generator=generator)
    ### END SOLUTION


# %% tests="masking_noise-shape" points=0.5
# masking_noise(x, p, generator) has the shape of x; p = 0 masks nothing, p = 1 everything.
for shape in ((5, 3), (2, 1, 4, 4)):
    x_tilde = masking_noise(torch.ones(shape), 0.5, seeded(0))
    assert tuple(x_tilde.shape) == shape, f"expected shape {shape}, got {tuple(x_tilde.shape)}"
for p, expected in ((0.0, 1.0), (1.0, 0.0)):
    x_tilde = masking_noise(torch.ones(5, 3), p, seeded(0))
    assert agrees(x_tilde, torch.full((5, 3), expected)), (
        f"ones with p = {p:g}: expected {expected:g} everywhere, got {shown(x_tilde)}"
    )
### BEGIN HIDDEN TESTS
for shape in ((4, 3), (1, 1), (2, 1, 3, 3)):
    x = torch.tensor(draw.uniform(1, 2, size=shape))
    for p in (0.0, 1.0):
        probe(x_tilde=masking_noise(x.clone(), p, seeded(int(draw.integers(2**31)))))
### END HIDDEN TESTS

# %% tests="masking_noise-values" points=0.5
# A value is either zero or exactly what it was, all randomness comes from the generator, and x
# itself stays as it was.
x = torch.full((400, 50), 3.0)
generator = seeded(1)
x_tilde = masking_noise(x, 0.4, generator)
assert agrees(x, torch.full((400, 50), 3.0)), (
    "your function has changed the x that it was given"
)
values = torch.unique(x_tilde).tolist()
assert values == [0.0, 3.0], f"expected the values 0 and 3 and no other, got {values[:5]}"
again = masking_noise(x, 0.4, generator)
assert not agrees(again, x_tilde), "the second call masked the same values as the first"
repeated = masking_noise(x, 0.4, seeded(1))
assert agrees(repeated, x_tilde), "the same seed masked others; is all of it from generator?"
### BEGIN HIDDEN TESTS
for p in (0.2, 0.6):
    seed = int(draw.integers(2**31))
    x = torch.tensor(draw.uniform(1, 2, size=(40, 30)))
    kept, state, generator = x.clone(), torch.get_rng_state(), seeded(seed)
    x_tilde = masking_noise(x, p, generator)
    anew = masking_noise(kept.clone(), p, generator)
    repeated = masking_noise(kept.clone(), p, seeded(seed))
    probe(
        known=bool(((x_tilde == 0) | (x_tilde == kept)).all()),
        damaged=not torch.equal(x_tilde, kept),
    )
    probe(x_left=torch.equal(x, kept), others_left=torch.equal(state, torch.get_rng_state()))
    probe(anew=not torch.equal(anew, x_tilde), repeated=torch.equal(repeated, x_tilde))
### END HIDDEN TESTS

# %% tests="masking_noise-share" points=0.5
# A share p of the values is zero, and each value is masked independently: the number of zeros
# differs from row to row and from column to column, as it does for coins.
x_tilde = masking_noise(torch.full((400, 50), 3.0), 0.3, seeded(2))
gone = (x_tilde == 0).double()
assert abs(float(gone.mean()) - 0.3) < 0.03, (
    f"p = 0.3: {gone.mean():.2f} of the values are zero"
)
spread = float(gone.sum(dim=1).var())
assert 7 < spread < 15, (
    f"zeros in a row: expected a variance of about 50 p q = 10.5, got {spread:.1f}"
)
spread = float(gone.sum(dim=0).var())
assert spread < 300, f"zeros in a column: expected a variance of about 84, got {spread:.1f}"
### BEGIN HIDDEN TESTS
for p in (0.25, 0.7):
    x = torch.tensor(draw.uniform(1, 2, size=(500, 40)))
    gone = (masking_noise(x, p, seeded(int(draw.integers(2**31)))) == 0).double()
    probe(share=gone.mean(), rows=gone.sum(dim=1).var(), columns=gone.sum(dim=0).var())
### CHECK share: close(rtol=0, atol=0.03)
### CHECK rows: close(rtol=0, atol=4.5)
### CHECK columns: close(rtol=0, atol=300)
### END HIDDEN TESTS

# %% [markdown] task="salt_and_pepper" minutes=7 difficulty=2
# ## 3. Salt and pepper
#
# Each value is replaced with probability $p$, independently of all others. A replaced value becomes the least value there is
# (`low`, "pepper") or the largest (`high`, "salt"), and both are equally likely. So on average a share $p/2$ of all values is
# pepper, a share $p/2$ is salt, and $1 - p$ stay as they were.
#
# <details><summary>Hint</summary>
#
# Two independent draws do it: which values are replaced, and which of them would be salt. `torch.where(condition, a, b)` takes
# from `a` where the condition is true, else from `b`; both may be numbers.
#
# </details>


# %% solution="salt_and_pepper"
# Not allowed here: aelib
def salt_and_pepper(
    x: Tensor, p: float, low: float, high: float, generator: torch.Generator
) -> Tensor:
    """Replace each value with probability p by low or high, which are equally likely.

    Args:
        x: the examples, of any shape.
        p: the probability that a value is replaced, from 0 to 1, both included.
        low: the least value, pepper.
        high: the largest value, salt.
        generator: where all randomness comes from.

    Returns:
        x_tilde, of the shape of x. It is drawn anew at every call.
    """
    ### BEGIN SOLUTION
    replaced = torch.bernoulli(torch.full_like(x, p), generator=generator).bool()
    salt = torch.bernoulli(torch.full_like(x, 0.5), generator=generator).bool()
    return torch.where(replaced, torch.where(salt, high, low), x)
    ### END SOLUTION


# %% tests="salt_and_pepper-shape" points=0.5
# salt_and_pepper(x, p, low, high, generator) has the shape of x; with p = 0 nothing is
# replaced, with p = 1 everything is.
for shape in ((5, 3), (2, 1, 4, 4)):
    x_tilde = salt_and_pepper(torch.ones(shape), 0.5, 0.0, 2.0, seeded(0))
    assert tuple(x_tilde.shape) == shape, f"expected shape {shape}, got {tuple(x_tilde.shape)}"
x_tilde = salt_and_pepper(torch.ones(5, 3), 0.0, 0.0, 2.0, seeded(0))
assert agrees(x_tilde, torch.ones(5, 3)), f"p = 0: all stays 1, yours are {shown(x_tilde)}"
x_tilde = salt_and_pepper(torch.ones(5, 3), 1.0, 0.0, 2.0, seeded(0))
assert not (x_tilde == 1).any(), f"p = 1: nothing stays 1, yours are {shown(x_tilde)}"
### BEGIN HIDDEN TESTS
for shape in ((4, 3), (1, 1), (2, 1, 3, 3)):
    x = torch.tensor(draw.uniform(1, 2, size=shape))
    x_tilde = salt_and_pepper(x.clone(), 0.0, -1.0, 4.0, seeded(int(draw.integers(2**31))))
    probe(x_tilde=x_tilde)
    x_tilde = salt_and_pepper(x.clone(), 1.0, -1.0, 4.0, seeded(int(draw.integers(2**31))))
    probe(size=tuple(x_tilde.shape), left=int((x_tilde == x).sum()))
### END HIDDEN TESTS

# %% tests="salt_and_pepper-values" points=0.5
# A value is low, high, or exactly what it was; low and high are the numbers that are given.
# All randomness comes from the generator, and x stays as it was.
x = torch.full((400, 50), 3.0)
generator = seeded(1)
x_tilde = salt_and_pepper(x, 0.4, -1.0, 7.0, generator)
assert agrees(x, torch.full((400, 50), 3.0)), (
    "your function has changed the x that it was given"
)
values = torch.unique(x_tilde).tolist()
assert values == [-1.0, 3.0, 7.0], f"low = -1, high = 7, x = 3 everywhere: got {values[:5]}"
again = salt_and_pepper(x, 0.4, -1.0, 7.0, generator)
assert not agrees(again, x_tilde), "the second call gave the same as the first"
repeated = salt_and_pepper(x, 0.4, -1.0, 7.0, seeded(1))
assert agrees(repeated, x_tilde), "the same seed gave another result; is all from generator?"
### BEGIN HIDDEN TESTS
for p, low, high in ((0.2, -1.0, 7.0), (0.6, 0.0, 1.0)):
    seed = int(draw.integers(2**31))
    x = torch.tensor(draw.uniform(0.2, 0.8, size=(40, 30)))
    kept, state, generator = x.clone(), torch.get_rng_state(), seeded(seed)
    x_tilde = salt_and_pepper(x, p, low, high, generator)
    anew = salt_and_pepper(kept.clone(), p, low, high, generator)
    repeated = salt_and_pepper(kept.clone(), p, low, high, seeded(seed))
    known = (x_tilde == low) | (x_tilde == high) | (x_tilde == kept)
    probe(known=bool(known.all()), least=x_tilde.min(), largest=x_tilde.max())
    probe(x_left=torch.equal(x, kept), others_left=torch.equal(state, torch.get_rng_state()))
    probe(anew=not torch.equal(anew, x_tilde), repeated=torch.equal(repeated, x_tilde))
### END HIDDEN TESTS

# %% tests="salt_and_pepper-shares" points=1
# A share p/2 of the values is low, p/2 is high, in every row and every column about as many:
# each value is treated independently.
x_tilde = salt_and_pepper(torch.full((400, 50), 3.0), 0.3, 0.0, 5.0, seeded(2))
for value in (0.0, 5.0):
    hit = (x_tilde == value).double()
    assert abs(float(hit.mean()) - 0.15) < 0.02, (
        f"p = 0.3: expected a share of about 0.15 that is {value:g}, got {hit.mean():.2f}"
    )
    spread = float(hit.sum(dim=1).var())
    assert 3 < spread < 10, (
        f"{value:g}s in a row: expected a variance of about 6.4, got {spread:.1f}"
    )
    spread = float(hit.sum(dim=0).var())
    assert spread < 200, (
        f"{value:g}s in a column: expected a variance of about 51, got {spread:.1f}"
    )
### BEGIN HIDDEN TESTS
for p in (0.25, 0.8):
    x = torch.tensor(draw.uniform(1, 2, size=(500, 40)))
    x_tilde = salt_and_pepper(x, p, 0.0, 4.0, seeded(int(draw.integers(2**31))))
    for hit in ((x_tilde == 0.0).double(), (x_tilde == 4.0).double(), (x_tilde == x).double()):
        probe(share=hit.mean(), rows=hit.sum(dim=1).var(), columns=hit.sum(dim=0).var())
### CHECK share: close(rtol=0, atol=0.03)
### CHECK rows: close(rtol=0, atol=5.5)
### CHECK columns: close(rtol=0, atol=300)
### END HIDDEN TESTS

# %% [markdown] task="denoising_loss" minutes=7 difficulty=2
# ## 4. The loss
#
# A denoiser $r$ sees the corrupted example and is scored against the clean one. With a Gaussian likelihood of variance 1, in
# nats, summed over the $d$ values of an example and averaged over the batch, the loss is
#
# $$\frac{1}{B} \sum_{n=1}^{B} \Bigl( \tfrac12 \lVert x_n - r(\tilde x_n) \rVert^2 + \tfrac d2 \log 2 \pi \Bigr) .$$
#
# The noise is drawn anew whenever the loss is computed. Corrupt the batch once, all of it together.
#
# <details><summary>Hint</summary>
#
# Three lines: make `x_tilde`, give it to `r`, compare the answer with `x`. Give corrupted examples a name of their own and never
# call them `x`.
#
# </details>


# %% solution="denoising_loss"
# Not allowed here: aelib
def denoising_loss(r, x: Tensor, corrupt, generator: torch.Generator) -> Tensor:
    """The loss of a denoiser on one batch, in nats. It can be differentiated by r's parameters.

    Args:
        r: the denoiser, from corrupted examples (B, d) to answers (B, d).
        x: the clean examples, shape (B, d).
        corrupt: from (x, generator) to corrupted examples of the same shape.
        generator: where the corruption takes its randomness from.

    Returns:
        The mean over the batch, shape ().
    """
    ### BEGIN SOLUTION
    x_hat = r(corrupt(x, generator))
    squared = (x - x_hat).square().sum(dim=1)
    return (squared / 2 + x.shape[1] / 2 * math.log(2 * math.pi)).mean()
    ### END SOLUTION


# %% tests="denoising_loss-shape" points=0.5
# denoising_loss(r, x, corrupt, generator) is one number.
loss = denoising_loss(lambda v: 0.5 * v, torch.ones(4, 3), lambda v, g: v + 1, seeded(0))
assert torch.as_tensor(loss).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(loss).shape)}"
)
### BEGIN HIDDEN TESTS
for n, d in ((4, 3), (1, 2), (3, 1)):
    x = torch.tensor(draw.normal(size=(n, d)))
    loss = denoising_loss(lambda v: 0.5 * v, x, lambda v, g: v + 1, seeded(0))
    probe(numbers=torch.as_tensor(loss).numel())
### END HIDDEN TESTS

# %% tests="denoising_loss-values" points=1
# The denoiser sees corrupted examples, its answer is compared with the clean ones. Here the
# corruption adds 2 to each value and r takes 1 away, so every value is off by 1.
x = torch.tensor([[3.0, 0.0, -1.0], [1.0, 2.0, 5.0]])
loss = denoising_loss(lambda v: v - 1, x, lambda v, g: v + 2, seeded(0))
expected = 1.5 + 1.5 * math.log(2 * math.pi)  # half of 1 + 1 + 1, and the constant
assert agrees(float(loss), expected), f"expected {expected:.4f}, got {float(loss):.4f}"
loss = denoising_loss(lambda v: v - 2, x, lambda v, g: v + 2, seeded(0))
expected = 1.5 * math.log(2 * math.pi)  # a perfect answer leaves the constant
assert agrees(float(loss), expected), f"expected {expected:.4f}, got {float(loss):.4f}"


### BEGIN HIDDEN TESTS
def disturbed(v, g):
    return 0.8 * v + 0.5 * torch.randn(v.shape, generator=g)


for n, d in ((6, 3), (1, 4), (5, 1), (2, 7)):
    x = torch.tensor(draw.normal(size=(n, d)))
    r, seed = network(d, 5, int(draw.integers(2**31))), int(draw.integers(2**31))
    probe(loss=float(denoising_loss(r, x, disturbed, seeded(seed))))
### END HIDDEN TESTS

# %% tests="denoising_loss-gradient" points=0.5
# The loss can be differentiated by the weights of r, and neither x nor torch's own random
# numbers are touched.
r = nn.Linear(2, 2, bias=False)
nn.init.eye_(r.weight)
x = torch.tensor([[1.0, 2.0]])
(gradient,) = torch.autograd.grad(
    denoising_loss(r, x, lambda v, g: v + 1, seeded(0)), r.weight, allow_unused=True
)
assert gradient is not None, "the loss does not depend on the weights of r"
assert agrees(gradient, [[2.0, 3.0], [2.0, 3.0]]), (
    f"x = (1, 2), x_tilde = (2, 3), r(x_tilde) = x_tilde: the gradient is "
    f"(r(x_tilde) - x) x_tilde^T, with 2 and 3 in both rows, yours is {shown(gradient)}"
)


### BEGIN HIDDEN TESTS
def disturbed(v, g):
    return 0.8 * v + 0.5 * torch.randn(v.shape, generator=g)


for n, d in ((6, 3), (1, 4)):
    x = torch.tensor(draw.normal(size=(n, d)))
    kept, state = x.clone(), torch.get_rng_state()
    r, seed = network(d, 5, int(draw.integers(2**31))), int(draw.integers(2**31))
    loss = denoising_loss(r, x, disturbed, seeded(seed))
    probe(trainable=isinstance(loss, Tensor) and loss.requires_grad)
    left = torch.equal(x, kept), torch.equal(state, torch.get_rng_state())
    probe(x_left=left[0], others_left=left[1])
    probe(gradient=torch.autograd.grad(loss, r[0].weight)[0])
### END HIDDEN TESTS

# %% [markdown] task="linear_for_gaussian" minutes=6 difficulty=2
# ## 5. The best matrix against Gaussian noise
#
# Let the data have mean zero and covariance $S$, and let the denoiser be a matrix: $r(\tilde x) = W \tilde x$. Its squared error
# $\operatorname{tr}((I - W) S (I - W)^\top) + \sigma^2 \operatorname{tr}(W W^\top)$ is smallest for
#
# $$W^* = S\, (S + \sigma^2 I)^{-1} .$$
#
# In the direction of an eigenvector with eigenvalue $\lambda$ it multiplies by $\lambda / (\lambda + \sigma^2)$. Directions in
# which the data vary much more than the noise are kept nearly as they are, and those in which they vary much less are shrunk to
# nearly nothing. $S$ itself need not be invertible.
#
# <details><summary>Hint</summary>
#
# `torch.eye(len(S))` is the identity matrix of the right size. `@` multiplies matrices, `*` and `/` work value by value.
#
# </details>


# %% solution="linear_for_gaussian"
# Not allowed here: aelib
def linear_for_gaussian(S: Tensor, sigma: float) -> Tensor:
    """The best linear denoiser for Gaussian noise.

    Args:
        S: the covariance matrix of the clean data, shape (d, d).
        sigma: the standard deviation of the noise, more than 0.

    Returns:
        W, shape (d, d); the denoiser multiplies each noisy example by it.
    """
    ### BEGIN SOLUTION
    return S @ torch.linalg.inv(S + sigma**2 * torch.eye(len(S)))
    ### END SOLUTION


# %% tests="linear_for_gaussian-shape" points=0.5
# linear_for_gaussian(S, sigma) has the shape of S, for d = 1 as well.
for d in (3, 1):
    W = linear_for_gaussian(torch.eye(d), 0.5)
    assert tuple(W.shape) == (d, d), f"expected shape {(d, d)}, got {tuple(W.shape)}"
### BEGIN HIDDEN TESTS
for d in (3, 1, 6):
    probe(W=linear_for_gaussian(second_moment(int(draw.integers(2**31)), d), 0.5))
### CHECK W: shape()
### END HIDDEN TESTS

# %% tests="linear_for_gaussian-values" points=1
# A variance of 4 and noise of sigma = 1/2 give the factor 4 / (4 + 1/4) = 16/17. For other
# matrices each eigenvalue is changed in this way, and the eigenvectors stay.
W = linear_for_gaussian(torch.tensor([[4.0]]), 0.5)
assert agrees(W, [[16 / 17]]), f"expected 16/17 = {16 / 17:.4f}, got {shown(W)}"
# Eigenvalues 3 and 1 for (1, 1) and (1, -1): with sigma = 1 they become 3/4 and 1/2.
W = linear_for_gaussian(torch.tensor([[2.0, 1.0], [1.0, 2.0]]), 1.0)
assert agrees(W, [[0.625, 0.125], [0.125, 0.625]]), (
    f"expected 0.625 on the diagonal and 0.125 beside it, got {shown(W)}"
)
W = linear_for_gaussian(torch.ones(2, 2), 2.0)  # not invertible: eigenvalues 2 and 0
assert agrees(W, torch.full((2, 2), 1 / 6)), f"expected 1/6 everywhere, got {shown(W)}"
### BEGIN HIDDEN TESTS
for d in (1, 3, 6):
    S = second_moment(int(draw.integers(2**31)), d)
    probe(W=linear_for_gaussian(S, float(draw.uniform(0.2, 0.8))))
    probe(W=linear_for_gaussian(S, float(draw.uniform(1.2, 3.0))))
u = torch.tensor(draw.normal(size=4))
probe(W=linear_for_gaussian(torch.outer(u, u), 0.7))
### END HIDDEN TESTS

# %% [markdown] task="linear_for_masking" minutes=8 difficulty=3
# ## 6. The best matrix against masking
#
# Now each value is kept with probability $q = 1 - p$, $\tilde x = m \odot x$, and $S = \mathbb{E}[x x^\top]$ is the second
# moment. (The data are not centered, because zero must mean "nothing there".) At the minimum of
# $\mathbb{E} \lVert x - W \tilde x \rVert^2$ the normal equations hold:
# $W\, \mathbb{E}[\tilde x \tilde x^\top] = \mathbb{E}[x \tilde x^\top]$.
#
# - $\mathbb{E}[x_i \tilde x_j] = q S_{ij}$: one mask must be open.
# - For $i \ne j$, $\mathbb{E}[\tilde x_i \tilde x_j] = q^2 S_{ij}$: two masks must be open. For $i = j$ it is the same mask
#   twice, and $\mathbb{E}[\tilde x_i^2] = q S_{ii}$.
#
# Put both in, and divide by $q$:
#
# $$W^* = S\, \bigl( q S + (1 - q) \operatorname{diag} S \bigr)^{-1} .$$
#
# Row $i$ says how value $i$ is put together from all values that are present. Unlike in task 5, $W^*$ need not be symmetric, so
# the order of the two factors matters.
#
# <details><summary>Hint</summary>
#
# `S.diagonal()` is a vector of length d, and `torch.diag` makes a diagonal matrix of a vector. If you use `torch.linalg.solve`,
# note that `solve(A, S)` is $A^{-1} S$ and not $S A^{-1}$.
#
# </details>


# %% solution="linear_for_masking"
# Not allowed here: aelib
def linear_for_masking(S: Tensor, p: float) -> Tensor:
    """The best linear denoiser for masking noise.

    Args:
        S: the second moment of the clean data, invertible, shape (d, d).
        p: the probability that a value is set to zero, at least 0 and less than 1.

    Returns:
        W, shape (d, d); the denoiser multiplies each masked example by it.
    """
    ### BEGIN SOLUTION
    q = 1 - p
    return S @ torch.linalg.inv(q * S + (1 - q) * torch.diag(S.diagonal()))
    ### END SOLUTION


# %% tests="linear_for_masking-shape" points=0.5
# linear_for_masking(S, p) has the shape of S, for d = 1 as well.
for d in (3, 1):
    W = linear_for_masking(torch.eye(d), 0.5)
    assert tuple(W.shape) == (d, d), f"expected shape {(d, d)}, got {tuple(W.shape)}"
### BEGIN HIDDEN TESTS
for d in (3, 1, 6):
    probe(W=linear_for_masking(second_moment(int(draw.integers(2**31)), d), 0.5))
### CHECK W: shape()
### END HIDDEN TESTS

# %% tests="linear_for_masking-values" points=1.5
# If values have nothing to do with each other, S is diagonal and W is the identity: nothing can
# be filled in. If they do, W borrows from the others.
W = linear_for_masking(torch.diag(torch.tensor([1.0, 2.0, 5.0])), 0.3)
assert agrees(W, torch.eye(3)), f"diagonal S: expected the identity, got {shown(W)}"
S = torch.tensor([[2.0, 1.0], [1.0, 1.0]])
W = linear_for_masking(S, 0.0)
assert agrees(W, torch.eye(2)), f"p = 0: expected the identity, got {shown(W)}"
# With p = 1/2 the matrix in parentheses has 2, 1 on the diagonal and 1/2 beside it.
W = linear_for_masking(S, 0.5)
assert agrees(W, torch.tensor([[6.0, 4.0], [2.0, 6.0]]) / 7), (
    f"expected 6/7 and 4/7 = 0.5714 in the first row, 2/7 = 0.2857 and 6/7 = 0.8571 in the "
    f"second, got {shown(W)}"
)
### BEGIN HIDDEN TESTS
for d in (1, 2, 5):
    S = second_moment(int(draw.integers(2**31)), d)
    probe(W=linear_for_masking(S, float(draw.uniform(0.1, 0.4))))
    probe(W=linear_for_masking(S, float(draw.uniform(0.6, 0.9))))
probe(W=linear_for_masking(second_moment(int(draw.integers(2**31)), 3), 0.0))
### END HIDDEN TESTS

# %% [markdown] task="score" minutes=5 difficulty=1
# ## 7. Read the score from a denoiser
#
# Let the noise be Gaussian, and let $p_\sigma$ be the density of the *noisy* data. The best denoiser is the conditional mean
# $r^*(\tilde x) = \mathbb{E}[x \mid \tilde x]$, and Tweedie's formula says
# $r^*(\tilde x) = \tilde x + \sigma^2\, \nabla \log p_\sigma(\tilde x)$. So a denoiser knows the score $\nabla \log p_\sigma$,
# which points in the direction in which noisy data get denser fastest. Solve the formula for the score.
#
# A visible test compares your answer with the gradient of $\log p_\sigma$ for the book's two points, $x = \pm 2$ with
# $\sigma = \frac12$, where $r^*(\tilde x) = 2 \tanh(8 \tilde x)$.
#
# <details><summary>Hint</summary>
#
# The arrow from the noisy point to the denoiser's answer, divided by $\sigma^2$.
#
# </details>


# %% solution="score"
def score(r, x_tilde: Tensor, sigma: float) -> Tensor:
    """The score of the noisy data that a denoiser implies.

    Args:
        r: the denoiser, from noisy examples (N, d) to answers (N, d).
        x_tilde: where the score is wanted, shape (N, d).
        sigma: the standard deviation of the noise that r was made for, more than 0.

    Returns:
        The score at each of the points, shape (N, d).
    """
    ### BEGIN SOLUTION
    return (r(x_tilde) - x_tilde) / sigma**2
    ### END SOLUTION


# %% tests="score-shape" points=0.5
# score(r, x_tilde, sigma) has one arrow of d numbers for each of the N points. Where the
# denoiser changes nothing, the arrow is zero.
for shape in ((5, 3), (1, 1)):
    arrows = score(lambda v: v, torch.ones(shape), 0.5)
    assert tuple(arrows.shape) == shape, f"expected shape {shape}, got {tuple(arrows.shape)}"
    assert agrees(arrows, torch.zeros(shape)), f"r(x) = x: expected 0, got {shown(arrows)}"
### BEGIN HIDDEN TESTS
for shape in ((5, 3), (1, 1), (2, 6)):
    x_tilde = torch.tensor(draw.normal(size=shape))
    probe(arrows=score(lambda v: v, x_tilde, float(draw.uniform(0.3, 2))))
### END HIDDEN TESTS

# %% tests="score-values" points=0.5
# For the two points the score is the gradient of log p_sigma. For data from N(0, 1) the noisy
# data have variance 1 + sigma^2, and the score is -x_tilde / (1 + sigma^2).
x_tilde = torch.tensor([[-2.5], [-0.1], [0.05], [1.0]]).requires_grad_()
two_points = torch.tensor([[-2.0, 2.0]])
log_density = torch.logsumexp(-((x_tilde - two_points) ** 2) / (2 * 0.5**2), dim=1).sum()
(expected,) = torch.autograd.grad(log_density, x_tilde)
arrows = score(lambda v: 2 * torch.tanh(8 * v), x_tilde.detach(), 0.5)
assert agrees(arrows, expected), f"two points: expected {shown(expected)}, got {shown(arrows)}"
arrows = score(lambda v: v / (1 + 3**2), torch.tensor([[10.0, -20.0]]), 3.0)
assert agrees(arrows, [[-1.0, 2.0]]), (
    f"N(0, I), sigma = 3: expected (-1, 2), got {shown(arrows)}"
)
### BEGIN HIDDEN TESTS
for n, d in ((6, 3), (1, 2), (4, 1)):
    x_tilde = torch.tensor(draw.normal(size=(n, d)))
    kept = x_tilde.clone()
    r = network(d, 5, int(draw.integers(2**31)))
    for sigma in (float(draw.uniform(0.1, 0.6)), float(draw.uniform(1.5, 4))):
        probe(arrows=score(r, x_tilde, sigma))
    probe(x_left=torch.equal(x_tilde, kept))
### END HIDDEN TESTS

# %% [markdown] task="walk" minutes=9 difficulty=2
# ## 8. Follow the arrows
#
# The arrow $r(x) - x$ points to where the data are. Start anywhere, and go a part $\eta$ of the arrow, again and again:
#
# $$x^{(0)} = x, \qquad x^{(t+1)} = x^{(t)} + \eta\, \bigl( r(x^{(t)}) - x^{(t)} \bigr), \qquad t = 0, \dots, T - 1 .$$
#
# Return the whole path, $x^{(0)}, \dots, x^{(T)}$: these are $T + 1$ places. Nothing is trained here, so the path shall carry no
# gradient history, also if $r$ is a network: thousands of steps would keep thousands of networks' inner values in memory.
#
# <details><summary>Hint</summary>
#
# Collect the places in a list and make one tensor of it with `torch.stack`. In a block under `torch.no_grad()`, a context
# manager, torch does not remember how a tensor was computed. Mind that `x += ...` changes the tensor that is already in the list.
#
# </details>


# %% solution="walk"
def walk(r, x: Tensor, num_steps: int, eta: float) -> Tensor:
    """Where points go that follow a denoiser's arrows.

    Args:
        r: the denoiser, from (N, d) to (N, d).
        x: where the points start, shape (N, d).
        num_steps: the number of steps T, at least 0.
        eta: the part of each arrow to go, from 0 to 1.

    Returns:
        The places at all times, the start among them, shape (num_steps + 1, N, d). It does not
        require gradients.
    """
    ### BEGIN SOLUTION
    path = [x]
    with torch.no_grad():
        for _ in range(num_steps):
            path.append(path[-1] + eta * (r(path[-1]) - path[-1]))
    return torch.stack(path)
    ### END SOLUTION


# %% tests="walk-shape" points=0.5
# walk(r, x, num_steps, eta) has shape (num_steps + 1, N, d): the start and the place after each
# step.
for num_steps in (4, 1, 0):
    path = walk(lambda v: 0 * v, torch.ones(3, 2), num_steps, 0.5)
    assert tuple(path.shape) == (num_steps + 1, 3, 2), (
        f"{num_steps} steps: expected shape {(num_steps + 1, 3, 2)}, got {tuple(path.shape)}"
    )
### BEGIN HIDDEN TESTS
for num_steps, n, d in ((4, 3, 2), (1, 1, 1), (0, 2, 5)):
    x = torch.tensor(draw.normal(size=(n, d)))
    probe(path=walk(lambda v: 0 * v, x, num_steps, 0.5))
### CHECK path: shape()
### END HIDDEN TESTS

# %% tests="walk-values" points=1
# With r(x) = 4 everywhere and eta = 1/2, a point at 0 goes half of the way each time: 0, 2, 3,
# 3.5. With eta = 1 it is there at once.
start = torch.zeros(1, 1)
path = walk(lambda v: torch.full_like(v, 4.0), start, 3, 0.5)
assert agrees(path.reshape(-1), [0.0, 2.0, 3.0, 3.5]), (
    f"expected 0, 2, 3, 3.5, got {shown(path.reshape(-1))}"
)
assert agrees(start, [[0.0]]), "your function has changed the x that it was given"
path = walk(lambda v: torch.full_like(v, 4.0), start, 2, 1.0)
assert agrees(path.reshape(-1), [0.0, 4.0, 4.0]), f"eta = 1: got {shown(path.reshape(-1))}"
path = walk(network(2, 3, seed=0), torch.ones(1, 2), 2, 0.5)
assert not path.requires_grad, "the path of a network's arrows still carries gradient history"
### BEGIN HIDDEN TESTS
for num_steps, n, d, eta in ((5, 4, 3, 0.25), (3, 1, 2, 1.0), (4, 2, 1, 0.6), (1, 3, 2, 0.1)):
    x = torch.tensor(draw.normal(size=(n, d)))
    kept, r = x.clone(), network(d, 6, int(draw.integers(2**31)))
    path = walk(r, x, num_steps, eta)
    probe(path=path, history=path.requires_grad, x_left=torch.equal(x, kept))
### END HIDDEN TESTS

# %% [markdown] task="train" minutes=10 difficulty=3
# ## 9. Train a denoiser
#
# Write the training loop. In each step: corrupt the *clean* examples anew, let the network answer, compute the squared error
# against the clean examples,
#
# $$J = \frac1N \sum_{n=1}^{N} \lVert x_n - r(\tilde x_n) \rVert^2 ,$$
#
# and let the optimizer change the weights, once. All examples are used in each step. The optimizer is given and already knows
# the network's parameters. Return the $J$ of every step, each computed before the weights changed in that step.
#
# <details><summary>Hint</summary>
#
# Gradients add up until they are set to zero. The order is: `zero_grad` of the optimizer, `backward` of the loss, `step` of the
# optimizer. Keep `loss.item()`, a plain number, and not `loss`, which holds on to everything that it was computed from.
#
# </details>


# %% solution="train"
# Not allowed here: aelib
def train(
    r: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    corrupt,
    num_steps: int,
    generator: torch.Generator,
) -> Tensor:
    """Train a denoiser in place.

    Args:
        r: the network, from (N, d) to (N, d).
        optimizer: an optimizer of r's parameters.
        x: the clean examples, shape (N, d).
        corrupt: from (x, generator) to corrupted examples of the same shape; to be called once
            a step.
        num_steps: the number of steps, at least 1.
        generator: where the corruption takes its randomness from.

    Returns:
        J at each step, shape (num_steps,).
    """
    ### BEGIN SOLUTION
    losses = []
    for _ in range(num_steps):
        x_hat = r(corrupt(x, generator))
        loss = (x - x_hat).square().sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses)
    ### END SOLUTION


# %% tests="train-shape" points=0.5
# train(r, optimizer, x, corrupt, num_steps, generator) returns one number a step, and the
# weights of the network change.
r = network(3, 4, seed=0)
before = r[0].weight.detach().clone()
optimizer = torch.optim.SGD(r.parameters(), lr=0.01)
losses = train(r, optimizer, torch.ones(5, 3), lambda v, g: 0.5 * v, 4, seeded(0))
assert len(losses) == 4, f"4 steps: expected 4 numbers, got {len(losses)}"
assert not agrees(r[0].weight, before), "the weights are the same as before the training"
### BEGIN HIDDEN TESTS
for n, d, num_steps in ((5, 3, 4), (1, 2, 1)):
    r = network(d, 4, int(draw.integers(2**31)))
    initial = r[0].weight.detach().clone()
    optimizer = torch.optim.SGD(r.parameters(), lr=0.02)
    x = torch.tensor(draw.normal(size=(n, d)))
    losses = train(r, optimizer, x, lambda v, g: 0.5 * v, num_steps, seeded(0))
    probe(numbers=len(losses), changed=not torch.equal(initial, r[0].weight))
### END HIDDEN TESTS

# %% tests="train-steps" points=1
# Each step corrupts the clean examples once, goes down the gradient of J at that noise, and
# starts from gradients of zero.
# x = 1, corrupted to 2, and r(x) = w x with w = 1: J = (1 - 2 w)^2 = 1, its gradient is
# -4 (1 - 2 w) = 4, and with a learning rate of 1/8 w becomes 1/2. Then J is 0 and stays there.
r = nn.Linear(1, 1, bias=False)
nn.init.ones_(r.weight)
calls = []


def doubled(v, g):
    calls.append(v.clone())
    return 2 * v


one = torch.tensor([[1.0]])
losses = train(r, torch.optim.SGD(r.parameters(), lr=1 / 8), one, doubled, 3, seeded(0))
losses = [float(loss) for loss in losses]
assert len(calls) == 3, f"3 steps: expected 3 calls of corrupt, got {len(calls)}"
assert all(agrees(call, [[1.0]]) for call in calls), "corrupt was given something else than x"
assert agrees(losses, [1.0, 0.0, 0.0]), f"expected J = 1, 0, 0, got {losses}"
assert agrees(r.weight, [[0.5]]), f"expected w = 0.5 at the end, got {float(r.weight):g}"
### BEGIN HIDDEN TESTS
given = []


def recorded(v, g):
    given.append(v.detach().clone())
    return v + 0.5 * torch.randn(v.shape, generator=g)


for n, d, num_steps, lr in ((8, 3, 4, 0.02), (1, 2, 3, 0.05), (5, 1, 2, 0.05)):
    r = network(d, 4, int(draw.integers(2**31)))
    optimizer = torch.optim.SGD(r.parameters(), lr=lr)
    x = torch.tensor(draw.normal(size=(n, d)))
    kept, state = x.clone(), torch.get_rng_state()
    given.clear()
    losses = train(r, optimizer, x, recorded, num_steps, seeded(int(draw.integers(2**31))))
    left = torch.equal(x, kept), torch.equal(state, torch.get_rng_state())
    probe(calls=len(given), clean=all(torch.equal(v, kept) for v in given))
    probe(x_left=left[0], others_left=left[1], losses=np.array([float(v) for v in losses]))
    probe(weights=torch.cat([parameter.detach().flatten() for parameter in r.parameters()]))
### END HIDDEN TESTS

# %% tests="train-held-out" points=0.5
# After 100 steps on corners of a cube the network removes most of the noise that is drawn anew.
corners = torch.cartesian_prod(*torch.tensor([[-1.5, 1.5]] * 3)).repeat(10, 1)
r = network(3, 24, seed=1)
optimizer = torch.optim.Adam(r.parameters(), lr=0.05)
train(
    r,
    optimizer,
    corners,
    lambda v, g: v + 0.5 * torch.randn(v.shape, generator=g),
    100,
    seeded(3),
)
noisy = corners + 0.5 * torch.randn(corners.shape, generator=seeded(4))
idle = float((noisy - corners).square().sum(dim=1).mean())
left = float((r(noisy) - corners).detach().square().sum(dim=1).mean())
assert left < 0.5 * idle, (
    f"doing nothing leaves an error of {idle:.2f}; expected less than half, got {left:.2f}"
)
### BEGIN HIDDEN TESTS
corners = torch.tensor(draw.choice([-1.5, 1.5], size=(160, 3)))
r = network(3, 24, int(draw.integers(2**31)))
optimizer = torch.optim.Adam(r.parameters(), lr=0.05)
noisy = corners[80:] + 0.5 * torch.tensor(draw.normal(size=(80, 3)))
seed = int(draw.integers(2**31))
train(
    r,
    optimizer,
    corners[:80],
    lambda v, g: v + 0.5 * torch.randn(v.shape, generator=g),
    100,
    seeded(seed),
)
probe(error=(r(noisy) - corners[80:]).detach().square().sum(dim=1).mean())
### CHECK error: at_most(times=1.3)
### END HIDDEN TESTS

# %% [markdown] task="posterior_mean" minutes=15 difficulty=4
# ## 10. The best denoiser of all
#
# For squared errors the best denoiser is $r^*(\tilde x) = \mathbb{E}[x \mid \tilde x]$. Where the density of the data is known,
# Bayes' rule gives it. Let $x$ come from component $k$ with probability $\pi_k$, and from $\mathcal N(\mu_k, \tau_k^2 I)$ then,
# and let $\tilde x = x + \sigma \varepsilon$. With $v_k = \tau_k^2 + \sigma^2$:
#
# - *Which component?* Noisy data of component $k$ are $\mathcal N(\mu_k, v_k I)$, so
#
# $$\gamma_k(\tilde x) = \frac{\pi_k\, \mathcal N(\tilde x; \mu_k, v_k I)}{\sum_j \pi_j\, \mathcal N(\tilde x; \mu_j, v_j I)},
# \qquad \mathcal N(\tilde x; \mu, v I) = (2 \pi v)^{-d/2} \exp\Bigl( -\frac{\lVert \tilde x - \mu \rVert^2}{2 v} \Bigr) .$$
#
# - *Where, if from there?* At $\mu_k + \frac{\tau_k^2}{v_k} (\tilde x - \mu_k)$ on average: task 5, around the mean.
# - *Together:*
#
# $$r^*(\tilde x) = \sum_k \gamma_k(\tilde x) \Bigl( \mu_k + \frac{\tau_k^2}{v_k} (\tilde x - \mu_k) \Bigr) .$$
#
# With $\tau_k = 0$ the components are points, and $r^*$ is a weighted mean of them. Far from all data every $\mathcal N$ is so
# small that a computer takes it for 0, and 0/0 is no number. So work with logarithms: your answer must be right there too.
#
# <details><summary>Hint</summary>
#
# `x_tilde[:, None] - means` has shape (N, K, d). Compute $\log \pi_k + \log \mathcal N(\tilde x; \mu_k, v_k I)$ with shape (N,
# K); `torch.softmax` over the components turns these into $\gamma$ without ever taking exp of a large number. What is the same
# for all components may be left out. Is $v_k$ the same for all?
#
# </details>


# %% solution="posterior_mean"
# Not allowed here: aelib
def posterior_mean(
    x_tilde: Tensor, weights: Tensor, means: Tensor, taus: Tensor, sigma: float
) -> Tensor:
    """The best denoiser for a mixture of round Gaussians and Gaussian noise.

    Args:
        x_tilde: the noisy examples, shape (N, d).
        weights: the probability of each component, positive, with sum 1, shape (K,).
        means: the mean of each component, shape (K, d).
        taus: the standard deviation of each component, at least 0, shape (K,).
        sigma: the standard deviation of the noise, more than 0.

    Returns:
        The mean of what x may have been, for each noisy example, shape (N, d).
    """
    ### BEGIN SOLUTION
    v = taus**2 + sigma**2
    from_means = x_tilde[:, None] - means  # (N, K, d)
    log_normal = -from_means.square().sum(dim=2) / (2 * v) - x_tilde.shape[1] / 2 * v.log()
    gamma = torch.softmax(weights.log() + log_normal, dim=1)
    of_each = means + (taus**2 / v)[:, None] * from_means
    return (gamma[:, :, None] * of_each).sum(dim=1)
    ### END SOLUTION


# %% tests="posterior_mean-shape" points=0.5
# posterior_mean(x_tilde, weights, means, taus, sigma) has the shape of x_tilde, whatever the
# number of components is.
for n, d, k in ((5, 3, 2), (1, 1, 4), (3, 2, 1)):
    x_hat = posterior_mean(
        torch.zeros(n, d), torch.ones(k) / k, torch.ones(k, d), torch.ones(k), 0.5
    )
    assert tuple(x_hat.shape) == (n, d), f"expected shape {(n, d)}, got {tuple(x_hat.shape)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((5, 3, 2), (1, 1, 4), (3, 2, 1)):
    x_tilde, means = (
        torch.tensor(draw.normal(size=(n, d))),
        torch.tensor(draw.normal(size=(k, d))),
    )
    probe(x_hat=posterior_mean(x_tilde, torch.ones(k) / k, means, torch.ones(k), 0.5))
### CHECK x_hat: shape()
### END HIDDEN TESTS

# %% tests="posterior_mean-points" points=1
# With tau = 0 the answer is a weighted mean of the points. For -2 and 2, equally likely, and
# sigma = 1/2 it is 2 tanh(8 x_tilde); if one of them is rare, it counts less.
x_tilde = torch.tensor([[-1.0], [-0.05], [0.0], [0.1], [3.0]])
points, none = torch.tensor([[-2.0], [2.0]]), torch.zeros(2)
x_hat = posterior_mean(x_tilde, torch.tensor([0.5, 0.5]), points, none, 0.5)
assert agrees(x_hat, 2 * torch.tanh(8 * x_tilde)), (
    f"expected {shown(2 * torch.tanh(8 * x_tilde))}, got {shown(x_hat)}"
)
# At 0 both points explain the noisy value equally well, and only the weights decide.
x_hat = posterior_mean(torch.zeros(1, 1), torch.tensor([0.75, 0.25]), points, none, 0.5)
assert agrees(x_hat, [[-1.0]]), f"weights 3/4 and 1/4: expected -1, got {shown(x_hat)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((6, 2, 3), (1, 1, 2), (4, 3, 5)):
    x_tilde, means = (
        torch.tensor(draw.normal(size=(n, d))),
        torch.tensor(draw.normal(size=(k, d))),
    )
    weights = torch.tensor(draw.dirichlet(np.full(k, 5.0)))
    sigma = float(draw.uniform(0.5, 0.9))
    probe(x_hat=posterior_mean(x_tilde, weights, means, torch.zeros(k), sigma))
    probe(x_hat=posterior_mean(2 * x_tilde, weights, 2 * means, torch.zeros(k), 3 * sigma))
### END HIDDEN TESTS

# %% tests="posterior_mean-spread" points=1
# One component with tau = 1 and sigma = 1 halves the distance to its mean. Of two with the same
# mean, the narrow one counts more near it, the wide one far away: there v_k matters.
x_hat = posterior_mean(
    torch.tensor([[5.0, 1.0]]), torch.ones(1), torch.tensor([[1.0, 1.0]]), torch.ones(1), 1.0
)
assert agrees(x_hat, [[3.0, 1.0]]), (
    f"from (5, 1) half way to (1, 1): (3, 1), got {shown(x_hat)}"
)
# v = 1 and 4 in two dimensions: at a squared distance of 4 the two components have the weights
# exp(-2) and exp(-1/2) / 4, and the answers 0 and 3/4 of x_tilde.
both = torch.tensor([math.exp(-2), math.exp(-0.5) / 4])
expected = 0.75 * both[1] / both.sum() * torch.tensor([[2.0, 0.0]])
x_hat = posterior_mean(
    torch.tensor([[2.0, 0.0]]),
    torch.tensor([0.5, 0.5]),
    torch.zeros(2, 2),
    torch.tensor([0.0, math.sqrt(3)]),
    1.0,
)
assert agrees(x_hat, expected), f"expected {shown(expected)}, got {shown(x_hat)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((6, 2, 3), (1, 1, 2), (4, 3, 5), (3, 4, 1)):
    x_tilde, means = (
        torch.tensor(draw.normal(size=(n, d))),
        torch.tensor(draw.normal(size=(k, d))),
    )
    weights = torch.tensor(draw.dirichlet(np.full(k, 5.0)))
    taus = torch.tensor(draw.uniform(0.2, 1.8, size=k))
    kept = x_tilde.clone()
    for sigma in (float(draw.uniform(0.4, 0.8)), float(draw.uniform(1.2, 2.0))):
        probe(x_hat=posterior_mean(x_tilde, weights, means, taus, sigma))
    probe(x_left=torch.equal(x_tilde, kept))
### END HIDDEN TESTS

# %% tests="posterior_mean-far" points=0.5
# Far from all data the answer is still a number, and the right one: with points it is the
# nearest of them.
far = torch.tensor([[1000.0], [-1000.0]])
x_hat = posterior_mean(
    far, torch.tensor([0.9, 0.1]), torch.tensor([[-2.0], [2.0]]), torch.zeros(2), 0.5
)
assert not x_hat.isnan().any(), f"your answers at 1000 and -1000 are no numbers: {shown(x_hat)}"
assert agrees(x_hat, [[2.0], [-2.0]]), f"expected 2 and -2, got {shown(x_hat)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((3, 2, 3), (2, 1, 2)):
    x_tilde, means = (
        torch.tensor(draw.normal(size=(n, d))),
        torch.tensor(draw.normal(size=(k, d))),
    )
    weights, sigma = (
        torch.tensor(draw.dirichlet(np.full(k, 5.0))),
        float(draw.uniform(0.3, 0.6)),
    )
    probe(x_hat=posterior_mean(1000 * x_tilde, weights, means, torch.zeros(k), sigma))
    taus = torch.tensor(draw.uniform(0.2, 1.8, size=k))
    probe(x_hat=posterior_mean(1000 * x_tilde, weights, means, taus, sigma))
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on handwritten digits of 8 by 8 pixels. Everything is learned from 1,400 of them, and 100 others
# are damaged and repaired. The best denoiser of task 10 needs the density of the data. Here it takes one narrow component around
# each training digit. Compare the errors: what does a network gain over a matrix? This part is worth no points; change it as you
# like.

# %%
train_set, test_set = data.digits().split(num_test=397, seed=0)
x, x_test = train_set.flat().double(), test_set.flat().double()[:100]
noisy, masked = gaussian_noise(x_test, 0.3, seeded(0)), masking_noise(x_test, 0.5, seeded(1))

mean = x.mean(dim=0)
S = (x - mean).T @ (x - mean) / len(x)
by_matrix = mean + (noisy - mean) @ linear_for_gaussian(S, 0.3).T
# Some pixels are always 0. A tiny variance for all makes the second moment invertible.
moment = x.T @ x / len(x) + 1e-6 * torch.eye(64)
filled_in = masked @ linear_for_masking(moment, 0.5).T

torch.manual_seed(0)
r = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64))
optimizer = torch.optim.Adam(r.parameters(), lr=0.003)
train(r, optimizer, x, lambda v, g: gaussian_noise(v, 0.3, g), 250, seeded(2))
by_network = r(noisy).detach()
every_digit = torch.full((len(x),), 1 / len(x)), x, torch.full((len(x),), 0.1)
by_bayes = posterior_mean(noisy, *every_digit, 0.3)

for name, x_hat in (
    ("Gaussian noise, left alone", noisy),
    ("best matrix", by_matrix),
    ("trained network", by_network),
    ("a Gaussian around each training digit", by_bayes),
    ("masking noise, left alone", masked),
    ("best matrix", filled_in),
):
    print(f"{name:38} squared error {float((x_test - x_hat).square().sum(dim=1).mean()):6.2f}")

viz.use_style()
rows = {
    "clean": x_test,
    "Gaussian noise": noisy,
    "matrix": by_matrix,
    "network": by_network,
    "mixture": by_bayes,
    "masking": masked,
    "matrix, masking": filled_in,
    "salt and pepper": salt_and_pepper(x_test, 0.25, 0.0, 1.0, seeded(3)),
}
figure, ax = plt.subplots(figsize=(6.4, 4.6))
pictures = torch.cat([images[:10] for images in rows.values()]).reshape(-1, 1, 8, 8).float()
viz.image_grid(ax, pictures.clamp(0, 1), columns=10)
ax.set_yticks([9 * row + 4 for row in range(len(rows))], list(rows))
ax.tick_params(length=0)
ax.set_title("Ten new digits, damaged and repaired")
plt.show()

# %% [markdown] locked="together-plane"
# In the plane one can see the arrows. The data are two half circles. Left, the score of the noisy data for $\sigma = 0.2$, from
# the best denoiser; right, where points go that follow it. Most end a little inside of the curve: they climb the density of the
# noisy data, and a bent curve that is blurred is densest there. The one that starts half way between the arcs stays where it is,
# because both pull equally.

# %%
t = torch.linspace(0, math.pi, 100)
curve = torch.cat(
    [torch.stack([t.cos(), t.sin()], dim=1), torch.stack([1 - t.cos(), 0.5 - t.sin()], dim=1)]
)
on_curve = torch.full((200,), 1 / 200), curve, torch.zeros(200)
grid = torch.cartesian_prod(torch.linspace(-1.6, 2.6, 15), torch.linspace(-1.2, 1.7, 11))
arrows = score(lambda v: posterior_mean(v, *on_curve, 0.2), grid, 0.2)
path = walk(lambda v: posterior_mean(v, *on_curve, 0.2), grid, 30, 0.2)

figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.0), sharey=True)
for ax, title in ((left, "the score"), (right, "30 steps along it")):
    ax.scatter(*curve.T, s=3, color=viz.ORANGE)
    ax.set(title=title, xlabel="$x_1$", aspect="equal")
left.set_ylabel("$x_2$")
left.quiver(*grid.T, *arrows.T, angles="xy", scale=350, width=0.005)
right.plot(path[:, :, 0], path[:, :, 1], color="0.6", linewidth=0.7)
right.scatter(*path[-1].T, s=8, color=viz.BLUE, zorder=3)
plt.show()

# %% [markdown] locked="targets"
# ## Three targets
#
# The next cell looks for the best factor $w$ of a denoiser $r(\tilde x) = w \tilde x$ for the two points $x = \pm 2$ and noise
# of $\sigma = 1$, by least squares over a million examples. It does so with three targets: the clean $x$; the very $\tilde x$
# that the denoiser sees; and a second noisy version of the same $x$, $\tilde x' = x + \sigma \varepsilon'$, with noise of its
# own. Run it, and compare the last two columns.

# %% locked="targets-measured"
generator = seeded(0)
x = torch.randint(2, (1_000_000,), generator=generator) * 4.0 - 2.0
x_tilde = x + torch.randn(len(x), generator=generator)
second = x + torch.randn(len(x), generator=generator)
print("target                 w   training loss   error against the clean x")
for name, target in (("clean", x), ("the same noisy", x_tilde), ("another noisy", second)):
    w = (target @ x_tilde) / (x_tilde @ x_tilde)
    training_loss = (target - w * x_tilde).square().mean()
    error = (x - w * x_tilde).square().mean()
    print(f"{name:16} {w:7.2f} {training_loss:15.2f} {error:27.2f}")

# %% [markdown] task="targets" minutes=12 difficulty=3
# ## 11. Which target?
#
# The lowest training loss belongs to the worst of the three, and the one that never saw a clean example is as good as the one
# that did. In six to ten sentences or formulas:
#
# 1. A network that is large enough, trained on the squared distance to targets $y$, tends to
#    $r(\tilde x) = \mathbb{E}[y \mid \tilde x]$. Use this to explain what each of the three targets teaches, for any data, and
#    say where you use that $\varepsilon'$ is independent of $x$ and $\varepsilon$.
# 2. Why is the training loss with another noisy version higher by 1 than with the clean target, although the two denoisers are
#    the same? What would it be higher by for examples of $d$ values and noise of standard deviation $\sigma$?
# 3. Now the damage is masking, as in task 2, and the target is a second version of $x$ with masks of its own. What does the
#    network tend to now, and how do you get the best denoiser from it?

# %% [markdown] answer="targets-why" points=2.5
# 1. Clean target: $\mathbb{E}[x \mid \tilde x]$, the best denoiser. The same noisy version:
# $\mathbb{E}[\tilde x \mid \tilde x] = \tilde x$, the identity, which removes no noise at all; its training loss is 0 because
# copying is then a perfect answer. Another noisy version: $\mathbb{E}[x + \sigma \varepsilon' \mid \tilde x]$, which is
# $\mathbb{E}[x \mid \tilde x] + \sigma\, \mathbb{E}[\varepsilon' \mid \tilde x]$. As $\varepsilon'$ is independent of $x$ and
# $\varepsilon$, it is independent of $\tilde x$, which is made of these two, and so
# $\mathbb{E}[\varepsilon' \mid \tilde x] = \mathbb{E}[\varepsilon'] = 0$. What is left is the best denoiser again.
# 2. Let $\delta = x - r(\tilde x)$ be what the denoiser leaves. The loss with the second version is
# $\lVert \delta + \sigma \varepsilon' \rVert^2$, that is
# $\lVert \delta \rVert^2 + 2 \sigma\, \varepsilon'^\top \delta + \sigma^2 \lVert \varepsilon' \rVert^2$. On average the middle
# term is zero, by the same independence, and the last one is $d \sigma^2$, here 1. It does not depend on $r$: no denoiser can
# predict the fresh noise, and the minimum stays where it was. So training losses with different targets cannot be compared;
# only the error against clean examples can.
# 3. The target is $m' \odot x$ with $m'$ independent of $x$ and of $\tilde x$ and mean $q = 1 - p$. So the network tends to
# $\mathbb{E}[m' \odot x \mid \tilde x] = q\, \mathbb{E}[x \mid \tilde x]$: it is too small by the factor $q$, because masking,
# unlike Gaussian noise, changes the mean of an example. Divide its answers by $q$ (or the targets before training).
#
# **Rubric** (1, half, and 1 point)
#
# - All three targets by a conditional mean, with the independence at $\mathbb{E}[\varepsilon' \mid \tilde x] = 0$ (1 point).
#   Half a point if one target is missing or wrong, or if independence is not used.
# - The fresh noise cannot be predicted and adds $d \sigma^2$ whatever the denoiser is (half a point). The number without a
#   reason: nothing.
# - Masking: $q\, \mathbb{E}[x \mid \tilde x]$, with the reason, and the division by $q$ (1 point). Half a point for "too small"
#   or "biased" without the factor, or for the factor without saying how to get rid of it.
