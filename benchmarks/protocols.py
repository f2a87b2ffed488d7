"""How numbers of the literature on binarized MNIST were made, as far as their sources tell, and the same with this library.

A protocol trains with Adam in stages of falling learning rates, goes back after each to the weights of its best epoch on
validation images, and estimates -log p(x) of the test images by importance sampling. What differs from the source is in its
``differences``.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import report
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from aelib.bounds import active_units, log_likelihood
from aelib.data import mnist
from aelib.history import TrainConfig
from aelib.likelihoods import Bernoulli
from aelib.models import IWAE, VAE
from aelib.nets import MLP
from aelib.training import evaluate, fit

IMAGE = (1, 28, 28)
PYTHAE = "Chadebec, benchmark_VAE, examples/scripts/reproducibility (mean and standard deviation of five estimates)"
BURDA_STAGES = tuple((3**i, 10 ** (-3 - i / 7)) for i in range(8))
OWN_BINARIZATION = "one draw of our own in place of the published files of Larochelle and Murray (2011)"
OWN_ADAM = "Adam's moments start anew in each stage"


@dataclass(frozen=True)
class Published:
    """A number to compare with: -log p(x) in nats, where it was found, and whether the source itself was seen."""

    nll: float
    source: str
    seen: bool


@dataclass(frozen=True)
class Protocol:
    """All that decides a run.

    Attributes:
        make: the untrained model.
        network: the same in words.
        stages: (epochs, learning rate), one after the other.
        batch_size: examples in a step.
        redrawn: whether training images are binarized anew each time they are seen, or once.
        num_samples: K of the estimate.
        published: what others got.
        differences: from what they did.
        quick_stages: with --quick.
        quick_images: with --quick, the test images that the estimate is for.
    """

    make: Callable[[], VAE | IWAE]
    network: str
    stages: tuple[tuple[int, float], ...]
    batch_size: int
    redrawn: bool
    num_samples: int
    published: tuple[Published, ...]
    differences: tuple[str, ...]
    quick_stages: tuple[tuple[int, float], ...]
    quick_images: int


def vae() -> VAE:
    return VAE(MLP(IMAGE, (400,), (80,)), MLP((40,), (400,), IMAGE), Bernoulli(), 40)


def iwae() -> IWAE:
    model = IWAE(
        MLP(IMAGE, (200, 200), (100,), activation=nn.Tanh),
        MLP((50,), (200, 200), IMAGE, activation=nn.Tanh),
        Bernoulli(),
        50,
        num_samples=50,
    )
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def _iwae_protocol(*, redrawn: bool, published: tuple[Published, ...], differences: tuple[str, ...]) -> Protocol:
    return Protocol(
        make=iwae,
        network="IWAE 784-200-200-50, tanh, K = 50",
        stages=BURDA_STAGES,
        batch_size=20,
        redrawn=redrawn,
        num_samples=5000,
        published=published,
        differences=(*differences, OWN_ADAM, "Adam's epsilon is 1e-8, not 1e-4"),
        quick_stages=BURDA_STAGES[:2],
        quick_images=200,
    )


PROTOCOLS = {
    "vae-784-400-40": Protocol(
        make=vae,
        network="VAE 784-400-40, ReLU",
        stages=tuple((epochs, 10 ** (-3 - i / 5)) for i, epochs in enumerate((200, 150, 150, 250, 250))),
        batch_size=100,
        redrawn=False,
        num_samples=200,
        published=(
            Published(89.78, f"{PYTHAE}: 89.78 (0.01)", seen=True),
            Published(89.9, "Rezende and Mohamed (2015), as that table cites it", seen=False),
        ),
        differences=(
            OWN_BINARIZATION,
            OWN_ADAM,
            "batch size, first learning rate and last epoch are ours: the published script reads them from a file of its own",
        ),
        quick_stages=((8, 1e-3), (4, 6e-4)),
        quick_images=2000,
    ),
    "iwae-784-200-50": _iwae_protocol(
        redrawn=False,
        published=(
            Published(86.82, f"{PYTHAE}: 86.82 (0.01)", seen=True),
            Published(87.1, "Burda et al. (2016), as that table cites it", seen=False),
        ),
        differences=(OWN_BINARIZATION,),
    ),
    "iwae-784-200-50-redrawn": _iwae_protocol(
        redrawn=True,
        published=(Published(84.78, "Burda et al. (2016), as a public reproduction of it cites them", seen=False),),
        differences=("10,000 images are kept for validation, not 400",),
    ),
}


class Redrawn(Dataset[Tensor]):
    """Each pixel is 1 with the probability of its gray level, drawn anew, from torch's own generator, at every look."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> Tensor:
        return torch.bernoulli(self.x[index])

    def __getitems__(self, indices: list[int]) -> list[Tensor]:
        """A batch at once, which torch's loader asks for where it can."""
        return list(torch.bernoulli(self.x[indices]))


def binarized(x: Tensor, seed: int) -> Tensor:
    """Each pixel is 1 with the probability of its gray level, drawn once."""
    return torch.bernoulli(x, generator=torch.Generator().manual_seed(seed))


def images(*, quick: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Gray images to train on, to choose weights by and to test on: 50,000, 10,000 and 10,000; quick: 7,000, 1,000 and 2,000.

    Raises:
        FileNotFoundError: if there are no training images and not quick.
    """
    if quick:
        x = mnist("test").x
        return x[:7000], x[7000:8000], x[8000:]
    try:
        x = mnist("train").x
    except ConnectionError as error:
        raise FileNotFoundError(
            f"the 60,000 training images of MNIST are needed: {error}. With --quick, the 10,000 test images will do"
        ) from error
    return x[:50_000], x[50_000:], mnist("test").x


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train one protocol with seed 0 and measure it. With --out, it goes on after an interruption."""
    protocol = PROTOCOLS[options.protocol]
    try:
        train, validation, test = images(quick=options.quick)
    except (FileNotFoundError, ConnectionError) as error:
        sys.exit(f"--protocol {options.protocol}: {error}")
    validation, test = binarized(validation, 1), binarized(test, 2)
    data = Redrawn(train) if protocol.redrawn else binarized(train, 0)
    stages = protocol.quick_stages if options.quick else protocol.stages
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = protocol.make()
    checkpoints = []
    for number, (epochs, lr) in enumerate(stages):
        # Never impatient enough to stop, but ending with the weights of the best epoch.
        config = TrainConfig(epochs=epochs, batch_size=protocol.batch_size, lr=lr, patience=epochs, seed=number)
        path = options.out and options.out.with_name(f"{options.out.name}.{options.protocol}.stage{number}")
        checkpoints += [path] if path else []
        fit(model, data, config, x_val=validation, device=options.device, checkpoint=path, progress=sys.stderr.isatty())
    model.eval()
    some = test[: protocol.quick_images] if options.quick else test
    nll = -log_likelihood(model, some, num_samples=protocol.num_samples, batch_size=5000)
    words = {
        name: value for name, value in asdict(protocol).items() if name not in {"make", "quick_stages", "quick_images"}
    }
    result = {
        **report.about(options),
        "protocol": options.protocol,
        **words,
        "stages": stages,
        "training images": len(train),
        "validation images": len(validation),
        "test images": len(some),
        "nll": report.significant(nll.mean().item(), 6),
        "standard error over images": report.significant((nll.std() / len(nll) ** 0.5).item()),
        "loss of one pass": report.significant(evaluate(model, some)["total"], 6),
        "active units": int(active_units(model, test).sum()),
        "comparable with the published number": not options.quick,
    }
    for path in checkpoints:
        path.unlink(missing_ok=True)
    return result
