"""Pages that stand alone: one file, no script, and a browser that is told to run none and to ask no other host for anything."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.safe_markdown import inline, markdown

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **facts: Any) -> str:
    """The page that a file in ``templates/`` makes of some facts; every text in them is escaped that is not ``Markup``."""
    return _environment().get_template(template).render(facts)


def number(value: float) -> str:
    """A number of points, as one would write it: 2, 1.33, 0.5."""
    return f"{round(value, 2):g}"


def policy(style: str) -> str:
    """The Content-Security-Policy of a page: of all that a page can do, only its own style and pictures that are part of it."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> Environment:
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"style": style, "policy": policy(style)}
    environment.filters["number"] = number
    environment.filters["markdown"] = lambda text: Markup(markdown(text))
    environment.filters["inline"] = lambda text: Markup(inline(text))
    return environment
