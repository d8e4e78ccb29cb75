"""What ablating each itemset costs, kept in the study that was mined; with it the finding to show first."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from interpret.config import MineConfig, digest
from interpret.errors import InputError
from interpret.evaluation import heldout
from interpret.evaluation.ablation import make_ablation_set
from interpret.evaluation.first_finding import first_finding
from interpret.evaluation.heads import load_head
from interpret.evaluation.heldout import Best
from interpret.evaluation.itemset_effects import COLUMNS, itemset_effects
from interpret.evaluation.result_checks import RESULT_ERRORS
from interpret.files import new_folder, write_json
from interpret.findings import Findings
from interpret.findings.findings import NAMED
from interpret.findings.rows import Units
from interpret.mining.stored import deciding_options
from interpret.models import Classifier
from interpret.models.head import Head
from interpret.study import Study, digests
from interpret.study.results import made_from
from interpret.study.tables import write_table

FOLDER = "effects"
"""Folder of a study that holds the effects of its itemsets, a folder for each set of options and photos."""

FORMAT = 1
"""Raised when the files change, or how they are measured."""

FILES = ("effects.parquet", "about.json")


@dataclass(frozen=True, eq=False)
class Effects:
    """What ablating each itemset costs.

    Attributes:
        table: as :func:`interpret.evaluation.itemset_effects.itemset_effects`.
        first: the itemset to show first and its classes, see
            :func:`interpret.evaluation.first_finding.first_finding`; None where nothing was found.
        source: where the photos came from that it was measured on: a folder's path, or the name of a built-in set.
        photos: these photos (count).
        mined: whether they are the very photos that were mined, which flatters the itemsets.
    """

    table: pd.DataFrame
    first: tuple[Units, tuple[int, ...]] | None
    source: str
    photos: int
    mined: bool

    def write(self, folder: Path, study: Study) -> None:
        """Write the table, the rest as JSON, and the digests of both; the folder appears whole.

        Args:
            folder: in the study; made with its parents, and one that exists is replaced.
            study: whose effects they are.
        """
        about: dict[str, Any] = {
            "format": FORMAT,
            "first": None if self.first is None else [list(part) for part in self.first],
            "source": self.source,
            "photos": self.photos,
            "mined": self.mined,
        }
        with new_folder(folder) as made:
            write_table(pa.Table.from_pandas(self.table, preserve_index=False), made / FILES[0])
            write_json(about, made / FILES[1])
            digests.write_list(made, made_from(study, folder))

    @classmethod
    def read(cls, folder: Path, study: Study) -> "Effects":
        """Read what :meth:`write` wrote into a folder of a study.

        Raises:
            InputError: a file is missing, is not as it was written or does not fit the study, or another version wrote
                it; one sentence.
        """
        try:
            digests.check_list(folder, FILES, made_from(study, folder))
            return cls._read(folder, study)
        except RESULT_ERRORS as error:
            said = isinstance(error, InputError)
            raise InputError(
                f"The effects of itemsets kept in {folder} are not used ({error if said else 'they are damaged'}); "
                "they are measured again."
            ) from error

    @classmethod
    def _read(cls, folder: Path, study: Study) -> "Effects":
        about = json.loads((folder / FILES[1]).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise InputError(f"they have format {about['format']}, and this version reads format {FORMAT}")
        table = pd.read_parquet(folder / FILES[0])[list(COLUMNS)]
        if table.dtypes.astype(str).to_dict() != COLUMNS:
            raise InputError(f"{folder / FILES[0]} is damaged")
        classes = [*table["class_id"], *(table["worst_class"] + 1)]
        first = about["first"]
        if first is not None:
            units, class_ids = (tuple(int(number) for number in part) for part in first)
            first = units, class_ids
            classes += class_ids
            if not units or not class_ids or min(units) < 0 or max(units) >= study.n_units:
                raise InputError(f"{folder / FILES[1]} is damaged")
        if not all(0 <= number <= len(study.class_names) for number in classes):
            raise InputError(f"{folder} names classes that the study has not")
        source, photos, mined = about["source"], about["photos"], about["mined"]
        if not (isinstance(source, str) and isinstance(photos, int) and isinstance(mined, bool)):
            raise InputError(f"{folder / FILES[1]} is damaged")
        return cls(table, first, source, photos, mined)


def effects_folder(study: Study, config: MineConfig, held_out: Best | None) -> Path:
    """Where the effects of what mining finds are kept, measured on some held-out photos or else on those mined."""
    measured = None if held_out is None else held_out.study.key
    return study.folder / FOLDER / digest(FORMAT, study.key, measured, deciding_options(study, config))


def measure(findings: Findings, held_out: Best | None, head: Head) -> Effects:
    """Measure the effects of all itemsets, and choose the finding to show first.

    Args:
        findings: the study and its itemsets.
        held_out: the photos to measure on; those that were mined if None.
        head: from :func:`interpret.evaluation.heads.load_head`.

    Raises:
        InputError: as :func:`interpret.evaluation.ablation.make_ablation_set` says.
    """
    study = findings.study
    mined_set = make_ablation_set(study, head)
    test_set = mined_set if held_out is None else make_ablation_set(held_out.study, head)
    return Effects(
        table=itemset_effects(test_set, findings.mined),
        first=first_finding(findings, mined_set),
        source=study.images_source if held_out is None else held_out.source,
        photos=len(test_set),
        mined=held_out is None or held_out.mined,
    )


def keep(findings: Findings, *, device: str = "auto", classifier: Classifier | None = None) -> Effects:
    """The effects of all itemsets: read where they are kept, else measured and kept.

    They are measured on the held-out photos of the study, see :func:`interpret.evaluation.heldout.best`, or on its own
    where there are none.

    Args:
        findings: the study and its itemsets.
        device: where to compute.
        classifier: the study's network, where it is loaded already.

    Raises:
        InputError: the network cannot be used, or as :func:`measure` says.
    """
    study = findings.study
    held_out = heldout.best(study, heldout.kept(study))
    folder = effects_folder(study, findings.config, held_out)
    if folder.is_dir():
        try:
            return Effects.read(folder, study)
        except InputError as error:
            study.announce(str(error))
    found = measure(findings, held_out, load_head(study, device=device, classifier=classifier))
    with contextlib.suppress(OSError):  # a study on a read-only disk is shown all the same
        found.write(folder, study)
    return found


def ranked(effects: pd.DataFrame, *, least: int = 10) -> pd.Series:
    """By how much each itemset costs its own classes more than others: the higher, the better it shows what it carries.

    That is its fall in the class where it falls least, less the same of as many random units or of the other class that
    falls most, whichever is larger and above 0.

    Args:
        effects: as :func:`interpret.evaluation.itemset_effects.itemset_effects`.
        least: photos (count) below which a class says too little; its itemsets are left out.

    Returns:
        By itemset id (fraction).
    """
    rivals = effects[["random", "worst"]].max(axis=1).clip(lower=0)
    values = pd.Series(np.where(effects["photos"] >= least, effects["fall"] - rivals, -np.inf), index=effects.index)
    best = values.groupby(effects["itemset_id"]).min()
    return best[best > -np.inf]


def best_first(rows: pd.DataFrame, ranks: pd.Series) -> pd.DataFrame:
    """Itemsets of two to five units first, and of these and of the others those that show best what they carry.

    Args:
        rows: of findings, with itemset_id and size; equal ones keep their order.
        ranks: from :func:`ranked`; itemsets without one come last.
    """
    if ranks.empty or rows.empty:
        return rows
    order = pd.DataFrame(
        {
            "later": ~rows["size"].between(*NAMED).to_numpy(),
            "rank": -rows["itemset_id"].map(ranks).fillna(-np.inf).to_numpy(float),
        }
    )
    return rows.iloc[order.sort_values(["later", "rank"], kind="stable").index.to_numpy()].reset_index(drop=True)
