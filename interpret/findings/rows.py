"""What a reader takes from one row of the tables of findings: named tuples for :func:`interpret.frames.rows`."""

from typing import NamedTuple

Units = tuple[int, ...]


class RuleRow(NamedTuple):
    """An itemset in one class: a row of :attr:`interpret.findings.Findings.table`."""

    itemset_id: int
    units: Units
    class_id: int
    support_count: int
    support: float
    contrast_support: float
    supported: bool


class SharedRow(NamedTuple):
    """An itemset and its classes: a row of :attr:`interpret.findings.Findings.all_shared`."""

    itemset_id: int
    units: Units
    class_ids: tuple[int, ...]
    supports: tuple[float, ...]
    contrast_supports: tuple[float, ...]
    supported: bool


class RelevantUnit(NamedTuple):
    """A row of :meth:`interpret.findings.Findings.relevant_units`."""

    unit: int
    rank: int
    support: float
    kind: str


class CoOccurringUnit(NamedTuple):
    """A row of :func:`interpret.findings.supporting.co_occurring_units`."""

    unit: int
    together: int
    share: float
    lift: float


class MappedUnit(NamedTuple):
    """A row of :func:`interpret.findings.unit_map.table`."""

    unit: int
    patches: int
    kind: str
    class_id: int
    support: float
    class_ids: tuple[int, ...]
    nearest: tuple[int, ...]


class ClassSupport(NamedTuple):
    """A row of :func:`interpret.findings.supporting.support_by_class`."""

    class_id: int
    support_count: int
    patches: int
    support: float
    image_count: int
    images: int
    image_support: float
    contrast_count: int
    contrast_patches: int
    contrast_support: float
