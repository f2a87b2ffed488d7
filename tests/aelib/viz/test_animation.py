"""An animation is the frames that were drawn, once each, with a still for who wants nothing to move."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from aelib import viz


@pytest.fixture
def moving():
    figure, ax = plt.subplots(figsize=(1, 1))
    ax.set_axis_off()
    shown = ax.imshow(np.zeros((1, 1)), vmin=0, vmax=2, cmap="gray")
    yield viz.Animation(figure, lambda i: shown.set_data([[i]]), frames=3, alt='From "black" to white.', seconds=0.2)
    plt.close(figure)


def brightness(picture):
    return float(np.asarray(picture.convert("L"))[55, 55])


def test_every_frame_is_there_and_the_still_is_the_last(moving):
    gif = Image.open(io.BytesIO(moving.gif))
    assert gif.n_frames == 3
    seen, times = [], []
    for number in range(3):
        gif.seek(number)
        seen.append(brightness(gif))
        times.append(gif.info["duration"])
    assert seen == pytest.approx([0, 127, 255], abs=12)
    assert times[:2] == [200, 200]
    assert times[2] > 1000
    assert brightness(Image.open(io.BytesIO(moving.still))) == 255


def test_the_page_gets_both_and_says_what_moves(moving):
    html = moving._repr_html_()
    assert base64.b64encode(moving.gif).decode() in html
    assert re.search(r'media="print, \(prefers-reduced-motion: reduce\)" srcset="data:image/png;base64,', html)
    assert 'alt="From &quot;black&quot; to white."' in html


@pytest.mark.parametrize(
    ("given", "message"),
    [({"frames": 1}, "frames"), ({"frames": 121}, "at most 120"), ({"alt": " "}, "got no text")],
)
def test_what_cannot_be_shown_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        viz.Animation(plt.figure(), lambda i: None, **({"frames": 2, "alt": "It moves."} | given))
    plt.close("all")


def test_as_text_it_is_the_same_in_every_run(moving):
    assert repr(moving) == '<animation: From "black" to white.>'
