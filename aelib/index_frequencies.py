"""A prior over the codes of a codebook: how often each position of a code holds each entry."""

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn.functional import embedding

from aelib import checks
from aelib.quantizers import Quantizer
from aelib.samplers import Sampler


@final
class IndexFrequencies(Sampler):
    """p(c_1 ... c_T) = prod_t p_t(c_t): the index of each token of a code is drawn on its own, whatever the others are.

    A VQ-VAE is trained without a prior; this is the simplest one that can be put beside it afterwards. Its codes are made of
    entries of the codebook, the only ones that the decoder knows, and each token has the frequencies of the data. What the
    tokens of one example have to do with one another is lost; Oord et al. (2017) fit an autoregressive prior, which keeps it.

    Args:
        quantizer: has the codebook, which is copied: fit this after training.
        probabilities: p_t(c), shape (T, C), not negative; each row is divided by its sum.

    Raises:
        ValueError: if the shapes do not fit, or a row has a negative value or a sum of 0.
    """

    codebook: Tensor
    probabilities: Tensor

    def __init__(self, quantizer: Quantizer, probabilities: Float[Tensor, "T C"]) -> None:
        super().__init__()
        expected = (quantizer.num_tokens, quantizer.num_codes)
        if probabilities.shape != expected:
            raise ValueError(
                f"probabilities: got shape {tuple(probabilities.shape)}; expected {expected}, num_tokens by num_codes"
            )
        totals = probabilities.sum(1, keepdim=True)
        if not (probabilities >= 0).all() or not (totals > 0).all():
            raise ValueError("probabilities: got a negative value or a row of zeros; expected rows of shares")
        self.latent_dim = quantizer.num_tokens * quantizer.code_dim
        self.register_buffer("codebook", quantizer.codebook.detach().clone())
        self.register_buffer("probabilities", probabilities / totals)

    @classmethod
    def fitted(cls, quantizer: Quantizer, indices: Int[Tensor, "N T"]) -> "IndexFrequencies":
        """The shares of the entries in each column of ``indices``: the maximum of the likelihood under this prior.

        Args:
            quantizer: as for the class.
            indices: the indices of N examples, such as ``model(x).indices`` of a VQ-VAE in evaluation mode.

        Raises:
            ValueError: if ``indices`` has no rows, another width than num_tokens, or a value out of range.
        """
        checks.batch("indices", indices, (quantizer.num_tokens,))
        checks.at_least("the number of rows of indices", len(indices), 1)
        checks.within("indices", indices, 0, quantizer.num_codes - 1)
        counts = [column.bincount(minlength=quantizer.num_codes) for column in indices.unbind(1)]
        return cls(quantizer, torch.stack(counts).to(quantizer.codebook))

    def forward(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "n latent_dim"]:
        """Draw an index for each token, and put the entries of the codebook side by side."""
        checks.at_least("n", n, 0)
        if n == 0:
            return self.probabilities.new_zeros(0, self.latent_dim)
        indices = self.probabilities.multinomial(n, replacement=True, generator=generator).T
        return embedding(indices, self.codebook).flatten(1)
