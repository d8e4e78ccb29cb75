"""Which findings a report shows: supported ones first, and none whose units are nearly those of another."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from interpret.config import ReportConfig
from interpret.evaluation.kept_effects import best_first
from interpret.findings import Findings
from interpret.findings.rows import Units

MOST_ALIKE = 0.5
"""Share of the units of two findings of the same classes that both hold (of those that either holds), at the most."""

Chosen = tuple[Units, tuple[int, ...]]
"""Units, and the classes in which they are frequent."""


@dataclass(frozen=True)
class Choice:
    """Findings to show.

    Attributes:
        headline: shown first; None where nothing was found.
        shared: class-shared ones for the table.
        shared_cards: those of them with a gallery.
        classes: the classes whose own findings are shown, those predicted most often first.
        specific: class-specific ones of each of them, for its table.
        specific_cards: those of them with a gallery.
    """

    headline: Chosen | None
    shared: list[Chosen]
    shared_cards: list[Chosen]
    classes: list[int]
    specific: dict[int, list[Chosen]]
    specific_cards: dict[int, list[Chosen]]

    def all(self) -> list[Chosen]:
        """Every finding once, in the order in which pictures are drawn and effects measured: the most telling first."""
        ranked = [self.headline] if self.headline else []
        ranked += self.shared_cards
        for place in range(max(map(len, self.specific_cards.values()), default=0)):
            ranked += [cards[place] for cards in self.specific_cards.values() if place < len(cards)]
        ranked += self.shared
        for listed in self.specific.values():
            ranked += listed
        return list(dict.fromkeys(ranked))


def choose(findings: Findings, config: ReportConfig, headline: Chosen | None, ranked: pd.Series) -> Choice:
    """The findings to show: closed itemsets, supported ones first, then those of two to five units.

    Of these the ones come first that cost their own classes most and no others; then as :attr:`Findings.candidates`.

    Galleries show supported findings only where there are some; a table lists the others after them.

    Args:
        findings: what was mined.
        config: how much to show.
        headline: the finding to show first.
        ranked: by itemset id, as :func:`interpret.evaluation.kept_effects.ranked`; may be empty.
    """
    rows = findings.candidates
    rows = best_first(rows.assign(itemset_id=[findings.id_of[units] for units in rows["units"]]), ranked)
    rows = rows.sort_values("supported", ascending=False, kind="stable")
    by_class: dict[tuple[int, ...], list[tuple[Chosen, bool]]] = {}
    shared: list[tuple[Chosen, bool]] = []
    for units, class_ids, supported in zip(rows["units"], rows["class_ids"], rows["supported"], strict=True):
        entry = ((units, class_ids), bool(supported))
        (shared if len(class_ids) > 1 else by_class.setdefault(class_ids, [])).append(entry)
    classes = [class_id for class_id in findings.classes if (class_id,) in by_class][: config.classes]
    listed = {class_id: apart(by_class[(class_id,)], config.rows) for class_id in classes}
    together = apart(shared, config.rows)
    return Choice(
        headline=headline,
        shared=[chosen for chosen, _ in together],
        shared_cards=_best(together, config.shared),
        classes=classes,
        specific={class_id: [chosen for chosen, _ in entries] for class_id, entries in listed.items()},
        specific_cards={class_id: _best(entries, config.specific) for class_id, entries in listed.items()},
    )


def apart(entries: Iterable[tuple[Chosen, bool]], most: int) -> list[tuple[Chosen, bool]]:
    """The first ``most`` entries of which none is like an earlier one of the same classes, see :data:`MOST_ALIKE`."""
    kept: list[tuple[Chosen, bool]] = []
    sets: dict[tuple[int, ...], list[frozenset[int]]] = {}
    for (units, class_ids), supported in entries:
        if len(kept) >= most:
            break
        own, before = frozenset(units), sets.setdefault(class_ids, [])
        if all(len(own & other) <= MOST_ALIKE * len(own | other) for other in before):
            before.append(own)
            kept.append(((units, class_ids), supported))
    return kept


def _best(entries: list[tuple[Chosen, bool]], most: int) -> list[Chosen]:
    """The first entries, supported ones only where there are some."""
    supported = np.array([supported for _, supported in entries], np.bool_)
    return [chosen for chosen, kept in entries if kept or not supported.any()][:most]
