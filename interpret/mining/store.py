"""Mined itemsets on disk: the parquet files of ``mined/<key>/`` in a study."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from interpret.errors import InputError
from interpret.files import new_folder
from interpret.mining.contrast import ContrastCounts
from interpret.mining.engine.placement import TYPES
from interpret.mining.itemsets import Mined
from interpret.study import digests

FORMAT = 2
"""Raised when the files change in a way that older code would misread."""

NAMES = ("itemsets", "rules", "units", "counts")


def write(mined: Mined, folder: Path, made_from: Mapping[str, str] | None = None) -> None:
    """Write itemsets, rules, units, the counts of every itemset in every class, and the digests of these files.

    The folder appears whole or not at all. The same result gives the same bytes; the list of digests, which says where
    it was mined too, those of the same device.

    Args:
        mined: what to write.
        folder: made with its parents; one that exists is replaced.
        made_from: what the result was mined from, in short texts; :func:`read` compares them.
    """
    with new_folder(Path(folder)) as made:
        for file, table in _tables(mined).items():
            pq.write_table(table, made / f"{file}.parquet", compression="zstd")
        device = {} if mined.device is None else {"device": mined.device}
        digests.write_list(made, {**(made_from or {}), **device})


def read(folder: Path, made_from: Mapping[str, str] | None = None) -> Mined:
    """Read what :func:`write` wrote.

    Args:
        folder: the folder.
        made_from: what the result must have been mined from; anything if None.

    Raises:
        InputError: a file is missing, is not the one that was written or has another format, or the result was mined
            from something else; the text says which, without a full stop.
    """
    folder = Path(folder)
    said = digests.check_list(folder, [f"{name}.parquet" for name in NAMES], made_from)
    device = said.pop("device", None)  # results of earlier versions do not say it
    if device not in (None, *TYPES) or (made_from is not None and said.keys() != made_from.keys()):
        raise InputError(f"{folder / digests.NAME} is damaged")
    try:
        tables = {file: pq.read_table(folder / f"{file}.parquet") for file in NAMES}
        about = json.loads((tables["counts"].schema.metadata or {})[b"unitscope"])
        if about["format"] != FORMAT:
            raise InputError(f"they have format {about['format']}, not {FORMAT}")
        return _mined(tables, about, device)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{folder} cannot be read") from error


def _tables(mined: Mined) -> dict[str, pa.Table]:
    """The four tables, built from arrays so that types do not depend on the data."""
    frame = mined.itemsets
    of_row = frame["itemset_id"].to_numpy()
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(mined.sizes[of_row])])
    # The flat list of each row's units, gathered without a Python loop.
    place = np.repeat(mined.unit_starts[of_row] - starts[:-1], mined.sizes[of_row]) + np.arange(starts[-1])
    units = pa.ListArray.from_arrays(starts.astype(np.int32), mined.unit_values[place])
    itemsets = {name: pa.array(frame[name]) for name in frame.columns}
    itemsets["units"] = units
    about = {
        "format": FORMAT,
        "class_ids": mined.class_ids.tolist(),
        "class_sizes": mined.class_sizes.tolist(),
        "class_photos": mined.class_photos.tolist(),
        "least": mined.least.tolist(),
        "n": mined.n,
        "n_photos": mined.n_photos,
        "min_support": mined.min_support,
        "contrast": None
        if mined.contrast is None
        else {"all_images": mined.contrast.all_images.tolist(), "subsets": mined.contrast.subsets.tolist()},
    }
    counts = pa.table(
        {
            "itemset_id": mined.itemset,
            "class_id": mined.class_id,
            "support_count": mined.patches,
            "image_count": mined.photos,
        }
    )
    return {
        "itemsets": pa.table(itemsets),
        "rules": pa.table({name: pa.array(mined.rules[name]) for name in mined.rules.columns}),
        "units": pa.table({name: pa.array(mined.units[name]) for name in mined.units.columns}),
        "counts": counts.replace_schema_metadata({"unitscope": json.dumps(about, sort_keys=True)}),
    }


def _mined(tables: dict[str, pa.Table], about: dict, device: str | None) -> Mined:
    whole = tables["itemsets"].filter(pa.compute.is_null(tables["itemsets"]["class_id"]))
    units = whole["units"].combine_chunks()
    if isinstance(units, pa.ChunkedArray):
        units = units.chunk(0) if units.num_chunks else pa.array([], pa.list_(pa.int32()))
    counts = {name: tables["counts"][name].to_numpy().astype(np.int64) for name in tables["counts"].column_names}
    lengths = units.value_lengths().to_numpy().astype(np.int64)
    classes = (np.array(about[name], np.int64) for name in ("class_ids", "class_sizes", "class_photos", "least"))
    class_ids, class_sizes, class_photos, least = classes
    mined = Mined(
        unit_values=units.flatten().to_numpy().astype(np.int32),
        unit_starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        all_patches=whole["support_count"].to_numpy().astype(np.int64),
        all_photos=whole["image_count"].to_numpy().astype(np.int64),
        itemset=counts["itemset_id"],
        class_id=counts["class_id"],
        patches=counts["support_count"],
        photos=counts["image_count"],
        class_ids=class_ids,
        class_sizes=class_sizes,
        class_photos=class_photos,
        least=least,
        n=about["n"],
        n_photos=about["n_photos"],
        min_support=about["min_support"],
        contrast=_contrast(tables["rules"], about["contrast"]),
        device=device,
    )
    # The tables as written, so that they are not computed again.
    cached: dict[str, pd.DataFrame] = {name: tables[name].to_pandas() for name in ("rules", "units")}
    cached["units"]["kind"] = cached["units"]["kind"].astype(object)
    vars(mined).update(cached)
    return mined


def _contrast(rules: pa.Table, about: dict | None) -> ContrastCounts | None:
    if about is None:
        return None
    count, patches, image_count, images = (
        rules[f"contrast_{name}"].to_numpy().astype(np.int64) for name in ("count", "patches", "image_count", "images")
    )
    all_images, subsets = np.array(about["all_images"], np.int64), np.array(about["subsets"], np.float64)
    return ContrastCounts(count, patches, image_count, images, all_images, subsets)
