"""Values that a hidden test handed out, read without trusting them: JSON in, numpy and plain Python out."""

import base64
import binascii
import builtins
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = {f"<{kind}" for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")} | {
    *("|b1", "|i1", "|u1", "<b1")
}
KNOWN_TYPES = ("Tensor", "Parameter", "Module", "Generator", "ndarray", "Dataset")
"""Types of which a message may tell the name. Any other name could be a text that the student's process made up."""

MOST_BYTES = 16 << 20
DEPTH = 8


class ValuesError(ValueError):
    """What was handed out has not the form of a value."""


class Other:
    """A value of a type that tests do not know.

    Attributes:
        name: the name of its type.
    """

    def __init__(self, name: str) -> None:
        self.name = name


def decode(given: Any, depth: int = DEPTH) -> Any:
    """The value that ``probing.encode`` wrote: an array, a text or None, a list, a dict, or an ``Other``.

    Raises:
        ValuesError: if it is anything else.
    """
    if depth < 0:
        raise ValuesError("nested too deeply")
    match given:
        case {"array": str(dtype), "shape": list(shape), "data": str(data)} if len(given) == 3:
            return _array(dtype, shape, data)
        case {"text": str() | None as text} if len(given) == 1:
            return text
        case {"items": list(items)} if len(given) == 1:
            return [decode(item, depth - 1) for item in items]
        case {"entries": list(entries)} if len(given) == 1:
            return dict(_entry(entry, depth) for entry in entries)
        case {"other": str(name)} if len(given) == 1:
            return Other(name if hasattr(builtins, name) or name in KNOWN_TYPES else "object")
    raise ValuesError("not the form of a value")


def named(given: Any) -> list[tuple[str, Any]]:
    """The values of a hidden test in their order, each with its name.

    Raises:
        ValuesError: if they have not the form in which ``probing.run`` hands them out.
    """
    if not isinstance(given, dict) or not isinstance(given.get("values"), list):
        raise ValuesError("no list of values")
    return [_entry(entry, DEPTH) for entry in given["values"]]


def _entry(entry: Any, depth: int) -> tuple[str, Any]:
    if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
        raise ValuesError("a value without a name")
    return entry[0], decode(entry[1], depth - 1)


def _array(dtype: str, shape: list[Any], data: str) -> NDArray[Any]:
    if dtype not in DTYPES or len(shape) > 8 or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise ValuesError("not an array of numbers")
    kind = np.dtype(dtype)
    # An empty array too: its other sides may be too long for numpy.
    if math.prod(max(n, 1) for n in shape) * kind.itemsize > MOST_BYTES or len(data) > 2 * MOST_BYTES:
        raise ValuesError("an array that is too large")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValuesError("an array without its numbers") from error
    if len(content) != math.prod(shape) * kind.itemsize:
        raise ValuesError("an array with too few or too many numbers")
    return np.frombuffer(content, kind).reshape(shape)
