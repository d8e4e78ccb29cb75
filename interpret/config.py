"""Every option of the pipeline, once: default, bounds and one line of help.

The command line's arguments and the dashboard's controls are both generated from these dataclasses (see
:func:`options`), so that an option is described in one place only.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from interpret.errors import InputError


@dataclass(frozen=True)
class Option:
    """How one field of a configuration is described to a person.

    Attributes:
        name: the field's name; the command line writes it with dashes.
        kind: the type of one value: ``int``, ``float``, ``str`` or ``bool``.
        default: the default value; None where the option may be left open.
        help: one line.
        low: the smallest value allowed, None without a bound.
        high: the largest value allowed, None without a bound.
        choices: the values allowed; empty where any is.
    """

    name: str
    kind: type
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, value: Any) -> None:
        """Raise :class:`InputError` where ``value`` is out of bounds."""
        if value is None:
            if self.default is not None:
                raise InputError(f"--{self.flag} needs a value: {self.help}")
            return
        if self.choices and value not in self.choices:
            raise InputError(f"--{self.flag} is {value!r}; choose one of {', '.join(self.choices)}.")
        if self.kind in (int, float) and not isinstance(value, str | list | tuple):
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
    """A dataclass field that carries its description."""
    kind = kind or type(default)
    meta = {"help": help, "kind": kind, "low": low, "high": high, "choices": choices}
    return field(default=default, metadata=meta)


def options(config: Any) -> Iterator[Option]:
    """Yield the described options of a configuration class or instance, in the order they are written."""
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
    """Which network, which layer, and how a photo becomes its input."""

    model: str = _option("efficientnet_lite0", "architecture; `python -m interpret models` lists them")
    weights: str | None = _option(
        None,
        "your own checkpoint (.safetensors, or a state dict that torch.save wrote); the word random: none at all",
        kind=str,
    )
    class_names: str | None = _option(
        None,
        "text file with one class name a line, or a JSON list, of your own checkpoint; or the word imagenet",
        kind=str,
    )
    layer: str | None = _option(
        None,
        "module whose output channels are the units; the last one with spatial extent if left open",
        kind=str,
    )
    input_size: int | None = _option(
        None,
        "height and width of the network's input in pixels; the model's own if left open",
        kind=int,
        low=16,
        high=2048,
    )
    crop_fraction: float | None = _option(
        None,
        "share of the resized photo's shorter side that the centre crop keeps; the model's own if left open "
        "(photos that already have the input's size are then taken whole)",
        kind=float,
        low=0.05,
        high=1.0,
    )
    mean: str | None = _option(
        None, "three comma-separated channel means in 0..1; the model's own if left open", kind=str
    )
    std: str | None = _option(None, "three comma-separated channel deviations; the model's own if left open", kind=str)
    precision: str = _option(
        "auto",
        "arithmetic of the backbone; auto: bfloat16 where the processor or GPU is fast at it",
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
        "how a map is cut into patches: at a fraction of its maximum, or by Otsu's method",
        choices=("fraction", "otsu"),
    )
    tau: float = _option(0.5, "fraction of the map's maximum at which it is cut", low=0.01, high=0.99)
    patches: str = _option(
        "regions",
        "what a patch is: a connected region above the threshold, or the part of one around each peak of the map",
        choices=("regions", "peaks"),
    )
    max_patches: int = _option(4, "patches kept per photo, largest explanation mass first", low=1, high=64)
    min_area: float = _option(
        0.001,
        "patches whose box is smaller than this fraction of the input image are dropped",
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
        "pool the photo's own activations under the patch, or crop the patch and run it again",
        choices=("region", "crop"),
    )
    stored_units: int = _option(
        32, "units stored per patch, best first: the largest N that can be mined later", low=1, high=512
    )


@dataclass(frozen=True)
class MineConfig(_Checked):
    """From transactions to itemsets, rules and relevant units."""

    top_units: int = _option(10, "N: units per transaction, best first", low=1, high=512)
    min_support: float = _option(0.2, "s: share of a class's patches that must hold an itemset", low=1e-6, high=1.0)
    min_class_patches: int = _option(
        10, "classes with fewer patches are not mined: a share of a handful says little", low=1, high=1_000_000
    )
    max_size: int | None = _option(
        None, "largest itemset to look for; no limit if left open", kind=int, low=1, high=512
    )
    engine: str = _option(
        "auto",
        "Eclat in torch or through pyfim; auto is torch, as fast or faster at every size measured",
        choices=("auto", "pyfim", "torch"),
    )
    max_itemsets: int = _option(200_000, "refuse to mine more itemsets than this", low=1, high=100_000_000)


@dataclass(frozen=True)
class RunConfig:
    """All options of one study.

    Attributes:
        images: a folder, or the name of a built-in set of photos (see :mod:`interpret.data.datasets`).
        limit: use at most this many photos, evenly over the classes; None for all.
        batch_size: photos per forward pass. It may change float rounding, and is therefore part of the study's key.
        workers: threads that decode photos; never changes a result.
        shard_size: photos kept on disk together: what a killed run has to do again at the most. Batches do not cross
            shards, so it is part of the key like the batch size.
    """

    images: str
    model: ModelConfig = field(default_factory=ModelConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    mine: MineConfig = field(default_factory=MineConfig)
    limit: int | None = None
    batch_size: int = 32
    workers: int = 2
    shard_size: int = 256


def digest(*parts: Any) -> str:
    """A short stable name (16 hexadecimal digits) of configurations, strings and numbers, for cache keys."""

    def plain(part: Any) -> Any:
        if dataclasses.is_dataclass(part) and not isinstance(part, type):
            return {"": type(part).__name__, **dataclasses.asdict(part)}
        return part

    text = json.dumps([plain(part) for part in parts], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
