"""The fonts that matplotlib ships and that have every letter A-Z, a-z and every digit."""

import importlib.util
import string
from pathlib import Path
from typing import NamedTuple

CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
WEIGHTS = ("regular", "bold")
SLANTS = ("upright", "oblique")


class Face(NamedTuple):
    """One font file. ``slant`` is "oblique" for italics too."""

    family: str
    weight: str
    slant: str
    file: str


FACES = (
    Face("DejaVu Sans", "regular", "upright", "DejaVuSans.ttf"),
    Face("DejaVu Sans", "regular", "oblique", "DejaVuSans-Oblique.ttf"),
    Face("DejaVu Sans", "bold", "upright", "DejaVuSans-Bold.ttf"),
    Face("DejaVu Sans", "bold", "oblique", "DejaVuSans-BoldOblique.ttf"),
    Face("DejaVu Sans Mono", "regular", "upright", "DejaVuSansMono.ttf"),
    Face("DejaVu Sans Mono", "regular", "oblique", "DejaVuSansMono-Oblique.ttf"),
    Face("DejaVu Sans Mono", "bold", "upright", "DejaVuSansMono-Bold.ttf"),
    Face("DejaVu Sans Mono", "bold", "oblique", "DejaVuSansMono-BoldOblique.ttf"),
    Face("DejaVu Serif", "regular", "upright", "DejaVuSerif.ttf"),
    Face("DejaVu Serif", "regular", "oblique", "DejaVuSerif-Italic.ttf"),
    Face("DejaVu Serif", "bold", "upright", "DejaVuSerif-Bold.ttf"),
    Face("DejaVu Serif", "bold", "oblique", "DejaVuSerif-BoldItalic.ttf"),
    Face("STIX General", "regular", "upright", "STIXGeneral.ttf"),
    Face("STIX General", "regular", "oblique", "STIXGeneralItalic.ttf"),
    Face("STIX General", "bold", "upright", "STIXGeneralBol.ttf"),
    Face("STIX General", "bold", "oblique", "STIXGeneralBolIta.ttf"),
    # Computer Modern has no bold italic here, and its sans serif and typewriter have one face each.
    Face("Computer Modern", "regular", "upright", "cmr10.ttf"),
    Face("Computer Modern", "regular", "oblique", "cmti10.ttf"),
    Face("Computer Modern", "bold", "upright", "cmb10.ttf"),
    Face("Computer Modern Sans", "regular", "upright", "cmss10.ttf"),
    Face("Computer Modern Typewriter", "regular", "upright", "cmtt10.ttf"),
)

FAMILIES = tuple(dict.fromkeys(face.family for face in FACES))

# The families with both weights in both slants: with these, font, weight and slant can be drawn independently.
COMPLETE_FAMILIES = tuple(
    family for family in FAMILIES if sum(face.family == family for face in FACES) == len(WEIGHTS) * len(SLANTS)
)


def path_of(face: Face) -> Path:
    """Where the font file is; matplotlib is found but not imported.

    Raises:
        FileNotFoundError: if matplotlib, or this font in it, is not installed.
    """
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("matplotlib: not installed; expected it, as the fonts come with it")
    path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / face.file
    if not path.is_file():
        raise FileNotFoundError(f"{path}: not there; expected the font {face.family} that matplotlib ships")
    return path
