"""How the pages look: the style sheet, the icon, the colours behind figures."""

import streamlit as st
from PIL import Image, ImageDraw

from interpret.figures.colours import OKABE_ITO
from interpret.figures.plotly_style import Paper

# Static, without data. Streamlit's own parts get quieter and wider; on a poster's screen everything grows.
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
[data-testid="stCaptionContainer"] { color: inherit !important; opacity: 0.72; } /* Streamlit's grey is too light */
.stHtml abbr { text-decoration: underline dotted; text-underline-offset: 0.2em; cursor: help; }
.stHtml table.mending { border-collapse: collapse; font-size: 0.9375rem; width: 100%; }
.stHtml table.mending th { text-align: left; font-weight: 400; font-size: 0.875rem; opacity: 0.72; }
.stHtml table.mending :is(td, th) { padding: 0.2rem 0.9rem 0.2rem 0; vertical-align: baseline; border: 0; }
.stHtml table.mending td { border-top: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.stHtml .words { line-height: 1.5; font-size: 0.9375rem; }
.stHtml dl.words dd { margin: 0 0 0.55rem; opacity: 0.86; }
.stHtml ol.words { padding-left: 1.2rem; } .stHtml ol.words li { margin-bottom: 0.4rem; }
[data-testid="stButtonGroup"] button:not([aria-label^="Help"]) { min-height: 2.5rem; } /* as other controls of a row */
/* White stands on them, and the dark theme's own colour is a light one. */
button[data-testid^="stBaseButton-primary"]:not(:disabled) { background-color: #4a5ad0; border-color: #4a5ad0; }
button[data-testid^="stBaseButton-primary"]:not(:disabled):hover { background-color: #3c4bbd; border-color: #3c4bbd; }
[data-testid="stElementToolbar"] { opacity: 0.9; }
.stMainBlockContainer > div > div:has(.st-key-search_field) { position: absolute; } /* no room at the top of the page */
[data-testid="stPopoverButton"][kind="tertiary"] { color: inherit !important; } /* hovered it is dark on dark */
.st-key-search_field { position: fixed; top: 0.75rem; right: 4rem; width: 15rem; z-index: 999991; }
@media (max-width: 640px) {
  .st-key-search_field { width: auto; right: 3.6rem; }
  .stMainBlockContainer { padding: 3.6rem 0.9rem 3rem; }
  h1 { font-size: 1.55rem !important; }
  [data-testid="stButtonGroup"] button:not([aria-label^="Help"]) { padding-inline: 0.6rem; } /* five in a row */
}
@media (min-width: 2400px) { html { font-size: 24px !important; } }
@media (min-width: 3400px) { html { font-size: 32px !important; } }
</style>"""


def icon() -> Image.Image:
    """The page's icon, a patch in a photo. Drawn here, because Streamlit's named icons need the network."""
    picture = Image.new("RGB", (64, 64), OKABE_ITO[0])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((16, 20, 47, 47), fill=OKABE_ITO[1], outline="white", width=4)
    return picture


def paper() -> Paper:
    """The colours of text and background for figures, light or dark as the theme is."""
    return Paper(ink="#ecebe7", ground="#121316") if is_dark() else Paper()


def is_dark() -> bool:
    """Whether the theme is the dark one."""
    return bool(st.context.theme.type == "dark")
