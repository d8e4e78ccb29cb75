"""The command `report`: a study as one HTML file that needs no network and no dashboard."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from interpret.cli.console import OUT, announce
from interpret.cli.options import add_options, add_study, configured, inherited, values_of
from interpret.cli.output import check_output, write_output
from interpret.cli.progress_bar import progress_bar
from interpret.config import MineConfig, ModelConfig, ReportConfig
from interpret.errors import DamagedError, InputError
from interpret.words import count

if TYPE_CHECKING:
    from interpret.study import Study


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("report", help="write a study as one HTML file to take away, print or send")
    command.set_defaults(command=_report)
    add_study(command)
    command.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the file to write, replaced if it is there (default: STUDY-report.html here, which is not replaced)",
    )
    add_options(command, ReportConfig)
    add_options(command, MineConfig, only=("top_units", "min_support", "contrast_quantile"), inherit=True)
    add_options(command, ModelConfig, only=("device",))


def _report(arguments: argparse.Namespace) -> None:
    from interpret.mining.ranked_units import check_top_units
    from interpret.progress import DONE, Progress
    from interpret.report import make_report

    config, device = configured(arguments, ReportConfig), values_of(arguments, ModelConfig)["device"]
    study, problems = _opened(arguments.study, device)
    file = _target(arguments.out, study)
    mine = inherited(arguments, study.mine_config)
    check_top_units(mine, study.extract_config.stored_units)
    with progress_bar() as progress:
        report = make_report(study, config, mine=mine, device=device, problems=problems, progress=progress)
        progress(Progress(DONE, 1, 1))
    write_output(file, report.html, "--out")
    for sentence in report.problems:
        announce(sentence)
    size = f"{len(report.html) / 1e6:.1f} MB"
    more = f"; {count(report.left_out, 'gallery', 'galleries')} had no room" if report.left_out else ""
    OUT.print(Text(f"written: {file} ({size}, {count(report.findings, 'finding')} with a gallery{more})"))


def _opened(folder: Path, device: str) -> "tuple[Study, list[str]]":
    """The study, and what is damaged in it: what is whole is reported all the same, if the manifest can be read."""
    from interpret.study import Study, open_study
    from interpret.study.manifest import read_manifest

    try:
        return open_study(folder, announce, device=device), []
    except DamagedError as error:
        return Study(folder, read_manifest(folder), announce, compute_on=device), [str(error)]


def _target(out: Path | None, study: "Study") -> Path:
    """The file to write: the one that was named, or one in this folder that is not there yet; it can be written."""
    file = out or Path(f"{study.folder.resolve().name}-report.html")
    if out is None and file.exists():
        raise InputError(f"{file} is there already; name it with --out to replace it, or another file.")
    check_output(file, "--out")
    return file
