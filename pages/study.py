"""What am I looking at, and how do I look at my own? The open study and its best finding; others; a new one."""

import html

import streamlit as st

from interpret import frames
from interpret.errors import ExplosionError
from interpret.findings import Findings, supporting
from interpret.findings.rows import ClassSupport
from interpret.study import Study
from interpret.study.codes import units_in_words
from interpret.study.schema import ImageRow
from pages.shared import router, wording
from pages.shared.backend import cached_results, headline, messages, pictures, places, reports, studies
from pages.shared.controls import address, current_study, name_files, new_study, own_studies, stand
from pages.shared.view import (
    contrast,
    data_table,
    effects,
    empty,
    naming,
    patch_chain,
    patch_gallery,
    run_progress,
    widgets,
)


def page() -> None:
    study = current_study.opened()
    try:
        findings = cached_results.findings(study, study.mine_config)
    except ExplosionError as error:
        st.error(wording.markdown(messages.of(error)))
        findings = None
    if findings is not None:
        _finding(findings)
    if stand.is_on():  # what is shown, and no settings
        if findings is not None:
            patch_chain.show_if_asked(findings)
        return
    st.divider()
    _about(study, findings.mined.device if findings is not None else None)
    with st.container(horizontal=True):
        st.download_button(
            "Save as a report",
            lambda: reports.report(study),
            wording.file_name(study.name, "report", "html"),
            "text/html",
            key="save_report",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="findings, galleries, Table 1, method and settings in one HTML file, which needs no network",
        )
        name_files.offer(study)
    run_progress.running()
    left, right = st.columns(2, gap="large")
    with left:
        _others(study)
    with right:
        new_study.form()
    if findings is not None:
        patch_chain.show_if_asked(findings)


def _finding(findings: Findings) -> None:
    """Show the best finding in words and photos."""
    study, colours = findings.study, pictures.colours(findings.study)
    best = headline.headline(findings)
    if best is None:
        wording.header("Which units carry which classes?")
        empty.nothing_found(findings)
        _photos(study)
        return
    units, classes = best
    names = [wording.class_text(study, class_id) for class_id in classes]
    word = "units" if len(units) > 1 else "unit"
    if len(classes) > 1:
        wording.header(f"{_list(names)} share {word} {_list([str(unit) for unit in units])}")
    else:
        wording.header(f"{names[0]} is carried by {word} {_list([str(unit) for unit in units])}")
    supports = supporting.support_by_class(study, units, findings.config, outside=classes)
    by_class = {row.class_id: row for row in frames.rows(supports, ClassSupport)}
    blocks: list[widgets.Block] = [
        widgets.line(
            widgets.text(
                "Where the model looked in photos of each class: patches in which"
                if len(classes) > 1
                else "Where the model looked: patches in which"
            ),
            widgets.units(units),
            widgets.text("is among the strongest:" if len(units) == 1 else "are among the strongest:"),
        ),
    ]
    costs = effects.of_itemset(findings, findings.id_of[units])
    shown = sorted(classes, key=lambda class_id: -by_class[class_id].support)[:4]
    saved: list[list[int]] = []
    pictured = False
    for class_id in shown:
        row = by_class[class_id]
        patches = supporting.one_per_photo(
            study, supporting.supporting_patches(study, units, findings.config, class_id)
        )
        saved.append(patches[: 7 if len(shown) > 1 else 14].tolist())
        parts = patch_gallery.patch_tiles(findings, saved[-1], caption=False)
        pictured = pictured or bool(parts)
        name, colour = wording.class_text(study, class_id), colours.get(class_id, "#888888")
        blocks.append(
            widgets.line(
                widgets.class_tag(
                    name,
                    colour,
                    **address.link("class_specific", **{"class": class_id, "itemset": address.itemset_param(units)}),
                ),
                contrast.bars(row.support, row.contrast_support, colour, name),
                contrast.beside(wording.share(row.support_count, row.patches, "patch"), row.contrast_support, name),
            )
        )
        if class_id in costs:
            blocks.append(widgets.line(effects.of_class(findings, costs[class_id], colour, name), size="small"))
        if parts:
            blocks.append(widgets.tiles(parts, "m", strip=7 if len(shown) > 1 else 0))
    blocks += contrast.verdict(findings, units) + effects.others(findings, [*costs.values()])
    more = "class_shared" if len(classes) > 1 else "class_specific"
    params = {"itemset": address.itemset_param(units), **({} if len(classes) > 1 else {"class": classes[0]})}
    blocks.append(widgets.line({"t": "link", "text": "More like this →", **address.link(more, **params)}))
    if not pictured:
        patch_gallery.missing(study)
    naming.show(findings, units)
    widgets.show(blocks, "finding", patch_gallery.open_chain)
    contrast.notice(study)
    effects.notice(findings)
    itemsets = findings.table.groupby("itemset_id")["supported"].first().tolist()
    if said := contrast.counts(findings, itemsets, None, "itemset"):
        wording.paragraph(said, "small")
    if pictured:
        patch_gallery.save(findings, saved, address.itemset_param(units))


def _photos(study: Study) -> None:
    """Show photos of the study if there is no finding."""
    images = study.images.head(14)
    parts = [
        widgets.tile(
            source,
            f"photo {row.path}",
            name=wording.class_text(study, row.predicted),
            note=wording.probability(row.confidence),
            colour=pictures.colours(study).get(row.predicted, "#888888"),
            **address.link("explain", image=row.image_id),
        )
        for row, source in zip(
            frames.rows(images, ImageRow), pictures.thumbnails(study, images["image_id"].tolist()), strict=True
        )
        if source
    ]
    if parts:
        wording.paragraph("A click on a photo explains it.")
        widgets.show([widgets.tiles(parts, "m")], "photos")


def _list(words: list[str]) -> str:
    """`Bird, Dog and Car`; at most five parts."""
    if len(words) > 5:
        words = [*words[:4], f"{len(words) - 4} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _about(study: Study, mined_on: str | None) -> None:
    """Show the open study in one line, the device that mined it at the end, and which files were skipped."""
    pairs = [
        ("Study", study.name),
        ("Model", f"{study.model}, layer {study.layer}, {units_in_words(study.n_units, study.recorded.codes)}"),
        (
            "Photos",
            f"{len(study.images):,}, in "
            f"{wording.count(study.images['predicted'].nunique(), 'predicted class', 'predicted classes')}",
        ),
        ("Patches", f"{len(study.patches):,}"),
    ]
    if study.hold_out:
        pairs.append(("Set aside", f"{wording.percent(study.hold_out)} of the photos of each class"))
    accuracy = study.accuracy()
    if accuracy:
        share, n = accuracy
        photos = f"{wording.count(n, 'mined photo')} with a label"
        said = f"{wording.percent(share, 1)} ({wording.interval(share, n)}) of {photos}"
        pairs.append(("Accuracy (95\u00a0% interval)", said))
    if mined_on:
        pairs.append(("Mined on", wording.device(mined_on)))
    wording.facts(pairs)
    skipped = study.skipped
    without = len(study.images) - study.patches["image_id"].nunique()
    if len(skipped) or without:
        with st.expander(
            f"{wording.count(len(skipped), 'file')} skipped, {wording.count(without, 'photo')} without a patch"
        ):
            if len(skipped):
                data_table.show(skipped, alt="files that were skipped, and why")
            if without:
                wording.paragraph(f"Photos without a patch: {empty.why_no_patch(study)}", "small")


def _others(study: Study) -> None:
    st.header("Open another study", anchor=False)
    if len(studies.names()) < 2:
        wording.paragraph(f"This is the only one in {html.escape(str(places.studies_root()))}.", "small")
    else:
        current_study.offer_others(study.name)
    own_studies.offer()


router.enter(page)
