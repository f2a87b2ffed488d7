"""A small classifier of characters, whose features measure how close generated images are to real ones.

It is trained here, from generated data and a seed, in seconds: no weights from elsewhere, none that come along as a file.
"""

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from aelib import checks
from aelib.data import glyphs

NUM_CLASSES = 36  # digits and capitals
NUM_FEATURES = 64
_IMAGE_SHAPE = (1, 28, 28)
_BATCH_SIZE, _MAX_LR = 100, 3e-3


@final
class Classifier(nn.Module):
    """Two strided convolutions, a layer of 64 features, and the logits of 36 characters; for images (1, 28, 28) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, NUM_FEATURES),
            nn.ReLU(),
        )
        self.head = nn.Linear(NUM_FEATURES, NUM_CLASSES)

    def features(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 64"]:
        """The last layer before the logits: what :func:`aelib.metrics.frechet_distance` compares.

        Raises:
            ValueError: if ``x`` has another shape.
        """
        checks.batch("x", x, _IMAGE_SHAPE)
        features: Tensor = self.body(x)
        return features

    def forward(self, x: Float[Tensor, "B 1 28 28"]) -> Float[Tensor, "B 36"]:
        """The logits of the classes."""
        logits: Tensor = self.head(self.features(x))
        return logits


def train_classifier(*, num_train: int = 4000, epochs: int = 10, seed: int = 0) -> Classifier:
    """Train a classifier of :func:`~aelib.data.glyphs`, 36 characters in many fonts and poses, on the CPU.

    The same arguments give the same weights, to the bit, on the same machine with the same versions and number of threads;
    elsewhere sums are rounded in another order. So a Fréchet distance in these features can be compared only with others that
    were computed with one and the same classifier: train it once for a table, or save its ``state_dict``. With the defaults about
    seven of eight unseen glyphs are classified correctly; 0 and O, and some other pairs, cannot be told apart.

    The training glyphs are ``glyphs(num_train, seed=seed)``: take another seed for the images to measure.

    The random state outside is as before. The classifier comes back in evaluation mode, and its weights need no gradient.

    Args:
        num_train: how many glyphs to train on.
        epochs: passes over these.
        seed: of the glyphs, the initial weights and the order of the examples.

    Raises:
        ValueError: if ``num_train`` or ``epochs`` is below one.
    """
    checks.at_least("num_train", num_train, 1)
    checks.at_least("epochs", epochs, 1)
    data = glyphs(num_train, seed=seed)
    x, y = data.x, data.labels["character"]
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        model = Classifier()
        optimizer = torch.optim.Adam(model.parameters())
        num_steps = epochs * -(-num_train // _BATCH_SIZE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _MAX_LR, num_steps)
        for _ in range(epochs):
            for index in torch.randperm(num_train).split(_BATCH_SIZE):
                loss = F.cross_entropy(model(x[index]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    return model.eval().requires_grad_(False)
