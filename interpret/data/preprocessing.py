"""From a photo to a network's input, and from a box in that input back to the photo.

Both directions use the same geometry of a photo, its size after scaling and the corner of the centre crop, so that they
cannot disagree.
"""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from interpret.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

# If the longer side is more than this many times the shorter, only the part in the crop is scaled: all of a
# 20,000 x 2 pixel photo, scaled to a shorter side of 256 pixels, would take two gigabytes.
_ELONGATED = 8
# Boxes in fractions of pixels carry float rounding; an overhang of less than this many pixels does not enlarge one.
_ROUNDING = 1e-6


def resized_side(crop: int, fraction: float) -> int:
    """The shorter side in pixels before a centre crop of ``crop`` pixels that keeps ``fraction`` of it.

    Rounded down, as in timm; in exact arithmetic, so that 224 / 0.875 is 256 on every machine.
    """
    return int(Fraction(crop) / Fraction(str(fraction)))


@dataclass(frozen=True)
class Preprocessing:
    """How a photo becomes a network's input: scale the shorter side, crop the centre, normalise.

    A photo of exactly the input's size is neither scaled nor cropped, unless ``whole_if_exact`` is False.

    Attributes:
        size: height and width of the network's input, pixels.
        resize: the photo's shorter side before the centre crop, pixels; at least the larger of ``size``.
        interpolation: one of :data:`FILTERS`; always antialiased.
        mean: mean of each channel (red, green, blue), of values in 0..1.
        std: standard deviation of each channel, of values in 0..1.
        whole_if_exact: whether a photo of exactly the input's size is taken as it is.
    """

    size: tuple[int, int] = (224, 224)
    resize: int = 256
    interpolation: str = "bilinear"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    whole_if_exact: bool = True

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise InputError(f"The input size {self.size} is not a height and a width in pixels.")
        if self.resize < max(self.size):
            raise InputError(
                f"A shorter side of {self.resize} pixels cannot hold a crop of {self.size[0]} x {self.size[1]}; "
                "give a larger resize or a smaller input size."
            )
        if self.interpolation not in FILTERS:
            raise InputError(f"Interpolation {self.interpolation!r} is unknown; choose one of {', '.join(FILTERS)}.")
        values = np.array([self.mean, self.std], dtype=float)
        if values.shape != (2, 3) or not np.isfinite(values).all() or (values[1] <= 0).any():
            raise InputError("The mean and std of a preprocessing are three numbers each, every std above zero.")

    def geometry(self, source_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Size of the scaled photo and the corner of the crop in it: ``(width, height, left, top)``, pixels.

        The rounding is torchvision's (``Resize``, then ``CenterCrop``): the longer side is rounded down; the corner is
        rounded to the nearest pixel, halves to the even one.

        Args:
            source_size: width and height of the photo, pixels.
        """
        width, height = source_size
        out_h, out_w = self.size
        if self.whole_if_exact and (width, height) == (out_w, out_h):
            return width, height, 0, 0
        shorter = min(width, height)
        scaled_w, scaled_h = self.resize * width // shorter, self.resize * height // shorter
        return scaled_w, scaled_h, round((scaled_w - out_w) / 2), round((scaled_h - out_h) / 2)

    def apply(self, image: Image.Image, source_size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """Scale and crop an upright RGB photo; it may be called from several threads at once.

        Args:
            image: the photo.
            source_size: width and height of the photo in its file (pixels), where ``image`` was reduced while it was
                decoded: the crop is then the one that :meth:`to_source` maps back. The image's own if None.

        Returns:
            (H, W, 3) uint8, contiguous.
        """
        out_h, out_w = self.size
        width, height, left, top = self.geometry(source_size or image.size)
        resample = FILTERS[self.interpolation]
        if max(image.size) > _ELONGATED * min(image.size):
            image = image.resize((out_w, out_h), resample, box=self.view_box(image.size))
        else:
            if image.size != (width, height):
                image = image.resize((width, height), resample)
            if image.size != (out_w, out_h):
                image = image.crop((left, top, left + out_w, top + out_h))
        return np.array(image, dtype=np.uint8)

    def normalise(self, batch: "Tensor") -> "Tensor":
        """Normalise pixels to the network's input, on the batch's device.

        Args:
            batch: (B, H, W, 3) uint8.

        Returns:
            (B, 3, H, W) float32, in channels-last memory format: ``(value / 255 - mean) / std``.
        """
        import torch  # not at the top: opening a study needs this class, but not PyTorch

        # A whole row at a time, each value with its own channel's mean: three at a time take three times as long.
        _, height, width, _ = batch.shape
        # Filled on the device: it would do all its work before it takes a copy.
        mean, std = (
            torch.cat([torch.full((1,), value, device=batch.device) for value in values]).repeat(width)
            for values in (self.mean, self.std)
        )
        rows = batch.reshape(-1, 3 * width).float().div_(255).sub_(mean).div_(std)
        # (B, H, W, 3) -> (B, 3, H, W) without a copy: the strides are now those of channels last
        return rows.view(-1, height, width, 3).permute(0, 3, 1, 2)

    def to_source(self, boxes: ArrayLike, source_size: tuple[int, int]) -> NDArray[np.int64]:
        """Map boxes in the input to the photo: the smallest boxes of whole pixels that cover them.

        Args:
            boxes: (n, 4) ``x0, y0, x1, y1``, half-open, in pixels of the network's input.
            source_size: width and height of the photo, pixels.

        Returns:
            (n, 4) int64, half-open, inside the photo, each at least one pixel wide and high. Exact for integer boxes.
        """
        given = np.asarray(boxes)
        width, height, left, top = self.geometry(source_size)
        scale = ((source_size[0], width, left), (source_size[1], height, top))
        out = np.empty((len(given), 4), dtype=np.int64)
        given = given.reshape(len(given), 4)
        for axis, (source, scaled, offset) in enumerate(scale):
            low, high = given[:, axis] + offset, given[:, axis + 2] + offset
            if np.issubdtype(given.dtype, np.integer):
                first = low.astype(np.int64) * source // scaled
                last = -(-high.astype(np.int64) * source // scaled)
            else:
                first = np.floor(low * source / scaled + _ROUNDING).astype(np.int64)
                last = np.ceil(high * source / scaled - _ROUNDING).astype(np.int64)
            out[:, axis] = first.clip(0, source - 1)
            out[:, axis + 2] = np.maximum(last.clip(0, source), out[:, axis] + 1)
        return out

    def to_model(self, boxes: ArrayLike, source_size: tuple[int, int]) -> NDArray[np.float64]:
        """Map boxes in the photo to pixels of the input; they may lie outside the crop.

        Args:
            boxes: (n, 4) ``x0, y0, x1, y1``, half-open, in pixels of the photo.
            source_size: width and height of the photo, pixels.

        Returns:
            (n, 4) float64, pixels of the network's input.
        """
        given = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        width, height, left, top = self.geometry(source_size)
        ratio = np.array([width / source_size[0], height / source_size[1]] * 2)
        return given * ratio - np.array([left, top, left, top])

    def view_box(self, source_size: tuple[int, int]) -> tuple[float, float, float, float]:
        """The part of the photo that the network sees: ``x0, y0, x1, y1`` in pixels of the photo."""
        width, height, left, top = self.geometry(source_size)
        per_x, per_y = source_size[0] / width, source_size[1] / height
        return (
            left * per_x,
            top * per_y,
            min((left + self.size[1]) * per_x, float(source_size[0])),
            min((top + self.size[0]) * per_y, float(source_size[1])),
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, for a study's manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocessing":
        """The instance that :meth:`to_dict` described; lists become tuples, which JSON does not have."""
        fields: dict[str, Any] = {}
        for name, value in values.items():
            fields[name] = tuple(value) if isinstance(value, list) else value
        return cls(**fields)
