"""The command `info`: what a study holds, at a glance."""

import argparse
from typing import TYPE_CHECKING, Any

from rich.text import Text

from interpret.cli.console import OUT, announce
from interpret.cli.options import add_study
from interpret.cli.study_report import print_study
from interpret.errors import InputError

if TYPE_CHECKING:
    from interpret.study import Study


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("info", help="what a study holds, at a glance")
    command.set_defaults(command=_info)
    add_study(command)
    command.add_argument(
        "--verify", action="store_true", help="read every file again and compare it with the digest that was written"
    )


def _info(arguments: argparse.Namespace) -> None:
    from interpret.study import open_study

    study = open_study(arguments.study, announce)
    if arguments.verify:
        _verify(study)
    print_study(study, study.mine_config)


def _verify(study: "Study") -> None:
    """Compare every file with its digest, and say how many there are; damaged ones are listed and end the command."""
    from interpret.study.open import damages

    found = list(damages(study))
    for sentence in found:
        OUT.print(Text(sentence), soft_wrap=True)
    if found:
        raise InputError(f"{len(found)} of the files of {study.folder} are damaged; they are listed above.")
    if study.files:
        OUT.print(Text(f"All {len(study.files)} files are as they were written."))
    else:
        OUT.print(
            Text("The study was made before files had digests: their format was checked, not whether bytes changed.")
        )
