"""A network in which some units are ablated for good."""

import copy
from collections.abc import Iterable, Sequence

from torch import nn

from interpret.models.code_files import read_codes
from interpret.models.codes import check_code
from interpret.models.hooks import leave_ablated
from interpret.models.layers import check_layer, observe
from interpret.models.layout import At, hook_point


def ablated(
    network: nn.Module,
    layer: At,
    units: Iterable[int],
    input_size: Sequence[int] | None = None,
    *,
    signed: bool = False,
    codes: str | None = None,
) -> nn.Module:
    """A copy of a network in which some units of a layer are ablated for good: their output is zero.

    The network given stays as it is. The copy has its mode, device and parameters, trains and is saved as it is, but
    ``state_dict`` does not say which units are ablated: keep the list beside it.

    Args:
        network: any module.
        layer: the layer whose output channels are the units, by its name or with its layout.
        units: the units; none gives a plain copy.
        input_size: height and width of the network's input (pixels), with which the layout of a layer that was given by
            its name is found; its output must be (B, K, h, w) if None.
        signed: whether the units are halves of the channels, see :class:`interpret.models.layout.Layout`; of a layer
            that was given by its name.
        codes: where the units are the latents of a code, its folder, see
            :func:`interpret.models.code_files.read_codes`; of a layer that was given by its name.

    Raises:
        InputError: there is no such layer, it has no units, or the code is not of it.
    """
    point = hook_point(layer)
    code = None if codes is None else read_codes(codes)
    if isinstance(layer, str) and input_size is not None:
        height, width = input_size
        found = check_layer(observe(network, (height, width)), layer)
        point = found.hook_point
        if code is not None:
            check_code(code, found.channels, layer)
    if code is not None:
        point = point.coded(code)
    private = copy.deepcopy(network)
    leave_ablated(private, point.signed() if signed else point, tuple(units))
    return private
