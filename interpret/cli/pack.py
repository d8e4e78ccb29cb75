"""The command `pack`: the photos copied into the study, so that it can travel."""

import argparse
from typing import Any

from interpret.cli.console import OUT
from interpret.cli.options import add_study, positive
from interpret.cli.progress_bar import progress_bar


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("pack", help="copy the photos into the study, so that it can travel")
    command.set_defaults(command=_pack)
    add_study(command)
    command.add_argument("--side", type=positive, default=512, help="longest side of a copy in pixels (default 512)")


def _pack(arguments: argparse.Namespace) -> None:
    from interpret.study import open_study
    from interpret.study.copies import pack

    with progress_bar() as progress:
        copied, missing = pack(open_study(arguments.study), arguments.side, progress)
    OUT.print(f"{copied} photos copied into {arguments.study}; {missing} not found.", highlight=False)
