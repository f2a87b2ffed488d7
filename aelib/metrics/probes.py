"""What can be read from a code by simple means: linearly, by its neighbors, by its clusters.

Each takes codes of any model as a tensor (N, latent_dim), and labels that are classes as integers (N,).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import trustworthiness as _trustworthiness
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from aelib import checks


def linear_probe_accuracy(
    z_train: Float[Tensor, "N latent_dim"],
    y_train: Int[Tensor, " N"],
    z_test: Float[Tensor, "M latent_dim"],
    y_test: Int[Tensor, " M"],
    *,
    regularization: float = 1.0,
) -> float:
    """The share of test examples whose class a logistic regression on the codes tells; from 0 to 1, higher is better.

    Each unit is first brought to mean 0 and variance 1 on the training codes. Compare with the share of the largest class,
    which needs no code at all. Nothing is random.
    Source: Alain and Bengio (2016).

    Args:
        z_train: the codes to fit on.
        y_train: their classes, at least two.
        z_test: the codes to judge on, of other examples.
        y_test: their classes.
        regularization: C of scikit-learn, the inverse strength of the L2 penalty.

    Raises:
        ValueError: if codes and labels do not match in number, codes are not finite, or all training labels are the same.
    """
    checks.at_least("the number of classes in y_train", len(y_train.unique()), 2)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=regularization, max_iter=5000))
    classifier.fit(*_labeled("train", z_train, y_train))
    return float(classifier.score(*_labeled("test", z_test, y_test)))


def knn_accuracy(
    z_train: Float[Tensor, "N latent_dim"],
    y_train: Int[Tensor, " N"],
    z_test: Float[Tensor, "M latent_dim"],
    y_test: Int[Tensor, " M"],
    *,
    k: int = 5,
) -> float:
    """The share of test examples whose class most of their ``k`` nearest training codes have; from 0 to 1, higher is better.

    Near is meant in Euclidean distance, in the codes as they are. Of classes with the same number of votes the smallest wins.

    Raises:
        ValueError: if codes and labels do not match in number, codes are not finite, or ``k`` is not from 1 to N.
    """
    train = _labeled("train", z_train, y_train)
    _check_k(k, len(z_train))
    classifier = KNeighborsClassifier(k).fit(*train)
    return float(classifier.score(*_labeled("test", z_test, y_test)))


def retrieval_precision(z: Float[Tensor, "N latent_dim"], y: Int[Tensor, " N"], *, k: int = 10) -> float:
    """Precision at k: the mean share of an example's ``k`` nearest others that have its class; from 0 to 1, higher is better.

    Raises:
        ValueError: if codes and labels do not match in number, codes are not finite, or ``k`` is not from 1 to N - 1.
    """
    codes, classes = _labeled("", z, y)
    _check_k(k, len(z) - 1)
    neighbors = NearestNeighbors(n_neighbors=k).fit(codes).kneighbors(return_distance=False)
    return float((classes[neighbors] == classes[:, None]).mean())


@dataclass(frozen=True)
class ClusteringScores:
    """How well clusters agree with classes; names of clusters do not matter.

    Attributes:
        ari: adjusted Rand index, at most 1: agreement on which pairs belong together, 0 on average for random clusters.
        nmi: normalized mutual information, from 0 to 1: 2 I / (H + H). Not adjusted for chance: many clusters raise it.
    """

    ari: float
    nmi: float


def clustering_scores(
    z: Float[Tensor, "N latent_dim"], y: Int[Tensor, " N"], *, num_clusters: int | None = None, seed: int = 0
) -> ClusteringScores:
    """k-means on the codes, the best of ten starts, compared with the classes; higher is better.

    Args:
        z: the codes.
        y: their classes, which k-means does not see.
        num_clusters: None takes the number of classes in ``y``.
        seed: of the ten starts.

    Raises:
        ValueError: if codes and labels do not match in number, codes are not finite, or there are fewer codes than clusters.
    """
    codes, classes = _labeled("", z, y)
    num_clusters = len(np.unique(classes)) if num_clusters is None else num_clusters
    _check_k(num_clusters, len(codes), "num_clusters")
    clusters = KMeans(num_clusters, n_init=10, random_state=seed).fit_predict(codes)
    return ClusteringScores(
        float(adjusted_rand_score(classes, clusters)), float(normalized_mutual_info_score(classes, clusters))
    )


def trustworthiness(x: Float[Tensor, "N *event"], z: Float[Tensor, "N latent_dim"], *, k: int = 5) -> float:
    """Whether neighbors in the codes are neighbors in the data; from 0 to 1, higher is better, about 1/2 for random codes.

    1 - 2 / (N k (2 N - 3 k - 1)) sum_i sum_j (r(i, j) - k), over those j that are among the k nearest codes of i but only the
    r(i, j)-th nearest in the data, r > k. It needs all N^2 distances: take a few thousand examples at most.
    Source: Venna and Kaski (2001).

    Raises:
        ValueError: if there are not as many codes as examples, values are not finite, or ``k`` is not from 1 to below N / 2.
    """
    if len(x) != len(z):
        raise ValueError(f"z: got {len(z)} codes; expected one for each of the {len(x)} examples of x")
    _check_k(k, (len(x) - 1) // 2)
    return float(_trustworthiness(_array("x", x), _array("z", z), n_neighbors=k))


def _array(argument: str, values: Float[Tensor, "N *event"]) -> Float64[np.ndarray, "N d"]:
    checks.batch(argument, values)
    checks.finite(argument, values)
    array: Float64[np.ndarray, "N d"] = values.detach().flatten(1).double().cpu().numpy()
    return array


def _labeled(
    part: str, z: Float[Tensor, "N latent_dim"], y: Int[Tensor, " M"]
) -> tuple[Float64[np.ndarray, "N latent_dim"], Int[np.ndarray, " N"]]:
    suffix = f"_{part}" if part else ""
    if len(z) != len(y):
        raise ValueError(f"y{suffix}: got {len(y)} labels; expected one for each of the {len(z)} codes of z{suffix}")
    checks.at_least(f"the number of codes in z{suffix}", len(z), 1)
    return _array(f"z{suffix}", z), y.detach().cpu().numpy()


def _check_k(k: int, largest: int, argument: str = "k") -> None:
    if not 1 <= k <= largest:
        raise ValueError(f"{argument}: got {k}; expected 1 to {largest} for this number of examples")
