"""The gallery of a class-shared itemset: a row of patches for each class, and photos that the model calls otherwise."""

import numpy as np
import pandas as pd

from interpret import frames
from interpret.evaluation.itemset_effects import EffectRow
from interpret.findings import Findings, supporting
from interpret.findings.rows import ClassSupport, Units
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address, gallery_choices
from pages.shared.controls.gallery_choices import Choices
from pages.shared.view import (
    active_gallery,
    contrast,
    contrast_gallery,
    effects,
    known_parts,
    naming,
    patch_gallery,
    tables,
    widgets,
)


def show(findings: Findings, units: Units, chance: pd.Series | None) -> None:
    """Show a row of supporting patches for each class in which an itemset is frequent, with its measures there.

    Args:
        findings: where the patches are from.
        units: the itemset.
        chance: p-values from shuffling, of which those of the itemset are shown; None if none are asked for.
    """
    study, colours = findings.study, pictures.colours(findings.study)
    supports = supporting.support_by_class(study, units, findings.config)
    key = findings.id_of.get(units)
    measured = tables.with_chance(findings.table[findings.table["itemset_id"] == (-1 if key is None else key)], chance)
    rules = {int(row["class_id"]): row for _, row in measured.iterrows()}
    naming.show(findings, units)
    if not rules:
        widgets.show(
            [widgets.line(widgets.units(units), widgets.text("is not frequent in any class at these thresholds."))],
            "none",
        )
        return
    rows = [row for row in frames.rows(supports, ClassSupport) if row.class_id in rules]
    costs = effects.of_itemset(findings, -1 if key is None else key)
    heading: list[widgets.Block] = [
        widgets.line(
            widgets.units(units),
            widgets.text("→"),
            [
                widgets.class_tag(wording.class_text(study, row.class_id), colours.get(row.class_id, "#888888"))
                for row in rows
            ],
            size="big",
        ),
        *contrast.verdict(findings, units),
        *effects.others(findings, [*costs.values()]),
        *known_parts.of_itemset(findings, units),
    ]
    widgets.show(heading, "shared_heading")
    choices = gallery_choices.choose(study, units, forget=("patch", patch_gallery.PAGE_PARAM))
    if choices.active:
        active_gallery.show(findings, units, f"shared-active-{address.itemset_param(units)}", choices)
    else:
        _rows(findings, units, rows[:10], rules, costs, choices)
    contrast_gallery.show(findings, units, [row.class_id for row in rows[:3]], choices, across=6, most=6)


def _rows(
    findings: Findings,
    units: Units,
    rows: list[ClassSupport],
    rules: dict[int, pd.Series],
    costs: dict[int, EffectRow],
    choices: Choices,
) -> None:
    """Show a row of patches for each class, with its measures above it.

    Args:
        findings: where the patches are from.
        units: the itemset.
        rows: its support in each class.
        rules: its rule in each class, by the class's id.
        costs: what ablating it costs the class, likewise.
        choices: which patches are shown, and how.
    """
    study, colours = findings.study, pictures.colours(findings.study)
    patches = {
        row.class_id: supporting.one_per_photo(
            study, supporting.supporting_patches(study, units, findings.config, row.class_id)
        )
        for row in rows
    }
    first = {class_id: patch_gallery.first_of(study, each, choices, 6) for class_id, each in patches.items()}
    saved = [shown for shown in first.values() if shown]
    images = study.patches["image_id"].to_numpy(np.int64)[[patch for shown in saved for patch in shown]]
    heat = patch_gallery.heat_over(study, images.tolist(), units, choices)
    blocks: list[widgets.Block] = []
    for row in rows:
        name, colour = wording.class_text(study, row.class_id), colours.get(row.class_id, "#888888")
        other = float(rules[row.class_id]["contrast_support"])
        blocks.append(
            widgets.line(
                widgets.class_tag(name, colour, **address.link("class_specific", **{"class": row.class_id})),
                contrast.bars(row.support, other, colour, name),
                contrast.beside(wording.share(row.support_count, row.patches, "patch"), other, name),
            )
        )
        photos = widgets.text(f"In {wording.share(row.image_count, row.images, 'photo')},", "faint")
        blocks.append(widgets.line(photos, tables.measures(rules[row.class_id], "again"), size="small"))
        if row.class_id in costs:
            blocks.append(widgets.line(effects.of_class(findings, costs[row.class_id], colour, name), size="small"))
        blocks += patch_gallery.strip(findings, patches[row.class_id], choices, 6, heat)
    if saved and not any(block["kind"] == "tiles" and block["tiles"] for block in blocks):
        patch_gallery.missing(study)
    widgets.show(blocks, "shared_gallery", patch_gallery.open_chain)
    patch_gallery.say_heat(heat)
    if saved:
        patch_gallery.save(findings, saved, f"shared-{address.itemset_param(units)}", heat=heat)
