# %% [markdown] locked="intro"
# # Linear autoencoders
#
# You build a linear autoencoder without training it: its best weights have a closed form, and you write it in ten short
# functions. At the end you put them together on handwritten digits.
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

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor

from aelib import data, viz

# All numbers in this notebook are float64, also those that you make with torch.zeros.
torch.set_default_dtype(torch.float64)

# Four points on the line y = x + 1.
FOUR_POINTS = torch.tensor([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 5.0]])


def cloud(seed: int, n: int = 50, d: int = 4) -> Tensor:
    """n random points in d dimensions, spread by 1, 2, ..., d along d orthogonal directions."""
    generator = torch.Generator().manual_seed(seed)
    directions = torch.linalg.qr(torch.randn(d, d, generator=generator)).Q
    points = torch.randn(n, d, generator=generator) * torch.arange(1.0, d + 1)
    return points @ directions + 3 * torch.randn(d, generator=generator)


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


# %% [markdown] task="center" minutes=4 difficulty=1
# ## 1. Center the data
#
# Matrices alone map the origin to the origin. Data lie somewhere else, so we first move their mean to the origin, and keep
# the mean to move them back later:
#
# $$\bar x = \frac{1}{N} \sum_{n=1}^{N} x_n, \qquad x_{c,n} = x_n - \bar x .$$
#
# The mean is a vector: one number for each of the $d$ features.
#
# <details><summary>Hint</summary>
#
# `x.mean(dim=0)` averages over the rows. Subtracting a vector of length d from an (N, d) tensor subtracts it from each row.
#
# </details>


# %% solution="center"
def center(x: Tensor) -> tuple[Tensor, Tensor]:
    """Subtract from each feature its mean over the examples.

    Args:
        x: the data, one example a row, shape (N, d).

    Returns:
        x_c: the centered data, shape (N, d).
        mean: the mean of each feature, shape (d,).
    """
    ### BEGIN SOLUTION
    mean = x.mean(dim=0)
    return x - mean, mean
    ### END SOLUTION


# %% tests="center-shape" points=0.5
# center(x) returns a pair (x_c, mean): x_c has the shape of x, mean has one number per feature.
pair = center(cloud(seed=0, n=7, d=3))
assert is_pair(pair), "return two tensors: x_c, mean"
assert tuple(pair[0].shape) == (7, 3), f"x_c: expected shape (7, 3), got {tuple(pair[0].shape)}"
assert tuple(pair[1].shape) == (3,), f"mean: expected shape (3,), got {tuple(pair[1].shape)}"
### BEGIN HIDDEN TESTS
for n, d in ((7, 3), (1, 2)):
    x_c, mean = center(torch.tensor(draw.normal(size=(n, d))))
    probe(x_c=x_c, mean=mean.reshape(-1))
### CHECK x_c: shape()
### CHECK mean: shape()
### END HIDDEN TESTS

# %% tests="center-values" points=1
# The mean of the four points is (2.5, 3.5). After centering, each column has mean 0, and
# nothing else has changed.
x_c, mean = center(FOUR_POINTS.clone())
assert agrees(mean.reshape(-1), [2.5, 3.5]), (
    f"the mean of the four points is (2.5, 3.5), yours is {shown(mean)}"
)
assert agrees(x_c, [[-1.5, -1.5], [-0.5, -0.5], [0.5, 0.5], [1.5, 1.5]]), (
    f"x - mean is something else than {shown(x_c)}"
)
### BEGIN HIDDEN TESTS
for n, d in ((50, 4), (5, 9), (3, 2)):
    x_c, mean = center(cloud(int(draw.integers(2**31)), n, d))
    probe(x_c=x_c, mean=mean.reshape(-1))
### END HIDDEN TESTS

# %% [markdown] task="covariance" minutes=5 difficulty=1
# ## 2. The covariance matrix
#
# How features vary together is all that a linear autoencoder can see. For centered data with one example a row,
#
# $$S = \frac{1}{N} X_c^\top X_c \in \mathbb{R}^{d \times d} .$$
#
# We divide by $N$ and not by $N - 1$: then the numbers below are means over the examples, as a loss is.
#
# <details><summary>Hint</summary>
#
# `x_c.T @ x_c` has shape (d, d). The other way round you get (N, N), the products of examples with each other.
#
# </details>


# %% solution="covariance"
# Not allowed here: aelib, sklearn, torch.cov, numpy.cov
def covariance(x_c: Tensor) -> Tensor:
    """The covariance matrix of centered data, with 1/N.

    Args:
        x_c: the data with mean zero, shape (N, d).

    Returns:
        The covariance matrix, shape (d, d).
    """
    ### BEGIN SOLUTION
    return x_c.T @ x_c / len(x_c)
    ### END SOLUTION


# %% tests="covariance-shape" points=0.5
# covariance(x_c) has one row and one column for each feature, however many examples there are.
S = covariance(torch.tensor([[1.0, 0.0, 2.0], [-1.0, 0.0, -2.0]]))
assert tuple(S.shape) == (3, 3), (
    f"two examples with three features: expected shape (3, 3), got {tuple(S.shape)}"
)
### BEGIN HIDDEN TESTS
for n, d in ((2, 3), (8, 2)):
    probe(S=covariance(torch.tensor(draw.normal(size=(n, d)))))
### CHECK S: shape()
### END HIDDEN TESTS

# %% tests="covariance-values" points=1
# The four points have 1.25 everywhere in their covariance matrix. Check the factor 1/N and
# which axis is summed.
S = covariance(FOUR_POINTS - torch.tensor([2.5, 3.5]))
assert agrees(S, [[1.25, 1.25], [1.25, 1.25]]), (
    f"for the four points all entries are 1.25, yours are {shown(S)}"
)
### BEGIN HIDDEN TESTS
for n, d in ((50, 4), (6, 8), (200, 2)):
    x = cloud(int(draw.integers(2**31)), n, d)
    probe(S=covariance(x - x.mean(dim=0)))
### END HIDDEN TESTS

# %% [markdown] task="fit_1d" minutes=10 difficulty=2
# ## 3. One dimension: the principal direction
#
# Take a code of one number. With a unit vector $w$ as encoder and decoder, $z = w^\top x_c$ and $\hat x_c = w z$. The mean
# squared distance between $x_c$ and $\hat x_c$ is
#
# $$J(w) = \operatorname{tr} S - w^\top S w \qquad \text{with } \lVert w \rVert = 1 .$$
#
# At its minimum the gradient of $J(w) + \lambda (w^\top w - 1)$ is zero, that is $S w = \lambda w$: $w$ is an eigenvector.
# Then $J = \operatorname{tr} S - \lambda$, so the best $w$ belongs to the *largest* eigenvalue. Its sign is free.
#
# <details><summary>Hint</summary>
#
# `torch.linalg.eigh` returns the eigenvalues of a symmetric matrix in *ascending* order, and the eigenvectors as the
# *columns* of a matrix, each of length 1.
#
# </details>


# %% solution="fit_1d"
# Not allowed here: aelib, sklearn, torch.pca_lowrank, torch.svd_lowrank
def fit_1d(S: Tensor) -> tuple[Tensor, Tensor]:
    """The best one-dimensional linear autoencoder for data with a given covariance matrix.

    Args:
        S: the covariance matrix, shape (d, d); its largest eigenvalue is simple.

    Returns:
        eigenvalue: the largest eigenvalue, shape ().
        w: its eigenvector, of length 1 and of either sign, shape (d,).
    """
    ### BEGIN SOLUTION
    eigenvalues, eigenvectors = torch.linalg.eigh(S)
    return eigenvalues[-1], eigenvectors[:, -1]
    ### END SOLUTION


# %% tests="fit_1d-shape" points=0.5
# fit_1d(S) returns a pair (eigenvalue, w): one number, and a vector of length 1 with d
# numbers.
pair = fit_1d(torch.diag(torch.tensor([2.0, 7.0, 1.0])))
assert is_pair(pair), "return two things: eigenvalue, w"
assert torch.as_tensor(pair[0]).numel() == 1, "eigenvalue: expected one number"
assert tuple(pair[1].shape) == (3,), f"w: expected shape (3,), got {tuple(pair[1].shape)}"
assert agrees(torch.linalg.vector_norm(pair[1]), 1.0), "w: expected a vector of length 1"
### BEGIN HIDDEN TESTS
for d in (3, 5):
    eigenvalue, w = fit_1d(torch.diag(torch.tensor(draw.uniform(1, 9, size=d))))
    probe(
        eigenvalue=torch.as_tensor(eigenvalue).reshape(()),
        w=w,
        length=torch.linalg.vector_norm(w),
    )
### CHECK eigenvalue: shape()
### CHECK w: shape()
### END HIDDEN TESTS

# %% tests="fit_1d-eigenvalue" points=1
# The four points have eigenvalue 2.5. On a diagonal matrix the eigenvalues are the diagonal:
# take the largest.
eigenvalue, _ = fit_1d(torch.full((2, 2), 1.25))
assert agrees(float(eigenvalue), 2.5), (
    f"for the four points the eigenvalue is 2.5, yours is {float(eigenvalue):g}"
)
eigenvalue, _ = fit_1d(torch.diag(torch.tensor([2.0, 7.0, 1.0])))
assert agrees(float(eigenvalue), 7.0), (
    f"the largest of 2, 7, 1 is 7, yours is {float(eigenvalue):g}"
)
### BEGIN HIDDEN TESTS
# With many points no two eigenvalues come close by chance, which an iteration could not separate.
for d in (4, 7, 2):
    x = cloud(int(draw.integers(2**31)), n=2000, d=d)
    x = x - x.mean(dim=0)
    probe(eigenvalue=float(fit_1d(x.T @ x / len(x))[0]))
### END HIDDEN TESTS

# %% tests="fit_1d-direction" points=1
# The four points vary along (1, 1)/sqrt(2), or along its negative: only the line counts, not
# the sign.
_, w = fit_1d(torch.full((2, 2), 1.25))
assert agrees(torch.outer(w, w), torch.full((2, 2), 0.5)), (
    f"the direction is (1, 1)/sqrt(2), yours is {shown(w)}"
)
_, w = fit_1d(torch.diag(torch.tensor([2.0, 7.0, 1.0])))
assert agrees(w.abs(), [0.0, 1.0, 0.0]), (
    f"for diag(2, 7, 1) the direction is the second axis, yours is {shown(w)}"
)
### BEGIN HIDDEN TESTS
for d in (4, 7, 2):
    x = cloud(int(draw.integers(2**31)), n=2000, d=d)
    x = x - x.mean(dim=0)
    _, w = fit_1d(x.T @ x / len(x))
    probe(line=torch.outer(w, w))
### END HIDDEN TESTS

# %% [markdown] task="fit" minutes=15 difficulty=3
# ## 4. k dimensions: the weights of the linear autoencoder
#
# Now the code has $k$ numbers: $z = W_\text{enc}\, x_c$ and $\hat x_c = W_\text{dec}\, z$, with $W_\text{enc}$ of shape (k, d)
# and $W_\text{dec}$ of shape (d, k). Let $U_k$ be the (d, k) matrix whose columns are unit eigenvectors of $S$ for the
# $k$ largest eigenvalues. The error is smallest when the product of the weights is the projector onto their span:
#
# $$W_\text{dec} W_\text{enc} = U_k U_k^\top .$$
#
# Return any pair with this product. There are many: if $(W_\text{enc}, W_\text{dec})$ is right, then so is
# $(T W_\text{enc}, W_\text{dec} T^{-1})$ for every invertible $T$.
#
# <details><summary>Hint</summary>
#
# One right pair is $W_\text{enc} = U_k^\top$, $W_\text{dec} = U_k$. Mind the order in which `torch.linalg.eigh` returns the
# eigenvalues, and that eigenvectors are columns.
#
# </details>


# %% solution="fit"
# Not allowed here: aelib, sklearn, torch.pca_lowrank, torch.svd_lowrank
def fit(S: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The weights of the best linear autoencoder, from the covariance matrix alone.

    Args:
        S: the covariance matrix, shape (d, d); its k-th eigenvalue is larger than the next.
        k: the number of values in a code, 1 to d.

    Returns:
        w_enc: the encoder's weights, shape (k, d).
        w_dec: the decoder's weights, shape (d, k). The product w_dec @ w_enc is the projector
            onto the principal subspace.
    """
    ### BEGIN SOLUTION
    eigenvectors = torch.linalg.eigh(S).eigenvectors
    w_dec = eigenvectors[:, -k:]
    return w_dec.T, w_dec
    ### END SOLUTION


# %% tests="fit-shape" points=0.5
# fit(S, k) returns a pair (w_enc, w_dec): the encoder's weights have shape (k, d), the
# decoder's (d, k).
pair = fit(torch.diag(torch.tensor([1.0, 4.0, 9.0, 2.0, 0.5])), 2)
assert is_pair(pair), "return two tensors: w_enc, w_dec"
assert tuple(pair[0].shape) == (2, 5), (
    f"w_enc for d = 5, k = 2: expected shape (2, 5), got {tuple(pair[0].shape)}"
)
assert tuple(pair[1].shape) == (5, 2), (
    f"w_dec for d = 5, k = 2: expected shape (5, 2), got {tuple(pair[1].shape)}"
)
### BEGIN HIDDEN TESTS
for d, k in ((5, 2), (3, 3)):
    w_enc, w_dec = fit(torch.diag(torch.tensor(draw.uniform(1, 9, size=d))), k)
    probe(w_enc=w_enc, w_dec=w_dec)
### CHECK w_enc: shape()
### CHECK w_dec: shape()
### END HIDDEN TESTS

# %% tests="fit-line" points=1
# With k = 1 the product w_dec @ w_enc projects onto the principal direction: for the four
# points it is 0.5 everywhere.
w_enc, w_dec = fit(torch.full((2, 2), 1.25), 1)
assert agrees(w_dec @ w_enc, torch.full((2, 2), 0.5)), (
    f"w_dec @ w_enc is 0.5 everywhere, yours is {shown(w_dec @ w_enc)}"
)
### BEGIN HIDDEN TESTS
for d in (3, 6):
    x = cloud(int(draw.integers(2**31)), n=2000, d=d)
    x = x - x.mean(dim=0)
    w_enc, w_dec = fit(x.T @ x / len(x), 1)
    probe(product=w_dec @ w_enc)
### END HIDDEN TESTS

# %% tests="fit-subspace" points=1.5
# For diag(1, 4, 9, 2) and k = 2 the projector keeps the second and third axis:
# it is diag(0, 1, 1, 0).
w_enc, w_dec = fit(torch.diag(torch.tensor([1.0, 4.0, 9.0, 2.0])), 2)
product = w_dec @ w_enc
assert agrees(product, torch.diag(torch.tensor([0.0, 1.0, 1.0, 0.0]))), (
    f"expected diag(0, 1, 1, 0), got {shown(product)}"
)
### BEGIN HIDDEN TESTS
for d, k in ((4, 2), (6, 3), (5, 4), (3, 3)):
    x = cloud(int(draw.integers(2**31)), n=2000, d=d)
    x = x - x.mean(dim=0)
    w_enc, w_dec = fit(x.T @ x / len(x), k)
    probe(product=w_dec @ w_enc)
### END HIDDEN TESTS

# %% [markdown] task="wide" minutes=6 difficulty=2
# ## 5. No bottleneck
#
# Let the code be at least as long as the data: its size, called $h$ here and $k$ elsewhere, is $h \ge d$. Then a linear
# autoencoder can copy *every* input and has learned nothing about the data. Construct such weights:
# $W_\text{dec} W_\text{enc} x = x$ for all $x \in \mathbb{R}^d$.
#
# <details><summary>Hint</summary>
#
# The encoder may copy $x$ and add zeros at the end; the decoder then drops them. `torch.eye(n, m)` makes an n by m matrix with
# ones on the diagonal.
#
# </details>


# %% solution="wide"
def wide(d: int, h: int) -> tuple[Tensor, Tensor]:
    """Weights of a linear autoencoder that copies every input.

    Args:
        d: the number of features.
        h: the number of values in a code, at least d.

    Returns:
        w_enc: shape (h, d).
        w_dec: shape (d, h); w_dec @ w_enc is the identity.
    """
    ### BEGIN SOLUTION
    return torch.eye(h, d), torch.eye(d, h)
    ### END SOLUTION


# %% tests="wide-shape" points=0.5
# wide(d, h) returns a pair (w_enc, w_dec) of shapes (h, d) and (d, h).
pair = wide(2, 5)
assert is_pair(pair), "return two tensors: w_enc, w_dec"
assert tuple(pair[0].shape) == (5, 2), (
    f"w_enc for d = 2, h = 5: expected shape (5, 2), got {tuple(pair[0].shape)}"
)
assert tuple(pair[1].shape) == (2, 5), (
    f"w_dec for d = 2, h = 5: expected shape (2, 5), got {tuple(pair[1].shape)}"
)
### BEGIN HIDDEN TESTS
for d, h in ((2, 5), (3, 3)):
    pair = wide(d, h)
    probe(w_enc=pair[0], w_dec=pair[1])
### CHECK w_enc: shape()
### CHECK w_dec: shape()
### END HIDDEN TESTS

# %% tests="wide-identity" points=0.5
# w_dec @ w_enc is the identity matrix, for h = d and for h > d.
for d, h in ((2, 2), (2, 5)):
    w_enc, w_dec = wide(d, h)
    assert agrees(w_dec @ w_enc, torch.eye(d)), (
        f"d = {d}, h = {h}: w_dec @ w_enc is {shown(w_dec @ w_enc)}"
    )
### BEGIN HIDDEN TESTS
for d, h in ((3, 3), (3, 7), (4, 8), (1, 2)):
    encoder, decoder = wide(d, h)
    probe(x_hat=decoder @ (encoder @ torch.tensor(draw.normal(size=d))))
### END HIDDEN TESTS

# %% [markdown] task="reconstruct" minutes=7 difficulty=2
# ## 6. Reconstruct
#
# Encode and decode examples, new ones too. Subtract the mean *of the training data*, apply the weights, add the mean back:
#
# $$\hat x = \bar x + W_\text{dec} W_\text{enc} (x - \bar x) .$$
#
# For the four points and $w = (1, 1)/\sqrt 2$ this gives the points themselves, and they lie on the line $y = x + 1$: the line
# goes through the mean (2.5, 3.5), not through the origin.
#
# Those four points are so special that other encoders do as well on them: every $w_\text{enc}$ with
# $w_\text{enc}^\top (1, 1)/\sqrt 2 = 1$ reconstructs them without error. One test uses $w_\text{enc} = (\sqrt 2, 0)$.
#
# <details><summary>Hint</summary>
#
# The formula is for one example, a column. With examples in rows, $W x$ becomes `x @ W.T`. The weights can be any matrices of
# the right shape, so the transposes matter.
#
# </details>


# %% solution="reconstruct"
def reconstruct(x: Tensor, mean: Tensor, w_enc: Tensor, w_dec: Tensor) -> Tensor:
    """What a linear autoencoder makes of examples.

    Args:
        x: the examples, shape (N, d).
        mean: the mean of the training data, shape (d,); it need not be the mean of x.
        w_enc: the encoder's weights, any matrix of shape (k, d).
        w_dec: the decoder's weights, any matrix of shape (d, k).

    Returns:
        The reconstructions, shape (N, d).
    """
    ### BEGIN SOLUTION
    z = (x - mean) @ w_enc.T
    return mean + z @ w_dec.T
    ### END SOLUTION


# %% tests="reconstruct-shape" points=0.5
# reconstruct(x, mean, w_enc, w_dec) has the shape of x.
x_hat = reconstruct(torch.ones(7, 3), torch.zeros(3), torch.ones(2, 3), torch.ones(3, 2))
assert tuple(x_hat.shape) == (7, 3), (
    f"7 examples with 3 features: expected shape (7, 3), got {tuple(x_hat.shape)}"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((7, 3, 2), (2, 2, 5)):
    shapes = (n, d), (d,), (k, d), (d, k)
    probe(x_hat=reconstruct(*(torch.tensor(draw.normal(size=shape)) for shape in shapes)))
### CHECK x_hat: shape()
### END HIDDEN TESTS

# %% tests="reconstruct-values" points=1
# The mean that you subtract is the one you are given, you add it back at the end, and the
# weights act on rows.
mean, w = torch.tensor([2.5, 3.5]), torch.tensor([[1.0, 1.0]]) / math.sqrt(2)
x_hat = reconstruct(FOUR_POINTS.clone(), mean, w, w.T)
assert agrees(x_hat, FOUR_POINTS), f"the four points come out again, yours are {shown(x_hat)}"
assert agrees(x_hat[:, 1], x_hat[:, 0] + 1), "the reconstructions lie on y = x + 1"
x_hat = reconstruct(FOUR_POINTS.clone(), mean, torch.tensor([[math.sqrt(2), 0.0]]), w.T)
assert agrees(x_hat, FOUR_POINTS), (
    f"with w_enc = (sqrt(2), 0) they come out again too, yours are {shown(x_hat)}"
)
x_hat = reconstruct(torch.tensor([[4.0, 2.0]]), mean, w, w.T)
assert agrees(x_hat, [[2.5, 3.5]]), (
    f"the new point (4, 2) is projected onto (2.5, 3.5), yours is {shown(x_hat)}"
)
### BEGIN HIDDEN TESTS
for n, d, k in ((9, 4, 2), (1, 3, 1), (5, 2, 6)):
    shapes = (n, d), (d,), (k, d), (d, k)
    probe(x_hat=reconstruct(*(torch.tensor(draw.normal(size=shape)) for shape in shapes)))
### END HIDDEN TESTS

# %% [markdown] task="reconstruction_error" minutes=4 difficulty=1
# ## 7. Reconstruction error
#
# The error in this course sums over the features of an example, and takes the mean over the examples:
#
# $$\frac{1}{N} \sum_{n=1}^{N} \lVert x_n - \hat x_n \rVert^2
# = \frac{1}{N} \sum_{n=1}^{N} \sum_{j=1}^{d} (x_{nj} - \hat x_{nj})^2 .$$
#
# <details><summary>Hint</summary>
#
# `torch.nn.functional.mse_loss` takes the mean over the features as well, so it is smaller by a factor of d.
#
# </details>


# %% solution="reconstruction_error"
# Not allowed here: aelib, sklearn
def reconstruction_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """The mean over the examples of the squared distance to the reconstruction.

    Args:
        x: the examples, shape (N, d).
        x_hat: their reconstructions, shape (N, d).

    Returns:
        The error, shape ().
    """
    ### BEGIN SOLUTION
    return (x - x_hat).square().sum(dim=1).mean()
    ### END SOLUTION


# %% tests="reconstruction_error-shape" points=0.5
# reconstruction_error(x, x_hat) is one number, and it is not negative.
error = reconstruction_error(torch.zeros(5, 3), torch.ones(5, 3))
assert torch.as_tensor(error).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(error).shape)}"
)
assert float(error) >= 0, f"a sum of squares is not negative, yours is {float(error):g}"
### BEGIN HIDDEN TESTS
x, x_hat = torch.tensor(draw.normal(size=(2, 5, 3)))
error = reconstruction_error(x, x_hat)
probe(numbers=torch.as_tensor(error).numel(), error=error)
### CHECK error: non_negative()
### END HIDDEN TESTS

# %% tests="reconstruction_error-values" points=1
# Two examples with distances 5 and 0 have the error (25 + 0)/2 = 12.5: square, sum over
# features, mean over examples.
error = reconstruction_error(
    torch.tensor([[3.0, 0.0], [1.0, 2.0]]), torch.tensor([[0.0, 4.0], [1.0, 2.0]])
)
assert agrees(float(error), 12.5), f"expected 12.5, got {float(error):g}"
### BEGIN HIDDEN TESTS
for n, d in ((6, 3), (2, 11), (1, 4)):
    x, x_hat = torch.tensor(draw.normal(size=(2, n, d)))
    probe(error=float(reconstruction_error(x, x_hat)))
### END HIDDEN TESTS

# %% [markdown] task="discarded_variance" minutes=8 difficulty=2
# ## 8. The error, without reconstructing anything
#
# The best linear autoencoder with a code of $k$ numbers loses exactly the variance in the directions that it drops. With the
# eigenvalues of $S$ in descending order,
#
# $$\frac{1}{N} \sum_{n=1}^{N} \lVert x_n - \hat x_n \rVert^2 = \sum_{j=k+1}^{d} \lambda_j .$$
#
# <details><summary>Hint</summary>
#
# `torch.linalg.eigvalsh` returns the eigenvalues in ascending order: the ones to discard come first. There are d - k of them.
#
# </details>


# %% solution="discarded_variance"
def discarded_variance(S: Tensor, k: int) -> Tensor:
    """The error of the best linear autoencoder, from the covariance matrix alone.

    Args:
        S: the covariance matrix, shape (d, d).
        k: the number of values in a code, 1 to d.

    Returns:
        The sum of all eigenvalues but the k largest, shape ().
    """
    ### BEGIN SOLUTION
    return torch.linalg.eigvalsh(S)[: len(S) - k].sum()
    ### END SOLUTION


# %% tests="discarded_variance-shape" points=0.5
# discarded_variance(S, k) is one number.
lost = discarded_variance(torch.diag(torch.tensor([1.0, 4.0, 9.0, 2.0])), 2)
assert torch.as_tensor(lost).numel() == 1, (
    f"expected one number, got shape {tuple(torch.as_tensor(lost).shape)}"
)
### BEGIN HIDDEN TESTS
lost = discarded_variance(torch.diag(torch.tensor(draw.uniform(1, 9, size=4))), 2)
probe(numbers=torch.as_tensor(lost).numel())
### END HIDDEN TESTS

# %% tests="discarded_variance-values" points=1
# For diag(1, 4, 9, 2) and k = 2 the eigenvalues 9 and 4 are kept, and 1 + 2 = 3 is lost.
# With k = d nothing is lost.
for k, expected in ((1, 7.0), (2, 3.0), (3, 1.0), (4, 0.0)):
    lost = discarded_variance(torch.diag(torch.tensor([1.0, 4.0, 9.0, 2.0])), k)
    assert agrees(float(lost), expected), (
        f"for diag(1, 4, 9, 2) and k = {k} expected {expected:g}, got {float(lost):g}"
    )
### BEGIN HIDDEN TESTS
for d, k in ((4, 1), (6, 4), (5, 5)):
    x = cloud(int(draw.integers(2**31)), d=d)
    x = x - x.mean(dim=0)
    probe(lost=float(discarded_variance(x.T @ x / len(x), k)))
### END HIDDEN TESTS

# %% [markdown] task="explained_variance_ratio" minutes=8 difficulty=2
# ## 9. Explained variance
#
# The share of the variance that each principal direction carries, largest first:
#
# $$r_j = \frac{\lambda_j}{\lambda_1 + \dots + \lambda_d}, \qquad \lambda_1 \ge \dots \ge \lambda_d .$$
#
# You may compute the eigenvalues of the covariance matrix, or the singular values $s_j$ of $X_c$: $\lambda_j = s_j^2 / N$.
#
# <details><summary>Hint</summary>
#
# The shares add up to 1, so a common factor such as 1/N cancels. A square does not.
#
# </details>


# %% solution="explained_variance_ratio"
# Not allowed here: aelib, sklearn
def explained_variance_ratio(x_c: Tensor) -> Tensor:
    """The share of the variance in each principal direction.

    Args:
        x_c: the data with mean zero, not all of them zero, shape (N, d) with N at least d.

    Returns:
        The shares in descending order, shape (d,).
    """
    ### BEGIN SOLUTION
    variances = torch.linalg.svdvals(x_c).square()
    return variances / variances.sum()
    ### END SOLUTION


# %% tests="explained_variance_ratio-shape" points=0.5
# explained_variance_ratio(x_c) has one share for each of the d directions; they add up to 1.
cross = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
ratio = explained_variance_ratio(cross.clone())
assert tuple(ratio.shape) == (2,), (
    f"two features: expected shape (2,), got {tuple(ratio.shape)}"
)
assert agrees(ratio.sum(), 1.0), f"expected the sum 1, got {float(ratio.sum()):g}"
### BEGIN HIDDEN TESTS
for d in (2, 4):
    x = cloud(int(draw.integers(2**31)), d=d)
    x = x - x.mean(dim=0)
    ratio = explained_variance_ratio(x)
    probe(ratio=ratio, total=ratio.sum())
### CHECK ratio: shape()
### END HIDDEN TESTS

# %% tests="explained_variance_ratio-values" points=1
# Points at distance 3 along one axis and 1 along the other: the variances are as 9 to 1, the
# shares 0.9 and 0.1.
cross = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
ratio = explained_variance_ratio(cross.clone())
assert agrees(ratio, [0.9, 0.1]), f"expected 0.9 and 0.1, the larger first, got {shown(ratio)}"
### BEGIN HIDDEN TESTS
for d in (3, 6):
    x = cloud(int(draw.integers(2**31)), d=d)
    x = x - x.mean(dim=0)
    probe(ratio=explained_variance_ratio(x))
### END HIDDEN TESTS

# %% [markdown] task="choose_k" minutes=6 difficulty=2
# ## 10. Choose the code size
#
# Take the smallest $k$ whose first $k$ directions together explain *at least* a given share of the variance. For the shares
# 0.5, 0.25, 0.125, 0.125 and a target of 0.75, that is $k = 2$: exactly 0.75 is enough.
#
# <details><summary>Hint</summary>
#
# `torch.cumsum` adds up. Count how many of the sums are still below the target; the next one reaches it.
#
# </details>


# %% solution="choose_k"
def choose_k(ratio: Tensor, share: float) -> int:
    """The smallest code that keeps a share of the variance.

    Args:
        ratio: the share of the variance in each direction, descending, with sum 1, shape (d,).
        share: the share to keep, more than 0 and less than 1.

    Returns:
        k, an integer from 1 to d.
    """
    ### BEGIN SOLUTION
    below = torch.cumsum(ratio, dim=0) < share
    return int(below.sum()) + 1
    ### END SOLUTION


# %% tests="choose_k-shape" points=0.5
# choose_k(ratio, share) is an integer from 1 to d.
k = choose_k(torch.tensor([0.6, 0.3, 0.1]), 0.5)
assert k in (1, 2, 3), f"expected 1, 2 or 3, got {k!r}"
### BEGIN HIDDEN TESTS
shares = np.sort(draw.dirichlet(np.ones(3)))[::-1].copy()
for share in (shares[0] / 2, 1 - shares[2] / 2):  # the smallest and the largest answer
    k = choose_k(torch.tensor(shares), float(share))
    probe(is_a_size=k in (1, 2, 3))
### END HIDDEN TESTS

# %% tests="choose_k-values" points=1
# For the shares 0.5, 0.25, 0.125, 0.125: one direction reaches 0.5, two reach 0.75, three do
# not reach 0.9, four do.
for share, expected in ((0.2, 1), (0.5, 1), (0.6, 2), (0.75, 2), (0.8, 3), (0.9, 4)):
    k = choose_k(torch.tensor([0.5, 0.25, 0.125, 0.125]), share)
    assert int(k) == expected, f"target {share}: expected k = {expected}, got {k}"
### BEGIN HIDDEN TESTS
for shares, share in (
    ([0.5, 0.375, 0.125], 0.875),  # exactly reached
    ([0.25, 0.25, 0.25, 0.25], 0.5),
    ([0.7, 0.2, 0.05, 0.05], 0.69),
    ([0.4, 0.3, 0.2, 0.1], 0.95),
):
    probe(k=int(choose_k(torch.tensor(shares), share)))
for d in (5, 9):
    shares = np.sort(draw.dirichlet(np.ones(d)))[::-1].copy()
    probe(k=int(choose_k(torch.tensor(shares), float(draw.uniform(0.3, 0.9)))))
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on 1,797 handwritten digits of 8 by 8 pixels, so $d = 64$. The measured error and the
# discarded variance must agree for every $k$. This part is worth no points; change it as you like.

# %%
x = data.digits().flat().double()
x_c, mean = center(x)
S = covariance(x_c)
rows = [data.digits().x[:10]]
for k in (2, 8, 32):
    w_enc, w_dec = fit(S, k)
    x_hat = reconstruct(x, mean, w_enc, w_dec)
    rows.append(x_hat[:10].reshape(10, 1, 8, 8).float())
    error, lost = reconstruction_error(x, x_hat), discarded_variance(S, k)
    print(f"k = {k:2d}: error {float(error):.4f}, discarded variance {float(lost):.4f}")
print("code size that keeps 90% of the variance:", choose_k(explained_variance_ratio(x_c), 0.9))

viz.use_style()
figure, ax = plt.subplots(figsize=(6, 2.6))
viz.image_grid(ax, torch.cat(rows), columns=10)
ax.set_title("Ten digits; below, their reconstructions with k = 2, 8 and 32")
plt.show()

# %% [markdown] locked="gradient"
# ## What training finds
#
# The next cell trains the weights of a linear autoencoder on one cloud of points with a gradient method (L-BFGS), twice, from
# different random weights. Run it and compare the two results.


# %% locked="gradient-training"
def train(x_c: Tensor, k: int, seed: int) -> tuple[Tensor, Tensor]:
    """Weights of a linear autoencoder, trained from random ones until nothing changes."""
    generator = torch.Generator().manual_seed(seed)
    w_enc = torch.randn(k, x_c.shape[1], generator=generator).mul(0.3).requires_grad_()
    w_dec = torch.randn(x_c.shape[1], k, generator=generator).mul(0.3).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [w_enc, w_dec], max_iter=500, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = (x_c - x_c @ w_enc.T @ w_dec.T).square().sum(dim=1).mean()
        value.backward()
        return value

    optimizer.step(loss)
    return w_enc.detach(), w_dec.detach()


points = cloud(seed=100, d=5)
points = points - points.mean(dim=0)
trained = [train(points, k=2, seed=seed) for seed in (1, 2)]
for w_enc, w_dec in trained:
    error = (points - points @ w_enc.T @ w_dec.T).square().sum(dim=1).mean()
    lengths = torch.linalg.vector_norm(w_dec, dim=0)
    cosine = (w_dec[:, 0] @ w_dec[:, 1]) / lengths.prod()
    print(f"error {error:.6f}; lengths of the columns of w_dec:", np.round(lengths.numpy(), 2))
    print(f"angle between the columns: {torch.rad2deg(torch.arccos(cosine)):.0f} degrees")
    assert not agrees(lengths, [1.0, 1.0]), "the columns of w_dec do not have length 1"
    assert abs(cosine) > 0.01, "the columns of w_dec are not orthogonal"
one, two = (w_dec @ w_enc for w_enc, w_dec in trained)
difference = (one - two).abs().max()
print(f"largest difference between the two products w_dec @ w_enc: {difference:.6f}")
assert torch.allclose(one, two, atol=1e-6), "both products are the projector onto one plane"

# %% [markdown] task="subspace" minutes=12 difficulty=3
# ## 11. Subspace, not components
#
# Both runs reach the same error, and their decoders span the same plane. Yet the weights differ, and the columns of the
# decoders are neither orthogonal nor of length 1, as principal components are. In six to ten sentences or formulas:
#
# 1. Show with an invertible matrix $T$ why the loss cannot tell the two results apart.
# 2. Say what gradient training does recover, and what of PCA it does not.
# 3. Name one change to the model or the loss after which training recovers the components themselves, and say why it works.

# %% [markdown] answer="subspace-why" points=3
# 1. The loss depends on the weights only through the product $W_\text{dec} W_\text{enc}$, because
# $\hat x_c = W_\text{dec} W_\text{enc} x_c$. For any invertible $T$ of size k by k,
# $(W_\text{dec} T^{-1})(T W_\text{enc}) = W_\text{dec} W_\text{enc}$. So all pairs $(T W_\text{enc}, W_\text{dec} T^{-1})$ have
# the same reconstructions and the same loss, and where training ends among them depends on where it starts.
# 2. It recovers the projector onto the principal subspace, so the span of the decoder's columns, the reconstructions, and the
# error, which is the sum of the discarded eigenvalues. It does not recover the single components, their order, their
# orthogonality, their lengths, or which coordinate of the code carries how much variance.
# 3. For example, tie the weights, $W_\text{enc} = W_\text{dec}^\top$ with orthonormal columns, and train the code sizes
# 1, 2, ..., k one after the other with the earlier columns fixed: the first column must span the best line, the second the
# best plane together with it, and so on. Or penalize the coordinates of the code differently (non-uniform weight decay): then
# a rotation changes the loss, and only the components in their order are optimal.
#
# **Rubric** (1 point each)
#
# - Invertible T: the product is unchanged, so are the reconstructions and the loss. Half a point if T is only a rotation.
# - Recovered: subspace (or projector, reconstructions, error). Not recovered: at least two of components, order, orthogonality,
#   length. Half a point if only one side is answered.
# - A change that breaks the symmetry down to signs, with the reason. Orthonormal tied weights alone leave every rotation free:
#   half a point. Uniform weight decay alone leaves rotations free too: half a point.
