"""The command line: the parser of all commands, and what an exit status means."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from interpret.cli import (
    compare,
    contrast,
    dissect,
    errors,
    evaluate,
    info,
    mine,
    models,
    names,
    pack,
    queue,
    report,
    run,
    serve,
)
from interpret.errors import InputError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 2 with one line on standard error where something given does not fit.
    """
    arguments = parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            # Pillow remarks on odd metadata; a photo that cannot be read is an error, and listed as skipped.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            arguments.command(arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same command again to resume", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `... info STUDY | head` closed its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        what = f"cannot read or write {error.filename}: " if error.filename else ""
        print(f"error: {what}{error.strerror or error}", file=sys.stderr)
        return 2
    return 0


class _Parser(argparse.ArgumentParser):
    """Says in one line what does not fit, where argparse would print the usage of every option first."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The argument parser, its options taken from :mod:`interpret.config`."""
    called = "unitscope" if Path(sys.argv[0]).stem == "unitscope" else "python -m interpret"
    top = _Parser(prog=called, description="Which internal units of an image classifier carry which classes?")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (
        run,
        queue,
        contrast,
        mine,
        evaluate,
        errors,
        dissect,
        compare,
        info,
        names,
        report,
        pack,
        models,
        serve,
    ):
        command.add(commands)
    return top
