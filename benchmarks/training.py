"""How fast ``fit`` trains, beside a loop written by hand: same model, same data, same batches, in turn in one run.

The loop does nothing but train. ``fit`` also keeps the history, checks the data and shows a progress bar. The figures are
samples per second, and the ratio of the two is what to quote: absolute numbers depend on the machine.
"""

import argparse
import json
import platform
import statistics
import time

import torch

from aelib.data import glyphs
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli
from aelib.models import VAE
from aelib.nets import MLP
from aelib.training import fit

CONFIG = TrainConfig(epochs=2, batch_size=100)


def make():
    torch.manual_seed(0)
    return VAE(MLP((1, 28, 28), (512,), (20,)), MLP((10,), (512,), (1, 28, 28)), Bernoulli(), 10)


def by_fit(x):
    fit(make(), x, CONFIG, device="cpu")


def by_hand(x):
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=CONFIG.lr)
    for _ in range(CONFIG.epochs):
        for index in torch.randperm(len(x)).split(CONFIG.batch_size):
            x_batch = x[index]
            loss = model.loss(x_batch, model(x_batch)).total
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def seconds(run, x):
    start = time.perf_counter()
    run(x)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run, in turn")
    rounds = parser.parse_args().rounds
    x = glyphs(10_000, seed=0).x
    seconds(by_hand, x)  # warm up
    times = [(seconds(by_hand, x), seconds(by_fit, x)) for _ in range(rounds)]
    samples = len(x) * CONFIG.epochs
    result = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
        "samples_per_second": {
            name: round(samples / statistics.median(column))
            for name, column in zip(("by hand", "aelib fit"), zip(*times))
        },
        "fit relative to the loop by hand": round(statistics.median(hand / fitted for hand, fitted in times), 3),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
