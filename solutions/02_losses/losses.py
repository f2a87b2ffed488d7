# %% [markdown] locked="intro"
# # Losses and gradients by hand
#
# A loss is the surprise of the decoder at the data, in nats. In the first half you write the three surprises that this course
# uses and convert between the numbers that programs print. In the second half you train a small autoencoder with gradients
# that you derived yourself: no automatic differentiation, no ready optimizer. At the end you put it together on handwritten
# digits. The chapters *Training by hand* and *Losses are likelihoods* have the derivations.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top says
#   what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points.
# - Data are tensors with one example a row: `x` has shape (N, d). Numbers must agree to 0.000001, relative or absolute.
#   You may use anything in torch and numpy, but what a task asks for cannot be imported: where a line above the function says
#   `Not allowed here`, code that uses one of these names earns nothing in that task. Comparing with them in a cell of your own
#   is fine. Functions return tensors unless they say otherwise.
# - Before you submit: Kernel, Restart Kernel and Run All Cells, then save. (It stops at the first error; a task that you
#   skipped is one. Save all the same.)

# %% locked="install"
# {install}

# %% locked="setup"
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from aelib import data, viz

# All numbers in this notebook are float64, also those that you make with torch.zeros.
torch.set_default_dtype(torch.float64)

# Three images of four pixels, and what some model made of them: each reconstruction is at the
# squared distance 0.07 from its image.
IMAGES = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]])
RECONSTRUCTIONS = torch.tensor(
    [[0.9, 0.1, 0.8, 0.1], [0.1, 0.9, 0.1, 0.8], [0.8, 0.9, 0.1, 0.1]]
)

# Two examples with two features, and the parameters of an autoencoder with one value in its
# code: w_enc, b_enc, w_dec, b_dec.
TWO_EXAMPLES = torch.tensor([[1.0, 0.5], [0.0, -1.0]])
SMALL_NETWORK = (
    torch.tensor([[0.8, -0.4]]),
    torch.tensor([0.1]),
    torch.tensor([[1.0], [-0.5]]),
    torch.tensor([0.0, 0.2]),
)


def agrees(answer, expected) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and agree to 0.000001."""
    a, b = torch.as_tensor(answer).detach().double(), torch.as_tensor(expected).double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-6, atol=1e-6)


def shown(answer) -> str:
    """The numbers of a tensor, rounded and on a line of their own, for a message."""
    return "\n" + str(np.round(torch.as_tensor(answer).detach().numpy(), 4))


def seeded(seed: int) -> torch.Generator:
    """A generator of random numbers that always gives the same ones."""
    return torch.Generator().manual_seed(seed)


def is_group(answer, size: int) -> bool:
    """Whether a function returned so many things."""
    return isinstance(answer, (tuple, list)) and len(answer) == size


# %% [markdown] task="gaussian_nll" minutes=5 difficulty=1
# ## 1. The Gaussian surprise
#
# The decoder says $\hat x$, and believes that each of the $d$ values is normal around it with the standard deviation $\sigma$.
# Its surprise at the example is
#
# $$L(x) = -\log p_\theta(x \mid z)
# = \frac{1}{2\sigma^2} \lVert x - \hat x \rVert^2 + d \log \sigma + \frac d2 \log 2\pi .$$
#
# One number for each example. The half and the constants belong to it: without them it is no log-probability.
#
# <details><summary>Hint</summary>
#
# Sum the squares over the features, `dim=1`. The last two terms are the same for all examples; `math.log` computes them.
#
# </details>


# %% solution="gaussian_nll"
# Not allowed here: aelib, scipy, torch.distributions
# Not allowed here: torch.nn.functional.gaussian_nll_loss, torch.nn.GaussianNLLLoss
def gaussian_nll(x: Tensor, x_hat: Tensor, sigma: float) -> Tensor:
    """The negative log-likelihood of each example under N(x_hat, sigma^2 I), in nats.

    Args:
        x: the examples, shape (N, d).
        x_hat: their reconstructions, shape (N, d).
        sigma: the standard deviation, more than 0.

    Returns:
        One value for each example, constants included, shape (N,).
    """
    ### BEGIN SOLUTION
    d = x.shape[1]
    squares = (x - x_hat).square().sum(dim=1)
    return squares / (2 * sigma**2) + d * math.log(sigma) + d / 2 * math.log(2 * math.pi)
    ### END SOLUTION


# %% tests="gaussian_nll-shape" points=0.5
# gaussian_nll(x, x_hat, sigma) is one number for each example, not one for the batch.
nll = gaussian_nll(torch.zeros(5, 3), torch.ones(5, 3), 1.0)
assert tuple(nll.shape) == (5,), f"five examples: expected shape (5,), got {tuple(nll.shape)}"
### BEGIN HIDDEN TESTS
for n, d in ((5, 3), (1, 4), (2, 1)):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, d)))
    probe(nll=gaussian_nll(x, x_hat, 1.0))
### CHECK nll: shape()
### END HIDDEN TESTS

# %% tests="gaussian_nll-values" points=1
# Each of the three images costs 0.07/2 + 2 log(2 pi) = 3.7108 nats with sigma = 1, and
# -2.0346 nats with sigma = 0.1. (A density can be larger than 1, so this can be negative.)
for sigma, expected in ((1.0, 3.710754133), (0.1, -2.034586239)):
    nll = gaussian_nll(IMAGES, RECONSTRUCTIONS, sigma)
    assert agrees(nll, torch.full((3,), expected)), (
        f"sigma = {sigma}: expected three times {expected:.4f}, got {shown(nll)}"
    )
### BEGIN HIDDEN TESTS
for n, d, sigma in ((6, 3, 1.0), (2, 7, 0.5), (1, 4, 3.0), (4, 1, 1.7), (3, 3, 0.01)):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, d)))
    probe(nll=gaussian_nll(x, x_hat, sigma))
### END HIDDEN TESTS

# %% [markdown] task="best_sigma" minutes=4 difficulty=1
# ## 2. How sure may it be?
#
# Let $J$ be the mean of $\lVert x - \hat x \rVert^2$ over the examples. The mean of the Gaussian surprise is
# $J/(2\sigma^2) + d\log\sigma$ and a constant. Its derivative by $\log\sigma$ is $-J/\sigma^2 + d$, and that is zero at
#
# $$\sigma^2 = \frac Jd .$$
#
# So the best *variance* is the mean squared error of a single value. Return the best *standard deviation*.
#
# <details><summary>Hint</summary>
#
# $J/d$ is the mean of all squares, over examples and features. Nothing is subtracted from the errors first: errors that all
# have the same sign are errors too.
#
# </details>


# %% solution="best_sigma"
def best_sigma(x: Tensor, x_hat: Tensor) -> Tensor:
    """The standard deviation under which the examples are most probable, one for all values.

    Args:
        x: the examples, shape (N, d).
        x_hat: their reconstructions, not all of them exact, shape (N, d).

    Returns:
        The standard deviation, in the units of x, shape ().
    """
    ### BEGIN SOLUTION
    return (x - x_hat).square().mean().sqrt()
    ### END SOLUTION


# %% tests="best_sigma-shape" points=0.5
# best_sigma(x, x_hat) is one number, and it is more than 0.
sigma = best_sigma(IMAGES, RECONSTRUCTIONS)
assert torch.as_tensor(sigma).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(sigma).shape)}"
)
assert float(sigma) > 0, f"a standard deviation is more than 0, yours is {float(sigma):g}"
### BEGIN HIDDEN TESTS
x, x_hat = torch.tensor(draw.normal(size=(2, 5, 3)))
sigma = torch.as_tensor(best_sigma(x, x_hat))
probe(numbers=sigma.numel(), sigma=sigma)
### CHECK sigma: non_negative()
### END HIDDEN TESTS

# %% tests="best_sigma-values" points=1
# The twelve pixels of the three images have the mean squared error 0.0175; its root is
# 0.1323. Where all errors are 3, sigma is 3.
sigma = best_sigma(IMAGES, RECONSTRUCTIONS)
assert agrees(float(sigma), 0.132287566), f"expected 0.1323, got {float(sigma):.4f}"
sigma = best_sigma(torch.full((2, 5), 3.0), torch.zeros(2, 5))
assert agrees(float(sigma), 3.0), f"all errors are 3: expected 3, got {float(sigma):.4f}"
### BEGIN HIDDEN TESTS
for n, d in ((6, 3), (2, 9), (1, 4), (5, 1)):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, d)))
    probe(sigma=float(best_sigma(2 * x + 1, x_hat)))
### END HIDDEN TESTS

# %% [markdown] task="mse_to_nats" minutes=5 difficulty=2
# ## 3. Somebody else's number
#
# A program prints $v$, the mean of the squares over *everything*: examples, channels, rows and columns. This is what
# `torch.nn.functional.mse_loss` computes. For examples of $d$ values that is $v = J/d$. Turn it into the mean of the Gaussian
# surprise, in nats for one example:
#
# $$\frac{d}{2\sigma^2}\, v + d \log \sigma + \frac d2 \log 2\pi .$$
#
# You get the shape of an example and not $d$: an image of shape (3, 8, 8) has $d = 192$ values.
#
# <details><summary>Hint</summary>
#
# `math.prod` multiplies the numbers of a tuple.
#
# </details>


# %% solution="mse_to_nats"
# Not allowed here: aelib
def mse_to_nats(mse: float, event_shape: tuple[int, ...], sigma: float) -> float:
    """The mean Gaussian negative log-likelihood, from a mean squared error over everything.

    Args:
        mse: the mean of the squared errors over all examples and all their values.
        event_shape: the shape of one example, such as (1, 28, 28).
        sigma: the standard deviation, more than 0.

    Returns:
        Nats for one example, constants included; a float or a tensor with one number.
    """
    ### BEGIN SOLUTION
    d = math.prod(event_shape)
    return d / 2 * (mse / sigma**2 + 2 * math.log(sigma) + math.log(2 * math.pi))
    ### END SOLUTION


# %% tests="mse_to_nats-shape" points=0.25
# mse_to_nats(mse, event_shape, sigma) is one finite number, for examples of any shape.
for event_shape in ((4,), (1, 28, 28), (5, 2)):
    nats = mse_to_nats(0.0175, event_shape, 1.0)
    assert torch.as_tensor(nats).numel() == 1, f"{event_shape}: expected one number"
    assert math.isfinite(float(nats)), f"{event_shape}: expected a finite number, got {nats}"
### BEGIN HIDDEN TESTS
for event_shape in ((3,), (2, 4, 4)):
    nats = torch.as_tensor(mse_to_nats(float(draw.uniform(0.1, 1)), event_shape, 1.0))
    probe(numbers=nats.numel(), nats=nats)
### CHECK nats: finite()
### END HIDDEN TESTS

# %% tests="mse_to_nats-values" points=0.75
# Four pixels with the mean squared error 0.0175 cost 3.7108 nats with sigma = 1 and -2.0346
# with sigma = 0.1. An image of shape (3, 2, 2) has three times as many values: 11.1323 nats.
for event_shape, sigma, expected in (
    ((4,), 1.0, 3.710754133),
    ((4,), 0.1, -2.034586239),
    ((3, 2, 2), 1.0, 11.132262399),
):
    nats = float(mse_to_nats(0.0175, event_shape, sigma))
    assert agrees(nats, expected), (
        f"event_shape {event_shape}, sigma {sigma}: expected {expected:.4f}, got {nats:.4f}"
    )
### BEGIN HIDDEN TESTS
for event_shape, sigma in (((5,), 1.0), ((1,), 0.3), ((1, 28, 28), 0.5), ((2, 3), 4.0)):
    probe(nats=float(mse_to_nats(float(draw.uniform(0.1, 2)), event_shape, sigma)))
probe(perfect=float(mse_to_nats(0.0, (3, 2), 0.7)))
### END HIDDEN TESTS

# %% [markdown] task="bernoulli_nll" minutes=9 difficulty=3
# ## 4. The Bernoulli surprise, from logits
#
# A pixel is 0 or 1, and the decoder's belief in 1 is $\hat x = \operatorname{sigmoid}(a)$. The network returns the **logit**
# $a$, any real number. One value costs
#
# $$-x \log \hat x - (1 - x) \log (1 - \hat x) = \log(1 + e^{a}) - x\, a ,$$
#
# and an example costs the sum over all its values. Here an example may be an image: `x` and `logits` have the shape
# (N, \*event_shape), for example (N, 1, 28, 28). The same formula is used for gray levels between 0 and 1.
#
# Networks do return logits of 1000 or -1000, and then $e^a$ overflows and $\log \hat x$ is $-\infty$. Compute it so that it is
# right for these as well: the cost is 0 or 1000. Write it with torch, so that training can differentiate it. Its gradient by
# the logits is $\hat x - x$, *prediction minus truth*, for extreme logits too.
#
# <details><summary>Hint</summary>
#
# $\log(1 + e^a)$ is called *softplus*, and `F.softplus` does not overflow. Or write $\log(1 + e^a) = \max(a, 0) +
# \log(1 + e^{-|a|})$. `flatten(1)` keeps the first axis and makes one of all others.
#
# </details>


# %% solution="bernoulli_nll"
# Not allowed here: aelib, torch.distributions, torch.binary_cross_entropy_with_logits
# Not allowed here: torch.nn.functional.binary_cross_entropy_with_logits
# Not allowed here: torch.nn.functional.binary_cross_entropy, torch.nn.BCELoss
# Not allowed here: torch.nn.BCEWithLogitsLoss
def bernoulli_nll(x: Tensor, logits: Tensor) -> Tensor:
    """The negative log-likelihood of each example under independent coin flips, in nats.

    Args:
        x: the examples, values from 0 to 1, shape (N, *event_shape).
        logits: the logit of the belief in 1 for each value, any real numbers, shape
            (N, *event_shape).

    Returns:
        One value for each example, the sum over the event, shape (N,).
    """
    ### BEGIN SOLUTION
    return (F.softplus(logits) - x * logits).flatten(1).sum(1)
    ### END SOLUTION


# %% tests="bernoulli_nll-shape" points=0.5
# bernoulli_nll(x, logits) is one number for each example, whatever the shape of an example is.
for event_shape in ((3,), (1, 2, 3)):
    nll = bernoulli_nll(torch.zeros(5, *event_shape), torch.zeros(5, *event_shape))
    assert tuple(nll.shape) == (5,), (
        f"five examples of shape {event_shape}: expected shape (5,), got {tuple(nll.shape)}"
    )
### BEGIN HIDDEN TESTS
for shape in ((5, 3), (4, 1, 2, 3), (1, 2), (2, 3, 3)):
    probe(nll=bernoulli_nll(torch.ones(shape), torch.tensor(draw.normal(size=shape))))
### CHECK nll: shape()
### END HIDDEN TESTS

# %% tests="bernoulli_nll-values" points=1
# For x = (1, 0, 1) and the beliefs (0.9, 0.2, 0.8) it is -log 0.9 - log 0.8 - log 0.8 = 0.5516.
# A logit of 0 says one half, which costs log 2 = 0.6931 for each value, gray or not.
nll = bernoulli_nll(
    torch.tensor([[1.0, 0.0, 1.0]]), torch.logit(torch.tensor([[0.9, 0.2, 0.8]]))
)
assert agrees(nll, [0.551647618]), f"expected 0.5516, got {shown(nll)}"
nll = bernoulli_nll(torch.tensor([[[0.0, 1.0]], [[0.3, 0.5]]]), torch.zeros(2, 1, 2))
assert agrees(nll, [1.386294361, 1.386294361]), (
    f"two pixels with the logit 0 cost 2 log 2 = 1.3863, yours are {shown(nll)}"
)
### BEGIN HIDDEN TESTS
for shape in ((6, 4), (3, 1, 2, 5), (1, 7), (4, 1), (3, 3, 3)):
    x = torch.tensor(draw.integers(2, size=shape)).double()
    probe(nll=bernoulli_nll(x, torch.tensor(3 * draw.normal(size=shape))))
gray, logits = torch.tensor(draw.uniform(size=(2, 3, 2, 2)))
probe(gray=bernoulli_nll(gray, 4 * logits - 2))
### END HIDDEN TESTS

# %% tests="bernoulli_nll-extreme" points=0.5
# Logits of 1000 and -1000: who is certain and right pays 0, who is certain and wrong pays 1000.
nll = bernoulli_nll(
    torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]),
    torch.tensor([[1000.0, -1000.0]]).repeat(3, 1),
)
assert agrees(nll, [0.0, 1000.0, 2000.0]), f"expected 0, 1000, 2000, got {shown(nll)}"
### BEGIN HIDDEN TESTS
for n, d in ((8, 1), (5, 6)):
    x = torch.tensor(draw.integers(2, size=(n, d))).double()
    for size in (40.0, 1000.0):
        logits = size * torch.tensor(draw.choice([-1.0, 1.0], size=(n, d)))
        probe(nll=bernoulli_nll(x, logits))
### END HIDDEN TESTS

# %% tests="bernoulli_nll-gradient" points=0.5
# Automatic differentiation of your function gives the gradient sigmoid(a) - x, and no NaN, at
# the logits 1000 and -1000 too.
logits = torch.tensor([[0.5, 1000.0, -1000.0]], requires_grad=True)
nll = bernoulli_nll(torch.tensor([[1.0, 0.0, 0.0]]), logits)
assert nll.requires_grad, "your function cannot be differentiated; use torch for all steps"
nll.sum().backward()
assert agrees(logits.grad, [[-0.377540669, 1.0, 0.0]]), (
    f"expected (-0.3775, 1, 0), got {shown(logits.grad)}"
)
### BEGIN HIDDEN TESTS
for shape in ((4, 3), (2, 1, 3, 2)):
    x = torch.tensor(draw.integers(2, size=shape)).double()
    for extreme in (False, True):
        logits = torch.tensor(draw.normal(size=shape))
        logits = (1000 * logits.sign() if extreme else logits).requires_grad_()
        nll = bernoulli_nll(x, logits)
        probe(differentiable=nll.requires_grad)
        probe(gradient=torch.autograd.grad(nll.sum(), logits)[0])
### END HIDDEN TESTS

# %% [markdown] task="categorical_nll" minutes=9 difficulty=3
# ## 5. The categorical surprise
#
# Now each of the $d$ values of an example is one of $C$ classes, 0 to $C - 1$. The decoder returns $C$ logits for each value,
# and its belief in class $c$ is the softmax, $\hat x_c = e^{a_c} / \sum_b e^{a_b}$. Only the class that happened is paid for:
#
# $$-\log \hat x_{c} = \log \sum_{b=1}^{C} e^{a_b} - a_{c}, \qquad c = \text{the class of the value},$$
#
# and an example costs the sum over its $d$ values. `x` has shape (N, d) and holds integers; `logits` has shape (N, C, d), with
# the classes on axis 1. Logits of 1000 or -1000 must not overflow.
#
# <details><summary>Hint</summary>
#
# `torch.logsumexp(logits, dim=1)` is the first term and does not overflow. For the second,
# `logits.gather(1, index)` picks entries along axis 1; `index` needs the shape (N, 1, d).
#
# </details>


# %% solution="categorical_nll"
# Not allowed here: aelib, torch.distributions, torch.nn.functional.cross_entropy
# Not allowed here: torch.nn.functional.nll_loss, torch.nn.CrossEntropyLoss, torch.nn.NLLLoss
def categorical_nll(x: Tensor, logits: Tensor) -> Tensor:
    """The negative log-likelihood of each example whose values are classes, in nats.

    Args:
        x: the class of each value, integers from 0 to C - 1, shape (N, d).
        logits: a logit for each class of each value, any real numbers, shape (N, C, d).

    Returns:
        One value for each example, the sum over its d values, shape (N,).
    """
    ### BEGIN SOLUTION
    chosen = logits.gather(1, x.unsqueeze(1)).squeeze(1)
    return (torch.logsumexp(logits, dim=1) - chosen).sum(1)
    ### END SOLUTION


# %% tests="categorical_nll-shape" points=0.5
# categorical_nll(x, logits) is one number for each example.
nll = categorical_nll(torch.zeros(5, 2, dtype=torch.long), torch.zeros(5, 4, 2))
assert tuple(nll.shape) == (5,), f"five examples: expected shape (5,), got {tuple(nll.shape)}"
### BEGIN HIDDEN TESTS
for n, c, d in ((5, 4, 2), (1, 2, 3), (3, 5, 1)):
    x = torch.tensor(draw.integers(c, size=(n, d)))
    probe(nll=categorical_nll(x, torch.tensor(draw.normal(size=(n, c, d)))))
### CHECK nll: shape()
### END HIDDEN TESTS

# %% tests="categorical_nll-values" points=1
# The beliefs in three classes are 0.5, 0.25, 0.25: class 0 costs log 2, class 1 costs log 4,
# and an example with both values costs log 8. Adding 7 to all logits changes nothing.
logits = torch.tensor([0.5, 0.25, 0.25]).log().reshape(1, 3, 1).repeat(2, 1, 2)
for shift in (0.0, 7.0):
    nll = categorical_nll(torch.tensor([[0, 1], [2, 2]]), logits + shift)
    assert agrees(nll, [math.log(8), math.log(16)]), (
        f"{shift:g} added to the logits: expected 2.0794 and 2.7726, got {shown(nll)}"
    )
### BEGIN HIDDEN TESTS
for n, c, d in ((3, 3, 3), (6, 4, 2), (1, 2, 5), (4, 7, 1), (2, 3, 8)):
    x = torch.tensor(draw.integers(c, size=(n, d)))
    probe(nll=categorical_nll(x, torch.tensor(2 * draw.normal(size=(n, c, d)))))
### END HIDDEN TESTS

# %% tests="categorical_nll-extreme" points=0.5
# Logits of 1000, 0 and -1000: class 0 costs 0, class 1 costs 1000, class 2 costs 2000.
logits = torch.tensor([1000.0, 0.0, -1000.0]).reshape(1, 3, 1).repeat(3, 1, 1)
nll = categorical_nll(torch.tensor([[0], [1], [2]]), logits)
assert agrees(nll, [0.0, 1000.0, 2000.0]), f"expected 0, 1000, 2000, got {shown(nll)}"
### BEGIN HIDDEN TESTS
for n, c, d in ((6, 3, 1), (4, 5, 4)):
    x = torch.tensor(draw.integers(c, size=(n, d)))
    for shift in (1000.0, -1000.0):  # no exponential of these is a number
        logits = torch.tensor(draw.normal(size=(n, c, d)))
        probe(shifted=categorical_nll(x, logits + shift))
    probe(nll=categorical_nll(x, torch.tensor(1000 * draw.normal(size=(n, c, d)))))
### END HIDDEN TESTS

# %% [markdown] task="forward" minutes=5 difficulty=1
# ## 6. The forward pass
#
# The autoencoder of the rest of this notebook has one layer down and one layer up:
#
# $$a = W_\text{enc}\, x + b_\text{enc}, \qquad z = \tanh(a), \qquad \hat x = W_\text{dec}\, z + b_\text{dec} ,$$
#
# with $W_\text{enc}$ of shape (k, d) and $W_\text{dec}$ of shape (d, k). The output has no activation: it is the mean of a
# Gaussian.
#
# <details><summary>Hint</summary>
#
# The formula is for one example, a column. With examples in rows, $W x$ becomes `x @ W.T`.
#
# </details>


# %% solution="forward"
def forward(
    x: Tensor, w_enc: Tensor, b_enc: Tensor, w_dec: Tensor, b_dec: Tensor
) -> tuple[Tensor, Tensor]:
    """Codes and reconstructions of an autoencoder with one layer down and one layer up.

    Args:
        x: the examples, shape (N, d).
        w_enc: the encoder's weights, shape (k, d).
        b_enc: its biases, shape (k,).
        w_dec: the decoder's weights, shape (d, k).
        b_dec: its biases, shape (d,).

    Returns:
        z: the codes, after the tanh, shape (N, k).
        x_hat: the reconstructions, shape (N, d).
    """
    ### BEGIN SOLUTION
    z = torch.tanh(x @ w_enc.T + b_enc)
    return z, z @ w_dec.T + b_dec
    ### END SOLUTION


# %% tests="forward-shape" points=0.5
# forward(x, ...) returns a pair (z, x_hat): z has shape (N, k), x_hat has the shape of x.
pair = forward(
    torch.ones(7, 3), torch.ones(2, 3), torch.ones(2), torch.ones(3, 2), torch.ones(3)
)
assert is_group(pair, 2), "return two tensors: z, x_hat"
assert tuple(pair[0].shape) == (7, 2), f"z: expected shape (7, 2), got {tuple(pair[0].shape)}"
assert tuple(pair[1].shape) == (7, 3), (
    f"x_hat: expected shape (7, 3), got {tuple(pair[1].shape)}"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((7, 3, 2), (1, 2, 5)):
    shapes = (n, d), (k, d), (k,), (d, k), (d,)
    z, x_hat = forward(*(torch.tensor(draw.normal(size=shape)) for shape in shapes))
    probe(z=z, x_hat=x_hat)
### CHECK z: shape()
### CHECK x_hat: shape()
### END HIDDEN TESTS

# %% tests="forward-values" points=1
# In the small network a = (0.7, 0.5) for the two examples: z = tanh(a) = (0.6044, 0.4621), and
# the first reconstruction is (0.6044, -0.1022).
z, x_hat = forward(TWO_EXAMPLES, *SMALL_NETWORK)
assert agrees(z, [[0.604367777], [0.462117157]]), f"z is something else than {shown(z)}"
assert agrees(x_hat, [[0.604367777, -0.102183889], [0.462117157, -0.031058579]]), (
    f"x_hat is something else than {shown(x_hat)}"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((3, 3, 3), (9, 4, 2), (1, 3, 1), (5, 1, 6)):
    shapes = (n, d), (k, d), (k,), (d, k), (d,)
    z, x_hat = forward(*(torch.tensor(draw.normal(size=shape)) for shape in shapes))
    probe(z=z, x_hat=x_hat)
### END HIDDEN TESTS

# %% [markdown] task="backward" minutes=14 difficulty=4
# ## 7. The backward pass
#
# The loss of an example is half its squared distance, $\ell = \frac12 \lVert \hat x - x \rVert^2$, and the loss of a batch of
# $B$ examples is their mean,
#
# $$L = \frac 1B \sum_{i=1}^{B} \tfrac12 \lVert \hat x_i - x_i \rVert^2 ,$$
#
# with the network of task 6. Its gradients follow from two messages that travel backward. For one example they are
#
# $$e = \hat x - x, \qquad \delta = (W_\text{dec}^\top e) \odot (1 - z \odot z) .$$
#
# The gradient of a weight is *the message that arrives, times the value that came in*:
#
# $$\frac{\partial \ell}{\partial W_\text{enc}} = \delta x^\top, \quad
# \frac{\partial \ell}{\partial b_\text{enc}} = \delta, \quad
# \frac{\partial \ell}{\partial W_\text{dec}} = e z^\top, \quad
# \frac{\partial \ell}{\partial b_\text{dec}} = e .$$
#
# For a batch, each of the four is the mean over the examples. Compute them without automatic differentiation.
#
# <details><summary>Hint</summary>
#
# With examples in rows the outer products of all of them add up in one product: $\sum_i e_i z_i^\top$ is `e.T @ z`. And
# $W_\text{dec}^\top e$ becomes `e @ w_dec`. Divide by B only once. Each gradient has the shape of its parameter.
#
# </details>


# %% solution="backward"
# Not allowed here: aelib, torch.autograd, torch.func, functorch, .backward
def backward(
    x: Tensor, w_enc: Tensor, b_enc: Tensor, w_dec: Tensor, b_dec: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of half the squared distance, as a mean over the examples.

    Args:
        x: the examples, shape (B, d).
        w_enc: the encoder's weights, shape (k, d).
        b_enc: its biases, shape (k,).
        w_dec: the decoder's weights, shape (d, k).
        b_dec: its biases, shape (d,).

    Returns:
        The gradients by w_enc, b_enc, w_dec, b_dec, in this order, each with the shape of its
        parameter.
    """
    ### BEGIN SOLUTION
    code = torch.tanh(x @ w_enc.T + b_enc)
    e = (code @ w_dec.T + b_dec - x) / len(x)
    delta = (e @ w_dec) * (1 - code.square())
    return delta.T @ x, delta.sum(0), e.T @ code, e.sum(0)
    ### END SOLUTION


# %% tests="backward-shape" points=0.5
# backward(x, ...) returns four gradients: by w_enc, b_enc, w_dec, b_dec, each with the shape of
# its parameter.
gradients = backward(
    torch.ones(7, 3), torch.ones(2, 3), torch.ones(2), torch.ones(3, 2), torch.ones(3)
)
assert is_group(gradients, 4), "return four tensors"
for name, gradient, shape in zip(
    ("w_enc", "b_enc", "w_dec", "b_dec"), gradients, ((2, 3), (2,), (3, 2), (3,))
):
    assert tuple(gradient.shape) == shape, (
        f"gradient by {name}: expected shape {shape}, got {tuple(gradient.shape)}"
    )
### BEGIN HIDDEN TESTS
for n, d, k in ((7, 3, 2), (1, 2, 5)):
    shapes = (n, d), (k, d), (k,), (d, k), (d,)
    gradients = backward(*(torch.tensor(draw.normal(size=shape)) for shape in shapes))
    probe(w_enc=gradients[0], b_enc=gradients[1], w_dec=gradients[2], b_dec=gradients[3])
### CHECK w_enc: shape()
### CHECK b_enc: shape()
### CHECK w_dec: shape()
### CHECK b_dec: shape()
### END HIDDEN TESTS

# %% tests="backward-decoder" points=1
# The decoder's gradients for the two examples: e z^T and e, as means over both.
_, _, w_dec, b_dec = backward(TWO_EXAMPLES, *SMALL_NETWORK)
assert agrees(w_dec, [[-0.012777550], [0.041911959]]), (
    f"by w_dec: expected -0.0128 and 0.0419, got {shown(w_dec)}"
)
assert agrees(b_dec, [0.033242467, 0.183378766]), (
    f"by b_dec: expected 0.0332 and 0.1834, got {shown(b_dec)}"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((3, 3, 3), (6, 4, 2), (1, 3, 5), (4, 1, 2)):
    shapes = (n, d), (k, d), (k,), (d, k), (d,)
    gradients = backward(*(torch.tensor(draw.normal(size=shape)) for shape in shapes))
    probe(w_dec=gradients[2], b_dec=gradients[3])
### END HIDDEN TESTS

# %% tests="backward-encoder" points=1
# The encoder's gradients for the two examples: delta x^T and delta, as means over both. Through
# a saturated tanh, where z is 1 or -1, no message travels.
w_enc, b_enc, _, _ = backward(TWO_EXAMPLES, *SMALL_NETWORK)
assert agrees(w_enc, [[-0.030004229, -0.006212164]]), (
    f"by w_enc: expected -0.0300 and -0.0062, got {shown(w_enc)}"
)
assert agrees(b_enc, [-0.038794180]), f"by b_enc: expected -0.0388, got {shown(b_enc)}"
weights, _, w_dec, b_dec = SMALL_NETWORK
w_enc, b_enc, _, _ = backward(TWO_EXAMPLES, weights, torch.tensor([50.0]), w_dec, b_dec)
assert agrees(w_enc, [[0.0, 0.0]]), f"a saturated unit learns nothing, yours {shown(w_enc)}"
assert agrees(b_enc, [0.0]), f"nor does its bias, yours {shown(b_enc)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((3, 3, 3), (6, 4, 2), (1, 3, 5), (4, 1, 2)):
    shapes = (n, d), (k, d), (k,), (d, k), (d,)
    gradients = backward(*(torch.tensor(draw.normal(size=shape)) for shape in shapes))
    probe(w_enc=gradients[0], b_enc=gradients[1])
x, w_enc, b_enc, w_dec, b_dec = (torch.tensor(draw.normal(size=shape)) for shape in shapes)
w_enc, b_enc, _, _ = backward(x, w_enc, b_enc + torch.tensor([60.0, -60.0]), w_dec, b_dec)
probe(saturated_weights=w_enc, saturated_biases=b_enc)
### END HIDDEN TESTS

# %% [markdown] task="central_difference" minutes=8 difficulty=2
# ## 8. A check that knows no calculus
#
# A derivative is a limit of differences, so differences can check it. Move one parameter by $h$ up and down, and leave all
# others where they are:
#
# $$\frac{\partial f}{\partial \theta_j} \approx \frac{f(\theta + h\, u_j) - f(\theta - h\, u_j)}{2h} ,$$
#
# where $u_j$ is 1 in place $j$ and 0 everywhere else. Do this for every place of $\theta$, a tensor of any shape. For a small $h$
# the error is about $\frac{h^2}{6} f'''$, and that of a difference to one side is about $\frac h2 f''$.
#
# <details><summary>Hint</summary>
#
# A loop over all places is fine. Do not change $\theta$ itself: make a tensor of zeros with an h in one place, and add it. The
# rows of `torch.eye(theta.numel())` are all the $u_j$.
#
# </details>


# %% solution="central_difference"
# Not allowed here: aelib, scipy, torch.autograd, torch.func, functorch, .backward
def central_difference(f: Callable[[Tensor], Tensor], theta: Tensor, h: float) -> Tensor:
    """The gradient of a function by central differences.

    Args:
        f: a function from a tensor of the shape of theta to one number.
        theta: where, a tensor of any shape with at least one value; it is not changed.
        h: how far to go to each side, more than 0.

    Returns:
        The gradient, of the shape of theta.
    """
    ### BEGIN SOLUTION
    steps = h * torch.eye(theta.numel()).reshape(-1, *theta.shape)
    slopes = [(f(theta + step) - f(theta - step)) / (2 * h) for step in steps]
    return torch.tensor(slopes).reshape(theta.shape)
    ### END SOLUTION


# %% tests="central_difference-shape" points=0.5
# central_difference(f, theta, h) has the shape of theta, and leaves theta as it was.
theta = torch.arange(6.0).reshape(2, 3)
slope = central_difference(torch.sum, theta, 0.5)
assert tuple(slope.shape) == (2, 3), f"expected shape (2, 3), got {tuple(slope.shape)}"
assert agrees(theta, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]), f"theta is now {shown(theta)}"
### BEGIN HIDDEN TESTS
for shape in ((2, 3), (4,), (1, 1), (2, 1, 3)):
    probe(slope=central_difference(torch.sum, torch.tensor(draw.normal(size=shape)), 0.5))
### CHECK slope: shape()
### END HIDDEN TESTS

# %% tests="central_difference-values" points=0.5
# The gradient of a^2 b is (2ab, a^2): at a = 3, b = 2 it is (12, 9). A small h gets close;
# here three digits are enough.
slope = central_difference(lambda t: t[0] ** 2 * t[1], torch.tensor([3.0, 2.0]), 1e-5)
assert torch.allclose(slope, torch.tensor([12.0, 9.0]), rtol=1e-3), (
    f"expected (12, 9), got {shown(slope)}"
)
### BEGIN HIDDEN TESTS
for shape in ((3,), (2, 4), (1,), (2, 1, 2)):
    weights = torch.tensor(draw.normal(size=shape))
    theta = torch.tensor(draw.normal(size=shape))
    before = theta.clone()
    f = lambda t, w=weights: (t * w).sum().sin() + t.square().sum()  # noqa: E731
    slope = central_difference(f, theta, 1e-5)
    probe(slope=slope, moved=theta - before)
### CHECK slope: close(rtol=1e-3, atol=1e-3)
### END HIDDEN TESTS

# %% tests="central_difference-large" points=0.5
# For t^3 the central difference is exactly 3 t^2 + h^2: at t = 2 with h = 0.5 it is 12.25. A
# difference to one side gives 15.25 or 9.25.
slope = central_difference(lambda t: (t**3).sum(), torch.tensor([2.0]), 0.5)
assert agrees(slope, [12.25]), f"expected 12.25, got {shown(slope)}"
### BEGIN HIDDEN TESTS
for shape, h in (((3,), 0.5), ((2, 2), 0.1), ((1, 3), 2.0)):
    weights = torch.tensor(draw.normal(size=shape))
    theta = torch.tensor(draw.normal(size=shape))
    f = lambda t, w=weights: (t**3 * w).sum() + t.sum() ** 3  # noqa: E731
    probe(slope=central_difference(f, theta, h))
### END HIDDEN TESTS

# %% [markdown] task="momentum_step" minutes=5 difficulty=2
# ## 9. A step with momentum
#
# Momentum walks along a running sum of gradients. With the gradient $g$ at the present $\theta$,
#
# $$m \leftarrow \rho\, m + g, \qquad \theta \leftarrow \theta - \eta\, m ,$$
#
# in this order. In the code $\eta$ is `lr`. As long as the gradient stays the same, $m$ grows toward $g/(1 - \rho)$,
# ten times $g$ for $\rho = 0.9$. With $\rho = 0$ it is plain gradient descent.
#
# <details><summary>Hint</summary>
#
# Two lines. The parameters move along the *new* m. Write `a = a - b` and not `a -= b`, which changes the tensor of whoever
# called you.
#
# </details>


# %% solution="momentum_step"
# Not allowed here: aelib, torch.optim
def momentum_step(
    theta: Tensor, m: Tensor, g: Tensor, lr: float, rho: float
) -> tuple[Tensor, Tensor]:
    """One step of gradient descent with momentum. The tensors that are given are not changed.

    Args:
        theta: the parameters, any shape.
        m: the running sum of gradients so far, zeros before the first step, same shape.
        g: the gradient at theta, same shape.
        lr: the step size.
        rho: what is kept of the running sum, 0 to 1.

    Returns:
        theta: the parameters after the step.
        m: the running sum after the step.
    """
    ### BEGIN SOLUTION
    m = rho * m + g
    return theta - lr * m, m
    ### END SOLUTION


# %% tests="momentum_step-shape" points=0.5
# momentum_step(theta, m, g, lr, rho) returns a pair (theta, m), and leaves its inputs as they
# were.
theta, m = torch.ones(2, 3), torch.ones(2, 3)
pair = momentum_step(theta, m, torch.ones(2, 3), 0.1, 0.9)
assert is_group(pair, 2), "return two tensors: theta, m"
for name, answer in zip(("theta", "m"), pair):
    assert tuple(answer.shape) == (2, 3), (
        f"{name}: expected shape (2, 3), got {tuple(answer.shape)}"
    )
assert agrees(theta, torch.ones(2, 3)), f"you changed the theta you were given: {shown(theta)}"
assert agrees(m, torch.ones(2, 3)), f"you changed the m you were given: {shown(m)}"
### BEGIN HIDDEN TESTS
for shape in ((2, 3), (4,), (1, 1)):
    given = [torch.tensor(draw.normal(size=shape)) for _ in range(3)]
    before = [one.clone() for one in given]
    theta, m = momentum_step(*given, 0.1, 0.9)
    probe(theta=theta, m=m, changed=[one - other for one, other in zip(given, before)])
### CHECK theta: shape()
### CHECK m: shape()
### END HIDDEN TESTS

# %% tests="momentum_step-first" points=0.5
# The first step starts with m = 0 and is a step of plain gradient descent: from 1 with the
# gradient 2 and the step size 0.1 to 0.8, and m is 2.
theta, m = momentum_step(
    torch.tensor([1.0]), torch.tensor([0.0]), torch.tensor([2.0]), 0.1, 0.9
)
assert agrees(theta, [0.8]), f"theta: expected 0.8, got {shown(theta)}"
assert agrees(m, [2.0]), f"m: expected 2, got {shown(m)}"
### BEGIN HIDDEN TESTS
for shape, rho in (((3,), 0.9), ((2, 4), 0.5), ((1,), 0.0)):
    theta, g = torch.tensor(draw.normal(size=(2, *shape)))
    theta, m = momentum_step(theta, torch.zeros(shape), g, float(draw.uniform(0.1, 0.5)), rho)
    probe(theta=theta, m=m)
### END HIDDEN TESTS

# %% tests="momentum_step-again" points=0.5
# The second step, with the gradient 2 again: m = 0.9 * 2 + 2 = 3.8, and theta goes from 0.8 to
# 0.8 - 0.38 = 0.42.
theta, m = momentum_step(
    torch.tensor([0.8]), torch.tensor([2.0]), torch.tensor([2.0]), 0.1, 0.9
)
assert agrees(m, [3.8]), f"m: expected 3.8, got {shown(m)}"
assert agrees(theta, [0.42]), f"theta: expected 0.42, got {shown(theta)}"
### BEGIN HIDDEN TESTS
theta, m = torch.tensor(draw.normal(size=3)), torch.zeros(3)
for lr in (0.1, 0.3, 0.02, 0.2):  # down a bowl, with step sizes that change
    theta, m = momentum_step(theta, m, theta * torch.tensor([3.0, 1.0, 0.2]), lr, 0.8)
    probe(theta=theta, m=m)
for rho in (0.0, 1.0):
    given = [torch.tensor(draw.normal(size=(2, 2))) for _ in range(3)]
    theta, m = momentum_step(*given, 0.7, rho)
    probe(theta=theta, m=m)
### END HIDDEN TESTS

# %% [markdown] task="train" minutes=11 difficulty=3
# ## 10. The training loop
#
# Stochastic gradient descent, for any model: its gradients are handed in as a function. In each epoch
#
# - put the examples in a new random order, drawn with the generator that you are given;
# - cut this order into mini-batches of `batch_size` examples; what is left at the end is a smaller last batch;
# - for each batch call `gradients(batch, params)` at the *present* parameters, and take one step,
#   $\theta \leftarrow \theta - \eta\, g$, with all parameters.
#
# So each epoch sees every example exactly once. Return the parameters after the last step. The same seed gives the same order,
# so that others can repeat your run.
#
# <details><summary>Hint</summary>
#
# `torch.randperm(n, generator=generator)` is a random order of n numbers, and `.split(size)` cuts a tensor into pieces of a
# size, the last of which may be smaller. Two loops, one in the other. `[p - lr * g for p, g in zip(...)]` makes new
# parameters and leaves the old ones alone.
#
# </details>


# %% solution="train"
# Not allowed here: aelib, torch.optim
def train(
    gradients: Callable[[Tensor, list[Tensor]], list[Tensor]],
    x: Tensor,
    params: list[Tensor],
    lr: float,
    epochs: int,
    batch_size: int,
    generator: torch.Generator,
) -> list[Tensor]:
    """Stochastic gradient descent in random mini-batches. The tensors in params do not change.

    Args:
        gradients: gradients(batch, params) gives the gradient of the batch's mean loss by each
            of the parameters, in their order; batch holds rows of x.
        x: the examples, shape (N, ...).
        params: the parameters to start from.
        lr: the step size.
        epochs: how often every example is seen.
        batch_size: the number of examples in a batch; it may be more than N.
        generator: decides the order, and is the only source of randomness.

    Returns:
        The parameters after the last step, in their order.
    """
    ### BEGIN SOLUTION
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            slopes = gradients(x[rows], params)
            params = [p - lr * g for p, g in zip(params, slopes)]
    return params
    ### END SOLUTION


# %% tests="train-shape" points=0.5
# train(...) returns as many parameters as it was given, each with its shape, and leaves those
# that it was given as they were.
def all_ones(batch, params):
    """Gradients that are 1 everywhere."""
    return [torch.ones_like(p) for p in params]


start = [torch.ones(2, 3), torch.ones(4)]
end = train(all_ones, torch.zeros(5, 2), start, 0.1, 2, 3, seeded(0))
assert is_group(end, 2), "return the parameters: a list of two tensors"
assert [tuple(p.shape) for p in end] == [(2, 3), (4,)], "keep the shapes (2, 3) and (4,)"
assert all(bool((p == 1).all()) for p in start), (
    "the tensors you were given have changed; make new ones"
)
### BEGIN HIDDEN TESTS
for shapes in (((2, 3), (4,)), ((1,),), ((2,), (3, 1), (2, 2))):
    given = [torch.tensor(draw.normal(size=shape)) for shape in shapes]
    before = [p.clone() for p in given]
    end = train(
        all_ones, torch.zeros(5, 2), given, 0.1, 2, 3, seeded(int(draw.integers(2**31)))
    )
    probe(shapes=[list(p.shape) for p in end])
    probe(changed=[p - q for p, q in zip(given, before)])
### END HIDDEN TESTS


# %% tests="train-epochs" points=0.5
# Ten examples in batches of 4 make batches of 4, 4 and 2 in each epoch, and each example is
# seen exactly once in each.
def batches_of(n, epochs, batch_size, seed):
    """The batches that train takes of the examples 0, 1, ..., n - 1."""
    seen = []

    def gradients(batch, params):
        seen.append(batch[:, 0].tolist())
        return [torch.zeros(2)]

    x = torch.arange(float(n)).reshape(n, 1)
    train(gradients, x, [torch.zeros(2)], 0.1, epochs, batch_size, seeded(seed))
    return seen


batches = batches_of(10, 2, 4, seed=0)
sizes = [len(batch) for batch in batches]
assert sizes == [4, 4, 2, 4, 4, 2], f"expected batches of 4, 4, 2, 4, 4, 2, got {sizes}"
rows = sorted(row for batch in batches[:3] for row in batch)
assert rows == list(range(10)), f"expected 0 to 9, each once, in the first epoch; got {rows}"
### BEGIN HIDDEN TESTS
for n, epochs, size in ((30, 3, 8), (12, 2, 12), (5, 2, 7), (9, 1, 1), (8, 4, 4)):
    batches = batches_of(n, epochs, size, int(draw.integers(2**31)))
    visits = torch.tensor([row for batch in batches for row in batch])
    probe(
        sizes=[len(batch) for batch in batches],
        visits=[epoch.sort().values for epoch in visits.split(n)],
    )
### END HIDDEN TESTS


# %% tests="train-order" points=0.5
# The order is random, new in each epoch, and decided by the generator alone: the same seed
# gives the same order, another seed another one.
def order_of(seed):
    """The order in which train takes 40 examples in two epochs."""
    seen = []

    def gradients(batch, params):
        seen.extend(batch[:, 0].tolist())
        return [torch.zeros(2)]

    x = torch.arange(40.0).reshape(40, 1)
    train(gradients, x, [torch.zeros(2)], 0.1, 2, 16, seeded(seed))
    return seen


order = order_of(1)
assert order[:40] != sorted(order[:40]), "the examples come in their old order"
assert order[:40] != order[40:], "both epochs have the same order"
assert order_of(1) == order, "the same seed gave two orders: use the generator you are given"
assert order_of(2) != order, "two seeds gave the same order: use the generator you are given"
### BEGIN HIDDEN TESTS
seed, other = (int(number) for number in draw.integers(2**31, size=2))
order = order_of(seed)
probe(
    shuffled=order[:40] != sorted(order[:40]),
    fresh=order[:40] != order[40:],
    repeatable=order_of(seed) == order,
    seeded=order_of(other) != order,
)
### END HIDDEN TESTS


# %% tests="train-steps" points=1
# The best guess for all examples is their mean. With everything in one batch and the step size
# 0.5 each epoch halves the distance to it: from 0 to the mean 8 in three epochs, 4, 6, 7.
def from_mean(batch, params):
    """The gradient of half the mean squared distance to a guess."""
    return [params[0] - batch.mean(dim=0)]


x = torch.tensor([[6.0], [8.0], [10.0]])
(guess,) = train(from_mean, x, [torch.zeros(1)], 0.5, 3, 3, seeded(0))
assert agrees(guess, [7.0]), f"expected 7, got {shown(guess)}"
### BEGIN HIDDEN TESTS
taken = []


def linear(batch, params):
    """Gradients of a linear layer that should give 1 for every example."""
    message = (batch @ params[0] + params[1] - 1) / len(batch)
    return [batch.T @ message, message.sum(dim=0)]


def remembered(batch, params):
    taken.append(batch.clone())
    return linear(batch, params)


for n, epochs, size, lr in ((8, 5, 8, 0.1), (4, 2, 9, 0.3), (10, 3, 4, 0.2), (5, 2, 1, 0.05)):
    taken.clear()
    x = torch.tensor(draw.normal(size=(n, 3)))
    again = [torch.tensor(draw.normal(size=shape)) for shape in ((3, 2), (2,))]
    given = [p.clone() for p in again]
    end = train(remembered, x, given, lr, epochs, size, seeded(int(draw.integers(2**31))))
    # The same steps once more, along the batches that the loop has taken.
    for batch in taken:
        again = [p - lr * g for p, g in zip(again, linear(batch, again))]
    probe(steps=len(taken), off=[p - q for p, q in zip(end, again)])
    if size >= n:  # then the order does not matter
        probe(end=list(end))
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on 1,797 handwritten digits of 8 by 8 pixels, with a code of 16 values. First your gradients
# are compared with differences. Then the network is trained twice: with your loop, and with momentum and a smaller step size.
# Last come the numbers: what a digit costs in nats, once from the pixels and once from the mean squared error; and what two bets
# cost that never look at the digit. (Those are probabilities and no densities. Do not compare the two kinds.) This part is worth
# no points; change it as you like.

# %%
x = data.digits().flat().double()
generator = seeded(0)
start = [torch.randn(16, 64, generator=generator) / 8, torch.zeros(16)]
start += [torch.randn(64, 16, generator=generator) / 4, torch.zeros(64)]


def mean_loss(params):
    """Half the squared distance, as a mean over the digits."""
    return (x - forward(x, *params)[1]).square().sum(dim=1).mean() / 2


by_hand = backward(x, *start)
by_differences = central_difference(
    lambda b_enc: mean_loss([start[0], b_enc, *start[2:]]), start[1], 1e-5
)
apart = (by_hand[1] - by_differences).abs().max()
print("do gradients and differences agree to eight digits?", bool(apart < 1e-8))

plain, plain_losses = start, []
for _ in range(30):
    plain = train(
        lambda batch, params: backward(batch, *params), x, plain, 0.05, 1, 64, generator
    )
    plain_losses.append(float(mean_loss(plain)))

params, sums, losses = start, [torch.zeros_like(p) for p in start], []
for _ in range(30):
    for rows in torch.randperm(len(x), generator=generator).chunk(28):
        stepped = [
            momentum_step(p, m, g, 0.02, 0.9)
            for p, m, g in zip(params, sums, backward(x[rows], *params))
        ]
        params, sums = [p for p, _ in stepped], [m for _, m in stepped]
    losses.append(float(mean_loss(params)))

x_hat = forward(x, *params)[1]
sigma = float(best_sigma(x, x_hat))
print(f"mean squared error of a pixel: {sigma**2:.4f}, so the best sigma is {sigma:.3f}")
for value in (1.0, sigma):
    converted = float(mse_to_nats(sigma**2, (1, 8, 8), value))
    direct = float(gaussian_nll(x, x_hat, value).mean())
    print(f"sigma = {value:.3f}: {direct:.2f} nats for a digit; from the error {converted:.2f}")

# Bets that never look at the digit: for each pixel, how often it has each of its 17 levels.
levels = (16 * x).round().long()
counts = F.one_hot(levels, 17).sum(dim=0).T + 1.0
categorical = categorical_nll(levels, counts.log().expand(len(x), 17, 64)).mean()
ink = (x > 0.5).double()
share = (ink.sum(dim=0) + 1) / (len(x) + 2)
bernoulli = bernoulli_nll(ink, torch.logit(share).expand_as(ink)).mean()
print(f"without any code, 17 levels for each pixel: {float(categorical):.1f} nats for a digit")
print(f"without any code, ink or no ink: {float(bernoulli):.1f} nats for a digit")

viz.use_style()
figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.8), width_ratios=[1, 1.5])
viz.learning_curve(left, plain_losses, label="your loop")
viz.learning_curve(left, losses, label="with momentum")
left.set(ylabel="half the squared distance", ylim=(0, None))
rows = torch.cat([x[:10], forward(x[:10], *plain)[1], x_hat[:10]])
viz.image_grid(right, rows.reshape(-1, 1, 8, 8).float(), columns=10)
right.set_title("Ten digits; below, your loop, and momentum")
plt.show()

# %% [markdown] task="currencies" minutes=10 difficulty=3
# ## 11. Who divided by what?
#
# Two programs train the same autoencoder on digits with $d = 64$ values. Program A minimizes `F.mse_loss`, the mean $v$ of the
# squares over everything. Program B minimizes $L$, the mean over the examples of the Gaussian surprise with $\sigma = 1$. In six
# to ten sentences or formulas:
#
# 1. Write $L$ in terms of $v$, and show that both have the same minima. By which factor do their gradients differ? You move a
#    well-chosen step size from A to B: what must you change with SGD, and what with Adam?
# 2. With $\sigma = 0.1$ program B prints a loss below zero. Is this a mistake? Could it happen with the Bernoulli surprise of
#    black-and-white pixels?
# 3. Now both programs add the same second term $R$, such as a penalty on the code. Why do they no longer have the same minima?
#    With which weight must A add $R$ to have the minima of B?

# %% [markdown] answer="currencies-why" points=2
# 1. $v = J/d$ with $J$ the mean of $\lVert x - \hat x \rVert^2$, and $L = \frac12 J + \frac d2 \log 2\pi = \frac d2 v + \frac d2
# \log 2\pi$. This is an increasing function of $v$, so whatever parameters make one smallest make the other smallest too. The
# gradients differ by the factor $d/2 = 32$: $\nabla L = 32\, \nabla v$. With SGD the step is $\eta$ times the gradient, so from A
# to B the step size must be divided by 32; with the old one it may diverge. Adam divides the gradient by its own size, so the
# factor cancels and the step size stays (as long as its $\varepsilon$ is small against the gradients).
# 2. It is no mistake. $L$ is the negative logarithm of a *density*, and a density may be larger than 1: that of one value has its
# maximum $1/(\sqrt{2\pi}\,\sigma) \approx 4$ at $\sigma = 0.1$. Where the errors are small, each value costs $-\log 4 < 0$. With
# Bernoulli this cannot happen, because there it is the negative logarithm of a *probability*, which is at most 1.
# 3. B minimizes $L + R = 32\, v + R + \text{const} = 32\, (v + \frac{1}{32} R) + \text{const}$. With the weight 1, A minimizes
# $v + R$, which is $L + 32 R$ up to a factor and a constant: it weighs the second term 32 times as much against the
# reconstruction. To have B's minima A must add $R$ with the weight $2/d = 1/32$.
#
# **Rubric** (half a point each)
#
# - $L = \frac d2 v + \text{const}$ with $d = 64$, and the reason that the minima are the same: increasing, or gradients that are
#   zero together.
# - Factor 32. SGD: divide the step size by 32. Adam: leave it, because it does not feel the scale. Nothing if the direction is
#   wrong for SGD or Adam is left out.
# - No mistake: a density may exceed 1. Not with Bernoulli: a probability may not. Both sides are needed.
# - The proportion of the two terms differs, and the weight $2/d = 1/32$. Nothing for the weight 32 in the wrong program.
