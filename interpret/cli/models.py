"""The command `models`: the models by name, or the layers of one."""

import argparse
from typing import Any

from rich.table import Table

from interpret.cli.console import OUT
from interpret.config import ModelConfig


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("models", help="the models by name, or the layers of one")
    command.set_defaults(command=_models)
    command.add_argument("--search", metavar="WORD", help="list the models with this word in their name, timm's too")
    command.add_argument("--layers", metavar="NAME", help="list the layers of this model that have spatial extent")


def _models(arguments: argparse.Namespace) -> None:
    from interpret import models

    if arguments.layers is None:
        table = Table("name", "weights", box=None)
        listed = models.available()
        if arguments.search is not None:
            word = arguments.search.lower().removeprefix("timm/")
            listed = [(name, note) for name, note in listed if word in name.lower()] + models.search(word)
        for name, note in listed:
            table.add_row(name, note)
        OUT.print(table)
        if not listed:
            OUT.print(f"No model has {arguments.search!r} in its name; give a shorter part of it.", markup=False)
        if arguments.search is None:
            OUT.print(
                "Any of timm too, with its weights or your own (timm/NAME.TAG; `unitscope models --search WORD` lists "
                "them), of the Hub (hf-hub:USER/REPO), or a folder with config.json and model.safetensors."
            )
        return
    table = Table("layer", "kind", "units", "grid", "tokens outside it", box=None)
    # Random weights give the layers' shapes as well as trained ones do, and need no download.
    classifier = models.load(ModelConfig(model=arguments.layers, weights="random"))
    for layer in models.layers(classifier.network, classifier.preprocessing.size):
        table.add_row(
            layer.name + (" (default)" if layer.name == classifier.layer else ""),
            layer.kind,
            str(layer.channels),
            f"{layer.height} x {layer.width}",
            str(layer.layout.others or ""),
        )
    OUT.print(table)
