"""The command `info`: what a study holds, at a glance."""

import argparse
from typing import Any

from interpret.cli.options import add_study
from interpret.cli.study_report import print_study


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("info", help="what a study holds, at a glance")
    command.set_defaults(command=_info)
    add_study(command)


def _info(arguments: argparse.Namespace) -> None:
    from interpret.study import open_study

    study = open_study(arguments.study)
    print_study(study, study.mine_config)
