"""Files that hold weights. They are written whole or not at all, and loading one never runs code from it."""

import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

FORMAT = 1
"""Goes up when the layout of a file changes."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path``; whatever happens, the file holds either what it held before or all of ``state``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save({"format": FORMAT, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_checkpoint(path: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote, if it belongs to ``identity``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, of another format, or made by another model, config or data set; the message names
            what differs.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        file_format, found = state["format"], state["identity"]
    except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path}: not a whole checkpoint of aelib ({error}); delete it to start anew") from error
    if file_format != FORMAT:
        raise ValueError(f"{path}: has format {file_format}; this version of aelib reads format {FORMAT}")
    for name, wanted in identity.items():
        if found.get(name) != wanted:
            raise ValueError(
                f"{path}: made with {name}={found.get(name)!r}; this run has {name}={wanted!r}. "
                "Name another file, or delete this one to start anew"
            )
    loaded: dict[str, Any] = state
    return loaded


def save(model: nn.Module, path: str | Path) -> None:
    """Write the weights of ``model`` to ``path``, whole or not at all."""
    save_checkpoint(Path(path), {"identity": {"model": type(model).__name__}, "model": model.state_dict()})


def load(model: nn.Module, path: str | Path) -> None:
    """Read weights that :func:`save` wrote, or a checkpoint of :func:`aelib.training.fit`, into ``model``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or holds another kind of model, or one of other sizes; ``model`` is then unchanged.
    """
    state = load_checkpoint(Path(path), {"model": type(model).__name__})["model"]
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in state.items()}
    for name in sorted(expected.keys() | given.keys()):
        if expected.get(name) != given.get(name):
            raise ValueError(
                f"{path}: {name} has shape {given.get(name)}; the model expects {expected.get(name)}. "
                "Build the model with the sizes it was saved with"
            )
    model.load_state_dict(state)
