"""Words on the pages: numbers with their units, names of classes and files, terms, titles and paragraphs."""

from __future__ import annotations

import html
import re
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pandas as pd
import streamlit as st

from interpret.stats import wilson

if TYPE_CHECKING:
    from interpret.study import Study

TERMS = {
    "unit": "one channel of the layer that is looked into",
    "patch": "a region of a photo that the explanation highlights",
    "itemset": "a set of units that are often found together in patches",
    "support": "the share of a class's patches that hold all units of the itemset",
    "confidence": "of the patches that hold the itemset, the share that is of this class",
    "lift": "how many times more often the itemset is of this class than chance would have it",
    "q-value": "the share of false findings to expect if this one and all stronger ones are believed; each photo "
    "counts once",
    "stable": "in what share of 100 resampled sets of photos the itemset is frequent again and of the same kind",
    "again": "in what share of 100 resampled sets of photos the itemset is frequent in this class again",
    "chance": "how often chance does as well: the classes are shuffled among the photos 200 times, and this is the "
    "share of shufflings in which any set of units at all looks as strongly tied to a class as this one does; 0.005 is "
    "the least that can come out, and a dash stands where too few photos hold the itemset to judge it",
    "transaction": "a patch written as the set of its strongest units",
}


def term(word: str, shown: str | None = None) -> str:
    """A term as HTML that explains itself when pointed at; only for words of :data:`TERMS`."""
    return f'<abbr title="{html.escape(TERMS[word])}">{html.escape(shown or word)}</abbr>'


def paragraph(text: str, kind: str = "said") -> None:
    """A paragraph; ``text`` is HTML of ours whose data has been escaped."""
    st.html(f'<p class="{kind}">{text}</p>')


def header(title: str, question: str = "") -> None:
    """The page's title, and the question it answers beneath."""
    st.title(markdown(title), anchor=False)
    if question:
        paragraph(html.escape(question), "question")


def facts(pairs: list[tuple[str, str]]) -> None:
    """A few names and values side by side; both are escaped."""
    inner = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in pairs)
    st.html(f'<dl class="facts">{inner}</dl>')


def markdown(text: str) -> str:
    """Text with everything that Markdown would act on made plain."""
    return "".join(f"\\{mark}" if mark in r"\`*_{}[]<>()#+-.!|~:$@^=" else mark for mark in text)


def percent(value: float, digits: int = 0) -> str:
    """A fraction as `61 %`, with a space that does not break."""
    return "–" if pd.isna(value) else f"{100 * value:.{digits}f}\u00a0%"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 photo`, `2,000 photos`."""
    return f"{number:,}\u00a0{one if number == 1 else many or one + 's'}"


def share(part: int, whole: int, noun: str) -> str:
    """`61 % of 394 patches`."""
    return (
        f"{percent(part / whole if whole else 0.0)} of {count(whole, noun, noun + ('es' if noun == 'patch' else 's'))}"
    )


def interval(share: float, whole: int, digits: int = 1) -> str:
    """Wilson's 95 % interval of a counted share: `93.8 to 96.7 %`."""
    low, high = (float(end) for end in wilson(share * whole, whole))
    return f"{100 * low:.{digits}f} to {percent(high, digits)}"


def small_number(value: float) -> str:
    """A p- or q-value: `0.031`, `2e-08`, `< 1e-300`."""
    if pd.isna(value):
        return "–"
    if value == 0:
        return "< 1e-300"
    return f"{value:.2g}" if value >= 0.001 else f"{value:.0e}"


def itemset_text(units: tuple[int, ...]) -> str:
    """`34,193` as the poster writes it."""
    return ",".join(str(unit) for unit in units)


def class_text(opened: Study, class_id: int) -> str:
    """A class's name, short and its own: synonyms after a comma go unless another class is called the same."""
    if opened not in _CLASS_TEXTS:
        _CLASS_TEXTS[opened] = _class_texts(opened.class_names)
    texts = _CLASS_TEXTS[opened]
    return texts[class_id] if 0 <= class_id < len(texts) else f"Class {class_id}"


_CLASS_TEXTS: WeakKeyDictionary[Study, list[str]] = WeakKeyDictionary()
"""Worked out once for an opened study: a page names classes a thousand times."""


def _class_texts(names: list[str]) -> list[str]:
    """The classes' short names. A menu knows its options by their text, so those that repeat say more."""

    def short(name: str, synonyms: int) -> str:
        text = ", ".join(part.strip() for part in name.split(",")[:synonyms])
        return text[:1].upper() + text[1:]

    once, twice = [short(name, 1) for name in names], [short(name, 2) for name in names]
    times = Counter(once)
    told = [further if times[text] > 1 else text for text, further in zip(once, twice, strict=True)]
    times = Counter(told)
    return [f"{text} (#{class_id})" if times[text] > 1 else text for class_id, text in enumerate(told)]


SOURCES = {
    "demo": "the embedded demo’s drawings",
    "demo-val": "the demo’s held-out drawings",
    "skimage": "scikit-image’s photos",
    "imagenette": "Imagenette",
}
"""Built-in sets of photos, by the names that the command line knows them by."""


def photos_of(source: str) -> str:
    """What a set of photos is called: a built-in one by its words, a folder by its name."""
    return SOURCES.get(source) or f"“{PurePath(source).name or source}”"


def file_name(*parts: str) -> str:
    """Parts, the last of them the ending, as a file's name that every system takes: `demo-Bird-1-51.png`."""
    return "-".join(re.sub(r"[^\w.]+", "-", part).strip("-.") for part in parts[:-1]) + "." + parts[-1]
