"""The at-scale tables on images: codes of MNIST and Fashion-MNIST, noise, likelihoods, and what a few labels make of codes."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import torch
from at_scale_training import Settings, in_batches, trained
from protocols import IMAGE, binarized
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from torch import Tensor

from aelib import metrics
from aelib.bounds import active_units, log_likelihood
from aelib.core import Autoencoder
from aelib.corruption import gaussian
from aelib.data import Dataset, fashion_mnist, mnist
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.losses import gaussian_kl
from aelib.models import VAE, DenoisingAE, LinearAE, VanillaAE
from aelib.nets import MLP
from aelib.training import evaluate

Result = tuple[dict[str, float | None], dict[str, Any] | None]
"""The metrics of a run, and how training went where there was any."""

DATA = ("mnist", "fashion_mnist")
FOREIGN = {"mnist": "fashion_mnist", "fashion_mnist": "mnist"}
SPLIT_SEED = 0
INVERSE_PENALTIES = [10.0**power for power in range(-4, 3)]


@dataclass(frozen=True)
class Parts:
    """Images of shape (N, 1, 28, 28) in [0, 1] with their classes: to fit on, to choose the epoch by, to test on."""

    train: Dataset
    validation: Dataset
    test: Dataset


@lru_cache(maxsize=2)
def load(data: str, settings: Settings) -> Parts:
    """The images of a data set, always in the same three parts."""
    if data == "mnist" and not settings.whole_mnist:
        train, test = mnist("test").split(settings.mnist_test, seed=SPLIT_SEED)
    else:
        read = {"mnist": mnist, "fashion_mnist": fashion_mnist}[data]
        train, test = read("train"), read("test")
    train, validation = train.split(round(settings.validation * len(train)), seed=SPLIT_SEED)
    return Parts(*(part.take(torch.arange(len(part))[: settings.images]) for part in (train, validation, test)))


def classes(part: Dataset) -> Tensor:
    """The one label of each image."""
    (label,) = part.labels.values()
    return label


@cache
def principal(data: str, settings: Settings) -> LinearAE:
    """PCA with as many components as any code has, computed once in a process."""
    model = LinearAE(IMAGE, max(settings.latent_dims))
    model.fit_closed_form(load(data, settings).train.x)
    return model


@torch.no_grad()
def pca(data: str, latent_dim: int, settings: Settings) -> LinearAE:
    """The first components."""
    largest, model = principal(data, settings), LinearAE(IMAGE, latent_dim)
    model.enc.weight.copy_(largest.enc.weight[:latent_dim])
    model.enc.bias.copy_(largest.enc.bias[:latent_dim])
    model.dec.weight.copy_(largest.dec.weight[:, :latent_dim])
    model.dec.bias.copy_(largest.dec.bias)
    return model.eval()


def few_labels(train: Tensor, test: Tensor, parts: Parts, seed: int, settings: Settings) -> float:
    """The test accuracy of a logistic regression on what is given of the images, from a few labels of each class.

    The strength of its penalty is chosen by five-fold cross-validation on the labeled images. All values are divided by one
    number, so that this strength means the same everywhere.
    """
    y_train, y_test, scale = classes(parts.train), classes(parts.test), train.std()
    accuracies = []
    for draw in range(settings.label_draws):
        generator = torch.Generator().manual_seed(settings.label_draws * seed + draw)
        order = torch.randperm(len(y_train), generator=generator)
        chosen = torch.cat([order[y_train[order] == c][: settings.labels_per_class] for c in y_train.unique()])
        search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": INVERSE_PENALTIES}, cv=5)
        search.fit((train[chosen] / scale).numpy(), y_train[chosen].numpy())
        accuracies.append(float(search.score((test / scale).numpy(), y_test.numpy())))
    return sum(accuracies) / len(accuracies)


def undercomplete(latent_dim: int) -> VanillaAE:
    return VanillaAE(MLP(IMAGE, (256, 64), (latent_dim,)), MLP((latent_dim,), (64, 256), IMAGE), Gaussian())


@torch.no_grad()
def of_code(model: Autoencoder[Any], parts: Parts, seed: int, settings: Settings) -> dict[str, float | None]:
    """How well a code keeps the images, and their classes."""
    z_train, z = in_batches(model.encode, parts.train.x), in_batches(model.encode, parts.test.x)
    x_hat = in_batches(model.decode, z)
    return {
        "mse": metrics.mean_squared_error(parts.test.x, x_hat),
        "explained_variance": metrics.explained_variance(parts.test.x, x_hat),
        "knn": metrics.knn_accuracy(z_train, classes(parts.train), z, classes(parts.test)),
        "few_labels": few_labels(z_train, z, parts, seed, settings),
    }


def codes(data: str, method: str, latent_dim: int, seed: int, settings: Settings, device: str) -> Result:
    """PCA, or an autoencoder 784-256-64-code-64-256-784, on the same images."""
    parts = load(data, settings)
    if method == "pca":
        return of_code(pca(data, latent_dim, settings), parts, seed, settings), None
    x = parts.train.x
    config = settings.for_images(len(x), seed)
    model, training = trained(lambda: undercomplete(latent_dim), x, parts.validation.x, config, device)
    return of_code(model, parts, seed, settings), training


def labels(data: str, method: str, latent_dim: None, seed: int, settings: Settings, device: str) -> Result:
    """A few labels with nothing but the pixels."""
    parts = load(data, settings)
    return {"few_labels": few_labels(parts.train.flat(), parts.test.flat(), parts, seed, settings)}, None


def wiener(x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """(A, mean) of the affine map mean + A (x_tilde - mean) with the least mean squared error, over all noise.

    For x_tilde = x + sigma * eps it is A = C (C + sigma^2 I)^-1 with the covariance C of ``x``, here that of the training images.
    """
    flat = x.flatten(1).double()
    mean = flat.mean(0)
    covariance = (flat - mean).T @ (flat - mean) / len(flat)
    noisy = covariance + sigma**2 * torch.eye(len(covariance), dtype=flat.dtype)
    return torch.linalg.solve(noisy, covariance).T, mean


def denoiser(latent_dim: int, sigma: float) -> DenoisingAE:
    nets = MLP(IMAGE, (512,), (latent_dim,)), MLP((latent_dim,), (512,), IMAGE)
    return DenoisingAE(*nets, Gaussian(), gaussian(sigma))


def denoising(data: str, method: str, latent_dim: int | None, seed: int, settings: Settings, device: str) -> Result:
    """The same noisy test images as they are, through the best affine map, or through a network 784-512-128-512-784."""
    parts, training = load(data, settings), None
    x, test = parts.train.x, parts.test.x
    noisy = gaussian(settings.sigma)(test, torch.Generator().manual_seed(seed))
    if method == "nothing":
        x_hat = noisy
    elif method == "linear":
        a, mean = wiener(x, settings.sigma)
        x_hat = (mean + (noisy.flatten(1).double() - mean) @ a.T).reshape(test.shape).float()
    else:
        config = settings.for_images(len(x), seed)
        model, training = trained(
            lambda: denoiser(settings.denoising_dim, settings.sigma), x, parts.validation.x, config, device
        )
        with torch.no_grad():
            x_hat = in_batches(lambda part: model.decode(model.encode(part)), noisy)
    return {"mse": metrics.mean_squared_error(test, x_hat)}, training


def small_vae(latent_dim: int) -> VAE:
    return VAE(MLP(IMAGE, (400,), (2 * latent_dim,)), MLP((latent_dim,), (400,), IMAGE), Bernoulli(), latent_dim)


@torch.no_grad()
def negative_bounds(model: VAE, x: Tensor, seed: int) -> Tensor:
    """-ELBO of each image in nats, from one draw of its code."""
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for part in x.split(1000):
        out = model(part, generator=generator)
        parts.append(model.likelihood.nll(out.params, part) + gaussian_kl(out.mu, out.logvar))
    return torch.cat(parts)


def vae(data: str, method: str, latent_dim: int, seed: int, settings: Settings, device: str) -> Result:
    """A VAE 784-400-code on images binarized once: its likelihood, its codes, and the other data set as foreign images."""
    gray, foreign = load(data, settings), load(FOREIGN[data], settings)
    parts = Parts(
        *(
            Dataset(binarized(part.x, number), part.labels)
            for number, part in enumerate((gray.train, gray.validation, gray.test))
        )
    )
    x, test = parts.train.x, parts.test.x
    config = settings.for_images(len(x), seed)
    model, training = trained(lambda: small_vae(latent_dim), x, parts.validation.x, config, device)
    own, other = (negative_bounds(model, images, seed) for images in (test, binarized(foreign.test.x, 2)))
    some = test[: settings.nll_images]
    log_p = log_likelihood(model, some, num_samples=settings.nll_samples, batch_size=5000, seed=seed)
    with torch.no_grad():
        z_train, z = in_batches(model.encode, x), in_batches(model.encode, test)
    return {
        "negative_elbo": own.mean().item(),
        "negative_elbo_first": own[: settings.nll_images].mean().item(),
        "nll": -log_p.mean().item(),
        "kl": evaluate(model, test, seed=seed)["kl"],
        "active_units": float(active_units(model, test).sum()),
        "negative_elbo_foreign": other.mean().item(),
        "auroc_foreign": metrics.auroc(own, other),
        "few_labels": few_labels(z_train, z, parts, seed, settings),
    }, training
