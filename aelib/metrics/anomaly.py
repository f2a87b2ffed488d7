"""Anomaly detection from scores, one number per example, higher for what looks more anomalous.

Any score will do: a squared error, a negative log-likelihood, the distance of a code from the others.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from aelib import checks


def threshold_at(normal: Float[Tensor, " N"], false_positive_rate: float) -> float:
    """The smallest of the normal scores t for which at most this share of them lies above: #{s > t} <= rate * N.

    An example counts as anomalous if its score is *above* the threshold. With k = floor(rate * N), t is the (k + 1)-th largest
    of the N scores. For new normal examples from the same continuous distribution the expected rate is not k / N but
    (k + 1) / (N + 1), by symmetry: the new score is equally likely to take each of the N + 1 ranks.

    Args:
        normal: the scores of normal examples that no model was trained on.
        false_positive_rate: the share of normal examples that may be called anomalous, from 0 to below 1.

    Raises:
        ValueError: if there are no scores, they are not finite, or the rate is out of range.
    """
    _check_scores("normal", normal)
    if not 0 <= false_positive_rate < 1:
        raise ValueError(f"false_positive_rate: got {false_positive_rate!r}; expected a number from 0 to below 1")
    above = round(false_positive_rate * len(normal))
    # The nearest whole number, so that 0.29 of 100 are 29 although 0.29 * 100 is 28.999..., unless it is one too many.
    if above / len(normal) > false_positive_rate:
        above -= 1
    return normal.double().sort(descending=True).values[above].item()


@dataclass(frozen=True)
class Rates:
    """What a threshold does.

    Attributes:
        false_positive: the share of the normal examples above it, from 0 to 1; lower is better.
        true_positive: the share of the anomalous examples above it (recall), from 0 to 1; higher is better.
        precision: the share of the examples above it that are anomalous, from 0 to 1; higher is better. It depends on how many
            there are of either kind. NaN if no example lies above.
    """

    false_positive: float
    true_positive: float
    precision: float


def rates_at(threshold: float, normal: Float[Tensor, " N"], anomalous: Float[Tensor, " M"]) -> Rates:
    """What happens if every score above ``threshold`` is called an anomaly.

    Raises:
        ValueError: if there are no scores of either kind, or they are not finite.
    """
    _check_scores("normal", normal)
    _check_scores("anomalous", anomalous)
    false, true = int((normal > threshold).sum()), int((anomalous > threshold).sum())
    precision = true / (true + false) if true + false else math.nan
    return Rates(false / len(normal), true / len(anomalous), precision)


def auroc(normal: Float[Tensor, " N"], anomalous: Float[Tensor, " M"]) -> float:
    """The chance that an anomalous example scores above a normal one, ties counting half; the area under the ROC curve.

    From 0 to 1, higher is better; 1/2 is chance. It does not depend on how many there are of either kind.
    Source: Hanley and McNeil (1982).

    Raises:
        ValueError: if there are no scores of either kind, or they are not finite.
    """
    return float(roc_auc_score(*_labels_and_scores(normal, anomalous)))


def auprc(normal: Float[Tensor, " N"], anomalous: Float[Tensor, " M"]) -> float:
    """Average precision: the sum over thresholds of precision times the recall gained, the area under the PR curve.

    From 0 to 1, higher is better; chance is the share of anomalies, M / (N + M), so it can be compared only between detectors
    that saw the same examples.

    Raises:
        ValueError: if there are no scores of either kind, or they are not finite.
    """
    return float(average_precision_score(*_labels_and_scores(normal, anomalous)))


def _labels_and_scores(normal: Tensor, anomalous: Tensor) -> tuple[object, object]:
    _check_scores("normal", normal)
    _check_scores("anomalous", anomalous)
    labels = torch.cat([torch.zeros(len(normal)), torch.ones(len(anomalous))])
    return labels.numpy(), torch.cat([normal, anomalous]).detach().double().cpu().numpy()


def _check_scores(argument: str, scores: Tensor) -> None:
    if scores.ndim != 1 or len(scores) == 0:
        raise ValueError(f"{argument}: got shape {tuple(scores.shape)}; expected at least one score, shape (N,)")
    checks.finite(argument, scores)
