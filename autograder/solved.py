"""The solution notebooks, executed: what a student who makes no mistake sees, and what a second run must give again."""

import tempfile
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from autograder import notebooks, paths, source

CELL_SECONDS = 60


class SolutionError(RuntimeError):
    """A cell of a solution notebook failed; says which one, and how."""


def write_all(solutions: Path, folder: Path) -> list[Path]:
    """Run the source notebook of every assignment in a kernel of its own, and write it with its outputs.

    Args:
        solutions: where the sources are.
        folder: where the executed notebooks go, as ``NN_topic/NAME.ipynb``.

    Raises:
        SourceError: if a source breaks a rule of the format.
        SolutionError: if a cell fails.
    """
    written = []
    for path in paths.sources(solutions):
        notebook = source.without_hidden_tests(source.load(path))
        with tempfile.TemporaryDirectory() as workplace:  # a notebook may rely on no file that lies about
            client = NotebookClient(
                notebook,
                timeout=CELL_SECONDS,
                extra_arguments=["--log-level=ERROR"],
                resources={"metadata": {"path": workplace}},
            )
            try:
                client.execute()
            except CellExecutionError as error:
                failed = next(
                    c.id for c in notebook.cells if any(o.output_type == "error" for o in c.get("outputs", []))
                )
                where = f"{path.parent.name}/{path.name}, cell {failed}"
                raise SolutionError(f"{where}: {error.ename}: {error.evalue}") from error
        target = folder / path.parent.name / f"{path.stem}.ipynb"
        paths.write(target, notebooks.to_text(notebook))
        written.append(target)
    return written
