"""What the model says of the photo that is explained, and what it says with units ablated, beside random ones."""

import numpy as np
import pandas as pd

from interpret.evaluation.photo_effect import PhotoEffect
from interpret.explanation.photo import PhotoExplanation
from interpret.figures import ablation_charts
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import model, pictures
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import ablated_units
from pages.shared.view import figures, widgets


def show(study: Study, photo: PickedPhoto, first: PhotoExplanation, off: set[int]) -> None:
    """Show what the model says, and what it says with units ablated.

    Args:
        study: whose network explains.
        photo: the photo.
        first: its explanation for the predicted class.
        off: the units to ablate.

    Raises:
        InputError: the network cannot be loaded here, or has other weights than the study was made with.
    """
    colours, before = pictures.colours(study), first.probabilities
    effect = model.ablated(study, photo, first, tuple(sorted(off))) if off else None
    after = before if effect is None else effect.after
    top = [int(class_id) for class_id in np.argsort(-before, kind="stable")[:4]]
    if effect is not None and effect.now not in top:
        top = [*top[:3], effect.now]
    blocks = [widgets.line(_answer(study, photo, first))]
    if effect is not None:
        blocks += _without(study, effect)
    widgets.show(blocks, "verdict", ablated_units.switch)
    figures.show(
        ablation_charts.shift_bars(
            [wording.class_text(study, class_id) for class_id in top],
            [float(before[class_id]) for class_id in top],
            [float(after[class_id]) for class_id in top],
            [colours.get(class_id, "#888888") for class_id in top],
            [] if effect is None else [effect.of_random(class_id) for class_id in top],
        ),
        key="verdict_chart",
        name="prediction",
        alt="probabilities of the strongest classes, with all units and with those ablated"
        + ("" if effect is None else "; a diamond on a line: median and range with as many random units ablated"),
    )


def _answer(study: Study, photo: PickedPhoto, first: PhotoExplanation) -> list[widgets.Part]:
    """What the model says, and whether it is right where that is known."""
    parts: list[widgets.Part] = [
        widgets.text("The model says"),
        _class(study, first.predicted, float(first.probabilities[first.predicted])),
    ]
    label = None if photo.image_id is None else study.images["label"].iloc[photo.image_id]
    if label is not None and pd.notna(label):  # a missing one is pd.NA, which cannot be compared
        right = int(label) == first.predicted
        parts.append(
            widgets.text("and is right." if right else f"and is wrong: it is {wording.class_text(study, int(label))}.")
        )
    return parts


def _without(study: Study, effect: PhotoEffect) -> list[widgets.Block]:
    """What the model says with units ablated, and with as many random ones."""
    fate = "still" if effect.now == effect.predicted else "now"
    low, middle, high = effect.of_random(effect.predicted)
    draws = len(effect.random)
    return [
        widgets.line(
            widgets.text(f"Without {wording.count(len(effect.units), 'unit')}"),
            widgets.units(effect.units, off=True),
            widgets.text(f"it {fate} says"),
            _class(study, effect.now, float(effect.after[effect.now])),
            {"t": "link", "text": "restore all", "act": {"units": list(effect.units), "on": True}},
        ),
        widgets.line(
            widgets.text("Without as many random ones"),
            _class(study, effect.predicted, middle),
            widgets.text(
                f"in the median of {draws} draws from all {study.n_units:,} units (grey diamond), "
                f"{100 * low:.1f} to {wording.percent(high, 1)}; it is still the answer in {effect.still} of {draws}.",
                "faint",
            ),
            size="small",
        ),
    ]


def _class(study: Study, class_id: int, probability: float) -> widgets.Part:
    """A class with its probability."""
    colour = pictures.colours(study).get(class_id, "#888888")
    return widgets.class_tag(wording.class_text(study, class_id), colour, wording.percent(probability, 1))
