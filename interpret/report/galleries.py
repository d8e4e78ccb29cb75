"""The pictures of a report: patches where a finding's units score highest, as many as the file has room for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from interpret import frames
from interpret.config import MineConfig, ReportConfig
from interpret.figures.patch_pictures import data_uri
from interpret.figures.study_pictures import drawn_patches
from interpret.findings import supporting
from interpret.findings.rows import Units
from interpret.progress import Callback, Progress
from interpret.report.choice import Chosen
from interpret.report.shown import Tile
from interpret.study import Study
from interpret.study.schema import ImageRow
from interpret.words import itemset_text, percent

OVERHEAD = 600
"""Bytes of a picture in the file besides its content and text, at the most."""


@dataclass(frozen=True, eq=False)
class Galleries:
    """Pictures of findings.

    Attributes:
        tiles: of each finding in each of its classes.
        left_out: findings that the file has no room for any patch of (count).
        cut: patches of the last gallery that the file has no room for (count).
        missing: patches whose photo is not at hand (count).
    """

    tiles: dict[tuple[Chosen, int], tuple[Tile, ...]] = field(default_factory=dict)
    left_out: int = 0
    cut: int = 0
    missing: int = 0

    def of(self, chosen: Chosen, class_id: int) -> tuple[Tile, ...]:
        """The pictures of a finding in a class; none where none was drawn."""
        return self.tiles.get((chosen, class_id), ())


def draw(
    study: Study,
    mine: MineConfig,
    config: ReportConfig,
    wanted: Sequence[tuple[Chosen, Sequence[int]]],
    names: Sequence[str],
    room: int,
    progress: Callback,
) -> Galleries:
    """Draw the galleries that are wanted, in their order, until the file is full.

    A photo is shown once in a row.

    Args:
        study: the study.
        mine: what a transaction holds.
        config: patches in a row, their side and quality.
        wanted: findings, and the classes in which each has a row of patches. The first one gets two rows of each class
            if that is one class.
        names: the classes' names.
        room: what the pictures may take in the file (bytes).
        progress: called for each gallery.
    """
    tiles: dict[tuple[Chosen, int], tuple[Tile, ...]] = {}
    left_out = cut = missing = 0
    full = False
    drawn: dict[int, str] = {}
    for place, (chosen, class_ids) in enumerate(wanted):
        progress(Progress("Drawing galleries", place, len(wanted)))
        rows = 2 if place == 0 and len(class_ids) == 1 else 1
        if full:
            left_out += 1
            continue
        for class_id in class_ids:
            patches = supporting.one_per_photo(study, supporting.supporting_patches(study, chosen[0], mine, class_id))
            shown = patches[: rows * config.patches].tolist()
            new = [patch for patch in shown if patch not in drawn]
            pictures = drawn_patches(study, new, config.side) if new else []
            for patch, picture in zip(new, pictures, strict=True):
                drawn[patch] = "" if picture is None else data_uri(picture, quality=config.quality)
            there = [patch for patch in shown if drawn[patch]]
            missing += len(shown) - len(there)
            row: list[Tile] = []
            for tile in (_tile(study, patch, drawn[patch], chosen[0], names) for patch in there):
                room -= len(tile.source) + len(tile.alt.encode()) + OVERHEAD
                full = full or room < 0
                if full:
                    cut += 1
                else:
                    row.append(tile)
            tiles[chosen, class_id] = tuple(row)
    progress(Progress("Drawing galleries", len(wanted), len(wanted)))
    return Galleries(tiles, left_out, cut, missing)


def _tile(study: Study, patch: int, source: str, units: Units, names: Sequence[str]) -> Tile:
    image_id = int(study.patches["image_id"].iloc[patch])
    (photo,) = frames.rows(study.images.iloc[[image_id]], ImageRow)
    label = study.images["label"].iloc[image_id]
    wrong = not pd.isna(label) and int(label) != photo.predicted
    return Tile(
        source=source,
        alt=f"patch of {photo.path[-120:]}, predicted as {names[photo.predicted]} ({percent(photo.confidence)}), with "
        f"unit{'s' if len(units) > 1 else ''} {itemset_text(units)}",
        confidence=photo.confidence,
        labelled=names[int(label)] if wrong else "",
    )
