"""Outputs of a cell as a student's process gave them, made safe to be stored: nothing is believed of their form."""

from typing import Any

from nbformat import NotebookNode

SHORT = 200  # characters of an error's name


def clean(given: Any) -> list[NotebookNode]:
    """Those outputs that have the form of an output, with nothing else in them."""
    cleaned = (_clean(output) for output in given if isinstance(output, dict)) if isinstance(given, list) else ()
    return [output for output in cleaned if output is not None]


def without_verdict(given: list[NotebookNode]) -> list[NotebookNode]:
    """The same to look at, but nothing that nbgrader would take for a mark: no error, no result, nothing on stderr."""
    return [_plain(output) for output in given]


def error(name: str, message: str) -> NotebookNode:
    """An error without a traceback."""
    return NotebookNode(output_type="error", ename=name, evalue=message, traceback=[f"{name}: {message}"])


def _clean(output: dict[str, Any]) -> NotebookNode | None:
    match output:
        case {"output_type": "stream", "name": "stdout" | "stderr" as name, "text": str(text)}:
            return NotebookNode(output_type="stream", name=name, text=text)
        case {"output_type": "error", "ename": str(name), "evalue": str(message), "traceback": list(lines)}:
            traceback = [line for line in lines if isinstance(line, str)]
            return NotebookNode(output_type="error", ename=name[:SHORT], evalue=message, traceback=traceback)
        case {"output_type": "display_data" | "execute_result", "data": dict(data)}:
            # Text and base64 are strings. What is not, such as the JSON of widgets, no feedback page shows.
            texts = {kind: text for kind, text in data.items() if isinstance(kind, str) and isinstance(text, str)}
            return NotebookNode(output_type="display_data", data=NotebookNode(texts), metadata=NotebookNode())
    return None


def _plain(output: NotebookNode) -> NotebookNode:
    if output.output_type == "stream":
        return NotebookNode(output_type="stream", name="stdout", text=output.text)
    if output.output_type == "error":
        text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
        return NotebookNode(output_type="stream", name="stdout", text=text)
    return output
