"""The command `names`: what people call a study's units, itemsets and findings; written to a file and read from one."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from interpret.cli.console import OUT, announce
from interpret.cli.options import add_study
from interpret.cli.output import check_output, write_output
from interpret.words import count, itemset_text

if TYPE_CHECKING:
    from interpret.study import Study
    from interpret.study.names import Names


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


def _names(arguments: argparse.Namespace) -> None:
    from interpret.study import open_study
    from interpret.study.names_file import change_names, names_text, read_names, read_names_file

    check_output(arguments.export, "--export")
    study = open_study(arguments.study, announce)
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
