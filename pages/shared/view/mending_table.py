"""What ablating a set of units mends and breaks: a sentence, a table beside as many random units, and which photos."""

import html

import streamlit as st

from interpret.evaluation.heldout import Best
from interpret.evaluation.mending import Changed, Mending
from interpret.study import Study
from pages.shared import wording
from pages.shared.controls import address


def sentence(study: Study, effect: Mending, held_out: Best | None) -> None:
    """Say what ablating a set mends and breaks."""
    a, b = (html.escape(wording.class_text(study, class_id)) for class_id in (effect.label, effect.predicted))
    right = effect.right.photos + effect.right_predicted.photos + effect.right_others.photos
    what = "them" if len(effect.units) > 1 else "it"
    photos = "mined photos" if held_out is None or held_out.mined else "held-out photos"
    broken = f"breaks <b>{effect.broken:.0f} of {right:,}</b> right answers"
    if effect.errors.photos:
        wording.paragraph(
            f"On {photos}, ablating {what} mends <b>{effect.errors.estimate:.0f} of {effect.errors.photos:,}</b> "
            f"photos of {a} taken for {b}, and {broken}."
        )
    else:
        wording.paragraph(
            f"Of the {photos} of {a} none is taken for {b}, so what ablating {what} mends cannot be seen there; it "
            f"{broken}."
        )


def show(study: Study, effect: Mending, held_out: Best | None) -> None:
    """Show the effect of ablating a set on each group of photos, and which photos they are."""
    a, b = (html.escape(wording.class_text(study, class_id)) for class_id in (effect.label, effect.predicted))
    rows = [
        (f"{a} taken for {b}", effect.errors, "mended"),
        ("all other errors", effect.other_errors, "mended"),
        (f"{a}, right", effect.right, "broken"),
        (f"{b}, right", effect.right_predicted, "broken"),
        ("other classes, right", effect.right_others, "broken"),
    ]
    several = len(effect.units) > 1
    heads = (
        "photos",
        "in all",
        "without these" if several else "without it",
        "95\u00a0% interval",
        "random units" if several else "a random unit",
    )
    head = "".join(f"<th>{name}</th>" for name in heads)
    st.html(f'<table class="mending"><tr>{head}</tr>{"".join(_row(*row) for row in rows)}</table>')
    wording.paragraph(_net(effect))
    wording.paragraph(_measured_on(effect, held_out), "small")
    if held_out is None or held_out.mined:
        st.page_link(
            "pages/evaluation.py",
            label="Measure on other photos",
            icon=":material/add:",
            query_params=address.settings(),
        )


def _row(name: str, changed: Changed, verb: str) -> str:
    """One group of photos; ``name`` is HTML."""
    if not changed.photos:
        return f"<tr><td>{name}</td><td>0</td><td>–</td><td></td><td>–</td></tr>"
    low, high = changed.interval
    part = "" if changed.measured == changed.photos else f" of {changed.measured:,} drawn at random"
    digits = 1 if changed.measured >= 200 else 0
    share = f"{100 * low:.{digits}f} to {wording.percent(high, digits)}"
    random = f"{changed.random:.1f}"
    spread = f"5th to 95th percentile of the draws: {changed.low:.0f} to {changed.high:.0f}"
    cells = (
        name,
        f"{changed.photos:,}",
        f"<b>{changed.changed:,}</b> {verb}{part}",
        f'<abbr title="95 % interval of the share, over photos">{share}</abbr>',
        f'<abbr title="{spread}">{random}</abbr>',
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _net(effect: Mending) -> str:
    words = ""
    if effect.errors.photos:
        other = f"{effect.otherwise:,}" if effect.otherwise else "None"
        words = f"{other} of the errors {'becomes' if effect.otherwise == 1 else 'become'} another wrong class. "
    interval = (
        "" if effect.low != effect.low else f" (95\u00a0% interval {_points(effect.low)} to {_points(effect.high)})"
    )
    return (
        f"{words}Accuracy on all {effect.photos:,} photos: {wording.percent(effect.accuracy_before, 1)}, "
        f"{_points(effect.accuracy_change)} points{interval}."
    )


def _points(change: float) -> str:
    """A change of accuracy in points, with its sign."""
    return f"{100 * change:+.2f}".replace("-", "−")


def _measured_on(effect: Mending, held_out: Best | None) -> str:
    """Which photos the numbers are of."""
    measured = f"Measured on {wording.count(effect.photos, 'photo')}"
    if held_out is None:
        return f"{measured} that were mined as well, which flatters the units: none were held out yet."
    if held_out.mined:
        return f"{measured} that were mined as well, which flatters the units."
    return f"{measured} in {html.escape(wording.photos_of(held_out.source))}, none of which was mined."
