"""Words that the command line, the dashboard and the report share."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 photo`, `2,000 photos`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def device(name: str) -> str:
    """A type of device in words: `the CPU`, `the GPU (cuda)`."""
    return "the CPU" if name == "cpu" else f"the GPU ({name})"


def percent(value: float, digits: int = 0) -> str:
    """A fraction as `61 %`, with a space that does not break."""
    return "–" if value != value else f"{100 * value:.{digits}f}\u00a0%"


def small_number(value: float) -> str:
    """A p- or q-value: `0.031`, `2e-08`, `< 1e-300`."""
    if value != value:
        return "–"
    if value == 0:
        return "< 1e-300"
    return f"{value:.2g}" if value >= 0.001 else f"{value:.0e}"


def lift_text(lift: float) -> str:
    """A contrast lift: `3.1`; infinite if no contrast patch holds the itemset."""
    if lift != lift:
        return "–"
    return f"{lift:.1f}" if lift < float("inf") else "∞"


def itemset_text(units: Sequence[int]) -> str:
    """`34,193` as the poster writes it."""
    return ",".join(str(unit) for unit in units)


def short_names(names: Sequence[str]) -> list[str]:
    """Short names of classes: without synonyms after a comma; different for each, as a menu needs them."""

    def short(name: str, synonyms: int) -> str:
        text = ", ".join(part.strip() for part in name.split(",")[:synonyms])
        return text[:1].upper() + text[1:]

    once, twice = [short(name, 1) for name in names], [short(name, 2) for name in names]
    times = Counter(once)
    texts = [further if times[text] > 1 else text for text, further in zip(once, twice, strict=True)]
    times = Counter(texts)
    return [f"{text} (#{class_id})" if times[text] > 1 else text for class_id, text in enumerate(texts)]


SOURCES = {
    "demo": "the embedded demo’s drawings",
    "demo-val": "the demo’s held-out drawings",
    "skimage": "scikit-image’s photos",
    "imagenette": "Imagenette",
}
"""Built-in sets of photos, by the names that the command line knows them by."""


UPLOADS = ".uploads"
"""Folder beside the studies in which the dashboard keeps what was uploaded."""


def is_uploaded(source: str) -> bool:
    """Whether a path leads to something uploaded: it means nothing to others."""
    return UPLOADS in PurePath(source).parts


def photos_of(source: str) -> str:
    """What a set of photos is called: a built-in one by its words, a folder by its name."""
    if is_uploaded(source):
        return "an upload"
    return SOURCES.get(source) or f"“{PurePath(source).name or source}”"
