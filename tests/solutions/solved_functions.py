"""The functions of an assignment's solution, for tests that compare them with something independent."""

import functools
from types import SimpleNamespace

from autograder import paths, source


@functools.cache
def functions(assignment: str) -> SimpleNamespace:
    """What the set-up and the solution cells of an assignment define, by name; no other cell is run.

    Args:
        assignment: the name of its folder, such as 01_linear.
    """
    (path,) = (path for path in paths.sources(paths.SOLUTIONS) if path.parent.name == assignment)
    names: dict[str, object] = {}
    for cell in source.load(path).cells:
        if cell.id == "setup" or source.kind_of(cell) == "solution":
            exec(cell.source, names)
    return SimpleNamespace(**names)
