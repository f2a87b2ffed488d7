"""The parts of models, over sizes and precisions: what depends on one example only, and what no examples give."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aelib.activations import BatchTopK, TopK
from aelib.corruption import dropout, gaussian, masking, salt_and_pepper
from aelib.index_frequencies import IndexFrequencies
from aelib.latent import lerp, slerp, traversal
from aelib.likelihoods import Bernoulli, Categorical, Gaussian, GaussianWithVariance
from aelib.losses import (
    free_bits_kl,
    gaussian_kl,
    gaussian_log_density,
    l1_norm,
    mmd,
    rate_kl,
    rbf_kernel,
    sigmoid_jacobian_norm,
)
from aelib.quantizers import GradientQuantizer
from aelib.samplers import GaussianMixture, StandardNormal, SwissRoll

FEW = settings(max_examples=15, deadline=None, derandomize=True)
DTYPES = st.sampled_from([torch.float32, torch.float64])
BATCHES = st.integers(0, 5)
SIZES = st.integers(1, 6)
EVENTS = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
LIKELIHOODS = [Gaussian(), Gaussian(0.3, learned=True), GaussianWithVariance(), Bernoulli(), Categorical(3)]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=dtype)


def params_and_x(likelihood, number, event, dtype):
    """What a decoder may return, and examples that the likelihood can have produced."""
    x = torch.rand(number, *event, generator=seeded(1), dtype=dtype)
    if isinstance(likelihood, Categorical):
        return normal(number, likelihood.num_classes, *event, dtype=dtype), (2 * x).round().long()
    if isinstance(likelihood, GaussianWithVariance):
        return normal(number, 2 * event[0], *event[1:], dtype=dtype), x
    return normal(number, *event, dtype=dtype), x


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda likelihood: type(likelihood).__name__)
@FEW
@given(number=BATCHES, event=EVENTS, dtype=DTYPES)
def test_a_likelihood_gives_each_example_one_number_of_its_own(likelihood, number, event, dtype):
    params, x = params_and_x(likelihood, number, event, dtype)
    likelihood.to(dtype)
    nll = likelihood.nll(params, x)
    assert nll.shape == (number,)
    assert nll.dtype == likelihood.mean(params).dtype == dtype
    assert torch.isfinite(nll).all()
    for row in range(number):
        torch.testing.assert_close(likelihood.nll(params[row : row + 1], x[row : row + 1])[0], nll[row])


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda likelihood: type(likelihood).__name__)
def test_no_output_of_a_decoder_is_stretched(likelihood):
    """Not over the batch and not over the values, which would be silent: every other shape than the right one is refused."""
    params, x = params_and_x(likelihood, 4, (4, 2), torch.float32)
    likelihood.float().nll(params, x)
    for wrong in (params[:1], params[:3], params[:, :, :1], params[..., :1], torch.cat([params, params], dim=1)):
        with pytest.raises(ValueError, match="the decoder's output: got shape"):
            likelihood.nll(wrong, x)


@FEW
@given(number=BATCHES, event=EVENTS, dtype=DTYPES, p=st.floats(0, 0.99), seed=st.integers(0, 100))
def test_a_corruption_changes_what_it_says_and_no_more(number, event, dtype, p, seed):
    x = 0.1 + 0.8 * torch.rand(number, *event, generator=seeded(), dtype=dtype)
    before = x.clone()
    noisy, masked, dropped, peppered = (
        corruption(x, seeded(seed)) for corruption in (gaussian(p), masking(p), dropout(p), salt_and_pepper(p, -1, 2))
    )
    assert torch.equal(x, before)
    assert all(y.shape == x.shape and y.dtype == dtype for y in (noisy, masked, dropped, peppered))
    torch.testing.assert_close(noisy - x, p * normal(*x.shape, dtype=dtype, seed=seed), atol=1e-6, rtol=0)
    assert ((masked == 0) | (masked == x)).all()
    torch.testing.assert_close(dropped, masked / (1 - p))
    assert ((peppered == -1) | (peppered == 2) | (peppered == x)).all()


def samplers(latent_dim):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        quantizer = GradientQuantizer(latent_dim, 2, 3)
    full = normal(3, latent_dim, latent_dim).float()
    return [
        StandardNormal(latent_dim),
        GaussianMixture(normal(3, latent_dim).float(), full, torch.tensor([1.0, 0.0, 2.0])),
        GaussianMixture.ring(latent_dim),
        GaussianMixture.fitted(normal(9, latent_dim).float(), 2),
        SwissRoll(),
        IndexFrequencies(quantizer, torch.ones(latent_dim, 3)),
    ]


@FEW
@given(n=BATCHES, latent_dim=SIZES, dtype=DTYPES, seed=st.integers(0, 100))
def test_a_sampler_draws_as_many_codes_as_are_asked_for(n, latent_dim, dtype, seed):
    for sampler in samplers(latent_dim):
        sampler.to(dtype)
        z = sampler(n, generator=seeded(seed))
        assert z.shape == (n, sampler.latent_dim)
        assert z.dtype == dtype
        assert torch.isfinite(z).all()
        assert torch.equal(z, sampler(n, generator=seeded(seed)))


def test_fewer_than_no_codes_are_refused():
    for sampler in samplers(2):
        with pytest.raises(ValueError, match="n: got -1; expected a number of at least 0"):
            sampler(-1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda bad: SwissRoll(radius=bad), "radius: got"),
        (lambda bad: SwissRoll(noise=bad), "noise: got"),
        (lambda bad: GaussianMixture(torch.full((2, 1), bad), torch.ones(2, 1, 1)), "means: 2 of 2 values"),
        (lambda bad: GaussianMixture(torch.ones(2, 1), torch.full((2, 1, 1), bad)), "scale_tril: 2 of 2 values"),
        (lambda bad: GaussianMixture(torch.ones(1, 1), torch.ones(1, 1, 1), torch.full((1,), bad)), "weights: 1 of 1"),
    ],
)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_sampler_is_not_made_of_numbers_that_are_not_finite(make, bad, message):
    with pytest.raises(ValueError, match=message):
        make(bad)


@FEW
@given(number=BATCHES, k=SIZES, dtype=DTYPES)
def test_a_term_for_each_example_depends_on_this_example_only(number, k, dtype):
    mu, logvar, z = (normal(number, k, dtype=dtype, seed=seed) for seed in range(3))
    weight = normal(k, 3, dtype=dtype, seed=3)
    for term, parts in (
        (gaussian_kl, (mu, logvar)),
        (l1_norm, (z,)),
        (lambda h: sigmoid_jacobian_norm(h.sigmoid(), weight), (z,)),
        (gaussian_log_density, (z, mu, logvar)),
    ):
        values = term(*parts)
        assert values.shape == (number,)
        assert values.dtype == dtype
        assert torch.isfinite(values).all()
        for row in range(number):
            torch.testing.assert_close(term(*(part[row : row + 1] for part in parts))[0], values[row])
    assert (gaussian_kl(mu, logvar) >= 0).all()


@FEW
@given(number=st.integers(1, 5), k=SIZES, dtype=DTYPES)
def test_a_term_of_a_batch_does_not_depend_on_the_order_of_its_rows(number, k, dtype):
    mu, logvar, z = (normal(number, k, dtype=dtype, seed=seed) for seed in range(3))
    turned = [part.flip(0) for part in (mu, logvar, z.sigmoid())]
    kl, rate = free_bits_kl(mu, logvar, 0.1), rate_kl(z.sigmoid(), 0.05)
    assert kl.shape == rate.shape == ()
    assert kl.dtype == rate.dtype == dtype
    assert kl >= 0.1 * k * (1 - 1e-6)
    assert rate >= -1e-6
    torch.testing.assert_close(free_bits_kl(turned[0], turned[1], 0.1), kl)
    torch.testing.assert_close(rate_kl(turned[2], 0.05), rate)
    if number > 1:
        distance = mmd(z, mu, lambda d2: rbf_kernel(d2, 1.0))
        assert distance.dtype == dtype
        torch.testing.assert_close(
            mmd(z.flip(0), turned[0], lambda d2: rbf_kernel(d2, 1.0)), distance, atol=1e-5, rtol=0
        )


def test_a_term_of_no_batch_is_refused():
    none = torch.empty(0, 3)
    with pytest.raises(ValueError, match="the number of rows of z: got 0"):
        rate_kl(none, 0.05)
    with pytest.raises(ValueError, match="the number of rows of mu: got 0"):
        free_bits_kl(none, none, 0.1)
    for rho in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match=r"rho: got .*; expected a rate in \(0, 1\)"):
            rate_kl(torch.full((2, 3), 0.5), rho)


@FEW
@given(number=BATCHES, width=SIZES, dtype=DTYPES, data=st.data())
def test_top_k_mixes_no_rows_but_batch_top_k_in_training(number, width, dtype, data):
    k = data.draw(st.integers(1, width))
    a = normal(number, width, dtype=dtype)
    for select in (TopK(k).train(), TopK(k).eval(), BatchTopK(k).to(dtype).eval()):
        z = select(a)
        assert z.shape == a.shape
        assert z.dtype == dtype
        assert torch.equal(select(z), z)  # once is enough
        for row in range(number):
            assert torch.equal(select(a[row : row + 1])[0], z[row])
    assert ((TopK(k)(a) > 0).sum(1) <= k).all()
    assert (BatchTopK(k).to(dtype).train()(a) > 0).sum() <= k * number


def test_batch_top_k_in_training_is_the_exception():
    """The two places of two examples go to the one whose values are larger."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    select = BatchTopK(1).train()
    assert select(a).tolist() == [[0, 0], [3, 4]]
    assert select(a[:1]).tolist() == [[0, 2]]


@FEW
@given(number=BATCHES, k=SIZES, steps=st.integers(0, 4), dtype=DTYPES)
def test_walks_have_a_code_for_each_step_and_row(number, k, steps, dtype):
    a, t = normal(number, k, dtype=dtype), torch.linspace(0, 1, steps)
    b = a + 0.1 * normal(number, k, dtype=dtype, seed=1).abs() * a.sign()  # in the same orthant: never opposite
    for walk in (lerp(a, b, t), slerp(a, b, t), traversal(a, k - 1, t)):
        assert walk.shape == (steps, number, k)
        assert walk.dtype == dtype
        assert torch.isfinite(walk).all()
