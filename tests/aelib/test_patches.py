"""Patches against slices by hand, and what the encoder may not see."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aelib.patches import PatchDecoder, PatchEncoder, Patches


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(
    n=st.integers(0, 3),
    channels=st.integers(1, 3),
    rows=st.integers(1, 3),
    columns=st.integers(1, 3),
    p=st.integers(1, 4),
)
def test_joining_undoes_splitting(n, channels, rows, columns, p):
    patches, x = Patches((channels, rows * p, columns * p), p), normal(n, channels, rows * p, columns * p)
    tokens = patches.split(x)
    assert tokens.shape == (n, rows * columns, channels * p * p) == (n, patches.number, patches.size)
    assert torch.equal(patches.join(tokens), x)


def test_patches_are_slices_row_by_row():
    patches, x = Patches((2, 4, 6), 2), normal(3, 2, 4, 6)
    slices = [x[:, :, i : i + 2, j : j + 2].flatten(1) for i in (0, 2) for j in (0, 2, 4)]
    assert torch.equal(patches.split(x), torch.stack(slices, dim=1))


def test_tokens_of_visible_patches_depend_on_visible_patches_alone():
    patches, x = Patches((1, 4, 4), 2), normal(3, 1, 4, 4)
    net = PatchEncoder(patches, 8, 5)
    visible = torch.tensor([[0, 3], [1, 2], [3, 1]])
    hidden = torch.ones(3, 4, 4, dtype=torch.bool).scatter(1, visible[..., None].expand(-1, -1, 4), False)
    changed = torch.where(patches.join(hidden), 1e3 * normal(3, 1, 4, 4, seed=1), x)
    assert torch.equal(net.tokens(changed, visible), net.tokens(x, visible))
    assert torch.equal(net(changed, visible=visible), net(x, visible=visible))
    other = torch.where(patches.join(hidden), x, x + 1)
    assert (net.tokens(other, visible) - net.tokens(x, visible)).abs().min(dim=0).values.max() > 1e-3


def test_the_order_of_the_visible_patches_does_not_matter():
    net, x = PatchEncoder(Patches((1, 4, 4), 2), 8, 5), normal(1, 1, 4, 4)
    codes = [net(x, visible=torch.tensor([order])) for order in ([0, 3, 1], [1, 0, 3])]
    torch.testing.assert_close(codes[0], codes[1])


def test_all_visible_is_the_whole_image():
    net, x = PatchEncoder(Patches((1, 4, 4), 2), 8, 5), normal(3, 1, 4, 4)
    torch.testing.assert_close(net(x, visible=torch.arange(4).expand(3, -1)), net(x))


def test_codes_hold_mask_tokens_where_patches_are_hidden():
    net, x = PatchEncoder(Patches((1, 4, 4), 2), 8, 5), normal(2, 1, 4, 4)
    visible = torch.tensor([[0, 3], [2, 0]])
    code = net(x, visible=visible).reshape(2, 4, 5)
    torch.testing.assert_close(code.gather(1, visible[..., None].expand(-1, -1, 5)), net.tokens(x, visible))
    for row, patch in ((0, 1), (0, 2), (1, 1), (1, 3)):
        assert torch.equal(code[row, patch], net.mask_token)


def test_a_decoder_reads_codes_and_writes_images():
    patches = Patches((3, 4, 6), 2)
    encoder, decoder = PatchEncoder(patches, 8, 5), PatchDecoder(5, 8, patches)
    for n in (0, 1, 3):
        z = encoder(normal(n, 3, 4, 6))
        assert z.shape == (n, 6 * 5)
        assert decoder(z).shape == (n, 3, 4, 6)
    assert PatchEncoder(patches, 8, 5, out_dim=7)(normal(2, 3, 4, 6)).shape == (2, 7)


def test_bad_arguments():
    patches = Patches((1, 4, 4), 2)
    for make, message in [
        (lambda: Patches((4, 4), 2), r"event_shape: got \(4, 4\); expected \(channels, height, width\)"),
        (lambda: Patches((1, 4, 6), 4), r"patch_size: got 4 for images of shape \(1, 4, 6\); expected a divisor"),
        (lambda: Patches((1, 4, 4), 0), "patch_size: got 0"),
        (lambda: PatchEncoder(patches, 8, 0), "token_dim: got 0"),
        (lambda: PatchEncoder(patches, 6, 5), "width: got 6 with num_heads=4"),
        (lambda: PatchEncoder(patches, 8, 5)(torch.zeros(2, 1, 4, 5)), r"x: got shape .*\(B, 1, 4, 4\)"),
        (lambda: PatchDecoder(5, 8, patches)(torch.zeros(2, 19)), r"z: got shape .*\(B, 20\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
