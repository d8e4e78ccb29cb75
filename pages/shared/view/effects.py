"""What ablating an itemset costs its classes, in words, bars and columns."""

import html
from collections.abc import Sequence

import pandas as pd

from interpret.evaluation import kept_effects
from interpret.evaluation.itemset_effects import EffectRow
from interpret.findings import Findings
from pages.shared import wording
from pages.shared.backend import cached_results, effects
from pages.shared.view import widgets


def of_itemset(findings: Findings, itemset_id: int) -> dict[int, EffectRow]:
    """The effects of an itemset by class; without those of classes that no photo was measured of."""
    return effects.shown(findings).by_itemset.get(itemset_id, {})


def with_effects(findings: Findings, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of :attr:`~interpret.findings.Findings.table` with the columns fall, random and worst (fractions)."""
    table = effects.shown(findings).table
    if table.empty:
        return rows
    keys = pd.MultiIndex.from_frame(rows[["itemset_id", "class_id"]])
    found = table.reindex(keys)
    return rows.assign(**{name: found[name].to_numpy() for name in ("fall", "random", "worst")})


def best_first(findings: Findings, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of findings as :func:`interpret.evaluation.kept_effects.best_first` orders them."""
    return kept_effects.best_first(rows, effects.shown(findings).ranked)


def points(fall: float) -> str:
    """A fall of accuracy as `57 points`, with a space that does not break."""
    number = f"{100 * fall:.0f}" if abs(fall) >= 0.095 or fall == 0 else f"{100 * fall:.1f}"
    return "–" if pd.isna(fall) else f"{number}\u00a0{'point' if number == '1' else 'points'}"


def bars(row: EffectRow, colour: str, name: str) -> widgets.Part:
    """The pair of bars of a class's fall and that of as many random units."""
    words = (
        f"{name} loses {points(row.fall)} of accuracy with these units ablated; {points(row.random)} with as many "
        "random ones"
    )
    return widgets.pair(min(max(row.fall, 0.0), 1.0), min(max(row.random, 0.0), 1.0), colour, words)


def of_class(findings: Findings, row: EffectRow, colour: str, name: str) -> list[widgets.Part]:
    """`92 % of 80 held-out photos are right; with these units ablated 9 %, with as many random ones 91 %`, and bars.

    Of photos without labels it is `Of 24 mined photos called Dog, 4 % still are with these units ablated, ...`.
    """
    after, before, random = (wording.percent(share) for share in (row.after, row.before, row.before - row.random))
    kind = "mined photo" if effects.shown(findings).mined else "held-out photo"
    first, last = (
        (f"{before} of ", f" are right; with these units ablated {after}, with as many random ones {random}")
        if cached_results.has_labels(findings.study)
        else ("Of ", f" called {name}, {after} still are with these units ablated, {random} with as many random ones")
    )
    photos = widgets.term(wording.count(row.photos, kind), wording.TERMS[f"{kind}s"], last, before=first)
    return [bars(row, colour, name), photos]


def in_list(findings: Findings, itemset_id: int) -> list[widgets.Part]:
    """For a list: what the class loses that loses least; where that is nothing, what the one loses that loses most."""
    rows = of_itemset(findings, itemset_id)
    if not rows:
        return []
    falls = [row.fall for row in rows.values()]
    least, most = min(falls), max(falls)
    if least > 0:
        words = f"costs {'at least ' if len(rows) > 1 else ''}{points(least)}"
    else:
        words = f"costs up to {points(most)}, but not every class" if most > 0 else "costs nothing"
    return [widgets.text(words, "faint")]


def others(findings: Findings, rows: Sequence[EffectRow]) -> list[widgets.Block]:
    """A line on the classes that do not share the itemset: the one that loses most, and the mean."""
    if not rows:
        return []
    row, study = rows[0], findings.study
    mined = effects.shown(findings).mined
    on = "the mined photos, which flatters the units" if mined else "held-out photos"
    if not cached_results.has_labels(study):
        on += "; they have no labels, so what the model says with all units active counts as right"
    if row.worst_class < 0:
        return [widgets.line(widgets.text(f"Measured on {on}.", "faint"), size="small")]
    name = wording.class_text(study, row.worst_class)
    words = (
        f"No other class loses accuracy without them; measured on {on}."
        if row.worst <= 0
        else f"Of the other classes {name} loses most without them, {points(row.worst)}; the mean of all others is "
        f"{points(row.others)}; measured on {on}."
    )
    return [widgets.line(widgets.text(words, "faint"), size="small")]


def notice(findings: Findings, *, held_out: bool = True) -> None:
    """Say which damaged files are in the way of the effects; nothing if none is.

    Args:
        findings: the study and its itemsets.
        held_out: whether to name damaged held-out photos too: without them, effects are measured on others. The panel
            of :mod:`pages.shared.view.ablation_panel` names them itself.
    """
    sentences = [effects.shown(findings).damaged, *(cached_results.heldout_damages(findings.study) if held_out else ())]
    for sentence in filter(None, sentences):
        wording.paragraph(html.escape(sentence), "small")
