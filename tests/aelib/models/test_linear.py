"""The linear autoencoder against PCA: the worked example, scikit-learn, and gradient training."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from aelib.data import digits
from aelib.history import TrainConfig
from aelib.metrics import principal_angles, reconstruction_error
from aelib.models import LinearAE
from aelib.training import fit

FOUR_POINTS = torch.tensor([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 5.0]])


def closed_form(x, latent_dim):
    model = LinearAE(x.shape[1:], latent_dim).to(x.dtype)
    model.fit_closed_form(x)
    return model


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_worked_example_1():
    """W1: direction (1, 1)/sqrt 2, and reconstructions on y = x + 1, not on y = x (E1)."""
    model = closed_form(FOUR_POINTS, 1)
    torch.testing.assert_close(model.enc.weight.detach(), torch.full((1, 2), 1 / math.sqrt(2)))
    torch.testing.assert_close(model.dec.bias.detach(), torch.tensor([2.5, 3.5]))
    x_hat = model.decode(model.encode(FOUR_POINTS)).detach()
    torch.testing.assert_close(x_hat[:, 1], x_hat[:, 0] + 1)
    torch.testing.assert_close(x_hat, FOUR_POINTS)
    assert model.encode(FOUR_POINTS).square().mean().item() == pytest.approx(2.5, rel=1e-6)


def test_on_rank_one_data_any_encoder_with_the_right_projection_is_optimal():
    """E1, second part: w_enc need not be the principal direction, only w_enc . (1, 1)/sqrt 2 = 1."""
    u = torch.tensor([1.0, 1.0]) / math.sqrt(2)
    model = closed_form(FOUR_POINTS, 1)
    for slant in (-3.0, 0.5, 7.0):
        w = u + slant * torch.tensor([1.0, -1.0]) / math.sqrt(2)
        assert (w @ u).item() == pytest.approx(1, rel=1e-6)
        with torch.no_grad():
            model.enc.weight.copy_(w[None])
            model.enc.bias.copy_(-(w @ FOUR_POINTS.mean(0)))
        assert reconstruction_error(FOUR_POINTS, model.decode(model.encode(FOUR_POINTS))) < 1e-10


@settings(deadline=None, max_examples=40)
@given(n=st.integers(2, 30), d=st.integers(1, 8), k=st.integers(1, 8), seed=st.integers(0, 10_000))
def test_closed_form_is_scikit_learns_pca(n, d, k, seed):
    x = normal(n, d, seed=seed) * torch.linspace(1, 2, d).double() + 3
    k = min(k, n, d)
    model, pca = closed_form(x, k), PCA(n_components=k).fit(x.numpy())
    x_hat = model.decode(model.encode(x)).detach()
    np.testing.assert_allclose(x_hat, pca.inverse_transform(pca.transform(x.numpy())), atol=1e-9)
    discarded = np.linalg.eigvalsh(np.atleast_2d(np.cov(x.numpy().T, bias=True)))[: d - k].clip(0).sum()
    assert reconstruction_error(x, x_hat) == pytest.approx(discarded, abs=1e-9)


def test_no_other_subspace_is_better():
    """Brute force over every k-subset of axes and many random subspaces: none has a smaller error."""
    x = normal(50, 4) * torch.tensor([3.0, 2.0, 1.0, 0.5]).double() @ normal(4, 4, seed=1)
    x = x - x.mean(0)
    best = reconstruction_error(x, closed_form(x, 2)(x).x_hat.detach())
    random = [torch.linalg.qr(normal(4, 2, seed=seed)).Q for seed in range(500)]
    axes = [torch.eye(4).double()[:, list(pair)] for pair in itertools.combinations(range(4), 2)]
    assert min(reconstruction_error(x, x @ u @ u.T) for u in random + axes) > best


@pytest.mark.parametrize(("n", "d", "k"), [(20, 3, 3), (20, 3, 5), (4, 6, 5), (1, 3, 2)])
def test_a_code_that_is_large_enough_copies(n, d, k):
    """P1: with k >= d (or k at least the number of examples) the error is zero."""
    x = normal(n, d)
    assert reconstruction_error(x, closed_form(x, k)(x).x_hat.detach()) < 1e-20


def test_loss_is_half_the_error_and_the_gaussian_constant():
    x = normal(10, 6)
    model = closed_form(x, 2)
    out = model(x)
    expected = 0.5 * reconstruction_error(x, out.x_hat.detach()) + 3 * math.log(2 * math.pi)
    assert model.loss(x, out).total.item() == pytest.approx(expected)


@pytest.mark.slow
def test_gradient_training_finds_the_subspace_and_not_the_components():
    """On digits: the span is PCA's and the loss is the sum of the discarded eigenvalues, but the weights are not PCA's (E10)."""
    x = digits().flat()
    pca = PCA(n_components=4).fit(x.numpy())
    components = torch.from_numpy(pca.components_.T).float()
    decoders = []
    for seed in (0, 1):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = LinearAE((64,), 4)
        for lr in (3e-2, 3e-3):
            fit(model, x, TrainConfig(epochs=600, batch_size=len(x), lr=lr), progress=False, device="cpu")
        w_dec = model.dec.weight.detach()
        assert principal_angles(w_dec, components).max() < 0.5
        x_hat = model.decode(model.encode(x)).detach()
        discarded = np.linalg.eigvalsh(np.cov(x.numpy().T, bias=True))[:-4].sum()
        assert reconstruction_error(x, x_hat) == pytest.approx(discarded, rel=1e-4)
        cosines = (w_dec / w_dec.norm(dim=0)).T @ components
        assert cosines.abs().max() < 0.99
        decoders.append(w_dec)
    t = torch.linalg.lstsq(decoders[0], decoders[1]).solution
    torch.testing.assert_close(decoders[0] @ t, decoders[1], atol=0.05, rtol=0)
    assert (t - torch.eye(4)).abs().max() > 0.1


@pytest.mark.usefixtures("as_a_user")
def test_bad_data_leave_the_weights_alone():
    model = LinearAE((2,), 1)
    before = model.enc.weight.clone()
    for x, message in [
        (torch.zeros(3, 5), r"x: got shape \(3, 5\); expected a batch of shape \(B, 2\)"),
        (torch.zeros(0, 2), "the number of examples in x: got 0"),
        (torch.full((3, 2), math.nan), "x: 6 of 6 values are NaN or infinite"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit_closed_form(x)
    assert torch.equal(model.enc.weight, before)


def tied(x, latent_dim, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LinearAE(x.shape[1:], latent_dim, tied=True).to(x.dtype)


def trained_tied(x, latent_dim, seed):
    model = tied(x, latent_dim, seed)
    for lr in (3e-2, 3e-3):
        fit(model, x, TrainConfig(epochs=300, batch_size=len(x), lr=lr), progress=False, device="cpu")
    return model


def test_tied_weights_are_one_parameter():
    model = tied(normal(5, 4), 2)
    assert sorted(name for name, _ in model.named_parameters()) == [
        "decoder.bias",
        "encoder.layers.0.bias",
        "encoder.layers.0.weight",
    ]
    assert sum(p.numel() for p in model.parameters()) == 2 * 4 + 2 + 4
    assert sum(name.endswith("weight") for name in model.state_dict()) == 1
    model.double()
    with torch.no_grad():
        model.enc.weight.fill_(3.0)
    assert torch.equal(model.dec.weight, torch.full((4, 2), 3.0).double())


def test_tied_weights_stay_tied_in_a_copy():
    x = normal(5, 4)
    model = tied(x, 2)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        twin.enc.weight.zero_()
    assert torch.equal(twin.dec.weight, torch.zeros(4, 2).double())
    assert model.dec.weight.abs().sum() > 0


def test_the_gradient_of_a_tied_weight_is_the_sum_of_both_uses():
    x = normal(7, 4)
    model, free = tied(x, 2), LinearAE((4,), 2).double()
    with torch.no_grad():
        free.enc.weight.copy_(model.enc.weight)
        free.enc.bias.copy_(model.enc.bias)
        free.dec.weight.copy_(model.dec.weight)
        free.dec.bias.copy_(model.dec.bias)
    for each in (model, free):
        each.loss(x, each(x)).total.backward()
    torch.testing.assert_close(model.enc.weight.grad, free.enc.weight.grad + free.dec.weight.grad.T)


def test_closed_form_is_the_same_with_tied_weights():
    x = normal(30, 5) * torch.linspace(1, 2, 5).double() + 3
    model = tied(x, 2)
    model.fit_closed_form(x)
    untied = closed_form(x, 2)
    torch.testing.assert_close(model(x).x_hat, untied(x).x_hat)
    model.loss(x, model(x)).total.backward()
    assert all(p.grad.abs().max() < 1e-12 for p in model.parameters())


@pytest.mark.slow
def test_training_tied_weights_finds_orthonormal_rows_of_the_principal_subspace():
    """E10: with tied weights the rows become orthonormal, but they are still not the components."""
    x = normal(200, 6) * torch.tensor([3.0, 2.5, 2.0, 1.0, 0.7, 0.5]).double() @ torch.linalg.qr(normal(6, 6, seed=1)).Q
    components = torch.from_numpy(PCA(n_components=3).fit(x.numpy()).components_.T)
    weights = [trained_tied(x, 3, seed).enc.weight.detach() for seed in (0, 1)]
    for w in weights:
        torch.testing.assert_close(w @ w.T, torch.eye(3).double(), atol=1e-3, rtol=0)
        assert principal_angles(w.T, components).max() < 0.2
        assert (w @ components).abs().max() < 0.99
    rotation = weights[1] @ weights[0].T
    torch.testing.assert_close(rotation @ weights[0], weights[1], atol=5e-3, rtol=0)


def test_with_tied_weights_any_rotation_is_as_good_and_no_other_matrix():
    x = normal(50, 5)
    model = tied(x, 3)
    model.fit_closed_form(x)
    best, w = model.loss(x, model(x)).total.item(), model.enc.weight.detach().clone()
    for seed in range(5):
        for t in (torch.linalg.qr(normal(3, 3, seed=seed)).Q, normal(3, 3, seed=seed)):
            with torch.no_grad():
                model.enc.weight.copy_(t @ w)
                model.enc.bias.copy_(-(t @ w @ x.mean(0)))
            total = model.loss(x, model(x)).total.item()
            if torch.allclose(t @ t.T, torch.eye(3).double()):
                assert total == pytest.approx(best, rel=1e-12)
            else:
                assert total > best + 0.01
