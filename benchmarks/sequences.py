"""How the time of a training step grows with the length of the sequences, for the GRU, the LSTM and the Transformer.

The models are the ready-made ones, and steps of a sequence have the same size at every length. All models of one length run in
turn. The growth exponent is the slope of log seconds over log length at the longest lengths: 1 where twice the length costs twice
the time, 2 where it costs four times as much.
"""

import math
import statistics

import report
import torch

from aelib.models import MODELS

BATCH, STEP_SIZE, LATENT = 32, 8, 16
LENGTHS = (16, 32, 64, 128, 256, 512)
NAMES = ("sequence_gru", "sequence_lstm", "sequence_transformer")
LONGEST = 3  # lengths that the exponent is taken over


def make(name, length):
    torch.manual_seed(0)
    return MODELS[name]((length, STEP_SIZE), LATENT)


def measure(length, rounds, device):
    x = torch.randn(BATCH, length, STEP_SIZE, generator=torch.Generator().manual_seed(0)).to(device)
    models = {name: make(name, length).to(device) for name in NAMES}
    times = report.in_turn({name: report.step_of(model, x) for name, model in models.items()}, rounds, device)
    runs = []
    for name, values in times.items():
        step = report.summary(values)
        runs.append(
            {
                "model": name,
                "parameters": sum(parameter.numel() for parameter in models[name].parameters()),
                "length": length,
                **step,
                "seconds per example": report.significant(step["seconds"] / BATCH),
            }
        )
    return runs


def exponent(runs):
    """The slope of log seconds over log length, by least squares."""
    lengths = [math.log(run["length"]) for run in runs]
    times = [math.log(run["seconds"]) for run in runs]
    return report.significant(statistics.linear_regression(lengths, times).slope, 3)


def main():
    options = report.options(__doc__)
    lengths, rounds = (LENGTHS, 7) if not options.quick else (LENGTHS[:2], 2)
    runs = [run for length in lengths for run in measure(length, rounds, options.device)]
    longest = lengths[-LONGEST:]
    result = {
        **report.about(options),
        "batch size": BATCH,
        "values per step": STEP_SIZE,
        "runs": runs,
        "exponent taken over": list(longest),
        "growth exponent": {
            name: exponent([run for run in runs if run["model"] == name and run["length"] in longest]) for name in NAMES
        },
    }
    report.write(options.out, result)


if __name__ == "__main__":
    main()
