"""The command `run`: from photos to a study, all stages."""

import argparse
from pathlib import Path
from typing import Any

from interpret.cli.console import announce
from interpret.cli.options import IMAGES_HELP, add_options, add_progress_file, add_ray, configured_run
from interpret.cli.progress_bar import progress_bar
from interpret.cli.study_report import print_study
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.data import builtin
from interpret.errors import InputError
from interpret.imports import without_collections
from interpret.progress import DRAWING, Callback, Progress


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("run", help="photos to class-specific and class-shared units, all stages")
    command.set_defaults(command=_run)
    command.add_argument("--images", required=True, metavar="DIR", help=IMAGES_HELP)
    command.add_argument("--study", required=True, metavar="OUT", type=Path, help="folder to make, or to resume")
    add_progress_file(command)
    add_ray(command, "explain the photos")
    command.add_argument(
        "--ship-photos",
        action="store_true",
        help="with --ray: send the photos' bytes with each shard and the network to each worker, which then need see "
        "neither the photos nor the weights",
    )
    add_options(command, RunConfig, only=("hold_out", "limit", "batch_size", "workers"))
    for config in (ModelConfig, ExtractConfig, MineConfig):
        add_options(command, config)
    command.add_argument(
        "--no-contrast", dest="contrast", action="store_const", const=0, help="the same as --contrast 0"
    )


def _run(arguments: argparse.Namespace) -> None:
    config = configured_run(arguments)
    if arguments.ray is None and arguments.ship_photos:
        raise InputError("--ship-photos sends photos to Ray's workers; give --ray as well.")
    with progress_bar(arguments.progress_file) as progress:
        if config.images in builtin.DRAWN:
            _draw(config.images, progress)
        progress(Progress("Loading PyTorch", 0, 0))
        with without_collections():
            from interpret import pipeline  # torch takes seconds to import, and --help should not wait for it
            from interpret.explanation.ray_pool import RayOptions

        ray = None if arguments.ray is None else RayOptions(arguments.ray, arguments.ray_workers, arguments.ship_photos)
        study = pipeline.run(config, arguments.study, progress, announce=announce, roots=arguments.roots, ray=ray)
    print_study(study, config.mine)


def _draw(images: str, progress: Callback) -> None:
    """Draw the demo's images, if they are not there, before PyTorch is imported.

    Drawings keep all processors busy and PyTorch's import one: beside it a dashboard imports the same.
    """
    builtin.drawings(images, drawn=lambda done, total: progress(Progress(DRAWING, done, total)))
