"""Figures: what is drawn is what was given. Drawn on the Agg canvas, no window needed."""

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure

from aelib import viz


@pytest.fixture
def ax():
    return Figure().add_subplot()


def test_image_grid_puts_each_image_in_its_place(ax):
    images = torch.arange(5.0).reshape(5, 1, 1, 1).expand(5, 1, 2, 3)
    viz.image_grid(ax, images, columns=3, high=4)
    tiled = torch.as_tensor(ax.images[0].get_array().filled(float("nan")))
    assert tiled.shape == (2 * 3 - 1, 3 * 4 - 1)
    for index in range(5):
        row, column = 3 * (index // 3), 4 * (index % 3)
        assert (tiled[row : row + 2, column : column + 3] == index).all()
    assert tiled[3:5, 8:].isnan().all()


def test_image_grid_in_color(ax):
    images = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    viz.image_grid(ax, images)
    tiled = torch.as_tensor(ax.images[0].get_array())
    torch.testing.assert_close(tiled[:, :4], images[0].permute(1, 2, 0))
    torch.testing.assert_close(tiled[:, 5:], images[1].permute(1, 2, 0))


def test_image_grid_refuses_two_channels(ax):
    with pytest.raises(ValueError, match="images: got 2 channels"):
        viz.image_grid(ax, torch.zeros(1, 2, 3, 3))
    with pytest.raises(ValueError, match="the number of images: got 0"):
        viz.image_grid(ax, torch.zeros(0, 1, 3, 3))


def test_learning_curve_starts_after_the_first_epoch(ax):
    viz.learning_curve(ax, [3.0, 2.0], label="loss", reference=("best", 1.0), every=10)
    assert ax.lines[0].get_xdata().tolist() == [10, 20]
    assert ax.lines[0].get_ydata().tolist() == [3.0, 2.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss", "best"]


def test_spectrum_sorts_and_splits(ax):
    viz.spectrum(ax, torch.tensor([1.0, 4.0, 2.0]), keep=2)
    assert [bar.get_height() for bar in ax.patches] == [4.0, 2.0, 1.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["kept: 6", "discarded: 1"]


def test_reconstructions_joins_each_point_to_its_own(ax):
    x, x_hat = torch.tensor([[0.0, 0.0], [1.0, 2.0]]), torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    viz.reconstructions(ax, x, x_hat)
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[0, 0], [0, 1]], [[1, 2], [1, 1]]]


def test_use_style_applies_the_palette():
    with mpl.rc_context():
        viz.use_style()
        colors = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert colors == [viz.BLUE, viz.ORANGE, viz.GREEN, viz.PINK, viz.YELLOW, viz.SKY, viz.BLACK]
