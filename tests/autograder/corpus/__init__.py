"""Hostile, broken and honest submissions to one small assignment, each with what must come of it."""

from . import broken, honest, hostile_marks, hostile_resources, hostile_secrets
from .assignment import CANARY, FULL, NAME, WRONG, Material, material
from .case import Case

CASES: list[Case] = [
    *hostile_marks.CASES,
    *hostile_secrets.CASES,
    *hostile_resources.CASES,
    *broken.CASES,
    *honest.CASES,
]

__all__ = ["CANARY", "CASES", "FULL", "NAME", "WRONG", "Case", "Material", "material"]
