"""The assignment that the corpus is about: three tasks in torch, worth 6 points."""

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

from autograder import bank, notebooks, source
from autograder.release import release

NAME = "torch"
FULL = 6.0
CANARY = "the-gradebook-and-other-students"
"""What stands in every file and variable that no submission may see."""

SOURCE = '''\
# %% [markdown] locked="intro"
# # Corpus
#
# {points} points, {minutes} minutes.

# %% locked="setup"
import numpy as np
import torch

torch.set_default_dtype(torch.float64)

# %% [markdown] task="center" minutes=2 difficulty=1
# ## 1. Center the data

# %% solution="center"
def center(x):
    """Subtract from each column its mean."""
    ### BEGIN SOLUTION
    column_means = x.mean(dim=0)
    return x - column_means
    ### END SOLUTION

# %% tests="center-values" points=2
# Columns have mean zero.
assert abs(float(center(torch.tensor([[1.0], [3.0]])).sum())) < 1e-6, "the mean is not zero"
### BEGIN HIDDEN TESTS
for rows in (5, 1):
    unseen_points = torch.tensor(draw.normal(size=(rows, 3)))
    probe(x_c=center(unseen_points))
### END HIDDEN TESTS

# %% [markdown] task="kl" minutes=2 difficulty=2
# ## 2. The divergence of two Gaussians

# %% solution="kl"
def gaussian_kl(mu, logvar):
    """KL of N(mu, exp(logvar)) from N(0, 1), summed over the last axis."""
    ### BEGIN SOLUTION
    each_dimension = mu**2 + logvar.exp() - 1 - logvar
    return each_dimension.sum(dim=-1) / 2
    ### END SOLUTION

# %% tests="kl-zero" points=1
# It is zero where both are the same.
assert abs(float(gaussian_kl(torch.zeros(3), torch.zeros(3)))) < 1e-6, "it is not zero"
### BEGIN HIDDEN TESTS
for unseen_shift in (0.0, draw.normal()):
    probe(kl=gaussian_kl(torch.full((2, 4), unseen_shift), torch.zeros(2, 4)))
### END HIDDEN TESTS

# %% tests="kl-values" points=1
# For mu = 1 it is one half.
assert abs(float(gaussian_kl(torch.ones(1), torch.zeros(1))) - 0.5) < 1e-6, "it is not 1/2"
### BEGIN HIDDEN TESTS
for size in ((7, 2), (1, 5)):
    unseen_mu, unseen_logvar = (torch.tensor(draw.normal(size=size)) for _ in range(2))
    probe(kl=gaussian_kl(unseen_mu, unseen_logvar))
### CHECK kl: close(rtol=1e-5)
### CHECK kl: non_negative()
### END HIDDEN TESTS

# %% [markdown] task="direction" minutes=3 difficulty=3
# ## 3. The principal direction

# %% solution="direction"
def direction(S):
    """The unit eigenvector of the largest eigenvalue of S, of either sign."""
    ### BEGIN SOLUTION
    return torch.linalg.eigh(S).eigenvectors[:, -1]
    ### END SOLUTION

# %% tests="direction-line" points=2
# It has length 1.
assert abs(float(direction(torch.eye(2)).norm()) - 1) < 1e-6, "its length is not 1"
### BEGIN HIDDEN TESTS
for size in (4, 6):
    unseen_factor = torch.tensor(draw.normal(size=(20, size)))
    probe(w=direction(unseen_factor.T @ unseen_factor))
### CHECK w: up_to_sign()
### END HIDDEN TESTS
'''

WRONG = {
    "center": "def center(x):\n    return 0 * x",
    "kl": "def gaussian_kl(mu, logvar):\n    return mu.sum(dim=-1) - 1e9",
    "direction": "def direction(S):\n    return torch.full((len(S),), len(S) ** -0.5)",
}
"""Answers that earn nothing, whatever the secret is; only the second earns less than nothing at home."""


@dataclass(frozen=True)
class Material:
    """What a submission is made of.

    Attributes:
        master: the source notebook.
        released: the notebook that students get.
        right: the model's answers.
        course: the folder of the course, which no submission can know; hostile ones know it all the same.
    """

    master: NotebookNode
    released: NotebookNode
    right: dict[str, str]
    course: Path


@cache
def _made() -> tuple[NotebookNode, NotebookNode]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "01_corpus" / f"{NAME}.py"
        path.parent.mkdir()
        path.write_text(SOURCE)
        return source.load(path), notebooks.from_bytes(release(path).encode())


def material(course: Path) -> Material:
    """The corpus' assignment, for a course in a certain folder."""
    master, released = _made()
    return Material(master, released, bank.model_answers(master), course)
