"""Ablating units on stored activations: only the head is run again, never the backbone.

A head of pooling and one linear map needs the pooled features f only. With the units U ablated,
``logits' = logits - W[:, U] f[U]``, which is exact. Any other head is run on the stored maps, those of U overwritten.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.evaluation.dealt_stretches import Dealer, DealtStretch
from interpret.evaluation.heads import on_any_device
from interpret.evaluation.stretches import (
    HEAD_ROWS,
    LINEAR_ROWS,
    LOGITS_AT_A_TIME,
    Stretch,
    alike,
    each_stretch,
    general_logits,
    largest,
    linear_logits,
    stretches_of,
)
from interpret.models.head import Head
from interpret.progress import unheard
from interpret.study import Study
from interpret.study.mapped import let_go

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AblationSet:
    """The photos that ablations are measured on, as the head reads them, each with its class.

    Attributes:
        head: what follows the layer, on the device that computes.
        labels: (n,) int64, the class of each photo, see :func:`reference_labels`.
        features: (n, K) pooled activations, float16 or float32; may be memory-mapped.
        activations: (n, K, h, w), likewise; None where the head is linear.
        rows: (n,) int64, row of each photo in ``features``, ``activations`` and ``beside``.
        fill: (K,) float32, the value that an ablated unit takes; zero if None.
        announce: called with one sentence where a GPU has too little memory.
        beside: what the head reads beside the activations, see :attr:`interpret.models.head.Head.reads`: tokens outside
            the grid and errors of a code, its part of the logits, or pixels (n, H, W, 3) uint8; may be memory-mapped.
            None where it reads nothing else.
        preprocessing: from pixels to the network's input; None unless ``beside`` holds pixels.
        deal: workers that classify them, see :mod:`interpret.evaluation.dealt_stretches`; this process does if None.
    """

    head: Head
    labels: Ints
    features: npt.NDArray[np.floating]
    activations: npt.NDArray[np.floating] | None
    rows: Ints
    fill: npt.NDArray[np.float32] | None = field(default=None)
    announce: Callable[[str], None] = unheard
    beside: npt.NDArray | None = None
    preprocessing: Preprocessing | None = None
    deal: Dealer | None = None

    def __post_init__(self) -> None:
        if (self.activations is None and not self.head.linear) or (self.beside is None and self.head.reads):
            raise InputError("The head needs the layer's whole maps, and they are not stored; make the study again.")
        self.labels.setflags(write=False)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_units(self) -> int:
        """K (count)."""
        return int(self.features.shape[1])

    @property
    def device(self) -> torch.device:
        """The device that the head computes on."""
        return self.head.seed_input.device

    @property
    def classes(self) -> Ints:
        """The classes of the photos, ascending."""
        return np.unique(self.labels)

    @cached_property
    def weight_rows(self) -> Tensor:
        """(K, C) the weights of a linear head, those of each unit side by side."""
        assert self.head.weight is not None
        with torch.inference_mode(False):
            return self.head.weight.T.contiguous()

    @cached_property
    def double_weight(self) -> npt.NDArray[np.float64]:
        """(C, K) the weights of a linear head in double precision."""
        assert self.head.weight is not None
        return self.head.weight.cpu().numpy().astype(np.float64)

    def every_photo(self) -> "AblationSet":
        """All photos of the study, those without a label too; what is said of the labels means nothing."""
        rows = np.arange(len(self.features), dtype=np.int64)
        return replace(self, labels=np.zeros(len(rows), np.int64), rows=rows)

    def head_inputs(self, photos: Ints) -> Tensor:
        """Features (m, K) of some photos, or activations (m, K, h, w) where the head needs them; float32."""
        source = self.features if self.head.linear else self.activations
        assert source is not None
        return torch.from_numpy(np.asarray(source[self.rows[photos]], np.float32)).to(self.device)

    def head_of(self, photos: Ints) -> Head:
        """The head with what it reads of some photos beside their activations."""
        if self.beside is None:
            return self.head
        held = torch.from_numpy(np.asarray(self.beside[self.rows[photos]])).to(self.device)
        return self.head.given(held if self.preprocessing is None else self.preprocessing.normalise(held))

    def offsets(self, photos: Ints) -> npt.NDArray[np.float64] | float:
        """(m, C) the part of some photos' logits that no latent of a code has, by a linear head; 0 without a code."""
        if self.head.reads != "offset" or self.beside is None:
            return 0.0
        return np.asarray(self.beside[self.rows[photos]], np.float64)

    def ablated_values(self) -> Tensor:
        """(K,) float32, the value that each unit takes when it is ablated."""
        fill = np.zeros(self.n_units, np.float32) if self.fill is None else self.fill
        return torch.from_numpy(np.asarray(fill, np.float32)).to(self.device)


def reference_labels(study: Study) -> pd.Series:
    """The class of each photo that accuracy refers to: its label, or the predicted class where no photo has a label."""
    labels = study.images["label"]
    return labels if labels.notna().any() else study.images["predicted"].astype("Int32")


def make_ablation_set(
    study: Study,
    head: Head,
    *,
    replacement: str = "zero",
    reference: Study | None = None,
    deal: Dealer | None = None,
) -> AblationSet:
    """The photos of a study, ready for ablation. Photos without a label are left out where others have one.

    Args:
        study: the photos to measure on.
        head: from :func:`interpret.evaluation.heads.load_head`.
        replacement: value of an ablated unit: ``zero``, or ``mean``, its mean over the photos and spatial locations of
            ``reference``.
        reference: the study that was mined; ``study`` itself if None.
        deal: workers that classify the photos; this process does if None.

    Raises:
        InputError: the network has a single output, the study holds no activations that the head can read, or the
            replacement is unknown.
    """
    if replacement not in ("zero", "mean"):
        raise InputError(f"--replacement is {replacement!r}; choose zero or mean.")
    if len(study.class_names) < 2:
        raise InputError(
            f"{study.model} has one output only, so every photo is classified alike whatever is ablated; "
            "wrap the network so that it has an output for each of its classes."
        )
    reference_label = reference_labels(study)
    rows = np.flatnonzero(reference_label.notna().to_numpy()).astype(np.int64)
    fill = None
    if replacement == "mean":
        fill = _mean((reference or study).features).astype(np.float32)
    labels = reference_label.to_numpy(np.int64, na_value=-1)[rows]
    beside = study.beside if head.reads else None
    preprocessing = study.preprocessing if head.reads == "inputs" else None
    activations = None if head.linear else study.activations
    told = study.announce
    return AblationSet(head, labels, study.features, activations, rows, fill, told, beside, preprocessing, deal)


def _mean(features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """(K,) the mean over all photos, which are read in pieces."""
    total = np.zeros(features.shape[1])
    for start in range(0, len(features), LINEAR_ROWS):
        total += features[start : start + LINEAR_ROWS].sum(axis=0, dtype=np.float64)
        let_go(features)
    return total / len(features)


@on_any_device
def logits(
    ablation_set: AblationSet,
    settings: Sequence[Sequence[Ints]],
    groups: Ints,
    photos: Ints | None = None,
    *,
    keep: bool = False,
) -> npt.NDArray[np.float32]:
    """Logits (S, m, C) under several settings, of a few photos; arguments as for :func:`classify`."""
    photos = np.arange(len(ablation_set)) if photos is None else photos
    rows: npt.NDArray[np.float32] | None = None

    def work(stretch: Stretch) -> list[Tensor]:
        return [values for several in _run(ablation_set, settings, stretch, photos, keep) for values in several.cpu()]

    for stretch, found in each_stretch(work, ablation_set.head, groups):
        if rows is None:
            rows = np.empty((len(settings), len(photos), found[0].shape[1]), np.float32)
        for setting, values in enumerate(found):
            rows[setting, stretch.places] = values.numpy()
    assert rows is not None
    return rows


@on_any_device
def classify(
    ablation_set: AblationSet,
    settings: Sequence[Sequence[Ints]],
    groups: Ints,
    photos: Ints | None = None,
    *,
    keep: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> npt.NDArray[np.int32]:
    """Predicted class of photos under several ablations.

    Args:
        ablation_set: the photos and the head.
        settings: S of them, each the units to ablate in photos of group 0, 1, ...
        groups: (m,) int64, the group of each photo, such as its class; nothing is ablated in groups below 0.
        photos: (m,) int64, positions in ``ablation_set``; all if None.
        keep: ablate all units but those given.
        on_progress: called with the number of photos done so far.

    Returns:
        (S, m) int32.
    """
    photos = np.arange(len(ablation_set)) if photos is None else photos
    predicted = np.empty((len(settings), len(photos)), np.int32)
    done = 0

    def work(stretch: Stretch) -> npt.NDArray[np.int32]:
        found = np.empty((len(settings), len(stretch.places)), np.int32)
        first = 0
        for values in _run(ablation_set, settings, stretch, photos, keep):
            found[first : first + len(values)] = largest(values)
            first += len(values)
        return found

    deal = ablation_set.deal
    if deal is not None and deal.head is ablation_set.head and len(photos) > HEAD_ROWS:
        asked = ((each.group, each.places, photos[each.places]) for each in stretches_of(deal.head, groups))
        pieces = deal.classified(classify_dealt, ablation_set, settings, asked, keep)
    else:
        pieces = ((each.places, found) for each, found in each_stretch(work, ablation_set.head, groups))
    for places, found in pieces:
        predicted[:, places] = found
        done += len(places)
        if on_progress is not None:
            on_progress(done)
    return predicted


def classify_dealt(head: Head, dealt: DealtStretch) -> npt.NDArray[np.int32]:
    """(S, m) the predicted classes of a stretch, on the machine of a worker."""
    groups = np.full(len(dealt.places), min(dealt.group, 0), np.int64)
    settings = [[units] for units in dealt.settings]
    return classify(AblationSet(head, **dealt.inputs), settings, groups, keep=dealt.keep)


def _run(
    ablation_set: AblationSet, settings: Sequence[Sequence[Ints]], stretch: Stretch, photos: Ints, keep: bool
) -> Iterator[Tensor]:
    """Yield the logits (S, m, C) of a stretch under a few settings after the other; each row is read once for all."""
    head = ablation_set.head
    nothing = np.arange(ablation_set.n_units) if keep else np.zeros(0, np.int64)
    with torch.inference_mode():
        inputs, fill = ablation_set.head_inputs(photos[stretch.places]), ablation_set.ablated_values()
        if head.linear:
            logits_without = linear_logits(
                ablation_set.head_of(photos[stretch.places]), ablation_set.weight_rows, inputs, fill, keep
            )
        else:
            logits_without = general_logits(ablation_set.head_of(photos[stretch.places]), inputs, fill, keep)

    def most(size: int) -> int:
        if not head.linear:
            return 1
        return LOGITS_AT_A_TIME // (len(stretch.places) * max(size, ablation_set.weight_rows.shape[1]))

    chosen = (units[stretch.group] if stretch.group >= 0 else nothing for units in settings)
    for sets in alike(chosen, most):
        with torch.inference_mode():  # left again before the caller goes on
            values = logits_without(torch.from_numpy(sets).to(ablation_set.device))
        yield values
