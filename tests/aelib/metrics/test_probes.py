"""Probes against brute force, and on codes whose scores are known."""

from collections import Counter
from itertools import combinations
from math import comb, log

import numpy as np
import pytest
import torch

from aelib.metrics import clustering_scores, knn_accuracy, linear_probe_accuracy, retrieval_precision, trustworthiness


def blobs(n=90, spread=0.1, seed=0):
    """Three classes around the corners of a triangle."""
    y = torch.arange(n) % 3
    noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    return torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])[y] + spread * noise, y


def order_by_distance(points, i):
    distances = ((points - points[i]) ** 2).sum(1)
    return [j for j in np.argsort(distances, kind="stable") if j != i]


def test_a_linear_probe_reads_what_is_linear():
    z, y = blobs()
    z_test, y_test = blobs(seed=1)
    assert linear_probe_accuracy(z, y, z_test, y_test) == 1


def test_a_linear_probe_cannot_read_xor_and_neighbors_can():
    z = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    y = ((z[:, 0] > 0) ^ (z[:, 1] > 0)).long()
    split = z[:300], y[:300], z[300:], y[300:]
    assert linear_probe_accuracy(*split) < 0.7
    assert knn_accuracy(*split) > 0.9


def test_a_linear_probe_needs_two_classes():
    z, y = torch.rand(6, 2), torch.zeros(6, dtype=torch.long)
    with pytest.raises(ValueError, match="number of classes in y_train: got 1"):
        linear_probe_accuracy(z, y, z, y)


def test_a_linear_probe_does_not_mind_the_scale_of_a_unit():
    z, y = blobs(spread=1.5)
    z_test, y_test = blobs(spread=1.5, seed=1)
    scale, shift = torch.tensor([1e-3, 1e4]), torch.tensor([5.0, -70.0])
    expected = linear_probe_accuracy(z, y, z_test, y_test)
    assert expected < 1
    assert linear_probe_accuracy(z * scale + shift, y, z_test * scale + shift, y_test) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 4, 5])
def test_knn_accuracy_by_brute_force(k):
    z, y = blobs(60, spread=2)
    z_test, y_test = blobs(40, spread=2, seed=1)
    right = 0
    for point, label in zip(z_test.double(), y_test.tolist()):
        nearest = ((z.double() - point) ** 2).sum(1).argsort()[:k]
        votes = Counter(y[nearest].tolist())
        right += min(c for c in votes if votes[c] == max(votes.values())) == label
    assert knn_accuracy(z, y, z_test, y_test, k=k) == pytest.approx(right / 40)
    assert 0.3 < right / 40 < 1


def test_retrieval_precision_by_brute_force():
    z, y = blobs(50, spread=2)
    points, labels = z.double().numpy(), y.tolist()
    hits = [labels[j] == labels[i] for i in range(50) for j in order_by_distance(points, i)[:7]]
    assert retrieval_precision(z, y, k=7) == pytest.approx(np.mean(hits))


def test_an_example_does_not_retrieve_itself():
    """Two classes that alternate on a line: the nearest other example is always of the other class."""
    z = torch.arange(10.0)[:, None] + torch.tensor([[0.0], [0.1]]).repeat(5, 1)
    assert retrieval_precision(z, torch.arange(10) % 2, k=1) == 0


def test_clusters_that_are_classes_score_one_and_shuffled_classes_near_zero():
    z, y = blobs()
    scores = clustering_scores(z, y)
    assert scores.ari == pytest.approx(1)
    assert scores.nmi == pytest.approx(1)
    shuffled = clustering_scores(z, y[torch.randperm(90, generator=torch.Generator().manual_seed(0))])
    assert abs(shuffled.ari) < 0.1
    assert shuffled.nmi < 0.1


def test_clustering_scores_by_counting():
    """Four clusters of three pairs each for two classes: both scores from their definitions."""
    z = torch.tensor([[0.0], [10.0], [20.0], [30.0]]).repeat_interleave(3, 0) + torch.tensor(
        [[0.0], [0.1], [0.2]]
    ).repeat(4, 1)
    cluster, y = torch.arange(4).repeat_interleave(3).tolist(), [0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1]
    scores = clustering_scores(z, torch.tensor(y), num_clusters=4)

    pairs = list(combinations(range(12), 2))
    together = sum(cluster[i] == cluster[j] and y[i] == y[j] for i, j in pairs)
    in_clusters, in_classes = (sum(comb(n, 2) for n in Counter(part).values()) for part in (cluster, y))
    chance = in_clusters * in_classes / len(pairs)
    assert scores.ari == pytest.approx((together - chance) / ((in_clusters + in_classes) / 2 - chance))

    def entropy(part):
        return -sum(n / 12 * log(n / 12) for n in Counter(part).values())

    information = entropy(cluster) + entropy(y) - entropy(list(zip(cluster, y)))
    assert scores.nmi == pytest.approx(2 * information / (entropy(cluster) + entropy(y)))


def test_trustworthiness_by_brute_force():
    generator = torch.Generator().manual_seed(0)
    n, k = 40, 4
    x, z = torch.randn(n, 1, 5, generator=generator), torch.randn(n, 2, generator=generator)
    x_points, z_points = x.flatten(1).double().numpy(), z.double().numpy()
    penalty = 0
    for i in range(n):
        rank = {j: r for r, j in enumerate(order_by_distance(x_points, i), start=1)}
        penalty += sum(max(rank[j] - k, 0) for j in order_by_distance(z_points, i)[:k])
    expected = 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty
    assert trustworthiness(x, z, k=k) == pytest.approx(expected)


def test_trustworthiness_of_a_copy_is_one_and_of_random_codes_about_a_half():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(300, 8, generator=generator)
    assert trustworthiness(x, 3 * x + 1) == 1
    assert trustworthiness(x, torch.randn(300, 2, generator=generator)) == pytest.approx(0.5, abs=0.03)


def test_codes_may_have_a_graph():
    z, y = blobs()
    assert retrieval_precision(z.requires_grad_(), y) == 1


@pytest.mark.usefixtures("as_a_user")
def test_bad_input_is_named():
    z, y = blobs(12)
    with pytest.raises(ValueError, match="y_test: got 11 labels; expected one for each of the 12 codes of z_test"):
        linear_probe_accuracy(z, y, z, y[1:])
    with pytest.raises(ValueError, match="z_train: 1 of 24 values are NaN or infinite"):
        knn_accuracy(torch.where(torch.arange(24).view(12, 2) == 3, torch.nan, z), y, z, y)
    with pytest.raises(ValueError, match="k: got 12; expected 1 to 11"):
        retrieval_precision(z, y, k=12)
    with pytest.raises(ValueError, match="num_clusters: got 13; expected 1 to 12"):
        clustering_scores(z, y, num_clusters=13)
    with pytest.raises(ValueError, match="z: got 11 codes; expected one for each of the 12 examples"):
        trustworthiness(z, z[1:])
    with pytest.raises(ValueError, match="k: got 6; expected 1 to 5"):
        trustworthiness(z, z, k=6)
