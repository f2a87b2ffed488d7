"""Codebooks: each part of a code is replaced by the nearest of a few vectors that are learned."""

from abc import ABC, abstractmethod
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn.functional import embedding

from aelib import checks


def code_perplexity(indices: Int[Tensor, "..."], num_codes: int) -> Float[Tensor, ""]:
    """exp(-sum_c p_c log p_c), where p_c is the share of the entries of ``indices`` that are c: from 1 to ``num_codes``.

    It is the number of codes, all used equally often, that would have the entropy of those in use; without entries it is 1.
    """
    counts = (indices.reshape(-1, 1) == torch.arange(num_codes, device=indices.device)).sum(0).float()
    shares = counts / counts.sum().clamp(min=1)
    return torch.exp(-torch.special.xlogy(shares, shares).sum())


class Quantizer(nn.Module, ABC):
    """A codebook e_1 ... e_C, and the map from a code in T tokens to the nearest entry for each token.

    Args:
        num_tokens: T, the number of tokens in the code of an example.
        code_dim: the number of values in a token.
        num_codes: C, the number of entries; a code then holds at most T log2(C) bits.

    Raises:
        ValueError: if a size is below one.
    """

    codebook: Tensor

    def __init__(self, num_tokens: int, code_dim: int, num_codes: int) -> None:
        super().__init__()
        for argument, value in (("num_tokens", num_tokens), ("code_dim", code_dim), ("num_codes", num_codes)):
            checks.at_least(argument, value, 1)
        self.num_tokens, self.code_dim, self.num_codes = num_tokens, code_dim, num_codes

    @final
    def nearest(self, z_e: Float[Tensor, "B latent_dim"]) -> Int[Tensor, "B num_tokens"]:
        """argmin_c ||z_e - e_c|| for each token of ``z_e``, which is num_tokens * code_dim values wide.

        Raises:
            ValueError: if it is not.
        """
        checks.batch("the encoder's output", z_e, (self.num_tokens * self.code_dim,))
        return torch.cdist(self._tokens(z_e), self.codebook).argmin(1).reshape(-1, self.num_tokens)

    @final
    def lookup(self, indices: Int[Tensor, "B num_tokens"]) -> Float[Tensor, "B latent_dim"]:
        """The entries of the codebook, side by side."""
        return embedding(indices, self.codebook).flatten(1)

    @abstractmethod
    def update(
        self, z_e: Float[Tensor, "B latent_dim"], indices: Int[Tensor, "B num_tokens"], generator: Generator | None
    ) -> None:
        """What a training pass changes in the codebook, apart from gradients."""

    def _tokens(self, z_e: Float[Tensor, "B latent_dim"]) -> Float[Tensor, "n code_dim"]:
        return z_e.reshape(len(z_e) * self.num_tokens, self.code_dim)


def _initial_codebook(num_codes: int, code_dim: int) -> Tensor:
    """Uniform in [-1/C, 1/C]: close to each other, so that none is out of reach at the start."""
    return (2 * torch.rand(num_codes, code_dim) - 1) / num_codes


@final
class GradientQuantizer(Quantizer):
    """A codebook that gradients train, those of the codebook loss. Its arguments are those of :class:`Quantizer`."""

    def __init__(self, num_tokens: int, code_dim: int, num_codes: int) -> None:
        super().__init__(num_tokens, code_dim, num_codes)
        self.codebook = nn.Parameter(_initial_codebook(num_codes, code_dim))

    def update(
        self, z_e: Float[Tensor, "B latent_dim"], indices: Int[Tensor, "B num_tokens"], generator: Generator | None
    ) -> None:
        """Nothing: gradients do it all."""


@final
class MovingAverageQuantizer(Quantizer):
    """A codebook of moving averages: e_c is the mean of the tokens that were nearest to it, the last batches counting most.

    With n_c tokens of a batch nearest to e_c, and decay g:
    N_c <- g N_c + (1 - g) n_c,  m_c <- g m_c + (1 - g) (sum of these tokens),  e_c <- m_c / N_c.
    Source: Oord et al. (2017), appendix A.1.

    An entry that is hardly used is *dead*: no token is near enough to move it. It is put onto a random token of the batch, with
    the mean of all N_c as its count. Source: Dhariwal et al. (2020), "Random restarts for embeddings".

    Args:
        num_tokens: see :class:`Quantizer`.
        code_dim: see :class:`Quantizer`.
        num_codes: see :class:`Quantizer`.
        decay: g, from 0 to 1.
        dead_below: an entry is dead if its N_c is below this share of the mean of all N_c; 0: none ever is.

    Raises:
        ValueError: if a size is below one, or another argument not in [0, 1].
    """

    counts: Tensor
    sums: Tensor

    def __init__(
        self, num_tokens: int, code_dim: int, num_codes: int, *, decay: float = 0.99, dead_below: float = 0.05
    ) -> None:
        super().__init__(num_tokens, code_dim, num_codes)
        for argument, value in (("decay", decay), ("dead_below", dead_below)):
            if not 0 <= value <= 1:
                raise ValueError(f"{argument}: got {value!r}; expected a number from 0 to 1")
        self.decay, self.dead_below = decay, dead_below
        self.register_buffer("codebook", _initial_codebook(num_codes, code_dim))
        self.register_buffer("counts", torch.ones(num_codes))
        self.register_buffer("sums", self.codebook.clone())

    @torch.no_grad()
    def update(
        self, z_e: Float[Tensor, "B latent_dim"], indices: Int[Tensor, "B num_tokens"], generator: Generator | None
    ) -> None:
        """Move the averages on by one batch, then reset dead entries with random tokens drawn from ``generator``."""
        tokens = self._tokens(z_e)
        if len(tokens) == 0:
            return
        chosen = (indices.reshape(-1, 1) == torch.arange(self.num_codes, device=indices.device)).to(tokens.dtype)
        self.counts.lerp_(chosen.sum(0), 1 - self.decay)
        self.sums.lerp_(chosen.T @ tokens, 1 - self.decay)
        # An entry that no batch ever uses keeps its place, also when its count has faded to nothing.
        used = (self.counts > torch.finfo(self.counts.dtype).eps).unsqueeze(1)
        torch.where(used, self.sums / self.counts.unsqueeze(1), self.codebook, out=self.codebook)
        mean_count = self.counts.mean()
        dead = self.counts < self.dead_below * mean_count
        rows = torch.randint(len(tokens), (self.num_codes,), generator=generator, device=tokens.device)
        fresh, dead_rows = tokens.index_select(0, rows), dead.unsqueeze(1)
        torch.where(dead_rows, fresh, self.codebook, out=self.codebook)
        torch.where(dead, mean_count, self.counts, out=self.counts)
        torch.where(dead_rows, mean_count * fresh, self.sums, out=self.sums)
