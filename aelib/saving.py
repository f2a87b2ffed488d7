"""Trained models as files: weights in safetensors, and in the file's header the JSON that rebuilds the model."""

from pathlib import Path
from typing import Any

from torch import nn

from aelib.checkpoint import check_same, read, shapes, write
from aelib.core import Autoencoder
from aelib.models import build


def save(model: Autoencoder[Any], path: str | Path) -> None:
    """Write ``model`` to ``path``, whole or not at all.

    A model that :func:`aelib.models.build <aelib.models.factories.build>` made can be read back by :func:`load`. For one that
    you composed yourself, compose it again and use :func:`load_into`.
    """
    weights = model.state_dict()
    about = {"kind": "model", "model": type(model).__name__, "shapes": shapes(weights), "recipe": model.recipe}
    write(Path(path), weights, about)


def load(path: str | Path) -> Autoencoder[Any]:
    """The model that :func:`save` wrote, on the CPU.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or holds something else, or a model that was composed by hand.
    """
    _, about = read(Path(path))
    check_same(Path(path), about, {"kind": "model"})
    if about["recipe"] is None:
        raise ValueError(
            f"{path}: holds a {about['model']} that was composed by hand; compose it again and use load_into(model, path)"
        )
    model = build(**about["recipe"])
    load_into(model, path)
    return model


def load_into(model: nn.Module, path: str | Path) -> None:
    """Read weights that :func:`save` wrote into a model of the same kind and sizes.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or holds another kind of model, or one of other sizes; ``model`` is then unchanged.
    """
    tensors, about = read(Path(path))
    check_same(Path(path), about, {"kind": "model", "model": type(model).__name__})
    expected = shapes(model.state_dict())
    for name in sorted(expected.keys() | about["shapes"].keys()):
        if expected.get(name) != about["shapes"].get(name):
            raise ValueError(
                f"{path}: {name} has shape {about['shapes'].get(name)}; the model expects {expected.get(name)}. "
                "Build the model with the sizes it was saved with"
            )
    model.load_state_dict(tensors)
