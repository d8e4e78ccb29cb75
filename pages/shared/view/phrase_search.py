"""The patches that look most like what somebody types, and the units that they have in common."""

from collections import Counter

import streamlit as st

from interpret.errors import InputError
from interpret.findings import Findings
from interpret.findings.unit_index import unit_index
from pages.shared import wording
from pages.shared.backend import concepts, messages
from pages.shared.view import empty, naming, patch_gallery, screen, widgets

UNITS = 8
"""Units that are listed (count)."""


def show(findings: Findings) -> None:
    """Show a field for a phrase, and the patches and units that it finds."""
    study = findings.study
    kept = concepts.embedded(study)
    if kept is None:
        empty.say(
            "Patches are found by words once a CLIP-like model on this machine has embedded them, which the command "
            f"unitscope names {study.name} --clip MODEL:PATH does; with --words FILE it proposes a name for each unit "
            "from a list as well."
        )
        return
    phrase = st.text_input(
        "What the patches show",
        key="say",
        bind="query-params",
        placeholder="a red wheel",
        max_chars=80,
        width=screen.pixels(420),
    ).strip()
    if not phrase:
        wording.paragraph("Type a few words; the patches that look most like them appear here.")
        return
    try:
        patches = concepts.found(kept, phrase)
    except InputError as error:
        st.error(wording.markdown(messages.of(error)))
        return
    wording.paragraph(
        f"The {wording.count(len(patches), 'patch', 'patches')} whose embedding is nearest to these words, of "
        f"{len(study.patches):,}. Something is nearest to any words: look whether they show it.",
        "small",
    )
    tiles = patch_gallery.patch_tiles(findings, patches)
    if not tiles:
        patch_gallery.missing(study)
        return
    widgets.show([widgets.tiles(tiles)], "found", patch_gallery.open_chain)
    _units(findings, patches)


def _units(findings: Findings, patches: list[int]) -> None:
    """List the units that most of some patches hold, with the share of all patches that do."""
    study, called = findings.study, naming.called(findings)
    held = Counter(unit for patch in patches for unit in findings.transaction(patch))
    if not held:
        return
    index = unit_index(study, findings.config)
    st.header("Units in these patches", anchor=False)
    blocks = []
    for unit, count in sorted(held.items(), key=lambda each: (-each[1], each[0]))[:UNITS]:
        every = int(index.starts[unit + 1] - index.starts[unit]) / max(1, index.n)
        said = f"in {count:,} of these {len(patches):,}, and in {wording.percent(every)} of all patches"
        blocks.append(
            widgets.line(widgets.unit(unit), naming.in_list(called, (unit,)), widgets.text(said, "faint"), size="small")
        )
    widgets.show(blocks, "found_units")
