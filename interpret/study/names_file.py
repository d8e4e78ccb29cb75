"""The names of a study's units, itemsets and findings as a JSON file: in its folder, and exported from it.

Nothing that is computed depends on names: they are no part of a study's digests.
"""

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interpret.errors import InputError
from interpret.files import held_folder, write_json
from interpret.study.fields import Fields, is_text
from interpret.study.names import MOST_ENTRIES, Key, Named, Names, named
from interpret.study.study import Study
from interpret.words import itemset_text

FILE = "names.json"
"""The file in a study's folder."""

FORMAT = "unitscope names 1"
"""What the file says that it is."""

MOST_BYTES = 8_000_000
"""Size of a file that is read."""


def read_names(study: Study) -> Names:
    """The names in a study's folder; none where there is no file.

    Raises:
        InputError: the file is damaged, or of another network; it is left as it is.
    """
    path = study.folder / FILE
    try:
        return _read(path, study)
    except FileNotFoundError:
        return Names()
    except _MISFITS as error:
        raise InputError(
            f"The names in {path} are not used ({_reason(error)}); correct it or move it away: it stays as it is."
        ) from error


def read_names_file(file: str | Path, study: Study) -> Names:
    """The names in a file that was exported, for a study of the same network and layer.

    Raises:
        InputError: it cannot be read, holds something else, or its units are of another network or layer.
    """
    try:
        return _read(Path(file), study)
    except _MISFITS as error:
        raise InputError(
            f"The names in {file} cannot be read ({_reason(error)}); take a file that `unitscope names STUDY --export "
            "FILE` wrote."
        ) from error


def parse_names(text: str, study: Study) -> Names:
    """The names in the text of such a file.

    Raises:
        InputError: as :func:`read_names_file` says.
    """
    try:
        return _parsed(text, study)
    except _MISFITS as error:
        raise InputError(
            f"These names cannot be read ({_reason(error)}); take a file that was saved from a study."
        ) from error


def change_names(study: Study, changes: Mapping[Key, Named]) -> Names:
    """Replace some entries of a study's names, in one step; all other entries stay, whoever writes at the same time.

    Args:
        study: the study.
        changes: by key; an entry that says nothing is removed.

    Returns:
        All names as they are now.

    Raises:
        InputError: the file is damaged and stays as it is, the folder cannot be written to, or there would be too many.
    """
    for units, classes in changes:
        if not units or not _ascending(units, study.n_units) or not _ascending(classes, len(study.class_names)):
            raise InputError(f"There is no set of units {itemset_text(units)} in {study.name}; name one of its units.")
    path = study.folder / FILE
    try:
        with held_folder(study.folder):
            names = read_names(study).changed(changes)
            write_json(names_content(study, names), path)
    except OSError as error:
        raise InputError(
            f"The names cannot be written into {study.folder} ({error.strerror}); copy the study to a folder where you "
            "may write."
        ) from error
    return names


def names_content(study: Study, names: Names) -> dict[str, Any]:
    """What the file holds: its format, the network whose units are named, and the entries."""
    shown = study.class_names
    return {
        "format": FORMAT,
        "network": _network(study),
        "names": [
            {
                "units": list(units),
                "classes": [{"class_id": class_id, "name": shown[class_id]} for class_id in classes],
                "name": named.name,
                "tags": list(named.tags),
                "note": named.note,
            }
            for (units, classes), named in names.entries.items()
        ],
    }


def names_text(study: Study, names: Names) -> str:
    """The content of a file to export, JSON."""
    return json.dumps(names_content(study, names), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


_MISFITS = (OSError, ValueError, RecursionError)


def _network(study: Study) -> dict[str, Any]:
    codes = study.recorded.codes
    return {
        "model": study.model, "layer": study.layer, "units": study.n_units, "weights_digest": study.weights_digest,
        **({} if codes is None else {"codes": codes.sha256}),
    }  # fmt: skip


def _read(path: Path, study: Study) -> Names:
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("it is no file")
    if about.st_size > MOST_BYTES:
        raise ValueError(f"it has {about.st_size:,} bytes, and {MOST_BYTES:,} are read")
    return _parsed(path.read_text(encoding="utf-8"), study)


def _parsed(text: str, study: Study) -> Names:
    content = Fields(json.loads(text))
    if content.content.get("format") != FORMAT:
        raise ValueError(f"it does not say that its format is {FORMAT!r}")
    network = content.section("network")
    # Weights first: another name for the same network makes no difference.
    own = _network(study)
    if any(network.content.get(name) != own.get(name) for name in ("weights_digest", "layer", "codes")):
        raise ValueError(
            f"they are of {network.text('model')}, layer {network.text('layer')}, with other weights, another layer "
            f"or other codes than {study.name}, where a unit means something else"
        )
    listed = content.content.get("names")
    if not isinstance(listed, list) or len(listed) > MOST_ENTRIES:
        raise ValueError(f"names is no list of at most {MOST_ENTRIES:,} entries")
    entries: dict[Key, Named] = {}
    for place, each in enumerate(listed):
        key, said = _entry(Fields(each, f"names[{place}]."), study)
        if key in entries:
            raise ValueError(f"names[{place}] is of the same units and classes as an earlier entry")
        if said:
            entries[key] = said
    return Names(dict(sorted(entries.items())))


def _entry(fields: Fields, study: Study) -> tuple[Key, Named]:
    units = _numbers(fields, "units", fields.content.get("units"), study.n_units)
    if not units:
        raise ValueError(f"{fields.where}units is empty")
    classes = fields.content.get("classes", [])
    if not isinstance(classes, list) or not all(isinstance(each, dict) for each in classes):
        raise ValueError(f"{fields.where}classes is no list of objects")
    ids = _numbers(fields, "classes", [each.get("class_id") for each in classes], len(study.class_names))
    name, tags, note = (fields.content.get(part, empty) for part, empty in (("name", ""), ("tags", []), ("note", "")))
    if not is_text(name) or not is_text(note) or not isinstance(tags, list) or not all(is_text(tag) for tag in tags):
        raise ValueError(f"{fields.where}name, tags or note is no text")
    try:
        return (units, ids), named(name, tags, note)
    except InputError as error:
        raise ValueError(f"in {fields.where.rstrip('.')} {str(error).rstrip('.')}") from error


def _numbers(fields: Fields, name: str, values: Any, below: int) -> tuple[int, ...]:
    if (
        not isinstance(values, list)
        or any(not isinstance(value, int) or isinstance(value, bool) for value in values)
        or not _ascending(tuple(values), below)
    ):
        raise ValueError(f"{fields.where}{name} are no different numbers from 0 to {below - 1:,}, in ascending order")
    return tuple(values)


def _ascending(values: tuple[int, ...], below: int) -> bool:
    return all(0 <= value < below for value in values) and list(values) == sorted(set(values))


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return "it is not JSON"
    return str(error)
