"""What a set of units might be called until a person names it: the known parts it detects, or the classes it serves."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    """

    name: str
    why: str
    is_classes: bool = False


@dataclass(frozen=True, eq=False)
class Proposer:
    """Proposals for the units of one study.

    Attributes:
        study: the study.
        parts: the known part that each of the K units detects, None for a unit without one; empty where no parts are
            known.
    """

    study: Study
    parts: Sequence[str | None] = ()

    @cached_property
    def class_texts(self) -> list[str]:
        """A short name for each class."""
        return words.short_names(self.study.class_names)

    @cached_property
    def _are_imagenet(self) -> bool:
        return class_words.are_imagenet(self.study.class_names)

    def propose(self, units: Units, classes: Sequence[int]) -> Proposal | None:
        """What to call units: the parts that they detect; else the word that their classes share; else the classes.

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
