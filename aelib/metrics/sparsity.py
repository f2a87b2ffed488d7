"""How many units of a code are in use: for one example, and over a data set."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from aelib import checks

_ROWS = 1024  # rows that are compared with the threshold at a time: an overcomplete code of a data set is large


def unit_rates(z: Float[Tensor, "N latent_dim"], *, threshold: float = 0.0) -> Float[Tensor, " latent_dim"]:
    """The share of the examples for which each unit is active, ``|z_j| > threshold``; from 0 to 1.

    Args:
        z: the codes of a data set.
        threshold: the largest magnitude that counts as off. 0 suits codes with exact zeros (ReLU, top-k); a sigmoid never
            reaches zero and needs another one.

    Raises:
        ValueError: if there are no codes, they are not finite, or ``threshold`` is negative.
    """
    return torch.stack([row.sum(0) for row in _active(z, threshold)]).sum(0).double() / len(z)


def l0(z: Float[Tensor, "N latent_dim"], *, threshold: float = 0.0) -> float:
    """The mean over the examples of the number of active units, ``|z_j| > threshold``; from 0 to latent_dim, lower is sparser.

    Args:
        z: the codes of a data set.
        threshold: the largest magnitude that counts as off.

    Raises:
        ValueError: if there are no codes, they are not finite, or ``threshold`` is negative.
    """
    return unit_rates(z, threshold=threshold).sum().item()


def dead_units(z: Float[Tensor, "N latent_dim"], *, threshold: float = 0.0) -> Int[Tensor, " dead"]:
    """The units, by their number from 0, that are active for none of the examples; none is best.

    Whether a unit is dead depends on the examples: a unit that is rarely active needs many of them to show it.

    Args:
        z: the codes of a data set.
        threshold: the largest magnitude that counts as off.

    Raises:
        ValueError: if there are no codes, they are not finite, or ``threshold`` is negative.
    """
    return (unit_rates(z, threshold=threshold) == 0).nonzero().squeeze(1)


def code_perplexity(indices: Int[Tensor, "..."], num_codes: int) -> float:
    """exp(H) of the frequencies of the entries of a codebook, H in nats: how many entries are in use, if all were used equally.

    From 1, where one entry is always taken, to ``num_codes``, where all are equally frequent; higher is better. With n indices
    it cannot exceed n.

    Args:
        indices: the entry chosen at each place, from 0 to num_codes - 1.
        num_codes: the number of entries.

    Raises:
        ValueError: if there are no indices, or one is out of range.
    """
    checks.at_least("the number of indices", indices.numel(), 1)
    checks.within("indices", indices, 0, num_codes - 1)
    p = torch.bincount(indices.flatten(), minlength=num_codes).double() / indices.numel()
    return float(torch.special.entr(p).sum().exp())


def _active(z: Tensor, threshold: float) -> list[Tensor]:
    checks.batch("z", z)
    checks.at_least("the number of examples in z", len(z), 1)
    checks.finite("z", z)
    checks.at_least("threshold", threshold, 0)
    return [rows.abs() > threshold for rows in z.split(_ROWS)]
