"""The transactions of another study's patches, such as those of held-out photos, made as the mined ones are.

With quantiles, all patches are held to those of all contrast photos of the study that was mined: other photos are in
neither half.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from interpret.config import MineConfig
from interpret.frames import integers
from interpret.mining.ranked_units import Ranked, quantile_of, quantiles, ranked_contrast_units, ranked_units
from interpret.study import Study


def ranked_elsewhere(study: Study, other: Study, config: MineConfig) -> Ranked:
    """Units and scores of the transactions of another study's patches.

    Args:
        study: the study that was mined.
        other: of the same network, layer and extraction.
        config: what a transaction holds.

    Raises:
        InputError: as :func:`interpret.mining.ranked_units.ranked_units` says.
    """
    ranked = ranked_units(other, replace(config, contrast_quantile=0.0))
    return exceeding(study, config, ranked, integers(other.patches, "predicted")[0])


def ranked_contrast_elsewhere(study: Study, other: Study, config: MineConfig) -> Ranked:
    """The same for another study's contrast patches, in the order of ``other.contrast``."""
    ranked = ranked_contrast_units(other, replace(config, contrast_quantile=0.0))
    return exceeding(study, config, ranked, integers(other.contrast, "target")[0])


def exceeding(study: Study, config: MineConfig, ranked: Ranked, target: npt.NDArray[np.int64]) -> Ranked:
    """What a study's transactions would keep of the units of other patches.

    Args:
        study: the study that was mined.
        config: what a transaction holds.
        ranked: units and scores, (P, N) each, best first.
        target: (P,) the classes that the patches are explained for.
    """
    units, scores = ranked[0][:, : config.top_units], ranked[1][:, : config.top_units]
    quantile = quantile_of(study, config)
    if quantile == 0.0:
        return units, scores
    held = quantiles(study, quantile, config.contrast_shared, halved=False)
    return held.kept(units, scores, target, np.ones(len(target), np.bool_))
