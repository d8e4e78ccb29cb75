"""Class names and which class a folder's name stands for."""

import json

import pytest

from interpret.data.class_names import fold, imagenet, match, read_class_names
from interpret.errors import InputError

# the ten folders whose indices are known from ImageNet's own list
KNOWN = {
    "n01440764": 0,
    "n02102040": 217,
    "n02979186": 482,
    "n03000684": 491,
    "n03028079": 497,
    "n03394916": 566,
    "n03417042": 569,
    "n03425413": 571,
    "n03445777": 574,
    "n03888257": 701,
}


def test_imagenets_names_are_in_torchvisions_order_and_unique():
    from torchvision.models import VGG16_Weights

    names, wnids = imagenet()
    theirs = VGG16_Weights.IMAGENET1K_V1.meta["categories"]
    assert len(set(names)) == len(set(wnids)) == 1000
    differ = {
        index: (ours, other) for index, (ours, other) in enumerate(zip(names, theirs, strict=True)) if ours != other
    }
    assert differ == {
        134: ("crane (bird)", "crane bird"),
        517: ("crane (machine)", "crane"),
        638: ("maillot (tights)", "maillot"),
        639: ("maillot (swimsuit)", "maillot tank suit"),
    }
    assert {wnid: wnids.index(wnid) for wnid in KNOWN} == KNOWN


def test_folders_by_id_index_and_name():
    names, wnids = imagenet()
    asked = {
        **KNOWN,
        "N01440764": 0,
        "n01440764_tench": 0,
        "n01440764-anything": 0,
        "n014407641": None,
        "n99999999": None,
        "217": 217,
        "0217": 217,
        "1000": None,
        "-1": None,
        "99999999999999999999": None,
        "²": None,
        "tench": 0,
        "Tinca tinca": 0,
        "English_springer": 217,
        "english-springer spaniel": 217,
        "Cassette  Player": 482,
        "horn": None,
        "crane": None,  # two classes
        "crane (bird)": 134,
        "jack-o’-lantern": 607,
        "jack_o_lantern": 607,
        "train": None,
        "": None,
        "not a class": None,
    }
    assert match(asked, names, wnids) == asked


def test_a_class_that_is_named_like_a_number_or_like_another_is_found_by_its_own_name():
    names = ("7", "0", "Cat", "cat", "café au-lait")
    asked = {"0": 1, "7": 0, "3": 3, "cat": 3, "Cat": 2, "CAT": None, "CAFE\u0301 AU LAIT": 4, "4": 4, "5": None}
    assert match(asked, names) == asked


def test_imagenets_folders_meet_a_researchers_own_names():
    names = ("golf ball", "English springer", "gas_pump")
    asked = {"n03445777": 0, "n02102040": 1, "n03425413": 2, "n01440764": None}
    assert match(asked, names) == asked


def test_fold():
    assert fold("  Jack-O'_lantern,  the\tfirst ") == "jack o lantern the first"


def test_names_from_files(tmp_path):
    def written(text: str, name: str = "names.txt"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    assert read_class_names(written("cat\ndog\n\n")) == (("cat", "dog"), ())
    assert read_class_names(written("\ufeffcat\r\ndog \r\n")) == (("cat", "dog"), ())
    assert read_class_names(written('["cat", "dog, big"]')) == (("cat", "dog, big"), ())
    assert read_class_names(written('{"1": "dog", "0": "cat"}')) == (("cat", "dog"), ())
    index = {"0": ["n01440764", "tench"], "1": ["n01443537", "great_fish"]}
    assert read_class_names(written(json.dumps(index))) == (("tench", "great fish"), ("n01440764", "n01443537"))
    assert read_class_names(written("n02102040\nn01440764")) == (
        ("English springer", "tench"),
        ("n02102040", "n01440764"),
    )
    assert read_class_names("imagenet", 1000) == imagenet()


@pytest.mark.parametrize(
    ("content", "expected", "words"),
    [
        (b"cat\ndog\n", 3, r"2 class names, but the network has 3 outputs"),
        (b"cat\ncat\n", None, "'cat' to more than one"),
        (b"cat\n\ndog\n", None, "without empty lines"),
        (b"", None, "not a list of class names"),
        (b"[1, 2]", None, "not a list of class names"),
        (b'["cat", ', None, "not a JSON list"),
        (b'{"a": "cat"}', None, "not a JSON list"),
        (b"caf\xe9\n", None, "not UTF-8"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, content, expected, words):
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_class_names(tmp_path / "names.txt", expected)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_class_names(tmp_path / "none.txt")
