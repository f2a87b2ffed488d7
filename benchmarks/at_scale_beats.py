"""The at-scale tables on heartbeats: how well a code of normal beats keeps them, and what it says of others."""

from typing import Any

import torch
from at_scale_images import Result
from at_scale_training import Settings, trained
from sklearn.ensemble import IsolationForest
from torch import Tensor

from aelib import metrics
from aelib.data import ecg5000
from aelib.models import LinearAE, build

RECONSTRUCTING = ("pca", "undercomplete", "sequence_transformer")
METHODS = (*RECONSTRUCTING, "mahalanobis", "isolation_forest")
SHAPES = {"undercomplete": (140,), "sequence_transformer": (35, 4)}
"""model -> what it takes a beat of 140 samples for: as it is, or 35 steps of four samples."""


def parts(seed: int, settings: Settings) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Normal beats to fit on, to choose the epoch by and to test on, and all others; another split for each seed."""
    beats = ecg5000()
    normal = beats.labels["beat"] == 0
    seen, test = (group := beats.take(normal)).split(len(group) - round(settings.normal * len(group)), seed=seed)
    train, validation = seen.split(round(settings.beats_validation * len(seen)), seed=seed)
    return train.x, validation.x, test.x, beats.x[~normal]


def principal(x: Tensor, latent_dim: int) -> LinearAE:
    model = LinearAE(x.shape[1:], latent_dim)
    model.fit_closed_form(x)
    return model.eval()


@torch.no_grad()
def beats(data: str, method: str, latent_dim: int | None, seed: int, settings: Settings, device: str) -> Result:
    """Scores from normal beats alone: a reconstruction's error, a distance in the code of PCA, or an isolation forest's."""
    train, validation, *tested = parts(seed, settings)
    training: dict[str, Any] | None = None
    if method == "isolation_forest":
        forest = IsolationForest(random_state=seed).fit(train.numpy())
        normal, abnormal = (torch.from_numpy(-forest.score_samples(x.numpy())) for x in tested)
    elif method == "mahalanobis":
        model = principal(train, settings.beats_dim)
        variance = model.encode(train).var(0)
        normal, abnormal = ((model.encode(x).square() / variance).sum(1) for x in tested)
    else:
        if method == "pca":
            model, shape = principal(train, settings.beats_dim), (140,)
        else:
            shape = SHAPES[method]
            with torch.enable_grad():
                model, training = trained(
                    lambda: build(method, shape, settings.beats_dim),
                    train.reshape(-1, *shape),
                    validation.reshape(-1, *shape),
                    settings.for_beats(seed),
                    device,
                )
        shaped = [x.reshape(-1, *shape) for x in tested]
        normal, abnormal = (metrics.squared_error(x, model.decode(model.encode(x))) for x in shaped)
    found: dict[str, float | None] = {
        "auroc": metrics.auroc(normal, abnormal),
        "auprc": metrics.auprc(normal, abnormal),
    }
    if method in RECONSTRUCTING:
        values = train.shape[1]
        found |= {"mse_normal": normal.mean().item() / values, "mse_abnormal": abnormal.mean().item() / values}
    return found, training
