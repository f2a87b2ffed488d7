"""Every model by name. A factory takes the shape of one example and the size of a code, and gives a model ready to train."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from torch import nn

from aelib import checks
from aelib.activations import BatchTopK, TopK
from aelib.conv import ConvDecoder, ConvEncoder
from aelib.core import Autoencoder
from aelib.corruption import dropout, gaussian
from aelib.likelihoods import Bernoulli, Gaussian
from aelib.models.adversarial import AdversarialAE
from aelib.models.contractive import ContractiveAE, SigmoidLayerJacobian
from aelib.models.denoising import DenoisingAE
from aelib.models.iwae import IWAE
from aelib.models.linear import LinearAE
from aelib.models.masked import MaskedAE
from aelib.models.overcomplete import NoisyCodeAE
from aelib.models.sequence import SequenceAE
from aelib.models.sparse import L1, KLRate, SparseAE, unit_columns
from aelib.models.topk import DeadUnits, TopKAE
from aelib.models.vae import VAE
from aelib.models.vanilla import VanillaAE
from aelib.models.vq import VQVAE
from aelib.models.wae import WassersteinAE
from aelib.nets import MLP
from aelib.patches import PatchDecoder, PatchEncoder, Patches
from aelib.quantizers import MovingAverageQuantizer
from aelib.recurrent import RecurrentDecoder, RecurrentEncoder
from aelib.samplers import StandardNormal
from aelib.sequences import Steps
from aelib.transformer import TransformerDecoder, TransformerEncoder

HIDDEN_DIMS = (128, 64)
"""The encoder's hidden layers in the ready-made models; the decoder has them in reverse."""

CHANNELS = (16, 32)
"""The channels of the convolutional encoder's levels in the ready-made models; the decoder has them in reverse."""


def _mlp_pair(event_shape: Sequence[int], code_dim: int, latent_dim: int) -> tuple[MLP, MLP]:
    return MLP(event_shape, HIDDEN_DIMS, (code_dim,)), MLP((latent_dim,), HIDDEN_DIMS[::-1], event_shape)


def _linear(event_shape: Sequence[int], latent_dim: int) -> LinearAE:
    return LinearAE(event_shape, latent_dim)


def _undercomplete(event_shape: Sequence[int], latent_dim: int) -> VanillaAE:
    return VanillaAE(*_mlp_pair(event_shape, latent_dim, latent_dim), Gaussian())


def _linear_tied(event_shape: Sequence[int], latent_dim: int) -> LinearAE:
    return LinearAE(event_shape, latent_dim, tied=True)


def _overcomplete(event_shape: Sequence[int], latent_dim: int) -> NoisyCodeAE:
    return NoisyCodeAE(*_mlp_pair(event_shape, latent_dim, latent_dim), Gaussian(), dropout(0.05))


def _alive(encoder: MLP) -> MLP:
    """Make the outputs start near 1, as a ReLU follows: a unit that starts below zero for all examples would never learn."""
    nn.init.ones_(cast(nn.Linear, encoder.layers[-1]).bias)
    return encoder


def _sparse_l1(event_shape: Sequence[int], latent_dim: int) -> SparseAE:
    encoder, decoder = _mlp_pair(event_shape, latent_dim, latent_dim)
    unit_columns(cast(nn.Linear, decoder.layers[0]))
    return SparseAE(nn.Sequential(_alive(encoder), nn.ReLU()), decoder, Gaussian(), L1(0.01))


def _sparse_kl(event_shape: Sequence[int], latent_dim: int) -> SparseAE:
    encoder, decoder = _mlp_pair(event_shape, latent_dim, latent_dim)
    return SparseAE(nn.Sequential(encoder, nn.Sigmoid()), decoder, Gaussian(), KLRate(0.1, rho=0.05))


def _sparse_topk(event_shape: Sequence[int], latent_dim: int) -> TopKAE:
    return _top_k_ae(TopK(_active_units(latent_dim)), event_shape, latent_dim)


def _sparse_batchtopk(event_shape: Sequence[int], latent_dim: int) -> TopKAE:
    return _top_k_ae(BatchTopK(_active_units(latent_dim)), event_shape, latent_dim)


def _active_units(latent_dim: int) -> int:
    """A quarter of the units, but two if there are two."""
    return min(latent_dim, max(2, latent_dim // 4))


def _top_k_ae(select: TopK | BatchTopK, event_shape: Sequence[int], latent_dim: int) -> TopKAE:
    encoder, decoder = _mlp_pair(event_shape, latent_dim, latent_dim)
    return TopKAE(_alive(encoder), decoder, Gaussian(), select, DeadUnits(latent_dim, dead_after=1000))


def _denoising(event_shape: Sequence[int], latent_dim: int) -> DenoisingAE:
    return DenoisingAE(*_mlp_pair(event_shape, latent_dim, latent_dim), Gaussian(), gaussian(0.25))


def _contractive(event_shape: Sequence[int], latent_dim: int) -> ContractiveAE:
    encoder = nn.Sequential(MLP(event_shape, (), (latent_dim,)), nn.Sigmoid())
    _, decoder = _mlp_pair(event_shape, latent_dim, latent_dim)
    return ContractiveAE(encoder, decoder, Gaussian(), SigmoidLayerJacobian(), weight=0.1)


def _vae(event_shape: Sequence[int], latent_dim: int) -> VAE:
    return VAE(*_mlp_pair(event_shape, 2 * latent_dim, latent_dim), Bernoulli(), latent_dim)


def _vae_gaussian(event_shape: Sequence[int], latent_dim: int) -> VAE:
    return VAE(*_mlp_pair(event_shape, 2 * latent_dim, latent_dim), Gaussian(learned=True), latent_dim)


def _iwae(event_shape: Sequence[int], latent_dim: int) -> IWAE:
    return IWAE(*_mlp_pair(event_shape, 2 * latent_dim, latent_dim), Bernoulli(), latent_dim)


def _wae_mmd(event_shape: Sequence[int], latent_dim: int) -> WassersteinAE:
    return WassersteinAE(*_mlp_pair(event_shape, latent_dim, latent_dim), Gaussian(), StandardNormal(latent_dim))


def _adversarial(event_shape: Sequence[int], latent_dim: int) -> AdversarialAE:
    nets, adversary = _mlp_pair(event_shape, latent_dim, latent_dim), MLP((latent_dim,), HIDDEN_DIMS, (1,))
    return AdversarialAE(*nets, Bernoulli(), StandardNormal(latent_dim), adversary)


def _vqvae(event_shape: Sequence[int], latent_dim: int) -> VQVAE:
    code_dim = 1 if latent_dim % 2 else 2
    quantizer = MovingAverageQuantizer(latent_dim // code_dim, code_dim, 64)
    return VQVAE(*_mlp_pair(event_shape, latent_dim, latent_dim), Gaussian(), quantizer)


def _conv_pair(event_shape: Sequence[int], code_dim: int, latent_dim: int) -> tuple[ConvEncoder, ConvDecoder]:
    return ConvEncoder(event_shape, CHANNELS, code_dim), ConvDecoder(latent_dim, CHANNELS[::-1], event_shape)


def _convolutional(event_shape: Sequence[int], latent_dim: int) -> VanillaAE:
    return VanillaAE(*_conv_pair(event_shape, latent_dim, latent_dim), Gaussian())


def _convolutional_vae(event_shape: Sequence[int], latent_dim: int) -> VAE:
    return VAE(*_conv_pair(event_shape, 2 * latent_dim, latent_dim), Bernoulli(), latent_dim)


def _sequence_gru(event_shape: Sequence[int], latent_dim: int) -> SequenceAE:
    return _recurrent("gru", event_shape, latent_dim)


def _sequence_lstm(event_shape: Sequence[int], latent_dim: int) -> SequenceAE:
    return _recurrent("lstm", event_shape, latent_dim)


def _recurrent(cell: str, event_shape: Sequence[int], latent_dim: int) -> SequenceAE:
    steps = Steps(event_shape)
    encoder = RecurrentEncoder(steps, 64, latent_dim, cell=cell)
    return SequenceAE(encoder, RecurrentDecoder(latent_dim, 64, steps, cell=cell), Gaussian())


def _sequence_transformer(event_shape: Sequence[int], latent_dim: int) -> SequenceAE:
    steps = Steps(event_shape)
    encoder = TransformerEncoder(steps, 32, latent_dim, num_layers=1)
    return SequenceAE(encoder, TransformerDecoder(latent_dim, 32, steps, num_layers=1), Gaussian())


def _masked(event_shape: Sequence[int], latent_dim: int) -> MaskedAE:
    """Patches of 4, 2 or 1 pixels in height and width, the largest that gives at least 16; a code of latent_dim in between."""
    checks.image_shape("event_shape", event_shape)
    _, height, width = event_shape
    fits = [p for p in (4, 2, 1) if height % p == 0 and width % p == 0 and height * width >= 16 * p**2]
    patches, token_dim = Patches(event_shape, max(fits, default=1)), 16
    encoder = PatchEncoder(patches, 64, token_dim, out_dim=latent_dim)
    from_code = nn.Linear(latent_dim, patches.number * token_dim)
    return MaskedAE(encoder, nn.Sequential(from_code, PatchDecoder(token_dim, 64, patches)), Gaussian(), patches)


MODELS: dict[str, Callable[[Sequence[int], int], Autoencoder[Any]]] = {
    "linear": _linear,
    "linear_tied": _linear_tied,
    "undercomplete": _undercomplete,
    "overcomplete": _overcomplete,
    "sparse_l1": _sparse_l1,
    "sparse_kl": _sparse_kl,
    "sparse_topk": _sparse_topk,
    "sparse_batchtopk": _sparse_batchtopk,
    "denoising": _denoising,
    "contractive": _contractive,
    "vae": _vae,
    "vae_gaussian": _vae_gaussian,
    "iwae": _iwae,
    "wae_mmd": _wae_mmd,
    "adversarial": _adversarial,
    "vqvae": _vqvae,
    "convolutional": _convolutional,
    "convolutional_vae": _convolutional_vae,
    "masked": _masked,
    "sequence_gru": _sequence_gru,
    "sequence_lstm": _sequence_lstm,
    "sequence_transformer": _sequence_transformer,
}
"""name -> factory(event_shape, latent_dim)."""


def build(name: str, event_shape: Sequence[int], latent_dim: int) -> Autoencoder[Any]:
    """A model from :data:`MODELS` for examples of shape ``event_shape`` and codes of ``latent_dim`` values.

    Raises:
        ValueError: for a name that is not there, or sizes below one.
    """
    checks.choice("name", name, MODELS)
    checks.at_least("latent_dim", latent_dim, 1)
    model = MODELS[name](event_shape, latent_dim)
    model.recipe = {"name": name, "event_shape": list(event_shape), "latent_dim": latent_dim}
    return model
