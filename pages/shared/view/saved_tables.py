"""Buttons that save a table as CSV, for reading, and as Parquet, which keeps the types."""

from collections.abc import Callable

import pandas as pd
import streamlit as st


def buttons(what: str, table: Callable[[], pd.DataFrame], file: str, *, index: bool = False) -> None:
    """Two buttons that save a table; it is computed on a click.

    Args:
        what: is saved, such as `All measures`.
        table: gives the table.
        file: the name of the file, ending in `.csv`.
        index: whether the rows' names are saved too.
    """

    def parquet() -> bytes:
        frame = table()
        return bytes(frame.rename(columns=str).to_parquet(None, index=index))

    with st.container(horizontal=True, gap="small", width="content", vertical_alignment="center"):
        st.download_button(
            f"{what} as CSV",
            lambda: table().to_csv(index=index).encode(),
            file,
            "text/csv",
            key=f"csv_{file}",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
        st.download_button(
            "Parquet",
            parquet,
            file.removesuffix("csv") + "parquet",
            "application/vnd.apache.parquet",
            key=f"parquet_{file}",
            type="tertiary",
            on_click="ignore",
            help=f"{what[:1].lower()}{what[1:]} as Parquet",
        )
