"""A model that the reader drives: a point in a plane, sliders, and at once what the model makes of them."""

import base64
import html
import io
import json
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from aelib.viz.explorer_controls import Plane, Slider
from aelib.viz.explorer_still import still
from aelib.viz.onnx_model import onnx_model

LARGEST_MODEL = 500_000
"""In bytes. A page is to stay small."""


class Explorer:
    """What a model draws, for the reader to explore.

    A page shows a plane with a point to drag, sliders, and the pictures that the model makes of their values, which the
    reader's browser computes. The model's input is the values of all controls in their order, two for a plane and one
    for a slider. Without JavaScript, on paper and in Jupyter one sees a picture instead: the same over the plane, or
    along each slider.

    Args:
        pictures: the model, from an input of shape (1, k) to pictures of shape (N, C, H, W), gray (C = 1) or color
            (C = 3). What it does must not depend on what the values are, except through tensors: it is exported.
        controls: at most one plane, and sliders, not all of them with labels.
        captions: what each of the N pictures shows.
        alt: what a reader who cannot see it should know.
        low: the value that is drawn black.
        high: the value that is drawn white.

    Raises:
        ImportError: if the packages that export a model are not installed.
        ValueError: if the arguments do not fit each other, or the model has more than 500,000 bytes.
    """

    def __init__(
        self,
        pictures: Callable[[Tensor], Tensor],
        *controls: Plane | Slider,
        captions: Sequence[str],
        alt: str,
        low: float = 0.0,
        high: float = 1.0,
    ) -> None:
        if not alt.strip():
            raise ValueError("alt: got no text; expected what a reader who cannot see the pictures should know")
        if sum(isinstance(control, Plane) for control in controls) > 1:
            raise ValueError("controls: got more than one plane; expected at most one")
        if all(isinstance(control, Slider) and control.labels for control in controls):
            raise ValueError("controls: got nothing but choices; expected a plane or a slider without labels")
        if not low < high:
            raise ValueError(f"high: got {high}; expected more than low, which is {low}")
        self._pictures = pictures
        self.controls, self.captions, self.alt, self.low, self.high = controls, tuple(captions), alt, low, high
        self.start = [value for control in controls for value in control.values]
        self.shape = tuple(self.pictures(self.start).shape)
        if len(self.shape) != 4 or self.shape[1] not in (1, 3) or self.shape[0] != len(captions):
            raise ValueError(
                f"pictures: got shape {self.shape}; expected (N, C, H, W) with C = 1 or 3 and "
                f"N = {len(captions)}, the number of captions"
            )
        self.onnx = onnx_model(pictures, len(self.start))
        if len(self.onnx) > LARGEST_MODEL:
            raise ValueError(
                f"pictures: the model has {len(self.onnx):,} bytes; expected at most {LARGEST_MODEL:,} "
                "(data of which it takes a part are in it as a whole: take the part before)"
            )

    def __repr__(self) -> str:
        return f"<explorer: {self.alt}>"

    def pictures(self, values: Sequence[float]) -> Tensor:
        """The pictures for values of all controls."""
        with torch.no_grad():
            return self._pictures(torch.tensor([values], dtype=torch.float32))

    def pixels(self, values: Sequence[float]) -> UInt8[np.ndarray, "N C H W"]:
        """The pictures as they are drawn, from 0 to 255."""
        shares = (self.pictures(values) - self.low) / (self.high - self.low)
        return (255 * shares.clamp(0, 1)).round().to(torch.uint8).numpy()

    def _repr_html_(self) -> str:
        settings = {
            "controls": [_described(control) for control in self.controls],
            "captions": self.captions,
            "shape": self.shape,
            "range": (self.low, self.high),
            "start": _base64(self.pixels(self.start).tobytes()),
            "model": _base64(self.onnx),
        }
        figure = still(self.pictures, self.controls, self.captions, self.low, self.high)
        source, width, height = _png(figure, tight=True)
        plt.close(figure)
        return (
            f'<div class="explorer" data-explorer="{html.escape(json.dumps(settings, ensure_ascii=False))}">'
            f'<img class="keep-colors" src="{source}" width="{width}" height="{height}" alt="{html.escape(self.alt)}">'
            "</div>"
        )


def _described(control: Plane | Slider) -> dict[str, object]:
    """What the script of a page has to know of a control."""
    if isinstance(control, Slider):
        low, high = control.ends
        return {"name": control.name, "low": low, "high": high, "start": control.values[0], "labels": control.labels}
    figure, ax = plt.subplots(figsize=(3.4, 3.4))
    if control.background:
        control.background(ax)
    ax.set(xlim=control.x, ylim=control.y, xlabel=control.names[0], ylabel=control.names[1])
    figure.canvas.draw()  # only now is the place of the axes known
    inside, whole = ax.get_window_extent(), figure.bbox
    box = (
        inside.x0 / whole.width,
        1 - inside.y1 / whole.height,
        inside.width / whole.width,
        inside.height / whole.height,
    )
    source, width, height = _png(figure)
    plt.close(figure)
    return {
        "names": control.names,
        "x": control.x,
        "y": control.y,
        "start": control.values,
        "picture": {"source": source, "width": width, "height": height, "axes": [round(share, 5) for share in box]},
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _png(figure: Figure, *, tight: bool = False) -> tuple[str, int, int]:
    """A figure as the address of an image, with its size on a page. Few colors: a page is to stay small."""
    content, small = io.BytesIO(), io.BytesIO()
    figure.savefig(content, format="png", dpi=200, bbox_inches="tight" if tight else None)
    picture = Image.open(content).convert("RGB")
    picture.quantize(colors=64, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return f"data:image/png;base64,{_base64(small.getvalue())}", picture.width // 2, picture.height // 2
