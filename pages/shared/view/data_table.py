"""Streamlit's table as every page shows one: without the rows' numbers, and with a dash in a cell without a value."""

from typing import Any

import pandas as pd
import streamlit as st


def show(table: pd.DataFrame, *, alt: str, **options: Any) -> Any:
    """Show a table.

    Args:
        table: one row a row.
        alt: what it is, for those who don't see it.
        options: further ones of :func:`streamlit.dataframe`.
    """
    return st.dataframe(table, hide_index=True, placeholder="–", alt=alt, **options)
