"""Pictures that a student pasted into a cell, such as a derivation on paper: kept if they are nothing but pictures."""

import base64
import binascii
import re
from typing import Any

# A picture that can hold code (SVG) is none of these, and what is called a picture must begin as one.
BEGINNINGS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")


def pictures(attachments: dict[Any, Any]) -> dict[str, dict[str, str]]:
    """Those attachments of a cell that are pictures under a harmless name: name -> type -> base64."""
    kept = {}
    for name, types in attachments.items():
        if NAME.fullmatch(name) and isinstance(types, dict):
            good = {kind: _base64(data) for kind, data in types.items() if kind in BEGINNINGS}
            if good and all(_is(kind, data) for kind, data in good.items()):
                kept[name] = good
    return kept


def _base64(data: Any) -> str:
    """A text that may be given in lines."""
    lines = data if isinstance(data, list) else [data]
    return "".join(line.replace("\n", "") for line in lines if isinstance(line, str))


def _is(kind: str, data: str) -> bool:
    try:
        return base64.b64decode(data, validate=True).startswith(BEGINNINGS[kind])
    except (binascii.Error, ValueError):
        return False
