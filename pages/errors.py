"""Why is A taken for B? Confusion pairs, the sets that tell errors from right photos, and what ablating one mends."""

import html

import streamlit as st

from interpret import frames
from interpret.confusion.differences import ERRORS
from interpret.confusion.pairs import PairRow
from interpret.errors import ExplosionError, InputError
from interpret.evaluation.error_sets import ErrorSetRow, ErrorSets
from interpret.evaluation.mending import Mending
from interpret.evaluation.unit_list import sets_table, unit_list
from interpret.study import Study
from pages.shared import router, wording
from pages.shared.backend import cached_results, confusions, messages, pictures
from pages.shared.controls import address, paging, thresholds
from pages.shared.view import confusion_list, empty, error_galleries, mending_table, naming, saved_tables, widgets

LISTED = 5
"""Sets on one page of their list (count)."""

PAGE_PARAM = "sets"
"""The parameter in the address for the page of the list of sets."""

NO_PAIR = "Why is one class taken for another?"

APPLY = """import interpret

listed = interpret.read_unit_list({file!r})
listed.check(network)  # refuses other weights than these units were found in
mended = interpret.ablated(  # a copy; yours stays as it is
    network, listed.layer, listed.units, listed.input_size, signed=listed.signed, codes=listed.codes
)
"""


def page() -> None:
    title, study, config = thresholds.title_and_thresholds()
    heading = title.empty()
    # Read here, so that a damaged table or array is reported as on every page.
    _ = study.images, study.patches, study.ranked, study.contrast, study.ranked_contrast, study.features
    try:
        pairs = confusions.pairs(study)
    except InputError as error:  # no photo has a label
        _header(heading, NO_PAIR)
        empty.say(messages.of(error), empty.STUDY, empty.EXPLAIN)
        return
    if pairs.empty:
        _header(heading, NO_PAIR)
        count = int(study.images["label"].notna().sum())
        empty.say(
            f"The model is right for all {wording.count(count, 'labelled photo')} of this study, so there is no error "
            "to explain.",
            empty.STUDY,
            empty.EXPLAIN,
        )
        return
    rows = frames.rows(pairs, PairRow)
    chosen = _chosen_pair(study, rows)
    a, b = (wording.class_text(study, class_id) for class_id in chosen)
    _header(heading, f"Why is {a} taken for {b}?")
    left, right = st.columns([4, 9], gap="large")
    with left:
        _pairs_of(study, rows)
        confusion_list.show(study, pairs, chosen, _open_pair)
    with right:
        try:
            sets = confusions.sets(study, *chosen, config)
        except ExplosionError as error:
            st.error(wording.markdown(messages.of(error)))
            thresholds.offer_thresholds_that_pass(study, error)
            return
        except InputError as error:  # a photo, or the network, is not here
            st.info(wording.markdown(messages.of(error)))
            return
        row = _chosen_set(sets)
    with left:
        _sets(study, sets, row)
    with right:
        if row is None:
            error_galleries.show(study, sets, (), chosen[1], config.top_units)
            return
        effect = _set(study, sets, row)
        error_galleries.show(study, sets, row.units, row.target, config.top_units)
        _effect(study, sets, row, effect)


def _header(heading: st.delta_generator.DeltaGenerator, title: str) -> None:
    with heading.container():
        wording.header(title)


def _chosen_pair(study: Study, rows: list[PairRow]) -> tuple[int, int]:
    """The pair in the address, else the most frequent one, with a sentence where the address asks for another."""
    listed = [(row.label, row.predicted) for row in rows]
    asked = st.query_params.get("pair")
    if asked is None:
        return listed[0]
    numbers = [address.whole_number(part) for part in asked.split("-")]
    for pair in listed:
        if numbers == list(pair):
            return pair
    known = len(numbers) == 2 and all(n is not None and n < len(study.class_names) for n in numbers)
    if known and numbers[0] != numbers[1]:
        a, b = (wording.markdown(wording.class_text(study, int(n or 0))) for n in numbers)
        said = f"No photo of {a} is taken for {b} in this study"
    else:
        said = "The address names no pair of classes of this study"
    st.warning(f"{said}; the most frequent pair is shown.")
    return listed[0]


def _open_pair(act: dict) -> None:
    """Write a clicked pair into the address; what belongs to the former one is dropped."""
    if "pair" in act:
        address.change({"pair": act["pair"]}, ("itemset", "target", PAGE_PARAM))


def _open_set(act: dict) -> None:
    if "itemset" in act:
        address.change({"itemset": act["itemset"], "target": act["target"]})


def _pairs_of(study: Study, rows: list[PairRow]) -> None:
    accuracy = study.accuracy()
    assert accuracy is not None
    wrong = sum(row.errors for row in rows)
    wording.paragraph(
        f"{wrong:,} of {wording.count(accuracy[1], 'labelled photo')} are taken for another class, in "
        f"{wording.count(len(rows), 'pair')}."
    )


def _chosen_set(sets: ErrorSets) -> ErrorSetRow | None:
    """The set in the address, else the first one, with a sentence where the address asks for another."""
    listed = frames.rows(sets.table, ErrorSetRow)
    asked, target = st.query_params.get("itemset"), address.whole_number(st.query_params.get("target"))
    if asked is not None:
        units = address.itemset_from(asked)
        for row in listed:
            if row.units == units and target in (None, row.target):
                return row
        st.warning(
            "The set of units in the address is not among those of this pair at these thresholds"
            + ("; the first one is shown." if listed else ".")
        )
    return listed[0] if listed else None


def _sets(study: Study, sets: ErrorSets, chosen: ErrorSetRow | None) -> None:
    """What tells errors from right photos, in a sentence and as a list; a click on a set shows it."""
    pair, colours = sets.pair, pictures.colours(study)
    a, b = (html.escape(wording.class_text(study, class_id)) for class_id in (pair.label, pair.predicted))
    significant = int(sets.found.table["significant"].sum())
    compared = (
        f"{wording.count(len(pair.errors), 'error')} against {wording.count(len(pair.right), 'right photo')} of {a}, "
        f"both explained as {b} and as {a}."
    )
    if chosen is None:
        wording.paragraph(f"{compared} No set of units is in two patches of one group and more frequent there.")
        return
    term = wording.term("beyond chance")
    if significant:
        found = f"{wording.count(significant, 'set')} of units {'differs' if significant == 1 else 'differ'} {term}."
    else:
        found = (
            f"No set of units differs {term}: with {wording.count(len(pair.errors), 'error')} only a large difference "
            "could. Those that differ most are listed."
        )
    wording.paragraph(f"{compared} {found}")
    rows = frames.rows(sets.table, ErrorSetRow)
    pages = -(-len(rows) // LISTED)
    page = paging.page_of(PAGE_PARAM, pages, "sets")
    lines = []
    for row in rows[(page - 1) * LISTED : page * LISTED]:
        name = wording.class_text(study, row.target)
        errors, right = row.error_count / row.error_photos, row.right_count / row.right_photos
        words = f"in {wording.percent(errors)} of the errors and {wording.percent(right)} of the right photos"
        lines.append(
            widgets.line(
                widgets.units(row.units),
                naming.given(study, row.units),
                widgets.class_tag(
                    name,
                    colours.get(row.target, "#888888"),
                    pair=widgets.pair(errors, right, colours.get(pair.predicted, "#888888"), words),
                ),
                widgets.text(
                    f"{row.error_count} of {row.error_photos} errors, {row.right_count} of {row.right_photos} right",
                    "faint",
                ),
                [] if row.significant else widgets.text("may be chance", "warn"),
                act={"itemset": address.itemset_param(row.units), "target": row.target},
                on=row == chosen,
                title=f"explained as {name}: {words}",
            )
        )
    widgets.show(lines, "error_sets", _open_set)
    with st.container(horizontal=True):
        paging.buttons(PAGE_PARAM, pages)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        held_out = cached_results.heldout_photos(study)
        measured = "" if held_out is None or held_out.mined else "; what a set mends is measured on others"
        largest = wording.count(sets.found.largest, "unit")
        wording.paragraph(f"Sets of at most {largest}, ranked on these photos{measured}.", "small")
        name = wording.file_name(study.name, f"{pair.label}-{pair.predicted}", "error-sets", "csv")
        saved_tables.buttons("All sets", lambda: sets_table(study, sets), name)


def _set(study: Study, sets: ErrorSets, row: ErrorSetRow) -> Mending | InputError:
    """The chosen set: where it is found, and in a sentence what ablating it does; returns the effect, or why not."""
    pair, colours = sets.pair, pictures.colours(study)
    name = wording.class_text(study, row.target)
    more = "errors" if row.more_in == ERRORS else "right photos"
    blocks = [
        widgets.line(
            widgets.units(row.units),
            naming.given(study, row.units),
            widgets.text("for"),
            widgets.class_tag(name, colours.get(row.target, "#888888")),
            size="big",
        ),
        widgets.line(
            widgets.text(
                f"More often in the {more}: in {row.error_count} of {row.error_photos} errors and "
                f"{row.right_count} of {row.right_photos} right photos, explained as {name}."
            ),
            widgets.measure("q", wording.small_number(row.q_value), wording.TERMS["beyond chance"]),
            [] if row.significant else widgets.text("may be chance", "warn"),
        ),
    ]
    try:
        effect = confusions.effect(study, pair.label, pair.predicted, row.units)
    except InputError as error:
        widgets.show(blocks, "error_set")
        return error
    widgets.show(blocks, "error_set")
    mending_table.sentence(study, effect, cached_results.heldout_photos(study))
    return effect


def _effect(study: Study, sets: ErrorSets, row: ErrorSetRow, effect: Mending | InputError) -> None:
    """What ablating the chosen set does to each group of photos, and its units to take along."""
    held_out = cached_results.heldout_photos(study)
    st.header("With these units ablated" if len(row.units) > 1 else "With this unit ablated", anchor=False)
    if isinstance(effect, InputError):
        wording.paragraph(html.escape(str(effect)))
    else:
        mending_table.show(study, effect, held_out)
        for sentence in cached_results.heldout_damages(study):
            wording.paragraph(html.escape(sentence), "small")
    source = held_out.source if held_out is not None else study.images_source
    _take_along(study, sets, row, None if isinstance(effect, InputError) else effect, source)


def _take_along(study: Study, sets: ErrorSets, row: ErrorSetRow, effect: Mending | None, source: str) -> None:
    """Buttons that save the units, and how they are applied."""
    pair, units = sets.pair, row.units
    file = wording.file_name(study.name, f"{pair.label}-{pair.predicted}", address.itemset_param(units), "json")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "These units as JSON",
            lambda: unit_list(study, units, row, effect, source, pair.label, pair.predicted).text().encode(),
            file,
            "application/json",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            key="save_units",
            help="the units, the network that they are of, and what ablating them did",
        )
        with st.popover("Apply them", icon=":material/code:", type="tertiary"):
            st.markdown("To your own network, in Python:")
            st.code(APPLY.format(file=file), language="python")


router.enter(page)
