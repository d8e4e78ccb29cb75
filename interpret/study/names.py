"""What people call units, itemsets and findings of a study.

A name belongs to a set of units, wherever it is frequent, or to a finding: the set and the classes that it is frequent
in. One unit is a set of one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from interpret.errors import InputError

LONGEST_NAME, LONGEST_TAG, LONGEST_NOTE = 80, 40, 2000
"""Characters (count)."""

MOST_TAGS, MOST_ENTRIES = 12, 20_000
"""Tags of one entry, and entries of a file (counts)."""

Units = tuple[int, ...]

Key = tuple[Units, tuple[int, ...]]
"""What is named: units, ascending, and the classes of a finding, ascending; no classes for the units wherever they are
frequent."""


@dataclass(frozen=True)
class Named:
    """What is said of one set of units or finding.

    Attributes:
        name: one line; may be empty where there are tags or a note.
        tags: each one line without a comma, in the order given, none twice.
        note: text of any number of lines.
    """

    name: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.tags or self.note)


NOTHING = Named()


@dataclass(frozen=True, eq=False)
class Names:
    """All that was named in a study.

    Attributes:
        entries: by :data:`Key`, in ascending order.
    """

    entries: Mapping[Key, Named] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.entries)

    def of(self, units: Iterable[int], classes: Iterable[int] = ()) -> Named:
        """What is said of a finding, or else of its units wherever they are frequent; nothing if neither is named.

        Args:
            units: of the itemset, in any order.
            classes: that it is frequent in; none to ask for the units alone.
        """
        key = tuple(sorted(units)), tuple(sorted(classes))
        return self.entries.get(key) or self.entries.get((key[0], ()), NOTHING)

    def tags(self) -> list[str]:
        """Every tag that is used, those used most often first."""
        used: dict[str, int] = {}
        for named in self.entries.values():
            for tag in named.tags:
                used[tag] = used.get(tag, 0) + 1
        return sorted(used, key=lambda tag: (-used[tag], tag))

    def changed(self, changes: Mapping[Key, Named]) -> "Names":
        """The same with some entries replaced; one that says nothing is removed.

        Raises:
            InputError: there would be too many.
        """
        entries = {key: named for key, named in sorted({**self.entries, **changes}.items()) if named}
        if len(entries) > MOST_ENTRIES:
            raise InputError(f"There would be {len(entries):,} names, and a study holds {MOST_ENTRIES:,}; remove some.")
        return Names(entries)


def named(name: str, tags: Iterable[str], note: str) -> Named:
    """What a person typed, with blanks at the ends and runs of blanks within removed, and tags that come twice.

    Raises:
        InputError: a text is too long, a tag has a comma, or there are too many tags.
    """
    plain = [_one_line(tag) for tag in tags]
    made = Named(_one_line(name), tuple(dict.fromkeys(tag for tag in plain if tag)), _lines(note))
    if what := misfit(made):
        raise InputError(f"{what[0].upper()}{what[1:]}; change that.")
    return made


def misfit(said: Named) -> str:
    """What of an entry is too long, in words; empty if nothing is."""
    for what, text, most in (("the name", said.name, LONGEST_NAME), ("the note", said.note, LONGEST_NOTE)):
        if len(text) > most:
            return f"{what} has {len(text):,} characters, and {most:,} are kept"
    if len(said.tags) > MOST_TAGS:
        return f"there are {len(said.tags)} tags, and {MOST_TAGS} are kept"
    for tag in said.tags:
        if len(tag) > LONGEST_TAG:
            return f"the tag “{tag[:LONGEST_TAG]}…” has more than {LONGEST_TAG} characters"
        if "," in tag:
            return f"the tag “{tag}” has a comma, which separates tags"
    return ""


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", _printable(text)).strip()


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in _printable(text.replace("\r\n", "\n")).split("\n")).strip("\n")


def _printable(text: str) -> str:
    """Without characters that cannot be shown or written: control characters but line breaks and tabs, surrogates."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "", text)
