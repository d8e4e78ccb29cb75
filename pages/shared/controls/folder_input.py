"""A folder below the allowed roots: typed, or found by going from folder to folder."""

from pathlib import Path

import streamlit as st

from interpret.config import digest
from pages.shared.backend import allowed_paths


def folder_input(key: str, example: str, about: str) -> str:
    """A field for a folder, and beside it a menu of the folders in it; choosing one goes there.

    Args:
        key: of the field.
        example: a folder's name in the hint of the empty field.
        about: what is expected in the folder, for the help.

    Returns:
        What is typed or was chosen.
    """
    allowed = allowed_paths.roots()
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        typed = st.text_input(
            "Folder",
            key=key,
            placeholder=str(allowed[0] / example),
            help=f"{about}; below " + " or ".join(str(root) for root in allowed),
        )
    above, folders, more = allowed_paths.folders_in(typed)
    offered = [*([above] if above else []), *folders]
    menu = f"{key}_in_{digest([typed])[:12]}"  # of another folder another menu, in which nothing is chosen yet

    def chosen() -> None:
        folder = st.session_state.get(menu)  # none where the page is being left
        if folder is not None:
            st.session_state[key] = str(folder)

    def shown(folder: Path) -> str:
        if folder == above:
            return f"↑ {folder.name or folder}"
        return folder.name if typed.strip() or len(allowed) == 1 else str(folder)

    with right:
        st.selectbox(
            "Folders in it",
            offered,
            index=None,
            format_func=shown,
            key=menu,
            placeholder="go to …" if offered else "none",
            disabled=not offered,
            on_change=chosen,
        )
    if more:
        st.caption(f"{more:,} more folders are not listed; type the name.")
    return typed
