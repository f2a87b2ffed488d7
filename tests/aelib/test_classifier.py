"""The classifier whose features the Fréchet distance uses."""

import pytest
import torch

from aelib.classifier import NUM_CLASSES, NUM_FEATURES, train_classifier
from aelib.data import glyphs
from aelib.metrics import frechet_distance


@pytest.fixture(scope="module")
def classifier():
    """Half the default training, to be quick."""
    return train_classifier(num_train=2000, epochs=8)


def test_it_reads_characters_that_it_has_not_seen(classifier):
    test = glyphs(500, seed=1)
    accuracy = (classifier(test.x).argmax(1) == test.labels["character"]).double().mean().item()
    assert accuracy > 0.5, "chance is 1 in 36"


@pytest.mark.slow
def test_the_default_reaches_the_accuracy_that_it_states():
    test = glyphs(2000, seed=1)
    accuracy = (train_classifier()(test.x).argmax(1) == test.labels["character"]).double().mean().item()
    assert accuracy == pytest.approx(7 / 8, abs=0.03)


def test_the_same_seed_gives_the_same_weights():
    runs = []
    for disturbance in (0, 1):
        torch.manual_seed(disturbance)
        before = torch.get_rng_state()
        runs.append(train_classifier(num_train=150, epochs=1, seed=3).state_dict())
        assert torch.equal(torch.get_rng_state(), before)
    other = train_classifier(num_train=150, epochs=1, seed=4).state_dict()
    for name, value in runs[0].items():
        assert torch.equal(value, runs[1][name])
        assert not torch.equal(value, other[name])


def test_shapes_and_mode(classifier):
    x = glyphs(3, seed=2).x
    assert classifier(x).shape == (3, NUM_CLASSES)
    assert classifier.features(x).shape == (3, NUM_FEATURES)
    assert not classifier.training
    assert not any(p.requires_grad for p in classifier.parameters())


def test_its_features_tell_glyphs_from_damaged_ones(classifier):
    """The distance grows with the damage, and is smallest between two samples of the same glyphs."""
    real, other = glyphs(400, seed=5).x, glyphs(400, seed=6).x
    noise = torch.rand(other.shape, generator=torch.Generator().manual_seed(0))
    mixtures = [(1 - share) * other + share * noise for share in (0.0, 0.2, 0.5)]
    distances = [frechet_distance(classifier.features, real, x) for x in mixtures]
    assert 0 < distances[0] < distances[1] / 3 < distances[2] / 6


@pytest.mark.usefixtures("as_a_user")
def test_bad_input_is_named(classifier):
    with pytest.raises(ValueError, match=r"x: got shape \(2, 1, 16, 16\); expected a batch of shape \(B, 1, 28, 28\)"):
        classifier.features(torch.zeros(2, 1, 16, 16))
    with pytest.raises(ValueError, match="num_train"):
        train_classifier(num_train=0)
    with pytest.raises(ValueError, match="epochs"):
        train_classifier(epochs=0)
