"""What had to be put right in the cells of a submission, in words for its author."""

from collections.abc import Iterable

from nbformat import NotebookNode

from autograder import source
from autograder.intake_cells import Given
from autograder.intake_matching import Matched, name_of

MOST_NAMES = 8


def notes_on(given: list[Given], labeled: list[NotebookNode], matched: Matched) -> list[str]:
    """One sentence for each kind of thing that was put right.

    Args:
        given: the cells of the submission.
        labeled: the cells of the released notebook that have a grade id.
        matched: which is which.
    """
    names = [name_of(cell) for cell in labeled]
    changed, retyped, relabeled = [], [], []
    for cell in labeled:
        if name_of(cell) in matched.place:
            mine = given[matched.place[name_of(cell)]]
            if any(cell.metadata["nbgrader"].get(key) != value for key, value in mine.label.items()):
                relabeled.append(name_of(cell))
            if mine.cell_type != cell.cell_type:
                retyped.append(name_of(cell))
            elif source.kind_of(cell) in ("locked", "tests") and mine.text.strip() != cell.source.strip():
                changed.append(name_of(cell))
    own = [cell for position, cell in enumerate(given) if position not in set(matched.place.values())]
    labels = {cell.name for cell in own}
    sentences = {
        "These cells were missing and were put back: {}.": [name for name in names if name not in matched.place],
        "These cells are not as they were released, so the released ones were used: {}.": changed,
        "The labels of these cells say something else than the released ones, which were used: {}.": relabeled,
        "These cells had become cells of another type and were changed back: {}.": retyped,
        "These cells are there more than once; the first counts, the others were only run: {}.": [
            name for name in names if name in labels
        ],
        "The labels of these cells were lost, so they were found by what is in them: {}.": matched.unlabeled,
    }
    notes = [sentence.format(_listed(about)) for sentence, about in sentences.items() if about]
    if any(any(cell.label.values()) and cell.name not in names for cell in own):
        notes.append("There are cells with a label that the assignment does not have; they were taken for your own.")
    if not _increases(matched.place[name] for name in names if name in matched.place):
        notes.append("The cells were put back in the order of the assignment.")
    return notes


def _listed(names: list[str]) -> str:
    rest = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _increases(numbers: Iterable[int]) -> bool:
    listed = list(numbers)
    return listed == sorted(listed)
