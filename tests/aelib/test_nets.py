import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from aelib.nets import MLP

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3)


@given(in_shape=shapes, hidden_dims=st.lists(st.integers(1, 5), max_size=3), out_shape=shapes, n=st.integers(0, 3))
def test_any_shape_to_any_shape(in_shape, hidden_dims, out_shape, n):
    net = MLP(in_shape, hidden_dims, out_shape)
    assert net(torch.zeros(n, *in_shape)).shape == (n, *out_shape)


def test_is_what_it_says():
    """Against the formula, layer by layer."""
    net = MLP((3,), (5,), (2,), activation=nn.Tanh)
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    (w1, b1), (w2, b2) = [(layer.weight, layer.bias) for layer in net.layers if isinstance(layer, nn.Linear)]
    torch.testing.assert_close(net(x), torch.tanh(x @ w1.T + b1) @ w2.T + b2)


def test_without_hidden_layers_it_is_affine():
    net = MLP((3,), (), (2,))
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(2 * x) - net(x), net(x) - net(0 * x))


def test_bad_sizes():
    with pytest.raises(ValueError, match="hidden_dims: got 0; expected a number of at least 1"):
        MLP((3,), (4, 0), (2,))
    with pytest.raises(ValueError, match=r"x: got shape \(4, 2\); expected a batch of shape \(B, 3\)"):
        MLP((3,), (), (2,))(torch.zeros(4, 2))
