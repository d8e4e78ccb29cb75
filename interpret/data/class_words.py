"""The word that ImageNet classes have in common: their nearest common hypernym in WordNet.

The table is `assets/imagenet_words.json`, which `assets/make_imagenet_words.py` makes from WordNet 3.0.
"""

import functools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from interpret.data.class_names import fold
from interpret.files import assets

TABLE = "imagenet_words.json"

MOST = 350
"""Of ImageNet's 1,000 classes, those that a word may stand for at the most: `instrumentality` (358) says nothing."""


@dataclass(frozen=True)
class ClassWord:
    """A word for several classes.

    Attributes:
        word: the first of its synset.
        classes: of ImageNet's 1,000, those that it stands for (count).
    """

    word: str
    classes: int


@dataclass(frozen=True, eq=False)
class _Table:
    """WordNet above ImageNet's classes.

    Attributes:
        id_of: a class's id by its folded name.
        words: by id, those above classes.
        above: by the id of a class, the ids of everything above it and its own.
        classes: by id, the classes below it or equal to it (counts).
    """

    id_of: dict[str, str]
    words: dict[str, str]
    above: dict[str, frozenset[str]]
    classes: Counter[str]


def are_imagenet(class_names: Sequence[str]) -> bool:
    """Whether all classes of a network are ImageNet's, by their names; its synonyms don't count."""
    table = _table()
    return table is not None and all(fold(name) in table.id_of for name in class_names)


def common_word(class_names: Sequence[str]) -> ClassWord | None:
    """The nearest word above all of some classes of ImageNet.

    Nearest is the one that stands for the fewest of the 1,000 classes; of equal ones, the one furthest down.

    Args:
        class_names: two or more of ImageNet's names.

    Returns:
        None where a name is not ImageNet's, where there are fewer than two, or where the nearest word stands for more
        than :data:`MOST` classes.
    """
    table = _table()
    ids = None if table is None else [table.id_of.get(fold(name)) for name in class_names]
    if table is None or ids is None or len(set(ids)) < 2 or None in ids:
        return None
    common = frozenset.intersection(*(table.above[str(wnid)] for wnid in ids))
    nearest = min(common, key=lambda wnid: (table.classes[wnid], -len(_all_above(wnid)), wnid))
    count = table.classes[nearest]
    return ClassWord(table.words[nearest], count) if count <= MOST else None


@functools.cache
def _content() -> dict[str, Any] | None:
    """The table as it is in the file; None where an installation has none."""
    try:
        return dict(json.loads((assets() / TABLE).read_text(encoding="utf-8")))
    except OSError:
        return None


@functools.cache
def _all_above(wnid: str) -> frozenset[str]:
    content = _content()
    assert content is not None
    return frozenset({wnid}).union(*(_all_above(parent) for parent in content["above"][wnid]))


@functools.cache
def _table() -> _Table | None:
    content = _content()
    if content is None:
        return None
    above = {wnid: _all_above(wnid) for wnid, _ in content["classes"]}
    return _Table(
        {fold(name): wnid for wnid, name in content["classes"]},
        content["words"],
        above,
        Counter(parent for parents in above.values() for parent in parents),
    )
