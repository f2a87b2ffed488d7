"""Walks in a latent space against geometry and numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aelib.latent import lerp, slerp, traversal, unit_quantiles

T = torch.linspace(0, 1, 9, dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ends(d, seed):
    a, b = normal(3, d, seed=seed), normal(3, d, seed=seed + 1)
    return 2 * a / a.norm(dim=1, keepdim=True), 2 * b / b.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("walk", [lerp, slerp])
def test_walks_begin_at_a_and_end_at_b(walk):
    a, b = normal(4, 3), normal(4, 3, seed=1)
    path = walk(a, b, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(path, torch.stack([a, b]))


def test_lerp_has_constant_steps():
    steps = lerp(normal(4, 3), normal(4, 3, seed=1), T).diff(dim=0)
    torch.testing.assert_close(steps, steps[:1].expand_as(steps))


@given(d=st.integers(2, 20), seed=st.integers(0, 10_000))
def test_slerp_stays_on_the_sphere_at_constant_speed(d, seed):
    path = slerp(*ends(d, seed), T)
    torch.testing.assert_close(path.norm(dim=2), torch.full((9, 3), 2.0, dtype=torch.float64))
    cosines = (path[:-1] * path[1:]).sum(2) / 4
    angles = torch.arccos(cosines.clamp(-1, 1))
    torch.testing.assert_close(angles, angles[:1].expand_as(angles), rtol=1e-5, atol=1e-7)


def test_slerp_lies_in_the_plane_of_its_ends_and_takes_the_shorter_arc():
    a, b = ends(5, 0)
    middle = slerp(a, b, torch.tensor([0.5]))[0]
    torch.testing.assert_close(middle, 2 * (a + b) / (a + b).norm(dim=1, keepdim=True))


def test_slerp_of_a_quarter_circle():
    """From (1, 0) to (0, 1) by thirds: 30 and 60 degrees."""
    path = slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([1 / 3, 2 / 3]))
    expected = torch.tensor([[[np.sqrt(3) / 2, 0.5]], [[0.5, np.sqrt(3) / 2]]]).float()
    torch.testing.assert_close(path, expected)


def test_parallel_and_zero_ends_are_joined_by_a_line():
    a = torch.tensor([[1.0, 2.0], [0.0, 0.0], [3.0, 1.0], [1.0, 1.0]])
    b = torch.tensor([[2.0, 4.0], [5.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    path = slerp(a, b, T)
    assert torch.isfinite(path).all()
    torch.testing.assert_close(path, lerp(a, b, T))


@pytest.mark.parametrize("angle", [1e-12, 1e-8, 1e-7, 1e-4])
def test_nearly_parallel_ends_are_no_trouble(angle):
    a, b = torch.tensor([[1.0, 0.0]]).double(), torch.tensor([[np.cos(angle), np.sin(angle)]])
    path = slerp(a, b, T)[:, 0]
    expected = torch.stack([torch.cos(T * angle), torch.sin(T * angle)], 1)
    torch.testing.assert_close(path, expected, rtol=1e-6, atol=1e-15)


def test_opposite_ends_have_no_shortest_arc():
    a = torch.tensor([[1.0, 0.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match="row 1 points away from row 1 of a"):
        slerp(a, torch.tensor([[0.0, 1.0], [-3.0, -6.0]]), T)


def test_the_middle_of_a_line_between_normal_codes_is_too_short():
    """By sqrt(2) in high dimension, as the docstring says; the middle of the arc is not."""
    a, b = normal(50, 1000), normal(50, 1000, seed=1)
    half = torch.tensor([0.5])
    ratio = lerp(a, b, half)[0].norm(dim=1) / a.norm(dim=1)
    assert ratio.mean().item() == pytest.approx(1 / np.sqrt(2), rel=0.01)
    assert (slerp(a, b, half)[0].norm(dim=1) / a.norm(dim=1)).mean().item() == pytest.approx(1, rel=0.01)


def test_a_traversal_changes_one_unit():
    z, values = normal(3, 4), torch.tensor([-2.0, 0.0, 7.0, 1.0, 1.0])
    walk = traversal(z, 2, values)
    assert walk.shape == (5, 3, 4)
    for step, value in zip(walk, values):
        assert (step[:, 2] == value).all()
        assert torch.equal(step[:, [0, 1, 3]], z[:, [0, 1, 3]])
    assert torch.equal(z, normal(3, 4))


def test_unit_quantiles_are_numpys():
    z, q = normal(37, 3), torch.tensor([0.0, 0.05, 0.5, 0.9, 1.0], dtype=torch.float64)
    np.testing.assert_allclose(unit_quantiles(z, 1, q).numpy(), np.quantile(z[:, 1].numpy(), q.numpy()))
    assert unit_quantiles(z[:1], 1, q).tolist() == [z[0, 1].item()] * 5


@pytest.mark.usefixtures("as_a_user")
def test_bad_input_is_named():
    z = normal(3, 4)
    with pytest.raises(ValueError, match=r"b: got shape \(3, 5\)"):
        lerp(z, normal(3, 5), T)
    with pytest.raises(ValueError, match="b: got 2 codes; expected 3, as in a"):
        slerp(z, z[:2], T)
    with pytest.raises(ValueError, match="unit: got 4; expected 0 to 3"):
        traversal(z, 4, T)
    with pytest.raises(ValueError, match="unit: got -1"):
        unit_quantiles(z, -1, T)
    with pytest.raises(ValueError, match="q: values run from 0 to 2"):
        unit_quantiles(z, 0, 2 * T)
    with pytest.raises(ValueError, match="number of examples in z"):
        unit_quantiles(z[:0], 0, T)
