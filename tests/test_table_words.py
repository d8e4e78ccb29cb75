"""What is said of a rule's measures, whichever of them it has."""

import numpy as np
import pandas as pd
import pytest

from pages.shared.view import tables

LIFTED = "with a contrast lift of 2 or more in 80 %"


@pytest.mark.parametrize(
    ("stable", "lifted", "said"),
    [
        (0.9, 0.8, ["confidence 44 %,", "lift 2.0,", "stable in 90 % of resamples", LIFTED]),
        (0.9, np.nan, ["confidence 44 %,", "lift 2.0,", "stable in 90 % of resamples"]),
        (np.nan, np.nan, ["confidence 44 %,", "lift 2.0"]),
    ],
)
def test_what_was_not_resampled_is_not_spoken_of(stable, lifted, said):
    row = {"confidence": 0.44, "lift": 2.0, "contrast_lift": np.nan, "image_q_value": np.nan}
    parts = tables.measures(pd.Series({**row, "stable": stable, "lifted": lifted}))
    assert [f"{part['word']}{part['text']}".replace("\u00a0", " ") for part in parts] == said
