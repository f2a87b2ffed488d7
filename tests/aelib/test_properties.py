"""Every model, over batch sizes, sizes of examples and codes, and precisions: shapes, dtypes, and that rows do not mix."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aelib.models import MODELS

FEW = settings(max_examples=6, deadline=None, derandomize=True)
DTYPES = st.sampled_from([torch.float32, torch.float64])
BATCHES = st.integers(1, 5)
LATENT_DIMS = st.integers(1, 6)
# The masked model cuts images into patches of 4 by 4.
IMAGES = st.tuples(st.integers(1, 3), st.sampled_from([4, 8]), st.sampled_from([4, 8, 12]))
SEQUENCES = st.tuples(st.integers(1, 6), st.integers(1, 3))
NAMES = sorted(MODELS)


def cases(name):
    """Shapes that the model takes: sequences for sequence models, and images for all others."""
    return SEQUENCES if name.startswith("sequence") else IMAGES


def made(name, shape, latent_dim, dtype):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MODELS[name](shape, latent_dim).to(dtype)


def noise():
    return torch.Generator().manual_seed(1)


def batch(number, shape, dtype, seed=0):
    return torch.rand(number, *shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@FEW
@given(data=st.data())
def test_shapes_and_dtypes(name, data):
    """In both modes, also for a batch of one: what comes out has the shape and the precision of what went in, and is finite."""
    shape, latent_dim = data.draw(cases(name)), data.draw(LATENT_DIMS)
    dtype, number = data.draw(DTYPES), data.draw(BATCHES)
    model, x = made(name, shape, latent_dim, dtype), batch(number, shape, dtype)
    for mode in (model.train(), model.eval()):
        out = mode(x, generator=noise())
        assert out.x_hat.shape == x.shape
        assert out.z.shape == (number, latent_dim) == mode.encode(x).shape
        assert mode.decode(out.z.detach()).shape == x.shape
        assert {out.x_hat.dtype, out.z.dtype, mode.encode(x).dtype} == {dtype}
        for phase in mode.phases():
            loss = mode.loss(x, out, phase)
            assert loss.total.shape == ()
            assert loss.total.dtype == dtype
            assert all(torch.isfinite(value) for value in (loss.total, *loss.terms.values()))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@FEW
@given(data=st.data())
def test_rows_do_not_mix(name, data):
    """In evaluation mode an example's code and reconstruction do not depend on what else is in the batch, or on its order."""
    shape, latent_dim, number = data.draw(cases(name)), data.draw(LATENT_DIMS), data.draw(st.integers(2, 5))
    model, x = made(name, shape, latent_dim, torch.float64).eval(), batch(number, shape, torch.float64)
    row = data.draw(st.integers(0, number - 1))
    others = torch.where((torch.arange(number) == row).reshape(-1, *[1] * len(shape)), x, 1 - x).flip(0)
    alone, together, elsewhere = (
        model.encode(x[row : row + 1])[0],
        model.encode(x)[row],
        model.encode(others).flip(0)[row],
    )
    torch.testing.assert_close(alone, together)
    torch.testing.assert_close(elsewhere, together)
    torch.testing.assert_close(model.decode(alone[None])[0], model.decode(model.encode(x))[row])


@pytest.mark.parametrize("name", NAMES)
def test_no_examples(name):
    """No examples have codes and reconstructions, none; but a mean over them is no number, and that is said."""
    shape = (6, 2) if name.startswith("sequence") else (1, 4, 4)
    model, x = made(name, shape, 3, torch.float32).eval(), torch.empty(0, *shape)
    out = model(x, generator=noise())
    assert out.x_hat.shape == x.shape
    assert model.encode(x).shape == (0, 3)
    assert model.decode(torch.empty(0, 3)).shape == x.shape
    for phase in model.phases():
        with pytest.raises(ValueError, match="number of examples in x: got 0"):
            model.loss(x, out, phase)
