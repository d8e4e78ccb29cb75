"""A study as if of another network, to compare with the small study."""

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from interpret.study.tables import write_table
from tests.manifests import manifest_of, rewrite
from tests.small_study import studies

CONSTANT = 4
"""The unit of the small study whose counterpart has the same activation in all photos."""


def renumbered_copy(folder: Path) -> tuple[Path, npt.NDArray[np.int64]]:
    """A copy of the small study with other numbers for its units and other weights, and each unit's new number."""
    shutil.copytree(studies() / "demo", folder)
    for made in ("mined", "effects"):
        shutil.rmtree(folder / made, ignore_errors=True)
    features = np.load(folder / "features.npy")
    new = np.random.default_rng(0).permutation(features.shape[1])
    moved = np.empty_like(features)
    moved[:, new] = features
    moved[:, new[CONSTANT]] = 0.25
    np.save(folder / "features.npy", moved)
    for name in ("patches", "contrast"):
        table = pq.read_table(folder / f"{name}.parquet")
        units = table["units"].combine_chunks()
        values = pa.array(new[units.values.to_numpy()], units.type.value_type)
        place = table.schema.get_field_index("units")
        table = table.set_column(place, table.schema.field(place), pa.ListArray.from_arrays(units.offsets, values))
        write_table(table, folder / f"{name}.parquet")
    rewrite(folder, weights={**manifest_of(folder)["weights"], "digest": "0" * 16})
    return folder, new
