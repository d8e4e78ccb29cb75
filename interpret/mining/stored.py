"""Mining a study: the transactions of its patches, and results that are kept inside its folder."""

import contextlib
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from interpret.config import MineConfig, digest
from interpret.errors import InputError
from interpret.files import remove_folder
from interpret.mining import store
from interpret.mining.eclat import mine
from interpret.mining.engine.placement import Placement
from interpret.mining.itemsets import Mined
from interpret.mining.ranked_units import quantile_of, ranked_contrast_units, ranked_units
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase
from interpret.study import Study, digests
from interpret.study.results import made_from
from interpret.study.schema import SCHEMA_VERSION

KEPT_BYTES = 1 << 30
"""Mined results that a study keeps besides that of its own options (bytes in all): every threshold leaves one."""


def transactions(study: Study, config: MineConfig) -> TransactionDatabase:
    """All patches as transactions of their N best units, as the options of mining say.

    Raises:
        InputError: more units are asked for than were stored, or quantiles of a contrast that the study does not have.
    """
    return TransactionDatabase(
        ranked_units(study, config)[0].copy(),
        study.patches["predicted"].to_numpy(np.int32, copy=True),
        study.patches["image_id"].to_numpy(np.int64, copy=True),
        study.n_units,
    )


def contrast_transactions(study: Study, config: MineConfig) -> ContrastDatabase:
    """The contrast patches as transactions, made like those that they test."""
    table = study.contrast
    return ContrastDatabase(
        ranked_contrast_units(study, config)[0].copy(),
        table["target"].to_numpy(np.int32, copy=True),
        table["predicted"].to_numpy(np.int32, copy=True),
        table["image_id"].to_numpy(np.int64, copy=True),
        study.n_units,
    )


def mined_folder(study: Study, config: MineConfig) -> Path:
    """Where the result of mining with these options is kept."""
    options = deciding_options(study, config)
    return study.folder / "mined" / digest(SCHEMA_VERSION, study.key, study.extract_config.contrast, options)


def deciding_options(study: Study, config: MineConfig) -> dict[str, Any]:
    """The options that decide what mining finds in a study, by name."""
    options = {name: value for name, value in asdict(config).items() if name not in ("engine", "max_itemsets")}
    options["contrast_quantile"] = quantile = quantile_of(study, config)
    if not (quantile and config.contrast_shared):
        del options["contrast_shared"]  # it decides nothing, and results made before there was the option stay
    return options


def mine_study(study: Study, config: MineConfig, *, seconds: float | None = None) -> Mined:
    """Itemsets, rules and relevant units: read where they were mined before, else mined and kept.

    What is kept is used only if its files are those that were written, and were mined from this study with these
    options. Otherwise it is mined again, and ``study.announce`` is told.

    Args:
        study: whose patches are mined, where its ``compute_on`` says.
        config: N, support and the rest. Engine and device are no part of the key: all of them agree to the last row.
        seconds: time limit; none if None.

    Raises:
        InputError: the support is so low that the result would explode, the time is up, or there is no such device.
    """
    place = Placement(study.compute_on, study.announce)
    folder = mined_folder(study, config)
    if folder.is_dir():
        try:
            mined = store.read(folder, made_from(study, folder))
            _check_ids(mined, study, folder)
            with contextlib.suppress(OSError):
                os.utime(folder / digests.NAME)  # when it was last used, see _bound
            return mined
        except InputError as error:
            study.announce(f"The itemsets kept in {folder} are not used ({error}); they are mined again.")
    contrast = contrast_transactions(study, config) if study.has_contrast else None
    mined = mine(transactions(study, config), config, contrast=contrast, seconds=seconds, place=place)
    with contextlib.suppress(OSError):  # a study on a read-only disk is mined in memory, as often as it is asked for
        store.write(mined, folder, made_from(study, folder))
        _bound(study, folder)
    return mined


def _check_ids(mined: Mined, study: Study, folder: Path) -> None:
    """Raise :class:`InputError` where a class or a unit is not one of the study's, as its manifest says now."""
    classes, units = int(mined.class_ids.max(initial=-1)), int(mined.unit_values.max(initial=-1))
    if classes >= len(study.class_names) or units >= study.n_units:
        raise InputError(f"{folder} holds classes or units that the study does not have")


def _bound(study: Study, last: Path) -> None:
    """Remove the results that were not used for longest until all together have at most :data:`KEPT_BYTES`.

    Two stay whatever their size: the one asked for last, and that of the study's own options.
    """
    found = []
    for folder in last.parent.glob("[!.]*"):
        with contextlib.suppress(OSError):  # another process may remove one at this moment
            size = sum(file.stat().st_size for file in folder.iterdir())
            found.append(((folder / digests.NAME).stat().st_mtime_ns, folder.name, size))
    too_much = sum(size for _, _, size in found) - KEPT_BYTES
    for _, name, size in sorted(found):
        if too_much <= 0:
            return
        if name not in (last.name, mined_folder(study, study.mine_config).name):
            remove_folder(last.parent / name)
            too_much -= size
