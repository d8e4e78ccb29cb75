"""The door to a study: nothing of a folder is used that is not checked here, or when it is first read."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from interpret.data.roots import check_within
from interpret.errors import InputError
from interpret.progress import unheard
from interpret.study import digests, reading
from interpret.study.litter import clear_litter
from interpret.study.manifest import NAME, read_manifest
from interpret.study.names_file import read_names
from interpret.study.results import RESULTS_IN, made_from
from interpret.study.schema import PACKED
from interpret.study.study import Study
from interpret.study.workspace import partial_folder


def open_study(
    folder: str | Path,
    announce: Callable[[str], None] | None = None,
    roots: Sequence[Path] | None = None,
    device: str = "auto",
) -> Study:
    """Open the study in ``folder``: the manifest is checked whole, and every file is there with its size.

    What killed processes left in the folder is removed. Tables and arrays are checked when they are first read.

    Args:
        folder: the study's folder.
        announce: called with one sentence where something kept in the folder is damaged and made again, or a GPU fails.
        roots: folders, resolved, that the study, its photos and its network's files may be read from; None for any.
        device: where to mine and resample: ``cpu``, ``cuda``, ``mps``, or ``auto``, a GPU where there is one and the
            work is worth it.

    Raises:
        InputError: there is none, it is unfinished or damaged, it has another version of the format, or it, or a link
            in its folder, lies outside of ``roots``.
    """
    folder = Path(folder)
    check_within(folder, roots, "The study")
    if not (folder / NAME).is_file():
        partial = partial_folder(folder)
        if partial.is_dir():
            raise InputError(f"The study {folder} is unfinished; run the same command again to complete it.")
        what = "is not a study (it has no manifest.json)" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}; make a study with `unitscope run`.")
    if roots is not None:
        for entry in folder.iterdir():
            if entry.is_symlink():
                check_within(entry, roots, "The link")
    study = Study(folder, read_manifest(folder), announce or unheard, None if roots is None else tuple(roots), device)
    for name, expected in study.files.items():
        if difference := digests.size_difference(folder / name, expected):
            raise reading.damaged(folder / name, difference)
    clear_litter(folder, has_contrast=study.has_contrast)
    return study


def check_whole(study: Study) -> None:
    """Read every file that a study consists of, once a process.

    Raises:
        InputError: one is missing, is not as it was written, or does not fit the format.
    """
    for name, expected in study.files.items():
        if difference := digests.difference(study.folder / name, expected):
            raise reading.damaged(study.folder / name, difference)
    for name in PARTS:
        getattr(study, name)


_ARRAYS = ("features", "cams", "activations", "beside")
PARTS = ("images", "patches", "skipped", *_ARRAYS, "contrast", "ranked", "ranked_contrast")
"""What of a study is read from files, by the names of its properties."""


def damages(study: Study) -> Iterator[str]:
    """Read every file of a study again, and everything that is kept in its folder; a sentence for each damaged one.

    Files without a digest, as studies have before version 3 of the manifest, are checked against the format only.
    """
    for name, expected in study.files.items():
        if difference := digests.difference(study.folder / name, expected, again=True):
            yield str(reading.damaged(study.folder / name, difference))
    again = Study(study.folder, study.manifest, roots=study.roots)
    for name in PARTS:
        try:
            getattr(again, name)
        except InputError as error:
            yield str(error)
    try:
        read_names(study)
    except InputError as error:
        yield str(error)
    packed = [study.folder / PACKED] if (study.folder / PACKED).is_dir() else []
    for kept in (*_folders(*RESULTS_IN, within=study.folder), *packed):
        if not study.files and not digests.has_list(kept):
            continue  # an earlier version kept it
        names = [path.name for path in kept.glob("[!.]*") if path.name != digests.NAME]
        try:
            digests.check_list(kept, names, {} if kept in packed else made_from(study, kept), again=True)
        except InputError as error:
            yield f"{error}; it is made again when it is next needed."
    for held_out in _folders("evaluation", within=study.folder):
        if held_out.name != "results" and not held_out.name.endswith(".partial"):
            try:
                yield from damages(open_study(held_out, roots=study.roots))
            except InputError as error:
                yield str(error)


def _folders(*names: str, within: Path) -> list[Path]:
    """The folders in folders of a study; unfinished ones are left out."""
    return sorted(path for name in names for path in (within / name).glob("[!.]*") if path.is_dir())
