"""Every model by name. A factory takes the shape of one example and the size of a code, and gives a model ready to train."""

from collections.abc import Callable, Sequence
from typing import Any

from aelib import checks
from aelib.core import Autoencoder
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.models.linear import LinearAE
from aelib.models.vae import VAE, VAEOutput
from aelib.models.vanilla import VanillaAE
from aelib.nets import MLP

HIDDEN_DIMS = (128, 64)
"""The encoder's hidden layers in the ready-made models; the decoder has them in reverse."""


def _mlp_pair(event_shape: Sequence[int], code_dim: int, latent_dim: int) -> tuple[MLP, MLP]:
    return MLP(event_shape, HIDDEN_DIMS, (code_dim,)), MLP((latent_dim,), HIDDEN_DIMS[::-1], event_shape)


def _linear(event_shape: Sequence[int], latent_dim: int) -> LinearAE:
    return LinearAE(event_shape, latent_dim)


def _undercomplete(event_shape: Sequence[int], latent_dim: int) -> VanillaAE:
    return VanillaAE(*_mlp_pair(event_shape, latent_dim, latent_dim), Gaussian())


def _vae(event_shape: Sequence[int], latent_dim: int) -> VAE:
    return VAE(*_mlp_pair(event_shape, 2 * latent_dim, latent_dim), Bernoulli(), latent_dim)


MODELS: dict[str, Callable[[Sequence[int], int], Autoencoder[Any]]] = {
    "linear": _linear,
    "undercomplete": _undercomplete,
    "vae": _vae,
}
"""name -> factory(event_shape, latent_dim)."""


def build(name: str, event_shape: Sequence[int], latent_dim: int) -> Autoencoder[Any]:
    """A model from :data:`MODELS` for examples of shape ``event_shape`` and codes of ``latent_dim`` values.

    Raises:
        ValueError: for a name that is not there, or sizes below one.
    """
    checks.choice("name", name, MODELS)
    checks.at_least("latent_dim", latent_dim, 1)
    return MODELS[name](event_shape, latent_dim)


__all__ = ["HIDDEN_DIMS", "MODELS", "VAE", "LinearAE", "VAEOutput", "VanillaAE", "build"]
