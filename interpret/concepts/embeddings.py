"""The embeddings of a study's patches, kept in the study; the patches that a phrase finds."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from interpret.concepts.encoder import Encoder, Vectors
from interpret.config import digest
from interpret.errors import InputError
from interpret.files import new_folder, write_json
from interpret.progress import Callback, Progress, silent
from interpret.study import Study, digests
from interpret.study.results import made_from

FOLDER = "concepts/patches"
"""Folder of a study that holds the embeddings of its patches, a folder for each encoder."""

FORMAT = 1
"""Raised when the files change, or what is embedded."""

FILES = ("vectors.npy", "about.json")

TEMPLATE = "a photo of {}"
"""The sentence that a phrase is put into, as CLIP's authors do for class names."""

BATCH, BLOCK = 64, 65_536
"""Patches that are embedded, and compared, at a time (counts)."""

DAMAGES = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, eq=False)
class Embeddings:
    """The embeddings of a study's P patches.

    Attributes:
        vectors: (P, d) float16, memory-mapped, each of length 1; zero where the photo cannot be read.
        encoder: what made them, as :func:`interpret.concepts.encoder.load` takes it.
        encoder_digest: of its weights.
    """

    vectors: npt.NDArray[np.float16]
    encoder: str
    encoder_digest: str

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """(P,) bool, which patches have one."""
        rows = range(0, len(self.vectors), BLOCK)
        return np.concatenate([np.zeros(0, np.bool_), *(self.vectors[at : at + BLOCK].any(axis=1) for at in rows)])

    def similarities(self, phrases: Vectors) -> Iterator[npt.NDArray[np.float32]]:
        """Cosines of blocks of patches, in their order, and of all phrases, (m, d): (patches, m) each."""
        for at in range(0, len(self.vectors), BLOCK):
            yield self.vectors[at : at + BLOCK].astype(np.float32) @ phrases.T

    @classmethod
    def read(cls, folder: Path, study: Study) -> "Embeddings":
        """Read what :func:`embed` kept in a folder of a study.

        Raises:
            InputError: a file is missing, damaged or of another study or version; one sentence.
        """
        try:
            digests.check_list(folder, FILES, made_from(study, folder))
            about = json.loads((folder / FILES[1]).read_text(encoding="utf-8"))
            vectors = np.load(folder / FILES[0], mmap_mode="r")
            if about["format"] != FORMAT or vectors.dtype != np.float16 or len(vectors) != len(study.patches):
                raise InputError(f"{folder} is of another version")
            return cls(vectors, str(about["encoder"]), str(about["digest"]))
        except DAMAGES as error:
            said = error if isinstance(error, InputError) else f"{folder} is damaged"
            raise InputError(
                f"The embeddings of patches are not used ({said}); unitscope names makes them again."
            ) from error


def embed(study: Study, encoder: Encoder, *, progress: Callback = silent) -> Embeddings:
    """The embeddings of a study's patches: read where they are kept, else made and kept.

    A patch is embedded as the square of its photo around it, as large as its longer side. Photos are read in threads,
    :data:`BATCH` patches at a time, so that memory does not grow with the study.

    Args:
        study: the study.
        encoder: what embeds them.
        progress: called with how many patches are embedded.

    Raises:
        InputError: no patch's photo can be read, or the study cannot be written to.
    """
    folder = study.folder / FOLDER / digest(FORMAT, study.key, encoder.digest)
    if folder.is_dir():
        try:
            return Embeddings.read(folder, study)
        except InputError as error:
            study.announce(str(error))
    try:
        with new_folder(folder) as made:
            if not _write(study, encoder, made / FILES[0], progress):
                raise InputError(
                    f"No photo of {study.folder} is on this machine, so no patch can be embedded; run this where they "
                    "are, or pack the study there."
                )
            about = {"format": FORMAT, "encoder": encoder.name, "digest": encoder.digest}
            write_json(about, made / FILES[1])
            digests.write_list(made, made_from(study, folder))
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); make room there.") from error
    return Embeddings.read(folder, study)


def _write(study: Study, encoder: Encoder, file: Path, progress: Callback) -> int:
    """Embed all patches into a file; returns how many there are with a photo (count)."""
    total, known = len(study.patches), 0
    width = encoder.phrases(["a"]).shape[1]
    vectors = np.lib.format.open_memmap(file, "w+", np.float16, (total, width))
    with ThreadPoolExecutor(2) as pool:
        for at in range(0, total, BATCH):
            rows = range(at, min(at + BATCH, total))
            crops = list(pool.map(lambda patch: crop(study, patch), rows))
            there = [row for row, picture in zip(rows, crops, strict=True) if picture is not None]
            if there:
                vectors[there] = encoder.pictures([picture for picture in crops if picture is not None])
            known += len(there)
            progress(Progress("Embedding patches", rows.stop, total))
    vectors.flush()
    return known


def crop(study: Study, patch: int) -> Image.Image | None:
    """The square of a photo around a patch, moved into the photo where it sticks out; None without the photo."""
    row = study.patches.iloc[patch]
    image = int(row["image_id"])
    photo = study.photo(image)
    if photo is None:
        return None
    recorded = study.images.iloc[image]
    across, down = photo.width / int(recorded["width"]), photo.height / int(recorded["height"])
    x0, y0, x1, y1 = row["x0"] * across, row["y0"] * down, row["x1"] * across, row["y1"] * down
    side = max(1, round(min(max(x1 - x0, y1 - y0), photo.width, photo.height)))
    left = round(min(max((x0 + x1 - side) / 2, 0), photo.width - side))
    top = round(min(max((y0 + y1 - side) / 2, 0), photo.height - side))
    return photo.crop((left, top, left + side, top + side))


def find(embeddings: Embeddings, phrase: str, encoder: Encoder, most: int) -> tuple[list[int], list[float]]:
    """The patches that look most like a phrase, the most similar first, and their cosines; ties by patch.

    Args:
        embeddings: of the study's patches.
        phrase: a few words.
        encoder: the one that made the embeddings.
        most: patches to return (count).

    Raises:
        InputError: the encoder is another one.
    """
    if encoder.digest != embeddings.encoder_digest:
        raise InputError(
            f"The patches were embedded by other weights than those of {encoder.name}; run unitscope names again."
        )
    vector = encoder.phrases([TEMPLATE.format(phrase)])
    cosines = np.concatenate([np.zeros(0, np.float32), *(block[:, 0] for block in embeddings.similarities(vector))])
    cosines[~embeddings.known] = -np.inf
    order = np.argsort(-cosines, kind="stable")[:most]
    kept = [int(row) for row in order if np.isfinite(cosines[row])]
    return kept, [float(cosines[row]) for row in kept]
