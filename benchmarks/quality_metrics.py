"""Every number of the quality table: its unit, its direction, and how it is computed for a trained model.

Each function takes a :class:`Trained` and gives name -> value, with None for what the model does not have.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from quality_data import LABEL, Data, Settings
from torch import Tensor, nn

from aelib import metrics
from aelib.bounds import HasPosterior, active_units, log_likelihood
from aelib.core import Autoencoder, GenerativeAutoencoder
from aelib.losses import gaussian_kl
from aelib.models import VQVAE
from aelib.samplers import GaussianMixture

BATCH = 500
SIGMOID_OFF = 0.1  # a sigmoid is never exactly 0: a unit below this counts as off


@dataclass(frozen=True)
class Metric:
    """What a column of the table is: ``better`` is "lower", "higher", or None where neither is."""

    title: str
    unit: str
    better: str | None


METRICS = {
    "mse": Metric("MSE", "squared gray level per pixel", "lower"),
    "psnr": Metric("PSNR", "dB", "higher"),
    "ssim": Metric("SSIM", "at most 1", "higher"),
    "explained_variance": Metric("explained variance", "share, at most 1", "higher"),
    "nll": Metric("NLL", "nats per image", "lower"),
    "kl": Metric("KL", "nats per image", None),
    "active_units": Metric("active units", "units", None),
    "l0": Metric("L0", "units per image", None),
    "dead_units": Metric("dead units", "units", "lower"),
    "perplexity": Metric("code perplexity", "codebook entries", "higher"),
    "probe": Metric("linear probe", "accuracy, 0 to 1", "higher"),
    "knn": Metric("5 nearest neighbors", "accuracy, 0 to 1", "higher"),
    "nmi": Metric("NMI", "0 to 1", "higher"),
    "ari": Metric("ARI", "at most 1", "higher"),
    "auroc": Metric("AUROC", "0 to 1", "higher"),
    "auprc": Metric("AUPRC", "0 to 1", "higher"),
    "mig": Metric("MIG", "0 to 1", "higher"),
    "dci_disentanglement": Metric("DCI disentanglement", "0 to 1", "higher"),
    "dci_completeness": Metric("DCI completeness", "0 to 1", "higher"),
    "dci_informativeness": Metric("DCI informativeness", "mean of accuracies and R^2, at most 1", "higher"),
    "frechet_prior": Metric("Fréchet, own prior", "squared feature units", "lower"),
    "frechet_mixture": Metric("Fréchet, mixture", "squared feature units", "lower"),
    "rate": Metric("rate", "bits per pixel", "lower"),
}
"""name -> what it is, in the order of the table."""


@dataclass(frozen=True)
class Trained:
    """A model in evaluation mode on the CPU, with what it is judged by.

    Attributes:
        model: the model.
        data: the images.
        settings: the sizes.
        seed: of everything in the evaluation that is random.
        has_code: False for a baseline whose codes say nothing.
    """

    model: Autoencoder[Any]
    data: Data
    settings: Settings
    seed: int
    has_code: bool = True

    def encode(self, images: Tensor) -> Tensor:
        """The codes of images, as the model's encoder takes them: sequence models read rows."""
        shaped = as_events(self.model, images)
        return torch.cat([self.model.encode(batch) for batch in shaped.split(BATCH)])

    def decode(self, z: Tensor) -> Tensor:
        """Images of shape (N, 1, 28, 28)."""
        return torch.cat([self.model.decode(batch).reshape(-1, 1, 28, 28) for batch in z.split(BATCH)])

    @functools.cached_property
    def z_train(self) -> Tensor:
        """The codes of the training images."""
        return self.encode(self.data.train.x)

    @functools.cached_property
    def z(self) -> Tensor:
        """The codes of the test images."""
        return self.encode(self.data.test.x)

    @functools.cached_property
    def errors(self) -> Tensor:
        """The squared error of each test image."""
        return metrics.squared_error(self.data.test.x, self.decode(self.z))


def event_shape(name: str) -> tuple[int, ...]:
    """What one example is for the variant: 28 steps of 28 values for sequence models, one gray image for the others."""
    return (28, 28) if name.startswith("sequence") else (1, 28, 28)


def as_events(model: Autoencoder[Any], images: Tensor) -> Tensor:
    """The images in the shape that the model was built for."""
    return images.reshape(-1, *model.recipe["event_shape"]) if model.recipe else images


def reconstruction(trained: Trained) -> dict[str, float | None]:
    """How close x_hat = decode(encode(x)) comes, with nothing clipped."""
    x = trained.data.test.x
    x_hat = trained.decode(trained.z)
    return {
        "mse": metrics.mean_squared_error(x, x_hat),
        "psnr": metrics.psnr(x, x_hat).mean().item(),
        "ssim": metrics.ssim(x, x_hat).mean().item(),
        "explained_variance": metrics.explained_variance(x, x_hat),
    }


def likelihood(trained: Trained) -> dict[str, float | None]:
    """What models with a posterior are trained for."""
    model, settings = trained.model, trained.settings
    if not isinstance(model, HasPosterior):
        return dict.fromkeys(("nll", "kl", "active_units"))
    x = as_events(model, trained.data.test.x)
    mu, logvar = model.posterior(x)
    some = x[: settings.nll_images]
    log_p = log_likelihood(model, some, num_samples=settings.nll_samples, seed=trained.seed)
    return {
        "nll": -log_p.mean().item(),
        "kl": gaussian_kl(mu, logvar).mean().item(),
        "active_units": float(active_units(model, x).sum()),
    }


def sparsity(trained: Trained) -> dict[str, float | None]:
    """How many units are in use for one image, and how many for none."""
    names = ("l0", "dead_units", "perplexity")
    if not trained.has_code:
        return dict.fromkeys(names)
    model = trained.model
    if isinstance(model, VQVAE):
        indices = model(as_events(model, trained.data.test.x)).indices
        return dict.fromkeys(names) | {"perplexity": metrics.code_perplexity(indices, model.quantizer.num_codes)}
    threshold = SIGMOID_OFF if isinstance(list(model.encoder.modules())[-1], nn.Sigmoid) else 0.0
    return {
        "l0": metrics.l0(trained.z, threshold=threshold),
        "dead_units": float(len(metrics.dead_units(trained.z, threshold=threshold))),
        "perplexity": None,
    }


def classes(trained: Trained) -> dict[str, float | None]:
    """What simple readers see of the character in the code."""
    if not trained.has_code:
        return dict.fromkeys(("probe", "knn", "nmi", "ari"))
    y_train, y = trained.data.train.labels[LABEL], trained.data.test.labels[LABEL]
    labeled = (trained.z_train, y_train, trained.z, y)
    clusters = metrics.clustering_scores(trained.z, y, seed=trained.seed)
    return {
        "probe": metrics.linear_probe_accuracy(*labeled),
        "knn": metrics.knn_accuracy(*labeled),
        "nmi": clusters.nmi,
        "ari": clusters.ari,
    }


def anomaly(trained: Trained) -> dict[str, float | None]:
    """How well the squared error tells outliers; half of all images are outliers."""
    x = trained.data.outliers
    outlying = metrics.squared_error(x, trained.decode(trained.encode(x)))
    return {"auroc": metrics.auroc(trained.errors, outlying), "auprc": metrics.auprc(trained.errors, outlying)}


def factors(trained: Trained) -> dict[str, float | None]:
    """Whether units follow single factors."""
    names = ("mig", "dci_disentanglement", "dci_completeness", "dci_informativeness")
    if not trained.has_code:
        return dict.fromkeys(names)
    labels, some = trained.data.test.labels, trained.settings.dci_images
    first = {name: values[:some] for name, values in labels.items()}
    scores = metrics.dci(trained.z[:some], first, seed=trained.seed)
    known = list(scores.informativeness.values())
    values = (metrics.mig(trained.z, labels), scores.disentanglement, scores.completeness, sum(known) / len(known))
    return dict(zip(names, values, strict=True))


def samples(trained: Trained) -> dict[str, float | None]:
    """How far decoded draws are from the test images, in the classifier's features; draws are clipped to [0, 1]."""
    names = ("frechet_prior", "frechet_mixture")
    if not trained.has_code:
        return dict.fromkeys(names)
    model, x = trained.model, trained.data.test.x
    generator = torch.Generator().manual_seed(trained.seed)

    def distance(images: Tensor) -> float:
        images = images.reshape(-1, 1, 28, 28).clamp(0, 1)
        return metrics.frechet_distance(trained.data.classifier.features, x, images)

    own = distance(model.sample(len(x), generator=generator)) if isinstance(model, GenerativeAutoencoder) else None
    mixture = GaussianMixture.fitted(trained.z_train, trained.settings.mixture, seed=trained.seed)
    return dict(zip(names, (own, distance(trained.decode(mixture(len(x), generator=generator)))), strict=True))


def rate(trained: Trained) -> dict[str, float | None]:
    """The size of the test codes, rounded as coarsely as the stated distortion allows; None if the model never reaches it."""
    x, z, most = trained.data.test.x, trained.z, trained.settings.rate_mse
    if not trained.has_code or not trained.errors.mean() / x[0].numel() < most:
        return {"rate": None}

    def allowed(step: float) -> bool:
        return metrics.mean_squared_error(x, trained.decode((metrics.quantize(z, step) * step).to(z.dtype))) <= most

    # Halve or double the step until the distortion is passed, then bisect its logarithm.
    low = z.std().item() / 16
    while not allowed(low):
        low /= 2
    high = 2 * low
    while allowed(high) and high < 4 * z.abs().max().item():
        low, high = high, 2 * high
    for _ in range(6):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if allowed(middle) else (low, middle)
    return {"rate": metrics.rate_distortion(x, z, trained.decode, [low])[0].bits_per_value}


GROUPS: tuple[Callable[[Trained], dict[str, float | None]], ...] = (
    reconstruction,
    likelihood,
    sparsity,
    classes,
    anomaly,
    factors,
    samples,
    rate,
)


@torch.no_grad()
def measure(trained: Trained) -> dict[str, float | None]:
    """All metrics by name, in the order of :data:`METRICS`.

    Raises:
        FloatingPointError: if one is NaN or infinite.
    """
    found: dict[str, float | None] = {}
    for group in GROUPS:
        found |= group(trained)
    for name, value in found.items():
        if value is not None and not math.isfinite(value):
            raise FloatingPointError(f"the metric {name!r} became {value}")
    return {name: found[name] for name in METRICS}
