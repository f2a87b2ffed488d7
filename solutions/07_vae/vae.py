# %% [markdown] locked="intro"
# # Variational autoencoders
#
# You write a variational autoencoder in ten short functions: the draw of a code, the price of a cloud, the bound for two
# likelihoods, what holds the price back, two measurements, and a training step. At the end you put them together on
# handwritten digits.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from
# 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top
#   says what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points.
# - A batch is a tensor with one example a row: `mu` and `logvar` have shape (B, k). Sums run over the values of an
#   example, means over the batch, all in nats. Numbers must agree to 0.000001, relative or absolute. Functions return
#   tensors unless they say otherwise, and do not change the tensors that they are given.
# - You may use anything in torch and numpy, but what a task asks for cannot be imported: where a line above the function
#   says `Not allowed here`, code that uses one of these names earns nothing in that task. Comparing with them in a cell of
#   your own is fine.
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
from torch import Tensor, nn

from aelib import data, viz

# All numbers in this notebook are float64, also those that you make with torch.zeros.
torch.set_default_dtype(torch.float64)


def agrees(answer, expected) -> bool:
    """Whether two tensors, arrays or numbers have the same shape and agree to 0.000001."""
    a, b = torch.as_tensor(answer).detach().double(), torch.as_tensor(expected).double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-6, atol=1e-6)


def shown(answer) -> str:
    """The numbers of a tensor, rounded and on a line of their own, for a message."""
    return "\n" + str(np.round(torch.as_tensor(answer).detach().numpy(), 4))


def slopes(value: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """The gradient of the sum of value by each input; zero where no gradient gets through."""
    if not value.requires_grad:
        return tuple(torch.zeros_like(one) for one in inputs)
    return torch.autograd.grad(value.sum(), inputs, materialize_grads=True)


def networks(seed: int, d: int, k: int) -> tuple[nn.Module, nn.Module]:
    """Small networks with random weights.

    The encoder goes from d values to 2k: k means, then k log-variances. The decoder goes from
    k values to d logits.
    """
    encoder = nn.Sequential(nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, 2 * k))
    decoder = nn.Sequential(nn.Linear(k, 16), nn.Tanh(), nn.Linear(16, d))
    generator = torch.Generator().manual_seed(seed)
    for parameter in (*encoder.parameters(), *decoder.parameters()):
        nn.init.uniform_(parameter, -0.5, 0.5, generator=generator)
    return encoder, decoder


def weights_of(*models: nn.Module) -> Tensor:
    """A copy of all parameters of some networks, in one row."""
    parts = [
        parameter.detach().flatten() for model in models for parameter in model.parameters()
    ]
    return torch.cat(parts).clone()


def patterns(seed: int, n: int, d: int = 12) -> Tensor:
    """n binary examples: copies of four patterns of d values, each value flipped at 0.05."""
    generator = torch.Generator().manual_seed(seed)
    originals = torch.rand(4, d, generator=generator) < 0.5
    chosen = originals[torch.randint(4, (n,), generator=generator)]
    return (chosen ^ (torch.rand(n, d, generator=generator) < 0.05)).double()


# %% [markdown] task="reparameterize" minutes=4 difficulty=1
# ## 1. Draw a code
#
# The encoder names a cloud for each example, $q(z \mid x) = \mathcal N(\mu, \operatorname{diag} \sigma^2)$, by its means
# $\mu$ and the *logarithms of its variances*, $\log \sigma^2$. A draw from it, with the chance moved out of the way, is
#
# $$z = \mu + \sigma \odot \varepsilon, \qquad \varepsilon \sim \mathcal N(0, I) .$$
#
# All chance is in `eps`, so gradients get through $z$ to `mu` and `logvar`. To draw many codes for each example, `eps`
# may have more axes in front: with shape (K, B, k) it makes K draws for each of B examples.
#
# <details><summary>Hint</summary>
#
# `logvar` is $\log \sigma^2 = 2 \log \sigma$, so $\sigma = e^{\frac12 \log \sigma^2}$. Broadcasting takes care of further
# axes.
#
# </details>


# %% solution="reparameterize"
# Not allowed here: aelib, torch.distributions
def reparameterize(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """A draw from N(mu, diag(exp(logvar))), through which gradients reach mu and logvar.

    Args:
        mu: the means, shape (B, k).
        logvar: the logarithms of the variances, shape (B, k).
        eps: draws from N(0, 1), shape (B, k), or (K, B, k) for K draws for each example.

    Returns:
        z, of the shape of eps.
    """
    ### BEGIN SOLUTION
    return mu + torch.exp(0.5 * logvar) * eps
    ### END SOLUTION


# %% tests="reparameterize-shape" points=0.25
# reparameterize(mu, logvar, eps) has the shape of eps: a code for each row, or K of them.
for shape in ((5, 3), (4, 5, 3)):
    z = reparameterize(torch.zeros(5, 3), torch.zeros(5, 3), torch.ones(shape))
    assert tuple(z.shape) == shape, f"eps of shape {shape}: got a z of shape {tuple(z.shape)}"
### BEGIN HIDDEN TESTS
for shape in ((5, 3), (1, 1), (2, 6, 1)):
    mu, logvar = torch.tensor(draw.normal(size=(2, *shape[-2:])))
    probe(z=reparameterize(mu, logvar, torch.tensor(draw.normal(size=shape))))
### CHECK z: shape()
### END HIDDEN TESTS

# %% tests="reparameterize-values" points=0.75
# With logvar = log 4 the variance is 4 and the standard deviation is 2: eps = 1 gives mu + 2.
mu, logvar = torch.tensor([[1.0, -1.0]]), torch.tensor([[math.log(4), 0.0]])
z = reparameterize(mu, logvar, torch.tensor([[1.0, 2.0]]))
assert agrees(z, [[3.0, 1.0]]), f"expected (1 + 2 * 1, -1 + 1 * 2) = (3, 1), got {shown(z)}"
z = reparameterize(mu, logvar, torch.tensor([[[0.0, 0.0]], [[-1.0, 1.0]]]))
assert agrees(z, [[[1.0, -1.0]], [[-1.0, 0.0]]]), f"two draws for one example, got {shown(z)}"
### BEGIN HIDDEN TESTS
for shape in ((4, 3), (1, 5), (6, 1), (7, 2, 3)):
    mu, logvar = torch.tensor(draw.normal(size=(2, *shape[-2:]), scale=2))
    z = reparameterize(mu, logvar, torch.tensor(draw.normal(size=shape)))
    probe(z=z, mu=mu, logvar=logvar)
narrow = torch.full((2, 3), -2000.0)  # a cloud without any width
probe(z=reparameterize(torch.tensor(draw.normal(size=(2, 3))), narrow, torch.ones(2, 3)))
### END HIDDEN TESTS

# %% tests="reparameterize-gradients" points=0.5
# Gradients get through: the derivative of z by mu is 1, and by logvar it is sigma * eps / 2.
mu = torch.tensor([[0.3, 2.0]], requires_grad=True)
logvar = torch.tensor([[0.0, math.log(9)]], requires_grad=True)
by_mu, by_logvar = slopes(reparameterize(mu, logvar, torch.tensor([[2.0, -1.0]])), mu, logvar)
assert agrees(by_mu, [[1.0, 1.0]]), f"the derivative by mu is 1, yours is {shown(by_mu)}"
assert agrees(by_logvar, [[1.0, -1.5]]), (
    f"the derivative by logvar is (1 * 2 / 2, 3 * (-1) / 2), yours is {shown(by_logvar)}"
)
### BEGIN HIDDEN TESTS
for shape in ((4, 3), (1, 2), (5, 2, 1)):
    mu = torch.tensor(draw.normal(size=shape[-2:]), requires_grad=True)
    logvar = torch.tensor(draw.normal(size=shape[-2:]), requires_grad=True)
    z = reparameterize(mu, logvar, torch.tensor(draw.normal(size=shape)))
    by_mu, by_logvar = slopes(z * torch.tensor(draw.normal(size=shape)), mu, logvar)
    probe(by_mu=by_mu, by_logvar=by_logvar)
### END HIDDEN TESTS

# %% [markdown] task="gaussian_kl" minutes=6 difficulty=2
# ## 2. The price of a cloud
#
# Each cloud pays for being unlike the prior $p(z) = \mathcal N(0, I)$. The price has a closed form, one number for each
# example:
#
# $$\operatorname{KL}\bigl(q(z \mid x) \,\Vert\, p(z)\bigr)
# = \frac12 \sum_{j=1}^k \bigl(\sigma_j^2 + \mu_j^2 - 1 - \log \sigma_j^2\bigr) .$$
#
# It is zero for $\mu = 0$, $\sigma = 1$. As $\sigma$ goes to zero it grows like $\log \frac1\sigma$, and it must stay
# finite even where $\sigma^2$ is too small for a floating-point number: for $\log \sigma^2 = -1000$ and $\mu = 0$ it is
# 499.5.
#
# <details><summary>Hint</summary>
#
# $\log \sigma^2$ is `logvar` itself. There is no need for a logarithm anywhere, and $\log e^{-1000}$ is $-\infty$ on a
# computer.
#
# </details>


# %% solution="gaussian_kl"
# Not allowed here: aelib, torch.distributions
def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, diag(exp(logvar))) || N(0, I)) of each example, in nats.

    Args:
        mu: the means, shape (B, k).
        logvar: the logarithms of the variances, shape (B, k).

    Returns:
        The divergences, shape (B,).
    """
    ### BEGIN SOLUTION
    return 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    ### END SOLUTION


# %% tests="gaussian_kl-shape" points=0.25
# gaussian_kl(mu, logvar) has one number for each example.
kl = gaussian_kl(torch.ones(7, 3), torch.zeros(7, 3))
assert tuple(kl.shape) == (7,), f"7 examples: expected shape (7,), got {tuple(kl.shape)}"
### BEGIN HIDDEN TESTS
for b, k in ((7, 3), (1, 1)):
    mu, logvar = torch.tensor(draw.normal(size=(2, b, k)))
    probe(kl=gaussian_kl(mu, logvar))
### CHECK kl: shape()
### END HIDDEN TESTS

# %% tests="gaussian_kl-values" points=0.75
# One value of the code: (mu, sigma) = (1, 1) costs 1/2, (0, 1/2) costs log 2 - 3/8. The prior
# itself costs nothing.
quarter = math.log(1 / 4)  # the log-variance of sigma = 1/2
for mu, logvar, expected in (
    ([[1.0]], [[0.0]], [0.5]),
    ([[0.0]], [[quarter]], [math.log(2) - 0.375]),
    ([[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, quarter]], [0.0, math.log(2) + 0.125]),
):
    kl = gaussian_kl(torch.tensor(mu), torch.tensor(logvar))
    assert agrees(kl, expected), (
        f"mu = {mu}, logvar = {logvar}: expected {shown(expected)}, got {shown(kl)}"
    )
### BEGIN HIDDEN TESTS
for b, k in ((6, 3), (2, 7), (1, 4), (5, 1)):
    mu, logvar = torch.tensor(draw.normal(size=(2, b, k), scale=1.5))
    probe(kl=gaussian_kl(mu, logvar))
### END HIDDEN TESTS

# %% tests="gaussian_kl-narrow" points=0.5
# A narrow cloud is dear, but its price is a number: 499.5 for logvar = -1000, with a finite
# gradient.
mu = torch.zeros(1, 1, requires_grad=True)
logvar = torch.full((1, 1), -1000.0, requires_grad=True)
kl = gaussian_kl(mu, logvar)
assert agrees(kl, [499.5]), f"mu = 0, logvar = -1000: expected 499.5, got {shown(kl)}"
assert agrees(slopes(kl, mu, logvar)[1], [[-0.5]]), "its derivative by logvar is -1/2"
### BEGIN HIDDEN TESTS
for low, high in ((-2000, -800), (-3, 3)):
    mu = torch.tensor(draw.normal(size=(4, 3)), requires_grad=True)
    logvar = torch.tensor(draw.uniform(low, high, size=(4, 3)), requires_grad=True)
    price = gaussian_kl(mu, logvar)
    by_mu, by_logvar = slopes(price * torch.tensor(draw.normal(size=4)), mu, logvar)
    probe(kl=price, by_mu=by_mu, by_logvar=by_logvar)
### END HIDDEN TESTS

# %% [markdown] task="bernoulli_elbo" minutes=6 difficulty=2
# ## 3. The bound for binary data
#
# With one draw $z \sim q(z \mid x)$ for each example, an unbiased estimate of the bound on $\log p(x)$ is
#
# $$\text{ELBO} = \log p(x \mid z) - \operatorname{KL}\bigl(q(z \mid x) \,\Vert\, p(z)\bigr) .$$
#
# Let each value of $x$ be 0 or 1, and let the decoder return *logits* $a$, so that $p_j = \operatorname{sigmoid}(a_j)$ is
# the probability of a one. Then
#
# $$\log p(x \mid z) = \sum_j \bigl(x_j \log p_j + (1 - x_j) \log (1 - p_j)\bigr) .$$
#
# The sum runs over all values of an example, be it a row or an image. The bound is what we *maximize*; the loss is its
# negative. It must be right for extreme logits, too: for $a = -1000$ and $x = 1$ we have $\log p = -1000$ and not
# $-\infty$.
#
# <details><summary>Hint</summary>
#
# `F.binary_cross_entropy_with_logits` computes $-\log p(x_j \mid z)$ from the logits without rounding $p$ to 0 or 1. Look
# at what its argument `reduction` does if you do not set it. `flatten(1)` makes one row of each example.
#
# </details>


# %% solution="bernoulli_elbo"
# Not allowed here: aelib
def bernoulli_elbo(x: Tensor, logits: Tensor, kl: Tensor) -> Tensor:
    """The evidence lower bound of each example with a Bernoulli likelihood, in nats.

    Args:
        x: the examples, zeros and ones, shape (B, ...).
        logits: what the decoder returned for one draw of z for each example, of the shape of x.
        kl: the divergence of q(z | x) from the prior for each example, shape (B,).

    Returns:
        The bounds, shape (B,).
    """
    ### BEGIN SOLUTION
    log_p = -F.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return log_p.flatten(start_dim=1).sum(dim=1) - kl
    ### END SOLUTION


# %% tests="bernoulli_elbo-shape" points=0.25
# bernoulli_elbo(x, logits, kl) has one number for each example, also for images.
for shape in ((4, 6), (3, 1, 2, 2)):
    elbo = bernoulli_elbo(torch.ones(shape), torch.zeros(shape), torch.zeros(shape[0]))
    assert tuple(elbo.shape) == shape[:1], (
        f"x of shape {shape}: expected shape {shape[:1]}, got {tuple(elbo.shape)}"
    )
### BEGIN HIDDEN TESTS
for shape in ((4, 6), (1, 1), (2, 1, 3, 3)):
    logits = torch.tensor(draw.normal(size=shape))
    probe(elbo=bernoulli_elbo(torch.ones(shape), logits, torch.ones(shape[0])))
### CHECK elbo: shape()
### END HIDDEN TESTS

# %% tests="bernoulli_elbo-values" points=1
# With logits 0 every value is a coin toss and costs log 2; the price of the cloud is
# subtracted as well.
x, kl = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]), torch.tensor([0.0, 5.0])
elbo = bernoulli_elbo(x, torch.zeros(2, 3), kl)
expected = torch.tensor([-3 * math.log(2), -3 * math.log(2) - 5])
assert agrees(elbo, expected), f"expected -3 log 2 - kl, {shown(expected)}, got {shown(elbo)}"
elbo = bernoulli_elbo(torch.tensor([[1.0, 0.0]]), torch.full((1, 2), math.log(3)), kl[:1])
assert agrees(elbo, [math.log(3 / 16)]), (
    f"logit log 3 is p = 3/4: expected log(3/4) + log(1/4), got {shown(elbo)}"
)
### BEGIN HIDDEN TESTS
for shape in ((5, 4), (1, 7), (2, 1), (3, 1, 2, 5)):
    x = torch.tensor(draw.integers(2, size=shape)).double()
    logits = torch.tensor(draw.normal(size=shape, scale=2), requires_grad=True)
    kl = torch.tensor(draw.gamma(2.0, size=shape[0]), requires_grad=True)
    elbo = bernoulli_elbo(x, logits, kl)
    by_logits, by_kl = slopes(elbo, logits, kl)
    probe(elbo=elbo, by_logits=by_logits, by_kl=by_kl)
### END HIDDEN TESTS

# %% tests="bernoulli_elbo-extreme" points=0.75
# A decoder that is sure and right pays nothing, and one that is sure and wrong pays |logit|,
# not infinity.
x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
logits = torch.tensor([[1000.0, -1000.0], [1000.0, -1000.0]])
elbo = bernoulli_elbo(x, logits, torch.zeros(2))
assert agrees(elbo, [0.0, -2000.0]), f"expected 0 and -2000, got {shown(elbo)}"
### BEGIN HIDDEN TESTS
for b, d in ((6, 3), (1, 5)):
    x = torch.tensor(draw.integers(2, size=(b, d))).double()
    x[0, :2] = torch.tensor([0.0, 1.0])
    logits = torch.tensor(draw.uniform(500, 2000, size=(b, d)) * draw.choice([-1, 1], (b, d)))
    logits[0, :2] = torch.tensor([900.0, -900.0])
    logits.requires_grad_()
    elbo = bernoulli_elbo(x, logits, torch.tensor(draw.gamma(2.0, size=b)))
    probe(elbo=elbo, by_logits=slopes(elbo, logits)[0])
### END HIDDEN TESTS

# %% [markdown] task="gaussian_elbo" minutes=7 difficulty=2
# ## 4. The bound for real values
#
# For real data with $d$ values let the decoder return a mean $\hat x$, and let one standard deviation $\sigma$ hold for
# all values:
#
# $$\log p(x \mid z) = -\frac{1}{2 \sigma^2} \lVert x - \hat x \rVert^2 - d \log \sigma - \frac d2 \log 2 \pi .$$
#
# The bound is again $\log p(x \mid z) - \operatorname{KL}$. With the constants kept, the number is a log-likelihood and
# can be compared with that of any other model. The middle term must not be left out if $\sigma$ is learned: without it
# $\sigma$ would go to infinity.
#
# <details><summary>Hint</summary>
#
# $d$ counts all values of one example: for an image of 8 by 8 pixels it is 64, whatever the number of axes. It is the
# number of entries of `x` divided by the number of examples.
#
# </details>


# %% solution="gaussian_elbo"
# Not allowed here: aelib, torch.distributions, .gaussian_nll_loss, .GaussianNLLLoss
def gaussian_elbo(x: Tensor, x_hat: Tensor, sigma: Tensor, kl: Tensor) -> Tensor:
    """The evidence lower bound of each example with a Gaussian likelihood, in nats.

    Args:
        x: the examples, shape (B, ...).
        x_hat: the means that the decoder returned, of the shape of x.
        sigma: the standard deviation of all values, above zero, shape (). It may be learned.
        kl: the divergence of q(z | x) from the prior for each example, shape (B,).

    Returns:
        The bounds, shape (B,).
    """
    ### BEGIN SOLUTION
    d = x.numel() / len(x)
    squared = (x - x_hat).square().flatten(start_dim=1).sum(dim=1)
    return -squared / (2 * sigma**2) - d * torch.log(sigma) - d / 2 * math.log(2 * math.pi) - kl
    ### END SOLUTION


# %% tests="gaussian_elbo-shape" points=0.25
# gaussian_elbo(x, x_hat, sigma, kl) has one number for each example, also for images.
for shape in ((4, 6), (3, 1, 2, 2)):
    elbo = gaussian_elbo(
        torch.ones(shape), torch.zeros(shape), torch.tensor(1.0), torch.zeros(shape[0])
    )
    assert tuple(elbo.shape) == shape[:1], (
        f"x of shape {shape}: expected shape {shape[:1]}, got {tuple(elbo.shape)}"
    )
### BEGIN HIDDEN TESTS
for shape in ((4, 6), (1, 1), (2, 1, 3, 3)):
    x, x_hat = torch.tensor(draw.normal(size=(2, *shape)))
    probe(elbo=gaussian_elbo(x, x_hat, torch.tensor(0.5), torch.ones(shape[0])))
### CHECK elbo: shape()
### END HIDDEN TESTS

# %% tests="gaussian_elbo-values" points=0.75
# Squared distance 25 and sigma = 1: -25/2 - log(2 pi). A perfect reconstruction with sigma = 2
# still has -2 log 2 - log(2 pi). The price of the cloud is subtracted.
constant = math.log(2 * math.pi)
for x_hat, sigma, kl, expected in (
    ([[0.0, 4.0]], 1.0, 0.0, -12.5 - constant),
    ([[3.0, 0.0]], 2.0, 0.0, -2 * math.log(2) - constant),
    ([[0.0, 4.0]], 5.0, 3.0, -0.5 - 2 * math.log(5) - constant - 3),
):
    elbo = gaussian_elbo(
        torch.tensor([[3.0, 0.0]]), torch.tensor(x_hat), torch.tensor(sigma), torch.tensor([kl])
    )
    assert agrees(elbo, [expected]), (
        f"x = (3, 0), x_hat = {x_hat}, sigma = {sigma}, kl = {kl}: expected {expected:.4f}, "
        f"got {shown(elbo)}"
    )
### BEGIN HIDDEN TESTS
for b, d in ((5, 3), (1, 4), (4, 1)):
    x, x_hat = torch.tensor(draw.normal(size=(2, b, d)))
    sigma, kl = torch.tensor(draw.uniform(0.3, 3)), torch.tensor(draw.gamma(2.0, size=b))
    probe(elbo=gaussian_elbo(x, x_hat, sigma, kl))
### END HIDDEN TESTS

# %% tests="gaussian_elbo-images" points=0.5
# All pixels of an image count: d = 4 for 2 by 2 pixels. Gradients reach x_hat, sigma and kl.
sigma = torch.tensor(2.0, requires_grad=True)
elbo = gaussian_elbo(torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2), sigma, torch.zeros(3))
expected = -4 / 8 - 4 * math.log(2) - 2 * math.log(2 * math.pi)
assert agrees(elbo, [expected] * 3), f"expected {expected:.4f} three times, got {shown(elbo)}"
(by_sigma,) = slopes(elbo[:1], sigma)
assert agrees(by_sigma, 4 / 8 - 4 / 2), (
    f"the derivative of one bound by sigma is -1.5, yours is {float(by_sigma):g}"
)
### BEGIN HIDDEN TESTS
for shape in ((3, 1, 2, 5), (2, 4, 3), (1, 2, 2)):
    x = torch.tensor(draw.normal(size=shape))
    x_hat = torch.tensor(draw.normal(size=shape), requires_grad=True)
    sigma = torch.tensor(draw.uniform(0.3, 3), requires_grad=True)
    kl = torch.tensor(draw.gamma(2.0, size=shape[0]), requires_grad=True)
    elbo = gaussian_elbo(x, x_hat, sigma, kl)
    by_x_hat, by_sigma, by_kl = slopes(elbo, x_hat, sigma, kl)
    probe(elbo=elbo, by_x_hat=by_x_hat, by_sigma=by_sigma, by_kl=by_kl)
### END HIDDEN TESTS

# %% [markdown] task="active_units" minutes=6 difficulty=2
# ## 5. Which units say something?
#
# A unit of the code says something about the data if its mean moves when the example changes. So take, for each unit $j$,
# the variance of $\mu_j(x)$ over the examples. The unit is **active** if
#
# $$\frac1N \sum_{n=1}^N \bigl(\mu_j(x_n) - \bar\mu_j\bigr)^2 > \text{threshold},
# \qquad \bar\mu_j = \frac1N \sum_{n=1}^N \mu_j(x_n) .$$
#
# A unit with $\mu_j = 0$ and $\sigma_j = 1$ for every example has *collapsed* onto the prior. But a unit may be expensive
# and silent all the same: with $\mu_j = 3$ and $\sigma_j = 1$ for every example it costs 4.5 nats and tells nothing apart.
#
# <details><summary>Hint</summary>
#
# Not everything that you are given is needed. `torch.var` divides by N - 1 unless you say `correction=0`.
#
# </details>


# %% solution="active_units"
# Not allowed here: aelib
def active_units(mu: Tensor, logvar: Tensor, threshold: float = 0.01) -> Tensor:
    """Which units of the code follow the data.

    Args:
        mu: the posterior means of all examples, shape (N, k).
        logvar: the logarithms of the posterior variances, shape (N, k).
        threshold: zero or more; a unit is active if its means vary by *more* than this.

    Returns:
        True for the active units, shape (k,).
    """
    ### BEGIN SOLUTION
    return mu.var(dim=0, correction=0) > threshold
    ### END SOLUTION


# %% tests="active_units-shape" points=0.25
# active_units(mu, logvar) has True or False for each of the k units, for any number N.
active = active_units(torch.eye(5)[:, :3], torch.zeros(5, 3))
assert tuple(active.shape) == (3,), f"3 units: expected shape (3,), got {tuple(active.shape)}"
assert active.dtype == torch.bool, f"expected True or False, got {active.dtype}"
### BEGIN HIDDEN TESTS
for n, k in ((5, 3), (4, 1), (1, 2)):
    mu, logvar = torch.tensor(draw.normal(size=(2, n, k)))
    probe(active=active_units(mu, logvar))
### CHECK active: shape()
### END HIDDEN TESTS

# %% tests="active_units-values" points=0.75
# The first unit follows the data. The second is expensive but the same for all, and the third
# has collapsed.
mu = torch.tensor([[1.0, 3.0, 0.0], [-1.0, 3.0, 0.0], [2.0, 3.0, 0.0], [0.5, 3.0, 0.0]])
logvar = torch.tensor([[-3.0, -4.0, 0.0]]).repeat(4, 1)
active = active_units(mu, logvar)
assert active.tolist() == [True, False, False], (
    f"only the first is active, got {active.tolist()}"
)
### BEGIN HIDDEN TESTS
for n, threshold in ((30, 0.01), (5, 0.01), (12, 0.5)):
    spread = torch.tensor(draw.permutation([0.0, 0.05, 0.08, 0.12, 0.5, 0.6, 0.8, 1.5, 4.0]))
    mu = torch.tensor(draw.normal(size=(n, 9)))
    mu = spread * (mu - mu.mean(dim=0)) / mu.std(dim=0, correction=0)
    mu = mu + torch.tensor(draw.choice([-3, -1, 0, 1, 3], size=9))
    logvar = torch.tensor(draw.uniform(-6, 0.5, size=(n, 9)))
    given = {} if threshold == 0.01 else {"threshold": threshold}
    probe(active=active_units(mu, logvar, **given), mu=mu)
### END HIDDEN TESTS

# %% tests="active_units-threshold" points=0.5
# Means of -0.5 and 0.5 have the variance 0.25: more than 0.2, not more than 0.25. Divide by N.
mu, logvar = torch.tensor([[-0.5], [0.5]]), torch.zeros(2, 1)
for threshold, expected in ((0.2, True), (0.25, False), (0.3, False)):
    active = active_units(mu, logvar, threshold).tolist()
    assert active == [expected], f"threshold {threshold}: expected [{expected}], got {active}"
### BEGIN HIDDEN TESTS
for n, sizes in ((2, [0.5, 1.0, 0.25, 2.0]), (4, [0.5, 1.0, 4.0, 0.125])):
    sizes = torch.tensor(draw.permutation(sizes))
    signs = torch.tensor(draw.permutation(np.resize([-1.0, 1.0], n)))
    mu = signs[:, None] * sizes + float(draw.integers(-3, 4))
    # The variance of two values is exact in every way of computing it; that of four may be rounded.
    factors = (0.7, 1.0, 1.2) if n == 2 else (0.7, 1.2)
    for size in sizes.tolist():
        for factor in factors:
            probe(active=active_units(mu, torch.zeros(mu.shape), factor * size**2))
probe(active=active_units(torch.tensor(draw.normal(size=(1, 3))), torch.zeros(1, 3), 0.0))
### END HIDDEN TESTS

# %% [markdown] task="generate" minutes=7 difficulty=2
# ## 6. Draw new examples
#
# The model says how an example comes about. First draw a code from the prior, $z \sim \mathcal N(0, I)$. Then draw each
# value of $x$ from the likelihood: it is 1 with probability $\operatorname{sigmoid}(a_j)$, where $a$ are the decoder's
# logits for this code. This is called *ancestral sampling*. The result is an example, zeros and ones, and not its mean.
#
# All chance comes from the generator that you are given: whoever passes one with the same seed gets the same examples.
#
# <details><summary>Hint</summary>
#
# `torch.randn(..., generator=generator)` draws from N(0, 1). `torch.bernoulli(p, generator=generator)` draws a one with
# probability p in each place. So does comparing uniform draws with p.
#
# </details>


# %% solution="generate"
# Not allowed here: aelib
def generate(decoder, n: int, latent_dim: int, generator: torch.Generator) -> Tensor:
    """New examples from a VAE with a Bernoulli likelihood.

    Args:
        decoder: a function from codes of shape (n, latent_dim) to logits of shape (n, d).
        n: how many examples.
        latent_dim: the number of values in a code.
        generator: where all random numbers come from.

    Returns:
        The examples, zeros and ones, shape (n, d).
    """
    ### BEGIN SOLUTION
    z = torch.randn(n, latent_dim, generator=generator)
    return torch.bernoulli(torch.sigmoid(decoder(z)), generator=generator)
    ### END SOLUTION


# %% tests="generate-shape" points=0.25
# generate(decoder, n, latent_dim, generator) has n rows, with as many values as the decoder
# returns.
x = generate(networks(0, d=6, k=2)[1], 5, 2, torch.Generator().manual_seed(0))
assert tuple(x.shape) == (5, 6), f"expected shape (5, 6), got {tuple(x.shape)}"
### BEGIN HIDDEN TESTS
for n, d, k in ((5, 6, 2), (1, 3, 4), (8, 1, 1)):
    decoder = networks(int(draw.integers(2**31)), d, k)[1]
    probe(x=generate(decoder, n, k, torch.Generator().manual_seed(int(draw.integers(2**31)))))
### CHECK x: shape()
### END HIDDEN TESTS

# %% tests="generate-chance" points=0.5
# Every value is 0 or 1, the same seed gives the same examples, and no other random numbers are
# used.
decoder, before = networks(1, d=20, k=3)[1], torch.get_rng_state()
one, same, other = (
    generate(decoder, 9, 3, torch.Generator().manual_seed(s)) for s in (5, 5, 6)
)
assert set(one.flatten().tolist()) == {0, 1}, (
    "expected zeros and ones, draws and not their means"
)
assert torch.equal(one, same), "twice the same seed: expected the same examples"
assert not torch.equal(one, other), "another seed: expected other examples"
assert torch.equal(before, torch.get_rng_state()), "use the generator, not torch's global one"
### BEGIN HIDDEN TESTS
for n, d, k in ((20, 30, 2), (40, 10, 5)):
    decoder = networks(int(draw.integers(2**31)), d, k)[1]
    seed, before = int(draw.integers(2**31)), torch.get_rng_state()
    three = [torch.Generator().manual_seed(s) for s in (seed, seed, seed + 1)]
    one, same, other = (generate(decoder, n, k, chance) for chance in three)
    probe(values=sorted(set(torch.as_tensor(one).flatten().double().tolist()))[:3])
    probe(repeats=torch.equal(one, same), differs=torch.equal(one, other))
    probe(own_generator=torch.equal(before, torch.get_rng_state()))
### END HIDDEN TESTS

# %% tests="generate-distribution" points=1.25
# With logits (4z, 4z) a value is 1 half of the time, and two values agree much more often than
# not: they share a code.
x = generate(lambda z: 4 * z.repeat(1, 2), 20_000, 1, torch.Generator().manual_seed(2))
share, agree = x.double().mean(), (x[:, 0] == x[:, 1]).double().mean()
assert abs(share - 0.5) < 0.02, f"about half of the values are 1, of yours {share:.2f}"
assert abs(agree - 0.82) < 0.03, (
    f"two values agree in about 82 % of examples, yours in {agree:.0%}"
)
### BEGIN HIDDEN TESTS
for d, k, low, high in ((3, 2, 0.8, 1.5), (4, 1, 2.0, 4.0), (2, 5, 0.5, 1.0)):
    weight = torch.tensor(draw.uniform(low, high, (k, d)) * draw.choice([-1, 1], (k, d)))
    bias = torch.tensor(draw.uniform(0.5, 1.0, d) * draw.choice([-1, 1], d))
    seed = int(draw.integers(2**31))
    decoder = nn.Linear(k, d)
    decoder.weight.data, decoder.bias.data = weight.T, bias
    x = generate(decoder, 40_000, k, torch.Generator().manual_seed(seed))
    x = torch.as_tensor(x).double()
    probe(ones=x.mean(dim=0), both=x.T @ x / len(x))
### CHECK ones: close(rtol=0, atol=0.02)
### CHECK both: close(rtol=0, atol=0.02)
### END HIDDEN TESTS

# %% [markdown] task="kl_price" minutes=9 difficulty=3
# ## 7. Three knobs on the price
#
# The loss of a VAE is the reconstruction plus a price for the code. Three knobs turn the price:
#
# - **beta** is its weight.
# - **Warm-up** raises the weight slowly: in training step $t$, counted from 1, it is $\beta \min(t / T, 1)$. With $T = 0$
#   it is $\beta$ from the start.
# - **Free bits** do not charge for the first $\lambda$ nats of each unit. With $R_j$ the mean over the batch of what unit
#   $j$ costs,
#
# $$\text{price} = \beta \min\left(\frac tT, 1\right) \sum_{j=1}^k \max(\lambda, R_j),
# \qquad R_j = \frac1B \sum_{n=1}^B \operatorname{KL}_{nj} .$$
#
# The mean is taken first and the maximum afterwards. A unit with $R_j < \lambda$ pays the constant $\lambda$, so it gets
# no gradient.
#
# <details><summary>Hint</summary>
#
# `clamp(min=...)` is the maximum with a number. Mind $T = 0$: a division by zero is not allowed, and `max(T, 1)` is one
# way around.
#
# </details>


# %% solution="kl_price"
# Not allowed here: aelib
def kl_price(
    kl: Tensor, step: int, beta: float = 1.0, warmup_steps: int = 0, free_bits: float = 0.0
) -> Tensor:
    """What the code costs in one training step.

    Args:
        kl: the divergence of each unit of each example, shape (B, k).
        step: the number t of the training step, 1 or more.
        beta: the weight of the price after warm-up.
        warmup_steps: the number T of steps until the weight is beta; 0: no warm-up.
        free_bits: the nats lambda that each unit may cost for free; 0: none.

    Returns:
        The price, shape ().
    """
    ### BEGIN SOLUTION
    warmed_up = min(step / max(warmup_steps, 1), 1)
    rates = kl.mean(dim=0)
    return beta * warmed_up * rates.clamp(min=free_bits).sum()
    ### END SOLUTION


# %% tests="kl_price-shape" points=0.25
# kl_price(kl, step) is one number.
price = kl_price(torch.ones(4, 3), 1)
assert torch.as_tensor(price).numel() == 1, f"expected one number, got {shown(price)}"
### BEGIN HIDDEN TESTS
for b, k in ((4, 3), (1, 1)):
    price = kl_price(torch.tensor(draw.gamma(1.0, size=(b, k))), 2, 3.0, 5, 0.1)
    probe(numbers=torch.as_tensor(price).numel())
### END HIDDEN TESTS

# %% tests="kl_price-warmup" points=0.5
# Three units that cost 1 nat each, beta = 4, T = 4: the price is 3 in step 1 and 12 from
# step 4 on. With T = 0 it is 12 in every step.
for step, warmup_steps, expected in ((1, 4, 3), (2, 4, 6), (4, 4, 12), (9, 4, 12), (1, 0, 12)):
    price = float(kl_price(torch.ones(2, 3), step, beta=4.0, warmup_steps=warmup_steps))
    assert agrees(price, expected), (
        f"step {step} of T = {warmup_steps}: expected {expected}, got {price:g}"
    )
### BEGIN HIDDEN TESTS
kl, beta = torch.tensor(draw.gamma(1.0, size=(5, 3))), float(draw.uniform(0.2, 3))
for warmup_steps in (0, 1, 5, 8):
    for step in (1, 2, 4, 5, 6, 8, 9, 30):
        probe(price=float(kl_price(kl, step, beta=beta, warmup_steps=warmup_steps)))
### END HIDDEN TESTS

# %% tests="kl_price-free-bits" points=0.75
# Units that cost 0.1 and 2 nats on average, 0.5 free: the first is charged 0.5, the second 2.
kl = torch.tensor([[0.0, 1.0], [0.2, 3.0]])
for free_bits, expected in ((0.0, 2.1), (0.5, 2.5), (3.0, 6.0)):
    price = float(kl_price(kl, 1, free_bits=free_bits))
    assert agrees(price, expected), (
        f"free_bits = {free_bits}: expected {expected}, got {price:g}. First the mean over the "
        "batch, then the maximum"
    )
### BEGIN HIDDEN TESTS
for b, k, free_bits in ((5, 4, 0.5), (1, 6, 1.0), (9, 1, 2.0), (3, 3, 0.05)):
    size = torch.tensor(draw.permutation(np.resize([0.05, 3.0, 0.4], k)))
    kl = size * torch.tensor(draw.gamma(1.0, size=(b, k)))
    beta, step = float(draw.uniform(0.2, 3)), int(draw.integers(1, 5))
    probe(price=float(kl_price(kl, step, beta, 6, free_bits)), kl=kl)
    probe(price=float(kl_price(kl, step, beta, 0, free_bits)))
### END HIDDEN TESTS

# %% tests="kl_price-gradient" points=0.5
# A unit that costs less than its free bits has no gradient; any other has the weight divided by
# B.
kl = torch.tensor([[0.0, 1.0], [0.2, 3.0]], requires_grad=True)
(slope,) = slopes(kl_price(kl, 1, beta=4.0, warmup_steps=2, free_bits=0.5), kl)
assert agrees(slope, [[0.0, 1.0], [0.0, 1.0]]), (
    f"the first unit is free, the second has 4 * 1/2 / 2 = 1, got {shown(slope)}"
)
### BEGIN HIDDEN TESTS
for b, k, free_bits in ((5, 6, 0.5), (1, 3, 1.0), (4, 2, 0.0)):
    size = torch.tensor(draw.permutation(np.resize([0.05, 3.0, 0.4], k)))
    kl = (size * torch.tensor(draw.gamma(1.0, size=(b, k)))).requires_grad_()
    probe(slope=slopes(kl_price(kl, 3, 1.5, 7, free_bits), kl)[0])
### END HIDDEN TESTS

# %% [markdown] task="log_mean_exp" minutes=8 difficulty=3
# ## 8. The logarithm of a mean
#
# The next task needs $\log \frac1K \sum_i w_i$, where the weights $w_i$ are so small or so large that only their logarithms
# $a_i = \log w_i$ can be stored. For every number $m$
#
# $$\log \frac1K \sum_{i=1}^K e^{a_i} = m + \log \frac1K \sum_{i=1}^K e^{a_i - m} .$$
#
# Choose $m$ such that nothing overflows, and that not all terms underflow. Two weights of $e^{1000}$ give 1000. An entry of
# $-\infty$ is a weight of zero; each row has at least one finite entry.
#
# <details><summary>Hint</summary>
#
# With $m = \max_i a_i$ the largest term of the sum is $e^0 = 1$, and no other is larger. Each row has its own maximum:
# `amax` with `keepdim=True` keeps it a column.
#
# </details>


# %% solution="log_mean_exp"
# Not allowed here: aelib, torch.logsumexp, .logsumexp, .logaddexp, .logcumsumexp, scipy
def log_mean_exp(a: Tensor) -> Tensor:
    """log((1/K) sum_i exp(a_i)) of each row, exact for numbers of any size.

    Args:
        a: the logarithms of K weights for each example, shape (B, K).

    Returns:
        The logarithms of their means, shape (B,).
    """
    ### BEGIN SOLUTION
    largest = a.amax(dim=1, keepdim=True)
    mean = (a - largest).exp().mean(dim=1)
    return largest.squeeze(1) + mean.log()
    ### END SOLUTION


# %% tests="log_mean_exp-shape" points=0.25
# log_mean_exp(a) has one number for each row.
for b, k in ((4, 6), (3, 1), (1, 5)):
    found = log_mean_exp(torch.zeros(b, k))
    assert tuple(found.shape) == (b,), (
        f"{b} rows: expected shape ({b},), got {tuple(found.shape)}"
    )
### BEGIN HIDDEN TESTS
for b, k in ((4, 6), (3, 1), (1, 1)):
    probe(found=log_mean_exp(torch.tensor(draw.normal(size=(b, k)))))
### CHECK found: shape()
### END HIDDEN TESTS

# %% tests="log_mean_exp-values" points=0.5
# Weights 1 and 3 have the mean 2, so the answer is log 2. A single weight is its own mean.
found = log_mean_exp(torch.tensor([[1.0, 3.0], [2.0, 2.0]]).log())
assert agrees(found, [math.log(2)] * 2), f"expected log 2 = 0.6931 twice, got {shown(found)}"
found = log_mean_exp(torch.tensor([[-3.0], [4.0]]))
assert agrees(found, [-3.0, 4.0]), (
    f"K = 1 changes nothing: expected -3 and 4, got {shown(found)}"
)
### BEGIN HIDDEN TESTS
for b, k in ((4, 3), (1, 5), (6, 1), (2, 2)):
    a = torch.tensor(draw.normal(size=(b, k), scale=2), requires_grad=True)
    found = log_mean_exp(a)
    slope = slopes(found * torch.tensor(draw.normal(size=b)), a)[0]
    probe(found=found, slope=slope, a=a)
### END HIDDEN TESTS

# %% tests="log_mean_exp-extreme" points=0.75
# Two weights of exp(1000) give 1000. Weights 0 and 1, stored as -infinity and 0, give -log 2.
for a, expected in (
    ([[1000.0, 1000.0]], 1000.0),
    ([[-1000.0, -1000.0 + math.log(3)]], -1000.0 + math.log(2)),
    ([[1000.0, -1000.0]], 1000.0 - math.log(2)),
    ([[-math.inf, 0.0]], -math.log(2)),
):
    found = log_mean_exp(torch.tensor(a))
    assert agrees(found, [expected]), f"a = {a}: expected {expected:.4f}, got {shown(found)}"
### BEGIN HIDDEN TESTS
for b, k, spread in ((5, 4, 1), (1, 6, 1), (4, 7, 3000)):
    a = torch.tensor(draw.normal(size=(b, k), scale=spread))
    a = a + torch.tensor(draw.uniform(1000, 2000, (b, 1)) * np.resize([-1, 1], (b, 1)))
    a.requires_grad_()
    found = log_mean_exp(a)
    probe(found=found, slope=slopes(found, a)[0])
a = torch.tensor(draw.normal(size=(3, 4)))
a[0, 1] = a[2, 0] = a[2, 3] = -math.inf
probe(found=log_mean_exp(a))
### END HIDDEN TESTS

# %% [markdown] task="importance_bound" minutes=12 difficulty=4
# ## 9. The importance-weighted bound
#
# Draw $K$ codes $z_1, \dots, z_K$ from $q(z \mid x)$. Each has a **weight**, whose mean over $q$ is $p(x)$:
#
# $$w_i = \frac{p(x \mid z_i)\, p(z_i)}{q(z_i \mid x)}, \qquad \mathcal L_K(x) = \mathbb{E} \log \frac1K \sum_{i=1}^K w_i
# \le \log p(x) .$$
#
# $\mathcal L_1$ is the ELBO, and the bound gets tighter as $K$ grows. Its unbiased estimate from one set of draws is
# $\log \frac1K \sum_i w_i$, without the expectation. That is what you compute.
#
# Here $p(z) = \mathcal N(0, I)$ and $q(z \mid x) = \mathcal N(\mu, \operatorname{diag} \sigma^2)$, so for a code of $k$
# values
#
# $$\log q(z \mid x) = -\frac12 \sum_{j=1}^k \Bigl(\frac{(z_j - \mu_j)^2}{\sigma_j^2} + \log \sigma_j^2 + \log 2\pi\Bigr) ,$$
#
# and $\log p(z)$ is the same with $\mu = 0$, $\sigma = 1$. The likelihood of an image is easily $e^{-1000}$: work with
# logarithms, and use `torch.logsumexp` (or what you wrote in task 8) for the mean.
#
# <details><summary>Hint</summary>
#
# `z` has shape (B, K, k) and `mu` has shape (B, k): `mu.unsqueeze(1)` has shape (B, 1, k) and goes with it. A density
# sums over the last axis, the k values of a code; the mean is over the K draws. The terms $\log 2\pi$ cancel.
#
# </details>


# %% solution="importance_bound"
# Not allowed here: aelib, torch.distributions
def importance_bound(log_likelihood: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """The importance-weighted bound of each example, estimated from K draws, in nats.

    Args:
        log_likelihood: log p(x | z_i) for each draw, shape (B, K).
        z: the draws from q(z | x), shape (B, K, k).
        mu: the posterior means, shape (B, k).
        logvar: the logarithms of the posterior variances, shape (B, k).

    Returns:
        log (1/K) sum_i p(x | z_i) p(z_i) / q(z_i | x), shape (B,).
    """
    ### BEGIN SOLUTION
    scaled = (z - mu.unsqueeze(1)) * torch.exp(-0.5 * logvar).unsqueeze(1)
    log_p, log_q = (-0.5 * values.square().sum(dim=2) for values in (z, scaled))
    log_w = log_likelihood + log_p - log_q + 0.5 * logvar.sum(dim=1, keepdim=True)
    return torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1])
    ### END SOLUTION


# %% tests="importance_bound-shape" points=0.25
# importance_bound(log_likelihood, z, mu, logvar) has one number for each example.
for b, n, k in ((4, 6, 2), (1, 1, 3)):
    zeros = torch.zeros(b, k)
    bound = importance_bound(torch.zeros(b, n), torch.zeros(b, n, k), zeros, zeros)
    assert tuple(bound.shape) == (b,), (
        f"{b} examples, K = {n}: expected shape ({b},), got {tuple(bound.shape)}"
    )
### BEGIN HIDDEN TESTS
for b, n, k in ((4, 6, 2), (1, 1, 3), (2, 3, 1)):
    mu, logvar = torch.tensor(draw.normal(size=(2, b, k)))
    z = torch.tensor(draw.normal(size=(b, n, k)))
    probe(bound=importance_bound(torch.tensor(draw.normal(size=(b, n))), z, mu, logvar))
### CHECK bound: shape()
### END HIDDEN TESTS

# %% tests="importance_bound-exact" points=0.75
# If q is the true posterior, every weight is p(x) itself, whatever the draws: the bound is
# log p(x). Here p(z) = N(0, 1) and p(x | z) = N(z, 1). Then p(x) = N(0, 2), and the posterior
# of x = 1 is N(1/2, 1/2).
z = torch.tensor([[[-1.0], [0.0], [0.3], [2.5]]])
log_likelihood = -0.5 * ((1 - z[:, :, 0]) ** 2 + math.log(2 * math.pi))
mu, logvar = torch.tensor([[0.5]]), torch.tensor([[math.log(0.5)]])
evidence = -0.25 - 0.5 * math.log(4 * math.pi)
for n in (1, 4):
    bound = importance_bound(log_likelihood[:, :n], z[:, :n], mu, logvar)
    assert agrees(bound, [evidence]), f"K = {n}: expected {evidence:.4f}, got {shown(bound)}"
### BEGIN HIDDEN TESTS
for b, n, k in ((3, 5, 2), (1, 4, 3), (6, 1, 1)):
    x, noise = torch.tensor(draw.normal(size=(b, k), scale=2)), float(draw.uniform(0.3, 2))
    z = torch.tensor(draw.normal(size=(b, n, k)))
    squared = (x[:, None] - z).square() / noise
    log_likelihood = -0.5 * (squared + math.log(2 * math.pi * noise)).sum(dim=2)
    logvar = torch.full((b, k), math.log(noise / (1 + noise)))
    probe(bound=importance_bound(log_likelihood, z, x / (1 + noise), logvar))
### END HIDDEN TESTS

# %% tests="importance_bound-values" points=1
# If q is the prior, the bound is the logarithm of the mean likelihood: of 1 and 3 it is log 2,
# and with a factor of exp(-2000) it is log 2 - 2000.
z, zeros = torch.tensor([[[0.7, -1.0], [2.0, 0.1]]]), torch.zeros(1, 2)
log_likelihood = torch.tensor([[0.0, math.log(3)]])
for shift in (0.0, -2000.0):
    bound = importance_bound(log_likelihood + shift, z, zeros, zeros)
    assert agrees(bound, [math.log(2) + shift]), (
        f"expected {math.log(2) + shift:.4f}, got {shown(bound)}"
    )
### BEGIN HIDDEN TESTS
for b, n, k, shift in ((4, 5, 3, 0), (1, 6, 2, -2000), (5, 1, 4, 900), (3, 2, 1, -2000)):
    mu, logvar = (torch.tensor(draw.normal(size=(b, k)), requires_grad=True) for _ in range(2))
    z = torch.tensor(draw.normal(size=(b, n, k)), requires_grad=True)
    log_likelihood = torch.tensor(draw.normal(shift, 2, size=(b, n)), requires_grad=True)
    bound = importance_bound(log_likelihood, z, mu, logvar)
    found = slopes(bound * torch.tensor(draw.normal(size=b)), log_likelihood, z, mu, logvar)
    probe(bound=bound, slopes=found)
### END HIDDEN TESTS

# %% [markdown] task="training_step" minutes=13 difficulty=4
# ## 10. A training step
#
# One step of training on a batch of binary examples: encode, draw a code, decode, and take one step of the optimizer on
#
# $$L = \frac1B \sum_{n=1}^B \Bigl( -\log p(x_n \mid z_n)
# + \beta \operatorname{KL}\bigl(q(z \mid x_n) \,\Vert\, p(z)\bigr) \Bigr) .$$
#
# Sum over the values of an example, mean over the batch. The encoder returns the means and then the log-variances in one
# tensor of shape (B, 2k); the decoder returns logits. There may be old gradients in the parameters: they must not count.
#
# <details><summary>Hint</summary>
#
# `encoder(x).chunk(2, dim=1)` cuts the encoder's output in two. The last three lines of a step are always the same:
# forget old gradients, back-propagate, let the optimizer step.
#
# </details>


# %% solution="training_step"
# Not allowed here: aelib
def training_step(encoder, decoder, optimizer, x: Tensor, eps: Tensor, beta: float) -> float:
    """Take one step on the negative bound with weight beta; it changes encoder and decoder.

    Args:
        encoder: a function from (B, d) to (B, 2k), k means and then k log-variances.
        decoder: a function from codes (B, k) to logits (B, d).
        optimizer: the optimizer of their parameters.
        x: the batch, zeros and ones, shape (B, d).
        eps: draws from N(0, 1) for the codes, shape (B, k).
        beta: the weight of the KL term.

    Returns:
        The loss of the batch before the step, a float.
    """
    ### BEGIN SOLUTION
    mu, logvar = encoder(x).chunk(2, dim=1)
    logits = decoder(mu + torch.exp(0.5 * logvar) * eps)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(dim=1)
    loss = (nll + beta * kl).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% tests="training_step-shape" points=0.25
# training_step(...) returns the loss as a float, and changes the weights of both networks.
encoder, decoder = networks(0, d=6, k=2)
before = weights_of(encoder), weights_of(decoder)
optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.1)
loss = training_step(encoder, decoder, optimizer, torch.ones(5, 6), torch.ones(5, 2), 1.0)
assert isinstance(loss, float), f"expected a float, such as loss.item(), got {type(loss)}"
assert not torch.equal(before[0], weights_of(encoder)), "the encoder's weights have not changed"
assert not torch.equal(before[1], weights_of(decoder)), "the decoder's weights have not changed"
### BEGIN HIDDEN TESTS
for b, d, k in ((5, 6, 2), (1, 1, 1)):
    models = networks(int(draw.integers(2**31)), d, k)
    both = weights_of(*models)
    optimizer = torch.optim.SGD([*models[0].parameters(), *models[1].parameters()], lr=0.1)
    x, eps = torch.ones(b, d), torch.tensor(draw.normal(size=(b, k)))
    loss = training_step(*models, optimizer, x, eps, 1.0)
    probe(is_float=isinstance(loss, float), unchanged=torch.equal(both, weights_of(*models)))
### END HIDDEN TESTS

# %% tests="training_step-loss" points=0.5
# A decoder that always returns logits 0 pays log 2 for each of the three values. The cloud with
# mu = 1 and sigma = 1/2 pays beta times log 2 + 1/8.
encoder, decoder = nn.Linear(3, 2), nn.Linear(1, 3)
optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.0)
for parameter in (*encoder.parameters(), *decoder.parameters()):
    nn.init.zeros_(parameter)
encoder.bias.data = torch.tensor([1.0, math.log(1 / 4)])
for beta in (0.0, 1.0, 4.0):
    loss = training_step(encoder, decoder, optimizer, torch.eye(3)[:2], torch.ones(2, 1), beta)
    expected = 3 * math.log(2) + beta * (math.log(2) + 1 / 8)
    assert agrees(loss, expected), f"beta = {beta}: expected {expected:.4f}, got {loss:.4f}"
### BEGIN HIDDEN TESTS
for b, d, k, beta in ((5, 6, 2, 1.0), (1, 4, 1, 0.5), (7, 3, 3, 4.0)):
    models = networks(int(draw.integers(2**31)), d, k)
    optimizer = torch.optim.SGD([*models[0].parameters(), *models[1].parameters()], lr=0.1)
    x = torch.tensor(draw.integers(2, size=(b, d))).double()
    loss = training_step(*models, optimizer, x, torch.tensor(draw.normal(size=(b, k))), beta)
    probe(loss=float(loss))
### END HIDDEN TESTS

# %% tests="training_step-weights" points=0.75
# Step size 1. Logits 0 are p = 1/2, so the decoder's bias moves by the mean of x - 1/2. The
# price beta / 2 of mu = 1 moves the encoder's bias by -beta. Old gradients do not count.
for beta in (0.25, 1.0):
    encoder, decoder = nn.Linear(3, 2), nn.Linear(1, 3)
    for parameter in (*encoder.parameters(), *decoder.parameters()):
        nn.init.zeros_(parameter)
        parameter.grad = torch.full_like(parameter, 100.0)  # left over from something else
    encoder.bias.data = torch.tensor([1.0, 0.0])
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=1.0)
    x = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    training_step(encoder, decoder, optimizer, x, torch.zeros(2, 1), beta)
    assert agrees(decoder.bias, [0.5, 0.0, -0.5]), (
        f"the decoder's bias becomes (1/2, 0, -1/2), yours is {shown(decoder.bias)}"
    )
    assert agrees(encoder.bias, [1 - beta, 0.0]), (
        f"beta = {beta}: the encoder's bias becomes ({1 - beta}, 0), not {shown(encoder.bias)}"
    )
### BEGIN HIDDEN TESTS
for b, d, k, beta in ((5, 6, 2, 1.0), (1, 4, 1, 0.5), (7, 3, 3, 4.0), (4, 5, 2, 0.0)):
    models = networks(int(draw.integers(2**31)), d, k)
    optimizer = torch.optim.SGD([*models[0].parameters(), *models[1].parameters()], lr=0.3)
    for model in models:
        model(torch.ones(2, model[0].in_features)).sum().backward()
    for _ in range(3):
        x = torch.tensor(draw.integers(2, size=(b, d))).double()
        training_step(*models, optimizer, x, torch.tensor(draw.normal(size=(b, k))), beta)
        probe(encoder=weights_of(models[0]), decoder=weights_of(models[1]))
models = networks(int(draw.integers(2**31)), 4, 2)
optimizer = torch.optim.SGD(models[1].parameters(), lr=0.3)  # the encoder is not to be trained
training_step(*models, optimizer, torch.eye(4), torch.tensor(draw.normal(size=(4, 2))), 1.0)
probe(encoder=weights_of(models[0]), decoder=weights_of(models[1]))
### END HIDDEN TESTS

# %% tests="training_step-learns" points=1
# Four patterns of 12 values with a little noise: 40 steps take the loss from about 9 nats
# below 6.
x, generator = patterns(0, 50), torch.Generator().manual_seed(1)
encoder, decoder = networks(2, d=12, k=2)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.05)
steps = (torch.randn(50, 2, generator=generator) for _ in range(40))
losses = [training_step(encoder, decoder, optimizer, x, eps, 1.0) for eps in steps]
last = sum(losses[-10:]) / 10
assert losses[0] > 7, f"an untrained network pays about 9 nats, yours {losses[0]:.2f}"
assert last < 6, f"expected a mean loss below 6 nats in the last 10 steps, got {last:.2f}"
### BEGIN HIDDEN TESTS
both = patterns(int(draw.integers(2**31)), 250)
known, new = both[:50], both[50:]
generator = torch.Generator().manual_seed(int(draw.integers(2**31)))
models = networks(int(draw.integers(2**31)), 12, 2)
optimizer = torch.optim.Adam([*models[0].parameters(), *models[1].parameters()], lr=0.05)
for _ in range(40):
    noise = torch.randn(50, 2, generator=generator)
    training_step(*models, optimizer, known, noise, 1.0)
means, logvars = models[0](new).split(2, dim=1)
codes = means + torch.exp(logvars / 2) * torch.randn(8, 200, 2, generator=generator)
sure = F.logsigmoid((2 * new - 1) * models[1](codes)).sum(dim=2).mean()
price = (means**2 + logvars.exp() - logvars - 1).sum(dim=1).mean() / 2
probe(loss=price - sure, price=price)
### CHECK loss: at_most(times=1.02)
### CHECK price: at_least(times=0.7)
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on 8 by 8 digits, each pixel *ink* or *no ink*. The model has 16 units. This part is
# worth no points; change it as you like.

# %%
train_set, test_set = data.digits().split(297, seed=0)
ink, ink_test = ((part.flat() > 0.5).double() for part in (train_set, test_set))
generator = torch.Generator().manual_seed(0)
encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
decoder = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64))
for parameter in (*encoder.parameters(), *decoder.parameters()):
    nn.init.uniform_(parameter, -0.12, 0.12, generator=generator)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-3)
for _ in range(50):
    for rows in torch.randperm(len(ink), generator=generator).split(100):
        eps = torch.randn(len(rows), 16, generator=generator)
        training_step(encoder, decoder, optimizer, ink[rows], eps, beta=1.0)

with torch.no_grad():
    mu, logvar = encoder(ink_test).chunk(2, dim=1)
    rates = torch.stack([gaussian_kl(mu[:, [j]], logvar[:, [j]]) for j in range(16)], dim=1)
    active = active_units(mu, logvar, threshold=0.1)
    drawn = reparameterize(mu, logvar, torch.randn(100, *mu.shape, generator=generator))
    print(f"{int(active.sum())} of 16 units are active")
    print(f"price of a code: {rates.sum(dim=1).mean():.2f} nats")
    print(f"with 0.2 free nats for each unit: {float(kl_price(rates, 1, free_bits=0.2)):.2f}")

    # With a price of 0, the bound is log p(x | z): here for 100 draws of each example.
    free = torch.zeros(100 * len(mu))
    copies = ink_test.repeat_interleave(100, dim=0)
    sure = bernoulli_elbo(copies, decoder(drawn.transpose(0, 1)).flatten(0, 1), free)
    sure = sure.reshape(-1, 100)
    elbo = (sure.mean(dim=1) - gaussian_kl(mu, logvar)).mean()
    print(f"ELBO of a test digit: {elbo:.2f}")
    for draws in (1, 10, 100):
        first = drawn[:draws].transpose(0, 1)
        tighter = importance_bound(sure[:, :draws], first, mu, logvar).mean()
        print(f"importance-weighted bound with {draws:3d} draws: {tighter:.2f}")
    from_prior = decoder(torch.randn(100, 16, generator=generator)).repeat(len(mu), 1)
    unguided = log_mean_exp(bernoulli_elbo(copies, from_prior, free).reshape(-1, 100)).mean()
    print(f"the same with 100 draws from the prior: {unguided:.2f}")
    new = generate(decoder, 10, 16, generator)
    pictures = torch.cat([ink_test[:10], torch.sigmoid(decoder(mu[:10])), new])

viz.use_style()
figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.4), width_ratios=(2, 1))
viz.image_grid(left, pictures.reshape(-1, 1, 8, 8).float(), columns=10)
left.set_title("Ten digits, their reconstructions, and ten new ones")
order = rates.mean(dim=0).argsort(descending=True)
colors = [viz.BLUE if active[unit] else viz.ORANGE for unit in order]
right.bar(range(1, 17), rates.mean(dim=0)[order], color=colors)
right.set(xlabel="unit, sorted (blue: active)", ylabel="price (nats)")
plt.show()

# %% [markdown] locked="silent"
# ## A silent code
#
# The next cell trains the same VAE twice on these digits. It uses the library, not your functions. The only difference is
# how the reconstruction is reduced: in the first run it is *summed* over the 64 pixels, in the second it is *averaged*
# over them. The price of the code is summed over the 8 units in both. Below, both losses are reported in the same way, in
# nats for a test digit.

# %% locked="silent-training"
import aelib.likelihoods
import aelib.losses
import aelib.models
import aelib.nets


def trained_vae(x: Tensor, divide_by: int) -> nn.Module:
    """A VAE with 8 units, trained on the reconstruction divided by a number, plus the KL."""
    torch.manual_seed(0)
    nets = (aelib.nets.MLP(*shape) for shape in (((64,), (64,), (16,)), ((8,), (64,), (64,))))
    model = aelib.models.VAE(*nets, aelib.likelihoods.Bernoulli(), 8)
    generator = torch.Generator().manual_seed(0)
    adam = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(20):
        for rows in torch.randperm(len(x), generator=generator).split(100):
            out = model(x[rows], generator=generator)
            price = aelib.losses.gaussian_kl(out.mu, out.logvar).mean()
            adam.zero_grad()
            (model.recon(x[rows], out) / divide_by + price).backward()
            adam.step()
    return model


train_set, test_set = data.digits().split(297, seed=0)
ink, ink_test = ((part.flat() > 0.5).double() for part in (train_set, test_set))
share = ink.mean(dim=0).clamp(0.001, 0.999)  # how often each pixel has ink
mean_image = -(ink_test * share.log() + (1 - ink_test) * (1 - share).log()).sum(dim=1).mean()
for name, divide_by in (("sum over 64 pixels", 1), ("mean over 64 pixels", 64)):
    model = trained_vae(ink, divide_by)
    with torch.no_grad():
        out = model(ink_test, generator=torch.Generator().manual_seed(1))
        found = model.loss(ink_test, out).terms
    print(f"{name:19}: reconstruction {found['recon']:6.2f} nats, KL {found['kl']:6.4f} nats")
print(f"answering with the mean image every time: {mean_image:.2f} nats")

# %% [markdown] task="silence" minutes=10 difficulty=3
# ## 11. Why it fell silent
#
# In five to eight sentences or formulas:
#
# 1. Which $\beta$ does the second run train with, if its loss is written as
#    $-\log p(x \mid z) + \beta \operatorname{KL}$? Show it in one line.
# 2. What does the decoder of the second run answer, and why? Show with the printed numbers that for *its* loss the silent
#    code is the better bargain than the code of the first run.
# 3. A classmate wants to cure the second run by warm-up, over the first half of the training. Another one wants free
#    bits, $\lambda = 0.1$ nats for each unit. Say for each what it would change and what not. What is the right cure?

# %% [markdown] answer="silence-why" points=2
# 1. The second loss is $\frac{1}{64} \bigl(-\log p(x \mid z)\bigr) + \operatorname{KL}$, which is $\frac{1}{64}$ of
# $-\log p(x \mid z) + 64 \operatorname{KL}$. A constant factor moves no minimum, so $\beta = d = 64$.
# 2. The KL is zero, so the cloud is the prior for every example, and $z$ is noise that says nothing about $x$. The best
#    answer that does not depend on $x$ is the mean image: the reconstruction costs about what the mean image costs (24.5
#    and 24.4 nats). In the second loss the code of the first run would cost $15.9 / 64 + 3.9 \approx 4.2$, and silence
#    costs $24.5 / 64 + 0 \approx 0.4$. A nat of code would have to save 64 nats of reconstruction, a whole nat in each
#    pixel, and not even the first run came near that.
# 3. Warm-up makes the code cheap at first, so the units may speak in the first half. But the minimum of the loss stays
#    where it is, and once the weight is back at its full value the code falls silent again: warm-up changes the way and
#    not the end. Free bits change the minimum: 0.1 nats of each unit cost nothing, so the code will say up to 0.8 nats in
#    all. Every nat beyond these still costs 64 times too much. The cause is the mean over the pixels: sum both terms (or
#    divide both by 64), which is $\beta = 1$.
#
# **Rubric** (half a point each)
#
# - $\beta = 64$ (or $d$), with the line that shows it. Nothing for the number alone.
# - The mean image (or: an answer that does not depend on $x$), because the cloud is the prior; and the comparison of the
#   two losses with numbers, or that a nat of code must save 64 nats. A quarter of a point if the comparison is missing.
# - Warm-up changes the way to the minimum and not the minimum. Free bits change the minimum, but only up to 0.1 nats a
#   unit. A quarter of a point if one of the two is right.
# - The cure: the sum over the pixels, or anything that gives $\beta = 1$. "A smaller beta" without a value is a quarter
#   of a point.
