# %% [markdown] locked="intro"
# # Contractive autoencoders
#
# A contractive autoencoder pays for every direction in which a small step of the example moves the code. You compute that
# price in closed form, by autograd and by an estimate, compare it with what noise does, and train with it. At the end
# you see to which changes of a handwritten digit a code reacts.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top says
#   what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points.
# - Data are tensors with one example a row: `x` has shape (B, d), codes have shape (B, k). Numbers must agree to 0.000001,
#   relative or absolute. Functions return tensors unless they say otherwise.
# - You may use anything in torch and numpy, but what a task asks for cannot be imported: where a line above the function says
#   `Not allowed here`, code that uses one of these names earns nothing in that task. Comparing with them in a cell of your own
#   is fine.
# - Before you submit: Kernel, Restart Kernel and Run All Cells, then save. (It stops at the first error; a task that you
#   skipped is one. Save all the same.)

# %% locked="install"
# {install}

# %% locked="setup"
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn

from aelib import data, viz

# All numbers in this notebook are float64, also those that you make with torch.zeros.
torch.set_default_dtype(torch.float64)


def network(seed: int, *sizes: int) -> nn.Sequential:
    """Affine layers of these sizes with tanh between them; the seed gives their weights."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for size, next_size in itertools.pairwise(sizes):
        layer = nn.Linear(size, next_size)
        for values in layer.parameters():
            nn.init.normal_(values, std=size**-0.5, generator=generator)
        layers += [layer, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def all_signs(n: int) -> Tensor:
    """Every vector of n signs, 1 or -1, one a row: shape (2**n, n)."""
    return torch.tensor(list(itertools.product((1.0, -1.0), repeat=n)))


def product_and_square(x: Tensor) -> Tensor:
    """An encoder for the tests: z = (x_1 x_2, x_1^2)."""
    return torch.stack([x[:, 0] * x[:, 1], x[:, 0] ** 2], dim=1)


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


# %% [markdown] task="jacobian" minutes=7 difficulty=1
# ## 1. The Jacobian of a sigmoid layer
#
# The encoder is one layer, $h = \operatorname{sigmoid}(W x + b)$, with $W$ of shape (k, d). Its Jacobian at $x$ is the (k, d)
# matrix of the derivatives $\partial h_j / \partial x_i$: row $j$ belongs to a code value, column $i$ to a feature. As
# $\operatorname{sigmoid}' = \operatorname{sigmoid}\,(1 - \operatorname{sigmoid})$, the chain rule gives
#
# $$\frac{\partial h_j}{\partial x_i} = h_j (1 - h_j)\, W_{ji} .$$
#
# Every example has a Jacobian of its own, because $h$ is another one. A unit that is **saturated**, with $h_j$ near 0 or 1,
# hardly reacts to anything: its whole row is nearly zero.
#
# <details><summary>Hint</summary>
#
# The slopes $h_j (1 - h_j)$ have shape (B, k). Give them a third axis, with `unsqueeze` or `[:, :, None]`; then the product
# with $W$ has shape (B, k, d). `torch.sigmoid` is right for inputs of any size.
#
# </details>


# %% solution="jacobian"
# Not allowed here: aelib, torch.func, torch.autograd, .backward
def jacobian(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """The Jacobian of the encoder sigmoid(W x + b) at each example, from the formula.

    Args:
        x: the examples, shape (B, d).
        W: the weights, shape (k, d).
        b: the biases, shape (k,).

    Returns:
        The derivatives, shape (B, k, d): entry (n, j, i) is that of code value j by feature i
        at example n.
    """
    ### BEGIN SOLUTION
    h = torch.sigmoid(x @ W.T + b)
    return (h * (1 - h)).unsqueeze(2) * W
    ### END SOLUTION


# %% tests="jacobian-shape" points=0.5
# jacobian(x, W, b) has shape (B, k, d): for each example, one row a code value and one column a
# feature.
J = jacobian(torch.ones(5, 3), torch.ones(4, 3), torch.zeros(4))
assert tuple(J.shape) == (5, 4, 3), (
    f"5 examples, 4 code values, 3 features: expected shape (5, 4, 3), got {tuple(J.shape)}"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((5, 3, 4), (1, 4, 2)):
    probe(J=jacobian(*(torch.tensor(draw.normal(size=s)) for s in ((n, d), (k, d), (k,)))))
### CHECK J: shape()
### END HIDDEN TESTS

# %% tests="jacobian-values" points=0.5
# Where W x + b = 0 the slope of a sigmoid is 1/4, so J = W/4. Where it is log 3 the slope is
# 3/4 (1 - 3/4) = 3/16.
W = torch.tensor([[4.0, 8.0, 0.0], [0.0, 4.0, -4.0]])
J = jacobian(torch.zeros(1, 3), W, torch.zeros(2))
assert agrees(J, W[None] / 4), (
    f"x = 0, b = 0: expected W/4, which is {shown(W / 4)}, got {shown(J)}"
)
J = jacobian(torch.zeros(1, 3), W, torch.tensor([math.log(3), 0.0]))
expected = torch.tensor([[[0.75, 1.5, 0.0], [0.0, 1.0, -1.0]]])
assert agrees(J, expected), f"x = 0, b = (log 3, 0): expected {shown(expected)}, got {shown(J)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((5, 3, 3), (6, 3, 4), (1, 2, 5), (4, 1, 3), (3, 4, 1)):
    probe(J=jacobian(*(torch.tensor(draw.normal(size=s)) for s in ((n, d), (k, d), (k,)))))
### END HIDDEN TESTS

# %% tests="jacobian-saturated" points=0.5
# A unit far out on either side does not react at all: its row is zero, and no number is NaN.
W = torch.tensor([[1.0, 2.0], [3.0, 4.0], [4.0, 8.0]])
J = jacobian(torch.zeros(1, 2), W, torch.tensor([1000.0, -1000.0, 0.0]))
assert not J.isnan().any(), "b = (1000, -1000, 0): there is NaN in J; torch.sigmoid has none"
expected = torch.tensor([[[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]]])
assert agrees(J, expected), f"b = (1000, -1000, 0): expected {shown(expected)}, got {shown(J)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((3, 2, 2), (2, 3, 4)):
    x, W = torch.tensor(draw.normal(size=(n, d))), torch.tensor(draw.normal(size=(k, d)))
    b = torch.tensor(draw.permutation(np.resize([1000.0, -1000.0, 0.5], k)))
    probe(J=jacobian(x, W, b), J_far=jacobian(1000 * x, W, b))
### END HIDDEN TESTS

# %% [markdown] task="squared_norm" minutes=5 difficulty=1
# ## 2. Its squared norm in closed form
#
# The penalty is the squared Frobenius norm of the Jacobian, the sum of the squares of all its entries. For one sigmoid layer
# nobody needs to write the Jacobian down. Sum the squares of $h_j (1 - h_j)\, W_{ji}$, first over $i$:
#
# $$\lVert J_f(x) \rVert_F^2 = \sum_{j=1}^k \bigl( h_j (1 - h_j) \bigr)^2 \sum_{i=1}^d W_{ji}^2 .$$
#
# The inner sum is the squared length of *row* $j$ of $W$. It is the same for all examples.
#
# <details><summary>Hint</summary>
#
# The squared slopes have shape (B, k), the squared lengths of the rows shape (k,). A product of a matrix and a vector, `@`,
# multiplies and sums over $j$.
#
# </details>


# %% solution="squared_norm"
# Not allowed here: aelib, torch.func, torch.autograd, .backward
def squared_norm(h: Tensor, W: Tensor) -> Tensor:
    """The squared Frobenius norm of the Jacobian of h = sigmoid(W x + b), at each example.

    Args:
        h: the codes, between 0 and 1, shape (B, k).
        W: the weights, shape (k, d).

    Returns:
        One squared norm for each example, shape (B,).
    """
    ### BEGIN SOLUTION
    return (h * (1 - h)).square() @ W.square().sum(dim=1)
    ### END SOLUTION


# %% tests="squared_norm-shape" points=0.5
# squared_norm(h, W) is one number for each example, and none is negative.
norm = squared_norm(torch.full((5, 3), 0.5), torch.ones(3, 2))
assert tuple(norm.shape) == (5,), f"5 examples: expected shape (5,), got {tuple(norm.shape)}"
assert (norm >= 0).all(), f"a sum of squares is not negative, yours is {shown(norm)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((5, 2, 3), (1, 3, 2)):
    h, W = torch.tensor(draw.uniform(size=(n, k))), torch.tensor(draw.normal(size=(k, d)))
    probe(norm=squared_norm(h, W))
### CHECK norm: non_negative()
### END HIDDEN TESTS

# %% tests="squared_norm-values" points=1
# With h = 1/2 the slopes are 1/4. The rows (4, 8) and (0, 4) have squared lengths 80 and 16:
# the norm is 80/16 + 16/16 = 6.
W = torch.tensor([[4.0, 8.0], [0.0, 4.0]])
norm = squared_norm(torch.tensor([[0.5, 0.5], [0.5, 1.0], [0.0, 1.0]]), W)
assert agrees(norm, [6.0, 5.0, 0.0]), (
    f"h = (1/2, 1/2), (1/2, 1), (0, 1): expected 6, 5, 0 (saturated units add nothing), "
    f"got {shown(norm)}"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((4, 3, 3), (6, 5, 2), (1, 2, 4), (5, 1, 3), (3, 4, 1)):
    h, W = torch.tensor(draw.uniform(size=(n, k))), torch.tensor(draw.normal(size=(k, d)))
    probe(norm=squared_norm(h, W), norm_at_ends=squared_norm(h.round(), W))
### END HIDDEN TESTS

# %% [markdown] task="contractive_loss" minutes=9 difficulty=2
# ## 3. The loss
#
# Take **tied** weights: $h = \operatorname{sigmoid}(W x + b)$ down, and the transpose of the same matrix up,
# $\hat x = W^\top h + c$. With a Gaussian likelihood of $\sigma = 1$ the loss of one example is
#
# $$L(x) = \tfrac12 \lVert x - \hat x \rVert^2 + \tfrac d2 \log 2\pi + \alpha\, \lVert J_f(x) \rVert_F^2 ,$$
#
# with the norm of the sigmoid layer, $\lVert J_f(x) \rVert_F^2 = \sum_j (h_j (1 - h_j))^2 \lVert W_j \rVert^2$, where $W_j$ is
# row $j$ of $W$. The loss of a batch is the mean over its examples: sums over features and code values, the mean over
# examples, in nats. Both terms are to be learned from, so gradients must flow through both.
#
# <details><summary>Hint</summary>
#
# For examples in rows, $W x$ is `x @ W.T` and $W^\top h$ is `h @ W`. Compute one reconstruction loss and one norm for each
# example, both of shape (B,), and take the mean of the weighted sum at the end.
#
# </details>


# %% solution="contractive_loss"
# Not allowed here: aelib, torch.distributions
# Not allowed here: torch.nn.functional.gaussian_nll_loss, torch.nn.GaussianNLLLoss
def contractive_loss(x: Tensor, W: Tensor, b: Tensor, c: Tensor, weight: float) -> Tensor:
    """The loss of a tied contractive autoencoder with one sigmoid layer, mean over the batch.

    Args:
        x: the examples, shape (B, d).
        W: the weights of the encoder and, transposed, of the decoder, shape (k, d).
        b: the biases of the encoder, shape (k,).
        c: the biases of the decoder, shape (d,).
        weight: alpha, the weight of the squared norm of the Jacobian, at least 0.

    Returns:
        The loss in nats, shape (), with its graph.
    """
    ### BEGIN SOLUTION
    h = torch.sigmoid(x @ W.T + b)
    x_hat = h @ W + c
    recon = ((x - x_hat).square() + math.log(2 * math.pi)).sum(dim=1) / 2
    jac = (h * (1 - h)).square() @ W.square().sum(dim=1)
    return (recon + weight * jac).mean()
    ### END SOLUTION


# %% tests="contractive_loss-shape" points=0.5
# contractive_loss(x, W, b, c, weight) is one number.
loss = contractive_loss(torch.ones(5, 3), torch.ones(2, 3), torch.zeros(2), torch.zeros(3), 0.1)
assert torch.as_tensor(loss).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(loss).shape)}"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((5, 3, 2), (1, 2, 4)):
    given = (torch.tensor(draw.normal(size=shape)) for shape in ((n, d), (k, d), (k,), (d,)))
    probe(numbers=torch.as_tensor(contractive_loss(*given, 0.1)).numel())
### END HIDDEN TESTS

# %% tests="contractive_loss-values" points=1
# With x = 0, b = c = 0 and W = diag(2, 4): h = (1/2, 1/2), x_hat = (1, 2), and J = W/4.
# The loss is 5/2 + log(2 pi) + weight * 20/16.
W, zero = torch.diag(torch.tensor([2.0, 4.0])), torch.zeros(2)
for weight, parts in ((0.0, 2.5), (0.4, 3.0), (4.0, 7.5)):
    loss = float(contractive_loss(torch.zeros(1, 2), W, zero, zero, weight))
    assert agrees(loss, parts + math.log(2 * math.pi)), (
        f"weight {weight:g}: expected {parts + math.log(2 * math.pi):.6f}, got {loss:.6f}"
    )
x = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
loss = float(contractive_loss(x, torch.zeros(2, 2), zero, zero, 0.4))
assert agrees(loss, 6.25 + math.log(2 * math.pi)), (
    "W = 0, examples (3, 4) and (0, 0): expected the mean of 25/2 and 0, plus log(2 pi), "
    f"together {6.25 + math.log(2 * math.pi):.6f}, got {loss:.6f}"
)
### BEGIN HIDDEN TESTS
for n, d, k, weight in ((4, 3, 3, 0.7), (6, 2, 5, 0.0), (1, 4, 2, 3.0), (5, 1, 1, 0.25)):
    given = [torch.tensor(draw.normal(size=shape)) for shape in ((n, d), (k, d), (k,), (d,))]
    probe(loss=float(contractive_loss(*given, weight)))
### END HIDDEN TESTS

# %% tests="contractive_loss-gradient" points=0.5
# Both terms can be learned from. With x = 0, b = (log 3, 0) and W = diag(2, 4) the penalty
# alone adds diag(9/64, 1/2) to the gradient by W, and (-9/64, 0) to that by b: the slopes
# count, too.
W = torch.diag(torch.tensor([2.0, 4.0])).requires_grad_()
b = torch.tensor([math.log(3), 0.0], requires_grad=True)
gradients = []
for weight in (0.0, 1.0):
    loss = contractive_loss(torch.zeros(1, 2), W, b, torch.zeros(2), weight)
    assert loss.requires_grad, "no gradient comes back: leave out detach, item and no_grad"
    gradients.append(torch.autograd.grad(loss, (W, b)))
by_W, by_b = (one - zero for zero, one in zip(*gradients))
assert agrees(by_W, torch.diag(torch.tensor([9 / 64, 0.5]))), (
    f"by W the penalty should add diag(0.1406, 0.5), yours adds {shown(by_W)}"
)
assert agrees(by_b, [-9 / 64, 0.0]), (
    f"by b the penalty should add (-0.1406, 0), yours adds {shown(by_b)}"
)
### BEGIN HIDDEN TESTS
for n, d, k, weight in ((4, 3, 3, 0.7), (1, 2, 4, 2.0)):
    x = torch.tensor(draw.normal(size=(n, d)))
    given = [torch.tensor(draw.normal(size=s)).requires_grad_() for s in ((k, d), (k,), (d,))]
    loss = contractive_loss(x, *given, weight)
    probe(learns=loss.requires_grad)
    probe(gradients=list(torch.autograd.grad(loss, given)))
### END HIDDEN TESTS

# %% [markdown] task="moved_by_noise" minutes=7 difficulty=2
# ## 4. What the norm means: small noise moves the code
#
# Add noise to an example and look how far its code moves. Let the values of $\varepsilon$ be independent, with mean 0 and
# variance 1, and as likely to be $-t$ as $t$: draws from $\mathcal N(0, 1)$, or fair signs. For small $\sigma$ the encoder is
# nearly linear, $f(x + \sigma \varepsilon) \approx f(x) + \sigma J_f \varepsilon$, and so
#
# $$\frac{1}{\sigma^2}\, \mathbb{E}\, \lVert f(x + \sigma \varepsilon) - f(x) \rVert^2
# = \lVert J_f(x) \rVert_F^2 + O(\sigma^2) .$$
#
# Compute the left side, with the mean over $m$ given vectors $\varepsilon$ for each example in place of the expectation. If the
# $\varepsilon$ are all $2^d$ vectors of signs, the mean over them has no error of chance.
#
# <details><summary>Hint</summary>
#
# Encode `x` once, and `x + sigma * eps[i]` for each i. Square the difference of the codes and sum over the code values
# (dim=1); then the mean over i, divided by sigma squared.
#
# </details>


# %% solution="moved_by_noise"
# Not allowed here: aelib
def moved_by_noise(encoder, x: Tensor, eps: Tensor, sigma: float) -> Tensor:
    """How far noise moves the code: the mean squared change over the draws, divided by sigma^2.

    Args:
        encoder: a function from examples (B, d) to codes (B, k).
        x: the examples, shape (B, d).
        eps: the noise before it is scaled, m draws for each example, shape (m, B, d).
        sigma: the noise's standard deviation, above 0.

    Returns:
        One number for each example, shape (B,).
    """
    ### BEGIN SOLUTION
    z = encoder(x)
    changes = [(encoder(x + sigma * noise) - z).square().sum(dim=1) for noise in eps]
    return torch.stack(changes).mean(dim=0) / sigma**2
    ### END SOLUTION


# %% tests="moved_by_noise-shape" points=0.5
# moved_by_noise(encoder, x, eps, sigma) is one number for each example, however many draws
# there are.
moved = moved_by_noise(network(0, 2, 3), torch.zeros(5, 2), torch.ones(7, 5, 2), 0.1)
assert tuple(moved.shape) == (5,), (
    f"5 examples, 7 draws for each: expected shape (5,), got {tuple(moved.shape)}"
)
### BEGIN HIDDEN TESTS
for n, d, k, m in ((5, 2, 3, 7), (1, 3, 2, 4)):
    x, eps = torch.tensor(draw.normal(size=(n, d))), torch.tensor(draw.normal(size=(m, n, d)))
    probe(moved=moved_by_noise(network(int(draw.integers(2**31)), d, k), x, eps, 0.1))
### CHECK moved: shape()
### END HIDDEN TESTS

# %% tests="moved_by_noise-values" points=1
# For z = (x_1 x_2, x_1^2) at (1, 2) the norm is 9, and all sign vectors give 9 + 2 sigma^2.
# For a linear encoder sigma does not matter.
signs = all_signs(2)[:, None]
for sigma in (0.1, 1.0, 2.0):
    moved = moved_by_noise(product_and_square, torch.tensor([[1.0, 2.0]]), signs, sigma)
    assert agrees(moved, [9 + 2 * sigma**2]), (
        f"sigma = {sigma:g}: expected {9 + 2 * sigma**2:g}, got {shown(moved)}"
    )
    moved = moved_by_noise(
        lambda x: x @ torch.tensor([[2.0], [1.0]]), torch.ones(1, 2), signs, sigma
    )
    assert agrees(moved, [5.0]), (
        f"z = 2 x_1 + x_2, sigma = {sigma:g}: expected 2^2 + 1^2 = 5, got {shown(moved)}"
    )
### BEGIN HIDDEN TESTS
for n, d, k, m, sigma in (
    (3, 2, 2, 3, 0.3),
    (4, 3, 2, 6, 0.8),
    (1, 2, 4, 5, 1.5),
    (5, 1, 1, 1, 0.1),
):
    encoder = network(int(draw.integers(2**31)), d, 5, k)
    x, eps = torch.tensor(draw.normal(size=(n, d))), torch.tensor(draw.normal(size=(m, n, d)))
    probe(moved=moved_by_noise(encoder, x, eps, sigma))
### END HIDDEN TESTS

# %% [markdown] task="denoising_error" minutes=7 difficulty=2
# ## 5. Denoising charges for a Jacobian too
#
# A denoising autoencoder sees $x + \sigma \varepsilon$ and pays for the distance from its answer to the clean $x$. Let its
# reconstruction be affine, $r(x) = M x + c$ with a (d, d) matrix $M$. Then
# $r(x + \sigma \varepsilon) = r(x) + \sigma M \varepsilon$. Square, and take the mean over
# $\varepsilon \sim \mathcal N(0, I)$: the mixed term has mean zero, and
#
# $$\frac1B \sum_{n=1}^{B} \mathbb{E}\, \lVert x_n - r(x_n + \sigma \varepsilon) \rVert^2
# = \frac1B \sum_{n=1}^{B} \lVert x_n - r(x_n) \rVert^2 + \sigma^2 \lVert M \rVert_F^2 .$$
#
# $M$ is the Jacobian of $r$. So noise acts as a contractive penalty on the *reconstruction*, with the weight $\sigma^2$. Write
# the right side: no noise is drawn. (If $r$ is not affine, this holds for small $\sigma$ where $r(x)$ is close to $x$.)
#
# <details><summary>Hint</summary>
#
# The second term does not depend on the examples: add it once. The Frobenius norm squared is the sum of the squares of all
# entries of M, not only of those on its diagonal.
#
# </details>


# %% solution="denoising_error"
# Not allowed here: aelib
def denoising_error(x: Tensor, M: Tensor, c: Tensor, sigma: float) -> Tensor:
    """The expected squared error of the affine denoiser M x + c, mean over the examples.

    Args:
        x: the clean examples, shape (B, d).
        M: the matrix of the denoiser, any one of shape (d, d).
        c: its constant, shape (d,).
        sigma: the standard deviation of the noise on each feature, at least 0.

    Returns:
        The error without a factor 1/2, shape ().
    """
    ### BEGIN SOLUTION
    x_hat = x @ M.T + c
    return (x - x_hat).square().sum(dim=1).mean() + sigma**2 * M.square().sum()
    ### END SOLUTION


# %% tests="denoising_error-shape" points=0.5
# denoising_error(x, M, c, sigma) is one number.
error = denoising_error(torch.ones(5, 3), torch.eye(3), torch.zeros(3), 0.5)
assert torch.as_tensor(error).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(error).shape)}"
)
### BEGIN HIDDEN TESTS
for n, d in ((5, 3), (1, 2)):
    given = (torch.tensor(draw.normal(size=shape)) for shape in ((n, d), (d, d), (d,)))
    probe(numbers=torch.as_tensor(denoising_error(*given, 0.5)).numel())
### END HIDDEN TESTS

# %% tests="denoising_error-values" points=1
# A denoiser that copies, M = I, leaves all the noise in: its error is d sigma^2. One that
# halves pays for the examples, and for a quarter of the noise.
x = torch.tensor([[2.0, 0.0], [0.0, 4.0]])
for M, sigma, expected in (
    (torch.eye(2), 3.0, 18.0),
    (torch.eye(2) / 2, 0.0, 2.5),
    (torch.eye(2) / 2, 3.0, 7.0),
    (torch.tensor([[1.0, 1.0], [0.0, 1.0]]), 1.0, 11.0),
):
    error = float(denoising_error(x, M, torch.zeros(2), sigma))
    assert agrees(error, expected), (
        f"M = {M.tolist()}, sigma = {sigma:g}: expected {expected:g}, got {error:g}"
    )
### BEGIN HIDDEN TESTS
for n, d, sigma in ((5, 3, 0.6), (1, 4, 1.5), (4, 2, 0.0), (6, 1, 3.0)):
    given = [torch.tensor(draw.normal(size=shape)) for shape in ((n, d), (d, d), (d,))]
    probe(error=float(denoising_error(*given, sigma)))
### END HIDDEN TESTS

# %% [markdown] task="directions" minutes=8 difficulty=2
# ## 6. The directions to which a code reacts
#
# The norm says how much a code reacts, but not to what. The singular value decomposition does: $J_f = U \Sigma V^\top$. A unit
# step of the example along the right singular vector $v_i$ moves the code by $J_f v_i = s_i u_i$, so its length is the
# singular value $s_i$. The vectors with the largest $s_i$ are the directions to which the code reacts most. If training has
# done its work, these lie *along* the data: they are tangents. Along the others the code hardly changes.
#
# <details><summary>Hint</summary>
#
# `torch.linalg.svd` takes a whole batch of matrices, and returns $U$, the singular values in *descending* order, and
# $V^\top$. The right singular vectors are the *rows* of $V^\top$.
#
# </details>


# %% solution="directions"
# Not allowed here: aelib
def directions(J: Tensor, r: int) -> tuple[Tensor, Tensor]:
    """The r directions to which the code of each example reacts most.

    Args:
        J: the Jacobian of the encoder at each example, shape (B, k, d).
        r: the number of directions, 1 to the smaller of k and d.

    Returns:
        s: the r largest singular values of each Jacobian, the largest first, shape (B, r).
        v: their right singular vectors, one a row, each of length 1 and of either sign,
            shape (B, r, d).
    """
    ### BEGIN SOLUTION
    _, s, vh = torch.linalg.svd(J)
    return s[:, :r], vh[:, :r]
    ### END SOLUTION


# %% tests="directions-shape" points=0.5
# directions(J, r) returns a pair (s, v) of shapes (B, r) and (B, r, d); each direction has
# length 1.
J = torch.tensor([[[0.0, 0.0, 5.0, 0.0], [2.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0]]]).repeat(
    5, 1, 1
)
pair = directions(J, 2)
assert is_pair(pair), "return two tensors: s, v"
assert tuple(pair[0].shape) == (5, 2), f"s: expected shape (5, 2), got {tuple(pair[0].shape)}"
assert tuple(pair[1].shape) == (5, 2, 4), (
    f"v: expected shape (5, 2, 4), got {tuple(pair[1].shape)}"
)
lengths = torch.linalg.vector_norm(pair[1], dim=2)
assert agrees(lengths, torch.ones(5, 2)), f"expected lengths of 1, got {shown(lengths)}"
### BEGIN HIDDEN TESTS
for n, k, d, r in ((5, 3, 4, 2), (1, 4, 3, 3)):
    s, v = directions(torch.tensor(draw.normal(size=(n, k, d))), r)
    probe(s=s, v=v, lengths=torch.linalg.vector_norm(v, dim=2))
### CHECK s: shape()
### CHECK v: shape()
### END HIDDEN TESTS

# %% tests="directions-values" points=0.5
# The singular values of ((0, 0, 5), (2, 0, 0)) are 5 and 2, the largest first.
J = torch.tensor([[[0.0, 0.0, 5.0], [2.0, 0.0, 0.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, -3.0]]])
s = directions(J.clone(), 2)[0]
assert agrees(s, [[5.0, 2.0], [3.0, 1.0]]), (
    f"two Jacobians: expected 5, 2 and 3, 1, got {shown(s)}"
)
### BEGIN HIDDEN TESTS
for n, k, d, r in ((3, 3, 3, 2), (2, 2, 4, 2), (1, 5, 3, 1), (4, 3, 1, 1)):
    probe(s=directions(torch.tensor(draw.normal(size=(n, k, d))), r)[0])
### END HIDDEN TESTS

# %% tests="directions-lines" points=1
# For ((0, 0, 5), (2, 0, 0)) the code reacts most to the third feature, then to the first: only
# the line counts, not the sign.
J = torch.tensor([[[0.0, 0.0, 5.0], [2.0, 0.0, 0.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, -3.0]]])
v = directions(J.clone(), 2)[1]
expected = torch.tensor(
    [[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]
)
assert agrees(v.abs(), expected), (
    f"two Jacobians: expected, up to signs, {shown(expected)}, got {shown(v)}"
)
### BEGIN HIDDEN TESTS
for n, k, d, r in ((3, 3, 3, 2), (2, 2, 4, 2), (1, 5, 3, 3)):
    v = directions(torch.tensor(draw.normal(size=(n, k, d))), r)[1]
    probe(lines=v.unsqueeze(3) * v.unsqueeze(2))
### END HIDDEN TESTS

# %% [markdown] task="exact_norm" minutes=10 difficulty=3
# ## 7. The norm of any encoder, exactly
#
# Few encoders have a closed form. But a backward pass through any encoder $f$ from the number $u^\top f(x)$ gives
# $J_f^\top u$. With $u = e_j$, that is from code value $j$ alone, it gives row $j$ of $J_f$. Do it for all $k$ code values and
# add up the squares:
#
# $$\lVert J_f(x) \rVert_F^2 = \sum_{j=1}^k \lVert J_f^\top e_j \rVert^2 .$$
#
# The code of an example does not depend on the others. So one backward pass from the *sum* of value $j$ over the batch gives
# row $j$ of *every* example's Jacobian.
#
# The norm is to be trained with: gradients must flow through it to the encoder's parameters. And `x` belongs to the caller:
# change neither its values nor `x.requires_grad`.
#
# <details><summary>Hint</summary>
#
# `torch.autograd.grad(number, leaf, create_graph=True)` returns a tuple with the derivative of a number by a tensor, and the
# derivative can itself be differentiated again. The leaf must have `requires_grad`, so make one for yourself:
# `x.detach().requires_grad_()`. `torch.func.jacrev` is another way; mind that it takes the batch for a part of the input.
#
# </details>


# %% solution="exact_norm"
# Not allowed here: aelib
def exact_norm(encoder, x: Tensor) -> Tensor:
    """The squared Frobenius norm of the Jacobian of an encoder at each example, by autograd.

    Args:
        encoder: from examples (B, d) to codes (B, k); a module, or any differentiable function.
        x: the examples, shape (B, d); they are left as they are.

    Returns:
        One squared norm for each example, shape (B,), with its graph.
    """
    ### BEGIN SOLUTION
    x = x.detach().requires_grad_()
    z = encoder(x)
    total = torch.zeros(len(x))
    for j in range(z.shape[1]):
        (row,) = torch.autograd.grad(z[:, j].sum(), x, create_graph=True)
        total = total + row.square().sum(dim=1)
    return total
    ### END SOLUTION


# %% tests="exact_norm-shape" points=0.5
# exact_norm(encoder, x) is one number for each example.
norm = exact_norm(network(0, 3, 4, 2), torch.ones(5, 3))
assert tuple(norm.shape) == (5,), f"5 examples: expected shape (5,), got {tuple(norm.shape)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((5, 3, 2), (1, 2, 3)):
    encoder = network(int(draw.integers(2**31)), d, 4, k)
    probe(norm=exact_norm(encoder, torch.tensor(draw.normal(size=(n, d)))))
### CHECK norm: non_negative()
### END HIDDEN TESTS

# %% tests="exact_norm-values" points=1
# For z = (x_1 x_2, x_1^2) the Jacobian is ((x_2, x_1), (2 x_1, 0)): at (1, 2) the norm is
# 4 + 1 + 4 = 9. For a linear encoder it is the sum of the squared weights.
norm = exact_norm(product_and_square, torch.tensor([[1.0, 2.0], [0.0, 3.0], [2.0, 0.0]]))
assert agrees(norm, [9.0, 9.0, 20.0]), (
    f"at (1, 2), (0, 3), (2, 0): expected 9, 9, 20, got {shown(norm)}"
)
W = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, -3.0]])
norm = exact_norm(lambda x: x @ W.T, torch.ones(4, 3))
assert agrees(norm, [14.0] * 4), f"z = W x: expected 1 + 4 + 9 = 14, got {shown(norm)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((4, 3, 2), (1, 4, 3), (5, 1, 2), (4, 3, 1), (3, 2, 5)):
    encoder = network(int(draw.integers(2**31)), d, 6, k)
    probe(norm=exact_norm(encoder, torch.tensor(draw.normal(size=(n, d)))))
### END HIDDEN TESTS

# %% tests="exact_norm-gradient" points=1
# The norm can be trained with: for z = W x its gradient by W is 2 W, for each example. The
# caller's x is left as it is.
W = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, -3.0]], requires_grad=True)
x = torch.ones(4, 3)
norm = exact_norm(lambda x: x @ W.T, x)
assert norm.requires_grad, "no gradient can flow through the norm: see create_graph in the hint"
(gradient,) = torch.autograd.grad(norm.sum(), W)
assert agrees(gradient, 8 * W.detach()), f"four examples: expected 8 W, got {shown(gradient)}"
assert not x.requires_grad, (
    "x.requires_grad was changed for the caller: make a leaf of your own"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((4, 3, 2), (1, 2, 3)):
    encoder = network(int(draw.integers(2**31)), d, 6, k)
    x = torch.tensor(draw.normal(size=(n, d)))
    norm = exact_norm(encoder, x)
    probe(learns=norm.requires_grad, x=x, x_requires_grad=x.requires_grad)
    weights = [encoder[0].weight, encoder[0].bias, encoder[2].weight]
    probe(gradients=list(torch.autograd.grad(norm.sum(), weights)))
### END HIDDEN TESTS

# %% [markdown] task="estimated_norm" minutes=8 difficulty=3
# ## 8. The norm, estimated
#
# With 1,000 code values the exact norm takes 1,000 backward passes. One draw of an estimate takes one. Let the values of
# $u \in \mathbb{R}^k$ be independent fair signs, 1 or $-1$, so that $\mathbb{E}[u u^\top] = I$. Then
#
# $$\mathbb{E}\, \lVert J_f^\top u \rVert^2 = \mathbb{E}\,[u^\top J_f J_f^\top u] = \operatorname{tr}(J_f J_f^\top)
# = \lVert J_f \rVert_F^2 .$$
#
# One backward pass from $u^\top f(x)$ gives $J_f^\top u$. You are given $m$ vectors $u$ for each example. Return the mean of the
# $m$ values $\lVert J_f^\top u \rVert^2$: square first, then take the mean. The code of an example does not depend on the
# others, so one backward pass from a sum over the batch serves all examples at once.
#
# Again, gradients must flow to the encoder's parameters, and the caller's `x` and `x.requires_grad` stay as they are.
#
# <details><summary>Hint</summary>
#
# For one draw: `(z * u[i]).sum()` is the sum of $u^\top f(x)$ over the batch. Its derivative by a leaf with the values of `x`
# (`torch.autograd.grad` with `create_graph=True`) has shape (B, d), and row n is $J_f^\top u$ of example n.
#
# </details>


# %% solution="estimated_norm"
# Not allowed here: aelib
def estimated_norm(encoder, x: Tensor, u: Tensor) -> Tensor:
    """An estimate of the squared Frobenius norm of the Jacobian of an encoder at each example.

    Args:
        encoder: from examples (B, d) to codes (B, k); a module, or any differentiable function.
        x: the examples, shape (B, d); they are left as they are.
        u: m vectors for each example, shape (m, B, k).

    Returns:
        The mean of ||J^T u||^2 over the m vectors at each example, shape (B,), with its graph.
    """
    ### BEGIN SOLUTION
    x = x.detach().requires_grad_()
    z = encoder(x)
    total = torch.zeros(len(x))
    for one in u:
        (pulled,) = torch.autograd.grad((z * one).sum(), x, create_graph=True)
        total = total + pulled.square().sum(dim=1)
    return total / len(u)
    ### END SOLUTION


# %% tests="estimated_norm-shape" points=0.5
# estimated_norm(encoder, x, u) is one number for each example, however many draws there are.
norm = estimated_norm(network(0, 3, 4, 2), torch.ones(5, 3), torch.ones(7, 5, 2))
assert tuple(norm.shape) == (5,), (
    f"5 examples, 7 draws for each: expected shape (5,), got {tuple(norm.shape)}"
)
### BEGIN HIDDEN TESTS
for n, d, k, m in ((5, 3, 2, 7), (1, 2, 3, 4)):
    encoder = network(int(draw.integers(2**31)), d, 4, k)
    x, u = torch.tensor(draw.normal(size=(n, d))), torch.tensor(draw.normal(size=(m, n, k)))
    probe(norm=estimated_norm(encoder, x, u))
### CHECK norm: non_negative()
### END HIDDEN TESTS

# %% tests="estimated_norm-values" points=1
# For z = (x_1 x_2, x_1^2) at (1, 2), J^T (1, 1) = (4, 1) and J^T (1, -1) = (0, 1): estimates of
# 17 and 1. Their mean is the norm, 9.
x, u = torch.tensor([[1.0, 2.0]]), all_signs(2)[:, None]
for draws, expected in ((u[:1], 17.0), (u[1:2], 1.0), (u[:2], 9.0), (u, 9.0)):
    norm = estimated_norm(product_and_square, x, draws)
    assert agrees(norm, [expected]), (
        f"u = {draws[:, 0].tolist()}: expected {expected:g}, got {shown(norm)}"
    )
norm = estimated_norm(product_and_square, x.repeat(2, 1), u[:2].transpose(0, 1))
assert agrees(norm, [17.0, 1.0]), (
    f"two examples, each with a u of its own: expected 17 and 1, got {shown(norm)}"
)
### BEGIN HIDDEN TESTS
for n, d, k, m in ((4, 3, 4, 4), (4, 3, 2, 3), (1, 4, 3, 5), (5, 1, 2, 1), (2, 3, 1, 2)):
    encoder = network(int(draw.integers(2**31)), d, 6, k)
    x, u = torch.tensor(draw.normal(size=(n, d))), torch.tensor(draw.normal(size=(m, n, k)))
    probe(
        norm=estimated_norm(encoder, x, u), norm_by_signs=estimated_norm(encoder, x, u.sign())
    )
### END HIDDEN TESTS

# %% tests="estimated_norm-gradient" points=0.5
# The estimate can be trained with: for z = W x and all sign vectors its gradient by W is 2 W.
# The caller's x is left as it is.
W = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, -3.0]], requires_grad=True)
x = torch.ones(1, 3)
norm = estimated_norm(lambda x: x @ W.T, x, all_signs(2)[:, None])
assert norm.requires_grad, (
    "no gradient can flow through the estimate: see create_graph in the hint"
)
(gradient,) = torch.autograd.grad(norm.sum(), W)
assert agrees(gradient, 2 * W.detach()), f"expected 2 W, got {shown(gradient)}"
assert not x.requires_grad, (
    "x.requires_grad was changed for the caller: make a leaf of your own"
)
### BEGIN HIDDEN TESTS
for n, d, k, m in ((4, 3, 2, 3), (1, 2, 3, 1)):
    encoder = network(int(draw.integers(2**31)), d, 6, k)
    x, u = torch.tensor(draw.normal(size=(n, d))), torch.tensor(draw.normal(size=(m, n, k)))
    norm = estimated_norm(encoder, x, u)
    probe(learns=norm.requires_grad, x=x, x_requires_grad=x.requires_grad)
    weights = [encoder[0].weight, encoder[0].bias, encoder[2].weight]
    probe(gradients=list(torch.autograd.grad(norm.sum(), weights)))
### END HIDDEN TESTS

# %% [markdown] task="train" minutes=14 difficulty=4
# ## 9. Train with it
#
# Write the training loop. Encoder and decoder are any modules, and the optimizer has the parameters of both. You are given
# the signs of all steps. Those of a step have shape (B, k): one vector $u$ for each example. The loss of a step is
#
# $$\frac1B \sum_{n=1}^{B} \Bigl( \tfrac12 \lVert x_n - \hat x_n \rVert^2 + \alpha\, \lVert J_f(x_n)^\top u_n \rVert^2 \Bigr) .$$
#
# (The constant $\frac d2 \log 2\pi$ has no gradient and is left out.) In each step: compute the loss of all examples, take the
# gradients of this loss alone, without those of earlier steps, and let the optimizer step once. Both terms must be learned
# from, and the caller's `x` and `x.requires_grad` stay as they are.
#
# <details><summary>Hint</summary>
#
# In a step you need the code $z$ twice: for $\hat x$ and for $J_f^\top u$, which is the derivative of `(z * u).sum()` by a leaf
# with the values of `x` (`torch.autograd.grad` with `create_graph=True`). Then the usual three lines of the optimizer.
#
# </details>


# %% solution="train"
# Not allowed here: aelib
def train(
    encoder: nn.Module,
    decoder: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    weight: float,
    signs: list[Tensor],
) -> list[float]:
    """Train a contractive autoencoder with the estimated penalty, a step for each set of signs.

    Args:
        encoder: from examples (B, d) to codes (B, k).
        decoder: from codes (B, k) to reconstructions (B, d).
        optimizer: it has the parameters of both; its gradients are none at the start.
        x: the examples, all of them in each step, shape (B, d); they are left as they are.
        weight: alpha, the weight of the penalty, at least 0.
        signs: the vectors u of each step, each of shape (B, k).

    Returns:
        The loss of each step, before the parameters are changed, as plain numbers.
    """
    ### BEGIN SOLUTION
    losses = []
    for u in signs:
        leaf = x.detach().requires_grad_()
        z = encoder(leaf)
        (pulled,) = torch.autograd.grad((z * u).sum(), leaf, create_graph=True)
        recon = (x - decoder(z)).square().sum(dim=1) / 2
        loss = (recon + weight * pulled.square().sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION


# %% tests="train-shape" points=0.5
# train(...) returns a list with one plain number for each step.
encoder, decoder = network(0, 3, 2), network(1, 2, 3)
optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.01)
losses = train(encoder, decoder, optimizer, torch.ones(5, 3), 0.1, [torch.ones(5, 2)] * 4)
assert isinstance(losses, list), f"expected a list, got {type(losses).__name__}"
assert len(losses) == 4, f"four steps: expected 4 losses, got {len(losses)}"
assert all(isinstance(loss, float) for loss in losses), "plain numbers: use loss.item()"
### BEGIN HIDDEN TESTS
for n, d, k, steps in ((5, 3, 2, 4), (1, 2, 3, 1)):
    seed = int(draw.integers(2**31))
    encoder, decoder = network(seed, d, k), network(seed + 1, k, d)
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.02)
    signs = [torch.tensor(draw.choice([-1.0, 1.0], size=(n, k))) for _ in range(steps)]
    losses = train(encoder, decoder, optimizer, torch.ones(n, d), 0.1, signs)
    probe(losses=torch.tensor([float(loss) for loss in losses]))
### CHECK losses: shape()
### END HIDDEN TESTS

# %% tests="train-steps" points=1
# One feature x = 2, encoder weight 1, decoder weight 1/2, alpha = 1/2: the loss is 1/2 + 1/2.
# The two terms pull at the encoder with opposite forces of equal size: only the decoder moves.
encoder, decoder = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
nn.init.constant_(encoder.weight, 1.0)
nn.init.constant_(decoder.weight, 0.5)
optimizer = torch.optim.SGD([encoder.weight, decoder.weight], lr=0.1)
x = torch.tensor([[2.0]])
losses = train(encoder, decoder, optimizer, x, 0.5, [torch.ones(1, 1)])
assert agrees(losses, [1.0]), f"expected the loss 1, got {losses}"
assert agrees(encoder.weight, [[1.0]]), (
    f"the encoder's weight should stay 1, yours is {encoder.weight.item():.4f}: is the penalty "
    "learned from?"
)
assert agrees(decoder.weight, [[0.7]]), (
    f"the decoder's weight should be 0.7 after the step, yours is {decoder.weight.item():.4f}"
)
losses = train(encoder, decoder, optimizer, x, 0.5, [torch.ones(1, 1)] * 2)
assert agrees(losses, [0.68, 0.5587186688]), (
    f"two more steps: expected the losses 0.68 and 0.558719, got {losses}"
)
assert not x.requires_grad, (
    "x.requires_grad was changed for the caller: make a leaf of your own"
)
### BEGIN HIDDEN TESTS
for n, d, k, weight, steps in ((5, 3, 2, 0.3, 4), (1, 2, 4, 1.0, 2), (4, 3, 1, 0.0, 3)):
    seed = int(draw.integers(2**31))
    encoder, decoder = network(seed, d, 6, k), network(seed + 1, k, 6, d)
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.03)
    x = torch.tensor(draw.normal(size=(n, d)))
    signs = [torch.tensor(draw.choice([-1.0, 1.0], size=(n, k))) for _ in range(steps)]
    losses = train(encoder, decoder, optimizer, x, weight, signs)
    probe(losses=torch.tensor([float(loss) for loss in losses]))
    probe(encoder=list(encoder.parameters()), decoder=list(decoder.parameters()))
    probe(x=x, x_requires_grad=x.requires_grad)
### END HIDDEN TESTS

# %% tests="train-outcome" points=1
# Trained on points of a closed curve, the model reconstructs new points of it, and its code
# reacts less to small steps than without the penalty.
angles = torch.linspace(0, 2 * math.pi, 41)[:-1]
loop = torch.stack([angles.cos(), angles.sin(), 0.5 * (2 * angles).cos()], dim=1)
signs = list(torch.randn(60, 40, 2, generator=torch.Generator().manual_seed(0)).sign())
moved = {}
for weight in (0.0, 0.1):
    encoder, decoder = network(3, 3, 16, 2), network(4, 2, 16, 3)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=4e-2)
    losses = train(encoder, decoder, optimizer, loop, weight, signs)
    assert losses[-1] < losses[0] / 2, (
        f"weight {weight:g}: the loss should fall below half of what it was, yours went from "
        f"{losses[0]:.3f} to {losses[-1]:.3f}"
    )
    with torch.no_grad():
        noisy = loop + 0.01 * torch.randn(40, 3, generator=torch.Generator().manual_seed(1))
        moved[weight] = (encoder(noisy) - encoder(loop)).square().sum(dim=1).mean().item()
assert moved[0.1] < moved[0.0] / 2, (
    f"small noise moves the code by {moved[0.0]:.6f} without the penalty, by {moved[0.1]:.6f} "
    "with it: expected less than half"
)
### BEGIN HIDDEN TESTS
angles = torch.tensor(draw.uniform(0, 2 * math.pi, size=80))
loop = torch.stack([angles.cos(), angles.sin(), 0.5 * (2 * angles).cos()], dim=1)
seed = int(draw.integers(2**31))
encoder, decoder = network(seed, 3, 16, 2), network(seed + 1, 2, 16, 3)
before = [
    parameter.detach().clone() for parameter in (*encoder.parameters(), *decoder.parameters())
]
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.03)
signs = list(torch.tensor(draw.choice([-1.0, 1.0], size=(80, 40, 2))))
train(encoder, decoder, optimizer, loop[:40], 0.1, signs)
after = [*encoder.parameters(), *decoder.parameters()]
rows = torch.func.jacrev(lambda x: encoder(x).sum(dim=0))(loop[40:])
norm = rows.square().sum(dim=(0, 2)).mean()
error = (loop[40:] - decoder(encoder(loop[40:]))).square().sum(dim=1).mean()
probe(all_changed=all(not torch.equal(a, b) for a, b in zip(before, after)))
probe(held_out_loss=error / 2 + 0.1 * norm, norm=norm)
### CHECK held_out_loss: at_most(times=1.15)
### CHECK norm: at_most(times=1.3)
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on 200 handwritten digits of 8 by 8 pixels: a tied autoencoder with 32 sigmoid units, trained
# once without the penalty and once with it. For three digits you see the four directions to which the code reacts most, as
# images. The less contrast an image has, the less the code reacts to it, compared with the first of the four. The second line
# that is printed says how rough the directions are: it adds up the squared differences between neighboring pixels. This part
# is worth no points; change it as you like.

# %%
x = data.digits().flat().double()[:200]
viz.use_style()
figure, axes = plt.subplots(1, 2, figsize=(6.6, 2.6))
for ax, weight in zip(axes, (0.0, 0.3)):
    W = 0.1 * torch.randn(32, 64, generator=torch.Generator().manual_seed(0))
    b, c = torch.zeros(32), x.mean(dim=0)
    adam = torch.optim.Adam([values.requires_grad_() for values in (W, b, c)], lr=2e-2)
    for _ in range(80):
        adam.zero_grad()
        contractive_loss(x, W, b, c, weight).backward()
        adam.step()
    with torch.no_grad():
        layer = nn.Linear(64, 32)
        layer.weight.copy_(W)
        layer.bias.copy_(b)
        encoder = nn.Sequential(layer, nn.Sigmoid())
        codes = encoder(x)
        error = (x - codes @ W - c).square().sum(dim=1).mean()
        norm = squared_norm(codes, W).mean()
        eps = torch.randn(5, 200, 64, generator=torch.Generator().manual_seed(1))
        moved = moved_by_noise(encoder, x, eps, 0.01).mean()
        s, v = directions(jacobian(x[:20], W, b), 4)
    print(
        f"alpha = {weight:g}: squared error {error:.2f}, norm {norm:.2f}, "
        f"estimated from noise {moved:.2f}"
    )
    images = v.reshape(20, 4, 8, 8)
    rough = sum(images.diff(dim=axis).square().sum(dim=(2, 3)).mean() for axis in (2, 3))
    print(f"roughness of the four directions, mean over 20 digits: {rough:.2f}")
    tiles = images[:3] * (s[:3] / s[:3, :1])[:, :, None, None]
    tiles = torch.cat([x[:3].reshape(3, 1, 8, 8) - 0.5, 1.2 * tiles], dim=1)
    viz.image_grid(ax, tiles.reshape(15, 1, 8, 8).float(), columns=5, low=-0.5, high=0.5)
    ax.set_title(rf"$\alpha = {weight:g}$: three digits, four directions")
plt.show()

# %% [markdown] locked="evasion"
# ## A penalty that was paid
#
# The next cell trains two models on points of a closed curve, from the same random weights, without and with a penalty. The
# encoder is a layer of 8 tanh units, the decoder is affine and has weights of its own. The cell prints for each the squared
# error, the norm $\lVert J_f \rVert_F^2$, and the same norm divided by the variance of the codes. Then it prints how large the
# decoder's weights are, and the norm of the Jacobian of the whole reconstruction $r = g \circ f$.

# %% locked="evasion-training"
angles = torch.linspace(0, 2 * math.pi, 41)[:-1]
curve = torch.stack([angles.cos(), angles.sin(), 0.5 * (2 * angles).cos()], dim=1)
found = {}
for weight in (0.0, 0.3):
    layers = network(1, 3, 8, 3)
    encoder, decoder = layers[:2], layers[2]
    adam = torch.optim.Adam(layers.parameters(), lr=1e-1)
    for _ in range(130):
        codes = encoder(curve)
        J_f = torch.einsum("nj,ji->nji", 1 - codes.square(), encoder[0].weight)
        penalty = J_f.square().sum(dim=(1, 2)).mean()
        error = (curve - decoder(codes)).square().sum(dim=1).mean()
        adam.zero_grad()
        (error / 2 + weight * penalty).backward()
        adam.step()
    with torch.no_grad():
        found[weight] = {
            "squared error": error.item(),
            "norm": penalty.item(),
            "norm / variance of codes": (penalty / codes.var(dim=0, correction=0).sum()).item(),
            "size of decoder": torch.linalg.matrix_norm(decoder.weight).item(),
            "norm of whole": (decoder.weight @ J_f).square().sum(dim=(1, 2)).mean().item(),
        }
for name in found[0.0]:
    print(
        f"{name:24}  alpha = 0: {found[0.0][name]:7.4f}   alpha = 0.3: {found[0.3][name]:7.4f}"
    )
free, paid = found[0.0], found[0.3]
assert paid["norm"] < free["norm"] / 50, (
    "the norm of the encoder's Jacobian fell to a small part"
)
assert paid["size of decoder"] > 3 * free["size of decoder"], "the decoder grew"
for name in ("norm / variance of codes", "norm of whole"):
    assert 0.75 < paid[name] / free[name] < 1.25, f"{name}: about as large as before"

# %% [markdown] task="evaded" minutes=12 difficulty=3
# ## 10. Was it worth it?
#
# Somebody reads the first two lines of that table and reports: "With the penalty the code is more than 50 times less
# sensitive, and the curve is still reconstructed." The other lines tell another story. In six to ten sentences or formulas:
#
# 1. Let the last layer of the encoder and the first layer of the decoder be affine. Show with a number $c > 1$ how a model can
#    lower $\alpha \lVert J_f \rVert_F^2$ as far as it likes and reconstruct as before. Which lines of the table show that
#    (nearly) this happened here, where the encoder ends in a tanh?
# 2. A denoising autoencoder pays, for small $\sigma$ and where it reconstructs well, $\sigma^2 \lVert J_r \rVert_F^2$ for the
#    Jacobian of its reconstruction $r = g \circ f$. Can it lower that with the same trick? Show why or why not.
# 3. Name one change to the model or to the loss that stops the trick, and say why it does. Name one number to report instead of
#    the norm, and say why no change of the code's units improves it.

# %% [markdown] answer="evaded-why" points=3
# 1. Take $f_c(x) = f(x) / c$ and $g_c(z) = g(c z)$: divide the encoder's last layer by $c$ and multiply the weights of the
# decoder's first layer by $c$. Then $g_c(f_c(x)) = g(f(x))$, so no reconstruction changes. The Jacobian is $J_f / c$ and the
# penalty $\alpha \lVert J_f \rVert_F^2 / c^2$, which goes to zero as $c$ grows. In the table the norm falls to less than a
# fiftieth and the decoder is more than three times as large, while the norm divided by the variance of the codes, and the norm
# of the whole, hardly change. A tanh cannot be divided by $c$, but for small inputs it is nearly linear, and then smaller
# weights and biases do the same.
# 2. No. $r_c = g_c \circ f_c = g \circ f = r$, so its Jacobian is the same for every $c$. By the chain rule
# $J_{r_c} = (c\, J_g)(J_f / c) = J_g J_f$: what the encoder saves, the decoder loses. The denoising loss can be lowered only by a
# reconstruction that reacts less, which costs reconstruction along the data.
# 3. Tie the weights, as in task 3: the decoder is $W^\top$, so a smaller $W$ also makes the reconstruction smaller, and that
# costs. (Or put weight decay on the decoder: if $a$ is the norm of $J_f$ and $b$ that of the decoder's first weights, the two
# penalties $\alpha a^2 / c^2 + \gamma b^2 c^2$ are least at a finite $c$.) Report the relative sensitivity, the mean of
# $\lVert J_f \rVert_F^2$ divided by the variance of the codes: with $f / c$ both are divided by $c^2$.
#
# **Rubric** (1 point each)
#
# - The scaled pair, with unchanged reconstructions and the penalty divided by $c^2$; and two lines of the table that show it: the
#   larger decoder, and one of the two norms that stay. Half a point without the formula or without the table.
# - No, because $r$ itself does not change, or by the chain rule. Half a point for "no" with a reason in words only, such as
#   that the noise is on the input. No point for "yes".
# - A change that makes $c > 1$ cost something (tied weights, weight decay on the decoder, codes or decoder columns of fixed
#   length), with the reason; and a number without units (relative sensitivity, noise on codes divided by their variance,
#   $\lVert J_r \rVert_F^2$, or a task with noisy inputs). Half a point for each half. A larger $\alpha$ is no cure: no point.
