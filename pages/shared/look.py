"""How the pages look and where they lead: the header, numbers in words, addresses, the one style sheet."""

from __future__ import annotations

import html
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import pandas as pd
import streamlit as st
from PIL import Image, ImageDraw

from interpret.figures.charts import Paper
from interpret.figures.colours import OKABE_ITO
from interpret.stats import wilson
from pages.shared import registry

if TYPE_CHECKING:
    from interpret.study import Study

# Static text of ours, no data in it. Streamlit's own parts are made quieter and wider; on a poster's screen everything
# grows with the screen.
STYLE = """<style>
.stMainBlockContainer { padding: 4.2rem clamp(1rem, 3.5vw, 4.5rem) 4rem; max-width: 118rem; }
.stAppHeader { backdrop-filter: blur(6px); }
h1 { letter-spacing: -0.015em; text-wrap: balance; padding-bottom: 0.1rem; }
h2, h3 { letter-spacing: -0.005em; }
body, .stMarkdown, [data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
.stHtml p.question { font-size: 1rem; opacity: 0.7; margin: 0; }
.stHtml dl, .stHtml dd { margin: 0; padding: 0; }
.stHtml dl.facts { display: flex; flex-wrap: wrap; gap: 0.6rem 2rem; }
.stHtml dl.facts dt { font-size: 0.875rem; opacity: 0.68; }
.stHtml dl.facts dd { margin: 0; font-weight: 620; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.stHtml p.said { margin: 0; max-width: 46rem; line-height: 1.55; }
.stHtml p.small { margin: 0; font-size: 0.875rem; opacity: 0.72; }
.stHtml abbr { text-decoration: underline dotted; text-underline-offset: 0.2em; cursor: help; }
.stHtml .words { line-height: 1.5; font-size: 0.9375rem; }
.stHtml dl.words dd { margin: 0 0 0.55rem; opacity: 0.86; }
.stHtml ol.words { padding-left: 1.2rem; } .stHtml ol.words li { margin-bottom: 0.4rem; }
[data-testid="stElementToolbar"] { opacity: 0.9; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 3.6rem 0.9rem 3rem; }
  h1 { font-size: 1.55rem !important; }
  /* Too many names for so little width: these figures keep theirs, and are moved sideways within the page. */
  [class*="st-key-graph_"] { overflow-x: auto; } [class*="st-key-graph_"] > div { min-width: 44rem; }
}
@media (min-width: 2400px) { html { font-size: 24px !important; } }
@media (min-width: 3400px) { html { font-size: 32px !important; } }
</style>"""

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


def icon() -> Image.Image:
    """The page's icon: a patch within a photo. Drawn here, because Streamlit's named icons are fetched from afar."""
    picture = Image.new("RGB", (64, 64), OKABE_ITO[0])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((16, 20, 47, 47), fill=OKABE_ITO[1], outline="white", width=4)
    return picture


def paper() -> Paper:
    """The colours of text and ground that the figures are drawn with, light or dark as the page is."""
    return Paper(ink="#ecebe7", ground="#121316") if st.context.theme.type == "dark" else Paper()


def term(word: str, shown: str | None = None) -> str:
    """A term as HTML that explains itself when pointed at; only for words of :data:`TERMS`."""
    return f'<abbr title="{html.escape(TERMS[word])}">{html.escape(shown or word)}</abbr>'


def say(text: str, kind: str = "said") -> None:
    """A paragraph; ``text`` is HTML of ours whose data has been escaped."""
    st.html(f'<p class="{kind}">{text}</p>')


def header(title: str, question: str = "") -> None:
    """The page's title, and the question it answers beneath."""
    st.title(markdown(title), anchor=False)
    if question:
        say(html.escape(question), "question")


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


STANDING = ("n", "support", "size", "show", "lean", "chance")
"""Names in the address of what holds on every page: the thresholds, which itemsets are listed, and how checked."""


def standing() -> dict[str, str]:
    """What goes along in every address: the study, and the thresholds where they are not the study's own."""
    kept = {name: st.query_params[name] for name in ("study", *STANDING) if name in st.query_params}
    if "study" not in kept and st.session_state.get("study"):
        kept["study"] = st.session_state["study"]
    return kept


def link(page: str, **params: Any) -> dict[str, Any]:
    """Where a click leads, as the evidence widget takes it: an address for a new tab, an act for this one."""
    query = {**standing(), **{name: str(value) for name, value in params.items() if value is not None}}
    return {"href": f"./{page}?{urlencode(query)}", "act": {"page": page, "query": query}}


def unit_link(unit: int) -> dict[str, Any]:
    """To a unit's page."""
    return {**link("unit", unit=unit), "title": f"what unit {unit} responds to"}


def itemset_text(units: tuple[int, ...]) -> str:
    """`34,193` as the poster writes it."""
    return ",".join(str(unit) for unit in units)


def itemset_param(units: tuple[int, ...]) -> str:
    """An itemset in an address: `34-193`."""
    return "-".join(str(unit) for unit in units)


def whole(text: str | None) -> int | None:
    """A whole number in an address, of seven digits at most; None for anything else that may stand there."""
    return int(text) if text and text.isdecimal() and len(text) < 8 else None


def wholes(text: str | None) -> list[int]:
    """The whole numbers in `1-5-7`, in their order; what is none is passed over."""
    return [number for part in (text or "").split("-") if (number := whole(part)) is not None]


def itemset_from(text: str | None) -> tuple[int, ...] | None:
    """The itemset in an address; None where there is none or it is not one."""
    parts = [whole(part) for part in (text or "").split("-")]
    return None if None in parts else tuple(sorted({part for part in parts if part is not None}))


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


def file_name(*parts: str) -> str:
    """Parts, the last of them the ending, as a file's name that every system takes: `demo-Bird-1-51.png`."""
    return "-".join(re.sub(r"[^\w.]+", "-", part).strip("-.") for part in parts[:-1]) + "." + parts[-1]


def go(page: str, query: dict[str, str]) -> None:
    """Open another page in this session."""
    st.switch_page(registry.file_of(page), query_params=query)
