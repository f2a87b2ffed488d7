"""Models on real data: MNIST's 10,000 test images, 8,000 to train and 2,000 to test, and the heartbeats of ECG5000."""

import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from aelib.data import ecg5000, mnist
from aelib.history import TrainConfig
from aelib.metrics import reconstruction_error
from aelib.models import LinearAE, build
from aelib.training import evaluate, fit

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_data")]


def mnist_parts():
    return tuple(part.x for part in mnist("test").split(2_000))


def seeded(name, event_shape, latent_dim):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build(name, event_shape, latent_dim)


def test_linear_autoencoder_generalizes_as_pca_does():
    train, test = mnist_parts()
    model = LinearAE((1, 28, 28), 32)
    model.fit_closed_form(train)
    pca = PCA(n_components=32, svd_solver="full").fit(train.flatten(1).numpy())
    by_pca = torch.from_numpy(pca.inverse_transform(pca.transform(test.flatten(1).numpy()))).reshape(test.shape)
    expected = reconstruction_error(test, by_pca)
    assert reconstruction_error(test, model(test).x_hat.detach()) == pytest.approx(expected, rel=1e-4)


def test_vae_bound_on_held_out_images():
    """Better than the best model of independent pixels, which knows each pixel's mean and nothing else."""
    train, test = mnist_parts()
    model = seeded("vae", (1, 28, 28), 10)
    fit(model, train, TrainConfig(epochs=20, batch_size=100), progress=False, device="cpu")
    pixels = train.mean(0).clamp(1e-4, 1 - 1e-4).logit()
    independent = model.likelihood.nll(pixels.expand_as(test), test).mean().item()
    bound = evaluate(model, test)
    assert bound["total"] < 0.8 * independent
    assert bound["kl"] > 5


def test_heartbeats_that_are_not_normal_are_reconstructed_worse():
    """Trained on normal beats alone, the error tells abnormal beats from held-out normal ones."""
    beats = ecg5000()
    normal = beats.labels["beat"] == 0
    train, held_out = beats.take(normal).split(100)
    model = seeded("undercomplete", beats.event_shape, 8)
    fit(model, train.x, TrainConfig(epochs=300, batch_size=32), progress=False, device="cpu")
    test = torch.cat([held_out.x, beats.x[~normal]])
    errors = (test - model(test).x_hat.detach()).square().sum(1)
    truth = [0] * len(held_out) + [1] * int((~normal).sum())
    assert roc_auc_score(truth, errors.numpy()) > 0.95
