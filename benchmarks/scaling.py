"""How the time of an epoch of ``fit`` and its memory grow with the network and with the data, for three models on glyphs.

Each measurement has a process of its own, because a process remembers the most memory it ever had. Memory is what training adds
to a process that has trained the narrowest such model on one image, so that everything is imported and loaded: data, network,
gradients, Adam's two moments and what a batch needs. On a GPU it is the memory there that torch allocated for these.
"""

import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import report
import torch

from aelib.conv import ConvDecoder, ConvEncoder
from aelib.core import Autoencoder
from aelib.data import glyphs
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.models import VAE, VanillaAE
from aelib.nets import MLP
from aelib.training import fit

IMAGE, LATENT, BATCH = (1, 28, 28), 16, 128
SIZES = (1_000, 2_000, 5_000, 10_000, 20_000)
DENSE, CHANNELS = (64, 128, 256, 512, 1024), (2, 4, 8, 16, 32)
LARGE_BLOCK = 31 * 2**20  # bytes; glibc learns from blocks below 32 MiB
EXAMPLES_TIMED = 60_000  # as many epochs as hold these, three at least


def undercomplete(width):
    return VanillaAE(MLP(IMAGE, (width,), (LATENT,)), MLP((LATENT,), (width,), IMAGE), Gaussian())


def vae(width):
    return VAE(MLP(IMAGE, (width,), (2 * LATENT,)), MLP((LATENT,), (width,), IMAGE), Bernoulli(), LATENT)


def convolutional(width):
    levels = (width, 2 * width)
    return VanillaAE(ConvEncoder(IMAGE, levels, LATENT), ConvDecoder(LATENT, levels[::-1], IMAGE), Gaussian())


MODELS: dict[str, tuple[Callable[[int], Autoencoder[Any]], tuple[int, ...]]] = {
    "undercomplete": (undercomplete, DENSE),
    "vae": (vae, DENSE),
    "convolutional": (convolutional, CHANNELS),
}
"""name -> the model of a width, and the widths: of the hidden layers, or the first level's channels."""


def peak_memory(device):
    """The most memory that this process ever had, in bytes: of its own, or on the GPU."""
    if torch.device(device).type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def draw(file, number):
    torch.save(glyphs(number, seed=0).x, file)


def train(model, x, epochs, device):
    return fit(model, x, TrainConfig(epochs=epochs, batch_size=BATCH), device=device, progress=False)


def measure(name, width, number, file, examples_timed, device):
    """Train one model on the first ``number`` images of ``file``. The first epoch warms up and is not counted."""
    make, widths = MODELS[name]
    # Until a process has freed a large block, glibc hands memory back after each step, which can double the time of a network
    # with large activations. Few processes that train are so new.
    torch.empty(LARGE_BLOCK, dtype=torch.uint8)
    x = torch.load(file, mmap=True)[:number]  # the pages of the file that are read, and no copy of them
    torch.manual_seed(0)
    train(make(widths[0]), x[:1], 1, device)
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)  # what that training needed is free again
    before = peak_memory(device)
    model = make(width)
    history = train(model, x, 1 + max(3, examples_timed // number), device)
    return {
        "model": name,
        "width": width,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "examples": number,
        **report.summary(history.seconds[1:]),
        "peak MiB": report.significant((peak_memory(device) - before) / 2**20),
        "data MiB": report.significant(x.numel() * x.element_size() / 2**20),
    }


def alone(function, *arguments):
    """What the function returns when it runs in a process of its own, the copy of one that has only imported the library."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["aelib.data", "aelib.models", "aelib.training"])
    with ProcessPoolExecutor(1, mp_context=context) as processes:
        return processes.submit(function, *arguments).result()


def line(runs):
    """Seconds = fixed + each * examples, by least squares; and how the time grew beside the data, 1 if in proportion."""
    sizes, times = [run["examples"] for run in runs], [run["seconds"] for run in runs]
    slope, fixed = statistics.linear_regression(sizes, times)
    return {
        "width": runs[0]["width"],
        "fixed seconds": report.significant(fixed),
        "microseconds per example": report.significant(1e6 * slope),
        "ratio": report.significant(times[-1] / times[0] / (sizes[-1] / sizes[0])),
    }


def main():
    options = report.options(__doc__)
    sizes, widths_used, examples_timed = (SIZES, 5, EXAMPLES_TIMED) if not options.quick else ((128, 256), 2, 0)
    runs, lines = [], {}
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "glyphs.pt"))
        alone(draw, file, max(sizes))
        middle = sizes[len(sizes) // 2]
        for name, (_, widths) in MODELS.items():
            used = widths[:widths_used]
            usual = used[len(used) // 2]
            pairs = [(width, middle) for width in used if width != usual] + [(usual, number) for number in sizes]
            mine = [alone(measure, name, *pair, file, examples_timed, options.device) for pair in pairs]
            runs += mine
            lines[name] = line([run for run in mine if run["width"] == usual])
    result = {
        **report.about(options),
        "batch size": BATCH,
        "runs": sorted(runs, key=lambda run: (list(MODELS).index(run["model"]), run["width"], run["examples"])),
        "lines over examples": lines,
    }
    report.write(options.out, result)


if __name__ == "__main__":
    main()
