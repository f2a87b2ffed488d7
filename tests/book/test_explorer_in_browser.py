"""Explorers where readers use them: in a real browser, from a server and from a file, by mouse, touch and keyboard."""

import base64
import functools
import gzip
import http.server
import json
import re
import shutil
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from book_pages import ROOT
from onnx import load_from_string
from onnx.reference import ReferenceEvaluator
from playwright.sync_api import TimeoutError as Late
from sphinx.application import Sphinx

from aelib import viz
from aelib.nets import MLP

STATIC = ROOT / "book" / "_static"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Explorer</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="_static/explorer.css"><script src="_static/explorer.js" defer></script></head>
<body><h1>Explorer</h1><p style="height: 200vh">Text above.</p>{explorer}<p style="height: 100vh">Text below.</p></body></html>"""

# All values of a canvas, without the opacity.
SHOWN = "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 < 3)"
SHOWS = f"([canvas, levels]) => ({SHOWN})(canvas).every((level, at) => Math.abs(level - levels[at]) <= 1)"


def make_explorer():
    """A plane, a slider and a choice, which make two pictures in color."""
    torch.manual_seed(0)
    decoders = [MLP((3,), (16,), (2 * 3 * 5 * 4,)) for _ in range(2)]

    def pictures(u):
        each = torch.stack([torch.sigmoid(3 * decode(u[:, :3])).reshape(2, 3, 5, 4) for decode in decoders])
        return each[u[:, 3].long()].squeeze(0)

    controls = (
        viz.Plane((-3.0, 3.0), (-2.0, 2.0), start=(1.0, -1.0)),
        viz.Slider("brightness", 0.0, 4.0, start=2.0),
        viz.Slider("which", labels=("first", "second")),
    )
    return viz.Explorer(pictures, *controls, captions=["one", "two"], alt="Two pictures that change.")


@pytest.fixture(scope="module")
def explorer():
    return make_explorer()


@pytest.fixture(scope="module")
def folder(script, explorer, tmp_path_factory):
    """A site of one page."""
    folder = tmp_path_factory.mktemp("site")
    script("explorers").write_runtime(folder / "_static")
    for name in ("explorer.js", "explorer.css"):
        shutil.copy(STATIC / name, folder / "_static")
    (folder / "page.html").write_text(PAGE.format(explorer=explorer._repr_html_()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def complains(line):
    """The advice about reading canvases is for these tests, which alone do so."""
    return line.type in ("error", "warning") and "willReadFrequently" not in line.text


@pytest.fixture
def opened(chromium, explorer):
    """Open a page, and note what it asks for and complains of. Whatever a test opens must neither fail nor ask elsewhere."""
    contexts, pages = [], []

    def open_page(address, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        notes = SimpleNamespace(page=page, asked=[], problems=[])
        page.on("request", lambda request: notes.asked.append(request.url))
        page.on("pageerror", lambda error: notes.problems.append(str(error)))
        page.on("console", lambda line: notes.problems.append(line.text) if complains(line) else None)
        page.goto(address)
        pages.append((notes, address))
        return notes

    yield open_page
    for context in contexts:
        context.close()
    for notes, address in pages:
        own = address.rpartition("/")[0]
        assert [url for url in notes.asked if not url.startswith((own, "blob:", "data:"))] == []
        assert notes.problems == []


@pytest.fixture(params=["http", "file"])
def address(request, folder, server):
    return f"{server}/page.html" if request.param == "http" else (folder / "page.html").as_uri()


@pytest.fixture
def file(folder):
    return (folder / "page.html").as_uri()


def ready(page):
    page.locator(".explorer").scroll_into_view_if_needed()
    page.wait_for_selector(".explorer-ready")
    return page.locator(".explorer-pad")


def check_canvas(page, canvas, picture):
    """A canvas comes to show a picture, three channels from 0 to 255, up to rounding."""
    levels = picture.transpose(1, 2, 0).flatten().tolist()
    try:
        page.wait_for_function(SHOWS, arg=[canvas.element_handle(), levels], timeout=10_000)
    except Late:
        assert canvas.evaluate(SHOWN) == pytest.approx(levels, abs=1)


def check_pixels(page, explorer, values):
    """The canvases come to show what Python computes for these values."""
    for canvas, picture in zip(page.locator(".explorer canvas").all(), explorer.pixels(values), strict=True):
        check_canvas(page, canvas, picture)


def at(pad, across, up):
    """The place on the screen of shares of the plane, and the two values there."""
    box = pad.bounding_box()
    x, y = round(box["x"] + across * box["width"]), round(box["y"] + (1 - up) * box["height"])
    shares = (x - box["x"]) / box["width"], 1 - (y - box["y"]) / box["height"]
    return (x, y), [6 * shares[0] - 3, 4 * shares[1] - 2]


def test_the_mouse_drags_the_point_and_the_canvas_shows_what_python_computes(opened, address, explorer):
    page = opened(address).page
    pad = ready(page)
    check_pixels(page, explorer, [1, -1, 2, 0])
    for across, up in ((0.2, 0.9), (0.55, 0.1), (0.8, 0.6)):
        start, _ = at(pad, 0.5, 0.5)
        (x, y), values = at(pad, across, up)
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(x, y, steps=4)
        page.mouse.up()
        page.mouse.move(*start)  # the button is up: nothing follows any more
        check_pixels(page, explorer, [*values, 2, 0])
        assert pad.get_attribute("aria-valuetext") == "z₁ = {:.2f}, z₂ = {:.2f}".format(*values).replace("-", "\u2212")


def test_a_point_that_is_dragged_out_stays_at_the_border(opened, file, explorer):
    page = opened(file).page
    pad = ready(page)
    (x, y), _ = at(pad, 0.5, 0.5)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 2000, y, steps=2)
    page.mouse.up()
    check_pixels(page, explorer, [-3, at(pad, 0.5, 0.5)[1][1], 2, 0])


def test_a_finger_drags_the_point_and_not_the_page(opened, address, explorer):
    page = opened(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).page
    pad = ready(page)
    pad.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    fingers = page.context.new_cdp_session(page)
    way = [at(pad, 0.3, 0.8), at(pad, 0.3, 0.5), at(pad, 0.4, 0.2)]
    for number, ((x, y), _) in enumerate(way):
        kind = "touchMove" if number else "touchStart"
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    check_pixels(page, explorer, [*way[-1][1], 2, 0])
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.evaluate("scrollY") == before > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_keyboard_moves_the_point_and_the_sliders(opened, address, explorer):
    page = opened(address).page
    ready(page)
    status = page.get_by_role("status").text_content()
    said = page.get_by_role("status").element_handle()
    said.evaluate(
        "status => { window.changes = 0; new MutationObserver(() => changes++).observe(status, {childList: true}); }"
    )
    point = page.get_by_role("slider", name="z₁, z₂", exact=True)
    point.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft", "Shift+ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    values = [1 + 2 * 0.12 - 0.6, -1 + 0.08 + 0.4 - 0.08]
    check_pixels(page, explorer, [*values, 2, 0])
    assert point.get_attribute("aria-valuetext") == "z₁ = 0.64, z₂ = \u22120.60"
    assert float(point.get_attribute("aria-valuenow")) == pytest.approx(values[0])
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    check_pixels(page, explorer, [*values, 1.96, 0])
    page.keyboard.press("Tab")
    assert page.get_by_label("which").get_attribute("aria-valuetext") == "first"
    page.keyboard.press("ArrowRight")
    check_pixels(page, explorer, [*values, 1.96, 1])
    assert page.get_by_label("which").get_attribute("aria-valuetext") == "second"
    point.press("Home")
    check_pixels(page, explorer, [1, -1, 1.96, 1])
    # What has moved says so itself; the line for news is not for that.
    assert (page.get_by_role("status").text_content(), page.evaluate("changes")) == (status, 0)


def test_nothing_is_loaded_before_the_reader_comes_near(opened, address, explorer):
    notes = opened(address)
    check_pixels(notes.page, explorer, [1, -1, 2, 0])  # these pictures come with the page
    assert not any("onnxruntime" in url for url in notes.asked)
    ready(notes.page)
    assert sum("onnxruntime" in url for url in notes.asked) == 2


def test_what_is_moved_while_the_model_loads_is_drawn_in_the_end(opened, file, explorer):
    page = opened(file).page
    page.locator(".explorer-pad").focus()  # this loads
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    check_pixels(page, explorer, [1, -0.6, 2, 0])


def test_without_javascript_there_is_the_picture(opened, file, explorer):
    page = opened(file, java_script_enabled=False).page
    assert page.get_by_role("img", name=explorer.alt).is_visible()
    assert page.locator("canvas, input, .explorer-pad").count() == 0


def test_paper_gets_the_picture(opened, file, explorer):
    page = opened(file).page
    ready(page)
    picture, parts = page.locator(".explorer > img"), page.locator(".explorer-parts")
    assert (picture.is_visible(), parts.is_visible()) == (False, True)
    page.emulate_media(media="print")
    assert (picture.is_visible(), parts.is_visible()) == (True, False)


@pytest.mark.parametrize("lacking", ["onnxruntime/wasm.js", "DecompressionStream", "WebAssembly"])
def test_what_cannot_run_leaves_the_picture_and_says_why(chromium, folder, explorer, lacking, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    context = chromium.new_context()
    page = context.new_page()
    if lacking.endswith(".js"):
        (tmp_path / "_static" / lacking).unlink()
    else:
        page.add_init_script(f"delete window.{lacking};")
    page.goto((tmp_path / "page.html").as_uri())
    page.locator(".explorer").scroll_into_view_if_needed()
    page.wait_for_selector(".explorer:not(.explorer-live)")
    assert page.get_by_role("img", name=explorer.alt).is_visible()
    said = page.get_by_role("status").text_content()
    assert re.fullmatch(r"The model cannot run here \(.{10,}\), so this is a picture\.", said), said
    assert lacking in said or "too old" in said
    assert page.locator("canvas").count() == 0
    context.close()


@pytest.mark.slow
def test_every_explorer_of_the_book_draws_what_its_model_computes(site, served, chromium):
    names = [name for name, soup in site.items() if soup.select(".explorer")]
    assert len(names) >= 7
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    for name in names:
        page = context.new_page()
        page.goto(f"{served}/{name.as_posix()}")
        for root in page.locator(".explorer").all():
            root.scroll_into_view_if_needed()
            root.and_(page.locator(".explorer-ready")).wait_for(timeout=60_000)
            settings = json.loads(root.get_attribute("data-explorer"))
            values, sliders = [], iter(root.locator("input[type=range]").all())
            for control in settings["controls"]:
                moved = root.locator(".explorer-pad") if "names" in control else next(sliders)
                moved.press("ArrowRight")
                if "names" in control:
                    low, high = control["x"]
                    values += [control["start"][0] + 0.02 * (high - low), control["start"][1]]
                else:
                    values.append(float(moved.input_value()))
            model = ReferenceEvaluator(load_from_string(base64.b64decode(settings["model"])))
            (result,) = model.run(None, {"values": np.array([values], dtype=np.float32)})
            low, high = settings["range"]
            levels = np.clip(255 * (result - low) / (high - low), 0, 255)
            if levels.shape[1] == 1:
                levels = levels.repeat(3, axis=1)
            for canvas, picture in zip(root.locator("canvas").all(), levels, strict=True):
                check_canvas(page, canvas, picture)
        page.close()
    context.close()


def test_the_runtime_is_that_of_the_package(script, tmp_path):
    script("explorers").write_runtime(tmp_path)
    text = (tmp_path / "onnxruntime" / "wasm.js").read_text(encoding="utf-8")
    files = json.loads(text.removeprefix("window.onnxruntimeFiles = ").removesuffix(";\n"))
    assert gzip.decompress(base64.b64decode(files["wasmGz"])).startswith(b"\0asm")
    assert "export default" in files["glue"]
    vendored = ROOT / "book" / "_vendor" / "onnxruntime-web"
    version = re.search(r"ONNX Runtime Web v([\d.]+)", (tmp_path / "onnxruntime" / "ort.wasm.min.js").read_text())[1]
    assert (vendored / "README.txt").read_text().startswith(f"onnxruntime-web {version}:")
    assert "Copyright (c) Microsoft Corporation" in (tmp_path / "onnxruntime" / "LICENSE").read_text()


def test_only_a_page_with_an_explorer_gets_the_script(script, tmp_path):
    script("explorers")
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    (source / "conf.py").write_text(f"extensions = ['explorers']\nhtml_static_path = [{str(STATIC)!r}]\n")
    (source / "index.rst").write_text("Plain\n=====\n\n.. toctree::\n\n   moving\n")
    (source / "moving.rst").write_text('Moving\n======\n\n.. raw:: html\n\n   <div class="explorer"></div>\n')
    Sphinx(source, source, out, tmp_path / "trees", "html", status=None, warningiserror=True).build()
    for name, expected in (("index", False), ("moving", True)):
        text = (out / f"{name}.html").read_text(encoding="utf-8")
        assert [f"_static/explorer.{kind}" in text for kind in ("js", "css")] == [expected] * 2
    assert {path.name for path in (out / "_static" / "onnxruntime").iterdir()} == {
        "LICENSE",
        "ort.wasm.min.js",
        "wasm.js",
    }
