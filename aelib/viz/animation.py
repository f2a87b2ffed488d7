"""A figure that moves, as a page shows it."""

import base64
import html
import io
from collections.abc import Callable

from matplotlib.figure import Figure
from PIL import Image

from aelib import checks

MOST_FRAMES = 120


class Animation:
    """Frames of a figure as one GIF, with a still picture for paper and for readers who want nothing to move.

    A notebook shows it as HTML. It rests on its last frame, which is the still picture too, and begins again.

    Args:
        figure: what moves.
        draw: draws the frame of a number, from 0, on the figure; all that changes.
        frames: how many there are, at most 120.
        alt: what a reader who cannot see it should know.
        seconds: how long a frame stays.

    Raises:
        ValueError: if there are too few or too many frames, or no alternative text.
    """

    def __init__(
        self, figure: Figure, draw: Callable[[int], object], *, frames: int, alt: str, seconds: float = 0.1
    ) -> None:
        checks.at_least("frames", frames, 2)
        if frames > MOST_FRAMES:
            raise ValueError(f"frames: got {frames}; expected at most {MOST_FRAMES}")
        if not alt.strip():
            raise ValueError("alt: got no text; expected what a reader who cannot see the figure should know")
        self.alt = alt
        pictures = [_picture(figure, draw, number) for number in range(frames)]
        self.still = _bytes(pictures[-1], "PNG")
        # One palette for all frames: colors must not flicker.
        shared = _side_by_side(pictures[:: max(1, frames // 8)] + pictures[-1:]).quantize(colors=128)
        reduced = [picture.quantize(palette=shared, dither=Image.Dither.NONE) for picture in pictures]
        times = [round(1000 * seconds)] * (frames - 1) + [3000]
        self.gif = _bytes(reduced[0], "GIF", save_all=True, append_images=reduced[1:], duration=times, loop=0)

    def __repr__(self) -> str:
        return f"<animation: {self.alt}>"

    def _repr_html_(self) -> str:
        moving, still = (
            f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
            for kind, content in (("gif", self.gif), ("png", self.still))
        )
        return (
            f'<picture class="animation"><source media="print, (prefers-reduced-motion: reduce)" srcset="{still}">'
            f'<img src="{moving}" alt="{html.escape(self.alt)}"></picture>'
        )


def _picture(figure: Figure, draw: Callable[[int], object], number: int) -> Image.Image:
    draw(number)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return Image.open(content).convert("RGB")


def _side_by_side(pictures: list[Image.Image]) -> Image.Image:
    width, height = pictures[0].size
    canvas = Image.new("RGB", (width * len(pictures), height))
    for number, picture in enumerate(pictures):
        canvas.paste(picture, (width * number, 0))
    return canvas


def _bytes(picture: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()
