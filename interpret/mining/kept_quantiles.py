"""Quantiles of a large contrast, kept in the study: to make them reads the scores of millions of patches."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from interpret.config import digest
from interpret.errors import InputError
from interpret.files import new_folder
from interpret.mining.contrast_quantiles import Quantiles
from interpret.study import Study, digests
from interpret.study.results import made_from

FOLDER = "quantiles"
"""Folder of a study that holds the quantiles of its own options."""

FORMAT = 1
"""Raised when the files change, or what is in them."""

LEAST = 1 << 20
"""Stored scores of the contrast (count) from which on its quantiles are kept: below, they take a tenth of a second."""

FILES = ("groups.npy", "table.npy")


def kept(study: Study, quantile: float, shared: int, halved: bool, make: Callable[[], Quantiles]) -> Quantiles:
    """Quantiles: read where they are kept, else made, and kept where that saves time when the study is opened again.

    Args:
        study: whose contrast gives them.
        quantile: as for :func:`interpret.mining.ranked_units.quantiles`, as are ``shared`` and ``halved``.
        shared: other classes that may share a unit (count).
        halved: whether each half of the photos gives its own.
        make: makes them from the contrast.
    """
    if study.counts.contrast_patches * study.extract_config.stored_units < LEAST:
        return make()
    folder = study.folder / FOLDER / digest(FORMAT, study.key, study.extract_config.contrast, quantile, shared, halved)
    if folder.is_dir():
        try:
            return _read(folder, study)
        except InputError as error:
            study.announce(f"The contrast's quantiles kept in {folder} are not used ({error}); they are made again.")
    made = make()
    # A study on a read-only disk makes them whenever it is opened.
    with contextlib.suppress(OSError), new_folder(folder) as new:
        np.save(new / FILES[0], made.groups)
        np.save(new / FILES[1], made.table)
        digests.write_list(new, made_from(study, folder))
    return made


def _read(folder: Path, study: Study) -> Quantiles:
    """Read what :func:`kept` wrote.

    Raises:
        InputError: a file is missing, is not as it was written, or does not fit the study.
    """
    try:
        digests.check_list(folder, FILES, made_from(study, folder))
        groups, table = (np.load(folder / name, allow_pickle=False) for name in FILES)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise error if isinstance(error, InputError) else InputError("they are damaged") from error
    fits = groups.dtype == np.int64 and table.dtype == np.float32 and table.shape == (len(groups), study.n_units)
    if not fits or (np.diff(groups) <= 0).any() or not np.isfinite(table).all():
        raise InputError("they do not fit the study")
    return Quantiles.of(groups, table)
