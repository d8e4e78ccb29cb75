"""What a stand's pages have: large type, no settings, and a bar of steps with a code of the page's address."""

from pathlib import Path
from urllib.parse import urlsplit

import segno
import streamlit as st

from pages.shared.backend import own_address
from pages.shared.controls import address, stand

IDLE = 60
"""Time without a touch after which the steps are taken by themselves (seconds)."""

EACH = 12
"""Time that each step is shown then (seconds): with five steps, the first one is back two minutes after the touch."""

_HERE = Path(__file__).parent
_CSS, _JS = ((_HERE / name).read_text(encoding="utf-8") for name in ("stand.css", "stand.js"))

_render = st.components.v2.component("unitscope_stand", html='<div class="stand"></div>', css=_CSS, js=_JS)

# Static, without data. Controls are part of the pages; at a stand they are not shown, but for those on photos.
_SETTINGS = ", ".join(
    f".{kind}:not([class*='st-key-stand_keeps'] *)"
    for kind in (
        "stPopover",
        "stCheckbox",
        "stButtonGroup",
        "stSelectbox",
        "stMultiSelect",
        "stNumberInput",
        "stTextInput",
        "stSlider",
        "stDownloadButton",
        "stDataFrame",
        "stExpander",
    )
)
STYLE = f"""<style>
html {{ font-size: 20px !important; }}
@media (max-width: 640px) {{ html {{ font-size: 17px !important; }} }}
@media (min-width: 2400px) {{ html {{ font-size: 30px !important; }} }}
@media (min-width: 3400px) {{ html {{ font-size: 40px !important; }} }}
.stAppHeader, .modebar-container, .stCameraInput:has(img) label, {_SETTINGS} {{ display: none !important; }}
@media (max-width: 900px) {{ .stColumn {{ flex: 1 1 100% !important; min-width: 100% !important; }} }}
.stCameraInput:has(img) {{ zoom: 0.6; }} /* what it took is explained below */
.stMainBlockContainer {{ padding: 0.4rem clamp(1rem, 3vw, 3rem) 12rem !important; max-width: none !important; }}
</style>"""


def show(page: str) -> None:
    """Draw the bar of a page, and take the step that a visitor, or nobody, asked for.

    Args:
        page: its path.
    """
    st.html(STYLE)
    code, written = _code()
    result = _render(
        key="stand",
        data={
            "steps": [step.title for step in stand.STEPS],
            "current": next((place for place, step in enumerate(stand.STEPS) if step.page == page), None),
            "idle": IDLE,
            "each": EACH,
            "code": code,
            "address": written,
        },
        on_act_change=lambda: None,
    )
    act = dict(result.get("act") or {})
    place = act.get("step")
    if isinstance(place, int) and 0 <= place < len(stand.STEPS):
        stand.take(place, by_itself=bool(act.get("alone")))


def _code() -> tuple[str, str]:
    """A picture of the code of this page's usual address, and its server; empty, and why there is no code."""
    query = {name: value for name, value in st.query_params.items() if name != address.STAND}
    found = own_address.of_view(st.context.url or "", query)
    if found is None:
        return "", "No QR code: the dashboard answers to this machine only (docs/stand.md)."
    return picture(found), urlsplit(found).netloc


def picture(text: str) -> str:
    """A QR code as a data URI: dark on light whatever the theme is, with the margin that readers need."""
    code = segno.make(text, error="m", micro=False)
    return code.png_data_uri(scale=8, border=4, dark="#000", light="#fff")
