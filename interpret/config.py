"""Every option of the pipeline, once: type, default, bounds and one line of help.

The command line's arguments and the dashboard's controls are generated from these dataclasses by :func:`options`.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from interpret.errors import InputError

_KINDS = {int: "a whole number", float: "a number", str: "text", bool: "True or False"}


@dataclass(frozen=True)
class Option:
    """The description of one field of a configuration.

    Attributes:
        name: the field's name; the command line writes it with dashes.
        kind: the type of one value: ``int``, ``float``, ``str`` or ``bool``.
        default: the default value; None where the option may stay unset, ``dataclasses.MISSING`` where it is required.
        help: one line.
        low: the smallest value allowed; no bound if None.
        high: the largest value allowed; no bound if None.
        choices: the values allowed; any if empty.
        many: whether the option holds a tuple of values; every one of them is checked.
    """

    name: str
    kind: type
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    many: bool = False

    def check(self, value: Any) -> None:
        """Raise :class:`InputError` if ``value`` has another type, is out of bounds or is not among the choices.

        An ``int`` is accepted as a ``float``; a ``bool`` is not accepted as a number.
        """
        if value is None:
            if self.default is not None:
                raise InputError(f"--{self.flag} needs a value: {self.help}")
        elif not self.many:
            self._check_one(value)
        elif not isinstance(value, tuple) or not value:
            raise InputError(f"--{self.flag} is {value!r}; give a tuple of at least one value.")
        else:
            for each in value:
                self._check_one(each)

    def _check_one(self, value: Any) -> None:
        allowed: Any = (int, float) if self.kind is float else self.kind
        if not isinstance(value, allowed) or (isinstance(value, bool) and self.kind is not bool):
            raise InputError(
                f"--{self.flag} is {value!r} ({type(value).__name__}); give {_KINDS[self.kind]} ({self.kind.__name__})."
            )
        if self.choices and value not in self.choices:
            raise InputError(f"--{self.flag} is {value!r}; choose one of {', '.join(self.choices)}.")
        if value != value:  # NaN
            raise InputError(f"--{self.flag} is not a number.")
        if self.low is not None and value < self.low:
            raise InputError(f"--{self.flag} is {value}; the smallest value allowed is {self.low}.")
        if self.high is not None and value > self.high:
            raise InputError(f"--{self.flag} is {value}; the largest value allowed is {self.high}.")

    @property
    def flag(self) -> str:
        """The option's name on the command line, without the two dashes."""
        return self.name.replace("_", "-")


def _option(
    default: Any,
    help: str,
    *,
    kind: type | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Return a dataclass field that carries its description; a tuple as the default makes an option of many values."""
    many = isinstance(default, tuple)
    kind = kind or type(default[0] if many else default)
    meta = {"help": help, "kind": kind, "low": low, "high": high, "choices": choices, "many": many}
    return field(default=default, metadata=meta)


def options(config: Any) -> Iterator[Option]:
    """Yield the described options of a configuration class or instance, in the order in which they are written."""
    for item in dataclasses.fields(config):
        if "help" in item.metadata:
            yield Option(name=item.name, default=item.default, **item.metadata)


class _Checked:
    """Checks every described field when an instance is made."""

    def __post_init__(self) -> None:
        for option in options(self):
            option.check(getattr(self, option.name))


@dataclass(frozen=True)
class ModelConfig(_Checked):
    """Which network and layer, and how a photo becomes the network's input."""

    model: str = _option("efficientnet_lite0", "architecture; `python -m interpret models` lists them")
    weights: str | None = _option(
        None,
        "your own checkpoint (.safetensors, or a state dict written by torch.save); the word random: untrained weights",
        kind=str,
    )
    class_names: str | None = _option(
        None,
        "class names of your own checkpoint: a text file with one a line, or a JSON list; or the word imagenet",
        kind=str,
    )
    layer: str | None = _option(
        None,
        "module whose output channels are the units; the last one with spatial extent if not set",
        kind=str,
    )
    input_size: int | None = _option(
        None,
        "height and width of the network's input in pixels; the model's own if not set",
        kind=int,
        low=16,
        high=2048,
    )
    crop_fraction: float | None = _option(
        None,
        "fraction of the resized photo's shorter side that the centre crop keeps; the model's own if not set "
        "(photos that already have the input's size are then not cropped)",
        kind=float,
        low=0.05,
        high=1.0,
    )
    mean: str | None = _option(
        None, "three comma-separated channel means in 0..1; the model's own if not set", kind=str
    )
    std: str | None = _option(
        None, "three comma-separated channel standard deviations; the model's own if not set", kind=str
    )
    precision: str = _option(
        "auto",
        "number type of the backbone; auto: bfloat16 where the processor or GPU is fast at it",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    device: str = _option(
        "auto", "where to compute; auto: a GPU if there is one", choices=("auto", "cpu", "cuda", "mps")
    )


@dataclass(frozen=True)
class ExtractConfig(_Checked):
    """From photos to patches and their units: Grad-CAM, threshold, encoding."""

    threshold: str = _option(
        "fraction",
        "how a Grad-CAM map is thresholded: at a fraction of its maximum, or by Otsu's method",
        choices=("fraction", "otsu"),
    )
    tau: float = _option(0.5, "fraction of the map's maximum at which it is thresholded", low=0.01, high=0.99)
    patches: str = _option(
        "regions",
        "what a patch is: a connected region above the threshold, or the part of one around each peak of the map",
        choices=("regions", "peaks"),
    )
    max_patches: int = _option(4, "patches kept per photo, largest explanation mass first", low=1, high=64)
    min_area: float = _option(
        0.001,
        "patches whose box covers less than this fraction of the input image are dropped",
        low=0.0,
        high=0.5,
    )
    score: str = _option(
        "contribution",
        "what ranks a patch's units: gradient weight times activation, or the activation alone",
        choices=("contribution", "activation"),
    )
    encoding: str = _option(
        "region",
        "pool the photo's own activations inside the patch, or crop the patch and run the network on it",
        choices=("region", "crop"),
    )
    stored_units: int = _option(
        32, "units stored per patch, best first: the largest N that can be mined later", low=1, high=512
    )


@dataclass(frozen=True)
class MineConfig(_Checked):
    """From transactions to itemsets, rules and relevant units."""

    top_units: int = _option(10, "N: units per transaction, best first", low=1, high=512)
    min_support: float = _option(0.2, "s: fraction of a class's patches that must hold an itemset", low=1e-6, high=1.0)
    min_class_patches: int = _option(
        10, "classes with fewer patches are not mined: a fraction of a handful says little", low=1, high=1_000_000
    )
    max_size: int | None = _option(None, "largest itemset to look for; no limit if not set", kind=int, low=1, high=512)
    engine: str = _option(
        "auto",
        "Eclat in torch or through pyfim, with the same result; auto is torch",
        choices=("auto", "pyfim", "torch"),
    )
    max_itemsets: int = _option(
        200_000, "stop with an error if there are more itemsets than this", low=1, high=100_000_000
    )


@dataclass(frozen=True)
class RunConfig(_Checked):
    """All options of one study.

    ``batch_size`` may change float rounding, and batches do not cross shards: both sizes are part of the study's key.
    ``workers`` never changes a result.
    """

    images: str = _option(
        dataclasses.MISSING,
        "folder of class folders (named by wnid, ImageNet index or class name), or a flat folder; or one of "
        "demo, demo-val, skimage, imagenette, imagenette-val",
        kind=str,
    )
    model: ModelConfig = field(default_factory=ModelConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    mine: MineConfig = field(default_factory=MineConfig)
    limit: int | None = _option(
        None, "use at most this many photos, evenly over the classes; all if not set", kind=int, low=1
    )
    batch_size: int = _option(32, "photos per forward pass", low=1)
    workers: int = _option(2, "threads that decode photos", low=1)
    shard_size: int = _option(
        256, "photos that are written to disk together: at most this many are repeated after an interruption", low=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, kind in (("model", ModelConfig), ("extract", ExtractConfig), ("mine", MineConfig)):
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"The {name} of a RunConfig is {getattr(self, name)!r}; give a {kind.__name__}.")


def digest(*parts: Any) -> str:
    """Return a cache key (16 hexadecimal digits) of configurations, strings and numbers; the same on every machine."""

    def plain(part: Any) -> Any:
        if dataclasses.is_dataclass(part) and not isinstance(part, type):
            return {"": type(part).__name__, **dataclasses.asdict(part)}
        return part

    text = json.dumps([plain(part) for part in parts], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
