"""What an explorer shows where nothing can be moved: its pictures over the plane, or along each slider."""

from collections.abc import Callable, Iterator, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

from aelib.viz.explorer_controls import Plane, Slider
from aelib.viz.images import image_grid

STEPS = 7  # across a plane or along a slider

Controls = Sequence[Plane | Slider]
Model = Callable[[Sequence[float]], Tensor]


def still(model: Model, controls: Controls, captions: Sequence[str], low: float, high: float) -> Figure:
    """Draw the pictures over the plane, or for each choice of the first slider with labels and along each other slider.

    Args:
        model: from the values of all controls to the pictures, of shape (N, C, H, W).
        controls: what can be moved. What is not moved stays at its start.
        captions: what each of the N pictures shows.
        low: the value that is drawn black.
        high: the value that is drawn white.
    """
    plane = next((control for control in controls if isinstance(control, Plane)), None)
    if plane is None:
        return _along_sliders(model, controls, captions, low, high)
    return _over_plane(model, controls, plane, captions, low, high)


def _place(controls: Controls, wanted: Plane | Slider) -> int:
    """The number of a control's first value among all values."""
    before = controls[: next(number for number, control in enumerate(controls) if control is wanted)]
    return sum(len(control.values) for control in before)


def _choices(controls: Controls) -> Iterator[tuple[str, list[float]]]:
    """The name of each choice, and the values of all controls with it; an empty name if there is none to choose."""
    start = [value for control in controls for value in control.values]
    chosen = next((control for control in controls if isinstance(control, Slider) and control.labels), None)
    if chosen is None:
        yield "", start
        return
    for number, label in enumerate(chosen.labels):
        values = list(start)
        values[_place(controls, chosen)] = float(number)
        yield f"{chosen.name}: {label}", values


def _written(values: Sequence[float]) -> list[str]:
    return [f"{value:g}".replace("-", "\u2212") for value in values]


def _over_plane(
    model: Model, controls: Controls, plane: Plane, captions: Sequence[str], low: float, high: float
) -> Figure:
    start, place = [value for control in controls for value in control.values], _place(controls, plane)
    across, up = (torch.linspace(*ends, STEPS).tolist() for ends in (plane.x, plane.y))
    tiles = torch.stack([model([*start[:place], x, y, *start[place + 2 :]]) for y in reversed(up) for x in across])
    height, width = tiles.shape[3:]
    ends = [(size / 2 - 0.5, (size + 1) * (STEPS - 1) + size / 2 - 0.5) for size in (width, height)]
    figure, axes = plt.subplots(1, len(captions), figsize=(3.4 * len(captions), 3.6), squeeze=False)
    for number, (ax, caption) in enumerate(zip(axes[0], captions, strict=True)):
        image_grid(ax, tiles[:, number], columns=STEPS, low=low, high=high)
        ax.set_xticks(ends[0], _written(plane.x))
        ax.set_yticks(ends[1][::-1], _written(plane.y))
        ax.tick_params(length=0)
        ax.set(xlabel=plane.names[0], ylabel=plane.names[1], title=caption)
    return figure


def _along_sliders(model: Model, controls: Controls, captions: Sequence[str], low: float, high: float) -> Figure:
    sliders = [control for control in controls if isinstance(control, Slider) and not control.labels]
    names, rows = [], []
    for choice, values in _choices(controls):
        for slider in sliders:
            place = _place(controls, slider)
            steps = torch.linspace(*slider.ends, STEPS).tolist()
            tiles = torch.stack([model([*values[:place], step, *values[place + 1 :]]) for step in steps], dim=1)
            for number, caption in enumerate(captions):
                said = choice, slider.name if len(sliders) > 1 else "", caption if len(captions) > 1 else ""
                names.append(", ".join(filter(None, said)))
                rows.append(tiles[number])
    height, width = rows[0].shape[2:]
    figure, ax = plt.subplots(figsize=(6.4, 0.4 + 0.5 * len(rows)))
    image_grid(ax, torch.cat(rows), columns=STEPS, low=low, high=high)
    ax.set_yticks([(height + 1) * row + height / 2 - 0.5 for row in range(len(rows))], names)
    ends = width / 2 - 0.5, (width + 1) * (STEPS - 1) + width / 2 - 0.5
    one = sliders[0] if len(sliders) == 1 else None
    ax.set_xticks(ends, _written(one.ends) if one else ["least", "largest"])
    ax.set_xlabel(one.name if one else "value of the slider")
    ax.tick_params(length=0)
    return figure
