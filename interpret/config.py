"""Every option of the pipeline, once: type, default, bounds and one line of help.

The command line's arguments and the dashboard's controls are made from these dataclasses, see
:mod:`interpret.options`.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from interpret.errors import InputError
from interpret.options import Checked, option

DEFAULT_QUANTILE = 0.97
"""A unit stays in a transaction if it exceeds this quantile of its scores in contrast patches (docs/contrast.md)."""

RANKING_RULES = ("evidence", "score", "support")
"""How the mined units of a class are ordered, see :func:`interpret.evaluation.unit_rankings.mined`."""


@dataclass(frozen=True)
class ModelConfig(Checked):
    """Which network and layer, and how a photo becomes the network's input."""

    model: str = option(
        "efficientnet_lite0", "architecture; `unitscope models` lists them; or FILE.py:FUNCTION, or an archive (.pt2)"
    )
    weights: str | None = option(
        None,
        "your own checkpoint (.safetensors, or a state dict written by torch.save); the word random: untrained weights",
        kind=str,
    )
    class_names: str | None = option(
        None,
        "class names of your own checkpoint: a text file with one a line, or a JSON list; or the word imagenet",
        kind=str,
    )
    layer: str | None = option(
        None,
        "module whose output channels are the units; the last one with spatial extent if not set",
        kind=str,
    )
    signed: bool = option(False, "the positive and the negative half of each channel are two units")
    codes: str | None = option(
        None,
        "sparse codes of the layer, whose latents are the units in place of channels: a folder as SAELens or sparsify "
        "write it; the word demo: those of the demo's network",
        kind=str,
    )
    input_size: int | None = option(
        None,
        "height and width of the network's input in pixels; the model's own if not set",
        kind=int,
        low=16,
        high=2048,
    )
    crop_fraction: float | None = option(
        None,
        "fraction of the resized photo's shorter side that the centre crop keeps; the model's own if not set "
        "(photos that already have the input's size are then not cropped)",
        kind=float,
        low=0.05,
        high=1.0,
    )
    mean: str | None = option(None, "three comma-separated channel means in 0..1; the model's own if not set", kind=str)
    std: str | None = option(
        None, "three comma-separated channel standard deviations; the model's own if not set", kind=str
    )
    precision: str = option(
        "auto",
        "number type of the backbone; auto: bfloat16 where the processor or GPU is fast at it",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    device: str = option(
        "auto",
        "where to compute; auto: a GPU if there is one, for mining where it is worth it",
        choices=("auto", "cpu", "cuda", "mps"),
    )


@dataclass(frozen=True)
class Arithmetic:
    """How a network computes. No option: it is chosen when a study is begun, and what the study holds follows from it.

    Attributes:
        precision: of the backbone: ``float32``, ``bfloat16`` or ``float16``.
        folded: whether batch norms are folded into convolutions, see :mod:`interpret.models.folding`.
        exact_share: the fraction of the backbone's multiplications that its first convolutions may spend in float32
            where ``precision`` is another.
    """

    precision: str
    folded: bool = True
    exact_share: float = 0.06

    @classmethod
    def former(cls, precision: str) -> "Arithmetic":
        """That of studies which record none: they were made before batch norms were folded."""
        return cls(precision, folded=False)


@dataclass(frozen=True)
class ExtractConfig(Checked):
    """From photos to patches and their units: Grad-CAM, threshold, encoding."""

    threshold: str = option(
        "fraction",
        "how a Grad-CAM map is thresholded: at a fraction of its maximum, or by Otsu's method",
        choices=("fraction", "otsu"),
    )
    tau: float = option(0.5, "fraction of the map's maximum at which it is thresholded", low=0.01, high=0.99)
    patches: str = option(
        "regions",
        "what a patch is: a connected region above the threshold, or the part of one around each peak of the map",
        choices=("regions", "peaks"),
    )
    max_patches: int = option(4, "patches kept per photo, largest explanation mass first", low=1, high=64)
    min_area: float = option(
        0.001,
        "patches whose box covers less than this fraction of the input image are dropped",
        low=0.0,
        high=0.5,
    )
    score: str = option(
        "contribution",
        "what ranks a patch's units: gradient weight times activation, or the activation alone",
        choices=("contribution", "activation"),
    )
    encoding: str = option(
        "region",
        "pool the photo's own activations inside the patch, or crop the patch and run the network on it",
        choices=("region", "crop"),
    )
    contrast: int = option(
        4,
        "R: further classes that each photo is explained for, to test findings against; 0: none, nothing is tested "
        "(models of at most ten classes: all the others)",
        low=0,
        high=64,
    )
    stored_units: int = option(
        32, "units stored per patch, best first: the largest N that can be mined later", low=1, high=512
    )


@dataclass(frozen=True)
class MineConfig(Checked):
    """From transactions to itemsets, rules and relevant units."""

    top_units: int = option(10, "N: units per transaction, best first", low=1, high=512)
    min_support: float = option(0.2, "s: fraction of a class's patches that must hold an itemset", low=1e-6, high=1.0)
    contrast_quantile: float | None = option(
        None,
        "a unit stays in a transaction only where it scores above this quantile of its contrast patches; 0: the "
        f"poster's transactions. If not set: {DEFAULT_QUANTILE} in a study with a contrast, else 0",
        kind=float,
        low=0.0,
        high=0.999,
    )
    contrast_shared: int = option(
        1,
        "other classes that may share a unit: the contrast patches of those that score most on it do not count in its "
        "quantile",
        low=0,
        high=64,
    )
    min_class_patches: int = option(
        10, "classes with fewer patches are not mined: a fraction of a handful says little", low=1, high=1_000_000
    )
    max_size: int | None = option(None, "largest itemset to look for; no limit if not set", kind=int, low=1, high=512)
    engine: str = option(
        "auto",
        "Eclat on bitsets, on tid-lists in torch, or through pyfim, with the same result; auto: bitsets or torch, for "
        "each class the one that should be faster. Only torch uses a GPU",
        choices=("auto", "bitsets", "pyfim", "torch"),
    )
    max_itemsets: int = option(
        200_000, "stop with an error if there are more itemsets than this", low=1, high=100_000_000
    )


@dataclass(frozen=True)
class RunConfig(Checked):
    """All options of one study.

    ``batch_size`` may change float rounding, and batches do not cross shards: both sizes are part of the study's key.
    ``workers`` never changes a result.
    """

    images: str = option(
        dataclasses.MISSING,
        "folder of class folders (named by wnid, ImageNet index or class name), or a flat folder; or one of "
        "demo, demo-val, skimage, imagenette, imagenette-val; or a set of torchvision, as torchvision/CIFAR10:test; "
        "or WebDataset's tar shards, as a folder of them or wds:DIR/train-{000..009}.tar; or a data set of Hugging "
        "Face's on disk (save_to_disk, or Parquet), as its folder or hf:DIR:SPLIT:COLUMN",
        kind=str,
    )
    model: ModelConfig = field(default_factory=ModelConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    mine: MineConfig = field(default_factory=MineConfig)
    hold_out: float | None = option(
        None,
        "fraction of each class's photos that is set aside and not mined: what ablating itemsets costs is measured on "
        "them. If not set: 0.2 in a folder of two or more classes of 20 photos or more; 0: none",
        kind=float,
        low=0.0,
        high=0.5,
    )
    limit: int | None = option(
        None, "use at most this many photos, evenly over the classes; all if not set", kind=int, low=1
    )
    batch_size: int = option(32, "photos in a batch; the contrast is dealt out within it", low=1)
    workers: int | None = option(
        None,
        "threads that decode photos, or for a GPU processes; if not set: 2 threads; for a GPU and 1,000 photos or more "
        "a process for each core but two",
        kind=int,
        low=1,
    )
    shard_size: int = option(
        256, "photos that are written to disk together: at most this many are repeated after an interruption", low=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, kind in (("model", ModelConfig), ("extract", ExtractConfig), ("mine", MineConfig)):
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"The {name} of a RunConfig is {getattr(self, name)!r}; give a {kind.__name__}.")


@dataclass(frozen=True)
class EvaluateConfig(Checked):
    """Options of an evaluation: each class's units are ablated, and photos classified again."""

    budgets: tuple[int, ...] = option(
        (1, 2, 5, 7, 10, 20, 50), "units ablated per class, for the comparison at equal numbers", low=1, high=100_000
    )
    top_units: tuple[int, ...] = option(
        (5, 10), "N of the mined rankings, Ours-5 and Ours-10", low=1, high=512, python_only=True
    )
    contrast_quantile: float = option(
        DEFAULT_QUANTILE,
        "quantile of the contrastive transactions, whose rankings stand beside those of the poster's; 0: without them",
        low=0.0,
        high=0.999,
    )
    rule: str = option("evidence", "how the mined units of a class are ordered", choices=RANKING_RULES)
    replacement: str = option("zero", "what replaces an ablated unit's activations", choices=("zero", "mean"))
    draws: int = option(20, "random sets of units", low=1, high=10_000)
    seed: int = option(0, "seed of the random draws and of the bootstrap", low=0, high=1_000_000_000)
    resamples: int = option(2000, "bootstrap samples", low=1, high=1_000_000, python_only=True)
    lasso: bool = option(True, "compare with the mu-lasso")
    greedy: bool = option(True, "compare with the greedy ranking, where the head is linear")
    itemsets: bool = option(True, "measure what itemsets say beyond single units")
    keep_budgets: tuple[int, ...] = option(
        (1, 2, 5, 10, 20, 50, 100, 200), "units kept, for the sufficiency curves", low=1, high=100_000, python_only=True
    )


@dataclass(frozen=True)
class DissectConfig(Checked):
    """Options of a dissection: each unit is compared with parts that are known."""

    quantile: float = option(0.005, "fraction of a unit's activations above its threshold", low=1e-6, high=1 - 1e-6)
    level: float = option(0.04, "IoU from which a unit detects a part", low=1e-6, high=1 - 1e-6)


@dataclass(frozen=True)
class ReportConfig(Checked):
    """How much of a study its report shows."""

    shared: int = option(12, "class-shared findings with a gallery", low=0, high=500)
    specific: int = option(3, "findings of each class with a gallery", low=0, high=100)
    classes: int = option(20, "classes whose own findings are shown, most frequent first", low=0, high=1000)
    rows: int = option(12, "findings in each table", low=1, high=1000)
    patches: int = option(6, "patches of each class in a gallery", low=1, high=60)
    side: int = option(208, "side of a patch's picture in pixels", low=32, high=640)
    quality: int = option(80, "quality of the pictures (JPEG)", low=10, high=95)
    megabytes: int = option(20, "size of the file at the most; galleries beyond it are left out", low=2, high=200)


def digest(*parts: Any) -> str:
    """Return a cache key (16 hexadecimal digits) of configurations, strings and numbers; the same on every machine."""

    def plain(part: Any) -> Any:
        if dataclasses.is_dataclass(part) and not isinstance(part, type):
            return {"": type(part).__name__, **dataclasses.asdict(part)}
        return part

    text = json.dumps([plain(part) for part in parts], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
