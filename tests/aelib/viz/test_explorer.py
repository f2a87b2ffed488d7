"""An explorer's model is the function that it was given, and its page has all that is needed with and without a script."""

import base64
import html
import io
import json
import re
import sys

import numpy as np
import pytest
import torch
from onnx import load_from_string
from onnx.reference import ReferenceEvaluator
from PIL import Image
from torch import nn

from aelib import viz
from aelib.corruption import gaussian
from aelib.likelihoods import Bernoulli
from aelib.models import VAE
from aelib.nets import MLP
from aelib.viz.explorer_still import STEPS, still
from aelib.viz.onnx_model import onnx_model

PLANE = viz.Plane((-3.0, 3.0), (-2.0, 2.0))


def decoder(seed=0, width=12):
    """With a width of 12 no matrix has a thousand numbers."""
    torch.manual_seed(seed)
    return VAE(MLP((64,), (width,), (4,)), MLP((2,), (width,), (64,)), Bernoulli(), latent_dim=2)


def several():
    """A choice between decoders."""
    models = [decoder(seed, width=32) for seed in range(3)]
    return lambda u: torch.stack([model.decode(u[:, :2]).reshape(1, 8, 8) for model in models])[u[:, 2].long()]


def quantized():
    """The decoder at a point and at the nearest entry of a codebook."""
    model, codebook = decoder(), torch.randn(5, 2, generator=torch.Generator().manual_seed(0))

    def pictures(u):
        nearest = codebook[(u[:, None] - codebook).square().sum(2).argmin(1)]
        return model.decode(torch.cat([u, nearest])).reshape(2, 1, 8, 8)

    return pictures


def corrupted():
    """An image with a fixed noise of any level, and what becomes of it."""
    model, image = decoder(), torch.rand(1, 64)
    noise = gaussian(1.0)(image, torch.Generator().manual_seed(0)) - image

    def pictures(u):
        x_tilde = image + u * noise
        return torch.cat([x_tilde, model.decode(model.encode(x_tilde))]).reshape(2, 1, 8, 8)

    return pictures


def convolved():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 12), nn.Unflatten(1, (3, 2, 2)), nn.ConvTranspose2d(3, 3, 4, 2, 1), nn.SiLU())


FUNCTIONS = {
    "several": (several, 3),
    "quantized": (quantized, 2),
    "corrupted": (corrupted, 1),
    "convolved": (convolved, 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_onnx_model_computes_what_the_function_does(name):
    make, size = FUNCTIONS[name]
    function = make()
    model = load_from_string(onnx_model(function, size))
    evaluator = ReferenceEvaluator(model)
    inputs = 3 * torch.randn(20, 1, size, generator=torch.Generator().manual_seed(0))
    if name == "several":
        inputs[:, :, 2] = torch.arange(20)[:, None] % 3
    for values in inputs:
        (result,) = evaluator.run(None, {"values": values.numpy()})
        with torch.no_grad():
            # Large tensors are rounded to 11 binary digits.
            np.testing.assert_allclose(result, function(values).numpy(), atol=2e-3 if name == "several" else 1e-5)


def test_the_model_is_the_same_in_every_run_and_says_nothing_of_this_machine():
    function = several()
    content = onnx_model(function, 3)
    assert onnx_model(function, 3) == content
    assert b".py" not in content
    assert load_from_string(content).opset_import[0].version <= 21  # what onnxruntime-web 1.20 and later know


@pytest.fixture(scope="module")
def explorer():
    model = decoder()
    return viz.Explorer(
        lambda u: torch.stack(
            [model.decode(u[:, :2]).reshape(1, 8, 8), (u[:, 2:3] / 4).expand(1, 64).reshape(1, 8, 8)]
        ),
        viz.Plane((-3.0, 3.0), (-2.0, 2.0), start=(1.0, -1.0), background=lambda ax: ax.plot([0, 1], [0, 1])),
        viz.Slider("brightness", 0.0, 4.0, start=2.0),
        viz.Slider("unused", labels=("this", "that"), start=1.0),
        captions=["decoded", "gray"],
        alt='Digits "in the plane".',
    )


@pytest.fixture(scope="module")
def page(explorer):
    return explorer._repr_html_()


def image_of(source):
    return Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,"))))


def test_the_page_has_a_picture_with_its_text_for_all_who_have_no_script(page):
    (tag,) = re.findall(r"<img[^>]*>", page)
    assert 'alt="Digits &quot;in the plane&quot;."' in tag
    picture = image_of(re.search(r'src="([^"]+)"', tag)[1])
    assert f'width="{picture.width // 2}" height="{picture.height // 2}"' in tag


def test_the_page_has_the_model_the_controls_and_the_first_pictures(page, explorer):
    settings = json.loads(html.unescape(re.search(r'data-explorer="([^"]*)"', page)[1]))
    assert base64.b64decode(settings["model"]) == explorer.onnx
    assert settings["shape"] == [2, 1, 8, 8]
    plane, brightness, unused = settings["controls"]
    assert (plane["x"], plane["y"], plane["start"]) == ([-3, 3], [-2, 2], [1, -1])
    left, top, width, height = plane["picture"]["axes"]
    assert 0 < left < left + width < 1
    assert 0 < top < top + height < 1
    assert image_of(plane["picture"]["source"]).width == 2 * plane["picture"]["width"]
    assert brightness == {"name": "brightness", "low": 0, "high": 4, "start": 2, "labels": []}
    assert (unused["low"], unused["high"], unused["start"], unused["labels"]) == (0, 1, 1, ["this", "that"])
    first = np.frombuffer(base64.b64decode(settings["start"]), dtype=np.uint8).reshape(2, 1, 8, 8)
    assert (first[1] == 128).all()
    np.testing.assert_array_equal(first, explorer.pixels([1.0, -1.0, 2.0, 1.0]))
    assert len(page) < 100_000


def test_pixels_are_clipped_and_rounded_between_low_and_high():
    made = viz.Explorer(
        lambda u: u.reshape(1, 1, 1, 2),
        viz.Plane((-9.0, 9.0), (-9.0, 9.0)),
        captions=["two"],
        alt="Two.",
        low=-1.0,
        high=3.0,
    )
    assert made.pixels([0.0, 9.0]).flatten().tolist() == [64, 255]
    assert made.pixels([-5.0, 2.999]).flatten().tolist() == [0, 255]


def test_as_text_it_is_the_same_in_every_run(explorer):
    assert repr(explorer) == '<explorer: Digits "in the plane".>'


def position(values):
    """A picture of one pixel that says where the controls are."""
    return torch.tensor([[[[sum(10.0**-place * value for place, value in enumerate(values))]]]])


def tiles(ax):
    return np.asarray(ax.images[0].get_array())[::2, ::2]


def test_the_still_goes_over_the_plane():
    controls = viz.Slider("s", 0.0, 1.0), viz.Plane((0.0, 6.0), (0.0, 60.0)), viz.Slider("t", 0.0, 1.0)

    def model(values):
        return torch.cat([position([values[1], values[2], values[0]]), -position(values[1:3])])

    figure = still(model, controls, ["one", "other"], 0.0, 1.0)
    assert [ax.get_title() for ax in figure.axes] == ["one", "other"]
    for sign, ax in zip((1, -1), figure.axes):
        rows = sign * tiles(ax)
        assert rows.shape == (STEPS, STEPS)
        np.testing.assert_allclose(rows[-1], np.arange(7.0))  # the least second value is below
        np.testing.assert_allclose(rows[:, 0], np.arange(6.0, -1.0, -1.0))


def test_the_still_goes_along_each_slider():
    sliders = viz.Slider("first", 0.0, 6.0), viz.Slider("second", 0.0, 60.0)
    figure = still(position, sliders, ["c"], 0.0, 1.0)
    (ax,) = figure.axes
    np.testing.assert_allclose(tiles(ax), [np.arange(7.0)] * 2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
    (ax,) = still(lambda v: torch.cat([position(v), -position(v)]), sliders[:1], ["c", "d"], 0.0, 1.0).axes
    np.testing.assert_allclose(tiles(ax), [np.arange(7.0), -np.arange(7.0)])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["c", "d"]


def test_the_still_shows_each_choice():
    controls = (
        viz.Slider("moved", 0.0, 6.0),
        viz.Slider("which", labels=("a", "b")),
        viz.Slider("more", labels=("c", "d")),
    )
    (ax,) = still(lambda values: (1 - 2 * values[1]) * position(values[:1]), controls, ["c"], 0.0, 1.0).axes
    np.testing.assert_allclose(tiles(ax), [np.arange(7.0), -np.arange(7.0)])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["which: a", "which: b"]


def image(u):
    return u[:, :1].reshape(1, 1, 1, 1)


@pytest.mark.parametrize(
    ("controls", "given", "message"),
    [
        ((PLANE,), {"alt": " "}, "alt: got no text"),
        ((PLANE, PLANE), {}, "more than one plane"),
        ((), {}, "nothing but choices"),
        ((viz.Slider("s", labels=("a", "b")),), {}, "nothing but choices"),
        ((PLANE,), {"high": -1.0}, "high: got -1.0; expected more than low, which is 0.0"),
        ((PLANE,), {"captions": ["a", "b"]}, r"got shape \(1, 1, 1, 1\); expected .* N = 2"),
    ],
)
def test_what_does_not_fit_is_refused(controls, given, message):
    with pytest.raises(ValueError, match=message):
        viz.Explorer(image, *controls, **({"captions": ["a"], "alt": "A picture."} | given))


def test_pictures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"got shape \(1, 2\); expected \(N, C, H, W\)"):
        viz.Explorer(lambda u: u, PLANE, captions=["a"], alt="A picture.")


def test_a_model_that_is_too_large_for_a_page_is_refused():
    data = torch.rand(4000, 100)
    with pytest.raises(ValueError, match=r"has 800,\d{3} bytes; expected at most 500,000 .*take the part before"):
        viz.Explorer(lambda u: (data[:1] * u[:, :1]).reshape(1, 1, 10, 10), PLANE, captions=["a"], alt="A picture.")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: viz.Slider("s", 1.0, 1.0), "s: got 1.0 to 1.0; expected the first to be less"),
        (lambda: viz.Slider("s", 0.0, 1.0, start=2.0), "s: starts at 2.0; expected a value from 0.0 to 1.0"),
        (lambda: viz.Slider("s", labels=("one",)), "s: got 0.0 to 0.0"),
        (lambda: viz.Plane((0.0, 1.0), (1.0, 0.0), names=("a", "b")), "b: got 1.0 to 0.0"),
        (lambda: viz.Plane((0.0, 1.0), (0.0, 1.0), start=(0.0, 3.0)), "z₂: starts at 3.0"),
    ],
)
def test_a_control_that_cannot_be_moved_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_without_the_packages_it_says_what_to_install(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match="pip install onnx onnxscript"):
        onnx_model(image, 1)


def test_large_tensors_take_two_bytes_a_number():
    matrix = torch.randn(2, 2000)
    assert 8000 < len(onnx_model(lambda u: u @ matrix, 2)) < 9000
