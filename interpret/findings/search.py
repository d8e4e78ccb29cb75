"""Search over what a study has: its classes, its units, its itemsets, and what people call them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from interpret.data.class_names import fold
from interpret.findings.findings import Findings
from interpret.findings.proposals import Proposer
from interpret.findings.rows import Units
from interpret.study.names import NOTHING, Named, Names

Kind = Literal["class", "unit", "itemset"]

MOST_ITEMSETS = 20_000
"""Itemsets that are searched (count), beside all those that are named."""

LONGEST = 100
"""Characters of a query that count (count)."""

WEIGHTS = {"name": 0, "tags": 1, "proposed": 2, "classes": 3, "note": 4}
"""Where a word is found, from what says most of a thing to what says least."""


@dataclass(frozen=True)
class Hit:
    """One thing that a query finds.

    Attributes:
        kind: class, unit or itemset.
        units: of the unit or the itemset, ascending; none for a class.
        classes: the class; or those that the units are frequent in, the largest support first.
        named: what people say of it.
        proposed: what it might be called, if nobody named it; empty if that would be its classes.
    """

    kind: Kind
    units: Units
    classes: tuple[int, ...]
    named: Named = NOTHING
    proposed: str = ""


@dataclass(frozen=True, eq=False)
class _Entry:
    """A hit with its texts, folded, by :data:`WEIGHTS`."""

    hit: Hit
    texts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, eq=False)
class Index:
    """Everything that can be found in a study at some thresholds.

    Attributes:
        entries: those of each kind in the order in which equally good ones are listed.
    """

    entries: dict[Kind, list[_Entry]]

    @classmethod
    def of(cls, findings: Findings, names: Names, proposer: Proposer) -> "Index":
        """Of all classes and units, of the itemsets found, and of those that are named and not frequent."""
        folded = [fold(name) for name in proposer.class_texts]
        full = [fold(name) for name in findings.study.class_names]

        def of_units(kind: Kind, units: Units, classes: tuple[int, ...]) -> _Entry:
            named, proposal = names.of(units, classes), proposer.propose(units, classes)
            proposed = "" if proposal is None or proposal.is_classes else proposal.name
            hit = Hit(kind, units, classes, named, "" if named.name else proposed)
            return _Entry(hit, _texts(named, proposed, " ".join(folded[each] for each in classes)))

        found = findings.classes_of
        order = list(findings.classes)
        order += sorted(set(range(len(full))) - set(order))
        single = {units[0]: found[key] for key, units in findings.units_of.items() if len(units) == 1 and key in found}
        units = [of_units("unit", (unit,), single.get(unit, ())) for unit in range(findings.study.n_units)]
        sets = {findings.units_of[key]: found[key] for key in _first(findings.table["itemset_id"].tolist())}
        absent = {key[0]: () for key in names.entries if len(key[0]) > 1 and key[0] not in findings.id_of}
        return cls(
            {
                "class": [_Entry(Hit("class", (), (each,)), ((WEIGHTS["name"], full[each]),)) for each in order],
                "unit": units,
                "itemset": [
                    of_units("itemset", units, classes)
                    for units, classes in (*sets.items(), *absent.items())
                    if len(units) > 1
                ],
            }
        )

    def search(self, query: str, most: int = 5) -> dict[Kind, list[Hit]]:
        """What a query finds, the best first.

        Every word of the query must be found: the number of a unit among the units, any other word in the name, the
        tags, the proposed name, the classes or the note. A word at the start of a text is better than one inside.

        Args:
            query: words and numbers, as `wheel`, `34,193` or `bird 34`.
            most: hits of each kind (count).
        """
        words = fold(query[:LONGEST]).split()
        if not words:
            return {}
        found: dict[Kind, list[Hit]] = {}
        for kind, entries in self.entries.items():
            ranked = sorted(_ranked(entries, words), key=lambda each: each[:2])
            if ranked:
                found[kind] = [hit for _, _, hit in ranked[:most]]
        return found


def _texts(named: Named, proposed: str, classes: str) -> tuple[tuple[int, str], ...]:
    texts = {"name": named.name, "tags": " ".join(named.tags), "proposed": proposed, "note": named.note}
    folded = {name: fold(text) for name, text in texts.items() if text}
    return tuple((WEIGHTS[name], text) for name, text in {**folded, "classes": classes}.items() if text)


def _first(ids: Iterable[int]) -> list[int]:
    """Different ids in their order, at most :data:`MOST_ITEMSETS`."""
    return list(dict.fromkeys(ids))[:MOST_ITEMSETS]


def _ranked(entries: Sequence[_Entry], words: Sequence[str]) -> Iterator[tuple[int, int, Hit]]:
    """The entries in which every word is found, each with how far the words are from its name, and its place."""
    numbers = [int(word) if word.isascii() and word.isdigit() and len(word) < 8 else -1 for word in words]
    for place, entry in enumerate(entries):
        units = entry.hit.units
        found = [0 if number in units else _distance(word, entry) for word, number in zip(words, numbers, strict=True)]
        if None not in found:
            # Of itemsets that hold the units asked for, those of the fewest others come first.
            others = len(units) if any(number in units for number in numbers) else 0
            yield sum(each or 0 for each in found) + others, place, entry.hit


def _distance(word: str, entry: _Entry) -> int | None:
    """Twice the weight of the best text that has the word, and 1 more where no word of it begins so; None without."""
    found = [
        2 * weight + (0 if text.startswith(word) or f" {word}" in text else 1)
        for weight, text in entry.texts
        if word in text
    ]
    return min(found, default=None)
