"""Letters and digits in several fonts and poses, with every factor known.

A character is drawn large once for each font. One affine map puts it in its pose, and a box filter brings it down to the
size of the image.
"""

import functools
import math
import string
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from aelib import checks
from aelib.data import fonts
from aelib.data.dataset import Dataset

ANGLE = (-30.0, 30.0)
SCALE = (0.7, 1.0)
# The oblique DejaVu fonts lean by 11 degrees, a shear of 0.194. Less than half of that keeps slant and shear apart:
# an upright character never leans as much as an oblique one.
SHEAR = (-0.09, 0.09)
SHIFT = 1 / 14  # of the image's size

MIN_SIZE = 16
_OVERSAMPLING = 3
_MARGIN = 1.5  # pixels of black that stay around the largest character, for the two filters' footprints


def glyphs(
    n: int = 10_000,
    *,
    characters: str = string.digits + string.ascii_uppercase,
    families: Sequence[str] = fonts.COMPLETE_FAMILIES,
    size: int = 28,
    seed: int = 0,
) -> Dataset:
    """White characters on black, antialiased, in random fonts and poses; no character is cut by the border.

    With y upwards and the middle of the character's ink as origin, a point p of the upright character goes to

        scale * R(angle) [[1, shear], [0, 1]] p + (shift_x, -shift_y),

    where R turns counterclockwise. At scale 1 the ink just fits a circle that stays inside the image in every pose.
    Every factor is drawn uniformly and independently of the others. Character and font file are drawn uniformly, so
    that font, weight and slant are independent as long as every family has both weights in both slants. The default
    families do. "Computer Modern" (no bold oblique), "Computer Modern Sans" and "Computer Modern Typewriter" (one face
    each) do not.

    Some characters share a shape (0 and O, I and l, or c and C at different scales): no classifier can tell them all
    apart. The default, digits and capitals, has few of them.

    Args:
        n: how many images, at least 1.
        characters: the characters to draw from, each one of A-Z, a-z and 0-9 and given once.
        families: the font families to draw from, each given once.
        size: height and width of an image in pixels, at least 16.
        seed: the seed of all factors.

    Returns:
        ``x`` of shape (n, 1, size, size) in [0, 1]. Labels that are classes: ``character``, ``font`` (the family),
        ``weight`` (regular, bold), ``slant`` (upright, oblique; italics count as oblique). Labels that are quantities:
        ``angle`` in degrees, counterclockwise, in [-30, 30]; ``scale`` in [0.7, 1]; ``shear`` in [-0.09, 0.09],
        positive leans to the right; ``shift_x`` (to the right) and ``shift_y`` (down) in pixels, in [-size/14, size/14].

    Raises:
        ValueError: if ``n`` or ``size`` is too small, or a character or family is unknown or given twice.
    """
    checks.at_least("n", n, 1)
    checks.at_least("size", size, MIN_SIZE)
    _check_choices("characters", characters, fonts.CHARACTERS)
    _check_choices("families", families, fonts.FAMILIES)

    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    faces = [face for face in fonts.FACES if face.family in families]
    character = torch.randint(len(characters), (n,), generator=generator)
    face = torch.randint(len(faces), (n,), generator=generator)
    shift = SHIFT * size
    pose = {
        "angle": uniform(*ANGLE),
        "scale": uniform(*SCALE),
        "shear": uniform(*SHEAR),
        "shift_x": uniform(-shift, shift),
        "shift_y": uniform(-shift, shift),
    }
    rows = zip(character.tolist(), face.tolist(), *(values.tolist() for values in pose.values()))
    pixels = np.stack([render(characters[i], faces[j], size, *p) for i, j, *p in rows])

    labels = {
        "character": character,
        "font": torch.tensor([list(families).index(f.family) for f in faces])[face],
        "weight": torch.tensor([fonts.WEIGHTS.index(f.weight) for f in faces])[face],
        "slant": torch.tensor([fonts.SLANTS.index(f.slant) for f in faces])[face],
    }
    classes = {
        "character": tuple(characters),
        "font": tuple(families),
        "weight": fonts.WEIGHTS,
        "slant": fonts.SLANTS,
    }
    return Dataset(torch.from_numpy(pixels).unsqueeze(1) / 255, {**labels, **pose}, classes)


def render(
    character: str,
    face: fonts.Face,
    size: int,
    angle: float = 0.0,
    scale: float = 1.0,
    shear: float = 0.0,
    shift_x: float = 0.0,
    shift_y: float = 0.0,
) -> UInt8[np.ndarray, "size size"]:
    """One image, 0 to 255, of a character in a pose; the units and signs are those of `glyphs`."""
    texture = canonical(character, face, size)
    middle = texture.width / 2
    # Pillow asks, for each point of the image, where in the texture to look: the inverse of the pose, with y downwards.
    cos, sin = math.cos(math.radians(angle)) / scale, math.sin(math.radians(angle)) / scale
    a, b = cos + shear * sin, shear * cos - sin
    d, e = sin, cos
    to_x, to_y = middle + shift_x * _OVERSAMPLING, middle + shift_y * _OVERSAMPLING
    inverse = (a, b, middle - a * to_x - b * to_y, d, e, middle - d * to_x - e * to_y)
    posed = texture.transform(texture.size, Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR)
    return np.asarray(posed.reduce(_OVERSAMPLING))


@functools.lru_cache(maxsize=2048)
def canonical(character: str, face: fonts.Face, size: int) -> Image.Image:
    """The character at scale 1, upright and in the middle, on a square of 3 * size pixels.

    The middle is that of the ink's bounding box. The distance from there to the farthest ink is the same for every
    character: as far as the strongest shear and shift leave room.
    """
    em = 2 * _OVERSAMPLING * size
    font = ImageFont.truetype(fonts.path_of(face), em, layout_engine=ImageFont.Layout.BASIC)
    canvas = Image.new("L", (4 * em, 4 * em))  # with room for the square that is cut out below
    ImageDraw.Draw(canvas).text((2 * em, 2 * em), character, fill=255, font=font, anchor="mm")

    left, upper, right, lower = canvas.getbbox() or (0, 0, 0, 0)
    middle_x, middle_y = (left + right) / 2, (upper + lower) / 2
    y, x = np.nonzero(np.asarray(canvas.crop((left, upper, right, lower))))
    radius = np.hypot(np.abs(x + 0.5 + left - middle_x) + 0.5, np.abs(y + 0.5 + upper - middle_y) + 0.5).max()

    # A shear s stretches no vector by more than the largest singular value of [[1, s], [0, 1]].
    stretch = (SHEAR[1] + math.sqrt(SHEAR[1] ** 2 + 4)) / 2
    reach = (size / 2 - SHIFT * size - _MARGIN) / stretch
    half = float(radius) * size / 2 / reach
    box = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
    texture_size = (_OVERSAMPLING * size, _OVERSAMPLING * size)
    return canvas.resize(texture_size, Image.Resampling.BILINEAR, box=box)


def _check_choices(argument: str, chosen: Sequence[str], choices: Sequence[str]) -> None:
    """Check that something is chosen, that it can be chosen, and that nothing is chosen twice."""
    for item in chosen:
        checks.choice(argument, item, choices)
    if len(chosen) == 0 or len(set(chosen)) < len(chosen):
        raise ValueError(f"{argument}: got {chosen!r}; expected at least one, and each one once")
