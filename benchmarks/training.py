"""How fast ``fit`` trains, beside a loop written by hand and beside pythae: same network, data, batches and epochs, in turn.

The loop by hand does nothing but train. ``fit`` and pythae do everything that they do by default. Figures are samples per
second of whole runs, and ratios of runs that follow each other; absolute numbers depend on the machine. The share of the peak
compares the matrix products that a step needs with how fast this machine does one such product alone.

The data are MNIST's 10,000 test images where ``AELIB_DATA_DIR`` leads to them, and as many glyphs otherwise: the time of a step
does not depend on what the pixels show. pythae runs with its own Python, because it wants other packages.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import report
import torch
from torch import Tensor

from aelib.data import glyphs, mnist
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli
from aelib.models import VAE
from aelib.nets import MLP
from aelib.training import fit

HERE = Path(__file__).parent
HIDDEN, LATENT, PIXELS, BATCH = 512, 10, 784, 100


def make() -> VAE:
    """The network of the comparison, its weights always the same."""
    torch.manual_seed(0)
    return VAE(MLP((PIXELS,), (HIDDEN,), (2 * LATENT,)), MLP((LATENT,), (HIDDEN,), (PIXELS,)), Bernoulli(), LATENT)


def data() -> tuple[str, Tensor]:
    """What the images are, and the images, (10000, 784)."""
    try:
        return "MNIST's test images", mnist("test").x.flatten(1)
    except ConnectionError:
        return "glyphs", glyphs(10_000, seed=0).flat()


def by_hand(x: Tensor, epochs: int, device: str) -> None:
    """The shortest loop that trains."""
    model, x = make().to(device), x.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for index in torch.randperm(len(x)).split(BATCH):
            x_batch = x[index]
            loss = model.loss(x_batch, model(x_batch)).total
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def by_fit(x: Tensor, epochs: int, device: str, *, compile: bool = False, capture: bool = True) -> None:
    """The library's own. Compiling is paid for by the first run of a process only."""
    fit(make(), x, TrainConfig(epochs=epochs, batch_size=BATCH), device=device, compile=compile, capture=capture)


def pythae_seconds(python: Path, images: Path, epochs: int, device: str) -> float:
    """How long pythae takes, in a process of its own, without what comes before the first epoch."""
    command = [python, HERE / "pythae_training.py", images, str(epochs), str(BATCH), device]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds: float = json.loads(printed.splitlines()[-1])["seconds"]
    return seconds


def peak(device: str) -> float:
    """Floating-point operations per second of the largest matrix product of a step, alone; the best of several tries."""
    x, w = torch.randn(BATCH, PIXELS, device=device), torch.randn(PIXELS, HIDDEN, device=device)
    best = min(report.seconds(lambda: x @ w, device, calls=100) for _ in range(10))
    return 2 * BATCH * PIXELS * HIDDEN / best


def products_per_sample() -> int:
    """Floating-point operations of the matrix products for one sample: forward, and back to weights and inputs but the first."""
    layers = [PIXELS * HIDDEN, HIDDEN * 2 * LATENT, LATENT * HIDDEN, HIDDEN * PIXELS]
    return 2 * (3 * sum(layers) - layers[0])


def main(arguments: list[str] | None = None) -> None:
    """Measure, and write the JSON."""
    parser = report.parser(__doc__ or "")
    parser.add_argument("--pythae", type=Path, help="the Python of an environment with pythae 0.1.2; left out without")
    chosen = report.chosen(parser, arguments)
    device, (rounds, epochs) = chosen.device, (2, 1) if chosen.quick else (5, 8)
    name, x = data()
    x = x[:300] if chosen.quick else x
    runs = {
        "by hand": lambda n: by_hand(x, n, device),
        "fit": lambda n: by_fit(x, n, device),
        "fit, compiled": lambda n: by_fit(x, n, device, compile=True),
    }
    if torch.device(device).type == "cuda":
        runs["fit, not captured"] = lambda n: by_fit(x, n, device, capture=False)
    if chosen.quick:
        del runs["fit, compiled"]
    warm_up = {name: report.seconds(lambda run=run: run(1), device) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    top = peak(device)
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder, "images.pt")
        torch.save(x, images)
        for _ in range(rounds):
            top = max(top, peak(device))
            for run_name, run in runs.items():
                times[run_name].append(report.seconds(lambda run=run: run(epochs), device))
            if chosen.pythae:
                times.setdefault("pythae 0.1.2", []).append(pythae_seconds(chosen.pythae, images, epochs, device))
    samples = len(x) * epochs
    reference = "pythae 0.1.2" if chosen.pythae else "by hand"
    report.write(
        chosen.out,
        {
            **report.about(chosen),
            "network": f"VAE {PIXELS}-{HIDDEN}-{LATENT}, batch {BATCH}, {len(x)} images ({name}), {epochs} epochs",
            "first run with its one epoch, seconds": {name: round(value, 2) for name, value in warm_up.items()},
            "samples per second": {name: round(samples / statistics.median(values)) for name, values in times.items()},
            "share of the matrix-product peak": {
                name: round(samples * products_per_sample() / statistics.median(values) / top, 3)
                for name, values in times.items()
            },
            "reference": reference,
            "times as fast as the reference": {
                name: round(statistics.median(r / t for r, t in zip(times[reference], values, strict=True)), 2)
                for name, values in times.items()
            },
        },
    )


if __name__ == "__main__":
    main(sys.argv[1:])
