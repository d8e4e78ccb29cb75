"""Arguments made from the option schema of :mod:`interpret.config`, and configurations read back from them."""

import argparse
import dataclasses
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.options import Option, options

C = TypeVar("C")

IMAGES_HELP = next(option.help for option in options(RunConfig) if option.name == "images")


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
    """Add the hidden options with which the dashboard follows a run and bounds what it reads."""
    command.add_argument("--progress-file", type=Path, help=argparse.SUPPRESS)
    command.add_argument("--roots", type=_folders, help=argparse.SUPPRESS)


def add_ray(command: argparse.ArgumentParser, what: str) -> None:
    """Add the options that deal work to Ray's workers; ``what`` they do, as a verb and an object."""
    command.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help=f"{what} on Ray's workers: of the cluster at this address, or of one started on this machine",
    )
    command.add_argument(
        "--ray-workers", type=positive, help="how many (default: one a GPU, or one every few processors)"
    )


def _folders(text: str) -> tuple[Path, ...]:
    """Folders separated as in PATH, links followed."""
    return tuple(Path(part).resolve() for part in text.split(os.pathsep) if part)


def add_options(
    command: argparse.ArgumentParser, config: type, *, only: Collection[str] | None = None, inherit: bool = False
) -> None:
    """Add one argument for each described option of a configuration.

    The arguments hold text; :func:`values_of` parses and checks it with the option's own description.

    Args:
        command: where to.
        config: the configuration's class.
        only: names of the options to add; all if None.
        inherit: an option that is not given is None, to be taken from the study.
    """
    group = command.add_argument_group(config.__name__.removesuffix("Config").lower() + " options")
    for option in options(config):
        if only is None or option.name in only:
            _add_option(group, option, inherit)


def _add_option(group: Any, option: Option, inherit: bool) -> None:
    default = None if inherit else option.default
    if option.kind is bool:
        action = argparse.BooleanOptionalAction
        group.add_argument(
            f"--{option.flag}", action=action, default=default, help=f"{option.help} (default: %(default)s)"
        )
        return
    shown = ",".join(map(str, option.default)) if option.many else option.default
    note = " (default: the study's own)" if inherit else "" if option.default is None else f" (default: {shown})"
    kind = option.kind.__name__.upper()
    group.add_argument(
        f"--{option.flag}",
        default=default,
        choices=option.choices or None,
        metavar=None if option.choices else f"{kind},{kind},..." if option.many else kind,
        help=(option.help + note).replace("%", "%%"),
    )


def values_of(arguments: argparse.Namespace, config: Any) -> dict[str, Any]:
    """The values of those options of a configuration that the command has, by name, parsed and checked.

    Raises:
        InputError: a value does not fit its option.
    """
    values = {}
    for option in options(config):
        if hasattr(arguments, option.name):
            given = getattr(arguments, option.name)
            values[option.name] = option.parse(given) if isinstance(given, str) else given
    return values


def configured(arguments: argparse.Namespace, config: type[C], **more: Any) -> C:
    """An instance of a configuration's class, from the arguments and ``more`` fields that are no options."""
    return config(**values_of(arguments, config), **more)


def configured_run(arguments: argparse.Namespace) -> RunConfig:
    """The options of a whole run, from the arguments of its three stages and its own."""
    return configured(
        arguments,
        RunConfig,
        model=configured(arguments, ModelConfig),
        extract=configured(arguments, ExtractConfig),
        mine=configured(arguments, MineConfig),
    )


def inherited(arguments: argparse.Namespace, config: C) -> C:
    """A copy of a configuration, changed where an argument was given."""
    given = {name: value for name, value in values_of(arguments, config).items() if value is not None}
    return dataclasses.replace(config, **given)  # type: ignore[type-var]
