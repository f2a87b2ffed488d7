"""The linear autoencoder: one affine map down, one affine map up (variant V1)."""

import math
from collections.abc import Sequence
from typing import cast, final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from aelib import checks
from aelib.core import AEOutput, DeterministicAutoencoder, Loss
from aelib.likelihoods import Gaussian
from aelib.nets import MLP


@final
class Transposed(nn.Module):
    """x_hat = W^T z + b, where W is the weight of another layer: there is one matrix, which both layers train.

    Args:
        layer: the layer that owns W, of shape (latent_dim, d).
        out_shape: the shape of one output; d is its number of values.
    """

    def __init__(self, layer: nn.Linear, out_shape: Sequence[int]) -> None:
        super().__init__()
        # In a tuple, so that it is not registered here: W is then counted, saved and updated once.
        self._owner = (layer,)
        self.out_shape = tuple(out_shape)
        self.bias = nn.Parameter(torch.zeros_like(layer.weight[0]))

    @property
    def weight(self) -> Tensor:
        """W^T, a view of the other layer's weight."""
        return self._owner[0].weight.T

    def forward(self, z: Float[Tensor, "B latent_dim"]) -> Float[Tensor, "B *out"]:
        """Map (B, latent_dim) to (B, *out_shape)."""
        return F.linear(z, self.weight, self.bias).reshape(len(z), *self.out_shape)


@final
class LinearAE(DeterministicAutoencoder):
    """z = W_enc x + b_enc and x_hat = W_dec z + b_dec, with no activation and a Gaussian likelihood.

    Every minimum of its loss reconstructs by the orthogonal projection onto the span of the leading ``latent_dim`` principal
    components: it finds the principal *subspace*. The weights themselves are free up to any invertible matrix T, as
    (W_dec T^-1)(T W_enc) = W_dec W_enc. With tied weights T must be orthogonal: at a minimum the rows of W_enc are orthonormal,
    and any rotation of them is as good.
    Source: Bourlard and Kamp (1988); Baldi and Hornik (1989).

    Args:
        event_shape: the shape of one example; d is its number of values.
        latent_dim: k, the number of values in a code.
        tied: whether W_dec is W_enc^T, one parameter for both.
    """

    encoder: MLP
    decoder: MLP | Transposed

    def __init__(self, event_shape: Sequence[int], latent_dim: int, *, tied: bool = False) -> None:
        checks.at_least("latent_dim", latent_dim, 1)
        encoder = MLP(event_shape, (), (latent_dim,))
        decoder: MLP | Transposed = MLP((latent_dim,), (), event_shape)
        if tied:
            decoder = Transposed(cast(nn.Linear, encoder.layers[0]), event_shape)
        super().__init__(encoder, decoder, Gaussian())

    @property
    def enc(self) -> nn.Linear:
        """The only layer of the encoder, with W_enc (latent_dim, d) as ``weight`` and b_enc as ``bias``."""
        return cast(nn.Linear, self.encoder.layers[0])

    @property
    def dec(self) -> nn.Linear | Transposed:
        """The only layer of the decoder, with W_dec (d, latent_dim) as ``weight`` and b_dec as ``bias``."""
        return self.decoder if isinstance(self.decoder, Transposed) else cast(nn.Linear, self.decoder.layers[0])

    def loss(self, x: Float[Tensor, "B *event"], out: AEOutput, phase: str = "main") -> Loss:
        """Half the squared distance between x and x_hat, plus the Gaussian's constant (d/2) log(2 pi)."""
        return Loss.weighted({"recon": (1.0, self.recon(x, out))})

    @torch.no_grad()
    def fit_closed_form(self, x: Float[Tensor, "N *event"]) -> None:
        """Set the weights to the minimum of the loss on ``x``, found by a singular value decomposition.

        Of all the minima this is the one with W_dec = W_enc^T and orthonormal columns, ordered by variance: PCA's own, and so
        one of the minima with tied weights too. Codes
        that the data leave free (more than min(N, d)) are set to zero.
        Source: Eckart and Young (1936); the sign makes the largest entry of each component positive.

        Raises:
            ValueError: if ``x`` has another event shape, is empty, or holds NaN or infinity.
        """
        checks.batch("x", x, self.encoder.in_shape)
        checks.at_least("the number of examples in x", len(x), 1)
        self.likelihood.check(x)
        # float64, because squares of small singular values are lost in float32.
        flat = x.flatten(1).double()
        mean = flat.mean(0)
        components = torch.linalg.svd(flat - mean, full_matrices=False).Vh
        largest = components.gather(1, components.abs().argmax(1, keepdim=True))
        components = components * largest.sign()
        latent_dim = math.prod(self.encoder.out_shape)
        w = torch.zeros(latent_dim, flat.shape[1], dtype=flat.dtype, device=flat.device)
        w[: len(components)] = components[:latent_dim]
        self.enc.weight.copy_(w)
        self.enc.bias.copy_(-(w @ mean))
        self.dec.weight.copy_(w.T)
        self.dec.bias.copy_(mean)
