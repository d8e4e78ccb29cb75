"""Switching units off on stored activations: the head is run again, the backbone never.

A head of pooling and one linear map needs pooled features f only. With units U off,
``logits' = logits - W[:, U] f[U]``: that is exact, and costs as much as U is large. Any other head is run
on the stored maps with those of U overwritten.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from interpret.errors import InputError
from interpret.explanation.study_network import network_of
from interpret.models import Classifier
from interpret.models.head import Head, find_head
from interpret.models.precision import choose_device, prepare
from interpret.study import Study

Ints = npt.NDArray[np.int64]

LINEAR_ROWS = 2048
"""Photos whose logits are held at a time, where the head is linear."""

HEAD_ROWS = 64
"""Photos pushed through any other head at a time."""


@dataclass(frozen=True, eq=False)
class AblationSet:
    """Photos as the head sees them, each with the class that counts as right: what every ablation is measured on.

    Attributes:
        head: what follows the layer, on the device that computes.
        labels: (n,) int64, the right class of each photo.
        features: (n, K) pooled activations, float16 or float32; may be memory-mapped.
        activations: (n, K, h, w), likewise; None where the head is linear.
        rows: (n,) int64, where each photo stands in ``features`` and ``activations``.
        fill: (K,) float32, the value that a unit takes when it is off; zero everywhere if None.
    """

    head: Head
    labels: Ints
    features: npt.NDArray[np.floating]
    activations: npt.NDArray[np.floating] | None
    rows: Ints
    fill: npt.NDArray[np.float32] | None = field(default=None)

    def __post_init__(self) -> None:
        if self.activations is None and not self.head.linear:
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
        """Where the head is."""
        return self.head.seed_input.device

    @property
    def classes(self) -> Ints:
        """The classes that photos have, ascending."""
        return np.unique(self.labels)

    def stored(self, photos: Ints) -> Tensor:
        """Features (m, K), or activations (m, K, h, w) where the head needs them, of some photos; float32."""
        source = self.features if self.head.linear else self.activations
        assert source is not None
        return torch.from_numpy(np.asarray(source[self.rows[photos]], np.float32)).to(self.device)

    def filled(self) -> Tensor:
        """(K,) the value of a unit that is off."""
        fill = np.zeros(self.n_units, np.float32) if self.fill is None else self.fill
        return torch.from_numpy(np.asarray(fill, np.float32)).to(self.device)


def load_head(study: Study, *, device: str = "auto", classifier: Classifier | None = None) -> Head:
    """The head of a study's network, in float32, from a private copy of the network.

    Args:
        study: says which model and layer.
        device: ``auto`` takes a GPU where there is one.
        classifier: the study's network, where it is loaded already or came from :func:`interpret.models.wrap`.

    Raises:
        InputError: as :func:`interpret.explanation.study_network.network_of` says.
    """
    classifier = network_of(study, classifier)
    place = choose_device(device)
    generator = torch.Generator().manual_seed(0)
    trial = torch.rand(2, 3, *study.preprocessing.size, generator=generator) * 2 - 1
    network = prepare(classifier.network, study.layer, place, "float32", trial[:1])
    return find_head(network, study.layer, trial.to(place))


def reference_labels(study: Study) -> pd.Series:
    """The class that counts as right for each photo: its label, or what was predicted where no photo has a label."""
    labels = study.images["label"]
    return labels if labels.notna().any() else study.images["predicted"].astype("Int32")


def make_ablation_set(
    study: Study, head: Head, *, replacement: str = "zero", reference: Study | None = None
) -> AblationSet:
    """Make a study's photos ready to have units switched off. Photos without a label are left out if others have one.

    Args:
        study: whose photos to measure on.
        head: from :func:`load_head`.
        replacement: what a unit becomes: ``zero``, or ``mean``, its mean over the photos and cells of ``reference``.
        reference: the study that was mined; ``study`` itself if None.
    """
    if replacement not in ("zero", "mean"):
        raise InputError(f"--replacement is {replacement!r}; choose zero or mean.")
    right = reference_labels(study)
    rows = np.flatnonzero(right.notna().to_numpy()).astype(np.int64)
    fill = None
    if replacement == "mean":
        fill = (reference or study).features.mean(axis=0, dtype=np.float64).astype(np.float32)
    labels = right.to_numpy(np.int64, na_value=-1)[rows]
    return AblationSet(head, labels, study.features, None if head.linear else study.activations, rows, fill)


def logits(
    over: AblationSet,
    settings: Sequence[Sequence[Ints]],
    groups: Ints,
    photos: Ints | None = None,
    *,
    keep: bool = False,
) -> npt.NDArray[np.float32]:
    """(S, m, C) logits; for tests and a few photos. Takes what :func:`classify` takes."""
    photos = np.arange(len(over)) if photos is None else photos
    found: list[list[tuple[Ints, Tensor]]] = [[] for _ in settings]
    for setting, places, values in _run(over, settings, groups, photos, keep):
        found[setting].append((places, values.cpu()))
    rows = []
    for parts in found:
        order = np.argsort(np.concatenate([places for places, _ in parts]), kind="stable")
        rows.append(torch.cat([values for _, values in parts]).numpy()[order])
    return np.stack(rows)


def classify(
    over: AblationSet,
    settings: Sequence[Sequence[Ints]],
    groups: Ints,
    photos: Ints | None = None,
    *,
    keep: bool = False,
    tell: Callable[[int], None] | None = None,
) -> npt.NDArray[np.int32]:
    """Predicted class of photos under several settings of units.

    Args:
        over: the photos and the head.
        settings: S of them, each the units to switch off in group 0, 1, ...
        groups: (m,) int64, the group of each photo; groups below 0 are left as they are.
        photos: (m,) int64, positions in ``over``; all if None.
        keep: switch off all units but those given.
        tell: called with the number of photos done so far.

    Returns:
        (S, m) int32.
    """
    photos = np.arange(len(over)) if photos is None else photos
    predicted = np.empty((len(settings), len(photos)), np.int32)
    done = 0
    for setting, places, values in _run(over, settings, groups, photos, keep):
        predicted[setting, places] = _largest(values)
        if tell is not None and setting == len(settings) - 1:
            done += len(places)
            tell(done)
    return predicted


def _run(
    over: AblationSet, settings: Sequence[Sequence[Ints]], groups: Ints, photos: Ints, keep: bool
) -> Iterator[tuple[int, Ints, Tensor]]:
    """Yield (setting, positions among ``photos``, logits); every stored row is read once for all settings."""
    step = LINEAR_ROWS if over.head.linear else HEAD_ROWS
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        for start in range(0, len(members), step):
            places = members[start : start + step]
            with torch.inference_mode():
                stored = over.stored(photos[places])
                one = _linear(over, stored, keep) if over.head.linear else _general(over, stored, keep)
                for setting, units in enumerate(settings):
                    chosen = units[group] if group >= 0 else _none(over, keep)
                    yield setting, places, one(torch.from_numpy(np.asarray(chosen, np.int64)).to(over.device))


def _largest(values: Tensor) -> npt.NDArray[np.int64]:
    """(m,) the largest column of each row; on a processor NumPy finds it ten times faster than torch does."""
    return values.numpy().argmax(axis=1) if values.device.type == "cpu" else values.argmax(dim=1).cpu().numpy()


def _none(over: AblationSet, keep: bool) -> Ints:
    return np.arange(over.n_units) if keep else np.zeros(0, np.int64)


def _linear(over: AblationSet, features: Tensor, keep: bool) -> Callable[[Tensor], Tensor]:
    """From units to logits, for features (m, K)."""
    weight = over.head.weight
    assert weight is not None
    fill = over.filled()
    away = features - fill  # what a unit that is off takes with it
    base = over.head.from_features(fill.expand_as(features) if keep else features)
    sign = 1.0 if keep else -1.0

    def run(units: Tensor) -> Tensor:
        return torch.addmm(base, away[:, units], weight[:, units].T, alpha=sign) if len(units) else base

    return run


def _general(over: AblationSet, activations: Tensor, keep: bool) -> Callable[[Tensor], Tensor]:
    """From units to logits, for activations (m, K, h, w)."""
    fill = over.filled()[None, :, None, None].expand_as(activations)

    def run(units: Tensor) -> Tensor:
        changed = (fill if keep else activations).clone()
        changed[:, units] = (activations if keep else fill)[:, units]
        return over.head.logits(changed).float()

    return run
