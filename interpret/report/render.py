"""The template filled in: everything that is put into it is escaped, and what the file may load is nothing."""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from interpret.figures.colours import on_dark
from interpret.words import count, itemset_text, lift_text, percent, photos_of, small_number

HERE = Path(__file__).parent / "template"

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What is no text in HTML: control characters but tab and new line, and halves of surrogate pairs."""


def clean(text: str, most: int = 80) -> str:
    """A name from a study, without control characters, and cut where it is longer than ``most`` characters."""
    plain = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def points(value: float, *, signed: bool = False) -> str:
    """A difference of accuracies (fraction) in percentage points: `38.2 points`."""
    shown = round(100 * value, 1) + 0.0  # no minus before a zero
    sign = "−" if shown < 0 else "+" if signed and shown > 0 else ""
    return f"{sign}{abs(shown):.1f}\u00a0point{'' if abs(shown) == 1 else 's'}"


def render(colours: Mapping[str, str], **shown: Any) -> bytes:
    """The whole file.

    Args:
        colours: name of a class in the style sheet to `#rrggbb`; lightened on a dark ground.
        shown: what the template `report.html` asks for.
    """
    environment = _environment()
    style = (HERE / "report.css").read_text(encoding="utf-8") + _palette(colours)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    html = environment.get_template("report.html").render(style=style, policy=policy, **shown)
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", html).encode("utf-8")


def render_view(colours: Mapping[str, str], **shown: Any) -> str:
    """A part of another page, whose own style sheet it neither changes nor, by its two classes, follows.

    Args:
        colours: as for :func:`render`.
        shown: what the template `view.html` asks for.
    """
    own = (HERE / "report.css").read_text(encoding="utf-8") + _palette(colours)
    nested = re.sub(r"(?<![-\w])(:root|body|html)(?= \{)", "&", re.sub(r"@page \{[^}]*\} ", "", own))
    style = f".unitscope.unitscope {{\n{nested}\nmargin: 0; max-width: 64rem; padding: 0.2rem 1rem 1rem; }}\n"
    html = _environment().get_template("view.html").render(style=style, **shown)
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", html)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "clean": clean,
        "lift": lift_text,
        "percent": percent,
        "photos_of": lambda source: clean(photos_of(source)),
        "points": points,
        "small": small_number,
        "units": itemset_text,
    }
    environment.globals["count"] = lambda *words: count(*words).replace(" ", "\u00a0", 1)
    return environment


def _palette(colours: Mapping[str, str]) -> str:
    """Rules that give each class its colour, light and dark: an attribute `style` would need a laxer policy."""
    light = "".join(f".{name}{{--k:{colour}}}" for name, colour in colours.items())
    dark = "".join(f".{name}{{--k:{on_dark(colour)}}}" for name, colour in colours.items())
    return f"{light}\n@media screen and (prefers-color-scheme:dark){{{dark}}}\n"
