"""Convolutional networks against shape and parameter formulas, torch's functional calls, measured fields and shifts."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from aelib.conv import ConvDecoder, ConvEncoder, receptive_field


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


shapes = st.tuples(st.integers(1, 3), st.integers(1, 13), st.integers(1, 13))
channels = st.lists(st.integers(1, 3), min_size=1, max_size=4)


@settings(max_examples=40)
@given(shape=shapes, channels=channels, n=st.integers(0, 2), kernel_size=st.sampled_from([1, 3, 5]))
@pytest.mark.parametrize("down", ["stride", "pool"])
def test_any_image_to_a_vector(down, shape, channels, n, kernel_size):
    net = ConvEncoder(shape, channels, 5, down=down, kernel_size=kernel_size)
    x = torch.zeros(n, *shape)
    assert net(x).shape == (n, 5)
    level = len(channels)
    halved = [math.ceil(size / 2**level) for size in shape[1:]]  # rounding up l times is rounding up once
    assert net.features(x).shape == (n, channels[-1], *halved)


@settings(max_examples=40)
@given(shape=shapes, channels=channels, n=st.integers(0, 2))
@pytest.mark.parametrize(
    ("up", "kernel_size"), [("resize", None), ("resize", 5), ("transpose", None), ("transpose", 3)]
)
def test_a_vector_to_exactly_any_image(up, kernel_size, shape, channels, n):
    net = ConvDecoder(5, channels, shape, up=up, kernel_size=kernel_size)
    assert net(torch.zeros(n, 5)).shape == (n, *shape)


def test_numbers_of_parameters():
    """A convolution has (k^2 in + 1) out parameters, whatever the image's size; an affine map (in + 1) out."""
    encoder = ConvEncoder((1, 28, 28), (16, 32), 10)
    assert count(encoder.features) == (9 * 1 + 1) * 16 + (9 * 16 + 1) * 32
    assert count(encoder) - count(encoder.features) == (32 * 7 * 7 + 1) * 10
    decoder = ConvDecoder(10, (32, 16), (1, 28, 28))
    assert count(decoder) == (10 + 1) * 32 * 7 * 7 + (9 * 32 + 1) * 16 + (9 * 16 + 1) * 1
    decoder = ConvDecoder(10, (32, 16), (1, 28, 28), up="transpose")
    assert count(decoder.levels) == (16 * 32 * 16 + 16) + (16 * 16 * 1 + 1)


def test_encoders_are_what_they_say():
    """One level, against torch's functional calls."""
    x = normal(2, 3, 7, 6)
    net = ConvEncoder((3, 7, 6), (4,), 5, activation=nn.Tanh)
    w, b = net.features[0].weight, net.features[0].bias
    features = torch.tanh(F.conv2d(x, w, b, stride=2, padding=1))
    torch.testing.assert_close(net(x), F.linear(features.flatten(1), net.to_out.weight, net.to_out.bias))

    net = ConvEncoder((3, 7, 6), (4,), 5, down="pool", activation=nn.Tanh)
    w, b = net.features[0].weight, net.features[0].bias
    full = torch.tanh(F.conv2d(x, w, b, padding=1))
    by_hand = torch.stack([full[:, :, i : i + 2, j : j + 2].amax((2, 3)) for i in (0, 2, 4, 6) for j in (0, 2, 4)], 2)
    torch.testing.assert_close(net.features(x), by_hand.reshape(2, 4, 4, 3))


def test_decoders_are_what_they_say():
    """One level, against torch's functional calls; of an image of 7 x 6, what goes beyond 7 is cut off."""
    z = normal(2, 5)
    net = ConvDecoder(5, (4,), (3, 7, 6), activation=nn.Tanh)
    small = torch.tanh(F.linear(z, net.from_in.weight, net.from_in.bias).reshape(2, 4, 4, 3))
    large = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    w, b = net.levels[0][-1].weight, net.levels[0][-1].bias
    torch.testing.assert_close(net(z), F.conv2d(large, w, b, padding=1)[:, :, :7])

    net = ConvDecoder(5, (4,), (3, 7, 6), up="transpose", activation=nn.Tanh)
    small = torch.tanh(F.linear(z, net.from_in.weight, net.from_in.bias).reshape(2, 4, 4, 3))
    w, b = net.levels[0][-1].weight, net.levels[0][-1].bias
    torch.testing.assert_close(net(z), F.conv_transpose2d(small, w, b, stride=2, padding=1)[:, :, :7])


def test_a_transposed_convolution_is_the_transpose_of_the_strided_one():
    """<conv(x), y> = <x, conv_T(y)> for the same weights."""
    net = ConvDecoder(5, (4,), (3, 8, 8), up="transpose", activation=nn.Identity).double()
    transposed = net.levels[0][-1]
    x, y = normal(1, 3, 8, 8).double(), normal(1, 4, 4, 4).double()
    down = F.conv2d(x, transposed.weight, stride=2, padding=1)
    up = transposed(y) - transposed.bias.reshape(3, 1, 1)
    torch.testing.assert_close((down * y).sum(), (x * up).sum())


@pytest.mark.parametrize("down", ["stride", "pool"])
@pytest.mark.parametrize(("levels", "kernel_size"), [(1, 3), (2, 3), (3, 3), (2, 5)])
def test_the_receptive_field_is_what_gradients_measure(down, levels, kernel_size):
    size = 64
    net = ConvEncoder(
        (1, size, size), [2] * levels, 1, down=down, kernel_size=kernel_size, activation=nn.Identity
    ).double()
    # Many images, because in each one pooling passes on the gradient of the largest value only.
    x = normal(256, 1, size, size).double().requires_grad_()
    features = net.features(x)
    middle = features.shape[2] // 2
    features[:, :, middle, middle].sum().backward()
    touched = x.grad.abs().sum((0, 1)) > 0
    for axis in (0, 1):
        rows = touched.any(1 - axis).nonzero().squeeze(1)
        assert rows.max() - rows.min() + 1 == len(rows) == receptive_field(net.steps)


def test_receptive_fields_by_hand():
    assert receptive_field([]) == 1
    assert receptive_field([(3, 1), (3, 1)]) == 5  # two kernels of 3 see as much as one of 5
    assert receptive_field([(3, 2), (3, 2)]) == 7
    assert receptive_field([(3, 1), (2, 2), (3, 1), (2, 2)]) == 10


@pytest.mark.parametrize("down", ["stride", "pool"])
def test_a_shift_by_the_total_stride_shifts_the_features_by_one(down):
    """In the interior, that is away from the zeros around the image; and a shift by less does not."""
    net = ConvEncoder((1, 48, 48), (3, 4), 1, down=down)
    x = normal(1, 1, 48, 48)
    before, after = net.features(x), net.features(x.roll((4, 8), (2, 3)))
    torch.testing.assert_close(after[:, :, 4:10, 4:10], before[:, :, 3:9, 2:8])
    off = net.features(x.roll(1, 3))
    assert (off[:, :, 4:10, 4:10] - before[:, :, 4:10, 4:10]).abs().max() > 0.01


def coverage(up, kernel_size):
    """What one level makes of a constant image with all weights 1: how many inputs reach each pixel, away from the border."""
    net = ConvDecoder(1, (1,), (1, 16, 16), up=up, kernel_size=kernel_size, activation=nn.Identity)
    layer = net.levels[0][-1]
    nn.init.ones_(layer.weight)
    nn.init.zeros_(layer.bias)
    return net.levels[0](torch.ones(1, 1, 8, 8))[0, 0, 4:-4, 4:-4]


def test_the_checkerboard_of_a_transposed_convolution():
    """Kernel 3, stride 2: in a row every second pixel gets two inputs and the others one, so in the plane 1, 2, 2 and 4."""
    inputs = [sum(1 for i in range(8) if 0 <= pixel - (2 * i - 1) < 3) for pixel in range(16)]  # brute force, one axis
    by_hand = torch.tensor(inputs, dtype=torch.float)[4:-4]
    torch.testing.assert_close(coverage("transpose", 3), by_hand[:, None] * by_hand)
    assert sorted(set(coverage("transpose", 3).detach().flatten().tolist())) == [1, 2, 4]


@pytest.mark.parametrize(("up", "kernel_size", "inputs"), [("transpose", 4, 4), ("transpose", 2, 1), ("resize", 3, 9)])
def test_no_checkerboard_where_the_stride_divides_the_kernel_or_the_image_is_resized(up, kernel_size, inputs):
    torch.testing.assert_close(coverage(up, kernel_size), torch.full((8, 8), float(inputs)))


def test_bad_arguments():
    for make, message in [
        (lambda: ConvEncoder((28, 28), (4,), 2), r"event_shape: got \(28, 28\); expected \(channels, height, width\)"),
        (lambda: ConvEncoder((1, 4, 4), (), 2), "the number of channels given: got 0"),
        (lambda: ConvEncoder((1, 4, 4), (4, 0), 2), "channels: got 0"),
        (lambda: ConvEncoder((1, 4, 4), (4,), 2, down="strides"), "down: got 'strides'.*did you mean 'stride'"),
        (lambda: ConvEncoder((1, 4, 4), (4,), 2, kernel_size=4), "kernel_size: got 4; expected an odd number"),
        (lambda: ConvDecoder(2, (4,), (1, 4, 4), kernel_size=4), "kernel_size: got 4; expected an odd number"),
        (lambda: ConvDecoder(2, (4,), (1, 4, 4), up="transpose", kernel_size=1), "kernel_size: got 1"),
        (lambda: ConvDecoder(2, (4,), (1, 0, 4)), "event_shape: got 0"),
        (lambda: ConvEncoder((1, 4, 4), (4,), 2)(torch.zeros(3, 1, 4, 5)), r"x: got shape .*\(B, 1, 4, 4\)"),
        (lambda: ConvDecoder(2, (4,), (1, 4, 4))(torch.zeros(3, 3)), r"z: got shape .*\(B, 2\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
