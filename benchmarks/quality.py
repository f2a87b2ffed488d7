"""The quality table: every variant with several seeds on the same glyphs, with the same code size, epochs and optimizer.

The budget is common to all; it is not the best that each could do. Results are written after every run, and a table that was
interrupted goes on from its file: runs that are there are kept, failed ones are tried again. With --protocol, one model of the
literature is trained instead, on binarized MNIST (see protocols.py).
"""

import argparse
import functools
import time
import traceback
from typing import Any

import protocols
import quality_data
import report
import seeded_runs
import torch
from quality_data import LABEL, Settings
from quality_metrics import METRICS, Trained, as_events, event_shape, measure

from aelib.core import Autoencoder
from aelib.history import TrainConfig
from aelib.metrics import frechet_distance
from aelib.models import MODELS, LinearAE, build
from aelib.training import fit

ANCHORS = ("mean_image", "pca")
"""What every variant is measured against: always answering with the mean, and the best linear autoencoder."""

VARIANTS = (*ANCHORS, *MODELS)


def mean_image(x):
    """A model that answers every image with the mean of ``x``."""
    model = LinearAE(x.shape[1:], 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.dec.bias.copy_(x.flatten(1).mean(0))
    return model


def train(variant: str, data: quality_data.Data, settings: Settings, seed: int, device: str) -> Autoencoder[Any]:
    """The variant after training, or after its closed form."""
    x = data.train.x
    if variant == "mean_image":
        return mean_image(x)
    if variant == "pca":
        model = LinearAE(x.shape[1:], settings.latent_dim)
        model.fit_closed_form(x)
        return model
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build(variant, event_shape(variant), settings.latent_dim)
    config = TrainConfig(epochs=settings.epochs, batch_size=settings.batch_size, lr=settings.lr, seed=seed)
    fit(model, as_events(model, x), config, device=device, progress=False)
    return model.cpu()


def run_one(variant: str, seed: int, settings: Settings, device: str = "cpu") -> dict[str, Any]:
    """Train and measure one variant with one seed, on one thread. An error becomes part of the result."""
    torch.set_num_threads(1)
    try:
        data = quality_data.load(settings)
        start = time.process_time()
        model = train(variant, data, settings, seed, device).eval()
        trained = time.process_time()
        values = measure(Trained(model, data, settings, seed, has_code=variant != "mean_image"))
        evaluated = time.process_time()
    except Exception as error:  # whatever it is, the other runs go on
        where = traceback.extract_tb(error.__traceback__)[-1]
        return failed(variant, seed, f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})")
    return {
        "variant": variant,
        "seed": seed,
        "error": None,
        "metrics": {name: value if value is None else report.significant(value, 6) for name, value in values.items()},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "likelihood": type(model.likelihood).__name__,
        "training CPU seconds": report.significant(trained - start),
        "evaluation CPU seconds": report.significant(evaluated - trained),
    }


def failed(variant: str, seed: int, error: str) -> dict[str, Any]:
    return {"variant": variant, "seed": seed, "error": error, "metrics": None}


def references(settings: Settings) -> dict[str, float]:
    """What some numbers are to be compared with."""
    torch.set_num_threads(1)
    data = quality_data.load(settings)
    y = data.test.labels[LABEL]
    with torch.no_grad():
        right = (data.classifier(data.test.x).argmax(1) == y).double().mean().item()
        floor = frechet_distance(data.classifier.features, data.test.x, data.train.x[: len(y)])
    return {
        "share of the largest class": report.significant(y.bincount().max().item() / len(y)),
        "accuracy of the classifier": report.significant(right),
        "Fréchet distance of training images": report.significant(floor),
        "variance per pixel": report.significant(data.test.x.var(0, correction=0).mean().item()),
    }


def table(runs: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, float] | None]]:
    """variant -> metric -> mean, standard deviation (n - 1; None for one seed) and number over the seeds that did not fail.

    A metric is None where the variant does not have it.
    """
    rows = {}
    for variant in dict.fromkeys(run["variant"] for run in runs):
        mine = [run for run in runs if run["variant"] == variant and run["error"] is None]
        if not mine:
            continue
        columns: dict[str, list[float | None]] = {name: [one["metrics"][name] for one in mine] for name in METRICS}
        columns["training CPU minutes"] = [one["training CPU seconds"] / 60 for one in mine]
        rows[variant] = {
            name: seeded_runs.spread([v for v in values if v is not None]) for name, values in columns.items()
        }
    return rows


def make_table(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Do all runs that are not there yet, and write the file after each."""
    settings = quality_data.QUICK if options.quick else Settings()
    same = {"settings": settings.as_dict(), "metrics": {name: vars(metric) for name, metric in METRICS.items()}}
    runs = seeded_runs.before(options, parser, same)
    there = {(one["variant"], one["seed"]) for one in runs}
    chosen = [(variant, seed) for seed in range(options.seeds) for variant in options.only or VARIANTS]
    missing = [task for task in chosen if task not in there]
    do = functools.partial(run_one, settings=settings, device=options.device)
    return seeded_runs.complete(
        {**report.about(options), **same, "references": references(settings)},
        runs,
        seeded_runs.finished(missing, do, failed, options.jobs),
        len(missing),
        order=lambda one: (VARIANTS.index(one["variant"]), one["seed"]),
        table=table,
        out=options.out,
    )


def main(arguments: list[str] | None = None) -> None:
    torch.set_num_threads(1)
    parser = report.parser(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each variant, with seeds from 0")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some variants instead of all")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one thread")
    parser.add_argument("--protocol", choices=protocols.PROTOCOLS, help="train this model of the literature instead")
    parser.add_argument("--epochs", type=int, help="with --protocol: stop after so many epochs; the result says so")
    options = report.chosen(parser, arguments)
    if options.epochs is not None and options.epochs < 1:
        parser.error(f"--epochs: got {options.epochs}; expected 1 or more")
    for name in ("seeds", "jobs"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: got {getattr(options, name)}; expected 1 or more")
    unknown = sorted(set(options.only or ()) - set(VARIANTS))
    if unknown:
        parser.error(f"--only: got {', '.join(unknown)}; expected names from {', '.join(VARIANTS)}")
    if options.protocol is None:
        report.write(options.out, make_table(options, parser))
    else:
        report.write(options.out, protocols.run(options))


if __name__ == "__main__":
    main()
