"""Which cell of a submission is which cell of the assignment.

Normally its label says so. Some editors drop labels (Colab does), and then a cell is found by its id, by its text, by the
function that it defines, or by its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder import source
from autograder.intake_cells import Given

DEFINED = re.compile(r"^(?:async +)?(?:def|class) +(\w+)", re.MULTILINE)


@dataclass
class Matched:
    """What was found.

    Attributes:
        place: name of a cell of the assignment -> its position in the submission.
        unlabeled: the names of those that had no label.
    """

    place: dict[str, int] = field(default_factory=dict)
    unlabeled: list[str] = field(default_factory=list)


def match(given: list[Given], labeled: list[NotebookNode]) -> Matched:
    """Find the cells of an assignment among those of a submission.

    Args:
        given: the cells of the submission, in order.
        labeled: the cells of the released notebook that have a grade id, in order.
    """
    names = [name_of(cell) for cell in labeled]
    found = Matched()
    for position, cell in enumerate(given):
        if cell.name in names:
            found.place.setdefault(cell.name, position)
    for clue in (_by_id, _by_text, _by_definition, _by_place):
        used = set(found.place.values())
        # A cell that has the label of another one is a copy of that one.
        open_cells = {at: cell for at, cell in enumerate(given) if at not in used and cell.name not in names}
        if not open_cells or len(found.place) == len(names):
            break
        missing = {name: cell for name, cell in zip(names, labeled) if name not in found.place}
        for name, position in clue(missing, open_cells, names, found.place):
            if name not in found.place and position not in found.place.values():
                found.place[name] = position
                found.unlabeled.append(name)
    found.unlabeled.sort(key=names.index)
    return found


def name_of(cell: NotebookNode) -> str:
    """The grade id of a labeled cell."""
    return str(cell.metadata["nbgrader"]["grade_id"])


Missing = dict[str, NotebookNode]
Open = dict[int, Given]
Pairs = Iterator[tuple[str, int]]


def _by_id(missing: Missing, cells: Open, names: list[str], place: dict[str, int]) -> Pairs:
    return ((name, at) for name in missing for at, cell in cells.items() if name in cell.ids)


def _by_text(missing: Missing, cells: Open, names: list[str], place: dict[str, int]) -> Pairs:
    """Locked cells and tests, which students do not change."""
    positions: dict[tuple[str, str], list[int]] = {}
    for at, mine in cells.items():
        positions.setdefault((mine.cell_type, mine.text.strip()), []).append(at)
    for name, cell in missing.items():
        if source.kind_of(cell) in ("locked", "tests"):
            for at in positions.get((cell.cell_type, cell.source.strip()), [])[:1]:
                yield name, at


def _by_definition(missing: Missing, cells: Open, names: list[str], place: dict[str, int]) -> Pairs:
    """Solutions, by a function that the stub of one solution alone defines."""
    owners: dict[str, list[str]] = {}
    for name, cell in missing.items():
        if source.kind_of(cell) == "solution":
            for defined in DEFINED.findall(cell.source):
                owners.setdefault(defined, []).append(name)
    for at, mine in cells.items():
        for defined in DEFINED.findall(mine.text):
            if len(owners.get(defined, [])) == 1:
                yield owners[defined][0], at


def _by_place(missing: Missing, cells: Open, names: list[str], place: dict[str, int]) -> Pairs:
    """What a student writes, where it stands directly behind the cell that it was released behind."""
    for name, cell in missing.items():
        before = names.index(name) - 1
        at = place.get(names[before], -2) + 1 if before >= 0 else 0
        if source.kind_of(cell) in ("solution", "answer") and at in cells and cells[at].cell_type == cell.cell_type:
            yield name, at
