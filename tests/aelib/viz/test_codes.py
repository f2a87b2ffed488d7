"""Codes are drawn where they are, with the marks of their classes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from aelib.viz.codes import class_scatter


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_each_class_has_its_points_and_its_own_mark(ax):
    z, y = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), torch.tensor([1, 0, 1])
    class_scatter(ax, z, y, "ab")
    first, second = ax.collections
    np.testing.assert_allclose(first.get_offsets(), [[2, 3]])
    np.testing.assert_allclose(second.get_offsets(), [[0, 1], [4, 5]])
    assert first.get_paths()[0].vertices.shape != second.get_paths()[0].vertices.shape
    assert first.get_facecolor().tolist() != second.get_facecolor().tolist()
    ax.figure.canvas.draw()


def test_classes_that_do_not_fit_are_refused(ax):
    with pytest.raises(ValueError, match="classes"):
        class_scatter(ax, torch.zeros(2, 2), torch.tensor([0]), "ab")
    with pytest.raises(ValueError, match="classes"):
        class_scatter(ax, torch.zeros(2, 2), torch.tensor([0, 2]), "ab")
    assert not ax.collections
