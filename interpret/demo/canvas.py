"""The canvas of the demo's drawings: a buffer of shape numbers, rendered with light and colour at the end.

Every shape is drawn under its own number into a buffer of ``SUPERSAMPLING`` times the image's size. Colours, shading,
shadows between layers and part masks are looked up from that buffer. All of it is integer arithmetic on coordinates
rounded to whole sub-pixels, so that an image is the same to the byte on every machine.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Points = NDArray[np.float64]
Number = TypeVar("Number", bound=np.integer)
Colour = tuple[int, int, int]

SIZE = 112
SUPERSAMPLING = 3
FINE = SIZE * SUPERSAMPLING
MOST_SHAPES = 255
_BAND = 48  # rows of sub-pixels that are lit at a time: their numbers stay in the cache
ONE = 128  # a light of 1.0 in 7-bit fixed point: colour times light stays below 2 ** 16


class Canvas:
    """Collects shapes and renders them.

    Attributes:
        fine: height and width of the buffer of shape numbers, in sub-pixels.
    """

    def __init__(self, light_from_left: bool) -> None:
        self.fine = FINE
        self._light = 1 if light_from_left else -1
        self._buffer = Image.new("L", (FINE, FINE), 0)
        self._draw = ImageDraw.Draw(self._buffer)
        self._colours: list[Colour] = [(255, 255, 255)]
        self._parts: list[int] = [0]
        self._heights: list[int] = [0]
        self._planes: list[tuple[int, int, int]] = [(ONE << 16, 0, 0)]
        self._matrix = np.array([[SUPERSAMPLING, 0, 0], [0, SUPERSAMPLING, 0]], dtype=np.float64)
        self._height = 0

    def place(
        self, x: float, y: float, scale: float, degrees: float = 0.0, flip: bool = False, stretch: float = 1.0
    ) -> None:
        """Set the coordinate system of the next shapes: origin, scale, rotation and mirroring.

        Args:
            x: the origin's distance from the left edge of the image, in pixels.
            y: the origin's distance from the upper edge, in pixels.
            scale: pixels per unit of the shapes' coordinates.
            degrees: rotation, clockwise.
            flip: whether left and right are mirrored.
            stretch: factor of the width, on top of ``scale``.
        """
        angle = np.deg2rad(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        grow = np.diag([scale * stretch * (-1.0 if flip else 1.0), scale])
        linear = turn @ grow * SUPERSAMPLING
        self._matrix = np.column_stack([linear, np.array([x, y]) * SUPERSAMPLING])

    def layer(self, height: int) -> None:
        """Start a layer at ``height`` (0 to 200); higher shapes cast a shadow on lower ones."""
        self._height = height

    def shape(
        self,
        outline: Points | Sequence[Points],
        colour: Colour,
        part: int = 0,
        *,
        decal: bool = False,
        shading: float = 0.24,
    ) -> None:
        """Draw one shape on top of all before it.

        Args:
            outline: (n, 2) corners x, y of a polygon, or several polygons that make one shape.
            colour: red, green, blue in 0..255.
            part: number of the part that its pixels belong to; 0 for none.
            decal: whether it is painted on what is below, without a shadow.
            shading: how much brighter its lit side is than its far side (fraction).
        """
        if len(self._colours) > MOST_SHAPES:
            raise ValueError(f"a drawing holds at most {MOST_SHAPES} shapes")
        number = len(self._colours)
        outlines: Iterable[Points] = [outline] if isinstance(outline, np.ndarray) else outline
        corners: list[int] = []  # x, y, x, y ...
        for points in outlines:
            placed = points @ self._matrix[:, :2].T + self._matrix[:, 2]
            polygon = np.rint(placed).astype(np.int64).ravel().tolist()
            self._draw.polygon(polygon, fill=number)
            corners += polygon
        if not decal:
            self._height += 1
        self._colours.append(colour)
        self._parts.append(part)
        self._heights.append(self._height)
        self._planes.append(self._plane(corners[::2], corners[1::2], shading))

    def _plane(self, xs: list[int], ys: list[int], shading: float) -> tuple[int, int, int]:
        """The brightness over a shape, constant + a x + b y in 16-bit fixed point; it rises towards the light."""
        left, right, top, bottom = min(FINE, *xs), max(0, *xs), min(FINE, *ys), max(0, *ys)
        whole = int(shading * ONE * 65536)
        a = -self._light * (whole * 35 // 100) // max(right - left, 1)
        b = -(whole * 65 // 100) // max(bottom - top, 1)
        return (ONE << 16) - a * ((left + right) // 2) - b * ((top + bottom) // 2), a, b

    def render(
        self, shadow: NDArray[np.uint8], tone: NDArray[np.uint8], gain: Colour, object_height: int
    ) -> NDArray[np.uint8]:
        """Light, colour and downsample the shapes.

        Args:
            shadow: (SIZE, SIZE) darkness of the shadow on the ground, 0..127, applied to shapes below the object.
            tone: (SIZE, SIZE) uneven brightness of the whole image, ``ONE`` for none.
            gain: the light's colour, 128 for 1.0.
            object_height: layer height from which shapes belong to the object or are in front of it.

        Returns:
            (SIZE, SIZE, 3) uint8.
        """
        ids = np.asarray(self._buffer)
        heights = _table(self._heights, np.uint8).take(ids)
        relief = self._relief(heights, object_height)
        shaded = (tone.astype(np.uint16) * (ONE - shadow.astype(np.uint16)) >> 7).astype(np.uint8)
        even = np.where(heights < object_height, _enlarged(shaded), _enlarged(tone))
        tinted = np.clip(np.array(self._colours, dtype=np.int32) * np.array(gain) >> 7, 0, 255)
        colours = [_table(tinted[:, channel], np.uint16) for channel in range(3)]
        planes = [_table(column, np.int32) for column in zip(*self._planes, strict=True)]
        fine = np.empty((3, FINE, FINE), np.uint8)
        for top in range(0, FINE, _BAND):
            band = slice(top, top + _BAND)
            wide = ids[band].astype(np.intp)  # as wide as an index: NumPy would widen it for each table
            brightness = self._brightness(wide, planes, top)
            brightness += relief[band]
            light = np.clip(brightness, 0, 255).astype(np.uint16)
            light *= even[band]
            light >>= 7
            np.minimum(light, 255, out=light)
            for colour, channel in zip(colours, fine, strict=True):
                value = colour.take(wide)
                value *= light
                value >>= 7
                np.minimum(value, 255, out=channel[band], casting="unsafe")
        return np.stack([_reduced(channel) for channel in fine], axis=2)

    def _brightness(self, wide: NDArray[np.intp], planes: Sequence[NDArray[np.int32]], top: int) -> NDArray[np.int32]:
        """(rows, FINE) the planes of shapes at their sub-pixels, from the row ``top`` on."""
        constant, across, down = (plane.take(wide) for plane in planes)
        across *= np.arange(FINE, dtype=np.int32)
        down *= np.arange(top, top + len(wide), dtype=np.int32)[:, None]
        constant += across
        constant += down
        constant >>= 16
        return constant

    def _relief(self, heights: NDArray[np.uint8], object_height: int) -> NDArray[np.int8]:
        """(FINE, FINE) shadows that higher layers cast on lower ones, and the bright rims of lit edges."""
        light = np.zeros(heights.shape, dtype=np.int8)
        side = self._light
        for dx, dy, depth in ((1, 2, -9), (2, 4, -6), (3, 7, -4)):
            light += (_shifted(heights, dx * side, dy) > heights).view(np.int8) * np.int8(depth)
        far = _shifted(heights, 7 * side, 12)
        light += ((far >= object_height) & (heights < object_height)).view(np.int8) * np.int8(-10)
        light += (_shifted(heights, side, 2) < heights).view(np.int8) * np.int8(9)
        return light

    def masks(self) -> dict[int, NDArray[np.bool_]]:
        """Part number -> (SIZE, SIZE) bool, its visible pixels: at least half of their sub-pixels show the part."""
        parts = np.array(self._parts, dtype=np.uint8)
        labels = parts[np.asarray(self._buffer)]
        present = sorted(set(self._parts) - {0})
        masks: dict[int, NDArray[np.bool_]] = {}
        for part in present:
            mask = _reduced((labels == part).view(np.uint8) * np.uint8(240)) >= 120
            if mask.any():
                masks[part] = mask
        return masks


def _table(values: Iterable[int], kind: type[Number]) -> NDArray[Number]:
    """(256,) what is said of each shape's number."""
    table = np.zeros(MOST_SHAPES + 1, kind)
    given = list(values)
    table[: len(given)] = given
    return table


def _enlarged(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A (SIZE, SIZE) field at the size of the buffer."""
    return np.asarray(Image.fromarray(small).resize((FINE, FINE), Image.Resampling.NEAREST))


def _reduced(field: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean of each pixel's sub-pixels, (SIZE, SIZE)."""
    return np.asarray(Image.fromarray(field).reduce(SUPERSAMPLING))


def _shifted(field: NDArray[np.uint8], dx: int, dy: int) -> NDArray[np.uint8]:
    """``field`` moved right by ``dx`` and down by ``dy`` sub-pixels, padded with 0."""
    moved = np.zeros_like(field)
    rows, columns = field.shape
    to_x, from_x = (
        (slice(dx, columns), slice(0, columns - dx)) if dx >= 0 else (slice(0, columns + dx), slice(-dx, columns))
    )
    moved[dy:, to_x] = field[: rows - dy, from_x]
    return moved
