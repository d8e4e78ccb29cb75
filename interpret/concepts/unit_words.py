"""Words for units from a list: chosen on half of the photos, scored on the other half, and none where that is weak."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy import sparse
from scipy.special import ndtr

from interpret.concepts.embeddings import DAMAGES, TEMPLATE, Embeddings
from interpret.concepts.encoder import Encoder
from interpret.config import MineConfig, digest
from interpret.errors import InputError
from interpret.files import new_folder, write_json
from interpret.findings.unit_index import unit_index
from interpret.mining.stored import deciding_options
from interpret.progress import Callback, Progress, silent
from interpret.stats import benjamini_hochberg
from interpret.study import Study, digests
from interpret.study.results import made_from
from interpret.study.tables import write_table

FOLDER = "concepts/words"
"""Folder of a study that holds the words of its units, a folder for each encoder, list and set of options."""

FORMAT = 1
"""Raised when the files change, or how words are chosen."""

FILES = ("words.parquet", "about.json")

COLUMNS = {
    "unit": "int64",
    "word": "str",
    "chosen": "float64",
    "score": "float64",
    "patches": "int64",
    "p_value": "float64",
    "q_value": "float64",
    "proposed": "bool",
}

LEAST = 10
"""Patches that a unit must have in each half (count): with fewer, its score says little."""

BAR = 0.75
"""Score from which on a word is proposed: of a patch that holds the unit and one that does not, the word fits the
former better in three of four pairs. At 0.5 it says nothing."""

LEVEL = 0.05
"""Share of the words proposed that may be no better than chance (false discovery rate)."""

MOST, LONGEST = 20_000, 80
"""Words of a list, and characters of one (counts)."""

TOGETHER, CELLS = 128, 8_000_000
"""Words compared at a time at the most, and pairs of a patch and a word (counts): they bound the memory."""


@dataclass(frozen=True, eq=False)
class UnitWords:
    """Words for the units of a study.

    Attributes:
        table: a row for each unit with patches enough: unit, word, chosen (AUROC on the photos that it was chosen on),
            score (AUROC on the others), patches (of the unit, count), p_value (one-sided, Mann and Whitney's test of
            the score, which counts patches), q_value (Benjamini and Hochberg's, over all units of the table),
            proposed. Units in ascending order.
        source: name of the file of words.
        words: in it (count).
        encoder: what embedded them.
    """

    table: pd.DataFrame
    source: str
    words: int
    encoder: str

    @classmethod
    def read(cls, folder: Path, study: Study) -> "UnitWords":
        """Read what :func:`unit_words` kept in a folder of a study.

        Raises:
            InputError: a file is missing, damaged or of another study or version; one sentence.
        """
        try:
            digests.check_list(folder, FILES, made_from(study, folder))
            about = json.loads((folder / FILES[1]).read_text(encoding="utf-8"))
            table = pd.read_parquet(folder / FILES[0])[list(COLUMNS)].astype(COLUMNS)
            if about["format"] != FORMAT or not table["unit"].between(0, study.n_units - 1).all():
                raise InputError(f"{folder} is of another version")
            return cls(table, str(about["source"]), int(about["words"]), str(about["encoder"]))
        except (*DAMAGES, pa.ArrowException) as error:
            said = error if isinstance(error, InputError) else f"{folder} is damaged"
            raise InputError(f"The words for units are not used ({said}); unitscope names makes them again.") from error


def read_words(path: Path) -> list[str]:
    """The words of a file, one a line, in their order; empty lines, repeated words and comments after # are left out.

    Raises:
        InputError: it cannot be read, holds no word, or a word is too long or there are too many.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The words in {path} cannot be read ({error}); give a text file with one a line.") from error
    words = [" ".join(line.partition("#")[0].split()) for line in lines]
    listed = list(dict.fromkeys(word for word in words if word))
    if not listed:
        raise InputError(f"{path} holds no word; give a text file with one a line.")
    if len(listed) > MOST or max(map(len, listed)) > LONGEST:
        raise InputError(
            f"{path} holds more than {MOST:,} words, or one of more than {LONGEST} characters; shorten it."
        )
    return listed


def unit_words(
    study: Study,
    embeddings: Embeddings,
    words: Sequence[str],
    encoder: Encoder,
    *,
    source: str,
    config: MineConfig | None = None,
    progress: Callback = silent,
) -> UnitWords:
    """Choose a word for each unit of a study and score it; read where it is kept, else kept in the study.

    Args:
        study: the study.
        embeddings: of its patches.
        words: from :func:`read_words`.
        encoder: the one that made the embeddings.
        source: name of the file of words.
        config: what a transaction holds; the study's own options if None.
        progress: called with how many words are compared.

    Raises:
        InputError: the study cannot be written to.
    """
    config = config or study.mine_config
    options = deciding_options(study, config)
    folder = study.folder / FOLDER / digest(FORMAT, study.key, encoder.digest, TEMPLATE, list(words), options)
    if folder.is_dir():
        try:
            return UnitWords.read(folder, study)
        except InputError as error:
            study.announce(str(error))
    index = unit_index(study, config)
    members = sparse.csr_array(
        (np.ones(len(index.rows), np.float32), index.rows, index.starts), shape=(study.n_units, index.n)
    )
    photos = study.patches["image_id"].to_numpy(np.int64)
    table = choose(members, photos, embeddings, words, encoder, progress)
    found = UnitWords(table, source, len(words), encoder.name)
    _keep(found, folder, study)
    return found


def _keep(found: UnitWords, folder: Path, study: Study) -> None:
    about = {"format": FORMAT, "source": found.source, "words": found.words, "encoder": found.encoder}
    try:
        with new_folder(folder) as made:
            write_table(pa.Table.from_pandas(found.table, preserve_index=False), made / FILES[0])
            write_json(about, made / FILES[1])
            digests.write_list(made, made_from(study, folder))
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); make room there.") from error


def choose(
    members: sparse.csr_array,
    photos: npt.NDArray[np.int64],
    embeddings: Embeddings,
    words: Sequence[str],
    encoder: Encoder,
    progress: Callback = silent,
) -> pd.DataFrame:
    """The table of :class:`UnitWords`.

    The photos are dealt out to two halves. On one, a unit's word is the one with the largest AUROC: the probability
    that it fits a patch that holds the unit better than one that does not. Its score is the AUROC on the other half,
    whose photos did not choose it.

    Args:
        members: (K, P), 1 where a unit is in a patch's transaction.
        photos: (P,) the photo of each patch.
        embeddings: of the patches.
        words: m words.
        encoder: the one that made the embeddings.
        progress: called with how many words are compared.
    """
    first = np.random.default_rng(0).permutation(int(photos.max(initial=-1)) + 1) % 2 == 0
    known = embeddings.known
    halves = [np.flatnonzero(known & (first[photos] == half)) for half in (True, False)]
    held = [members[:, rows] for rows in halves]
    counts = [np.asarray(each.sum(axis=1)).ravel() for each in held]
    enough = np.ones(members.shape[0], np.bool_)
    for rows, count in zip(halves, counts, strict=True):
        enough &= (count >= LEAST) & (len(rows) - count >= LEAST)
    units = np.flatnonzero(enough)
    held, counts = [each[units] for each in held], [count[units] for count in counts]
    best = np.full((3, len(units)), -1.0)  # the word, its AUROC on the first half and on the second
    together = max(1, min(TOGETHER, CELLS // max(1, len(photos))))
    for at in range(0, len(words), together):
        some = words[at : at + together]
        vectors = encoder.phrases([TEMPLATE.format(word) for word in some])
        cosines = np.concatenate([np.zeros((0, len(some)), np.float32), *embeddings.similarities(vectors)])
        fits = [auroc(each, n, cosines[rows]) for each, n, rows in zip(held, counts, halves, strict=True)]
        if len(units):
            word = fits[0].argmax(axis=1)
            found = np.stack([at + word, *(np.take_along_axis(fit, word[:, None], 1)[:, 0] for fit in fits)])
            best = np.where(found[1] > best[1], found, best)
        progress(Progress("Comparing words", at + len(some), len(words)))
    return _table(units, best, counts, len(halves[1]), words)


def auroc(held: sparse.csr_array, counts: npt.NDArray[Any], values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """How well each of m values tells the patches of each of K units from the others: (K, m), by the sum of ranks.

    Args:
        held: (K, P), 1 where a unit is in a patch.
        counts: (K,) patches of each unit, at least 1 and fewer than P.
        values: (P, m); equal values count half.
    """
    from scipy.stats import rankdata  # takes a second, which nobody waits for who only reads words

    ranks = held @ rankdata(values, axis=0)
    n = counts[:, None].astype(np.float64)
    return (ranks - n * (n + 1) / 2) / (n * (len(values) - n))


def _table(
    units: npt.NDArray[np.int64],
    best: npt.NDArray[np.float64],
    counts: Sequence[npt.NDArray[Any]],
    patches: int,
    words: Sequence[str],
) -> pd.DataFrame:
    """See :func:`choose`; ``patches``: of the second half (count)."""
    n = counts[1].astype(np.float64)
    deviation = np.sqrt((patches + 1) / (12 * n * (patches - n)))  # of the AUROC where nothing is known
    p = ndtr((0.5 - best[2]) / deviation)
    q = benjamini_hochberg(p, len(p)) if len(p) else p
    table = pd.DataFrame(
        {
            "unit": units,
            "word": [words[int(word)] for word in best[0]],
            "chosen": best[1],
            "score": best[2],
            "patches": (counts[0] + counts[1]).astype(np.int64),
            "p_value": p,
            "q_value": q,
            "proposed": (best[2] >= BAR) & (q <= LEVEL),
        }
    )
    return table.astype(COLUMNS)
