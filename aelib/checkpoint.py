"""Files of tensors with a JSON beside them: safetensors, written whole or not at all. Reading one never runs code from it."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

FORMAT = 1
"""Goes up when the layout of a file changes."""

_KEY = "aelib"


def write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors, and ``about`` as JSON in the file's header.

    Whatever happens, the file then holds either all of it or what it held before.
    """
    header = {_KEY: json.dumps({"format": FORMAT, **about})}
    content = safetensors.torch.save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, header)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The (tensors, about) that :func:`write` wrote.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, is something else, or has another format.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except (safetensors.SafetensorError, KeyError, ValueError, OSError) as error:
        raise ValueError(f"{path}: not a whole file of aelib ({error}); delete it to start anew") from error
    if about.get("format") != FORMAT:
        raise ValueError(f"{path}: has format {about.get('format')!r}; this version of aelib reads format {FORMAT}")
    return tensors, about


def check_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Check that a file belongs to what it is about to be read into.

    Raises:
        ValueError: naming the first thing that differs, in both versions.
    """
    for name, value in wanted.items():
        if found.get(name) != value:
            raise ValueError(
                f"{path}: made with {name}={found.get(name)!r}; this one has {name}={value!r}. "
                "Name another file, or delete this one to start anew"
            )


def shapes(tensors: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """Name -> shape, as JSON gives it back."""
    return {name: list(value.shape) for name, value in tensors.items()}
