"""The gallery of a class-shared itemset: a row of patches for each class, and photos that the model calls otherwise."""

import pandas as pd

from interpret import frames
from interpret.findings import Findings, supporting
from interpret.findings.rows import ClassSupport, Units
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address, gallery_choices
from pages.shared.view import contrast, contrast_gallery, effects, known_parts, patch_gallery, tables, widgets


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
    choices = gallery_choices.choose(study, forget=("patch",))
    blocks: list[widgets.Block] = []
    saved: list[list[int]] = []
    for row in rows[:10]:
        patches = supporting.supporting_patches(study, units, findings.config, row.class_id)
        name, colour = wording.class_text(study, row.class_id), colours.get(row.class_id, "#888888")
        other = float(rules[row.class_id]["contrast_support"])
        blocks.append(
            widgets.line(
                widgets.class_tag(name, colour, **address.link("class_specific", **{"class": row.class_id})),
                contrast.bars(row.support, other, colour, name),
                widgets.text(
                    f"{wording.share(row.support_count, row.patches, 'patch')}{contrast.elsewhere(other, name)}",
                    "faint",
                ),
            )
        )
        photos = widgets.text(f"In {wording.share(row.image_count, row.images, 'photo')},", "faint")
        blocks.append(widgets.line(photos, tables.measures(rules[row.class_id], "again"), size="small"))
        if row.class_id in costs:
            blocks.append(widgets.line(effects.of_class(costs[row.class_id], colour, name), size="small"))
        shown, strip = patch_gallery.strip(findings, patches, choices, 6)
        saved += [shown] if shown else []
        blocks += strip
    widgets.show(blocks, "shared_gallery", patch_gallery.open_chain)
    if saved:
        patch_gallery.save(findings, saved, f"shared-{address.itemset_param(units)}")
    contrast_gallery.show(findings, units, [row.class_id for row in rows[:3]], choices, across=6, most=6)
