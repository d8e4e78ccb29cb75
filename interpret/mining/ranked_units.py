"""The units of each patch that enter its transaction: the N best, and with quantiles those that exceed the contrast."""

import numpy as np
import numpy.typing as npt

from interpret.config import DEFAULT_QUANTILE, MineConfig
from interpret.errors import InputError
from interpret.frames import integers
from interpret.mining import kept_quantiles
from interpret.mining.contrast_quantiles import Quantiles, halves
from interpret.study import Study

Ints = npt.NDArray[np.int64]

Ranked = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]
"""Units and scores, (patches, N) each, best first; -1 and 0 at the end of short rows."""


def quantile_of(study: Study, config: MineConfig) -> float:
    """The quantile that a study's transactions are held to; 0 for the poster's transactions."""
    if config.contrast_quantile is not None:
        return config.contrast_quantile
    return DEFAULT_QUANTILE if study.has_contrast else 0.0


def check_top_units(config: MineConfig, stored: int) -> None:
    """Raise :class:`InputError` where transactions of more units are asked for than are stored of a patch (count)."""
    if config.top_units > stored:
        raise InputError(
            f"The study stores the {stored} best units of each patch, so N = {config.top_units} cannot be mined; "
            "choose a smaller N, or run again with a larger --stored-units."
        )


def ranked_units(study: Study, config: MineConfig) -> Ranked:
    """Units and scores of the transactions of all patches.

    Raises:
        InputError: more units are asked for than were stored, or quantiles of a contrast that the study does not have.
    """
    predicted, image = integers(study.patches, "predicted", "image_id")
    return kept_units(study, config, study.ranked, predicted, image)


def ranked_contrast_units(study: Study, config: MineConfig) -> Ranked:
    """The same for the contrast patches, in the order of ``study.contrast``."""
    target, image = integers(study.contrast, "target", "image_id")
    return kept_units(study, config, study.ranked_contrast, target, image)


def kept_units(study: Study, config: MineConfig, ranked: Ranked, target: Ints, image: Ints | None = None) -> Ranked:
    """What the transactions of patches hold of their units.

    Args:
        study: the study that is mined; its contrast gives the quantiles.
        config: what a transaction holds.
        ranked: units and scores of the patches, (P, n) each, best first.
        target: (P,) the classes that they are explained for.
        image: (P,) the study's photos that they are of, each held to the quantiles of the other half; None for patches
            of photos that were not mined, which are in neither half and held to those of all contrast photos.

    Raises:
        InputError: as :func:`ranked_units` says.
    """
    check_top_units(config, study.extract_config.stored_units)
    units, scores = ranked[0][:, : config.top_units], ranked[1][:, : config.top_units]
    quantile = quantile_of(study, config)
    if quantile == 0.0:
        return units, scores
    if not study.has_contrast:
        raise InputError(
            f"The study {study.folder} has no contrast, so --contrast-quantile cannot be used; add the contrast with "
            "`unitscope contrast`, or leave the option out."
        )
    half = np.ones(len(target), np.bool_) if image is None else halves(len(study.images))[image]
    return quantiles(study, quantile, config.contrast_shared, halved=image is not None).kept(
        units, scores, target, half
    )


def quantiles(study: Study, quantile: float, shared: int, *, halved: bool = True) -> Quantiles:
    """The quantiles that transactions of a study are held to; kept as long as the study is open.

    Args:
        study: its contrast gives them.
        quantile: q, above 0.
        shared: other classes that may share a unit (count).
        halved: whether each half of the photos gives its own, as mined photos need; else all photos are in the first.
    """

    def make() -> Quantiles:
        table = study.contrast
        half = halves(len(study.images)) if halved else np.zeros(len(study.images), np.bool_)
        target, predicted, image = integers(table, "target", "predicted", "image_id")
        return Quantiles(*study.ranked_contrast, target, predicted, half[image], study.n_units, quantile, shared)

    def read_or_made() -> Quantiles:
        own = study.mine_config  # others are a person's who moves a slider: a folder for each would fill the disk
        if (quantile, shared) != (quantile_of(study, own), own.contrast_shared):
            return make()
        return kept_quantiles.kept(study, quantile, shared, halved, make)

    return study.derived(("quantiles", quantile, shared, halved), read_or_made)
