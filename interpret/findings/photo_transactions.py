"""The transactions of a photo that is explained on demand, as those of a study's photos."""

import numpy as np

from interpret.explanation.photo import PhotoExplanation
from interpret.findings.findings import Findings
from interpret.mining.ranked_units import kept_units


def transactions(findings: Findings, explained: PhotoExplanation, image_id: int | None) -> list[list[int]]:
    """The transaction of each patch of a photo that was explained on demand, units best first.

    Args:
        findings: of the study whose network explained it.
        explained: the photo.
        image_id: the photo's number in the study, if it was mined: its units are held to the other half's quantiles.
    """
    n = len(explained.boxes)
    mined = None if image_id is None else np.full(n, image_id, np.int64)
    units, _ = kept_units(
        findings.study, findings.config, (explained.units, explained.scores), np.full(n, explained.target), mined
    )
    return [[unit for unit in row if unit >= 0] for row in units.tolist()]
