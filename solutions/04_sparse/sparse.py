# %% [markdown] locked="intro"
# # Sparse autoencoders
#
# A sparse code is large, and nearly all of it is zero. You write the three restrictions that make codes sparse (a price, a rate
# and a budget), count what is in use, compute the best code for a given decoder, and train a sparse autoencoder. At the end
# your functions take handwritten digits apart.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top says
#   what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points.
# - Codes are tensors with one example a row: `z` has shape (N, k), and `x` has shape (N, d). Numbers must agree to 0.000001,
#   relative or absolute, unless a task says otherwise. Where a function must have a gradient, its description says so:
#   compute with torch there, because a detour through numpy or `.item()` cuts the gradient off.
# - You may use anything in torch and numpy, but what a task asks for cannot be imported: where a line above the function says
#   `Not allowed here`, code that uses one of these names earns nothing in that task. Comparing with them in a cell of your own
#   is fine.
# - Before you submit: Kernel, Restart Kernel and Run All Cells, then save. (It stops at the first error; a task that you
#   skipped is one. Save all the same.)

# %% locked="install"
# {install}

# %% locked="setup"
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor

from aelib import data, viz

# All numbers in this notebook are float64, also those that you make with torch.zeros.
torch.set_default_dtype(torch.float64)

# Three examples with four units. Unit 3 is off for all of them.
THREE_CODES = torch.tensor([[3.0, 0.0, -1.0, 0.0], [0.0, 0.5, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]])


def encode(x: Tensor, w_enc: Tensor, b_enc: Tensor) -> Tensor:
    """The encoder of this notebook, z = relu(W_enc x + b_enc) for each row x: shape (N, k)."""
    return torch.relu(x @ w_enc.T + b_enc)


def parts(seed: int, n: int = 500) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """n examples of 6 values, made of few of 4 hidden parts; and weights to begin with.

    Returns:
        x: shape (n, 6).
        weights: w_enc (4, 6), b_enc (4,), w_dec (6, 4); the columns of w_dec have length 1.
    """
    generator = torch.Generator().manual_seed(seed)
    true = torch.linalg.qr(torch.randn(6, 4, generator=generator)).Q
    on = torch.rand(n, 4, generator=generator) < 0.3
    strength = 0.5 + torch.rand(n, 4, generator=generator)
    x = (on * strength) @ true.T + 0.05 * torch.randn(n, 6, generator=generator)
    w_dec = true + 0.2 * torch.randn(6, 4, generator=generator)
    w_dec = w_dec / w_dec.norm(dim=0)
    return x, (w_dec.T.clone(), torch.zeros(4), w_dec)


def measured(x: Tensor, weights) -> tuple[float, float]:
    """The squared error and the sum of the code, for (w_enc, b_enc, w_dec); means over x."""
    w_enc, b_enc, w_dec = (weight.detach() for weight in weights)
    code = encode(x, w_enc, b_enc).numpy()
    error = np.square(x.numpy() - code @ w_dec.numpy().T).sum() / len(x)
    return float(error), float(code.sum() / len(x))


def gradient(function, a: Tensor, *settings) -> Tensor:
    """The gradient by a of half the squared length of function(a, *settings); 0 if cut off."""
    a = a.detach().clone().requires_grad_()
    result = torch.as_tensor(function(a, *settings))
    if not result.requires_grad:
        return torch.zeros_like(a)
    return torch.autograd.grad(0.5 * result.square().sum(), a)[0]


def agrees(answer, expected) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and agree to 0.000001."""
    a, b = torch.as_tensor(answer).detach().double(), torch.as_tensor(expected).double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-6, atol=1e-6)


def shown(answer) -> str:
    """The numbers of a tensor, rounded and on a line of their own, for a message."""
    return "\n" + str(np.round(torch.as_tensor(answer).detach().numpy(), 4))


def is_triple(answer) -> bool:
    """Whether a function returned three things."""
    return isinstance(answer, (tuple, list)) and len(answer) == 3


# %% [markdown] task="l1_penalty" minutes=4 difficulty=1
# ## 1. The price of a code
#
# The first restriction is a price: every unit of activation costs something, whatever its sign. The price of a batch is the
# mean over the examples of the L1 norm of the code,
#
# $$\frac{1}{N} \sum_{n=1}^{N} \lVert z_n \rVert_1 = \frac{1}{N} \sum_{n=1}^{N} \sum_{j=1}^{k} \lvert z_{nj} \rvert .$$
#
# As with every loss of this course we sum over the values of an example and take the mean over the examples.
#
# <details><summary>Hint</summary>
#
# Absolute values first, then the sum along dim=1, then the mean of what is left.
#
# </details>


# %% solution="l1_penalty"
# Not allowed here: aelib
def l1_penalty(z: Tensor) -> Tensor:
    """The mean over the examples of the sum of the absolute values of a code.

    Args:
        z: the codes, one example a row, shape (N, k).

    Returns:
        The price, shape (). It has a gradient.
    """
    ### BEGIN SOLUTION
    return z.abs().sum(dim=1).mean()
    ### END SOLUTION


# %% tests="l1_penalty-shape" points=0.25
# l1_penalty(z) is one number for the whole batch.
price = l1_penalty(torch.ones(3, 4))
assert torch.as_tensor(price).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(price).shape)}"
)
### BEGIN HIDDEN TESTS
for shape in ((3, 4), (5, 1)):
    price = torch.as_tensor(l1_penalty(torch.tensor(draw.normal(size=shape))))
    probe(numbers=price.numel(), price=price)
### CHECK price: non_negative()
### END HIDDEN TESTS

# %% tests="l1_penalty-values" points=1
# The three codes have the L1 norms 4, 0.5 and 2: their mean is 6.5/3. The gradient passes
# through.
price = l1_penalty(THREE_CODES.clone())
assert agrees(float(price), 6.5 / 3), f"expected 6.5/3 = 2.166667, got {float(price):g}"
assert agrees(gradient(l1_penalty, torch.tensor([[2.0, -3.0]])), [[5.0, -5.0]]), (
    "for the one code (2, -3) the price is 5 and has the derivatives 1 and -1, so half of its "
    "square has the derivatives 5 and -5"
)
### BEGIN HIDDEN TESTS
for shape in ((6, 3), (1, 4), (5, 1), (2, 11)):
    z = torch.tensor(draw.normal(size=shape))
    probe(price=float(l1_penalty(z)), gradient=gradient(l1_penalty, z))
### END HIDDEN TESTS

# %% [markdown] task="l0" minutes=4 difficulty=1
# ## 2. How many units an example uses
#
# A small price does not say that a code is sparse. For that we count. A unit is *active* for an example if
# $\lvert z_{nj} \rvert$ is larger than a threshold $\tau$, and $L_0$ is the mean number of active units:
#
# $$L_0 = \frac{1}{N} \sum_{n=1}^{N} \sum_{j=1}^{k} \mathbb 1\{ \lvert z_{nj} \rvert > \tau \} .$$
#
# For codes with exact zeros (ReLU, top-k) $\tau = 0$ is right. A sigmoid is never zero and needs another threshold, which
# then has to be told along with the number.
#
# <details><summary>Hint</summary>
#
# A comparison gives a tensor of True and False. Its sum counts; a mean needs floating-point numbers first.
#
# </details>


# %% solution="l0"
# Not allowed here: aelib
def l0(z: Tensor, threshold: float = 0.0) -> Tensor:
    """The mean over the examples of the number of active units.

    Args:
        z: the codes, shape (N, k).
        threshold: the largest magnitude that counts as off, zero or more.

    Returns:
        The mean number of active units, from 0 to k, shape ().
    """
    ### BEGIN SOLUTION
    active = z.abs() > threshold
    return active.sum(dim=1).double().mean()
    ### END SOLUTION


# %% tests="l0-shape" points=0.25
# l0(z, threshold) is one number from 0 to k, and l0(z) has the threshold 0.
for answer in (l0(torch.ones(3, 4)), l0(torch.ones(3, 4), 0.5)):
    assert torch.as_tensor(answer).numel() == 1, (
        f"expected one number, got shape {tuple(torch.as_tensor(answer).shape)}"
    )
    assert 0 <= float(answer) <= 4, f"four units: expected 0 to 4, got {float(answer):g}"
### BEGIN HIDDEN TESTS
for shape in ((3, 4), (7, 2)):
    z = torch.tensor(draw.normal(size=shape))
    for count in (l0(z), l0(z, 0.5)):
        probe(numbers=torch.as_tensor(count).numel(), count=count)
### CHECK count: non_negative()
### END HIDDEN TESTS

# %% tests="l0-values" points=0.75
# The three codes use 2, 1 and 1 units: L0 = 4/3. A value of either sign counts, and only if
# it is larger than the threshold.
for threshold, expected in ((0.0, 4 / 3), (0.5, 1.0), (1.0, 2 / 3), (2.0, 1 / 3), (3.0, 0.0)):
    count = l0(THREE_CODES.clone(), threshold)
    assert agrees(float(count), expected), (
        f"threshold {threshold}: expected {expected:g}, got {float(count):g}"
    )
### BEGIN HIDDEN TESTS
for shape in ((6, 3), (1, 5), (4, 1), (3, 12)):
    z = torch.tensor(draw.integers(-4, 5, size=shape) / 4)
    for count in (l0(z), l0(z, 0.25), l0(z, 0.75), l0(10 * z + 1, 3.0)):
        probe(count=float(count))
### END HIDDEN TESTS

# %% [markdown] task="dead_units" minutes=5 difficulty=1
# ## 3. Dead units
#
# A unit that is off for *every* example is dead. Behind a ReLU its own weights then get no gradient any more, so left to
# itself it stays dead. Return the numbers of these units, counted from 0, in ascending order. *Off* is the opposite of active
# in task 2: $\lvert z_{nj} \rvert$ is at most the threshold. For the three codes in the set-up cell only unit 3 is dead.
#
# <details><summary>Hint</summary>
#
# `active.any(dim=0)` says for each unit whether it is active for some example, `~` turns True and False around, and
# `mask.nonzero()` gives the places where a mask is True, one a row.
#
# </details>


# %% solution="dead_units"
# Not allowed here: aelib
def dead_units(z: Tensor, threshold: float = 0.0) -> Tensor:
    """The units that are active for none of the examples.

    Args:
        z: the codes, shape (N, k).
        threshold: the largest magnitude that counts as off, zero or more.

    Returns:
        Their numbers from 0 to k - 1, ascending; shape (number of dead units,).
    """
    ### BEGIN SOLUTION
    used = (z.abs() > threshold).any(dim=0)
    return (~used).nonzero().squeeze(1)
    ### END SOLUTION


# %% tests="dead_units-shape" points=0.25
# dead_units(z, threshold) is a vector with one number for each dead unit; it may be empty.
for z, expected in (
    (THREE_CODES.clone(), (1,)),
    (torch.ones(2, 3), (0,)),
    (torch.zeros(2, 3), (3,)),
):
    dead = torch.as_tensor(dead_units(z))
    assert tuple(dead.shape) == expected, f"expected shape {expected}, got {tuple(dead.shape)}"
### BEGIN HIDDEN TESTS
for dead in (0, 1, 3):
    z = torch.tensor(draw.uniform(1, 2, size=(4, 6)))
    z[:, draw.permutation(6)[:dead]] = 0
    probe(dead=torch.as_tensor(dead_units(z)))
### CHECK dead: shape()
### END HIDDEN TESTS

# %% tests="dead_units-values" points=0.75
# Of the three codes only unit 3 is dead. With the threshold 0.5 unit 1 is off as well, as 0.5
# is not above it; with 1 also unit 2.
for threshold, expected in ((0.0, [3]), (0.5, [1, 3]), (1.0, [1, 2, 3]), (3.0, [0, 1, 2, 3])):
    dead = torch.as_tensor(dead_units(THREE_CODES.clone(), threshold))
    assert dead.tolist() == expected, (
        f"threshold {threshold}: expected {expected}, got {dead.tolist()}"
    )
### BEGIN HIDDEN TESTS
for shape in ((2, 9), (3, 16), (1, 6), (12, 2)):
    z = torch.tensor(draw.integers(-2, 3, size=shape) / 2)
    z = z * torch.tensor(draw.integers(0, 2, size=shape[1]))
    for threshold in (0.0, 0.5):
        probe(dead=torch.as_tensor(dead_units(z, threshold)))
    probe(dead=torch.as_tensor(dead_units(z)))
z = torch.zeros(4, 5)
# One example is enough to be alive.
z[2, draw.permutation(5)[:3]] = torch.tensor([1.0, -1.0, 0.5])
probe(dead=torch.as_tensor(dead_units(z, 0.75)))
### END HIDDEN TESTS

# %% [markdown] task="soft_threshold" minutes=6 difficulty=2
# ## 4. What a price does to one value
#
# An encoder sees the value $a$ and may keep any $z$ of either sign. With a price $w$ the cost is
# $\frac12 (a - z)^2 + w \lvert z \rvert$. For $z > 0$ it is a parabola with its lowest point at $a - w$, for $z < 0$ one with
# its lowest point at $a + w$, and where both are on the wrong side of zero, the best $z$ is 0. Together that is the *soft
# threshold*:
#
# $$z = \operatorname{sign}(a) \, \operatorname{relu}(\lvert a \rvert - w) .$$
#
# Small values become exactly zero, and large ones move toward zero by $w$. (If $z \ge 0$ is asked for, it is
# $\operatorname{relu}(a - w)$: a layer with a ReLU and a negative bias.)
#
# <details><summary>Hint</summary>
#
# `a.sign()`, `a.abs()` and `.clamp(min=0)` work on every value by itself, whatever the shape.
#
# </details>


# %% solution="soft_threshold"
# Not allowed here: aelib, torch.nn.functional.softshrink, torch.nn.Softshrink
def soft_threshold(a: Tensor, price: float) -> Tensor:
    """The z that makes 1/2 (a - z)^2 + price |z| smallest, for each value by itself.

    Args:
        a: the values, of any shape.
        price: the price w of a unit of activation, zero or more.

    Returns:
        The best values, of the shape of a. They have a gradient.
    """
    ### BEGIN SOLUTION
    return a.sign() * (a.abs() - price).clamp(min=0)
    ### END SOLUTION


# %% tests="soft_threshold-shape" points=0.25
# soft_threshold(a, price) has the shape of a, whatever that is.
for shape in ((4,), (2, 3), (1, 2, 2)):
    z = soft_threshold(torch.ones(shape), 0.5)
    assert tuple(z.shape) == shape, f"expected shape {shape}, got {tuple(z.shape)}"
### BEGIN HIDDEN TESTS
for shape in ((4,), (2, 3), (3, 1, 2)):
    probe(z=soft_threshold(torch.tensor(draw.normal(size=shape)), 0.5))
### CHECK z: shape()
### END HIDDEN TESTS

# %% tests="soft_threshold-values" points=0.75
# With the price 1, the values 3, 1, 0.5, 0, -1, -2.5 become 2, 0, 0, 0, 0, -1.5. With the
# price 0 nothing changes.
a = torch.tensor([3.0, 1.0, 0.5, 0.0, -1.0, -2.5])
z = soft_threshold(a.clone(), 1.0)
assert agrees(z, [2.0, 0.0, 0.0, 0.0, 0.0, -1.5]), f"price 1: got {shown(z)}"
z = soft_threshold(a.clone(), 0.0)
assert agrees(z, a), f"price 0: got {shown(z)}"
### BEGIN HIDDEN TESTS
for shape, price in (((7, 3), 0.4), ((1, 5), 1.2), ((30,), 0.0), ((2, 2, 4), 0.05)):
    probe(z=soft_threshold(torch.tensor(draw.normal(size=shape)), price))
probe(z=soft_threshold(torch.tensor([1000.0, -1000.0, 0.75, -0.75, 0.0]), 0.75))
### END HIDDEN TESTS

# %% tests="soft_threshold-gradient" points=0.5
# The gradient passes where a value is kept, and is zero where it is not.
a = torch.tensor([3.0, 0.5, -2.5])
z = gradient(soft_threshold, a, 1.0)
assert agrees(z, [2.0, 0.0, -1.5]), (
    f"derivatives of 1, 0, 1 times z are 2, 0, -1.5; yours (all zero: cut off) {shown(z)}"
)
### BEGIN HIDDEN TESTS
for shape, price in (((5, 4), 0.5), ((9,), 0.1)):
    probe(gradient=gradient(soft_threshold, torch.tensor(draw.normal(size=shape)), price))
### END HIDDEN TESTS

# %% [markdown] task="rate_penalty" minutes=8 difficulty=2
# ## 5. A target rate
#
# The second restriction is for codes in (0, 1), such as those of a sigmoid. Let $\hat\rho_j = \frac1N \sum_n z_{nj}$ be the
# mean of unit $j$ over the examples, its *rate*, and $\rho$ the target. Both are read as probabilities, and the penalty of
# the batch is
#
# $$\sum_{j=1}^k \operatorname{KL}(\rho \,\Vert\, \hat\rho_j) =
# \sum_{j=1}^k \Bigl( \rho \log \frac{\rho}{\hat\rho_j} + (1 - \rho) \log \frac{1 - \rho}{1 - \hat\rho_j} \Bigr)
# \quad \text{in nats.}$$
#
# It is zero if all rates are at the target. A unit that is 0 or 1 for the whole batch would cost infinitely much, so **hold
# each rate inside** $[10^{-6},\, 1 - 10^{-6}]$ before you compute the sum.
#
# The rate is a *mean*. A code that is 0.05 everywhere pays nothing for $\rho = 0.05$, and no value of it is ever above one
# half.
#
# <details><summary>Hint</summary>
#
# First `z.mean(dim=0)`: one rate for each unit. `.clamp(low, high)` holds values inside an interval. `torch.log` is the natural
# logarithm.
#
# </details>


# %% solution="rate_penalty"
# Not allowed here: aelib, torch.distributions, torch.nn.functional.kl_div, torch.nn.KLDivLoss
def rate_penalty(z: Tensor, rho: float) -> Tensor:
    """The sum over the units of KL(rho || rho_hat); rho_hat is the mean over the examples.

    Args:
        z: the codes, with values from 0 to 1, shape (N, k).
        rho: the target rate, more than 0 and less than 1.

    Returns:
        The penalty in nats, shape (). It has a gradient.
    """
    ### BEGIN SOLUTION
    rates = z.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    on = rho * torch.log(rho / rates)
    off = (1 - rho) * torch.log((1 - rho) / (1 - rates))
    return (on + off).sum()
    ### END SOLUTION


# %% tests="rate_penalty-shape" points=0.25
# rate_penalty(z, rho) is one number, and not negative.
penalty = rate_penalty(torch.full((3, 4), 0.5), 0.1)
assert torch.as_tensor(penalty).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(penalty).shape)}"
)
assert float(penalty) >= 0, f"a KL divergence is not negative, yours is {float(penalty):g}"
### BEGIN HIDDEN TESTS
for shape in ((3, 4), (5, 2)):
    penalty = rate_penalty(torch.tensor(draw.uniform(0.1, 0.9, size=shape)), 0.1)
    probe(numbers=torch.as_tensor(penalty).numel(), penalty=penalty)
### CHECK penalty: non_negative(atol=1e-9)
### END HIDDEN TESTS

# %% tests="rate_penalty-values" points=1
# Two units with the rates 0.5 and 0.25, and the target 0.25: only the first pays, about
# 0.130812 nats. The gradient passes through.
z = torch.tensor([[0.9, 0.2], [0.1, 0.3]])
penalty = rate_penalty(z.clone(), 0.25)
assert agrees(float(penalty), 0.13081203594113694), (
    f"expected 0.130812, got {float(penalty):.6f}"
)
assert agrees(float(rate_penalty(torch.full((4, 100), 0.05), 0.05)), 0.0), (
    "where all rates are at the target, the penalty is 0"
)
slope = gradient(rate_penalty, z, 0.25) / 0.13081203594113694
assert agrees(slope, [[0.5, 0.0], [0.5, 0.0]]), (
    f"the derivatives are 0.5 for the first unit and 0 for the second, yours are {shown(slope)}"
)
### BEGIN HIDDEN TESTS
for shape, rho in (((6, 3), 0.05), ((1, 5), 0.3), ((8, 1), 0.7), ((2, 9), 0.5)):
    z = torch.tensor(draw.uniform(0.02, 0.98, size=shape))
    probe(penalty=float(rate_penalty(z, rho)), gradient=gradient(rate_penalty, z, rho))
### END HIDDEN TESTS

# %% tests="rate_penalty-edges" points=0.75
# A unit that is 0 or 1 for the whole batch costs a finite amount: its rate is held at 0.000001
# or 0.999999.
penalty = rate_penalty(torch.tensor([[0.0, 1.0], [0.0, 1.0]]), 0.5)
assert agrees(float(penalty), 12.429217196391264), (
    f"rates 0 and 1 with the target 0.5: expected 12.429217, got {float(penalty):.6f}"
)
### BEGIN HIDDEN TESTS
for shape, rho in (((1, 6), 0.05), ((2, 5), 0.2), ((3, 2), 0.9)):
    z = torch.tensor(draw.integers(0, 2, size=shape).astype(float))
    z[:, 0], z[:, -1] = 0.0, 1.0
    probe(penalty=float(rate_penalty(z, rho)))
### END HIDDEN TESTS

# %% [markdown] task="top_k" minutes=9 difficulty=2
# ## 6. A budget for each example
#
# The third restriction is a budget: of each example only the $s$ largest values of $\operatorname{relu}(a)$ are kept, at
# their place and as they are, and all others become zero. An example with fewer than $s$ positive values keeps just these.
#
# *Ties.* Never more than $s$ values are kept. If several are equal at the cut, it is up to you which of them stay.
#
# Only values that are kept get a gradient.
#
# <details><summary>Hint</summary>
#
# `topk` gives the largest values and their places, along the dim that you name; `scatter` puts values at places of a tensor,
# for example of one that is all zeros. A comparison with the s-th largest value keeps too many where values tie.
#
# </details>


# %% solution="top_k"
# Not allowed here: aelib
def top_k(a: Tensor, s: int) -> Tensor:
    """Keep the s largest values of relu(a) in each row, and set all others to zero.

    Args:
        a: what the encoder gives before its activation, shape (N, k).
        s: how many units an example may use, 1 to k.

    Returns:
        The codes, shape (N, k). They have a gradient.
    """
    ### BEGIN SOLUTION
    values, places = torch.relu(a).topk(s, dim=1)
    return torch.zeros_like(a).scatter(1, places, values)
    ### END SOLUTION


# %% tests="top_k-shape" points=0.25
# top_k(a, s) has the shape of a, with at most s values in a row that are not zero.
z = top_k(torch.tensor([[5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]]), 3)
assert tuple(z.shape) == (2, 5), f"expected shape (2, 5), got {tuple(z.shape)}"
### BEGIN HIDDEN TESTS
for shape, s in (((2, 5), 3), ((6, 4), 1)):
    probe(z=top_k(torch.tensor(draw.normal(size=shape)), s))
### CHECK z: shape()
### END HIDDEN TESTS

# %% tests="top_k-values" points=1
# Of (3, 1, 2, -5) and s = 2 the values 3 and 2 are kept. Of (-1, -2, 0.5, -3) only 0.5 is:
# negative values never are.
a = torch.tensor([[3.0, 1.0, 2.0, -5.0], [-1.0, -2.0, 0.5, -3.0]])
z = top_k(a.clone(), 2)
assert agrees(z, [[3.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.5, 0.0]]), f"s = 2: got {shown(z)}"
z = top_k(a.clone(), 4)
assert agrees(z, torch.relu(a)), f"s = 4 keeps all that is positive, got {shown(z)}"
### BEGIN HIDDEN TESTS
for shape, s in (((6, 5), 2), ((5, 8), 3), ((1, 7), 1), ((4, 4), 4), ((3, 1), 1)):
    probe(z=top_k(torch.tensor(draw.normal(size=shape)), s))
probe(z=top_k(torch.tensor(draw.uniform(1, 2, size=(4, 9))), 5))
### END HIDDEN TESTS

# %% tests="top_k-ties" points=0.5
# Of (2, 2, 2, 1) and s = 2 two of the three equal values are kept, and never all three.
z = top_k(torch.tensor([[2.0, 2.0, 2.0, 1.0], [1.0, 4.0, 1.0, 1.0]]), 2)
assert agrees(z.sort(dim=1).values, [[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 4.0]]), (
    f"expected two values in each row, got {shown(z)}"
)
### BEGIN HIDDEN TESTS
for shape, s in (((7, 6), 2), ((4, 9), 4)):
    a = torch.tensor(draw.integers(1, 3, size=shape).astype(float))
    z = top_k(a.clone(), s)
    misplaced = (z != 0) & (z != a)
    probe(kept=z.sort(dim=1).values, misplaced=misplaced.sum())
### END HIDDEN TESTS

# %% tests="top_k-gradient" points=0.5
# The gradient passes where a value is kept, and is zero elsewhere.
a = torch.tensor([[3.0, 1.0, 2.0, -5.0], [-1.0, -2.0, 0.5, -3.0]])
slope = gradient(top_k, a, 2)
assert agrees(slope, [[3.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.5, 0.0]]), (
    f"|z|^2 / 2 has the gradient z; yours (all zero: cut off from a) is {shown(slope)}"
)
### BEGIN HIDDEN TESTS
for shape, s in (((5, 6), 2), ((1, 4), 1)):
    probe(gradient=gradient(top_k, torch.tensor(draw.normal(size=shape)), s))
### END HIDDEN TESTS

# %% [markdown] task="batch_top_k" minutes=6 difficulty=2
# ## 7. One budget for the whole batch
#
# With a budget of its own, a picture of plain sky may use $s$ units, and one of a crowd no more than these. So let a batch
# of $N$ examples share: of *all* its values, keep the $N s$ largest of $\operatorname{relu}(a)$, and set all others to zero.
# An example then uses at most $s$ units on average, one more and another fewer. Again never more than $N s$ are kept, of
# equal ones any may stay, and only values that are kept get a gradient.
#
# <details><summary>Hint</summary>
#
# `a.flatten()` makes one long row of the batch, and `.reshape(a.shape)` undoes it. Between the two, `topk` and `scatter` find
# the values and put them back, along dim=0.
#
# </details>


# %% solution="batch_top_k"
# Not allowed here: aelib
def batch_top_k(a: Tensor, s: int) -> Tensor:
    """Keep the N s largest values of relu(a) in the whole batch, and set all others to zero.

    Args:
        a: what the encoder gives before its activation, shape (N, k).
        s: how many units an example may use on average, 1 to k.

    Returns:
        The codes, shape (N, k). They have a gradient.
    """
    ### BEGIN SOLUTION
    values, places = torch.relu(a).flatten().topk(len(a) * s)
    z = torch.zeros(a.numel()).scatter(0, places, values)
    return z.reshape(a.shape)
    ### END SOLUTION


# %% tests="batch_top_k-shape" points=0.25
# batch_top_k(a, s) has the shape of a.
z = batch_top_k(torch.tensor([[5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]]), 3)
assert tuple(z.shape) == (2, 5), f"expected shape (2, 5), got {tuple(z.shape)}"
### BEGIN HIDDEN TESTS
for shape, s in (((2, 5), 3), ((6, 4), 1)):
    probe(z=batch_top_k(torch.tensor(draw.normal(size=shape)), s))
### CHECK z: shape()
### END HIDDEN TESTS

# %% tests="batch_top_k-values" points=1
# Two examples and s = 1 make a budget of 2: (3, 2.5, -9) keeps both, (1, 0.5, 2) nothing.
# Never more than N s, also with ties; the gradient passes where a value is kept.
a = torch.tensor([[3.0, 2.5, -9.0], [1.0, 0.5, 2.0]])
z = batch_top_k(a.clone(), 1)
assert agrees(z, [[3.0, 2.5, 0.0], [0.0, 0.0, 0.0]]), f"s = 1: got {shown(z)}"
z = batch_top_k(a.clone(), 2)
assert agrees(z, [[3.0, 2.5, 0.0], [1.0, 0.0, 2.0]]), f"s = 2: got {shown(z)}"
z = batch_top_k(torch.ones(2, 3), 1)
assert agrees(z.sum(), 2.0), f"of six ones and s = 1 two are kept, got {shown(z)}"
assert agrees(gradient(batch_top_k, a, 1), [[3.0, 2.5, 0.0], [0.0, 0.0, 0.0]]), (
    "half the squared length of z has the gradient z"
)
### BEGIN HIDDEN TESTS
for shape, s in (((6, 5), 1), ((5, 8), 3), ((1, 7), 2), ((3, 4), 4)):
    a = torch.tensor(draw.normal(size=shape))
    probe(z=batch_top_k(a, s), gradient=gradient(batch_top_k, a, s))
a = torch.tensor(draw.integers(1, 3, size=(5, 6)).astype(float))
for s in (1, 2):  # in one of the two the cut is among equal values, whatever is drawn
    z = batch_top_k(a.clone(), s)
    misplaced = (z != 0) & (z != a)
    probe(kept=z.flatten().sort().values, misplaced=misplaced.sum())
### END HIDDEN TESTS

# %% [markdown] task="rescale" minutes=8 difficulty=2
# ## 8. Columns of length one
#
# With a price on $z$, why not make $z$ small and the decoder's columns long? Then nobody pays. So where there is a price, the
# columns must have a fixed length. Take the autoencoder
#
# $$\hat x = W_\text{dec}\, z, \qquad z = \operatorname{relu}(W_\text{enc}\, x + b_\text{enc}),$$
#
# with $W_\text{enc}$ of shape (k, d) and $W_\text{dec}$ of shape (d, k). Give every column of $W_\text{dec}$ the length 1,
# and change $W_\text{enc}$ and $b_\text{enc}$ so that $\hat x$ **stays the same for every** $x$. This is possible because
# $\operatorname{relu}(c\,t) = c \operatorname{relu}(t)$ for $c > 0$. Keep the order of the units, and do not change the
# tensors that you are given.
#
# <details><summary>Hint</summary>
#
# If column j gets shorter by a factor, $z_j$ must get larger by the same one. Unit j has a column in $W_\text{dec}$ and a row
# in $W_\text{enc}$; `v[:, None]` makes a column of a vector. `a / b` makes a new tensor, `a /= b` changes the old one.
#
# </details>


# %% solution="rescale"
# Not allowed here: aelib
def rescale(w_enc: Tensor, b_enc: Tensor, w_dec: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """An autoencoder with the same reconstructions, and columns of length 1 in its decoder.

    Args:
        w_enc: the encoder's weights, shape (k, d).
        b_enc: its biases, shape (k,).
        w_dec: the decoder's weights, shape (d, k); no column is zero.

    Returns:
        New w_enc, b_enc and w_dec, of the same shapes.
    """
    ### BEGIN SOLUTION
    lengths = torch.linalg.vector_norm(w_dec, dim=0)
    return w_enc * lengths[:, None], b_enc * lengths, w_dec / lengths
    ### END SOLUTION


# %% tests="rescale-shape" points=0.25
# rescale(w_enc, b_enc, w_dec) returns three tensors of the shapes that they had.
triple = rescale(torch.ones(2, 3), torch.ones(2), torch.ones(3, 2))
assert is_triple(triple), "return three tensors: w_enc, b_enc, w_dec"
for name, tensor, expected in zip(("w_enc", "b_enc", "w_dec"), triple, ((2, 3), (2,), (3, 2))):
    assert tuple(tensor.shape) == expected, (
        f"{name}: expected shape {expected}, got {tuple(tensor.shape)}"
    )
### BEGIN HIDDEN TESTS
for d, k in ((3, 2), (2, 5)):
    shapes = (k, d), (k,), (d, k)
    w_enc, b_enc, w_dec = rescale(*(torch.tensor(draw.normal(size=shape)) for shape in shapes))
    probe(w_enc=w_enc, b_enc=b_enc, w_dec=w_dec)
### CHECK w_enc: shape()
### CHECK b_enc: shape()
### CHECK w_dec: shape()
### END HIDDEN TESTS

# %% tests="rescale-columns" points=0.75
# The columns of the new w_dec have the length 1 and the direction that they had.
w_dec = rescale(torch.ones(2, 2), torch.ones(2), torch.tensor([[3.0, 0.0], [4.0, -2.0]]))[2]
assert agrees(w_dec, [[0.6, 0.0], [0.8, -1.0]]), (
    f"the columns (3, 4) and (0, -2) become (0.6, 0.8) and (0, -1), yours are {shown(w_dec)}"
)
### BEGIN HIDDEN TESTS
for d, k in ((5, 3), (4, 4), (3, 7), (6, 1)):
    shapes = (k, d), (k,), (d, k)
    given = [torch.tensor(draw.normal(size=shape)) for shape in shapes]
    probe(w_dec=rescale(*given)[2])
### END HIDDEN TESTS

# %% tests="rescale-same" points=1
# Every x has the reconstruction that it had before, and the tensors that were passed in are
# as they were.
given = (
    torch.tensor([[1.0, 2.0], [0.5, -1.0]]),
    torch.tensor([0.5, 1.0]),
    torch.diag(torch.tensor([5.0, 0.2])),
)
copies = [tensor.clone() for tensor in given]
w_enc, b_enc, w_dec = rescale(*copies)
points = torch.tensor([[1.0, 1.0], [0.0, 0.0], [-2.0, 3.0], [4.0, 0.5]])
old = encode(points, *given[:2]) @ given[2].T
new = encode(points, w_enc, b_enc) @ w_dec.T
assert agrees(new, old), f"the reconstructions were {shown(old)}\nand are now {shown(new)}"
for name, tensor, copy in zip(("w_enc", "b_enc", "w_dec"), given, copies):
    assert agrees(copy, tensor), f"you changed the {name} that you were given; make a new one"
### BEGIN HIDDEN TESTS
for d, k in ((5, 3), (4, 4), (3, 7), (6, 1)):
    shapes = (k, d), (k,), (d, k)
    given = [torch.tensor(draw.normal(size=shape)) for shape in shapes]
    x = torch.tensor(draw.normal(size=(12, d)))
    w_enc, b_enc, w_dec = rescale(*given)
    probe(x_hat=encode(x, w_enc, b_enc) @ w_dec.T, lengths=w_dec.norm(dim=0))
    probe(old_w_enc=given[0], old_b_enc=given[1], old_w_dec=given[2])
### END HIDDEN TESTS

# %% [markdown] task="ista" minutes=11 difficulty=3
# ## 9. The best code, when columns are not orthonormal
#
# For a given decoder $W$ the best sparse code of $x$ makes $\frac12 \lVert x - W z \rVert^2 + w \lVert z \rVert_1$ smallest.
# If the columns are orthonormal, one soft threshold of $W^\top x$ does it. If not, *iterate*: a step down the gradient of the
# error, then a soft threshold. Let $L$ be the largest eigenvalue of $W^\top W$, which is the square of the largest singular
# value of $W$. Start from $z = 0$, and repeat
#
# $$a \leftarrow z - \frac1L W^\top (W z - x), \qquad
# z \leftarrow \operatorname{sign}(a) \, \operatorname{relu}\Bigl(\lvert a \rvert - \frac wL\Bigr).$$
#
# With the step $1/L$ the cost never rises. This is the *iterative shrinkage-thresholding algorithm*, ISTA. Each example (row
# of `x`) has its own code, and all of them can be computed at once.
#
# <details><summary>Hint</summary>
#
# The formula is for one example, a column. With examples in rows, $W z$ becomes `z @ W.T` and $W^\top v$ becomes `v @ W`.
# `torch.linalg.matrix_norm(W, ord=2)` is the largest singular value. With zero steps the codes are zero.
#
# </details>


# %% solution="ista"
# Not allowed here: aelib, sklearn, torch.nn.functional.softshrink, torch.nn.Softshrink
def ista(x: Tensor, w_dec: Tensor, price: float, steps: int) -> Tensor:
    """The codes after so many steps of ISTA with the step size 1/L, from z = 0.

    Args:
        x: the examples, shape (N, d).
        w_dec: the decoder's weights, any matrix of shape (d, k) that is not zero.
        price: the price w of a unit of activation, zero or more.
        steps: how many steps, zero or more.

    Returns:
        The codes, of either sign, shape (N, k).
    """
    ### BEGIN SOLUTION
    L = torch.linalg.matrix_norm(w_dec, ord=2) ** 2
    z = torch.zeros(len(x), w_dec.shape[1])
    for _ in range(steps):
        a = z - (z @ w_dec.T - x) @ w_dec / L
        z = a.sign() * (a.abs() - price / L).clamp(min=0)
    return z
    ### END SOLUTION


# %% tests="ista-shape" points=0.25
# ista(x, w_dec, price, steps) has one row for each example and one column for each unit.
z = ista(torch.ones(5, 3), torch.ones(3, 2), 0.1, 2)
assert tuple(z.shape) == (5, 2), f"N = 5, k = 2: expected shape (5, 2), got {tuple(z.shape)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((5, 3, 2), (1, 2, 6)):
    x, w_dec = (torch.tensor(draw.normal(size=shape)) for shape in ((n, d), (d, k)))
    probe(z=ista(x, w_dec, 0.1, 2))
### CHECK z: shape()
### END HIDDEN TESTS

# %% tests="ista-one-step" points=1
# For W = 2 I, L is 4: with x = (3, -1, 0.2) and price 0.5 one step gives a = x / 2 and
# z = (1.375, -0.375, 0).
x, w_dec = torch.tensor([[3.0, -1.0, 0.2]]), 2 * torch.eye(3)
z = ista(x, w_dec, 0.5, 1)
assert agrees(z, [[1.375, -0.375, 0.0]]), f"expected (1.375, -0.375, 0), got {shown(z)}"
z = ista(x, w_dec, 0.5, 0)
assert agrees(z, torch.zeros(1, 3)), f"with no step the code is zero, got {shown(z)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((6, 4, 3), (3, 3, 8), (1, 5, 5), (4, 1, 2)):
    x, w_dec = (torch.tensor(draw.normal(size=shape)) for shape in ((n, d), (d, k)))
    for steps in (0, 1):
        probe(z=ista(x, w_dec, 0.2, steps))
### END HIDDEN TESTS

# %% tests="ista-steps" points=1
# The second step starts from the first one's code. For the columns (1, 0) and (0.6, 0.8), L is
# 1.6; the cost falls from step to step.
x, w_dec = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 0.6], [0.0, 0.8]])
z = ista(x, w_dec, 0.4, 2)
assert agrees(z, [[0.09375, 1.40625]]), (
    f"after two steps expected (0.09375, 1.40625), got {shown(z)}"
)
costs = []
for steps in range(8):
    z = ista(x, w_dec, 0.4, steps)
    costs.append(float((x - z @ w_dec.T).pow(2).sum() / 2 + 0.4 * z.abs().sum()))
assert sorted(costs, reverse=True) == costs, f"the cost rises somewhere: {costs}"
### BEGIN HIDDEN TESTS
for n, d, k in ((6, 4, 3), (3, 3, 8), (1, 5, 5)):
    x, w_dec = (torch.tensor(draw.normal(size=shape)) for shape in ((n, d), (d, k)))
    for steps, price in ((2, 0.3), (7, 0.1), (60, 0.5), (5, 0.0)):
        probe(z=ista(x, w_dec, price, steps))
### END HIDDEN TESTS

# %% [markdown] task="train" minutes=15 difficulty=4
# ## 10. Train a sparse autoencoder
#
# Train the autoencoder of task 8, $\hat x = W_\text{dec}\, z$ with
# $z = \operatorname{relu}(W_\text{enc}\, x + b_\text{enc})$, with a price $w$ on its code. Make
#
# $$\frac{1}{N} \sum_{n=1}^{N} \Bigl( \tfrac12 \lVert x_n - \hat x_n \rVert^2 + w \sum_{j=1}^{k} z_{nj} \Bigr)
# \qquad \text{with columns of length 1 in } W_\text{dec}$$
#
# small, over $W_\text{enc}$, $b_\text{enc}$ and $W_\text{dec}$, from the weights that are given. Keep the columns at length 1
# *during* the training, for example by dividing each by its length after every update (and leave the encoder alone then: what
# task 8 does to it would undo what the price has just done). If you do so only at the end, the price was never paid.
#
# You are graded by what comes out: columns of length 1, a loss on *new* examples that is at most 10 percent above ours, and a
# balance of price and error as ours: the sum of a code within 7 percent of ours, the squared error within 40 percent, and codes
# of zeros if the price is more than any unit is worth. With Adam, `steps` updates with all examples and the learning rate `lr`
# are enough; any other method that gets there is as good. Do not change the weights that you are given: start from copies.
#
# <details><summary>Hint</summary>
#
# `start.clone().requires_grad_()` is a copy that can be trained, and `torch.optim.Adam([...], lr=lr)` takes a list of them.
# The set-up cell has `encode`. An update is: loss, `zero_grad`, `backward`, `step`. What you do to weights after it belongs
# into a `torch.no_grad()` block.
#
# </details>


# %% solution="train"
# Not allowed here: aelib
def train(
    x: Tensor, w_enc: Tensor, b_enc: Tensor, w_dec: Tensor, price: float, steps: int, lr: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Train a sparse autoencoder with a price on its code and columns of length 1.

    Args:
        x: the training data, shape (N, d).
        w_enc: the encoder's weights to begin with, shape (k, d).
        b_enc: its biases to begin with, shape (k,).
        w_dec: the decoder's weights to begin with, with columns of length 1, shape (d, k).
        price: the price w of a unit of activation.
        steps: how many updates are enough with Adam.
        lr: a good learning rate for Adam.

    Returns:
        The trained w_enc, b_enc and w_dec, detached.
    """
    ### BEGIN SOLUTION
    weights = [start.clone().requires_grad_() for start in (w_enc, b_enc, w_dec)]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for _ in range(steps):
        w_enc, b_enc, w_dec = weights
        z = encode(x, w_enc, b_enc)
        error = (x - z @ w_dec.T).square().sum(dim=1).mean()
        loss = 0.5 * error + price * z.sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            w_dec /= torch.linalg.vector_norm(w_dec, dim=0)
    return tuple(weight.detach() for weight in weights)
    ### END SOLUTION


# %% tests="train-shape" points=0.25
# train(...) returns three tensors of the shapes of the weights that it got, detached from the
# training.
x, start = parts(seed=1, n=20)
triple = train(x, *start, price=0.2, steps=2, lr=0.03)
assert is_triple(triple), "return three tensors: w_enc, b_enc, w_dec"
for name, tensor, given in zip(("w_enc", "b_enc", "w_dec"), triple, start):
    assert tensor.shape == given.shape, (
        f"{name}: expected shape {tuple(given.shape)}, got {tuple(tensor.shape)}"
    )
    assert not tensor.requires_grad, f"{name} is still being trained: return its detach()"
### BEGIN HIDDEN TESTS
x, start = parts(int(draw.integers(2**31)), n=20)
w_enc, b_enc, w_dec = train(x, *start, price=0.2, steps=2, lr=0.03)
probe(w_enc=w_enc, b_enc=b_enc, w_dec=w_dec)
probe(attached=[bool(weight.requires_grad) for weight in (w_enc, b_enc, w_dec)])
### CHECK w_enc: shape()
### CHECK b_enc: shape()
### CHECK w_dec: shape()
### END HIDDEN TESTS

# %% tests="train-columns" points=0.75
# After a few updates the weights have moved, the columns of w_dec have length 1, and the
# weights that were given are as they were.
x, start = parts(seed=2, n=50)
copies = [weight.clone() for weight in start]
trained = train(x, *copies, price=0.2, steps=5, lr=0.03)
lengths = trained[2].norm(dim=0)
assert agrees(lengths, torch.ones(4)), f"the lengths of the columns are {shown(lengths)}"
for name, old, copy, new in zip(("w_enc", "b_enc", "w_dec"), start, copies, trained):
    assert agrees(copy, old), f"you changed the {name} that you were given; train a copy"
    assert not agrees(new, old), f"{name} has not changed: is it among the trained weights?"
### BEGIN HIDDEN TESTS
x, start = parts(int(draw.integers(2**31)), n=50)
trained = train(x, *start, price=0.2, steps=5, lr=0.03)
probe(lengths=trained[2].norm(dim=0))
probe(given=list(start), moved=[not agrees(new, old) for new, old in zip(trained, start)])
### END HIDDEN TESTS

# %% tests="train-loss" points=0.75
# On 200 new examples the loss is below 0.25; the weights to begin with have 0.37. (The columns
# are given length 1 first.)
x, start = parts(seed=3)
w_enc, b_enc, w_dec = train(x[:300], *start, price=0.2, steps=60, lr=0.05)
error, size = measured(x[300:], (w_enc, b_enc, w_dec / w_dec.norm(dim=0)))
assert 0.5 * error + 0.2 * size < 0.25, (
    f"expected less than 0.25, got {0.5 * error + 0.2 * size:.4f}: half of the squared error "
    f"{error:.4f}, and 0.2 times the sum of the code {size:.4f}"
)
### BEGIN HIDDEN TESTS
x, start = parts(int(draw.integers(2**31)))
w_enc, b_enc, w_dec = train(x[:300], *start, price=0.2, steps=60, lr=0.05)
error, size = measured(x[300:], (w_enc, b_enc, w_dec / w_dec.norm(dim=0)))
probe(loss=0.5 * error + 0.2 * size)
### CHECK loss: at_most(times=1.1)
### END HIDDEN TESTS

# %% tests="train-size" points=0.75
# With the price 0.2 codes sum to about 0.9; with 1.7, more than a unit is worth, all are zero.
# Check the half before the error, the sums and means, and when columns get their length.
x, start = parts(seed=3)
w_enc, b_enc, w_dec = train(x[:300], *start, price=0.2, steps=60, lr=0.05)
error, size = measured(x[300:], (w_enc, b_enc, w_dec))
assert 0.87 < size < 1.0, f"expected a mean sum of 0.87 to 1, got {size:.4f}"
assert 0.05 < error < 0.11, f"expected a squared error of 0.05 to 0.11, got {error:.4f}"
_, size = measured(x[:100], train(x[:100], *start, price=1.7, steps=60, lr=0.05))
assert size < 0.04, f"with the price 1.7 expected codes of zeros, got the mean sum {size:.4f}"
### BEGIN HIDDEN TESTS
x, start = parts(int(draw.integers(2**31)))
w_enc, b_enc, w_dec = train(x[:300], *start, price=0.2, steps=60, lr=0.05)
error, size = measured(x[300:], (w_enc, b_enc, w_dec))
probe(size=size, error=error)
_, size = measured(x[:100], train(x[:100], *start, price=1.7, steps=60, lr=0.05))
probe(too_dear=size)
### CHECK size: close(rtol=0.07)
### CHECK error: close(rtol=0.4)
### CHECK too_dear: close(atol=0.04)
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on 600 handwritten digits. We train 32 units with a price, look at what they have become,
# and code the same digits in four ways with the same decoder. Each column begins as one of the digits minus their mean. This
# part is worth no points; change it as you like: begin with random columns, for example, and count the dead units.

# %%
digits = data.digits().x[:600]
x = digits.flatten(1).double()
first = (x[:32] - x.mean(dim=0)).T
first = first / first.norm(dim=0)
w_enc, b_enc, w_dec = train(x, first.T, torch.zeros(32), first, price=0.3, steps=100, lr=0.01)
a = x @ w_enc.T + b_enc
codes = {
    "encoder": encode(x, w_enc, b_enc),
    "ISTA": ista(x, w_dec, 0.3, 40),
    "budget each": top_k(a, 4),
    "budget shared": batch_top_k(a, 4),
}
for name, z in codes.items():
    error = (x - z @ w_dec.T).pow(2).sum() / len(x)
    counted, paid = float(l0(z)), float(l1_penalty(z))
    print(f"{name:13}  L0 {counted:5.2f}, price {paid:5.2f}, error {float(error):5.2f}")
print("units that no digit uses:", dead_units(codes["encoder"]).tolist())
print("a = 1 with the price 0.3:", float(soft_threshold(torch.tensor(1.0), 0.3)))
rates = (codes["encoder"] > 0).double()
print(f"penalty for the target rate 0.1: {float(rate_penalty(rates, 0.1)):.2f} nats")
twice = rescale(w_enc / 2, b_enc / 2, 2 * w_dec)
print("columns of length 2 can be undone:", agrees(twice[2], w_dec))

viz.use_style()
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.4))
most_used = codes["encoder"].sum(dim=0).argsort(descending=True)[:24]
columns = w_dec.T[most_used] / w_dec.T[most_used].abs().amax(dim=1, keepdim=True)
viz.image_grid(left, columns.reshape(-1, 1, 8, 8).float(), columns=8, low=-1, high=1)
left.set_title("The 24 units that are used most")
x_hat = codes["encoder"] @ w_dec.T
both = torch.cat([digits[:8], x_hat[:8].reshape(-1, 1, 8, 8).float()])
viz.image_grid(right, both, columns=8)
right.set_title("Eight digits and their reconstructions")
plt.show()

# %% [markdown] locked="evasion"
# ## What a price is paid in
#
# The next cell trains nothing. It takes an autoencoder with columns of length 1, divides $W_\text{enc}$ and $b_\text{enc}$ by
# $c$, and multiplies $W_\text{dec}$ by $c$. Run it and compare the rows.

# %% locked="evasion-table"
examples, (w_enc, b_enc, w_dec) = parts(seed=4)
found = []
for c in (1.0, 10.0, 1000.0):
    error, size = measured(examples, (w_enc / c, b_enc / c, c * w_dec))
    active = encode(examples, w_enc / c, b_enc / c).count_nonzero() / len(examples)
    print(f"c = {c:4.0f}: error {error:.4f}, sum of the code {size:.4f}, active {active:.2f}")
    found.append((error, size * c, float(active)))
assert np.allclose(found, found[0]), "the error and the number of active units do not change"

# %% [markdown] task="evasion" minutes=12 difficulty=3
# ## 11. Price and budget
#
# The three rows of the table above have the same error and the same number of active units, and yet very different prices. In
# six to ten sentences or formulas:
#
# 1. Show why neither the error nor the active units depend on $c$. What will training do with a price if nobody looks after
#    the length of the columns, and how many zeros does the price buy then?
# 2. Now take a budget of $s$ units for each example (task 6) and no price. What does the factor $c$ change, and what can
#    training gain from it? Is there anything to be looked after?
# 3. With columns of length 1 a price still does something to the values that it keeps, which a budget does not. Say what, and
#    how much, for orthonormal columns, and how you would undo it after training.

# %% [markdown] answer="evasion-why" points=3
# 1. For $c > 0$, $\operatorname{relu}((W_\text{enc} x + b_\text{enc}) / c) = z / c$, because
# $\operatorname{relu}(t/c) = \operatorname{relu}(t)/c$. The decoder gives
# $(c\, W_\text{dec})(z / c) = W_\text{dec}\, z = \hat x$, so the error is the same; and $z_j / c > 0$ exactly where
# $z_j > 0$, so the same units are active. The price is $w \lVert z \rVert_1 / c$. It falls to zero for $c \to \infty$ at no
# cost in error, so training makes codes small and columns long. In the limit nothing is paid, the loss is that of an
# autoencoder without a price, and the price buys no zeros. Columns must be held at a fixed length, or pay for it (weight
# decay).
# 2. Nothing but the scale of the code: dividing all values by the same $c > 0$ changes neither their order nor their signs,
# so the same $s$ units are kept, and the reconstruction is the same. The loss has no term that depends on the size of $z$, so
# there is nothing to gain, and no length must be looked after: a budget counts, and counting knows no scale. (A factor of its
# own for each unit does change the order, and so which units are kept; but it cannot make the budget ineffective.)
# 3. Shrinkage: for orthonormal columns the best code is $z_j = \operatorname{relu}(a_j - w)$, so every value that is kept is
# too small by $w$, and the squared error is larger by $w^2$ for each active unit. To undo it, take the units that the price
# has chosen and compute their values anew without the price: add $w$ back for orthonormal columns, least squares on the
# active columns for others.
#
# **Rubric** (1 point each)
#
# - The scaling argument for error *and* active units, and what follows: columns grow, the price falls to zero, no zeros are
#   bought. Half a point if the consequence for training is missing, or if only the error is treated.
# - A budget: the order of the values, hence the choice and the reconstruction, do not change; nothing can be gained and
#   nothing must be held. Half a point for the claim without the reason (order, or that the loss has no term in the size of
#   $z$).
# - Shrinkage by $w$ for each active value (or $w^2$ in the error), and a way to undo it: least squares on the active units,
#   adding $w$ back, or training on without the price with the choice of units fixed. Half a point if the amount or the remedy
#   is missing.
