"""What every benchmark shares: its options, the machine it ran on, how it takes times, and how it writes them down."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aelib.core import Autoencoder
from aelib.distributed import Group
from aelib.history import TrainConfig
from aelib.stepping import Steps


def parser(description: str) -> argparse.ArgumentParser:
    """``--device``, ``--out`` and ``--quick``, to which a benchmark may add its own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="where to run, such as cpu or cuda")
    parser.add_argument("--out", type=Path, help="where to write the JSON too")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, in seconds: to see that it runs")
    return parser


def chosen(parser: argparse.ArgumentParser, arguments: list[str] | None = None) -> argparse.Namespace:
    """The options given, checked before anything is measured."""
    chosen = parser.parse_args(arguments)
    try:
        torch.empty(1, device=chosen.device)
    except (AssertionError, RuntimeError) as error:
        parser.error(f"--device: got {chosen.device!r}, which torch cannot use: {str(error).splitlines()[0]}")
    if chosen.out is not None and chosen.out.is_dir():
        parser.error(f"--out: got {str(chosen.out)!r}, a folder; expected a file")
    return chosen


def options(description: str, arguments: list[str] | None = None) -> argparse.Namespace:
    """The options given to a benchmark that has none of its own."""
    return chosen(parser(description), arguments)


def machine(device: str = "cpu") -> str:
    """What decides the times, and nothing that tells whose machine it is."""
    parts = [platform.machine(), f"{os.cpu_count()} cores", f"{torch.get_num_threads()} threads"]
    if torch.device(device).type == "cuda":
        parts.append(torch.cuda.get_device_name(device))
    return ", ".join([*parts, f"torch {torch.__version__}"])


def about(chosen: argparse.Namespace) -> dict[str, object]:
    """How the figures of a result came about."""
    return {"machine": machine(chosen.device), "device": chosen.device, "quick": chosen.quick}


def step_of(model: Autoencoder[Any], x: Tensor) -> Callable[[], object]:
    """One training step on ``x``, to be called again and again: forward pass, loss, gradients, Adam.

    This is a step of ``fit`` on a CPU. On a GPU ``fit`` records steps and replays them, which is not done here.
    """
    steps = Steps(model, TrainConfig(), Group(), compile=False)
    return lambda: steps(x, {}, 1.0)


def seconds(run: Callable[[], object], device: str = "cpu", calls: int = 1) -> float:
    """The wall-clock time of one call, the mean over ``calls`` of them. A GPU is waited for before and after."""
    _wait(device)
    start = time.perf_counter()
    for _ in range(calls):
        run()
    _wait(device)
    return (time.perf_counter() - start) / calls


def in_turn(
    runs: Mapping[str, Callable[[], object]], rounds: int, device: str = "cpu", least: float = 0.05
) -> dict[str, list[float]]:
    """The seconds of one call of each run in each round.

    In a round all runs follow one another, so that a machine that is slower for a while is slower for all of them. Each is called
    twice before, once to warm up and once to see how many calls take ``least`` seconds; this many are timed together.
    """
    calls = {}
    for name, run in runs.items():
        run()
        calls[name] = max(1, round(least / seconds(run, device)))
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(seconds(run, device, calls[name]))
    return times


def summary(times: list[float]) -> dict[str, float]:
    """The median, and how far apart the quartiles are as a part of it: 0 if all times are the same."""
    middle = statistics.median(times)
    low, _, high = statistics.quantiles(times, n=4, method="inclusive")
    return {"seconds": significant(middle), "spread": significant((high - low) / middle, 2)}


def significant(value: float, digits: int = 4) -> float:
    """The value rounded to what a time can tell."""
    return float(f"{value:.{digits}g}")


def write(path: Path | None, result: dict[str, object]) -> None:
    """Print the result as JSON, and write it where a path is given; what was there before stays until all of it is written."""
    text = json.dumps(result, indent=2)
    print(text)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".unfinished")
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(path)


def _wait(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
