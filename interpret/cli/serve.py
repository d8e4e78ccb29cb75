"""The command `serve`: the dashboard, opened from any folder."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from interpret.errors import InputError
from interpret.files import dashboard_folder


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("serve", help="open the dashboard")
    command.set_defaults(command=_serve)
    command.add_argument("--port", type=_port, default=8501, help="port to listen on (default 8501; 0: any free one)")
    command.add_argument(
        "--address", metavar="HOST", help="address to listen on (default 127.0.0.1: this machine only)"
    )
    command.add_argument(
        "--studies",
        type=Path,
        metavar="DIR",
        help="folder of studies to list and write (default UNITSCOPE_STUDIES, else ./studies)",
    )
    command.add_argument(
        "--roots",
        metavar="DIRS",
        help=f"folders, separated by {os.pathsep}, below which photos, checkpoints and studies may be read (default "
        "UNITSCOPE_ROOTS, else the current folder)",
    )
    command.add_argument(
        "--hosts",
        metavar="NAMES",
        help="further names, separated by commas, that the dashboard answers to, as behind a proxy (default "
        "UNITSCOPE_HOSTS)",
    )
    command.add_argument(
        "--one-person",
        action="store_true",
        help="everybody who reaches the dashboard sees, stops and deletes everything (UNITSCOPE_ONE_PERSON)",
    )
    command.add_argument(
        "--allow-code",
        action="store_true",
        help="networks may be built by Python files below the roots, by whoever reaches the dashboard "
        "(UNITSCOPE_ALLOW_CODE)",
    )
    command.add_argument("--no-browser", action="store_true", help="do not open a browser")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return int(text)


def _serve(arguments: argparse.Namespace) -> None:
    environment = dict(os.environ)
    if arguments.studies is not None:
        environment["UNITSCOPE_STUDIES"] = str(_studies(arguments.studies))
    if arguments.roots is not None:
        environment["UNITSCOPE_ROOTS"] = arguments.roots
    if arguments.hosts is not None:
        environment["UNITSCOPE_HOSTS"] = arguments.hosts
    if arguments.one_person:
        environment["UNITSCOPE_ONE_PERSON"] = "1"
    if arguments.allow_code:
        environment["UNITSCOPE_ALLOW_CODE"] = "1"
    command = streamlit_command(arguments.port, arguments.address, headless=arguments.no_browser)
    sys.stdout.flush()
    if os.name == "posix":  # the server takes this process over, so that a signal that ends it reaches the server
        os.execve(command[0], command, environment)
    sys.exit(subprocess.call(command, env=environment))


def streamlit_command(port: int, address: str | None = None, *, headless: bool = False) -> list[str]:
    """The command that starts the dashboard's server.

    Streamlit reads ``.streamlit/config.toml`` beside ``app.py``, whatever the current folder is. ``-P`` keeps the
    current folder off the import path: it may hold another package of the library's name.

    Raises:
        InputError: the dashboard's files are not installed.
    """
    app = dashboard_folder() / "app.py"
    if not app.is_file():
        raise InputError(f"The dashboard's files are not in {app.parent}; install Unitscope again.")
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(app), "--server.port", str(port)]
    if address is not None:
        command += ["--server.address", address]
    if headless:
        command += ["--server.headless", "true"]
    return command


def _studies(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the folder that holds the studies with --studies.")
    if (folder / "manifest.json").is_file():
        raise InputError(f"{folder} is one study; give the folder that holds it with --studies: {folder.parent}.")
    return folder
