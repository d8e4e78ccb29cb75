"""The figures of the poster's Table 1, to be shown beside measured ones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PosterRow:
    """One row of the poster's Table 1, measured on the 50,000 validation photos of ILSVRC2012.

    Attributes:
        method: its name in :func:`interpret.evaluation.table1.table_1`.
        accuracy: in percent.
        error: standard error in points, as the poster prints it.
        units: mean number of units ablated per class (count).
    """

    method: str
    accuracy: float
    error: float
    units: float


TABLE_1: dict[str, tuple[PosterRow, ...]] = {
    "vgg16": (
        PosterRow("No unit ablated", 71.59, 0.17, 0.0),
        PosterRow("Random", 71.39, 0.17, 10.0),
        PosterRow("mu-lasso [6]", 50.53, 0.20, 5.40),
        PosterRow("Ours-5", 55.17, 0.20, 6.79),
        PosterRow("Ours-10", 45.67, 0.20, 10.20),
    ),
    "resnet50": (
        PosterRow("No unit ablated", 76.13, 0.16, 0.0),
        PosterRow("Random", 76.08, 0.16, 10.0),
        PosterRow("mu-lasso [6]", 69.74, 0.18, 5.44),
        PosterRow("Ours-5", 71.11, 0.17, 6.79),
        PosterRow("Ours-10", 68.63, 0.18, 10.20),
    ),
}


def poster_rows(model: str) -> dict[str, PosterRow]:
    """The poster's rows for a model, by method; empty for a model that the poster does not show."""
    return {row.method: row for row in TABLE_1.get(model, ())}
