"""Plotly figures on a page, with a button that saves one as HTML."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from interpret.figures import plotly_style
from pages.shared import wording
from pages.shared.view import screen, style


def show(figure: go.Figure, key: str, name: str, alt: str, **more: Any) -> Any:
    """Show a figure, with a button below that saves it as HTML; its own toolbar saves it as SVG.

    Args:
        figure: from :mod:`interpret.figures.plotly_style` and its neighbours.
        key: of the widget.
        name: of saved files.
        alt: what the figure shows, for screen readers.
        more: passed on to ``st.plotly_chart``.

    Returns:
        What ``st.plotly_chart`` returns: with ``on_select``, the selection.
    """
    shown = plotly_style.scaled(figure, screen.scale())
    state = st.plotly_chart(shown, key=key, config=plotly_style.config(name), alt=alt, **more)
    paper = style.paper()
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Figure as HTML",
            lambda: plotly_style.page(figure, name, paper).encode(),
            wording.file_name(name, "html"),
            "text/html",
            key=f"save_{key}",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="one file that opens in any browser, without a network",
        )
    return state
