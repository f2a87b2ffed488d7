"""Every model, by its class and by name: :data:`MODELS <aelib.models.factories.MODELS>` lists the names."""

from aelib.gaussian_posterior import VAEOutput
from aelib.models.adversarial import AdversarialAE
from aelib.models.contractive import (
    ContractiveAE,
    ContractiveOutput,
    ExactJacobian,
    SigmoidLayerJacobian,
    StochasticJacobian,
)
from aelib.models.denoising import DenoisingAE, DenoisingOutput
from aelib.models.factories import CHANNELS, HIDDEN_DIMS, MODELS, build
from aelib.models.iwae import IWAE, IWAEOutput
from aelib.models.linear import LinearAE
from aelib.models.masked import MaskedAE
from aelib.models.overcomplete import NoisyCodeAE
from aelib.models.sequence import SequenceAE
from aelib.models.sparse import L1, KLRate, SparseAE, unit_columns
from aelib.models.topk import DeadUnits, TopKAE, TopKOutput
from aelib.models.vae import VAE, KLControl
from aelib.models.vanilla import VanillaAE
from aelib.models.vq import VQVAE, VQOutput
from aelib.models.wae import WassersteinAE

__all__ = [
    "CHANNELS",
    "HIDDEN_DIMS",
    "IWAE",
    "L1",
    "MODELS",
    "VAE",
    "VQVAE",
    "AdversarialAE",
    "ContractiveAE",
    "ContractiveOutput",
    "DeadUnits",
    "DenoisingAE",
    "DenoisingOutput",
    "ExactJacobian",
    "IWAEOutput",
    "KLControl",
    "KLRate",
    "LinearAE",
    "MaskedAE",
    "NoisyCodeAE",
    "SequenceAE",
    "SigmoidLayerJacobian",
    "SparseAE",
    "StochasticJacobian",
    "TopKAE",
    "TopKOutput",
    "VAEOutput",
    "VQOutput",
    "VanillaAE",
    "WassersteinAE",
    "build",
    "unit_columns",
]
