# %% [markdown] locked="intro"
# # Matching codes: codebooks, discrepancies, opponents
#
# A decoder can make new examples only from codes that it knows. This assignment has three ways to get such codes, in ten short
# functions: replace each code by an entry of a *codebook*; *measure* how far the codes are from a prior; or train an *opponent*
# that tells codes from draws. At the end you put them together on handwritten digits.
#
# *{points} points, about {minutes} minutes.* Each task says what it is worth, how long it takes and how hard it is, from 1 to 5.
#
# - Write your code in the cells that say `YOUR CODE HERE`. Do not change a function's name or its arguments.
# - Below each of them are tests. Run them: a cell without an error means that the test passes. The comment at its top says
#   what it wants. After you submit, the same properties are tested on other inputs as well.
# - No task needs your answer to another one, so a task you skip costs only its own points.
# - A batch is a tensor with one example, token or code a row. Squared distances are summed over the values of a row, and losses
#   are means over the rows, in nats. Numbers must agree to 0.000001, relative or absolute. Functions return tensors unless they
#   say otherwise, and do not change the tensors that they are given.
# - You may use anything in torch and numpy, but what a task asks for cannot be imported: a line above the function says what is
#   not allowed there, and an answer that uses it earns no points.
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


def is_pair(answer) -> bool:
    """Whether a function returned two things."""
    return isinstance(answer, (tuple, list)) and len(answer) == 2


def is_triple(answer) -> bool:
    """Whether a function returned three things."""
    return isinstance(answer, (tuple, list)) and len(answer) == 3


def slopes(value: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """The gradient of the sum of value by each input; zero where no gradient gets through."""
    if not value.requires_grad:
        return tuple(torch.zeros_like(one) for one in inputs)
    return torch.autograd.grad(value.sum(), inputs, retain_graph=True, materialize_grads=True)


def bell(squared: Tensor) -> Tensor:
    """A kernel to try things with: exp(-r^2 / 2), from squared distances r^2."""
    return torch.exp(-squared / 2)


def networks(seed: int, d: int, k: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """An encoder (d to k values), a decoder (k to d), and a discriminator (k to one logit)."""
    encoder, decoder = nn.Linear(d, k), nn.Linear(k, d)
    critic = nn.Sequential(nn.Linear(k, 16), nn.Tanh(), nn.Linear(16, 1))
    generator = torch.Generator().manual_seed(seed)
    for model in (encoder, decoder, critic):
        for parameter in model.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5, generator=generator)
    return encoder, decoder, critic


def weights_of(*models: nn.Module) -> Tensor:
    """A copy of all parameters of some networks, in one row."""
    parts = [
        parameter.detach().flatten() for model in models for parameter in model.parameters()
    ]
    return torch.cat(parts).clone()


def parameters_of(*models: nn.Module) -> list[nn.Parameter]:
    """All parameters of some networks, for an optimizer."""
    return [parameter for model in models for parameter in model.parameters()]


def sheet(seed: int, n: int) -> Tensor:
    """n examples with four values, spread along a plane that misses the origin."""
    generator = torch.Generator().manual_seed(seed)
    plane = torch.tensor([[1.0, 1.0, 0.5, -1.0], [1.0, -1.0, 1.0, 0.5]])
    on_plane = torch.randn(n, 2, generator=generator) @ plane + 1
    return on_plane + 0.1 * torch.randn(n, 4, generator=generator)


# %% [markdown] task="nearest" minutes=5 difficulty=1
# ## 1. The nearest entry
#
# A codebook is a list of $C$ vectors $e_0, \dots, e_{C-1}$. The encoder returns *tokens*, vectors of the same length, and each of
# them is replaced by the entry that is nearest to it:
#
# $$c(z) = \operatorname*{argmin}_{j} \lVert z - e_j \rVert .$$
#
# The code of a token is the *index* of that entry, counted from 0. If several are equally near, take the smallest index, so that
# the same token always gets the same code.
#
# <details><summary>Hint</summary>
#
# `tokens[:, None] - codebook` has shape (n, C, D): all differences. The smallest distance has the smallest square, so no root is
# needed. `argmin` returns the first place of a minimum.
#
# </details>


# %% solution="nearest"
# Not allowed here: aelib, scipy, sklearn
def nearest(tokens: Tensor, codebook: Tensor) -> Tensor:
    """The index of the entry of a codebook that is nearest to each token.

    Args:
        tokens: the vectors to be replaced, shape (n, D).
        codebook: the entries, shape (C, D).

    Returns:
        The indices, integers from 0 to C - 1, shape (n,); the smallest one of a tie.
    """
    ### BEGIN SOLUTION
    squared = (tokens[:, None] - codebook).square().sum(dim=2)
    return squared.argmin(dim=1)
    ### END SOLUTION


# %% tests="nearest-shape" points=0.25
# nearest(tokens, codebook) has one integer for each token, from 0 to C - 1.
indices = nearest(torch.zeros(7, 3), torch.ones(4, 3))
assert tuple(indices.shape) == (7,), (
    f"7 tokens: expected shape (7,), got {tuple(indices.shape)}"
)
assert not indices.is_floating_point(), f"an index is an integer, yours are {indices.dtype}"
### BEGIN HIDDEN TESTS
for n, c, d in ((7, 4, 3), (2, 5, 2), (1, 1, 1)):
    found = nearest(
        torch.tensor(draw.normal(size=(n, d))), torch.tensor(draw.normal(size=(c, d)))
    )
    probe(indices=found, is_integer=not torch.as_tensor(found).is_floating_point())
### CHECK indices: shape()
### END HIDDEN TESTS

# %% tests="nearest-values" points=0.75
# Entries (0, 0), (10, 0) and (3, 3): (1, 0) is nearest to the first one, (9, 1) to the second
# and (2, 2) to the third. The distance is the Euclidean one.
codebook = torch.tensor([[0.0, 0.0], [10.0, 0.0], [3.0, 3.0]])
indices = nearest(torch.tensor([[1.0, 0.0], [9.0, 1.0], [2.0, 2.0]]), codebook)
assert agrees(indices, [0, 1, 2]), f"expected 0, 1, 2, got {shown(indices)}"
indices = nearest(torch.tensor([[0.0, 4.1]]), codebook)
assert agrees(indices, [2]), (
    f"(0, 4.1) is 4.1 from entry 0 and 3.2 from entry 2: expected 2, got {shown(indices)}"
)
### BEGIN HIDDEN TESTS
for n, c, d in ((60, 8, 3), (40, 3, 7), (30, 12, 1), (1, 6, 2)):
    tokens, codebook = (
        torch.tensor(draw.normal(size=(n, d))),
        torch.tensor(draw.normal(size=(c, d))),
    )
    kept = tokens.clone(), codebook.clone()
    probe(indices=nearest(tokens, codebook), shifted=nearest(tokens - 3, codebook - 3))
    probe(left=torch.equal(tokens, kept[0]) and torch.equal(codebook, kept[1]))
### END HIDDEN TESTS

# %% tests="nearest-ties" points=0.5
# If several entries are equally near, the smallest index counts, also if they are the same
# vector.
indices = nearest(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [-1.0], [3.0], [1.0]]))
assert agrees(indices, [0, 0]), (
    "0 is as near to entries 0, 1 and 3, and 2 to entries 0, 2 and 3:"
    f" expected 0, 0, got {shown(indices)}"
)
### BEGIN HIDDEN TESTS
for c, d in ((3, 2), (4, 3)):
    corners = torch.tensor(draw.permutation(np.concatenate([np.eye(d), -np.eye(d)])[:c]))
    codebook = torch.cat([corners + 5, corners, corners])  # each near one stands there twice
    tokens = torch.cat([torch.zeros(1, d), corners, 2 * corners])
    probe(indices=nearest(tokens, codebook))
### END HIDDEN TESTS

# %% [markdown] task="straight_through" minutes=5 difficulty=2
# ## 2. Straight through
#
# The nearest entry $z_q$ is a step function of the encoder's output $z_e$: its derivative is zero wherever it exists, and the
# encoder would learn nothing. So training pretends that there is no step. It takes the gradient at $z_q$ and hands it to $z_e$:
#
# $$z = z_e + \operatorname{sg}(z_q - z_e), \qquad \text{value } z_q, \quad \text{derivative by } z_e \text{ taken to be } I,$$
#
# where $\operatorname{sg}$ stops the gradient. No gradient gets to $z_q$ this way: the codebook has terms of its own (task 3).
#
# <details><summary>Hint</summary>
#
# `.detach()` is $\operatorname{sg}$: it keeps the value and cuts the gradient. What exactly is to be cut?
#
# </details>


# %% solution="straight_through"
# Not allowed here: aelib
def straight_through(z_e: Tensor, z_q: Tensor) -> Tensor:
    """The value of z_q with the gradient of z_e.

    Args:
        z_e: what the encoder returned, shape (B, k).
        z_q: the nearest entries, shape (B, k).

    Returns:
        What the decoder receives, shape (B, k).
    """
    ### BEGIN SOLUTION
    return z_e + (z_q - z_e).detach()
    ### END SOLUTION


# %% tests="straight_through-shape" points=0.25
# straight_through(z_e, z_q) has the shape of z_e.
z = straight_through(torch.zeros(5, 3), torch.ones(5, 3))
assert tuple(z.shape) == (5, 3), f"expected shape (5, 3), got {tuple(z.shape)}"
### BEGIN HIDDEN TESTS
for b, k in ((5, 3), (1, 1)):
    z_e, z_q = torch.tensor(draw.normal(size=(2, b, k)))
    probe(z=straight_through(z_e, z_q))
### CHECK z: shape()
### END HIDDEN TESTS

# %% tests="straight_through-values" points=0.25
# The value is that of z_q, whatever z_e is.
z = straight_through(torch.tensor([[0.4, -3.0]]), torch.tensor([[0.0, -2.0]]))
assert agrees(z, [[0.0, -2.0]]), f"expected z_q, (0, -2), got {shown(z)}"
### BEGIN HIDDEN TESTS
for b, k in ((4, 3), (1, 5), (6, 1)):
    z_e, z_q = torch.tensor(draw.normal(size=(2, b, k), scale=3))
    kept = z_e.clone(), z_q.clone()
    z = straight_through(z_e, z_q)
    probe(z=z, left=torch.equal(z_e, kept[0]) and torch.equal(z_q, kept[1]))
### END HIDDEN TESTS

# %% tests="straight_through-gradients" points=0.75
# The loss z^2 has the slope 2 z_q at z_q. All of it goes to z_e, and none to z_q.
z_e = torch.tensor([[0.4, -3.0]], requires_grad=True)
z_q = torch.tensor([[0.5, -2.0]], requires_grad=True)
by_z_e, by_z_q = slopes(straight_through(z_e, z_q).square(), z_e, z_q)
assert agrees(by_z_e, [[1.0, -4.0]]), f"by z_e: expected 2 z_q = (1, -4), got {shown(by_z_e)}"
assert agrees(by_z_q, [[0.0, 0.0]]), f"by z_q: expected (0, 0), got {shown(by_z_q)}"
### BEGIN HIDDEN TESTS
for b, k in ((4, 3), (1, 5), (6, 1)):
    z_e = torch.tensor(draw.normal(size=(b, k)), requires_grad=True)
    z_q = torch.tensor(draw.normal(size=(b, k)), requires_grad=True)
    loss = (torch.tensor(draw.normal(size=(b, k))) * straight_through(z_e, z_q) ** 3).sum()
    by_z_e, by_z_q = slopes(loss, z_e, z_q)
    probe(by_z_e=by_z_e, by_z_q=by_z_q)
### END HIDDEN TESTS

# %% [markdown] task="vq_terms" minutes=6 difficulty=2
# ## 3. Commitment and codebook
#
# Straight-through gradients are good only where $z_e$ is near $z_q$. Two terms bring them together, each from one side:
#
# $$\underbrace{\lVert z_e - \operatorname{sg}(z_q) \rVert^2}_{\text{commitment: moves the encoder}}, \qquad
# \underbrace{\lVert \operatorname{sg}(z_e) - z_q \rVert^2}_{\text{codebook: moves the entries}} .$$
#
# Both are summed over the values of an example, and averaged over the batch. They have the same value and different gradients, so
# they can be weighted one by one. The weights are put on later, by whoever adds them to the loss.
#
# <details><summary>Hint</summary>
#
# Write the squared distance twice, with `.detach()` in another place. `mse_loss` takes the mean over the values as well.
#
# </details>


# %% solution="vq_terms"
# Not allowed here: aelib
def vq_terms(z_e: Tensor, z_q: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms that bring the encoder and the codebook together, as means over the batch.

    Args:
        z_e: what the encoder returned, shape (B, k).
        z_q: the nearest entries, shape (B, k).

    Returns:
        commitment: its gradient goes to z_e alone, shape ().
        codebook: its gradient goes to z_q alone, shape ().
    """
    ### BEGIN SOLUTION
    commitment = (z_e - z_q.detach()).square().sum(dim=1).mean()
    codebook = (z_e.detach() - z_q).square().sum(dim=1).mean()
    return commitment, codebook
    ### END SOLUTION


# %% tests="vq_terms-shape" points=0.25
# vq_terms(z_e, z_q) returns two numbers: the commitment term, then the codebook term.
pair = vq_terms(torch.zeros(5, 3), torch.ones(5, 3))
assert is_pair(pair), "return two tensors: commitment, codebook"
for name, term in zip(("commitment", "codebook"), pair):
    assert tuple(term.shape) == (), (
        f"{name}: expected one number, got shape {tuple(term.shape)}"
    )
### BEGIN HIDDEN TESTS
for b, k in ((5, 3), (1, 1)):
    commitment, codebook = vq_terms(*torch.tensor(draw.normal(size=(2, b, k))))
    probe(commitment=commitment, codebook=codebook)
### CHECK commitment: non_negative()
### CHECK codebook: non_negative()
### END HIDDEN TESTS

# %% tests="vq_terms-values" points=0.75
# Two examples with the distances 5 and 1: both terms are (25 + 1) / 2 = 13.
z_e, z_q = torch.tensor([[3.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 4.0], [1.0, 2.0]])
for name, term in zip(("commitment", "codebook"), vq_terms(z_e, z_q)):
    assert agrees(term, 13.0), f"{name}: expected 13, got {shown(term)}"
### BEGIN HIDDEN TESTS
for b, k in ((6, 4), (1, 5), (3, 1), (2, 8)):
    commitment, codebook = vq_terms(*torch.tensor(draw.normal(size=(2, b, k))))
    probe(commitment=commitment, codebook=codebook)
### END HIDDEN TESTS

# %% tests="vq_terms-gradients" points=0.75
# The first term pulls z_e to z_q and leaves z_q alone; the second one does the reverse. For one
# example the slopes are 2 (z_e - z_q) and 2 (z_q - z_e).
z_e = torch.tensor([[3.0, 0.0]], requires_grad=True)
z_q = torch.tensor([[0.0, 4.0]], requires_grad=True)
commitment, codebook = vq_terms(z_e, z_q)
for name, term, expected in (
    ("commitment", commitment, ([[6.0, -8.0]], [[0.0, 0.0]])),
    ("codebook", codebook, ([[0.0, 0.0]], [[-6.0, 8.0]])),
):
    for by, slope, right in zip(("z_e", "z_q"), slopes(term, z_e, z_q), expected):
        assert agrees(slope, right), f"{name} by {by}: expected {right}, got {shown(slope)}"
### BEGIN HIDDEN TESTS
for b, k in ((6, 4), (1, 5), (3, 1)):
    z_e = torch.tensor(draw.normal(size=(b, k)), requires_grad=True)
    z_q = torch.tensor(draw.normal(size=(b, k)), requires_grad=True)
    for term in vq_terms(z_e, z_q):
        by_z_e, by_z_q = slopes(term, z_e, z_q)
        probe(by_z_e=by_z_e, by_z_q=by_z_q)
### END HIDDEN TESTS

# %% [markdown] task="usage" minutes=7 difficulty=2
# ## 4. How much of the codebook is used?
#
# Let $p_j$ be the share of the tokens whose index is $j$. The *perplexity* is the number of entries that, used equally often,
# would have the same entropy:
#
# $$e^H, \qquad H = -\sum_{j=0}^{C-1} p_j \log p_j, \qquad \text{with } 0 \log 0 = 0 .$$
#
# It is 1 if all tokens share one entry, and $C$ if all entries are used equally often. An entry that no token uses is *dead*.
# Count those, too.
#
# <details><summary>Hint</summary>
#
# `torch.bincount` counts integers in a tensor with one axis. How long is its result if the last entries are dead? Look at its
# argument `minlength`. `torch.special.xlogy(p, p)` is $p \log p$ with $0 \log 0 = 0$.
#
# </details>


# %% solution="usage"
# Not allowed here: aelib, scipy, torch.distributions
def usage(indices: Tensor, num_codes: int) -> tuple[Tensor, int]:
    """How many entries of a codebook are in use.

    Args:
        indices: the codes of a batch, not empty, integers from 0 to num_codes - 1, any shape.
        num_codes: the number of entries in the codebook.

    Returns:
        perplexity: the exponential of the entropy of all indices together, shape ().
        dead: the number of entries that no token uses, an integer.
    """
    ### BEGIN SOLUTION
    counts = torch.bincount(indices.flatten(), minlength=num_codes)
    p = counts / counts.sum()
    entropy = -torch.special.xlogy(p, p).sum()
    return entropy.exp(), int((counts == 0).sum())
    ### END SOLUTION


# %% tests="usage-shape" points=0.25
# usage(indices, num_codes) returns two numbers, whatever the shape of the indices is.
for shape in ((6,), (3, 2)):
    pair = usage(torch.zeros(shape, dtype=torch.long), 4)
    assert is_pair(pair), "return two things: perplexity, dead"
    for name, value in zip(("perplexity", "dead"), pair):
        size = torch.as_tensor(value).numel()
        assert size == 1, f"{name}: expected one number, got {size}"
### BEGIN HIDDEN TESTS
for shape in ((6,), (3, 2), (1, 1), (2, 2, 3)):
    perplexity, dead = usage(torch.tensor(draw.integers(4, size=shape)), 4)
    probe(perplexity=torch.as_tensor(perplexity).reshape(()), dead=int(dead))
### CHECK perplexity: at_least(bound=0.999999)
### CHECK dead: non_negative()
### END HIDDEN TESTS

# %% tests="usage-perplexity" points=0.75
# All the same: 1. Four entries equally often: 4. The shares 1/2, 1/4, 1/4: the entropy is
# 1.5 log 2, so the perplexity is 2 to the power of 1.5, and dead entries do not change it.
for indices, expected in (
    ([3, 3, 3], 1.0),
    ([[0, 1], [2, 3]], 4.0),
    ([[0, 4, 0, 5]], 2**1.5),
):
    for num_codes in (6, 9):
        perplexity, _ = usage(torch.tensor(indices), num_codes)
        assert agrees(float(perplexity), expected), (
            f"{indices}, {num_codes} codes:"
            f" expected {expected:.4f}, got {float(perplexity):.4f}"
        )
### BEGIN HIDDEN TESTS
for shape, num_codes in (((40,), 5), ((30, 4), 16), ((5, 2), 32), ((1,), 1), ((2, 3, 4), 7)):
    indices = torch.tensor(np.minimum(draw.geometric(0.3, size=shape) - 1, num_codes - 1))
    probe(perplexity=float(usage(indices, num_codes)[0]))
### END HIDDEN TESTS

# %% tests="usage-dead" points=0.5
# Of six entries 1, 3 and 5 are dead if the indices are 0, 2, 2 and 4; of eight, two more.
for num_codes, expected in ((6, 3), (8, 5), (5, 2)):
    _, dead = usage(torch.tensor([[0, 2], [2, 4]]), num_codes)
    assert int(dead) == expected, f"{num_codes} codes: expected {expected} dead, got {dead}"
### BEGIN HIDDEN TESTS
for shape, num_codes in (((8,), 9), ((3, 4), 16), ((5, 2), 32), ((1,), 1), ((50, 2), 4)):
    indices = torch.tensor(draw.integers((num_codes + 1) // 2, size=shape))
    probe(dead=int(usage(indices, num_codes)[1]))
    probe(dead=int(usage(num_codes - 1 - indices, num_codes)[1]))
### END HIDDEN TESTS

# %% [markdown] task="ema_step" minutes=10 difficulty=3
# ## 5. A codebook of moving averages
#
# The best place for an entry is the mean of the tokens that chose it. Instead of a gradient step toward it one can keep moving
# averages over the batches: of how many tokens chose entry $j$, and of their sum. With $n_j$ tokens of this batch, of sum $S_j$,
# and a decay $\gamma$,
#
# $$N_j \leftarrow \gamma N_j + (1 - \gamma)\, n_j, \qquad m_j \leftarrow \gamma m_j + (1 - \gamma)\, S_j, \qquad
# e_j \leftarrow \frac{m_j}{N_j} .$$
#
# Before the step $m_j = N_j e_j$ holds. Where $N_j$ is zero after the step, there is no mean, and the entry stays where it was.
#
# <details><summary>Hint</summary>
#
# `F.one_hot(indices, C)` has shape (n, C), with a one in the column that the token chose. Its sum over the tokens is $n_j$, and
# its transpose times the tokens is $S_j$. `torch.where` picks one of two values for each entry.
#
# </details>


# %% solution="ema_step"
# Not allowed here: aelib
def ema_step(
    codebook: Tensor,
    counts: Tensor,
    sums: Tensor,
    tokens: Tensor,
    indices: Tensor,
    decay: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Move a codebook on by one batch; the tensors that are given stay as they are.

    Args:
        codebook: the entries e, shape (C, D).
        counts: the moving averages N of how many tokens chose each entry, shape (C,).
        sums: the moving averages m of the sums of these tokens, counts times codebook, (C, D).
        tokens: the tokens of the batch, shape (n, D).
        indices: the entry that each of them chose, shape (n,).
        decay: gamma, from 0 to 1, both included.

    Returns:
        The new codebook, counts and sums.
    """
    ### BEGIN SOLUTION
    chosen = F.one_hot(indices, len(codebook)).double()
    counts = decay * counts + (1 - decay) * chosen.sum(dim=0)
    sums = decay * sums + (1 - decay) * chosen.T @ tokens
    codebook = torch.where(counts[:, None] > 0, sums / counts[:, None], codebook)
    return codebook, counts, sums
    ### END SOLUTION


# %% tests="ema_step-shape" points=0.25
# ema_step(...) returns the new codebook, counts and sums, each of its old shape.
triple = ema_step(
    torch.ones(4, 3),
    torch.ones(4),
    torch.ones(4, 3),
    torch.ones(6, 3),
    torch.arange(6) % 4,
    0.9,
)
assert is_triple(triple), "return three tensors: codebook, counts, sums"
for name, value, shape in zip(("codebook", "counts", "sums"), triple, ((4, 3), (4,), (4, 3))):
    assert tuple(value.shape) == shape, (
        f"{name}: expected shape {shape}, got {tuple(value.shape)}"
    )
### BEGIN HIDDEN TESTS
for c, d, n in ((4, 3, 6), (1, 1, 1), (5, 2, 3)):
    codebook, tokens = (
        torch.tensor(draw.normal(size=(c, d))),
        torch.tensor(draw.normal(size=(n, d))),
    )
    counts, indices = torch.ones(c), torch.tensor(draw.integers(c, size=n))
    new = ema_step(codebook, counts, codebook.clone(), tokens, indices, 0.9)
    probe(codebook=new[0], counts=new[1], sums=new[2])
### CHECK codebook: shape()
### CHECK counts: shape()
### CHECK sums: shape()
### END HIDDEN TESTS

# %% tests="ema_step-averages" points=0.75
# Entry 0 with the count 2 lies at 1; three tokens at 5 choose it. With the decay 1/2 the count
# is (2 + 3) / 2, the sum (2 + 15) / 2, and the entry moves to 8.5 / 2.5 = 3.4.
given = torch.tensor([[1.0]]), torch.tensor([2.0]), torch.tensor([[2.0]])
chosen = torch.zeros(3, dtype=torch.long)
codebook, counts, sums = ema_step(*given, torch.full((3, 1), 5.0), chosen, 0.5)
assert agrees(counts, [2.5]), f"the count becomes 2.5, yours is {shown(counts)}"
assert agrees(sums, [[8.5]]), f"the sum becomes 8.5, yours is {shown(sums)}"
assert agrees(codebook, [[3.4]]), (
    f"the entry becomes 8.5 / 2.5 = 3.4, yours is {shown(codebook)}"
)
for name, value, old in zip(("codebook", "counts", "sums"), given, (1.0, 2.0, 2.0)):
    assert agrees(value.flatten(), [old]), f"you have changed the {name} that you were given"
### BEGIN HIDDEN TESTS
for c, d, n, decay in ((4, 3, 30, 0.9), (2, 1, 5, 0.5), (3, 5, 40, 0.99), (1, 2, 1, 0.25)):
    codebook, counts = (
        torch.tensor(draw.normal(size=(c, d))),
        torch.tensor(draw.uniform(0.2, 3, c)),
    )
    state = codebook, counts, counts[:, None] * codebook
    kept = [one.clone() for one in state]
    for _ in range(3):
        tokens = torch.tensor(draw.normal(size=(n, d)))
        indices = torch.tensor(np.concatenate([np.arange(c), draw.integers(c, size=n)])[:n])
        new = ema_step(*state, tokens, indices, decay)
        probe(left=all(torch.equal(a, b) for a, b in zip(state, kept)))
        probe(codebook=new[0], counts=new[1], sums=new[2])
        state = new
        kept = [one.clone() for one in state]
### END HIDDEN TESTS

# %% tests="ema_step-unused" points=0.5
# An entry that no token chose keeps its place, while its count and its sum fade.
codebook, counts, sums = ema_step(
    torch.tensor([[1.0], [7.0]]),
    torch.tensor([2.0, 4.0]),
    torch.tensor([[2.0], [28.0]]),
    torch.tensor([[5.0]]),
    torch.tensor([0]),
    0.5,
)
assert agrees(counts[1], 2.0), f"the count 4 fades to 2, yours is {shown(counts[1])}"
assert agrees(sums[1], [14.0]), f"the sum 28 fades to 14, yours is {shown(sums[1])}"
assert agrees(codebook[1], [7.0]), f"the entry stays at 7, yours is at {shown(codebook[1])}"
### BEGIN HIDDEN TESTS
for c, d, n, decay in ((5, 3, 2, 0.9), (12, 2, 4, 0.5), (3, 1, 1, 0.75)):
    codebook, counts = (
        torch.tensor(draw.normal(size=(c, d))),
        torch.tensor(draw.uniform(0.1, 3, c)),
    )
    tokens, indices = (
        torch.tensor(draw.normal(size=(n, d))),
        torch.tensor(draw.integers(c, size=n)),
    )
    new = ema_step(codebook, counts, counts[:, None] * codebook, tokens, indices, decay)
    probe(codebook=new[0], counts=new[1], sums=new[2])
### END HIDDEN TESTS

# %% tests="ema_step-extremes" points=0.5
# With the decay 0 only this batch counts: used entries become the means of their tokens, unused
# ones stay. With the decay 1 nothing changes.
given = torch.tensor([[1.0], [7.0]]), torch.tensor([2.0, 4.0]), torch.tensor([[2.0], [28.0]])
batch = torch.tensor([[5.0], [6.0]]), torch.tensor([0, 0])
codebook, counts, sums = ema_step(*given, *batch, 0.0)
assert agrees(codebook, [[5.5], [7.0]]), f"decay 0: expected 5.5 and 7, got {shown(codebook)}"
assert agrees(counts, [2.0, 0.0]), f"decay 0: expected counts 2 and 0, got {shown(counts)}"
for name, new, old in zip(("codebook", "counts", "sums"), ema_step(*given, *batch, 1.0), given):
    assert agrees(new, old), f"decay 1: the {name} stay, yours are {shown(new)}"
### BEGIN HIDDEN TESTS
for c, d, n in ((5, 3, 3), (8, 2, 4), (2, 1, 1)):
    for decay in (0.0, 1.0):
        codebook, counts = (
            torch.tensor(draw.normal(size=(c, d))),
            torch.tensor(draw.uniform(1, 3, c)),
        )
        counts[-1] = 0  # has faded to nothing long ago
        sums, tokens = counts[:, None] * codebook, torch.tensor(draw.normal(size=(n, d)))
        indices = torch.tensor(draw.integers(c - 1, size=n))
        new = ema_step(codebook, counts, sums, tokens, indices, decay)
        probe(codebook=new[0], counts=new[1], sums=new[2])
### END HIDDEN TESTS

# %% [markdown] task="kernels" minutes=4 difficulty=1
# ## 6. Two kernels
#
# Now to the second way: measure how far codes are from a prior. It needs a *kernel*, a number that says how alike two codes are,
# from the squared distance $r^2$ between them. Two are in use, both with a scale $s$ in units of the code: the Gaussian one, and
# the inverse multiquadratic one, whose tails are so heavy that codes far out still feel something:
#
# $$k_\text{RBF} = \exp\left( -\frac{r^2}{2 s^2} \right), \qquad k_\text{IMQ} = \frac{s^2}{s^2 + r^2} .$$
#
# <details><summary>Hint</summary>
#
# You are given $r^2$ and not $r$. Both kernels are 1 for $r = 0$.
#
# </details>


# %% solution="kernels"
# Not allowed here: aelib, sklearn
def kernels(squared: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """The Gaussian and the inverse multiquadratic kernel.

    Args:
        squared: squared distances, at least 0, of any shape.
        scale: s, more than 0.

    Returns:
        rbf: the Gaussian kernel of each distance, of the shape of squared.
        imq: the inverse multiquadratic kernel of each distance, of the shape of squared.
    """
    ### BEGIN SOLUTION
    rbf = torch.exp(-squared / (2 * scale**2))
    imq = scale**2 / (scale**2 + squared)
    return rbf, imq
    ### END SOLUTION


# %% tests="kernels-shape" points=0.25
# kernels(squared, scale) returns two tensors of the shape of squared: the Gaussian kernel, then
# the inverse multiquadratic one.
pair = kernels(torch.ones(4, 3), 1.0)
assert is_pair(pair), "return two tensors: rbf, imq"
for name, value in zip(("rbf", "imq"), pair):
    assert tuple(value.shape) == (4, 3), (
        f"{name}: expected shape (4, 3), got {tuple(value.shape)}"
    )
### BEGIN HIDDEN TESTS
for shape in ((4, 3), (), (2, 2, 5)):
    rbf, imq = kernels(torch.tensor(draw.gamma(2.0, size=shape)), 1.5)
    probe(rbf=rbf, imq=imq)
### CHECK rbf: shape()
### CHECK imq: shape()
### END HIDDEN TESTS

# %% tests="kernels-values" points=0.75
# Both are 1 for equal codes. At the distance 3 with the scale 3 they are exp(-1/2) and 1/2; at
# the distance 6, exp(-2) and 1/5.
rbf, imq = kernels(torch.tensor([0.0, 9.0, 36.0]), 3.0)
expected = torch.tensor([0.0, -0.5, -2.0]).exp()
assert agrees(rbf, expected), f"rbf: expected 1, exp(-1/2), exp(-2), got {shown(rbf)}"
assert agrees(imq, [1.0, 0.5, 0.2]), f"imq: expected 1, 1/2, 1/5, got {shown(imq)}"
### BEGIN HIDDEN TESTS
for shape in ((4, 5), (30,), (2, 3, 2)):
    for scale in (0.3, 1.0, 3.5, float(draw.uniform(4, 9))):
        rbf, imq = kernels(scale * torch.tensor(draw.gamma(2.0, size=shape)), scale)
        probe(rbf=rbf, imq=imq)
rbf, imq = kernels(torch.tensor([0.0, 1e4]), 1.3)
probe(rbf=rbf, imq=imq)
### END HIDDEN TESTS

# %% [markdown] task="mmd" minutes=9 difficulty=3
# ## 7. Maximum mean discrepancy
#
# If two samples come from one distribution, then pairs *within* the samples are on average as alike as pairs *across*. The
# difference is the squared maximum mean discrepancy. With $a_1, \dots, a_n$ and $b_1, \dots, b_m$ it is estimated by
#
# $$\frac{1}{n (n - 1)} \sum_{i \ne j} k(a_i, a_j) + \frac{1}{m (m - 1)} \sum_{i \ne j} k(b_i, b_j)
# - \frac{2}{n m} \sum_{i, j} k(a_i, b_j) .$$
#
# The first two sums leave out the pairs of a row with itself: such pairs are always alike, whatever the distributions are.
# Without them the estimate is unbiased, and the price of that is that it is sometimes below zero.
#
# Rows may coincide, as codes of equal examples do. The gradient must be a number then, too. (The square root has none at zero.)
#
# <details><summary>Hint</summary>
#
# With `(a[:, None] - b).square().sum(dim=2)` there is no square root anywhere. The pairs of a row with itself are the diagonal of
# an (n, n) tensor: subtract its sum, which `torch.trace` computes, and divide by what is left.
#
# </details>


# %% solution="mmd"
# Not allowed here: aelib, sklearn
def mmd(a: Tensor, b: Tensor, kernel) -> Tensor:
    """The unbiased estimate of the squared maximum mean discrepancy of two samples.

    Args:
        a: the first sample, shape (n, k), n at least 2.
        b: the second sample, shape (m, k), m at least 2.
        kernel: a function from a tensor of squared distances to one of the kernel's values, of
            the same shape.

    Returns:
        The estimate, shape ().
    """
    ### BEGIN SOLUTION

    def pairs(u, v):
        return kernel((u[:, None] - v).square().sum(dim=2))

    def within(u):
        values = pairs(u, u)
        return (values.sum() - values.trace()) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * pairs(a, b).mean()
    ### END SOLUTION


# %% tests="mmd-shape" points=0.25
# mmd(a, b, kernel) is one number, also for samples of different sizes.
value = mmd(torch.zeros(4, 3), torch.ones(6, 3), bell)
assert tuple(torch.as_tensor(value).shape) == (), (
    f"expected one number, got shape {tuple(torch.as_tensor(value).shape)}"
)
### BEGIN HIDDEN TESTS
for n, m, k in ((4, 6, 3), (2, 2, 1)):
    a, b = torch.tensor(draw.normal(size=(n, k))), torch.tensor(draw.normal(size=(m, k)))
    probe(numbers=torch.as_tensor(mmd(a, b, bell)).numel())
### END HIDDEN TESTS

# %% tests="mmd-values" points=0.75
# Take k = -r^2, and on the line 0 and 2 against 1, 1 and 4. Within: -4, and
# -(0 + 9 + 9) / 3 = -6. Across: -(1 + 1 + 16 + 1 + 1 + 4) / 6 = -4.
# Together -4 - 6 + 2 * 4 = -2.
line = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [1.0], [4.0]])
value = mmd(*line, lambda squared: -squared)
assert agrees(float(value), -2.0), f"expected -4 - 6 + 2 * 4 = -2, got {float(value):.4f}"
value = mmd(torch.zeros(3, 2), torch.full((4, 2), 100.0), bell)
assert agrees(float(value), 2.0), (
    "two heaps far apart: all pairs within are alike and none across,"
    f" expected 1 + 1 = 2, got {float(value):.4f}"
)
### BEGIN HIDDEN TESTS
for n, m, k in ((7, 4, 3), (2, 9, 1), (12, 2, 2), (5, 5, 6)):
    a = torch.tensor(draw.normal(size=(n, k)))
    b = torch.tensor(draw.normal(size=(m, k))) + 1.5
    kept = a.clone(), b.clone()
    probe(bell=float(mmd(a, b, bell)), other=float(mmd(a, b, lambda r2: 5 / (2 + r2))))
    probe(wide=float(mmd(a, b, lambda r2: 3 * (-r2 / 40).exp())))
    probe(left=torch.equal(a, kept[0]) and torch.equal(b, kept[1]))
### END HIDDEN TESTS

# %% tests="mmd-unbiased" points=0.5
# Pairs of a row with itself do not count, so the value may be below zero: for two equal samples
# of two rows at the distance r it is k(r) - k(0).
both = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
value = mmd(both, both.clone(), lambda squared: 2 / (1 + squared))
assert agrees(float(value), 2 / 26 - 2), f"expected 2 / 26 - 2, got {float(value):.4f}"
### BEGIN HIDDEN TESTS
for n, k in ((2, 3), (3, 1), (6, 2)):
    a = torch.tensor(draw.normal(size=(n, k)))
    probe(same=float(mmd(a, a.clone(), bell)))
estimates = [
    float(mmd(*torch.tensor(draw.normal(size=(2, 4, 2))), lambda r2: 4 / (4 + r2)))
    for _ in range(50)
]
probe(least=min(estimates), mean=sum(estimates) / 50)
### END HIDDEN TESTS

# %% tests="mmd-gradients" points=0.5
# The gradient tells codes where to go: one that is left of all draws is pulled to the right. It
# is a number also where rows coincide.
a = torch.tensor([[-3.0], [-3.0]], requires_grad=True)
(by_a,) = slopes(mmd(a, torch.tensor([[0.0], [0.5], [-3.0]]), bell), a)
assert not by_a.isnan().any(), f"the gradient has no value: {shown(by_a)}"
assert (by_a < 0).all(), f"a step against the gradient moves codes to the right: {shown(by_a)}"
### BEGIN HIDDEN TESTS
for n, m, k in ((6, 4, 3), (2, 5, 1), (4, 2, 2)):
    b = torch.tensor(draw.normal(size=(m, k)), requires_grad=True)
    a = torch.cat([torch.tensor(draw.normal(size=(n - 1, k))), b[:1].detach()])
    a = torch.cat([a, a[:1]]).requires_grad_()
    for kernel in (bell, lambda r2: 3 / (3 + r2)):
        by_a, by_b = slopes(mmd(a, b, kernel), a, b)
        probe(by_a=by_a, by_b=by_b)
### END HIDDEN TESTS

# %% [markdown] task="disc_loss" minutes=5 difficulty=2
# ## 8. The opponent's loss
#
# The third way trains a second network, the *discriminator*, to tell codes from draws from the prior. It returns a logit $a(z)$,
# and $D(z) = \operatorname{sigmoid}(a(z))$ is the probability that $z$ is a draw. Its loss is that of a classifier:
#
# $$L_D = -\mathbb{E}_p[\log D(z)] - \mathbb{E}_q[\log(1 - D(z))] ,$$
#
# with a mean over the draws and a mean over the codes, of which there may be different numbers. A discriminator that always says
# 1/2 pays $2 \log 2$. The loss must be right for a discriminator that is very sure, too: a code with the logit 1000 costs 1000.
#
# <details><summary>Hint</summary>
#
# `F.softplus(a)` is $\log(1 + e^a)$, without overflow. Write $-\log \operatorname{sigmoid}(a)$ and
# $-\log(1 - \operatorname{sigmoid}(a))$ with it.
#
# </details>


# %% solution="disc_loss"
# Not allowed here: aelib
def disc_loss(prior_logits: Tensor, code_logits: Tensor) -> Tensor:
    """What the discriminator minimizes, in nats.

    Args:
        prior_logits: its logits for draws from the prior, shape (n, 1).
        code_logits: its logits for codes, shape (m, 1).

    Returns:
        The loss, shape ().
    """
    ### BEGIN SOLUTION
    return F.softplus(-prior_logits).mean() + F.softplus(code_logits).mean()
    ### END SOLUTION


# %% tests="disc_loss-shape" points=0.25
# disc_loss(prior_logits, code_logits) is one number.
loss = disc_loss(torch.zeros(4, 1), torch.zeros(6, 1))
assert tuple(loss.shape) == (), f"expected one number, got shape {tuple(loss.shape)}"
### BEGIN HIDDEN TESTS
for n, m in ((4, 6), (1, 1)):
    a, b = torch.tensor(draw.normal(size=(n, 1))), torch.tensor(draw.normal(size=(m, 1)))
    probe(loss=disc_loss(a, b))
### CHECK loss: non_negative()
### END HIDDEN TESTS

# %% tests="disc_loss-values" points=0.75
# D = 1/2 everywhere costs 2 log 2. The logit log 3 is D = 3/4: right for a draw, which costs
# log(4/3), and wrong for a code, which costs log 4.
loss = disc_loss(torch.zeros(3, 1), torch.zeros(5, 1))
assert agrees(loss, 2 * math.log(2)), f"logits 0: expected 2 log 2, got {shown(loss)}"
three = torch.full((3, 1), math.log(3))
loss = disc_loss(three, torch.zeros(5, 1))
expected = math.log(4 / 3) + math.log(2)
assert agrees(loss, expected), (
    f"three draws with D = 3/4: expected {expected:.4f}, got {shown(loss)}"
)
loss = disc_loss(torch.zeros(5, 1), three)
expected = math.log(2) + math.log(4)
assert agrees(loss, expected), (
    f"three codes with D = 3/4: expected {expected:.4f}, got {shown(loss)}"
)
### BEGIN HIDDEN TESTS
for n, m in ((7, 4), (1, 5), (6, 1), (3, 30)):
    prior_logits = torch.tensor(draw.normal(1, 2, size=(n, 1)))
    probe(loss=disc_loss(prior_logits, torch.tensor(draw.normal(-0.5, 2, size=(m, 1)))))
### END HIDDEN TESTS

# %% tests="disc_loss-extreme" points=0.5
# A sure answer costs nothing if it is right, and the size of its logit if it is wrong. The
# gradients are numbers.
a, b = (
    torch.full((2, 1), -1000.0, requires_grad=True),
    torch.full((4, 1), 800.0, requires_grad=True),
)
loss = disc_loss(a, b)
assert agrees(loss, 1800.0), f"sure and wrong: expected 1000 + 800, got {shown(loss)}"
by_a, by_b = slopes(loss, a, b)
assert agrees(by_a, torch.full((2, 1), -0.5)), f"by a draw's logit: -1/2, got {shown(by_a)}"
assert agrees(by_b, torch.full((4, 1), 0.25)), f"by a code's logit: 1/4, got {shown(by_b)}"
assert agrees(disc_loss(-a, -b), 0.0), "sure and right: expected 0"
### BEGIN HIDDEN TESTS
for n, m, size in ((5, 3, 1000), (2, 6, 150), (4, 4, 3)):
    a = torch.tensor(draw.uniform(-size, size, size=(n, 1)), requires_grad=True)
    b = torch.tensor(draw.uniform(-size, size, size=(m, 1)), requires_grad=True)
    total = disc_loss(a, b)
    by_a, by_b = slopes(total, a, b)
    probe(loss=total, by_a=by_a, by_b=by_b)
### END HIDDEN TESTS

# %% [markdown] task="encoder_loss" minutes=6 difficulty=3
# ## 9. Two ways to answer
#
# The encoder works against the discriminator, and it has two ways. It can ask to be taken for the prior, the *non-saturating*
# loss, or minimize what the discriminator maximizes, the *saturating* one:
#
# $$-\mathbb{E}_q[\log D(z)] \qquad \text{or} \qquad \mathbb{E}_q[\log(1 - D(z))] .$$
#
# Both fall as $D$ rises. They pull with different strength, $1 - D$ and $D$: where the discriminator is sure that $z$ is a code,
# $D \approx 0$, the second has hardly any slope left. Both must be right for logits such as $\pm 1000$.
#
# <details><summary>Hint</summary>
#
# $-\log \operatorname{sigmoid}(a)$ is `F.softplus(-a)`, and $\log(1 - \operatorname{sigmoid}(a))$ is `-F.softplus(a)`.
#
# </details>


# %% solution="encoder_loss"
# Not allowed here: aelib
def encoder_loss(code_logits: Tensor, saturating: bool = False) -> Tensor:
    """What the encoder minimizes to mislead the discriminator, in nats.

    Args:
        code_logits: the discriminator's logits for codes, shape (m, 1).
        saturating: whether it is the mean of log(1 - D); else it is that of -log D.

    Returns:
        The loss, shape ().
    """
    ### BEGIN SOLUTION
    if saturating:
        return -F.softplus(code_logits).mean()
    return F.softplus(-code_logits).mean()
    ### END SOLUTION


# %% tests="encoder_loss-shape" points=0.25
# encoder_loss(code_logits, saturating) is one number; without the second argument it is the
# non-saturating loss.
for arguments in ((), (False,), (True,)):
    loss = encoder_loss(torch.zeros(4, 1), *arguments)
    assert tuple(loss.shape) == (), f"expected one number, got shape {tuple(loss.shape)}"
assert encoder_loss(torch.zeros(4, 1)) > 0, "without the argument, the non-saturating loss"
### BEGIN HIDDEN TESTS
for m in (4, 1):
    logits = torch.tensor(draw.normal(size=(m, 1)))
    probe(positive=encoder_loss(logits), negative=-encoder_loss(logits, True))
### CHECK positive: non_negative()
### CHECK negative: non_negative()
### END HIDDEN TESTS

# %% tests="encoder_loss-values" points=0.5
# The logit log 3 is D = 3/4. The first loss is -log(3/4) there, the second log(1/4).
for saturating, expected in ((False, -math.log(3 / 4)), (True, math.log(1 / 4))):
    loss = encoder_loss(torch.full((2, 1), math.log(3)), saturating)
    assert agrees(loss, expected), (
        f"saturating={saturating}: expected {expected:.4f}, got {shown(loss)}"
    )
### BEGIN HIDDEN TESTS
for m in (7, 1, 30):
    for saturating in (False, True):
        probe(loss=encoder_loss(torch.tensor(draw.normal(size=(m, 1), scale=2)), saturating))
### END HIDDEN TESTS

# %% tests="encoder_loss-pull" points=0.75
# Two codes. The slope by a logit is -(1 - D) / 2, or -D / 2 for the saturating loss: for a code
# that is surely found out, -1/2 and 0.
for saturating, expected in ((False, [[-0.5], [-0.25]]), (True, [[0.0], [-0.25]])):
    logits = torch.tensor([[-1000.0], [0.0]], requires_grad=True)
    loss = encoder_loss(logits, saturating)
    (slope,) = slopes(loss, logits)
    assert loss.isfinite(), f"saturating={saturating}: the loss is {loss}"
    assert agrees(slope, expected), f"saturating={saturating}: the slopes are {shown(slope)}"
### BEGIN HIDDEN TESTS
for m, size in ((5, 1000), (3, 100), (1, 3), (6, 2)):
    for saturating in (False, True):
        logits = torch.tensor(draw.uniform(-size, size, size=(m, 1)), requires_grad=True)
        value = encoder_loss(logits, saturating)
        probe(loss=value, slope=slopes(value, logits)[0])
### END HIDDEN TESTS

# %% [markdown] task="adversarial_step" minutes=16 difficulty=4
# ## 10. One round of the game
#
# An adversarial autoencoder is trained in rounds of two phases, each with an optimizer of its own.
#
# 1. *The discriminator's phase.* Encode the batch, $z = f(x)$. Compute $L_D$ of task 8 for the given draws from the prior and
#    these codes, and take a step with `disc_optimizer`. No gradient may get to the encoder in this phase: it would learn to be
#    found out. Cut the codes off from it.
# 2. *The autoencoder's phase.* Ask the discriminator *as it is now*, after its step, about the codes, and take a step with
#    `ae_optimizer` on
#
# $$\frac1B \sum_{n=1}^B \lVert x_n - \hat x_n \rVert^2 + w\, \frac1B \sum_{n=1}^B -\log D(z_n), \qquad \hat x = g(z) .$$
#
#    Here the gradient must get *through* the discriminator to the encoder. The discriminator itself does not move.
#
# Gradients that are left over from before must not count, in either phase.
#
# <details><summary>Hint</summary>
#
# Encode once; use `z.detach()` in the first phase and `z` in the second. In each phase: loss, `zero_grad()` of the phase's
# optimizer, `backward()`, `step()`. The second phase leaves gradients in the discriminator; they are cleared at the next round.
#
# </details>


# %% solution="adversarial_step"
# Not allowed here: aelib
def adversarial_step(
    encoder,
    decoder,
    critic,
    ae_optimizer,
    disc_optimizer,
    x: Tensor,
    z_prior: Tensor,
    weight: float,
) -> tuple[float, float, float]:
    """Train the discriminator, then the autoencoder, by one step each.

    Args:
        encoder: a function from (B, d) to codes (B, k).
        decoder: a function from codes (B, k) to reconstructions (B, d).
        critic: the discriminator, a function from (B, k) to logits (B, 1).
        ae_optimizer: the optimizer of the encoder and the decoder.
        disc_optimizer: the optimizer of the discriminator.
        x: the batch, shape (B, d).
        z_prior: draws from the prior, shape (B, k).
        weight: w, the weight of -log D against the reconstruction.

    Returns:
        disc: the discriminator's loss before its step, a float.
        recon: the mean squared distance of x and its reconstruction before the autoencoder's
            step, a float.
        adv: the mean of -log D before the autoencoder's step, without the weight, a float.
    """
    ### BEGIN SOLUTION
    z = encoder(x)
    disc = F.softplus(-critic(z_prior)).mean() + F.softplus(critic(z.detach())).mean()
    disc_optimizer.zero_grad()
    disc.backward()
    disc_optimizer.step()

    recon = (x - decoder(z)).square().sum(dim=1).mean()
    adv = F.softplus(-critic(z)).mean()
    ae_optimizer.zero_grad()
    (recon + weight * adv).backward()
    ae_optimizer.step()
    return disc.item(), recon.item(), adv.item()
    ### END SOLUTION


# %% tests="adversarial_step-shape" points=0.25
# adversarial_step(...) returns three floats, and the weights of all three networks change.
models = networks(0, d=4, k=2)
before = [weights_of(model) for model in models]
ae = torch.optim.SGD(parameters_of(*models[:2]), lr=0.1)
disc = torch.optim.SGD(parameters_of(models[2]), lr=0.1)
triple = adversarial_step(*models, ae, disc, torch.ones(5, 4), torch.zeros(5, 2), 1.0)
assert is_triple(triple), "return three numbers: disc, recon, adv"
for name, value in zip(("disc", "recon", "adv"), triple):
    assert isinstance(value, float), f"{name}: expected a float, such as that of .item()"
for name, model, old in zip(("encoder", "decoder", "discriminator"), models, before):
    assert not torch.equal(weights_of(model), old), (
        f"the weights of the {name} have not changed"
    )
### BEGIN HIDDEN TESTS
for b, d, k in ((5, 4, 2), (1, 1, 1)):
    models = networks(int(draw.integers(2**31)), d, k)
    kept = weights_of(*models)
    ae = torch.optim.SGD(parameters_of(*models[:2]), lr=0.125)
    disc = torch.optim.SGD(parameters_of(models[2]), lr=0.25)
    x, z_prior = torch.tensor(draw.normal(size=(b, d))), torch.tensor(draw.normal(size=(b, k)))
    found = adversarial_step(*models, ae, disc, x, z_prior, 1.0)
    probe(floats=[isinstance(value, float) for value in found])
    probe(changed=[not torch.equal(weights_of(*models), kept)])
### END HIDDEN TESTS

# %% tests="adversarial_step-losses" points=0.75
# A discriminator with logit z, codes that are all 2, draws that are all 1, and step sizes 0:
# disc is log(1 + e^-1) + log(1 + e^2) and adv is log(1 + e^-2). The decoder returns zeros, so
# recon is the mean of the squared lengths of x.
encoder, decoder, critic = nn.Linear(2, 1), nn.Linear(1, 2), nn.Linear(1, 1)
for parameter in parameters_of(encoder, decoder, critic):
    nn.init.zeros_(parameter)
encoder.bias.data, critic.weight.data = torch.tensor([2.0]), torch.tensor([[1.0]])
ae = torch.optim.SGD(parameters_of(encoder, decoder), lr=0.0)
disc = torch.optim.SGD(parameters_of(critic), lr=0.0)
x = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
found = adversarial_step(encoder, decoder, critic, ae, disc, x, torch.ones(2, 1), 5.0)
expected = (
    math.log1p(math.exp(-1)) + math.log1p(math.exp(2)),
    (25 + 1) / 2,
    math.log1p(math.exp(-2)),
)
for name, value, right in zip(("disc", "recon", "adv"), found, expected):
    assert agrees(value, right), f"{name}: expected {right:.4f}, got {value:.4f}"
### BEGIN HIDDEN TESTS
for b, d, k, weight in ((6, 4, 2, 1.0), (1, 3, 1, 0.5), (8, 2, 3, 10.0)):
    models = networks(int(draw.integers(2**31)), d, k)
    ae = torch.optim.SGD(parameters_of(*models[:2]), lr=0.125)
    disc = torch.optim.SGD(parameters_of(models[2]), lr=0.5)
    x, z_prior = torch.tensor(draw.normal(size=(b, d))), torch.tensor(draw.normal(size=(b, k)))
    disc_value, recon, adv = adversarial_step(*models, ae, disc, x, z_prior, weight)
    probe(disc=float(disc_value), recon=float(recon), adv=float(adv))
### END HIDDEN TESTS

# %% tests="adversarial_step-phases" points=1
# No gradient gets to the encoder in the discriminator's phase. Here disc_optimizer holds all
# parameters by mistake, and the autoencoder's step size is 0: only the discriminator moves.
models = networks(0, d=4, k=2)
before = [weights_of(model) for model in models]
ae = torch.optim.SGD(parameters_of(*models[:2]), lr=0.0)
disc = torch.optim.SGD(parameters_of(*models), lr=0.1)
adversarial_step(*models, ae, disc, torch.ones(5, 4), torch.zeros(5, 2), 1.0)
for name, model, old in zip(("encoder", "decoder"), models, before):
    assert torch.equal(weights_of(model), old), f"the discriminator's phase moved the {name}"
assert not torch.equal(weights_of(models[2]), before[2]), "the discriminator has not moved"
# With the discriminator's step size 0 only the autoencoder moves, also by the pull alone.
before = [weights_of(model) for model in models]
ae = torch.optim.SGD(parameters_of(*models[:2]), lr=0.1)
disc = torch.optim.SGD(parameters_of(models[2]), lr=0.0)
adversarial_step(*models, ae, disc, torch.ones(5, 4), torch.zeros(5, 2), 1.0)
assert torch.equal(weights_of(models[2]), before[2]), (
    "the autoencoder's phase moved the discriminator"
)
assert not torch.equal(weights_of(models[0]), before[0]), "the encoder has not moved"
### BEGIN HIDDEN TESTS
for b, d, k in ((5, 4, 2), (1, 3, 1), (7, 2, 2)):
    for ae_rate, disc_rate in ((0.0, 0.3), (0.1, 0.0)):
        models = networks(int(draw.integers(2**31)), d, k)
        kept = [weights_of(one) for one in models]
        ae = torch.optim.SGD(parameters_of(*models[:2]), lr=ae_rate)
        disc = torch.optim.SGD(parameters_of(*models), lr=disc_rate)
        x, z_prior = (
            torch.tensor(draw.normal(size=(b, d))),
            torch.tensor(draw.normal(size=(b, k))),
        )
        adversarial_step(*models, ae, disc, x, z_prior, 3.0)
        moved = [weights_of(model) - old for model, old in zip(models, kept)]
        probe(encoder=moved[0], decoder=moved[1], critic=moved[2])
### END HIDDEN TESTS

# %% tests="adversarial_step-weights" points=0.75
# One code z = 0, one draw 1, logit psi z + c with psi = 1, c = 0, step sizes 1, weight 2. The
# slopes of the draw's loss log(1 + e^-1) and of the code's loss log 2 move psi to 1.27 and c
# to -0.23. Then D(0) is asked anew, and the encoder's bias moves by 2 (1 - D) psi. Old
# gradients do not count.
encoder, decoder, critic = nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1)
for parameter in parameters_of(encoder, decoder, critic):
    nn.init.zeros_(parameter)
    parameter.grad = torch.full_like(parameter, 100.0)  # left over from something else
critic.weight.data = torch.ones(1, 1)
ae = torch.optim.SGD(parameters_of(encoder, decoder), lr=1.0)
disc = torch.optim.SGD(parameters_of(critic), lr=1.0)
adversarial_step(encoder, decoder, critic, ae, disc, torch.zeros(1, 1), torch.ones(1, 1), 2.0)
psi = 1 + 1 / (1 + math.e)  # the draw's logit is 1
c = 1 / (1 + math.e) - 0.5
assert agrees(critic.weight, [[psi]]), f"psi: expected {psi:.4f}, got {shown(critic.weight)}"
assert agrees(critic.bias, [c]), f"c: expected {c:.4f}, got {shown(critic.bias)}"
bias = 2 * psi / (1 + math.exp(c))
assert agrees(encoder.bias, [bias]), (
    f"the encoder's bias: expected {bias:.4f}, got {shown(encoder.bias)}"
)
### BEGIN HIDDEN TESTS
for b, d, k, weight in ((6, 4, 2, 1.0), (1, 3, 1, 0.5), (8, 2, 3, 5.0), (4, 5, 2, 0.0)):
    models = networks(int(draw.integers(2**31)), d, k)
    ae = torch.optim.SGD(parameters_of(*models[:2]), lr=0.05)
    disc = torch.optim.SGD(parameters_of(models[2]), lr=0.5)
    for parameter in parameters_of(*models):
        parameter.grad = torch.full_like(parameter, 10.0)
    for _ in range(3):
        x, z_prior = (
            torch.tensor(draw.normal(size=(b, d))),
            torch.tensor(draw.normal(size=(b, k))),
        )
        adversarial_step(*models, ae, disc, x, z_prior, weight)
        probe(encoder=weights_of(models[0]), decoder=weights_of(models[1]))
        probe(critic=weights_of(models[2]))
### END HIDDEN TESTS

# %% tests="adversarial_step-learns" points=0.75
# Examples near a plane that misses the origin, codes of two values, the prior N(0, I): 40
# rounds bring the mean of the codes near 0 and their variances near 1. (With betas=(0.5, 0.999)
# Adam forgets old gradients sooner, which calms the game.)
x, generator = sheet(0, 100), torch.Generator().manual_seed(1)
models = networks(2, d=4, k=2)
ae = torch.optim.Adam(parameters_of(*models[:2]), lr=0.08, betas=(0.5, 0.999))
disc = torch.optim.Adam(parameters_of(models[2]), lr=0.15, betas=(0.5, 0.999))
for _ in range(40):
    z_prior = torch.randn(100, 2, generator=generator)
    adversarial_step(*models, ae, disc, x, z_prior, 4.0)
z = models[0](x).detach()
assert z.mean(dim=0).norm() < 0.8, f"the mean of the codes is {shown(z.mean(dim=0))}"
assert 0.5 < z.var(dim=0).mean() < 2, f"the variances of the codes are {shown(z.var(dim=0))}"
### BEGIN HIDDEN TESTS
both = sheet(int(draw.integers(2**31)), 400)
known, new = both[:100], both[100:]
generator = torch.Generator().manual_seed(int(draw.integers(2**31)))
models = networks(int(draw.integers(2**31)), 4, 2)
ae = torch.optim.Adam(parameters_of(*models[:2]), lr=0.08, betas=(0.5, 0.999))
disc = torch.optim.Adam(parameters_of(models[2]), lr=0.15, betas=(0.5, 0.999))
for done in range(1, 41):
    z_prior = torch.randn(100, 2, generator=generator)
    adversarial_step(*models, ae, disc, known, z_prior, 4.0)
    if done % 20 == 0:  # on the way, too: at the end some slips are made up for
        z = models[0](new).detach()
        mean, error = z.mean(dim=0), (models[1](z) - new).square().sum(dim=1).mean()
        covariance = (z - mean).T @ (z - mean) / 300
        mismatch = mean.square().sum() + (covariance - torch.eye(2)).square().sum()
        probe(recon=error, mismatch=mismatch)
### CHECK recon: at_most(bound=0.02, times=1.2)
### CHECK mismatch: at_most(bound=0.2, times=1.2)
### END HIDDEN TESTS

# %% [markdown] locked="together"
# ## Put it together
#
# Here are your functions at work on 8 by 8 digits. First a VQ-VAE: each digit becomes four tokens of two values from a codebook
# of 16 entries, which is 16 bits. Then an adversarial autoencoder, whose codes of two values are to follow $\mathcal N(0, I)$;
# the discrepancy, which took no part in the game, is the judge. This part is worth no points; change it as you like.

# %%
train_set, test_set = data.digits().split(297, seed=0)
x, x_test = (part.flat().double() for part in (train_set, test_set))


def new_networks(width: int) -> tuple[nn.Module, nn.Module]:
    """An encoder from 64 pixels to a code of some width, and a decoder back."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, width))
    return encoder, nn.Sequential(nn.Linear(width, 64), nn.SiLU(), nn.Linear(64, 64))


generator = torch.Generator().manual_seed(0)
encoder, decoder = new_networks(8)
adam = torch.optim.Adam(parameters_of(encoder, decoder), lr=4e-3)
tokens = encoder(x).detach().reshape(-1, 2)
codebook = tokens[torch.randperm(len(tokens), generator=generator)[:16]]  # start at some tokens
counts, sums = torch.ones(16), codebook.clone()
for _ in range(25):
    for rows in torch.randperm(len(x), generator=generator).split(100):
        z_e = encoder(x[rows])
        tokens = z_e.detach().reshape(-1, 2)
        indices = nearest(tokens, codebook)
        z_q = codebook[indices].reshape(z_e.shape)
        commitment, _ = vq_terms(z_e, z_q)  # the entries move by their averages
        x_hat = decoder(straight_through(z_e, z_q))
        loss = (x[rows] - x_hat).square().sum(dim=1).mean() + 0.25 * commitment
        adam.zero_grad()
        loss.backward()
        adam.step()
        codebook, counts, sums = ema_step(codebook, counts, sums, tokens, indices, 0.95)

with torch.no_grad():
    z_e = encoder(x_test)
    indices = nearest(z_e.reshape(-1, 2), codebook)
    pictures = decoder(codebook[indices].reshape(z_e.shape))
    error = (x_test - pictures).square().sum(dim=1).mean()
perplexity, dead = usage(indices, 16)
print(f"VQ-VAE, 16 bits: squared error of a test digit {error:.2f}")
print(f"perplexity of the 16 entries {perplexity:.1f}, dead {dead}")


def of_test_digits(encoder: nn.Module, decoder: nn.Module) -> tuple[float, float]:
    """The squared error, and the discrepancy of the codes from draws from the prior."""
    draws = torch.randn(1000, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        z = encoder(x_test)
        error = (x_test - decoder(z)).square().sum(dim=1).mean()
        return float(error), float(mmd(z, draws, lambda squared: kernels(squared, 2.0)[1]))


codes = {}
for name, weight in (("without a pull", 0.0), ("with weight 1", 1.0)):
    generator.manual_seed(0)
    encoder, decoder = new_networks(2)
    critic = nn.Sequential(nn.Linear(2, 64), nn.SiLU(), nn.Linear(64, 1))
    ae = torch.optim.Adam(parameters_of(encoder, decoder), lr=4e-3)
    disc = torch.optim.Adam(critic.parameters(), lr=1e-2)
    for _ in range(30):
        for rows in torch.randperm(len(x), generator=generator).split(100):
            z_prior = torch.randn(len(rows), 2, generator=generator)
            adversarial_step(encoder, decoder, critic, ae, disc, x[rows], z_prior, weight)
    codes[name] = encoder(x_test).detach()
    error, discrepancy = of_test_digits(encoder, decoder)
    print(f"adversarial, {name}: squared error {error:.2f}, discrepancy {discrepancy:.4f}")
    logits = (
        critic(codes[name]).detach(),
        critic(torch.randn(297, 2, generator=generator)).detach(),
    )
    players = disc_loss(*logits[::-1]), encoder_loss(logits[0])
    print(f"  losses of the players: {players[0]:.2f} and {players[1]:.2f}")

viz.use_style()
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.0, 2.9), width_ratios=(1.4, 1, 1))
grid = torch.cat([x_test[:10], pictures[:10]]).reshape(-1, 1, 8, 8).float().clamp(0, 1)
viz.image_grid(left, grid, columns=10)
left.set_title("Ten digits, and from 16 bits each")
for ax, (name, z) in zip((middle, right), codes.items()):
    viz.codes.class_scatter(ax, z, test_set.labels["digit"], "0123456789", size=10)
    ax.add_patch(plt.Circle((0, 0), 2, fill=False, color="black", linewidth=1.5))
    ax.set(title=f"Codes {name}", aspect="equal", xlim=(-4, 4), ylim=(-4, 4))
plt.show()

# %% [markdown] locked="games"
# ## Three games
#
# The next cell plays three games on the line. The prior is $\mathcal N(0, 1)$; the codes are $z = m + s u$ with $u$ from
# $\mathcal N(0, 1)$ and a fixed $s$, and the encoder controls $m$ alone, which starts at 6. The discriminator has the logit
# $a(z) = \psi z + c$, and is trained by itself before the encoder begins to move. Games 1 and 2 have $s = 1$ and the two losses
# of task 9; game 3 has $s = 3$ and the first of them. Below, D's loss is that of task 8, and the discrepancy is that of task 7,
# for a Gaussian kernel with scale 1.

# %% locked="games-played"
import aelib.losses


def play(saturating: bool, s: float) -> None:
    """Play one game on the line, and print where it stands after 0, 100 and 500 rounds."""
    generator = torch.Generator().manual_seed(0)
    draws, u = torch.randn(2, 1000, generator=generator)
    draws, u = ((one - one.mean()) / one.std(correction=0) for one in (draws, u))
    m, line = torch.tensor(6.0, requires_grad=True), torch.zeros(2, requires_grad=True)
    sgd, adam = torch.optim.SGD([m], lr=0.1), torch.optim.Adam([line], lr=0.05)
    for round_ in range(-300, 501):
        z = m + s * u
        on_draws, on_codes = line[0] * draws + line[1], line[0] * z.detach() + line[1]
        loss = F.softplus(-on_draws).mean() + F.softplus(on_codes).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        if round_ in (0, 100, 500):
            both = z.detach()[:, None], draws[:, None]
            apart = aelib.losses.mmd(*both, lambda r2: aelib.losses.rbf_kernel(r2, 1.0))
            print(f"{round_:7d} {m:8.2f} {loss:10.3f} {apart:12.3f}")
        if round_ >= 0:
            a = line[0] * z + line[1]
            pull = -F.softplus(a).mean() if saturating else F.softplus(-a).mean()
            sgd.zero_grad()
            pull.backward()
            sgd.step()


for title, saturating, s in (
    ("1: -log D, s = 1", False, 1.0),
    ("2: log(1 - D), s = 1", True, 1.0),
    ("3: -log D, s = 3", False, 3.0),
):
    print(f"game {title}\n  round        m   D's loss  discrepancy")
    play(saturating, s)

# %% [markdown] task="games" minutes=12 difficulty=3
# ## 11. Reading the games
#
# In six to ten sentences or formulas:
#
# 1. Show that a step against the gradient of either loss moves a code along $\nabla a$, with the factor $1 - D$ in game 1 and $D$
#    in game 2. What are the two factors at $z = m = 6$ for the *best* discriminator of $\mathcal N(0, 1)$ and $\mathcal N(6, 1)$?
#    Use this to explain why game 2 lags behind.
# 2. A classmate forgets `detach` in the discriminator's phase. When does that do no harm? Now let the discriminator's optimizer
#    hold $m$ as well, with the step size of the encoder's. What do the two phases of a round move a code by in games 1 and 2, in
#    all, if you take $D$ and $\nabla a$ to be the same in both?
# 3. D's loss ends at the same value in games 1 and 3. Which value is it, and why has only one of the two been won? Why does the
#    discriminator not see it, and which change to the discriminator's logit would let it?

# %% [markdown] answer="games-read" points=2.5
# 1. $\frac{d}{da} \log \operatorname{sigmoid}(a) = 1 - D$ and $\frac{d}{da} \log(1 - \operatorname{sigmoid}(a)) = -D$. So
# $-\nabla_z (-\log D) = (1 - D) \nabla a$ and $-\nabla_z \log(1 - D) = D\, \nabla a$. The best logit is
# $\log p(z) - \log q(z) = \frac12 (z - 6)^2 - \frac12 z^2 = 18 - 6 z$, which is $-18$ at $z = 6$: $D = 1 / (1 + e^{18})$, about
# $1.5 \cdot 10^{-8}$. The factor is almost 1 in game 1 and almost 0 in game 2. The slope $\nabla a = \psi < 0$ points the right
# way in both, but in game 2 only the few codes near the border, where $D$ is not small, are pulled at all.
# 2. The forgotten `detach` does no harm if the discriminator's optimizer holds its own parameters alone and the encoder's
# gradients are cleared before the second phase: the encoder's gradient of $L_D$ is computed and thrown away. With $m$ in that
# optimizer, $L_D$ moves a code against the gradient of $-\log(1 - D)$, that is by $-\eta D\, \nabla a$: away from the prior. In
# all a code moves by $\eta\, (1 - D - D) \nabla a = \eta\, (1 - 2 D) \nabla a$ in game 1, which pushes away those codes that
# are taken for draws, and by $\eta\, (D - D) \nabla a = 0$ in game 2: nothing moves at all.
# 3. It is $2 \log 2 \approx 1.386$, that of $D = \frac12$ everywhere. In game 1 the codes follow the prior, and the discrepancy
# is about 0. In game 3 they are three times too wide, and the discrepancy stays at 0.2. A logit $\psi z + c$ can compare the
# means alone: with equal means its loss, which is convex, is smallest at $\psi = c = 0$, whatever the shapes are. $2 \log 2$ says
# that *this* discriminator sees no difference, and not that there is none. A logit with a term in $z^2$ sees the variances too
# (the best one is quadratic); so does a network with hidden layers. To win, the encoder would have to control $s$ as well.
#
# **Rubric** (1, half, and 1 point)
#
# - Both factors derived, and their values or sizes at $z = 6$ (1 point). Half a point if the derivation is missing, or if $D$
#   at 6 is not computed from the best discriminator.
# - When it is harmless, and both sums, $(1 - 2 D)$ and 0, up to the step size (half a point). A quarter for one of the two parts.
# - $2 \log 2$ belongs to a discriminator that sees no difference; an affine logit compares means alone; a logit with $z^2$ or
#   hidden layers (1 point). Half a point if it is only said that the loss does not tell, without the reason.
