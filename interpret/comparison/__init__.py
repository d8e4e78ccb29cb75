"""Two studies side by side: their photos and classes, their units matched, and what appeared and vanished."""

from interpret.comparison.compare import Comparison, compare
from interpret.comparison.evaluations import same_photos_measured, table_1_side_by_side
from interpret.comparison.matching import Matches, match_units, shared_photos

__all__ = [
    "Comparison",
    "Matches",
    "compare",
    "match_units",
    "same_photos_measured",
    "shared_photos",
    "table_1_side_by_side",
]
