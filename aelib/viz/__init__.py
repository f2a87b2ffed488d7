"""Figures. Every function draws on axes that the caller made; this package alone imports matplotlib."""

from pathlib import Path

import matplotlib.pyplot as plt

from aelib.viz.animation import Animation
from aelib.viz.codes import class_scatter
from aelib.viz.curves import learning_curve, spectrum
from aelib.viz.explorer import Explorer
from aelib.viz.explorer_controls import Plane, Slider
from aelib.viz.images import image_grid
from aelib.viz.plane import reconstructions

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
"""The colors of the course's style by name, in the order in which curves take them."""


def use_style() -> None:
    """Give all figures that are made from now on the course's look."""
    plt.style.use(Path(__file__).with_name("course.mplstyle"))


__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "ORANGE",
    "PINK",
    "SKY",
    "YELLOW",
    "Animation",
    "Explorer",
    "Plane",
    "Slider",
    "class_scatter",
    "image_grid",
    "learning_curve",
    "reconstructions",
    "spectrum",
    "use_style",
]
