"""How large the reader's screen is: what the style sheet does by itself for text, figures and lists do with it."""

from typing import Literal, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.controls import stand

Size = Literal["phone", "usual", "large", "poster"]

COOKIE = "unitscope_screen"
"""Name of the cookie with which a browser says its size when it connects; `page_start.js` sets it."""

BOX = 340
"""Height of a list that scrolls by itself (pixels)."""

_SCALES: dict[Size, float] = {"phone": 1.0, "usual": 1.0, "large": 1.5, "poster": 2.0}  # as the style sheet's for text
_KEY = "screen_size"

_JS = """
export default function ({ data, setStateValue }) {
  const tell = () => {
    const size = globalThis.unitscopeScreen?.();
    if (size !== data.size) setStateValue("size", size);
  };
  tell();
  addEventListener("resize", tell);
  return () => removeEventListener("resize", tell);
}
"""

_watch = st.components.v2.component("unitscope_screen", js=_JS)


def size() -> Size:
    """The size that the browser told last: on connecting, or since then."""
    told = st.session_state.get(_KEY) or st.context.cookies.to_dict().get(COOKIE)
    return cast(Size, told) if told in _SCALES else "usual"


def scale() -> float:
    """By how much figures are larger than on a usual screen, which is by how much text is."""
    return _SCALES[size()] * (1.1 if stand.is_on() and size() != "phone" else 1.0)


def pixels(usual: int) -> int:
    """A width on this screen that is ``usual`` pixels on a usual one, for controls whose text grows with the screen."""
    return round(scale() * usual)


def is_phone() -> bool:
    """Whether a line of text is all that has room beside another thing."""
    return size() == "phone"


def scroll_box(lines: int) -> DeltaGenerator:
    """A place for a list: on a phone a long one scrolls by itself, so that what it leads to, below it, comes soon."""
    return st.container(height=BOX) if is_phone() and lines > 6 else st.container()


def watch() -> None:
    """Draw the page again whenever the window changes from one size to another."""

    def told() -> None:
        st.session_state[_KEY] = (st.session_state.get("screen") or {}).get("size")

    _watch(key="screen", data={"size": size()}, on_size_change=told)
