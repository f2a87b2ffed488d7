"""What the contractive penalty costs when its Jacobian norm is computed in three ways, beside a step without a penalty.

The network is one sigmoid layer and one linear layer, so that the closed form applies; all ways train the same network on the
same glyphs, in turn. A step is what ``fit`` does: forward pass, loss, gradients, Adam. The error of the estimate is that of one
draw, for one example and for the mean of a batch, after training with the closed form.
"""

import report
import torch

from aelib.data import glyphs
from aelib.history import TrainConfig
from aelib.likelihoods import Gaussian
from aelib.losses import sigmoid_jacobian_norm
from aelib.models import ContractiveAE, ExactJacobian, SigmoidLayerJacobian, StochasticJacobian, VanillaAE
from aelib.nets import MLP
from aelib.training import fit

BATCH = 128
IMAGE_SIZES = (16, 28, 40)
LATENT_DIMS = (2, 8, 32, 128)
ROUNDS, EPOCHS, DRAWS = 9, 30, 400
PLAIN = "no penalty"
CLOSED = "closed form"  # for an encoder of one sigmoid layer; the other ways take any encoder
WAYS = {
    CLOSED: SigmoidLayerJacobian(),
    "exact": ExactJacobian(),
    "1 probe": StochasticJacobian(1),
    "4 probes": StochasticJacobian(4),
}


def make(way, input_dim, latent_dim):
    torch.manual_seed(0)
    encoder = torch.nn.Sequential(MLP((input_dim,), (), (latent_dim,)), torch.nn.Sigmoid())
    parts = (encoder, MLP((latent_dim,), (), (input_dim,)), Gaussian())
    return VanillaAE(*parts) if way == PLAIN else ContractiveAE(*parts, WAYS[way])


@torch.no_grad()
def relative_error(model, x, probes, draws):
    """The estimate's standard deviation over draws as a part of the true mean norm: for one example, and for the batch's mean."""
    generator = torch.Generator(x.device).manual_seed(1)
    way = StochasticJacobian(probes)
    estimates = torch.stack([way(model.encoder, x, {}, generator)[1] for _ in range(draws)])
    true = sigmoid_jacobian_norm(model.encode(x), model.encoder[0].layers[0].weight).mean()
    return {
        "of one example": report.significant((estimates.var(0).mean().sqrt() / true).item(), 3),
        "of the batch": report.significant((estimates.mean(1).std() / true).item(), 3),
    }


def measure(x, latent_dim, rounds, epochs, draws, device):
    batch = x[:BATCH].to(device)
    input_dim = x.shape[1]
    models = {way: make(way, input_dim, latent_dim).to(device) for way in (PLAIN, *WAYS)}
    times = report.in_turn({way: report.step_of(model, batch) for way, model in models.items()}, rounds, device)
    steps = {way: report.summary(values) for way, values in times.items()}
    trained = make(CLOSED, input_dim, latent_dim)
    fit(trained, x, TrainConfig(epochs=epochs, batch_size=BATCH), device=device, progress=False)
    return {
        "input_dim": input_dim,
        "latent_dim": latent_dim,
        "steps": steps,
        "cheapest": min(WAYS, key=lambda way: steps[way]["seconds"]),
        "cheapest for any encoder": min(WAYS.keys() - {CLOSED}, key=lambda way: steps[way]["seconds"]),
        "times no penalty": {way: report.significant(steps[way]["seconds"] / steps[PLAIN]["seconds"]) for way in steps},
        "relative standard error": {
            way: relative_error(trained, batch, WAYS[way].num_samples, draws) for way in ("1 probe", "4 probes")
        },
    }


def main():
    options = report.options(__doc__)
    image_sizes, latent_dims, number, *settings = (
        (IMAGE_SIZES, LATENT_DIMS, 2_000, ROUNDS, EPOCHS, DRAWS) if not options.quick else ((16,), (2, 8), 128, 2, 1, 5)
    )
    runs = []
    for size in image_sizes:
        x = glyphs(number, size=size, seed=0).flat()
        runs += [measure(x, latent_dim, *settings, options.device) for latent_dim in latent_dims]
    result = {
        **report.about(options),
        "batch size": BATCH,
        "runs": runs,
    }
    report.write(options.out, result)


if __name__ == "__main__":
    main()
