"""The project's colours: one per class, the same on every page, and one scale for heat."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#B8A90B")
"""Okabe and Ito's colour-blind-safe set (https://jfly.uni-koeln.de/color/), black left out because it is the colour of
text, and the yellow taken darker so that it can be seen on white paper."""

SECOND_RING = ("#332288", "#882255", "#44AA99", "#999933", "#AA4499", "#117733", "#88CCEE", "#DDCC77", "#661100")
"""Paul Tol's muted set (https://personal.sron.nl/~pault/), for the classes after the first seven."""

OTHER = "#8A8F98"
"""Every class after those."""

MAGMA = (
    "#000004", "#140e36", "#3b0f70", "#641a80", "#8c2981", "#b73779", "#de4968", "#f7705c", "#fe9f6d", "#fecf92",
    "#fcfdbf",
)  # fmt: skip
"""Eleven equidistant stops of Matplotlib's perceptually uniform magma scale, from nothing to most."""

VIRIDIS = (
    "#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26",
    "#fde725",
)  # fmt: skip
"""Eleven equidistant stops of Matplotlib's perceptually uniform viridis scale."""


def class_colours(class_ids: Iterable[int]) -> dict[int, str]:
    """A colour for each class, in the order given: the first ones get the colours that are told apart most easily.

    Args:
        class_ids: different classes, the most frequent first.

    Returns:
        Class id to `#rrggbb`.
    """
    ring = (*OKABE_ITO, *SECOND_RING)
    return {int(class_id): ring[place] if place < len(ring) else OTHER for place, class_id in enumerate(class_ids)}


def on_dark(colour: str, ground: str = "#121316", contrast: float = 3.2) -> str:
    """A colour as it is shown on a dark ground: lighter, where it would hardly be seen, and of the same hue.

    Args:
        colour: `#rrggbb`.
        ground: the same.
        contrast: the ratio of luminances to reach (WCAG 2.2 asks for 3 where something has to be made out).
    """
    for white in np.linspace(0.0, 1.0, 51):
        mixed = [round(value + (255 - value) * float(white)) for value in rgb(colour)]
        lighter = "#{:02x}{:02x}{:02x}".format(*mixed)
        if (_luminance(lighter) + 0.05) / (_luminance(ground) + 0.05) >= contrast:
            return colour if white == 0 else lighter
    return "#ffffff"


def _luminance(colour: str) -> float:
    """Relative luminance, 0..1, as WCAG defines it."""
    linear = [(v / 255 / 12.92) if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as three numbers 0..255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def heat_colours(values: npt.NDArray[np.floating], scale: tuple[str, ...] = MAGMA) -> npt.NDArray[np.uint8]:
    """Values 0..1 of any shape as colours of ``scale``, shape (..., 3) uint8, interpolated between its stops."""
    stops = np.array([rgb(stop) for stop in scale], dtype=np.float64)
    places = np.linspace(0.0, 1.0, len(stops))
    flat = np.clip(np.nan_to_num(np.asarray(values, dtype=np.float64)), 0.0, 1.0)
    channels = [np.interp(flat, places, stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def plotly_scale(scale: tuple[str, ...] = VIRIDIS) -> list[list[float | str]]:
    """A scale as Plotly wants it: pairs of place 0..1 and colour."""
    return [[place / (len(scale) - 1), colour] for place, colour in enumerate(scale)]
