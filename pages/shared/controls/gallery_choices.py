"""What the galleries of a page show: which photos, and how large; kept in the address."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from interpret.findings.answers import WANTED, PhotoFilter
from interpret.findings.rows import Units
from interpret.study import Study
from pages.shared import wording
from pages.shared.controls import address, in_vain, menus

RANGE_PARAM = "sure"
"""The parameter for the probabilities of the photos shown, such as `50-90`."""


GALLERIES = ("strongest patches", "most active photos")
"""What a page's main gallery shows."""


@dataclass(frozen=True)
class Choices:
    """What was chosen.

    Attributes:
        photos: which photos are shown.
        large: whether pictures are twice as large as usual.
        heat: whether the units' own map lies over the pictures.
        active: whether the photos are shown in which the units are most active, with or without a patch that holds
            them.
    """

    photos: PhotoFilter = field(default_factory=PhotoFilter)
    large: bool = False
    heat: bool = False
    active: bool = False

    @property
    def size(self) -> str:
        """The size of a gallery's pictures, as :func:`pages.shared.view.widgets.tiles` names it."""
        return "xl" if self.large else "m"

    @property
    def strip_size(self) -> str:
        """The size of pictures in a strip."""
        return "l" if self.large else "s"

    def across(self, usual: int) -> int:
        """How many pictures fit side by side in a strip where ``usual`` ones do otherwise (count)."""
        return -(-usual // 2) if self.large else usual


def choose(study: Study, units: Units, *, forget: Sequence[str] = ()) -> Choices:
    """The controls of a page's galleries, beside each other where they are drawn.

    Args:
        study: the study.
        units: those that the galleries are of.
        forget: parameters that another choice of photos removes from the address, such as a gallery's page.
    """
    one = len(units) == 1
    in_vain.warn_of_choice("gallery", "Gallery", GALLERIES)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        gallery = st.segmented_control(
            "Gallery",
            GALLERIES,
            default=GALLERIES[0],
            key="gallery",
            bind="query-params",
            required=True,
            on_change=lambda: address.change({}, forget),
            label_visibility="collapsed",
            help=f"strongest patches: those that hold the {'unit' if one else 'itemset'}, where "
            f"{'it scores' if one else 'its units score'} highest; most active photos: of all photos of the study, "
            "whatever the explanation highlights",
        )
        photos = _photos(study, forget)
        heat = st.toggle(
            "Where it fires" if one else "Where they fire",
            key="heat",
            bind="query-params",
            help=f"the {'unit’s' if one else 'units’'} own activation over each picture",
        )
        large = st.toggle("Larger pictures", key="large", bind="query-params")
    return Choices(photos, large, heat, gallery == GALLERIES[1])


def in_words(study: Study, photos: PhotoFilter) -> str:
    """Which photos are asked for: `wrong, labelled Dog, probability 50 to 90 %`; empty if all are."""
    said = [] if photos.answer == "all" else [photos.answer]
    if photos.label is not None:
        said.append(f"labelled {wording.class_text(study, photos.label)}")
    if (photos.low, photos.high) != (0, 100):
        said.append(f"probability {photos.low} to {photos.high}\u00a0%")
    return ", ".join(said)


def _photos(study: Study, forget: Sequence[str]) -> PhotoFilter:
    """The popover that narrows photos down; in a study without labels, by their probability only."""
    labels = sorted({int(label) for label in study.images["label"].dropna().unique()})
    asked = _asked(labels)
    words = in_words(study, asked)
    with st.popover(
        f"Photos: {wording.markdown(words)}" if words else "All photos",
        icon=":material/filter_alt:",
        help="Which photos the galleries show",
    ):
        answer, label = "all", "all"
        if labels:
            in_vain.warn_of_choice("answer", "The model’s answer", WANTED)
            answer = st.segmented_control(
                "The model’s answer",
                list(WANTED),
                default="all",
                key="answer",
                bind="query-params",
                required=True,
                on_change=lambda: address.change({}, forget),
                help="right: the predicted class is the photo’s label",
            )
            label = menus.choose(
                "Label",
                ["all", *(str(class_id) for class_id in labels)],
                "label",
                lambda choice: "any" if choice == "all" else wording.class_text(study, int(choice)),
                forget=forget,
                default="all",
            )
            if menus.not_offered("label", label):
                st.warning("The address asks for a label that no photo of this study has; photos of any are shown.")
        low, high = _range(forget)
    return PhotoFilter(str(answer or "all"), None if label == "all" else int(label), low, high)


def _asked(labels: Sequence[int]) -> PhotoFilter:
    """What the address and the session ask for, before the controls are drawn: the popover's own words need it."""
    answer = str(st.session_state.get("answer") or st.query_params.get("answer")) if labels else "all"
    label = address.whole_number(st.query_params.get("label"))
    return PhotoFilter(answer if answer in WANTED else "all", label if label in labels else None, *_range_asked())


def _range_asked() -> tuple[int, int]:
    """The probabilities in the address, in whole percent; 0 and 100 for any other text."""
    asked = st.query_params.get(RANGE_PARAM, "").split("-")
    ends = [address.whole_number(end) for end in asked]
    low, high = ends if len(ends) == 2 else (None, None)
    return (0, 100) if low is None or high is None or not low <= high <= 100 else (low, high)


def _range(forget: Sequence[str]) -> tuple[int, int]:
    """A slider with two ends."""
    key = f"choose_{RANGE_PARAM}"
    ends = _range_asked()
    if (asked := st.query_params.get(RANGE_PARAM)) and asked != f"{ends[0]}-{ends[1]}":
        st.warning(
            f"The address asks for probabilities of “{wording.markdown(asked[:20])}”, which are not two whole numbers "
            "from 0 to 100, the smaller first, such as 50-90; photos of any are shown."
        )
    st.session_state[key] = ends

    def changed() -> None:
        # A change that arrives while its page is being left finds no state of the slider any more.
        low, high = st.session_state.get(key, (0, 100))
        if (low, high) == (0, 100):
            address.change({}, (RANGE_PARAM, *forget))
        else:
            address.change({RANGE_PARAM: f"{low}-{high}"}, forget)

    st.slider(
        "Probability of the predicted class",
        0,
        100,
        step=1,
        key=key,
        format="%d %%",
        on_change=changed,
        help="what the model gives its answer for the whole photo",
    )
    low, high = st.session_state[key]  # of a slider whose value is set there, Streamlit's types know one end only
    return low, high
