"""How fast ``fit`` trains, beside a loop written by hand and beside pythae: same network, data, batches and epochs, in turn.

The loop by hand does nothing but train. ``fit`` and pythae do everything that they do by default. Figures are samples per
second of whole runs, and ratios of runs that follow each other; absolute numbers depend on the machine. The share of the peak
compares the matrix products that a step needs with how fast this machine does one such product alone.

pythae runs with its own Python, because it wants other packages: ``make bench`` makes ``build/pythae`` for it.
"""

import argparse
import json
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch

from aelib.data import glyphs
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli
from aelib.models import VAE
from aelib.nets import MLP
from aelib.training import fit

HERE = Path(__file__).parent
HIDDEN, LATENT, PIXELS, BATCH = 512, 10, 784, 100


def make():
    torch.manual_seed(0)
    return VAE(MLP((PIXELS,), (HIDDEN,), (2 * LATENT,)), MLP((LATENT,), (HIDDEN,), (PIXELS,)), Bernoulli(), LATENT)


def by_hand(x, epochs):
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for index in torch.randperm(len(x)).split(BATCH):
            x_batch = x[index]
            loss = model.loss(x_batch, model(x_batch)).total
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def by_fit(x, epochs):
    fit(make(), x, TrainConfig(epochs=epochs, batch_size=BATCH), device="cpu")


def by_compiled_fit(x, epochs):
    """The time without compiling: the second of two runs in one process uses what the first one compiled."""
    fit(make(), x, TrainConfig(epochs=epochs, batch_size=BATCH), device="cpu", compile=True)


def seconds(run, x, epochs):
    start = time.perf_counter()
    run(x, epochs)
    return time.perf_counter() - start


def pythae_seconds(python, images, epochs):
    command = [python, HERE / "pythae_training.py", images, str(epochs), str(BATCH)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(printed.splitlines()[-1])["seconds"]


def peak():
    """Floating-point operations per second of the largest matrix product of a step, alone; the best of several tries."""
    x, w = torch.randn(BATCH, PIXELS), torch.randn(PIXELS, HIDDEN)
    best = 0.0
    for _ in range(10):
        start = time.perf_counter()
        for _ in range(100):
            x @ w
        best = max(best, 100 * 2 * BATCH * PIXELS * HIDDEN / (time.perf_counter() - start))
    return best


def products_per_sample():
    """Floating-point operations of the matrix products for one sample: forward, and back to weights and inputs but the first."""
    layers = [PIXELS * HIDDEN, HIDDEN * 2 * LATENT, LATENT * HIDDEN, HIDDEN * PIXELS]
    return 2 * (3 * sum(layers) - layers[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run, in turn")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--pythae", type=Path, help="the Python of an environment with pythae 0.1.2; left out without")
    parser.add_argument("--out", type=Path, help="where to write the JSON too")
    options = parser.parse_args()
    x = glyphs(10_000, seed=0).flat()
    runs = {"by hand": by_hand, "fit": by_fit, "fit, compiled": by_compiled_fit}
    warm_up = {name: seconds(run, x, 1) for name, run in runs.items()}
    times, top = {name: [] for name in runs}, peak()
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder, "images.pt")
        torch.save(x, images)
        for _ in range(options.rounds):
            top = max(top, peak())
            for name, run in runs.items():
                times[name].append(seconds(run, x, options.epochs))
            if options.pythae:
                times.setdefault("pythae 0.1.2", []).append(pythae_seconds(options.pythae, images, options.epochs))
    samples = len(x) * options.epochs
    reference = "pythae 0.1.2" if options.pythae else "by hand"
    result = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
        "network": f"VAE {PIXELS}-{HIDDEN}-{LATENT}, batch {BATCH}, {len(x)} images, {options.epochs} epochs",
        "first run with its one epoch, seconds": {name: round(value, 2) for name, value in warm_up.items()},
        "samples per second": {name: round(samples / statistics.median(values)) for name, values in times.items()},
        "share of the matrix-product peak": {
            name: round(samples * products_per_sample() / statistics.median(values) / top, 3)
            for name, values in times.items()
        },
        f"times {reference}": {
            name: round(statistics.median(r / t for r, t in zip(times[reference], values)), 2)
            for name, values in times.items()
        },
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
