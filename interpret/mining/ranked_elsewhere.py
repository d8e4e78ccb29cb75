"""The transactions of another study's patches, such as those of held-out photos, made as the mined ones are."""

from dataclasses import replace

import numpy as np

from interpret.config import MineConfig
from interpret.mining.contrast_quantiles import Quantiles
from interpret.mining.ranked_units import Ranked, ranked_units
from interpret.study import Study


def ranked_elsewhere(study: Study, other: Study, config: MineConfig) -> Ranked:
    """Units and scores of the transactions of another study's patches.

    With quantiles, the patches are held to those of all contrast photos of ``study``: photos that were not mined are in
    neither half.

    Args:
        study: the study that was mined.
        other: of the same network, layer and extraction.
        config: what a transaction holds.

    Raises:
        InputError: as :func:`interpret.mining.ranked_units.ranked_units` says.
    """
    units, scores = ranked_units(other, replace(config, contrast_quantile=0.0))
    if config.contrast_quantile == 0.0:
        return units, scores
    table = study.contrast
    quantiles = Quantiles(
        *study.ranked_contrast,
        table["target"].to_numpy(np.int64),
        table["predicted"].to_numpy(np.int64),
        np.zeros(len(table), np.bool_),
        study.n_units,
        config.contrast_quantile,
        config.contrast_shared,
    )
    predicted = other.patches["predicted"].to_numpy(np.int64)
    return quantiles.kept(units, scores, predicted, np.ones(len(predicted), np.bool_))
