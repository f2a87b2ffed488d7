"""How a value that a hidden test handed out is judged: each check gives "" for one that passes, and else what is wrong with it.

A check takes the value, the one that the solution gave in the same place, and what its CHECK line says. Messages are for students
and tell neither inputs nor right values.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.values import Other

Check = Callable[..., str]


def close(value: Any, expected: Any, *, rtol: float = 1e-6, atol: float = 1e-6) -> str:
    """The same, up to rounding: |value - expected| <= atol + rtol |expected|, and of the same shape. The default."""
    wrong = _form(value, expected)
    if wrong or not isinstance(expected, np.ndarray):
        return wrong or ("" if isinstance(expected, (list, dict)) or value == expected else "is another one")
    value = value.reshape(expected.shape)
    if np.isnan(value).any() and not np.isnan(expected).any():
        return "has NaN in it"
    with np.errstate(all="ignore"):
        near = np.isclose(value, expected, rtol=rtol, atol=atol, equal_nan=True)
        if near.all():
            return ""
        off = np.abs(value.astype(complex) - expected.astype(complex))[~near].max()
    return f"differs in {int((~near).sum())} of {near.size} numbers, by up to {off:.2g}"


def shape(value: Any, expected: Any) -> str:
    """Of the same shape, whatever its numbers are."""
    return _form(value, expected)


def finite(value: Any, expected: Any) -> str:
    """Of the same shape, without NaN and infinities."""
    return _form(value, expected) or ("" if np.isfinite(value).all() else "has NaN or infinities in it")


def non_negative(value: Any, expected: Any, *, atol: float = 0.0) -> str:
    """Of the same shape, and nowhere below zero."""
    return _form(value, expected) or ("" if (value >= -atol).all() else "is negative somewhere")


def increasing(value: Any, expected: Any, *, atol: float = 0.0) -> str:
    """Of the same shape, and never smaller than the number before it along the last axis."""
    return _form(value, expected) or (
        "" if (value[..., 1:] >= value[..., :-1] - atol).all() else "does not increase everywhere"
    )


def decreasing(value: Any, expected: Any, *, atol: float = 0.0) -> str:
    """Of the same shape, and never larger than the number before it along the last axis."""
    return _form(value, expected) or (
        "" if (value[..., 1:] <= value[..., :-1] + atol).all() else "does not decrease everywhere"
    )


def at_most(value: Any, expected: Any, *, bound: float = 0.0, times: float = 0.0) -> str:
    """Nowhere above ``bound + times * expected``: above a number, or above so many times what the solution has."""
    return _form(value, expected) or ("" if (value <= bound + times * expected).all() else "is too large")


def at_least(value: Any, expected: Any, *, bound: float = 0.0, times: float = 0.0) -> str:
    """Nowhere below ``bound + times * expected``."""
    return _form(value, expected) or ("" if (value >= bound + times * expected).all() else "is too small")


def up_to_sign(value: Any, expected: Any, *, rtol: float = 1e-6, atol: float = 1e-6) -> str:
    """The same up to rounding, or its negative is."""
    return close(value, expected, rtol=rtol, atol=atol) and close(-value, expected, rtol=rtol, atol=atol)


def squared_error(value: Any, expected: Any, *, to: Any, times: float, bound: float = 0.0, least: float = 0.5) -> str:
    """Its mean squared distance to the solution's value ``to`` is at most ``bound + times`` the solution's own.

    Nor is it less than ``least`` times that: what comes so close is ``to`` itself, handed out in the place of a result.
    """
    wrong = _form(value, expected)
    if wrong:
        return wrong
    own, best = (float(np.mean(np.abs(one.reshape(to.shape) - to) ** 2)) for one in (value, expected))
    if own < least * best:
        return f"leaves an error of {own / best:.3g} times what can be reached, which no result can"
    return "" if own <= bound + times * best else f"leaves an error of {own / best:.3g} times what can be reached"


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        *(close, shape, finite, non_negative, increasing, decreasing),
        *(at_most, at_least, up_to_sign, squared_error),
    )
}
"""Every check by the name that CHECK lines have for it."""


def validate(name: str, arguments: Mapping[str, Any]) -> None:
    """Check that there is such a check and that it takes these arguments.

    Raises:
        ValueError: if there is not.
        TypeError: if it does not.
    """
    if name not in CHECKS:
        raise ValueError(f"expected one of {', '.join(CHECKS)}")
    inspect.signature(CHECKS[name]).bind(None, None, **arguments)


def _form(value: Any, expected: Any) -> str:
    """What is wrong with the type or the shape of a value; "" if nothing is, and then lists and dicts are compared whole."""
    if isinstance(value, Other):
        return f"is of the type {value.name}"
    if isinstance(expected, np.ndarray):
        if not isinstance(value, np.ndarray):
            return "is no tensor and no number"
        one_number = expected.size == 1 and value.size == 1 and expected.ndim == 0
        if value.shape != expected.shape and not one_number:
            return f"has the shape {value.shape}; expected {expected.shape}"
        return ""
    if type(value) is not type(expected):
        return "is of another type"
    if isinstance(expected, list):
        if len(value) != len(expected):
            return f"has {len(value)} parts; expected {len(expected)}"
        parts = ((f"part {i + 1} ", a, b) for i, (a, b) in enumerate(zip(value, expected)))
    elif isinstance(expected, dict):
        if value.keys() != expected.keys():
            return "has other keys"
        parts = ((f"under {key!r} ", value[key], expected[key]) for key in expected)
    else:
        return ""
    return next((f"{where}{wrong}" for where, a, b in parts if (wrong := close(a, b))), "")
