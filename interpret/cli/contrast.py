"""The command `contrast`: what a study that was made without a contrast needs before its findings can be tested."""

import argparse
from typing import Any

from interpret.cli.console import OUT, announce
from interpret.cli.options import add_options, add_progress_file, add_study, values_of
from interpret.cli.progress_bar import progress_bar
from interpret.config import ExtractConfig


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("contrast", help="explain a study's photos for further classes, to test its findings")
    command.set_defaults(command=_contrast)
    add_study(command)
    add_progress_file(command)
    add_options(command, ExtractConfig, only=("contrast",))


def _contrast(arguments: argparse.Namespace) -> None:
    from interpret.explanation.add_contrast import add_contrast
    from interpret.study import open_study

    with progress_bar(arguments.progress_file) as progress:
        study, left_out = add_contrast(
            open_study(arguments.study, announce),
            repeats=values_of(arguments, ExtractConfig)["contrast"],
            progress=progress,
            announce=announce,
        )
    patches = study.counts.contrast_patches
    without = f"; {left_out} photos are predicted otherwise now and got none" if left_out else ""
    OUT.print(
        f"{patches} contrast patches of {len(study.images)} photos added to {study.folder}{without}.", highlight=False
    )
