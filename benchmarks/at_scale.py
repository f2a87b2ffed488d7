"""The questions of the chapters asked again of real data in full size: MNIST, Fashion-MNIST and ECG5000.

AELIB_DATA_DIR names the folder with the files. Where the 60,000 training images of MNIST are not there, its 10,000 test images
are split, and the result says so. Each run is written down when it is done; a table that was interrupted goes on from its file:
runs that are there are kept, failed ones are tried again.
"""

import argparse
import functools
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import at_scale_beats
import at_scale_images
import report
import seeded_runs
import torch
from at_scale_beats import METHODS
from at_scale_images import DATA, FOREIGN
from at_scale_training import QUICK, Settings

from aelib.data import ecg5000, mnist

WORK: dict[str, Callable[..., at_scale_images.Result]] = {
    "codes": at_scale_images.codes,
    "vae": at_scale_images.vae,
    "denoising": at_scale_images.denoising,
    "labels": at_scale_images.labels,
    "beats": at_scale_beats.beats,
}
"""What a run does."""


class Table(NamedTuple):
    """The kinds of runs that a table takes its rows from, and the metrics that are its columns."""

    work: tuple[str, ...]
    columns: tuple[str, ...]


TABLES = {
    "codes": Table(("codes",), ("mse", "explained_variance", "knn")),
    "denoising": Table(("denoising",), ("mse",)),
    "vae": Table(
        ("vae",),
        (
            "negative_elbo",
            "negative_elbo_first",
            "nll",
            "kl",
            "active_units",
            "negative_elbo_foreign",
            "auroc_foreign",
        ),
    ),
    "labels": Table(("labels", "codes", "vae"), ("few_labels",)),
    "ecg_anomaly": Table(("beats",), ("auroc", "auprc")),
    "ecg_reconstruction": Table(("beats",), ("mse_normal", "mse_abnormal")),
}
METRICS = {
    "mse": "mean squared error per pixel of the test images, gray levels from 0 to 1",
    "explained_variance": "share of the variance of the test images that the code keeps",
    "knn": "test accuracy of the 5 nearest training codes",
    "negative_elbo": "-ELBO in nats per test image, one draw of the code each",
    "negative_elbo_first": "the same for the images of which nll is the estimate",
    "nll": "-log p(x) in nats per image by importance sampling, for the first test images",
    "kl": "KL(q(z | x) || p(z)) in nats per test image",
    "active_units": "values of the code with a variance of the posterior mean above 0.01",
    "negative_elbo_foreign": "-ELBO of the other data set's test images",
    "auroc_foreign": "how well -ELBO tells the other data set's test images from the own ones; 1/2 is chance",
    "few_labels": "test accuracy of a logistic regression from a few labels of each class",
    "auroc": "how well the score tells abnormal beats from held-out normal ones",
    "auprc": "the same as average precision",
    "mse_normal": "mean squared error per sample of held-out normal beats",
    "mse_abnormal": "the same of abnormal beats",
}
"""column -> what it is."""

MODELS = {
    "nothing": "the noisy image itself",
    "linear": "the best affine map from noisy to clean training images, over all noise, in closed form",
    "pixels": "the gray levels themselves",
    "pca": "principal components of the training part, in closed form",
    "undercomplete": "images: 784-256-64-code-64-256-784; beats: 140-128-64-code-64-128-140; ReLU, squared error",
    "denoising": "784-512-128-512-784, ReLU, squared error, trained on fresh noise",
    "vae": "784-400-code-400-784, ReLU, Bernoulli, on images binarized once",
    "sequence_transformer": "one-layer Transformers of width 32 read and write a beat as 35 steps of four samples, squared error",
    "mahalanobis": "the Mahalanobis distance from the normal training beats in the code of PCA",
    "isolation_forest": "scikit-learn's IsolationForest with its own settings, on the samples of a beat",
}
"""method -> what it is; the order of rows."""

ORDER = {"data": [*DATA, "ecg5000"], "method": list(MODELS)}


class Task(NamedTuple):
    """One run: what it does, on which data, how, with codes of which size, and its seed."""

    work: str
    data: str
    method: str
    latent_dim: int | None
    seed: int


def tasks(seeds: int, splits: int, settings: Settings) -> list[Task]:
    """All runs, seed by seed; of one seed those that take long first."""
    pairs = [(data, seed) for seed in range(seeds) for data in reversed(DATA)]
    dims = settings.latent_dims
    made = [
        *(Task("vae", data, "vae", settings.vae_dim, seed) for data, seed in pairs),
        *(Task("denoising", data, "denoising", settings.denoising_dim, seed) for data, seed in pairs),
        *(Task("codes", data, "undercomplete", k, seed) for data, seed in pairs for k in dims),
        *(Task("codes", data, "pca", k, seed) for data, seed in pairs for k in dims),
        *(Task("denoising", data, method, None, seed) for data, seed in pairs for method in ("linear", "nothing")),
        *(Task("labels", data, "pixels", None, seed) for data, seed in pairs),
        *(
            Task("beats", "ecg5000", method, None if method == "isolation_forest" else settings.beats_dim, seed)
            for seed in range(splits)
            for method in METHODS
        ),
    ]
    return sorted(made, key=lambda task: task.seed)


def run_one(
    work: str, data: str, method: str, latent_dim: int | None, seed: int, *, settings: Settings, device: str
) -> seeded_runs.Run:
    """Do one task on one thread. An error becomes part of the result."""
    torch.set_num_threads(1)
    start = time.process_time()
    try:
        found, training = WORK[work](data, method, latent_dim, seed, settings, device)
    except Exception as error:  # whatever it is, the other runs go on
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        return failed(work, data, method, latent_dim, seed, text)
    return {
        **Task(work, data, method, latent_dim, seed)._asdict(),
        "error": None,
        "metrics": {name: value if value is None else report.significant(value, 6) for name, value in found.items()},
        "training": training,
        "CPU seconds": report.significant(time.process_time() - start),
    }


def failed(work: str, data: str, method: str, latent_dim: int | None, seed: int, error: str) -> seeded_runs.Run:
    return {**Task(work, data, method, latent_dim, seed)._asdict(), "error": error, "metrics": {}, "training": None}


def task_of(run: seeded_runs.Run) -> Task:
    return Task(*(run[name] for name in Task._fields))


def place(run: seeded_runs.Run) -> tuple[Any, ...]:
    """Where a row of a table stands, and by it a run."""
    return (*(names.index(run[key]) for key, names in ORDER.items()), run["latent_dim"] or 0)


def tables(runs: list[seeded_runs.Run]) -> dict[str, list[dict[str, Any]]]:
    """table -> its rows: data, method, size of the code, and for each column mean, standard deviation and number of seeds."""
    made = {}
    for name, table in TABLES.items():
        groups: dict[tuple[str, str, int | None], list[dict[str, float]]] = {}
        for run in sorted(runs, key=place):
            if run["error"] is None and run["work"] in table.work and table.columns[0] in run["metrics"]:
                groups.setdefault((run["data"], run["method"], run["latent_dim"]), []).append(run["metrics"])
        made[name] = [
            {
                "data": data,
                "method": method,
                "latent_dim": latent_dim,
                **{column: seeded_runs.spread([one[column] for one in mine]) for column in table.columns},
            }
            for (data, method, latent_dim), mine in groups.items()
        ]
    return made


def settings_for(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Settings:
    """The sizes, which depend on whether the whole of MNIST is there; ends the program if other files are missing."""
    whole = True
    try:
        mnist("train")
    except ConnectionError:
        whole = False
    settings = Settings(whole, **(QUICK if options.quick else {}))
    try:
        for data in DATA:
            at_scale_images.load(data, settings)
        ecg5000()
    except ConnectionError as error:
        parser.error(str(error))
    return settings


def sizes(settings: Settings) -> dict[str, dict[str, int]]:
    """data -> how many examples each part has."""
    found = {}
    for data in DATA:
        parts = at_scale_images.load(data, settings)
        found[data] = {name: len(part) for name, part in vars(parts).items()}
    names = ("train", "validation", "test", "abnormal")
    beats = at_scale_beats.parts(0, settings)
    return found | {"ecg5000": dict(zip(names, map(len, beats), strict=True))}


def make(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Do all runs that are not there yet, and write the file after each."""
    settings = settings_for(options, parser)
    same = {
        "quick": options.quick,
        "settings": vars(settings),
        "examples": sizes(settings),
        "metrics": METRICS,
        "foreign": FOREIGN,
    }
    runs = seeded_runs.before(options, parser, same)
    work = {kind for name in options.only or TABLES for kind in TABLES[name].work}
    chosen = [task for task in tasks(options.seeds, options.splits, settings) if task.work in work]
    there = {task_of(run) for run in runs}
    missing = [task for task in chosen if task not in there]
    do = functools.partial(run_one, settings=settings, device=options.device)
    return seeded_runs.complete(
        {**report.about(options), **same, "methods": MODELS},
        runs,
        seeded_runs.finished(missing, do, failed, options.jobs),
        len(missing),
        order=lambda run: (list(WORK).index(run["work"]), *place(run), run["seed"]),
        table=tables,
        out=options.out,
    )


def main(arguments: list[str] | None = None) -> None:
    torch.set_num_threads(1)
    parser = report.parser(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each model of images, with seeds from 0")
    parser.add_argument("--splits", type=int, default=10, help="the same of heartbeats, each with its own split")
    parser.add_argument("--only", nargs="+", choices=TABLES, metavar="TABLE", help="some tables instead of all")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one thread")
    options = report.chosen(parser, arguments)
    for name in ("seeds", "splits", "jobs"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: got {getattr(options, name)}; expected 1 or more")
    report.write(options.out, make(options, parser))


if __name__ == "__main__":
    main()
