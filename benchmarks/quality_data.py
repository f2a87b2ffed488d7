"""What the quality table trains on and judges by: glyphs with their factors, rotated glyphs as outliers, and a classifier."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from aelib.classifier import Classifier, train_classifier
from aelib.data import Dataset, glyphs

LABEL = "character"
DATA_SEED, OUTLIER_SEED, CLASSIFIER_SEED = 1, 2, 0


@dataclass(frozen=True)
class Settings:
    """What decides the numbers of a table, beside the seed of each run.

    Attributes:
        train: training images.
        test: test images, and as many outliers.
        epochs: of training, for every variant.
        batch_size: examples in a training step.
        lr: Adam's step size.
        latent_dim: the size of a code.
        nll_images: the first test images, for which the likelihood is estimated.
        nll_samples: K of that estimate.
        dci_images: the first test images, on which DCI is computed.
        mixture: components of the Gaussian mixture that is fitted on the training codes.
        rate_mse: the distortion at which codes are paid for, mean squared error per pixel.
        classifier_images: what the classifier behind the Fréchet distance is trained on.
        classifier_epochs: passes over these.
    """

    train: int = 6000
    test: int = 2000
    epochs: int = 30
    batch_size: int = 64
    lr: float = 2e-3
    latent_dim: int = 16
    nll_images: int = 1000
    nll_samples: int = 200
    dci_images: int = 1000
    mixture: int = 10
    rate_mse: float = 0.02
    classifier_images: int = 4000
    classifier_epochs: int = 10

    def as_dict(self) -> dict[str, Any]:
        """All of them, and how data and training came about in words."""
        return {
            **asdict(self),
            "data": "glyphs 28 x 28, digits and capitals; one draw, shuffled and cut into training and test images",
            "data seed": DATA_SEED,
            "outliers": "other glyphs, turned by 90 degrees",
            "optimizer": "Adam, one constant learning rate for all variants, no early stopping",
            "per-variant learning rates": {},
            "threads per run": 1,
        }


QUICK = Settings(
    train=256,
    test=192,
    epochs=1,
    nll_images=32,
    nll_samples=5,
    dci_images=128,
    mixture=2,
    rate_mse=0.039,
    classifier_images=200,
    classifier_epochs=1,
)
"""Tiny sizes, which show that everything runs."""


@dataclass(frozen=True)
class Data:
    """Images of shape (N, 1, 28, 28) in [0, 1]: to train on, to test on, and outliers; and the classifier of characters."""

    train: Dataset
    test: Dataset
    outliers: Tensor
    classifier: Classifier


@lru_cache(maxsize=1)
def load(settings: Settings) -> Data:
    """Draw the images and train the classifier: always the same ones, and once in a process."""
    drawn = glyphs(settings.train + settings.test, seed=DATA_SEED)
    train, test = drawn.split(settings.test, seed=DATA_SEED)
    turned = torch.rot90(glyphs(settings.test, seed=OUTLIER_SEED).x, dims=(2, 3))
    classifier = train_classifier(
        num_train=settings.classifier_images, epochs=settings.classifier_epochs, seed=CLASSIFIER_SEED
    )
    return Data(train, test, turned, classifier)
