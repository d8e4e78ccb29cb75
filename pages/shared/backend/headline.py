"""The finding to show first, and the photo to explain first."""

import streamlit as st

from interpret.config import MineConfig
from interpret.errors import DamagedError, InputError
from interpret.evaluation.first_finding import first_finding
from interpret.findings import Findings, supporting
from interpret.findings.rows import Units
from pages.shared.backend import cached_results, effects, places


def headline(found: Findings) -> tuple[Units, tuple[int, ...]] | None:
    """The itemset to show first, and its classes; None where nothing was found."""
    kept = effects.kept(found)
    if kept is not None and (kept.first is None or kept.first[0] in found.id_of):
        return kept.first
    return _headline(str(found.study.folder), places.stamp(found.study.folder), found.config, found)


@st.cache_resource(max_entries=48, show_spinner=False)
def _headline(folder: str, stamp: int, config: MineConfig, _found: Findings) -> tuple[Units, tuple[int, ...]] | None:
    try:
        photos, lock = cached_results.mined_set(_found.study)
    except DamagedError:
        raise
    except InputError:  # the network is not here
        return _found.headline()
    with lock:
        return first_finding(_found, photos)


def photo_to_show(found: Findings) -> int | None:
    """The photo with the strongest patch of the itemset to show first; None where nothing was found."""
    best = headline(found)
    if best is None:
        return None
    holders = supporting.supporting_patches(found.study, best[0], found.config, best[1][0])
    return int(found.study.patches["image_id"].iloc[holders[0]]) if len(holders) else None
