"""The transactions of another study's patches, such as those of held-out photos, made as the mined ones are."""

from dataclasses import replace

from interpret.config import MineConfig
from interpret.frames import integers
from interpret.mining.ranked_units import Ranked, kept_units, ranked_contrast_units, ranked_units
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
    return kept_units(study, config, ranked, *integers(other.patches, "predicted"))


def ranked_contrast_elsewhere(study: Study, other: Study, config: MineConfig) -> Ranked:
    """The same for another study's contrast patches, in the order of ``other.contrast``."""
    ranked = ranked_contrast_units(other, replace(config, contrast_quantile=0.0))
    return kept_units(study, config, ranked, *integers(other.contrast, "target"))
