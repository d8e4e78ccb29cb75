"""What stands on a page that has nothing to show: why, what would fill it, and where to go on."""

import streamlit as st

from interpret.findings import Findings
from interpret.study import Study
from pages.shared import wording
from pages.shared.controls import address, stand

EXPLAIN = ("pages/explain.py", "Explain a photo", ":material/image_search:")
STUDY = ("pages/study.py", "Make or open another study", ":material/add:")


def say(sentence: str, *ways: tuple[str, str, str]) -> None:
    """Show a sentence in a box and links below it.

    Args:
        sentence: why there is nothing to show, and what would fill the page; plain text.
        ways: file, label and icon of pages to go on to; at a stand none is shown.
    """
    st.info(wording.markdown(sentence))
    if not ways or stand.is_on():
        return
    with st.container(horizontal=True, gap="medium"):
        for file, label, icon in ways:
            st.page_link(file, label=label, icon=icon, query_params=address.settings())


def nothing_found(findings: Findings, *ways: tuple[str, str, str]) -> None:
    """Say why nothing was found and what would change that; ``ways`` as in :func:`say`."""
    study = findings.study
    largest = max(findings.patch_counts.values(), default=0)
    least = findings.config.min_class_patches
    if not len(study.patches):
        text = f"No photo of this study has a patch, so there is nothing to mine. {why_no_patch(study)}"
    elif largest < least:
        text = (
            f"Mining needs {least} patches of a class, and the largest class has {largest}. A study with more photos "
            "of each class would fill this page."
        )
    else:
        text = "No set of units is frequent enough; a smaller support or a larger N would fill this page."
    say(text, *ways)


def why_no_patch(study: Study) -> str:
    """Why photos have no patch, and what would give them one."""
    least = study.extract_config.min_area
    return (
        "Either no unit supports the predicted class, so that the map is zero everywhere, or every patch covers less "
        f"than {wording.percent(least, 1)} of the photo (the option --min-area) and is dropped."
    )
