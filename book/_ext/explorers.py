"""What pages with an explorer (``aelib.viz.Explorer``) load: a script, a style sheet, and onnxruntime-web.

A page that is opened as a file may load scripts and nothing else. So the WebAssembly of onnxruntime-web becomes a script too,
which holds it as text.
"""

import base64
import json
import shutil
from pathlib import Path

from contents import ROOT
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

VENDORED = ROOT / "book" / "_vendor" / "onnxruntime-web"


def write_runtime(static: Path) -> None:
    """Write onnxruntime-web below the folder of static files, as scripts."""
    folder = static / "onnxruntime"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ort.wasm.min.js", "LICENSE"):
        shutil.copyfile(VENDORED / name, folder / name)
    glue = (VENDORED / "ort-wasm-simd-threaded.mjs").read_text(encoding="utf-8")
    wasm = base64.b64encode((VENDORED / "ort-wasm-simd-threaded.wasm.gz").read_bytes()).decode()
    text = f"window.onnxruntimeFiles = {json.dumps({'glue': glue, 'wasmGz': wasm})};\n"
    (folder / "wasm.js").write_text(text, encoding="utf-8")


def add_to_page(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: nodes.document | None
) -> None:
    """Only a page with an explorer gets the script."""
    if '<div class="explorer"' in str(context.get("body", "")):
        app.add_css_file("explorer.css")
        app.add_js_file("explorer.js", loading_method="defer")


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write what pages load only when a reader comes to an explorer."""
    if error is None and app.builder.format == "html":
        write_runtime(Path(app.outdir) / "_static")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register both."""
    app.connect("html-page-context", add_to_page)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
