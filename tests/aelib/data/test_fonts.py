import itertools
import math
import string

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from aelib.data import fonts
from aelib.data.glyphs import SHEAR, canonical


@pytest.mark.parametrize("face", fonts.FACES, ids=lambda face: face.file)
def test_every_character_is_really_in_the_font(face):
    with TTFont(fonts.path_of(face), lazy=True) as font:
        present = font.getBestCmap()
    missing = [c for c in string.ascii_letters + string.digits if ord(c) not in present]
    assert missing == []
    assert sorted(fonts.CHARACTERS) == sorted(string.ascii_letters + string.digits)


def test_the_fonts_say_the_weight_and_slant_that_the_table_says():
    for face in fonts.FACES:
        if face.family.startswith("Computer Modern"):
            continue  # these files leave their tables for it empty
        with TTFont(fonts.path_of(face), lazy=True) as font:
            weight, angle = font["OS/2"].usWeightClass, font["post"].italicAngle
        assert (weight >= 600) == (face.weight == "bold"), face
        assert (angle != 0) == (face.slant == "oblique"), face


def test_no_two_faces_draw_a_character_alike():
    pictures = [np.asarray(canonical("R", face, 28)) for face in fonts.FACES]
    for one, other in itertools.combinations(pictures, 2):
        assert not np.array_equal(one, other)


def test_complete_families_have_every_weight_in_every_slant():
    styles = {family: {(f.weight, f.slant) for f in fonts.FACES if f.family == family} for family in fonts.FAMILIES}
    full = set(itertools.product(fonts.WEIGHTS, fonts.SLANTS))
    assert {family for family in styles if styles[family] == full} == set(fonts.COMPLETE_FAMILIES)
    assert len(fonts.COMPLETE_FAMILIES) == 4


def test_a_sheared_upright_character_leans_less_than_a_sheared_oblique_one():
    path = fonts.path_of(fonts.Face("DejaVu Sans", "regular", "oblique", "DejaVuSans-Oblique.ttf"))
    with TTFont(path, lazy=True) as font:
        lean = math.tan(math.radians(-font["post"].italicAngle))
    assert SHEAR[1] < lean + SHEAR[0]


def test_a_missing_font_is_named():
    with pytest.raises(FileNotFoundError, match=r"Nowhere\.ttf: not there"):
        fonts.path_of(fonts.Face("Nowhere", "regular", "upright", "Nowhere.ttf"))
