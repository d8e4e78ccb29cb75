"""What was measured of itemsets, said in sentences that the command line and the dashboard share."""

import pandas as pd

from interpret import frames
from interpret.evaluation.itemsets.summary import SummaryRow
from interpret.words import count

Figures = dict[tuple[str, str, str], SummaryRow]

NOTHING_SUPPORTED = "No itemset is supported against the contrast, so there is none to compare with single units."


def figures_of(beyond: pd.DataFrame, top_units: int) -> Figures:
    """The figures at one N, by part, measure and size."""
    rows = frames.rows(beyond, SummaryRow)
    return {(row.part, row.measure, row.size): row for row in rows if row.top_units == top_units}


def top_units_of(beyond: pd.DataFrame) -> list[int]:
    """Each N that was measured, the largest first: the default comes before the shorter transactions."""
    return sorted({int(n) for n in beyond["top_units"]}, reverse=True)


def causal_sentences(figures: Figures) -> list[str]:
    """Minimal causal sets: their sizes, what they are compared with, and the sets that halve a class."""
    return [*size_sentences(figures), *set_sentences(figures), *halving_sentences(figures)]


def size_sentences(figures: Figures) -> list[str]:
    """How few units change a photo's prediction."""
    sizes = {size: figures.get(("causal sets", "size", size)) for size in ("1", "2", "3", "4+", "none")}
    one, none = sizes["1"], sizes["none"]
    if one is None or none is None:
        return [NOTHING_SUPPORTED]
    shares = ", ".join(
        f"{_percent(row.value)} with {words}"
        for words, row in (("two", sizes["2"]), ("three", sizes["3"]), ("four or more", sizes["4+"]))
        if row is not None
    )
    return [
        f"Of {one.n:,} held-out photos predicted correctly, {_percent(one.value)} ({_range(one)}) change their "
        f"prediction when one unit of their class’s supported itemsets is ablated, {shares}; "
        f"{_percent(none.value)} ({_range(none)}) keep it whichever of these units are ablated."
    ]


def set_sentences(figures: Figures) -> list[str]:
    """Whether itemsets add anything to the choice of units: minimal sets inside them, and sets of the same size."""
    told = []
    whole, one, inside, drawn, gain, alone = (
        figures.get(("causal sets", name, "2+"))
        for name in ("is_itemset", "is_itemset_random", "inside", "inside_random", "inside_gain", "any_evidence")
    )
    if whole and inside and drawn and gain:
        random = _percent(drawn.value)
        if one:  # results of the first version with these measures do not have it
            random += f" and {_percent(one.value)}"
        told.append(
            f"Of the minimal sets of two units or more, {_percent(inside.value)} are inside an itemset and "
            f"{_percent(whole.value)} are one; of random sets as large and as frequent, {random}. Inside: "
            f"{_points(gain)}. "
            + _verdict(
                gain,
                "Units that change a prediction together are mined together more often than chance says.",
                "Units that change a prediction together are mined together less often than chance says.",
                "That is no more than chance.",
            )
        )
    if alone:
        told.append(
            f"As many units of most evidence as are in its minimal set change {_percent(alone.value)} "
            f"({_range(alone)}) of these {count(alone.n, 'prediction')}."
        )
    best, evident, better = (
        figures.get(("causal sets", name, "2+")) for name in ("changed_itemset", "changed_evidence", "itemset_gain")
    )
    if best is not None and evident is not None and better is not None:
        told.append(
            f"Where there are itemsets of that size ({count(best.n, 'photo')}), the one of most evidence changes "
            f"{_percent(best.value)}, as many units of most evidence {_percent(evident.value)}: {_points(better)}. "
            + _verdict(
                better,
                "Here an itemset does better than as many single units.",
                "To change a prediction, single units of most evidence are the better choice.",
                "To change a prediction, itemsets add nothing to single units of most evidence.",
            )
        )
    return told


def firing_sentences(figures: Figures) -> list[str]:
    """Joint firing: in held-out photos, mined ones and the contrast."""
    held, own, contrast, beyond = (
        figures.get(("joint firing", name, "all"))
        for name in ("held_fixed_ratio", "fixed_ratio", "contrast_fixed_ratio", "beyond_noise")
    )
    if held is None or own is None or contrast is None or beyond is None:
        return ["No itemset of two units or more is supported against the contrast."]
    return [
        f"In held-out photos the units of an itemset come together {_times(held)} as often as independent picks of "
        f"as many units would, beyond noise for {_percent(beyond.value)} of {count(beyond.n, 'itemset')} (q <= 0.05). "
        + _verdict(
            held,
            "The itemset says more than its units’ single supports.",
            "Units of an itemset come together less often than their single supports say.",
            "The itemset says no more than its units’ single supports.",
            neutral=1.0,
        ),
        f"In the photos that they were mined from it is {_times(own)}, in the contrast {_times(contrast)}; the "
        "contrast mixes photos of many classes, which by itself brings units together.",
    ]


def transfer_sentences(figures: Figures) -> list[str]:
    """Transfer: mined photos, held-out ones, the contrast, and wrong predictions."""
    mined, held, fall, contrast = (
        figures.get(("transfer", name, "all")) for name in ("mined", "held", "shrinkage", "contrast")
    )
    if mined is None or held is None or fall is None or contrast is None:
        return ["No supported itemset belongs to a class of the held-out photos."]
    told = [
        f"An itemset is in {_percent(mined.value, 1)} of its class’s mined photos and in {_percent(held.value, 1)} "
        f"({_range(held)}) of {held.n:,} held-out photos predicted as the class, against {_percent(contrast.value, 1)} "
        f"of the contrast (means over itemsets and classes). Mined less held-out: {_points(fall)}. "
        + _verdict(
            fall, "Some of what is mined is found in its own photos only.", "", "It is found again as often.",
        )
    ]  # fmt: skip
    right, wrong, gain = (figures.get(("transfer", name, "all")) for name in ("right", "wrong", "right_gain"))
    if right is not None:
        words = f"Photos predicted correctly hold it in {_percent(right.value, 1)}"
        if wrong is None:
            words += "; no held-out photo of another class is predicted as one of these."
        else:
            words += f", the {count(wrong.n, 'wrong prediction')} of these classes in {_percent(wrong.value, 1)}"
            words += f" ({_range(wrong)})" if wrong.low == wrong.low else ", too few for an interval"
            words += f"; correct less wrong within a class: {_points(gain)}." if gain is not None else "."
        told.append(words)
    foreign = figures.get(("transfer", "foreign", "all"))
    if foreign is not None:
        told.append(
            f"{count(foreign.n, 'more photo')} are predicted as a mined class that no held-out photo is of, always "
            f"wrongly; {_percent(foreign.value, 1)} hold its itemsets."
        )
    return told


def halving_sentences(figures: Figures) -> list[str]:
    """In how many classes a few units cost half of the correct predictions."""
    sizes = {size: figures.get(("halving", "size", size)) for size in ("1", "2", "3", "4+", "none")}
    none = sizes["none"]
    if none is None:
        return []
    found = [
        f"{round(row.value * row.n)} with {words}"
        for words, row in zip(("one unit", "two", "three", "four to ten"), sizes.values(), strict=False)
        if row is not None and row.value > 0
    ]
    many = count(none.n, "class", "classes")
    if not found:
        return [f"Of {many}, none loses half of its correct predictions with up to ten of these units ablated."]
    itemset = figures["halving", "itemset", "all"]
    return [
        f"Of {many}, {none.n - round(none.value * none.n)} lose half of their correct predictions with up to ten of "
        f"these units ablated: {', '.join(found)}; in {round(itemset.value * itemset.n)} an itemset does it."
    ]


def _verdict(row: SummaryRow, above: str, below: str, neither: str, *, neutral: float = 0.0) -> str:
    """What a figure says: by whether its interval is above ``neutral``, below it, or holds it.

    A difference says nothing at 0, a ratio at 1.
    """
    if row.low != row.low:
        return "There are too few photos to tell."
    return above if row.low > neutral else below if row.high < neutral else neither


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f}\u00a0%"


def _range(row: SummaryRow) -> str:
    return f"{100 * row.low:.1f} to {100 * row.high:.1f}\u00a0%"


def _points(row: SummaryRow) -> str:
    words = f"{100 * row.value:+.1f} points"
    return words if row.low != row.low else f"{words} ({100 * row.low:+.1f} to {100 * row.high:+.1f})"


def _times(row: SummaryRow) -> str:
    words = f"{row.value:.2f} times"
    return words if row.low != row.low else f"{words} ({row.low:.2f} to {row.high:.2f})"
