"""The findings of a report: chosen, drawn, and put into the words of the template."""

from dataclasses import dataclass, replace

import pandas as pd

from interpret import frames
from interpret.config import ReportConfig
from interpret.evaluation.itemset_effects import EffectRow, nothing
from interpret.evaluation.kept_effects import Effects, ranked
from interpret.figures.colours import class_colours
from interpret.findings import Findings, supporting
from interpret.progress import Callback
from interpret.report.choice import Choice, Chosen, choose
from interpret.report.galleries import Galleries, draw
from interpret.report.shown import ClassSection, Effect, Finding, InClass
from interpret.study.names import Names

PICTURED_CLASSES = 4
"""Classes of one finding that have a row of patches (count), those of the largest support first."""


@dataclass(frozen=True, eq=False)
class Found:
    """The findings that are shown, with their pictures and effects.

    Attributes:
        findings: everything that was mined.
        config: how much is shown.
        names: of the classes.
        choice: which findings.
        effects: of ablating them, by itemset and class.
        galleries: their pictures.
        rules: of each, its rows of :attr:`Findings.table`, by falling support.
        called: what people call them.
    """

    findings: Findings
    config: ReportConfig
    names: list[str]
    choice: Choice
    effects: dict[tuple[int, int], EffectRow]
    galleries: Galleries
    rules: dict[Chosen, pd.DataFrame]
    called: Names

    @classmethod
    def of(
        cls,
        findings: Findings,
        config: ReportConfig,
        effects: Effects | None,
        names: list[str],
        only: Chosen | None = None,
        called: Names | None = None,
    ) -> "Found":
        """Choose; nothing is drawn yet.

        Args:
            findings: everything that was mined.
            config: how much to show.
            effects: of its itemsets; None where they could not be measured.
            names: of the classes.
            only: the one to show, first and alone; None for the best ones.
            called: what people call units and findings; None if nothing is named.

        Raises:
            InputError: a file of the study is damaged.
        """
        first = findings.headline()
        if effects is not None and (effects.first is None or effects.first[0] in findings.id_of):
            first = effects.first
        costs = nothing() if effects is None else effects.table
        choice = Choice(only, [], [], [], {}, {}) if only else choose(findings, config, first, ranked(costs))
        chosen = choice.all()
        table = findings.table
        table = table[table["itemset_id"].isin([findings.id_of[units] for units, _ in chosen])]
        rules = {
            each: table[table["itemset_id"] == findings.id_of[each[0]]].sort_values("support", ascending=False)
            for each in chosen
        }
        ids = {findings.id_of[units] for units, _ in chosen}
        measured = frames.rows(costs[costs["itemset_id"].isin(ids)], EffectRow)
        by_rule = {(row.itemset_id, row.class_id): row for row in measured}
        return cls(findings, config, names, choice, by_rule, Galleries(), rules, called or Names())

    def drawn(self, room: int, progress: Callback) -> "Found":
        """The same with pictures.

        Args:
            room: what they may take in the file (bytes).
            progress: called for each finding.
        """
        cards = {self.choice.headline, *self.choice.shared_cards}
        cards |= {card for cards in self.choice.specific_cards.values() for card in cards}
        wanted = [each for each in self.choice.all() if each in cards]
        rows = [(each, self.rules[each]["class_id"].head(PICTURED_CLASSES).tolist()) for each in wanted]
        galleries = draw(self.findings.study, self.findings.config, self.config, rows, self.names, room, progress)
        return replace(self, galleries=galleries)

    @property
    def colours(self) -> dict[str, str]:
        """The colour of each class, by its name in the style sheet."""
        order = supporting.class_order(self.findings.study)
        return {f"c{class_id}": colour for class_id, colour in class_colours(order).items()}

    def summary(self) -> dict[str, int]:
        """How many itemsets were found, of which kind, and how many of them the contrast supports (counts)."""
        first = self.findings.table.groupby("itemset_id")[["kind", "supported"]].first()
        shared = first["kind"] == "shared"
        return {
            "itemsets": len(first),
            "specific": int((~shared).sum()),
            "shared": int(shared.sum()),
            "supported": int(first["supported"].sum()),
            "supported_specific": int((first["supported"] & ~shared).sum()),
            "supported_shared": int((first["supported"] & shared).sum()),
            "classes": len(self.findings.classes),
        }

    def headline(self) -> Finding | None:
        """The first finding; None where nothing was found."""
        return None if self.choice.headline is None else self._finding(self.choice.headline)

    def shared(self) -> tuple[list[Finding], list[Finding]]:
        """The class-shared findings of the table, and those with a gallery."""
        return [self._finding(each) for each in self.choice.shared], [
            self._finding(each) for each in self.choice.shared_cards if each != self.choice.headline
        ]

    def sections(self) -> list[ClassSection]:
        """The class-specific findings, class by class."""
        closed = self.findings.shown("closed")
        specific = closed[closed["kind"] == "specific"].groupby("class_id")["supported"].agg(["size", "sum"])
        return [
            ClassSection(
                class_id=class_id,
                name=self.names[class_id],
                photos=int(self.findings.photo_counts[class_id]),
                found=int(specific["size"][class_id]),
                supported=int(specific["sum"][class_id]),
                listed=[self._finding(each) for each in self.choice.specific[class_id]],
                cards=[
                    self._finding(each) for each in self.choice.specific_cards[class_id] if each != self.choice.headline
                ],
            )
            for class_id in self.choice.classes
        ]

    def _finding(self, chosen: Chosen) -> Finding:
        units, _ = chosen
        rows, key = self.rules[chosen], self.findings.id_of[units]
        effects = [self.effects[key, class_id] for class_id in rows["class_id"] if (key, class_id) in self.effects]
        classes = tuple(
            InClass(
                class_id=class_id,
                name=self.names[class_id],
                support=support,
                count=held,
                patches=self.findings.patch_counts[class_id],
                contrast_support=contrast,
                effect=_effect(self.effects.get((key, class_id))),
                tiles=self.galleries.of(chosen, class_id),
            )
            for class_id, support, held, contrast in zip(
                *(rows[name].tolist() for name in ("class_id", "support", "support_count", "contrast_support")),
                strict=True,
            )
        )
        others = [row for row in effects if row.worst_class >= 0][:1]
        return Finding(
            units=units,
            classes=classes,
            supported=bool(rows["supported"].all()) if self.findings.study.has_contrast else None,
            lift=float(rows["contrast_lift"].min(skipna=False)),
            q_value=float(rows["image_q_value"].max(skipna=False)),
            named=self.called.of(units, rows["class_id"].tolist()).name,
            other=(max(0.0, others[0].worst), self.names[others[0].worst_class]) if others else None,
        )


def _effect(row: EffectRow | None) -> Effect | None:
    return None if row is None else Effect(row.fall, row.random, row.photos)
