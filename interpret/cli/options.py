"""Arguments made from the option schema of :mod:`interpret.config`, and configurations read back from them."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from interpret.config import options

IMAGES_HELP = (
    "folder of class folders (named by wnid, ImageNet index or class name), or a flat folder; or one of "
    "demo, demo-val, skimage, imagenette, imagenette-val"
)


def positive(text: str) -> int:
    """A count of 1 or more."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def add_study(command: argparse.ArgumentParser) -> None:
    """Add the positional argument that names a study's folder."""
    command.add_argument("study", type=Path, metavar="STUDY")


def add_progress_file(command: argparse.ArgumentParser) -> None:
    """Add the hidden option with which the dashboard follows a run."""
    command.add_argument("--progress-file", type=Path, help=argparse.SUPPRESS)


def add_options(command: argparse.ArgumentParser, config: type, *, inherit: bool = False) -> None:
    """Add one argument for each described option of a configuration.

    Args:
        command: where to.
        config: the configuration's class.
        inherit: the defaults are None, to be taken from the study.
    """
    group = command.add_argument_group(config.__name__.removesuffix("Config").lower() + " options")
    for option in options(config):
        default = "the study's own" if inherit else option.default
        text = option.help + ("" if option.default is None and not inherit else f" (default {default})")
        group.add_argument(
            f"--{option.flag}",
            type=option.kind,
            default=None if inherit else option.default,
            choices=option.choices or None,
            metavar=None if option.choices else option.kind.__name__.upper(),
            help=text.replace("%", "%%"),
        )


def configured(arguments: argparse.Namespace, config: Any) -> Any:
    """An instance of ``config`` from the arguments.

    Args:
        arguments: as parsed.
        config: a configuration's class, or an instance whose values hold where an argument was not given.
    """
    values = {option.name: getattr(arguments, option.name) for option in options(config)}
    if isinstance(config, type):
        return config(**values)
    return dataclasses.replace(config, **{name: value for name, value in values.items() if value is not None})
