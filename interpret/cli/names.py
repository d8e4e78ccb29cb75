"""The command `names`: what people call a study's units, itemsets and findings; words for units from a list."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from interpret.cli.console import OUT, announce
from interpret.cli.options import add_options, add_study, values_of
from interpret.cli.output import check_output, write_output
from interpret.cli.progress_bar import progress_bar
from interpret.config import ModelConfig
from interpret.errors import InputError
from interpret.words import count, itemset_text

if TYPE_CHECKING:
    from interpret.concepts.unit_words import UnitWords
    from interpret.study import Study
    from interpret.study.names import Names

FOUND = 12
"""Patches that a phrase finds (count)."""


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("names", help="what people call units and itemsets; as a file, and from one")
    command.set_defaults(command=_names)
    add_study(command)
    command.add_argument(
        "--import",
        dest="import_from",
        type=Path,
        metavar="FILE",
        help="take over the names in FILE.json, which another study of the same network and layer may have; what has "
        "another name here takes the file's, and all else stays",
    )
    command.add_argument("--export", type=Path, metavar="FILE", help="write the study's names to FILE.json")
    command.add_argument(
        "--clip",
        metavar="MODEL:PATH",
        help="a CLIP-like model on this machine: an architecture of open_clip and its weights, such as "
        "ViT-B-32:weights.safetensors, or a folder in open_clip's format; embeds the study's patches, so that the "
        "dashboard finds them by words",
    )
    command.add_argument(
        "--words", type=Path, metavar="FILE", help="propose a name for each unit from words, one a line; needs --clip"
    )
    command.add_argument("--find", metavar="PHRASE", help="list the patches that look most like a phrase; needs --clip")
    add_options(command, ModelConfig, only=("device",))


def _names(arguments: argparse.Namespace) -> None:
    from interpret.study import open_study
    from interpret.study.names_file import change_names, names_text, read_names, read_names_file

    check_output(arguments.export, "--export")
    study = open_study(arguments.study, announce)
    if arguments.clip or arguments.words or arguments.find:
        _words(study, arguments)
        return
    names = read_names(study)
    if arguments.import_from is not None:
        given = read_names_file(arguments.import_from, study)
        replaced = sum(key in names.entries and names.entries[key] != named for key, named in given.entries.items())
        added = len(given.entries.keys() - names.entries.keys())
        names = change_names(study, given.entries)
        OUT.print(
            Text(f"read: {count(len(given), 'name')} from {arguments.import_from}; {added} new, {replaced} changed")
        )
    if arguments.export is not None:
        write_output(arguments.export, names_text(study, names), "--export")
        OUT.print(Text(f"written: {arguments.export} ({count(len(names), 'name')})"))
    if arguments.import_from is None and arguments.export is None:
        _print(study, names)


def _words(study: "Study", arguments: argparse.Namespace) -> None:
    """Embed the patches, and find some or propose words for units as asked for."""
    from interpret.concepts import embeddings, encoder, unit_words

    if not arguments.clip:
        raise InputError("--words and --find read pictures and words with a model; name one with --clip MODEL:PATH.")
    words = None if arguments.words is None else unit_words.read_words(arguments.words)
    loaded = encoder.load(arguments.clip, device=values_of(arguments, ModelConfig)["device"])
    with progress_bar() as progress:
        embedded = embeddings.embed(study, loaded, progress=progress)
        if words is not None:
            found = unit_words.unit_words(
                study, embedded, words, loaded, source=arguments.words.name, progress=progress
            )
    OUT.print(Text(f"embedded: {count(int(embedded.known.sum()), 'patch', 'patches')} of {len(study.patches):,}"))
    if words is not None:
        print_words(found)
    if arguments.find:
        _print_found(study, *embeddings.find(embedded, arguments.find, loaded, FOUND))


def print_words(found: "UnitWords") -> None:
    """Print the words that are proposed, and how many units have none."""
    from interpret.concepts.unit_words import BAR, LEAST, LEVEL

    proposed = found.table[found.table["proposed"]]
    table = Table(box=None, pad_edge=False)
    for heading in ("unit", "word", "AUROC", "patches", "q"):
        table.add_column(heading, overflow="fold")
    for row in proposed.to_dict("records"):
        numbers = f"{row['score']:.2f}", f"{row['patches']:,}", f"{row['q_value']:.1g}"
        table.add_row(*(Text(text) for text in (str(row["unit"]), row["word"], *numbers)))
    OUT.print(table)
    OUT.print(
        Text(
            f"{count(len(proposed), 'unit')} of {len(found.table):,} have a word of {found.words:,} in {found.source}: "
            f"AUROC of at least {BAR} on photos that did not choose it, q <= {LEVEL}. Units in fewer than {2 * LEAST} "
            "patches are not scored."
        )
    )


def _print_found(study: "Study", patches: list[int], cosines: list[float]) -> None:
    """Print patches, with the photo and box of each."""
    table = Table(box=None, pad_edge=False)
    for heading in ("patch", "cosine", "photo", "box"):
        table.add_column(heading, overflow="fold")
    for patch, cosine in zip(patches, cosines, strict=True):
        row = study.patches.iloc[patch]
        box = ",".join(str(int(row[side])) for side in ("x0", "y0", "x1", "y1"))
        photo = str(study.images["path"].iloc[int(row["image_id"])])
        table.add_row(*(Text(text) for text in (str(patch), f"{cosine:.3f}", photo, box)))
    OUT.print(table)


def _print(study: "Study", names: "Names") -> None:
    """Print every name with what it stands for."""
    if not names:
        OUT.print(Text(f"Nothing is named in {study.name}; the dashboard names units and itemsets, or --import does."))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("units", "classes", "name", "tags", "note"):
        table.add_column(heading, overflow="fold")
    for (units, classes), named in names.entries.items():
        shared = ", ".join(study.class_names[class_id] for class_id in classes)
        texts = (itemset_text(units), shared, named.name, ", ".join(named.tags), named.note)
        table.add_row(*(Text(text) for text in texts))
    OUT.print(table)
