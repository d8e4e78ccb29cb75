"""Transformers of a few thousand parameters, of the real libraries' classes: tests of tokens take milliseconds."""

import torch
from torch import nn

SIDE = 32
"""Height and width of their input, pixels."""


def vit(**options) -> nn.Module:
    """timm's vision transformer: 4 x 4 patches and a class token, 3 blocks of 24 channels and 2 heads."""
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    given = {"img_size": SIDE, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2, "num_classes": 5}
    return _spread(VisionTransformer(**given | options))


def swin() -> nn.Module:
    """timm's Swin transformer: 8 x 8 patches of 16 channels, then 4 x 4 of 32; channels last, and windows of 4 x 4."""
    from timm.models.swin_transformer import SwinTransformer

    torch.manual_seed(0)
    network = SwinTransformer(
        img_size=SIDE, patch_size=4, embed_dim=16, depths=(2, 2), num_heads=(2, 2), window_size=4, num_classes=5
    )
    return _spread(network)


def torchvision_vit() -> nn.Module:
    """torchvision's vision transformer: 4 x 4 patches and a class token, 2 blocks of 24 channels."""
    from torchvision.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    network = VisionTransformer(
        image_size=SIDE, patch_size=8, num_layers=2, num_heads=2, hidden_dim=24, mlp_dim=48, num_classes=5
    )
    return _spread(network)


def _spread(network: nn.Module) -> nn.Module:
    """With weights large enough that the classes differ from photo to photo, in evaluation mode."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(std=module.in_features**-0.5)
    return network.eval()


def images(count: int = 3, side: int = SIDE) -> torch.Tensor:
    """(count, 3, side, side), always the same."""
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(4)) * 2 - 1
