import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits, load_sample_image

from aelib.data import digits, photo_patches


def test_digits_are_scikit_learns_digits():
    d = digits()
    features, target = load_digits(return_X_y=True)
    assert d.x.shape == (1797, 1, 8, 8)
    assert d.x.dtype == torch.float32
    assert np.array_equal(d.flat().numpy() * 16, features)
    assert np.array_equal(d.labels["digit"].numpy(), target)
    assert (d.x.min(), d.x.max()) == (0, 1)
    assert d.classes["digit"] == tuple("0123456789")


@pytest.mark.parametrize("size", [1, 5, 16])
def test_a_patch_is_the_part_of_its_photo_that_its_labels_name(size):
    d = photo_patches(50, size=size, seed=3)
    assert d.x.shape == (50, 3, size, size)
    for i in range(len(d)):
        photo = load_sample_image(d.classes["photo"][d.labels["photo"][i]] + ".jpg")
        row, column = d.labels["row"][i].item(), d.labels["column"][i].item()
        expected = photo[row : row + size, column : column + size].transpose(2, 0, 1) / 255
        assert np.allclose(d.x[i].numpy(), expected, atol=1e-7)


def test_gray_is_pillows_luma_up_to_its_rounding():
    color, gray = photo_patches(20, seed=1), photo_patches(20, gray=True, seed=1)
    assert gray.x.shape == (20, 1, 16, 16)
    for c, g in zip(color.x, gray.x):
        picture = Image.fromarray((c * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())
        luma = np.asarray(picture.convert("L"), dtype=np.float64)
        assert np.abs(g[0].numpy() * 255 - luma).max() <= 0.51


def test_gray_stays_in_the_unit_interval():
    x = photo_patches(2, size=427, gray=True).x
    assert 0 <= x.min() < x.max() <= 1


def test_places_reach_the_edges_of_the_photos_and_both_photos():
    labels = photo_patches(20_000, size=2).labels
    assert set(labels["photo"].tolist()) == {0, 1}
    assert set(labels["row"].tolist()) == set(range(427 - 2 + 1))
    assert set(labels["column"].tolist()) == set(range(640 - 2 + 1))


def test_the_seed_decides_the_patches():
    assert torch.equal(photo_patches(30, seed=5).x, photo_patches(30, seed=5).x)
    assert not torch.equal(photo_patches(30, seed=5).x, photo_patches(30, seed=6).x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n: got 0; expected a number of at least 1"),
        ({"size": 0}, "size: got 0; expected a number of at least 1"),
        ({"size": 428}, "size: got 428; expected at most 427"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        photo_patches(**arguments)
