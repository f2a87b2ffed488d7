"""What to measure of any model: its reconstructions, its codes, its samples. Everything takes tensors and knows no model.

Each docstring says the range and which direction is good.
"""

from aelib.metrics.anomaly import Rates, auprc, auroc, rates_at, threshold_at
from aelib.metrics.coder import entropy_decode, entropy_encode
from aelib.metrics.disentanglement import (
    DCI,
    completeness_score,
    dci,
    discretize,
    disentanglement_score,
    mig,
    mutual_information,
)
from aelib.metrics.frechet import frechet_distance, gaussian_frechet
from aelib.metrics.probes import (
    ClusteringScores,
    clustering_scores,
    knn_accuracy,
    linear_probe_accuracy,
    retrieval_precision,
    trustworthiness,
)
from aelib.metrics.rate import RatePoint, quantize, rate_distortion
from aelib.metrics.reconstruction import (
    explained_variance,
    mean_squared_error,
    psnr,
    reconstruction_error,
    squared_error,
    ssim,
)
from aelib.metrics.scale import CONVENTIONS, Scale, bits_per_dimension, convention, convert_loss
from aelib.metrics.sparsity import code_perplexity, dead_units, l0, unit_rates
from aelib.metrics.subspaces import principal_angles

__all__ = [
    "CONVENTIONS",
    "DCI",
    "ClusteringScores",
    "RatePoint",
    "Rates",
    "Scale",
    "auprc",
    "auroc",
    "bits_per_dimension",
    "clustering_scores",
    "code_perplexity",
    "completeness_score",
    "convention",
    "convert_loss",
    "dci",
    "dead_units",
    "discretize",
    "disentanglement_score",
    "entropy_decode",
    "entropy_encode",
    "explained_variance",
    "frechet_distance",
    "gaussian_frechet",
    "knn_accuracy",
    "l0",
    "linear_probe_accuracy",
    "mean_squared_error",
    "mig",
    "mutual_information",
    "principal_angles",
    "psnr",
    "quantize",
    "rate_distortion",
    "rates_at",
    "reconstruction_error",
    "retrieval_precision",
    "squared_error",
    "ssim",
    "threshold_at",
    "trustworthiness",
    "unit_rates",
]
