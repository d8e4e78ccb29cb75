"""What a set of units might be called until a person names it: the known parts it detects, or the classes it serves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from interpret import words
from interpret.data import class_words
from interpret.findings.rows import Units
from interpret.study import Study

MOST = 3
"""Parts or classes in a proposal (count); more are counted."""


@dataclass(frozen=True)
class Proposal:
    """A name that nobody gave.

    Attributes:
        name: a few words.
        why: where they come from, as a phrase.
        is_classes: whether it only lists the classes, which stand beside a finding anyhow.
        score: how well it fits on photos that did not choose it (AUROC); None where it was not scored.
    """

    name: str
    why: str
    is_classes: bool = False
    score: float | None = None


@dataclass(frozen=True)
class FittingWord:
    """A word that fits a unit's patches.

    Attributes:
        word: the word.
        score: AUROC on photos that did not choose it.
        words: in the list that it is from (count).
        source: name of that list.
    """

    word: str
    score: float
    words: int
    source: str


@dataclass(frozen=True, eq=False)
class Proposer:
    """Proposals for the units of one study.

    Attributes:
        study: the study.
        parts: the known part that each of the K units detects, None for a unit without one; empty where no parts are
            known.
        words: of units, from a list, where one fits well enough (:mod:`interpret.concepts.unit_words`).
    """

    study: Study
    parts: Sequence[str | None] = ()
    words: Mapping[int, FittingWord] = field(default_factory=dict)

    @cached_property
    def class_texts(self) -> list[str]:
        """A short name for each class."""
        return words.short_names(self.study.class_names)

    @cached_property
    def _are_imagenet(self) -> bool:
        return class_words.are_imagenet(self.study.class_names)

    def propose(self, units: Units, classes: Sequence[int]) -> Proposal | None:
        """What to call units: the parts that they detect; else a unit's word of a list; else the word that their
        classes share; else the classes.

        Args:
            units: of the itemset.
            classes: in which it is frequent, the most important first.

        Returns:
            None where it is frequent in no class and detects no known part.
        """
        found = [part for unit in units if self.parts and (part := self.parts[unit])]
        if found:
            whose = "this unit detects" if len(units) == 1 else "these units detect"
            return Proposal(_listed(list(dict.fromkeys(found))), f"proposed: what {whose}, of the parts that are known")
        if len(units) == 1 and (fits := self.words.get(units[0])):
            return Proposal(
                fits.word,
                f"proposed: the word of {fits.words:,} in {fits.source} that fits the unit’s patches best, chosen on "
                "half of the photos; on the other half it fits a patch with the unit better than one without in "
                f"{words.percent(fits.score)} of pairs (AUROC; 50\u00a0% is chance)",
                score=fits.score,
            )
        if len(classes) > 1 and self._are_imagenet:
            word = class_words.common_word([self.study.class_names[class_id] for class_id in classes])
            if word is not None:
                return Proposal(
                    word.word,
                    f"proposed: the nearest word in WordNet above its {len(classes)} classes; {word.classes} of "
                    "ImageNet’s 1,000 classes are one",
                )
        if not classes:
            return None
        return Proposal(
            _listed([self.class_texts[class_id] for class_id in classes]), "proposed: the classes it serves", True
        )


def _listed(texts: list[str]) -> str:
    """`wheel, window, door` or `wheel, window and 3 more`."""
    if len(texts) <= MOST:
        return ", ".join(texts)
    return f"{', '.join(texts[: MOST - 1])} and {len(texts) - MOST + 1} more"
