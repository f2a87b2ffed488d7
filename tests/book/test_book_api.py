"""The API page shows all of the library."""

import re

from book_pages import ROOT

# Shown through the package that exports their names.
THROUGH_PACKAGE = ("aelib.data.", "aelib.metrics.", "aelib.viz.")


def test_every_module_is_on_the_page():
    page = (ROOT / "book/reference/api.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"automodule:: (\S+)", page))
    paths = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "aelib").rglob("*.py")]
    modules = {".".join(path.parts).removesuffix(".__init__") for path in paths} - {"aelib"}
    assert {name for name in modules if not name.startswith(THROUGH_PACKAGE)} <= shown <= modules
