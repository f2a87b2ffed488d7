"""Pages that load quickly: what becomes of their images."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def light(script):
    return script("light_pages")


def png(path, height, seed=0):
    """A picture of noise, which does not compress."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, "PNG")
    return noise


def test_an_image_waits_and_its_place_is_kept_free(light, tmp_path):
    png(tmp_path / "small.png", 20)
    assert light.lighten('<img alt="A" src="small.png">', tmp_path, tmp_path) == (
        '<img loading="lazy" decoding="async" width="300" height="20" alt="A" src="small.png">'
    )


def test_what_says_itself_how_it_loads_stays_as_it_is(light, tmp_path):
    tag = '<img loading="eager" src="logo.svg">'
    assert light.lighten(tag, tmp_path, tmp_path) == tag


def test_a_heavy_picture_is_converted_without_loss(light, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "pages").mkdir()
    noise = png(tmp_path / "images" / "heavy.png", 600)
    text = light.lighten('<img src="../images/heavy.png">', tmp_path / "pages", tmp_path / "images")
    assert 'src="../images/heavy.webp"' in text
    assert 'width="300" height="600"' in text
    with Image.open(tmp_path / "images" / "heavy.webp") as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), noise)


def test_what_is_embedded_becomes_a_file(light, tmp_path):
    content = io.BytesIO()
    noise = png(content, 40)
    embedded = base64.b64encode(content.getvalue()).decode()
    text = light.lighten(f'<img src="data:image/png;base64,{embedded}">', tmp_path, tmp_path)
    assert "base64" not in text
    with Image.open(tmp_path / re.search(r'src="([^"]+)"', text)[1]) as image:
        np.testing.assert_array_equal(np.asarray(image), noise)


def test_the_script_for_icons_goes_and_no_other(light, tmp_path):
    page = (
        '<script src="_static/quiz.js"></script>\n<script defer src="../_static/scripts/fontawesome.js?v=1"></script>'
    )
    assert light.lighten(page, tmp_path, tmp_path) == '<script src="_static/quiz.js"></script>'
