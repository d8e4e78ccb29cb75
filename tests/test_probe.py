"""How outputs are arranged is found by changing quarters of an image, in networks of the real libraries' classes."""

import pytest
import torch
from torch import nn

from interpret.models.layers import check_layer, default_layer, layers, observe
from interpret.models.layout import CHANNELS_FIRST, CHANNELS_LAST, Layout
from interpret.models.probe import find_layouts
from tests import small_transformers as small
from tests.conftest import state_of


def layouts(network: nn.Module, side: int = small.SIDE) -> dict[str, Layout]:
    return {layer.name: layer.layout for layer in layers(network, (side, side))}


@pytest.mark.parametrize(
    ("build", "layer", "layout"),
    [
        (small.vit, "blocks.1", Layout((0, 2, 1), (4, 4), prefix=1)),
        # registers and two class tokens are no locations either
        (lambda: small.vit(reg_tokens=4), "blocks.1", Layout((0, 2, 1), (4, 4), prefix=5)),
        # the mean over the tokens is taken: the last norm is what everything flows through
        (lambda: small.vit(global_pool="avg", class_token=False, fc_norm=False), "norm", Layout((0, 2, 1), (4, 4))),
        (small.torchvision_vit, "encoder.layers.encoder_layer_0", Layout((0, 2, 1), (4, 4), prefix=1)),
        (small.swin, "norm", CHANNELS_LAST),
    ],
)
def test_the_default_layer_and_its_layout(build, layer, layout):
    network = build()
    before = state_of(network)
    observed = observe(network, (small.SIDE, small.SIDE))
    assert default_layer(observed) == layer
    assert check_layer(observed, layer).layout == layout
    assert state_of(network) == before


def test_every_kind_of_layer_of_a_block_has_its_units():
    found = {layer.name: layer for layer in layers(small.vit(), (small.SIDE, small.SIDE))}
    assert found["patch_embed.proj"].layout == CHANNELS_FIRST
    assert found["patch_embed"].layout == Layout((0, 2, 1), (4, 4))  # the class token joins later
    tokens = Layout((0, 2, 1), (4, 4), prefix=1)
    for name, channels in (("blocks.1.norm1", 24), ("blocks.1.mlp.act", 96), ("blocks.1.attn.proj", 24)):
        assert (found[name].channels, found[name].layout) == (channels, tokens)
    # queries by head, (2, 17, 12), and what comes after the class token was taken, are no grids
    assert not {"blocks.1.attn.q_norm", "fc_norm", "head"} & found.keys()


def test_attention_weights_and_windows_are_no_grids():
    found = layouts(small.swin())
    assert not any("softmax" in name or "attn_drop" in name for name in found)
    assert not any(name.startswith("layers.0.blocks.0.attn") for name in found)
    assert found["layers.1.blocks.0.attn.qkv"] == Layout((0, 2, 1), (4, 4))  # one window is all of the photo
    assert found["layers.0.blocks.1"] == found["layers.1.blocks.0.norm1"] == CHANNELS_LAST
    # Swin's norm before the MLP sees all locations in one row: 64 tokens on 8 x 8, without others
    assert found["layers.0.blocks.0.norm2"] == Layout((0, 2, 1), (8, 8))


class Same(nn.Module):
    """As many channels as rows and columns, channels first or last: no shape tells the two apart."""

    def __init__(self, last: bool) -> None:
        super().__init__()
        self.embed, self.mix, self.head, self.last = nn.Conv2d(3, 8, 8, 8), nn.Linear(8, 8), nn.Linear(8, 4), last
        self.out = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.mix(self.embed(x).permute(0, 2, 3, 1))
        x = self.out(x if self.last else x.permute(0, 3, 1, 2))
        return self.head(x.mean(dim=(1, 2) if self.last else (2, 3)))


@pytest.mark.parametrize("last", [True, False])
def test_where_shapes_cannot_tell_the_photo_does(last):
    torch.manual_seed(0)
    found = layouts(Same(last).eval(), 64)
    assert found["mix"] == CHANNELS_LAST
    assert found["out"] == (CHANNELS_LAST if last else CHANNELS_FIRST)


class Shuffled(nn.Module):
    """Its tokens are in an order that is no grid's, and the class token comes last."""

    def __init__(self, order: torch.Tensor | None) -> None:
        super().__init__()
        self.embed, self.mix, self.head, self.order = nn.Conv2d(3, 8, 8, 8), nn.Linear(8, 8), nn.Linear(8, 4), order

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([tokens, tokens.mean(dim=1, keepdim=True)], dim=1)
        return self.head(self.mix(tokens if self.order is None else tokens[:, self.order]).mean(dim=1))


def test_tokens_at_the_end_are_found_and_an_order_that_is_no_grids_is_refused():
    torch.manual_seed(0)
    assert layouts(Shuffled(None).eval(), 64)["mix"] == Layout((0, 2, 1), (8, 8), suffix=1)
    drawn = torch.randperm(65, generator=torch.Generator().manual_seed(1))
    assert "mix" not in layouts(Shuffled(drawn).eval(), 64)
    turned = torch.cat([torch.arange(64).view(8, 8).T.flatten(), torch.tensor([64])])  # columns before rows
    assert "mix" not in layouts(Shuffled(turned).eval(), 64)


class Rows(nn.Module):
    """Cuts patches by reshaping alone, as some do: no convolution shows the grid."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Linear(3 * 8 * 8, 12), nn.Linear(12, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, c, h, w = x.shape
        x = x.view(b, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 1, 3, 5).reshape(b, -1, c * 64)
        return self.head(self.embed(x).mean(dim=1))


def test_a_grid_that_no_layer_shows_has_the_shape_of_the_image():
    torch.manual_seed(0)
    found = find_layouts(Rows().eval(), (48, 64), {"embed"})
    assert found == {"embed": Layout((0, 2, 1), (6, 8))}
