"""Text on the pages: numbers with units, names of classes and files, terms with tooltips, titles, paragraphs."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import streamlit as st

from interpret import words
from interpret.stats import wilson
from interpret.words import itemset_text as itemset_text
from interpret.words import percent as percent
from interpret.words import photos_of as photos_of
from interpret.words import small_number as small_number

if TYPE_CHECKING:
    from interpret.findings import Findings
    from interpret.study import Study

TERMS = {
    "unit": "one channel of the chosen layer",
    "patch": "a region of a photo that the explanation highlights",
    "carry": "to be frequent in the class's patches, alone or in an itemset; whether the class needs the units is "
    "another question, which ablating them answers",
    "itemset": "a set of units that are often found together in patches",
    "support": "the share of a class's patches that hold all units of the itemset",
    "confidence": "of the patches that hold the itemset, the share predicted as this class",
    "lift": "confidence divided by the class's share of all patches; 1 is chance",
    "contrast support": "the same share among the contrast patches: those of photos that the model calls something "
    "else, explained for this class all the same",
    "contrast lift": "support divided by contrast support: how many times as often the class's own patches hold the "
    "itemset; for a shared one the smallest of its classes'",
    "costs": "by how many percentage points the class's accuracy falls when all units of the itemset are ablated, on "
    "held-out photos where there are some; of photos without labels, what the model says with all units active counts "
    "as right",
    "held-out photos": "photos that were not mined: set aside by the run, or given to an evaluation; what is measured "
    "on them was not chosen there",
    "mined photos": "the photos that the itemsets were found in; what is measured on them flatters the units",
    "random units": "the same with as many random units ablated, mean of 20 draws (5 where a head "
    "that is not one linear map has to be run for each)",
    "others": "the same for the class that falls most of those in which the itemset is not frequent",
    "q-value": "the share of false findings to expect among this and all stronger ones, tested against the contrast; "
    "each photo counts once",
    "supported": "in every class of the itemset the q-value against the contrast is at most 0.05 and the contrast "
    "lift 2 or more",
    "beyond chance": "the q-value is at most 0.05: Fisher's exact test over photos, corrected for every set of units "
    "that could have been found",
    "stable": "in what share of 100 resampled sets of photos the itemset is frequent and of the same kind",
    "again": "in what share of 100 resampled sets of photos the itemset is frequent in this class",
    "lifted": "in what share of 100 resampled sets of photos, own and contrast, the itemset is frequent in this class "
    "with a contrast lift of 2 or more",
    "chance": "permutation test: the own and the contrast photos of each class are shuffled 200 times; this is the "
    "share of shufflings in which any set of units is as strongly tied to a class as this one. The smallest value is "
    "0.005; a dash means that too few photos hold the itemset",
    "counterpart": "the unit of the other study that it is matched with, if their mean activations over the photos of "
    "both correlate at 0.5 or more",
    "near-duplicates": "itemsets that nearly the same patches hold: of the patches that hold one of two, at least "
    "70 % hold both (Jaccard similarity)",
    "trustworthiness": "how far units that are near on the map are near by what they are found with: 1 if all of a "
    "unit's ten nearest on the map are its ten nearest, less the further down they rank otherwise, about 0.5 with "
    "places drawn at random",
    "auroc": "how often the word fits a patch that holds the unit better than one that does not, on photos that did "
    "not choose it; 0.5 is chance",
    "transaction": "a patch encoded as the set of its strongest units, with the predicted class; where there is a "
    "contrast, only units that score higher than in nearly all of it (on the poster, all N)",
}


def term(word: str, shown: str | None = None) -> str:
    """A word of :data:`TERMS` as HTML with its meaning as a tooltip, ``shown`` in its place if given."""
    return f'<abbr title="{html.escape(TERMS[word])}">{html.escape(shown or word)}</abbr>'


def paragraph(text: str, kind: str = "said") -> None:
    """Show a paragraph; ``text`` is HTML in which data has been escaped."""
    st.html(f'<p class="{kind}">{text}</p>')


def header(title: str, question: str = "") -> None:
    """Show the page's title, and below it the question that it answers."""
    st.title(markdown(title), anchor=False)
    if question:
        paragraph(html.escape(question), "question")


def facts(pairs: list[tuple[str, str]]) -> None:
    """Show names and values side by side; both are escaped."""
    inner = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in pairs)
    st.html(f'<dl class="facts">{inner}</dl>')


def markdown(text: str) -> str:
    """Text with Markdown's special characters escaped."""
    return "".join(f"\\{mark}" if mark in r"\`*_{}[]<>()#+-.!|~:$@^=" else mark for mark in text)


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 photo`, `2,000 photos`, with a space that does not break."""
    return words.count(number, singular, plural).replace(" ", "\u00a0", 1)


def device(name: str) -> str:
    """`the CPU`, `the GPU (cuda)`."""
    return words.device(name)


def share(part: int, whole: int, noun: str) -> str:
    """`61 % of 394 patches`."""
    return (
        f"{percent(part / whole if whole else 0.0)} of {count(whole, noun, noun + ('es' if noun == 'patch' else 's'))}"
    )


def probability(value: float) -> str:
    """`probability 93 %`: what the model gives its answer for the whole photo."""
    return f"probability {percent(value)}"


def interval(share: float, whole: int, digits: int = 1) -> str:
    """Wilson's 95 % interval of a counted share: `93.8 to 96.7 %`."""
    low, high = (float(end) for end in wilson(share * whole, whole))
    return f"{100 * low:.{digits}f} to {percent(high, digits)}"


def of_transaction(findings: Findings, held: int | None = None) -> str:
    """What a transaction holds, as a phrase; ``held`` is the number of units of a certain one (count)."""
    n = findings.config.top_units
    if not findings.contrastive:
        return f"its {count(n if held is None else held, 'strongest unit')}, best first"
    if held == n:
        return f"its {count(n, 'strongest unit')}: {'it exceeds' if n == 1 else 'all exceed'} the contrast"
    those = "those" if held is None else str(held)
    return f"{those} of its {count(n, 'strongest unit')} that {'exceeds' if held == 1 else 'exceed'} the contrast"


def class_text(opened: Study, class_id: int) -> str:
    """A class's short name: without synonyms after a comma, unless another class would get the same name."""
    if opened not in _CLASS_TEXTS:
        _CLASS_TEXTS[opened] = words.short_names(opened.class_names)
    texts = _CLASS_TEXTS[opened]
    return texts[class_id] if 0 <= class_id < len(texts) else f"Class {class_id}"


_CLASS_TEXTS: WeakKeyDictionary[Study, list[str]] = WeakKeyDictionary()
"""Short names, computed once for an opened study: a page names classes a thousand times."""


def file_name(*parts: str) -> str:
    """A file name for any system from its parts, the last of them the extension: `demo-Bird-1-51.png`."""
    return "-".join(re.sub(r"[^\w.]+", "-", part).strip("-.") for part in parts[:-1]) + "." + parts[-1]
