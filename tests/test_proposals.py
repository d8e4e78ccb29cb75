"""Proposed names: known parts, the nearest common word in WordNet, the classes."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from interpret.data import class_names
from interpret.data.class_words import MOST, ClassWord, are_imagenet, common_word
from interpret.findings.proposals import Proposer

ASSETS = Path(__file__).parents[1] / "assets"


def maker():
    """The script that makes the table."""
    spec = importlib.util.spec_from_file_location("make_imagenet_words", ASSETS / "make_imagenet_words.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table() -> dict:
    return json.loads((ASSETS / "imagenet_words.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("names", "word", "classes"),
    [
        (["tench", "goldfish"], "cyprinid", 2),
        (["tench", "great white shark"], "fish", 16),
        (["Egyptian cat", "Siamese cat"], "domestic cat", 5),
        (["Siamese cat", "chow"], "domestic animal", 123),
        (["Siamese cat", "timber wolf"], "carnivore", 158),
        (["tench", "bald eagle"], "vertebrate", 337),
        (["church", "palace", "barn"], "building", 14),
        (["garbage truck", "sports car"], "motor vehicle", 22),
    ],
)
def test_the_nearest_common_word_of_classes(names, word, classes):
    """As WordNet's pages of these words have it; pairs are counted by brute force below."""
    assert common_word(names) == ClassWord(word, classes)


def test_a_word_is_common_to_its_classes_and_no_nearer_one_is_by_brute_force():
    content = table()
    above = content["above"]

    def climb(wnid: str) -> set[str]:
        found, waiting = set(), [wnid]
        while waiting:
            found.add(now := waiting.pop())
            waiting += above[now]
        return found

    every = {wnid: climb(wnid) for wnid, _ in content["classes"]}
    names = dict(content["classes"])
    pairs = [
        ("n01440764", "n02123394"),  # tench, Persian cat
        ("n03028079", "n03417042"),  # church, garbage truck
        ("n02979186", "n03000684"),  # cassette player, chain saw
        ("n07753592", "n07747607"),  # banana, orange
    ]
    for one, two in pairs:
        common = every[one] & every[two]
        below = {wnid: sum(wnid in climbed for climbed in every.values()) for wnid in common}
        fewest = min(below.values())
        found = common_word([names[one], names[two]])
        if fewest > MOST:
            assert found is None
        else:
            assert found is not None
            assert found.classes == fewest
            assert found.word in {content["words"][wnid] for wnid in common if below[wnid] == fewest}


def test_a_word_that_says_nothing_is_not_proposed():
    assert common_word(["tench", "church"]) is None, "both are objects"
    assert common_word(["golf ball", "French horn"]) is None, "both are instrumentalities, as 358 classes are"
    assert common_word(["tench"]) is None
    assert common_word(["tench", "Tench"]) is None, "one class"
    assert common_word(["tench", "sofa bed"]) is None, "no class of ImageNet"


def test_the_table_has_imagenets_classes_and_everything_above_them():
    names, wnids = class_names.imagenet()
    content = table()
    assert content["classes"] == [list(pair) for pair in zip(wnids, names, strict=True)]
    assert set(content["above"]) == set(wnids) | set(content["words"])
    assert {parent for parents in content["above"].values() for parent in parents} <= set(content["words"])
    assert [wnid for wnid, parents in content["above"].items() if not parents] == ["n00001740"]
    assert "WordNet 3.0" in content["source"]
    assert "Princeton" in (ASSETS / "imagenet_words.LICENSE").read_text(encoding="utf-8")
    assert are_imagenet(names)
    assert are_imagenet(["Tench", "golf_ball"])
    assert not are_imagenet(["tench", "Bird"])


def test_the_script_reads_wordnets_file():
    text = (
        "  1 This software and database is being provided\n"
        "00001740 03 n 01 entity 0 001 ~ 00001930 n 0000 | that which is\n"
        "02083346 05 n 02 canine 0 canid 0 003 @ 00001740 n 0000 #m 02083863 n 0000 ~ 02083863 n 0000 | any of | it\n"
        "09470550 15 n 01 Yucatan_Channel(a) 0 003 @i 02083346 n 0000 + 00000001 v 0101 @ 00001740 n 0000 | x\n"
    )
    assert maker().nouns(text) == {
        "n00001740": ("entity", []),
        "n02083346": ("canine", ["n00001740"]),
        "n09470550": ("Yucatan Channel", ["n02083346", "n00001740"]),
    }


def study(names: list[str]) -> SimpleNamespace:
    return SimpleNamespace(class_names=names)


def test_parts_come_first_then_a_word_then_the_classes():
    partly = Proposer(study(["Siamese cat", "timber wolf", "my cat"]))
    assert partly.propose((1,), (0, 1)).name == "Siamese cat, Timber wolf", "a network of other classes too"
    imagenet = Proposer(study(["Siamese cat", "timber wolf", "church"]))
    assert imagenet.propose((1, 2), (0, 1)).name == "carnivore"
    assert "158 of ImageNet’s 1,000 classes" in imagenet.propose((1, 2), (0, 1)).why
    assert imagenet.propose((1,), (0, 2)).name == "Siamese cat, Church"
    assert imagenet.propose((1,), (2,)).name == "Church"
    assert imagenet.propose((1,), (2,)).is_classes
    assert imagenet.propose((1,), ()) is None
    parts = Proposer(study(["Siamese cat", "timber wolf"]), ["eye", None, "head", "eye", "leg", "tail"])
    assert parts.propose((0,), (0, 1)).name == "eye"
    assert not parts.propose((0,), (0, 1)).is_classes
    assert parts.propose((0, 1, 2, 3), ()).name == "eye, head"
    assert parts.propose((0, 2, 4, 5), ()).name == "eye, head and 2 more"
    assert parts.propose((1,), (0, 1)).name == "carnivore"
    four = Proposer(study(["a", "b", "c", "d"]))
    assert four.propose((1,), (3, 2, 1, 0)).name == "D, C and 2 more"
