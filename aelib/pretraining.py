"""Greedy layer-wise pre-training: a deep autoencoder is trained one layer at a time, and as a whole only after that (V11)."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aelib import checks
from aelib.core import Autoencoder
from aelib.corruption import Corruption
from aelib.history import History, TrainConfig
from aelib.likelihoods import Gaussian
from aelib.models.denoising import DenoisingAE
from aelib.models.linear import Transposed
from aelib.models.vanilla import VanillaAE
from aelib.nets import MLP
from aelib.training import fit


def pretrain_greedily(
    model: Autoencoder[Any],
    x: Float[Tensor, "N *event"],
    config: TrainConfig | None = None,
    *,
    corruption: Corruption | None = None,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> list[History]:
    """Set the weights of ``model`` by training a shallow autoencoder for each of its layers, from the outermost inwards.

    Layer l of the encoder and its mirror image in the decoder learn to reconstruct h_(l-1), the output of the layers before,
    which stay as they are. The two share one weight matrix meanwhile, W and W^T, as in the sources, and are free afterwards:
    ``fit`` then trains all layers together. The outermost pair is scored by the model's likelihood, the others by a Gaussian.
    Source: Hinton and Salakhutdinov (2006), with Boltzmann machines; Bengio et al. (2007), with autoencoders;
    Vincent et al. (2010), with denoising autoencoders.

    Args:
        model: is trained in place. Its encoder and decoder are each an :class:`~aelib.nets.MLP`, and mirror images.
        x: the training examples.
        config: for each layer's training; None takes the defaults.
        corruption: of every layer's input, as in a stacked denoising autoencoder; None: no corruption.
        device: where to train; None takes a GPU if there is one.
        progress: whether to show a progress bar for each layer.

    Returns:
        The history of each layer's training, the outermost first.

    Raises:
        TypeError: if the encoder or the decoder is not an MLP.
        ValueError: if their layers are not mirror images, or ``x`` does not fit them.
    """
    encoder, decoder = _mlp("encoder", model.encoder), _mlp("decoder", model.decoder)
    downs, ups = _linears(encoder), _linears(decoder)[::-1]
    if [_shape(layer) for layer in downs] != [_shape(layer)[::-1] for layer in ups]:
        raise ValueError(
            f"model: the layers of its encoder have shapes {[_shape(layer) for layer in downs]}, those of its decoder, last "
            f"first, {[_shape(layer) for layer in ups]}; expected mirror images"
        )
    checks.batch("x", x, encoder.in_shape)
    histories = []
    h = x.flatten(1)
    for depth, (down, up) in enumerate(zip(downs, ups)):
        mirror = Transposed(down, (down.in_features,))
        mirror.bias = up.bias
        likelihood = model.likelihood if depth == 0 else Gaussian().to(down.weight.dtype)
        shallow_encoder = nn.Sequential(down, *_after(down, encoder))
        shallow_decoder = nn.Sequential(mirror, *_after(up, decoder))
        shallow: Autoencoder[Any]
        if corruption is None:
            shallow = VanillaAE(shallow_encoder, shallow_decoder, likelihood)
        else:
            shallow = DenoisingAE(shallow_encoder, shallow_decoder, likelihood, corruption)
        histories.append(fit(shallow, h, config, device=device, progress=progress))
        with torch.no_grad():
            up.weight.copy_(mirror.weight)
            h = shallow.encode(h.to(down.weight))
    model.to(h.device)
    return histories


def _mlp(name: str, net: nn.Module) -> MLP:
    if not isinstance(net, MLP):
        raise TypeError(
            f"model: its {name} is of type {type(net).__name__}; expected an MLP, whose layers can be taken apart"
        )
    return net


def _linears(net: MLP) -> list[nn.Linear]:
    return [layer for layer in net.layers if isinstance(layer, nn.Linear)]


def _shape(layer: nn.Linear) -> tuple[int, int]:
    return layer.in_features, layer.out_features


def _after(layer: nn.Linear, net: MLP) -> list[nn.Module]:
    """The activation that follows ``layer``, if any."""
    layers = list(net.layers)
    place = layers.index(layer) + 1
    return layers[place : place + 1]
