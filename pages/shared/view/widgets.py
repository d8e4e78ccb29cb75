"""The widget that shows blocks: galleries, lines of class names and unit chips, a photo with its map and boxes.

Data goes to the browser as JSON and is set as text there (`blocks.js`), so that no class or file name becomes markup.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import page_list
from pages.shared.controls import address

Part = dict[str, Any]

Block = dict[str, Any]

_HERE = Path(__file__).parent

_HTML = '<div class="blocks"></div>'
_CSS, _JS = ((_HERE / name).read_text(encoding="utf-8") for name in ("blocks.css", "blocks.js"))

_render = st.components.v2.component("unitscope_blocks", html=_HTML, css=_CSS, js=_JS)

# A dialog keeps the keyboard's focus among what it finds in itself, and does not look into a shadow root: no link in
# there could be reached. Its blocks are part of the page instead, and `@scope` keeps their style to themselves.
_render_in_dialog = st.components.v2.component(
    "unitscope_blocks_in_dialog", html=_HTML, css=f"@scope (.blocks) {{\n{_CSS}\n}}", js=_JS, isolate_styles=False
)


def show(
    blocks: Sequence[Block],
    key: str,
    on_select: Callable[[dict[str, Any]], None] | None = None,
    *,
    opened_by: dict[str, Any] | None = None,
) -> None:
    """Show blocks one below the other; a click on a link opens its page.

    Args:
        blocks: from the functions below.
        key: of the widget.
        on_select: called before the page reruns, with the act of a click that opens no page.
        opened_by: where the blocks are in a dialog, the act of the click that opens it, where the focus returns when it
            closes.
    """

    def acted() -> None:
        # A click that arrives while its page is being left finds no state of the widget any more: it concerns no page.
        act = dict((st.session_state.get(key) or {}).get("act") or {})
        if act and "page" not in act and on_select is not None:
            on_select(act)

    render = _render_in_dialog if opened_by else _render
    result = render(key=key, data={"blocks": list(blocks), "opened_by": opened_by}, on_act_change=acted)
    act = dict(result.get("act") or {})
    if act.get("page") in {entry.path for entry in page_list.ENTRIES}:
        query = {str(name): str(value) for name, value in dict(act.get("query") or {}).items()}
        address.go(str(act["page"]), query)


def text(words: str, kind: str = "text") -> Part:
    """Words in a line; kind is text, strong, faint or warn."""
    return {"t": kind, "text": words}


def measure(word: str, value: str, title: str) -> Part:
    """A faint `lift 4.9` with a tooltip on the word."""
    return term(word, title, f" {value}")


def term(word: str, title: str, after: str = "", kind: str = "faint", *, before: str = "") -> Part:
    """A word with a tooltip, in the words before and after it; kind as in :func:`text`."""
    return {"t": kind, "before": before, "word": word, "title": title, "text": after}


def unit(number: int, **more: Any) -> Part:
    """A unit's chip, which opens its page; `on` marks it, `off` shows it as ablated, `act` replaces the link."""
    return {"t": "unit", "unit": str(number), **address.unit_link(number), **more}


def units(numbers: Sequence[int], **more: Any) -> list[Part]:
    """Chips of several units."""
    return [unit(number, **more) for number in numbers]


def class_tag(name: str, colour: str, note: str = "", **more: Any) -> Part:
    """A class's name with its colour."""
    return {"t": "class", "name": name, "colour": colour, "note": note, **more}


def pair(own: float, other: float, colour: str, title: str) -> Part:
    """Two bars, one below the other: a share (0..1) in its class's colour, and in grey what it is compared with."""
    return {"t": "pair", "own": own, "other": other, "colour": colour, "title": title}


def line(*parts: Part | Sequence[Part], **more: Any) -> Block:
    """Parts beside each other; `size` may be big or small, `act` makes the line itself a button, `on` marks it."""
    flat: list[Part] = []
    for part in parts:
        flat.extend([part] if isinstance(part, dict) else part)
    if more.get("act"):  # a link within a button is invalid HTML and out of the keyboard's reach
        flat = [{name: value for name, value in part.items() if name not in ("href", "act", "title")} for part in flat]
    return {"kind": "line", "parts": flat, **more}


def tile(source: str, alt: str, **more: Any) -> Part:
    """A picture in a gallery; `name`, `note` and `colour` for its caption, `act` and `href` for a click.

    `mark` is `right` or `wrong`, for the sign of the model's answer in a corner.
    """
    return {"src": source, "alt": alt, **more}


def tiles(pictures: Sequence[Part], size: str = "m", *, strip: int = 0) -> Block:
    """A gallery; its pictures are of size s, m, l or xl. With ``strip``, one row that scrolls.

    ``strip`` is how many pictures fit side by side (count). A strip of fewer leaves the rest of its row empty, so that
    pictures in all strips of a page have the same size.
    """
    return {"kind": "tiles", "tiles": list(pictures), "size": size, "strip": strip}


def stage(source: str, alt: str, *, heat: str = "", opacity: float = 0.0, boxes: Sequence[Part] = ()) -> Block:
    """A large picture with a map over it and boxes on it; boxes have left, top, width, height in percent."""
    return {"kind": "stage", "src": source, "alt": alt, "heat": heat, "opacity": opacity, "boxes": list(boxes)}
