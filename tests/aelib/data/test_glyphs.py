import itertools

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from aelib.data import fonts, glyphs
from aelib.data.glyphs import ANGLE, SCALE, SHEAR, SHIFT, canonical, render

RANGES = {
    "angle": (-30, 30),
    "scale": (0.7, 1),
    "shear": (-0.09, 0.09),
    "shift_x": (-2, 2),
    "shift_y": (-2, 2),
}  # documented
POSE = tuple(RANGES)
SANS = fonts.FACES[0]


@pytest.fixture(scope="module")
def many():
    return glyphs(10_000, seed=7)


def face_of(dataset, i):
    """The face of example i, by its labels."""
    family, weight, slant = (dataset.classes[k][dataset.labels[k][i]] for k in ("font", "weight", "slant"))
    return next(f for f in fonts.FACES if (f.family, f.weight, f.slant) == (family, weight, slant))


def forward(angle, scale, shear):
    """The linear part of the pose as documented, for y upwards."""
    t = np.deg2rad(angle)
    return scale * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) @ np.array([[1, shear], [0, 1]])


def moments(image):
    """Mass, mean and covariance of an image's light, with y upwards from the middle."""
    size = len(image)
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    points, mass = np.stack([x, -y]).reshape(2, -1), image.ravel().astype(np.float64)
    mean = points @ mass / mass.sum()
    return mass.sum(), mean, np.cov(points, aweights=mass, ddof=0)


def test_shapes_types_and_ranges(many):
    assert many.x.shape == (10_000, 1, 28, 28)
    assert many.x.dtype == torch.float32
    assert many.x.min() == 0
    assert many.x.amax(dim=(1, 2, 3)).min() > 0.5
    assert many.x.max() == 1
    for name, (low, high) in RANGES.items():
        values = many.labels[name]
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high


def test_every_factor_is_uniform(many):
    for name, classes in many.classes.items():
        counts = many.labels[name].bincount(minlength=len(classes))
        assert len(counts) == len(classes)
        assert stats.chisquare(counts.numpy()).pvalue > 1e-3, name
    for name, (low, high) in RANGES.items():
        assert stats.kstest(many.labels[name].numpy(), stats.uniform(low, high - low).cdf).pvalue > 1e-3, name


def test_the_factors_are_independent_of_each_other(many):
    def binned(name):
        values = many.labels[name].numpy()
        return values if name in many.classes else np.digitize(values, np.quantile(values, [0.25, 0.5, 0.75]))

    for one, other in itertools.combinations([*many.classes, *POSE], 2):
        table = stats.contingency.crosstab(binned(one), binned(other)).count
        assert stats.chi2_contingency(table).pvalue > 1e-3, (one, other)


def test_the_same_seed_gives_the_same_bytes():
    one, again, other = glyphs(200, seed=3), glyphs(200, seed=3), glyphs(200, seed=4)
    assert one.x.numpy().tobytes() == again.x.numpy().tobytes()
    for name in one.labels:
        assert torch.equal(one.labels[name], again.labels[name])
    assert not torch.equal(one.x, other.x)


def test_the_labels_draw_the_image_again(many):
    for i in range(300):
        character = many.classes["character"][many.labels["character"][i]]
        again = render(character, face_of(many, i), 28, *(many.labels[k][i].item() for k in POSE))
        assert np.array_equal(again, many.x[i, 0].numpy() * 255)


def test_the_pose_in_the_labels_is_the_pose_of_the_image(many):
    # Mass grows by det A = scale^2, the mean moves to A m + shift, the covariance becomes A C A^T: from the upright
    # image and these three, all five numbers of the pose follow.
    for i in range(300):
        character = many.classes["character"][many.labels["character"][i]]
        angle, scale, shear, shift_x, shift_y = (many.labels[k][i].item() for k in POSE)
        mass_0, mean_0, cov_0 = moments(render(character, face_of(many, i), 28))
        mass, mean, cov = moments(many.x[i, 0].numpy() * 255)
        a = forward(angle, scale, shear)
        blur = np.eye(2) / 12  # the variance of a pixel's own square, which the pose does not turn or scale
        assert mass == pytest.approx(scale**2 * mass_0, rel=0.03)
        assert mean == pytest.approx(a @ mean_0 + [shift_x, -shift_y], abs=0.05)
        assert cov == pytest.approx(a @ (cov_0 - blur) @ a.T + blur, abs=0.02 * np.trace(cov_0))


@pytest.mark.parametrize("pose", [(25, 0.8, 0.09, 1.3, -0.7), (-17, 0.7, -0.05, -2, 2), (0, 1, 0.09, 0, 0)])
def test_rendering_agrees_with_scipy(pose):
    angle, scale, shear, shift_x, shift_y = pose
    texture = np.asarray(canonical("R", SANS, 28), dtype=np.float64)
    y, x = np.mgrid[: len(texture), : len(texture)] + 0.5 - len(texture) / 2
    target = np.stack([x - 3 * shift_x, -(y - 3 * shift_y)]).reshape(2, -1)
    source_x, source_y = np.linalg.inv(forward(angle, scale, shear)) @ target
    where = np.stack([-source_y, source_x]) + len(texture) / 2 - 0.5
    sampled = ndimage.map_coordinates(texture, where, order=1).reshape(28, 3, 28, 3)
    assert np.abs(sampled.mean(axis=(1, 3)) - render("R", SANS, 28, *pose)).max() < 1.5


def test_no_pose_is_the_canonical_drawing():
    for character in "Rg4":
        texture = np.asarray(canonical(character, SANS, 28), dtype=np.float64)
        boxes = texture.reshape(28, 3, 28, 3).mean(axis=(1, 3))
        assert np.abs(boxes - render(character, SANS, 28)).max() < 0.6  # rounded to whole gray levels


def test_directions_are_those_a_reader_expects():
    still = render("R", SANS, 28)
    assert np.array_equal(render("R", SANS, 28, shift_x=2.0), np.roll(still, 2, axis=1))
    assert np.array_equal(render("R", SANS, 28, shift_y=2.0), np.roll(still, 2, axis=0))
    turned = render("R", SANS, 28, angle=90.0).astype(int)
    assert np.abs(turned - np.rot90(still)).max() <= 1  # np.rot90 turns counterclockwise
    leaning = render("I", SANS, 28, shear=0.09)
    top, bottom = (np.flatnonzero(leaning[rows].sum(axis=0)).mean() for rows in (slice(0, 14), slice(14, 28)))
    assert top > bottom + 0.5


@pytest.mark.parametrize("size", [16, 28, 45])
def test_no_character_touches_the_border_even_in_the_most_extreme_poses(size):
    shift = SHIFT * size
    for character, face in itertools.product("W1Ogj", fonts.FACES):
        for angle, shear, x, y in itertools.product((*ANGLE, 0), SHEAR, (-shift, shift), (-shift, shift)):
            image = render(character, face, size, angle, SCALE[1], shear, x, y)
            assert not any(edge.any() for edge in (image[0], image[-1], image[:, 0], image[:, -1]))


def test_every_character_of_every_face_fills_the_same_circle():
    for character, face in itertools.product(fonts.CHARACTERS, fonts.FACES[::5]):
        y, x = np.nonzero(np.asarray(canonical(character, face, 28)) > 32)
        assert np.hypot(x - 41.5, y - 41.5).max() / 3 == pytest.approx(9.6, abs=0.6)


def test_incomplete_families_draw_their_faces_uniformly():
    d = glyphs(3_000, characters="ab", families=("Computer Modern",), size=16)
    styles = stats.contingency.crosstab(d.labels["weight"].numpy(), d.labels["slant"].numpy()).count
    assert styles[1, 1] == 0
    assert stats.chisquare(styles.ravel()[:3]).pvalue > 1e-3
    assert d.classes["character"] == ("a", "b")
    assert d.classes["font"] == ("Computer Modern",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n: got 0; expected a number of at least 1"),
        ({"size": 15}, "size: got 15; expected a number of at least 16"),
        ({"characters": "AB!"}, "characters: got '!'; expected one of"),
        ({"characters": "ABA"}, "characters: got 'ABA'; expected at least one, and each one once"),
        ({"characters": ""}, "characters: got ''; expected at least one"),
        ({"families": ("Dejavu Sans",)}, "families: got 'Dejavu Sans'.*did you mean 'DejaVu Sans'"),
        ({"families": ()}, "families: got \\(\\); expected at least one"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        glyphs(**{"n": 5, **arguments})
