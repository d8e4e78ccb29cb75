"""What does a unit respond to? One stable address for each unit of the layer."""

import numpy as np
import streamlit as st

from interpret.figures import charts
from interpret.findings import Findings, supporting
from pages.shared import router, wording
from pages.shared.backend import pictures
from pages.shared.controls import address, thresholds
from pages.shared.view import ablation_panel, figures, known_parts, patch_chain, patch_gallery, tables, widgets


def page() -> None:
    title, found = thresholds.title_and_findings()
    study = found.study
    unit = _unit(found)
    with title:
        wording.header(f"What does unit {unit} respond to?")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        _picker(found, unit)
    _classes(found, unit)
    patches = supporting.supporting_patches(study, [unit], found.config.top_units)
    if len(patches) == 0:
        st.info(
            f"Unit {unit} is among the {found.config.top_units} strongest units of no patch. A larger N would show "
            "where it "
            "comes next; its activations are below."
        )
    else:
        left, right = st.columns([12, 8], gap="large")
        with left:
            st.subheader("Where it counts most", anchor=False)
            patch_gallery.show(found, patches.tolist(), f"unit-{unit}", size="m", limit=12)
        with right:
            _histogram(found, unit)
            _company(found, unit)
        _per_class(found, unit)
        _without(found, unit)
        _itemsets(found, unit)
    if len(patches) == 0:
        _histogram(found, unit)
    patch_chain.show_if_asked(found)


def _unit(found: Findings) -> int:
    """The unit in the address; the one that serves most classes where there is none."""
    asked = st.query_params.get("unit", "")
    unit = address.whole_number(asked)
    if unit is not None and unit < found.study.n_units:
        return unit
    if asked:
        st.warning(
            f"There is no unit {wording.markdown(asked[:20])}: the layer has {found.study.n_units:,}, counted from 0."
        )
    singles = found.table[found.table["size"] == 1]
    if singles.empty:
        return 0
    best = singles.groupby("itemset_id")["support"].agg(["size", "sum"]).sort_values(["size", "sum"], ascending=False)
    return found.units_of[int(best.index[0])][0]


def _picker(found: Findings, unit: int) -> None:
    def changed() -> None:
        st.query_params["unit"] = str(int(st.session_state["unit_number"]))
        for name in ("patch", patch_gallery.PAGE_PARAM):
            st.query_params.pop(name, None)

    st.session_state["unit_number"] = unit
    st.number_input(
        "Unit",
        0,
        found.study.n_units - 1,
        step=1,
        key="unit_number",
        on_change=changed,
        width=160,
        help=f"one of the {found.study.n_units:,} channels of the layer {found.study.layer}, counted from 0",
    )


def _classes(found: Findings, unit: int) -> None:
    study, colours = found.study, pictures.colours(found.study)
    rows = found.table[(found.table["size"] == 1) & (found.table["itemset_id"] == found.id_of.get((unit,), -1))]
    rows = rows.sort_values("support", ascending=False)
    if rows.empty:
        blocks = [widgets.line(widgets.text("It is frequent in no class at this support."))]
    else:
        kind = (
            "class-specific: it serves one class" if len(rows) == 1 else f"class-shared: it serves {len(rows)} classes"
        )
        tags = [
            widgets.class_tag(
                wording.class_text(study, int(row.class_id)),
                colours.get(int(row.class_id), "#888888"),
                f"{wording.share(int(row.support_count), found.patch_counts[int(row.class_id)], 'patch')}",
                **address.link("class_specific", **{"class": int(row.class_id), "itemset": unit}),
            )
            for row in rows.itertuples()
        ]
        blocks = [
            widgets.line(widgets.unit(unit, on=True), widgets.text("→"), tags, size="big"),
            widgets.line(widgets.text(kind, "faint")),
        ]
    widgets.show(blocks + known_parts.of_unit(found, unit), "serves")


def _without(found: Findings, unit: int) -> None:
    """What the class that it serves most is without it."""
    own = found.table[(found.table["size"] == 1) & (found.table["itemset_id"] == found.id_of.get((unit,), -1))]
    if len(own):
        best = own.sort_values(["support", "class_id"], ascending=[False, True]).iloc[0]
        ablation_panel.render(found, int(best["class_id"]), (unit,))


def _histogram(found: Findings, unit: int) -> None:
    study, colours = found.study, pictures.colours(found.study)
    values = np.asarray(study.features[:, unit], dtype=np.float32)
    predicted = study.images["predicted"].to_numpy()
    served = supporting.support_by_class(study, [unit], found.config.top_units)
    served = served[(served["support_count"] > 0) & served["class_id"].isin(found.classes)].head(3)
    groups = {
        wording.class_text(study, int(one)): (colours.get(int(one), "#888888"), values[predicted == one])
        for one in served["class_id"]
    }
    st.subheader("How strongly, photo by photo", anchor=False)
    figures.show(
        charts.activation_histogram(values, groups),
        key="histogram",
        name=f"unit-{unit}-activation",
        alt=f"histogram of unit {unit}'s mean activation over {len(values)} photos",
    )
    wording.paragraph(
        f"Over {wording.count(len(values), 'photo')}, the mean over the layer’s cells; grey: all photos.", "small"
    )


def _company(found: Findings, unit: int) -> None:
    near = supporting.co_occurring_units(found.study, unit, found.config.top_units)
    if near.empty:
        return
    st.subheader("The company it keeps", anchor=False)
    blocks = [
        widgets.line(
            widgets.unit(int(row.unit)),
            widgets.text(
                f"in {wording.percent(row.share)} of its patches ({row.together:,}), {row.lift:.1f} times chance",
                "faint",
            ),
            size="small",
        )
        for row in near.head(8).itertuples()
    ]
    widgets.show(blocks, "company")


def _per_class(found: Findings, unit: int) -> None:
    study, colours = found.study, pictures.colours(found.study)
    table = supporting.support_by_class(study, [unit], found.config.top_units)
    table = table[(table["support_count"] > 0) & table["class_id"].isin(found.classes)].head(10)
    if table.empty:
        return
    st.subheader("Class by class", anchor=False)
    blocks: list[widgets.Block] = []
    saved: list[list[int]] = []
    for row in table.itertuples():
        patches = supporting.one_per_photo(
            study, supporting.supporting_patches(study, [unit], found.config.top_units, row.class_id)
        )
        blocks.append(
            widgets.line(
                widgets.class_tag(
                    wording.class_text(study, row.class_id),
                    colours.get(row.class_id, "#888888"),
                    **address.link("class_specific", **{"class": row.class_id}),
                ),
                widgets.text(
                    f"{wording.share(row.support_count, row.patches, 'patch')}, "
                    f"{wording.share(row.image_count, row.images, 'photo')}",
                    "faint",
                ),
            )
        )
        saved.append(patches[:8].tolist())
        blocks.append(widgets.tiles(patch_gallery.patch_tiles(found, saved[-1], caption=False), "s", strip=8))
    widgets.show(blocks, "by_class", patch_gallery.open_chain)
    patch_gallery.save(found, saved, f"unit-{unit}-by-class")


def _itemsets(found: Findings, unit: int) -> None:
    rows = found.itemsets_with_unit(unit)
    rows = rows[rows["size"] > 1]
    if rows.empty:
        return
    keys = list(dict.fromkeys(int(key) for key in rows.sort_values("support", ascending=False)["itemset_id"]))
    st.subheader("Itemsets that hold it", anchor=False)
    wording.paragraph(
        f"{wording.count(len(keys), 'set')} of units that are frequent together, this one among them.", "small"
    )
    widgets.show(tables.itemset_lines(found, keys[:14]), "holding")
    file = wording.file_name(found.study.name, f"unit-{unit}-itemsets", "csv")
    tables.csv("All of them as CSV", lambda: tables.plain(found, rows), file)


router.enter(page)
