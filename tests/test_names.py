"""Names of units, itemsets and findings: kept in the study's folder, exported and imported."""

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from interpret.cli.main import main
from interpret.errors import InputError
from interpret.study import names_file, open_study
from interpret.study.names import LONGEST_NOTE, MOST_TAGS, Named, Names, named
from interpret.study.names_file import change_names, read_names, read_names_file
from interpret.study.open import damages
from tests.manifests import manifest_of, rewrite
from tests.small_study import studies

WHEEL = Named("wheel", ("part", "round"), "also seen on bicycles\nand trucks")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of the small study, in which nothing is named."""
    return shutil.copytree(studies() / "demo", tmp_path / "demo")


def bytes_in(folder: Path) -> dict[Path, bytes]:
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def content(folder: Path) -> dict:
    return json.loads((folder / "names.json").read_text(encoding="utf-8"))


def test_a_finding_has_its_own_name_or_that_of_its_units():
    names = Names({((3,), ()): Named("eye"), ((3, 5), ()): Named("head"), ((3, 5), (1, 2)): Named("head of a pet")})
    assert names.of([3]).name == "eye"
    assert names.of((5, 3)).name == "head"
    assert names.of((3, 5), (2, 1)).name == "head of a pet"
    assert names.of((3, 5), (1,)).name == "head", "other classes: another finding"
    assert names.of((3, 5, 8)) == Named()
    assert not names.of((8,))


def test_what_is_typed_is_made_plain():
    typed = named("  front\t wheel\n", ["round", " part ", "", "round"], "one \r\n\r\ntwo\x00\n\n")
    assert typed == Named("front wheel", ("round", "part"), "one\n\ntwo")
    assert named("‘größe’ 車輪 \ud800", [], "").name == "‘größe’ 車輪"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("x" * 81, [], ""), "The name has 81 characters, and 80 are kept"),
        (("", [], "x" * (LONGEST_NOTE + 1)), "The note has 2,001 characters, and 2,000 are kept"),
        (("", [str(tag) for tag in range(MOST_TAGS + 1)], ""), "There are 13 tags, and 12 are kept"),
        (("", ["x" * 41], ""), "has more than 40 characters"),
        (("", ["a,b"], ""), "The tag “a,b” has a comma"),
    ],
)
def test_what_is_too_long_is_said_and_not_cut(given, said):
    with pytest.raises(InputError, match=said):
        named(*given)


def test_names_are_kept_in_the_folder_and_change_no_other_file(folder):
    before, study = bytes_in(folder), open_study(folder)
    identity = study.identity
    assert len(read_names(study)) == 0
    change_names(study, {((5,), ()): WHEEL, ((34, 40), (4, 5)): Named("front of a car")})
    names = change_names(study, {((7,), ()): Named(tags=("dark",))})
    assert list(names.entries) == [((5,), ()), ((7,), ()), ((34, 40), (4, 5))]
    again = open_study(folder)
    assert dict(read_names(again).entries) == dict(names.entries)
    assert read_names(again).of([5]) == WHEEL
    assert names.tags() == ["dark", "part", "round"]
    after = bytes_in(folder)
    assert set(after) - set(before) == {Path("names.json")}
    assert {name: after[name] for name in before} == before
    assert again.identity == identity
    assert list(damages(again)) == []
    (finding,) = [entry for entry in content(folder)["names"] if entry["classes"]]
    assert finding["classes"] == [{"class_id": 4, "name": "Car"}, {"class_id": 5, "name": "Truck"}]


def test_an_entry_that_says_nothing_is_removed_and_the_same_names_are_the_same_bytes(folder):
    study = open_study(folder)
    change_names(study, {((5,), ()): WHEEL, ((2, 3), ()): Named("x")})
    first = (folder / "names.json").read_bytes()
    change_names(study, {((1,), ()): Named("y")})
    change_names(study, {((1,), ()): Named()})
    assert (folder / "names.json").read_bytes() == first


@pytest.mark.parametrize(
    ("units", "classes"),
    [((), ()), ((96,), ()), ((-1,), ()), ((5, 3), ()), ((3, 3), ()), ((3,), (10,)), ((3,), (2, 1))],
)
def test_only_units_and_classes_of_the_study_are_named(folder, units, classes):
    with pytest.raises(InputError, match="There is no set of units"):
        change_names(open_study(folder), {(units, classes): WHEEL})
    assert not (folder / "names.json").exists()


def test_names_travel_with_a_copy_and_with_a_packed_study(folder, tmp_path):
    change_names(open_study(folder), {((5,), ()): WHEEL})
    assert main(["pack", str(folder), "--side", "32"]) == 0
    moved = shutil.move(shutil.copytree(folder, tmp_path / "copy"), tmp_path / "elsewhere")
    assert read_names(open_study(moved)).of([5]) == WHEEL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is not JSON"),
        ('{"format": "unitscope names 1"', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "not an object"),
        ('{"format": "unitscope names 2"}', "format is 'unitscope names 1'"),
        ({"names": {}}, "names is no list"),
        ({"names": [3]}, r"names\[0\] is 3, not an object"),
        ({"names": [{"units": []}]}, r"names\[0\]\.units is empty"),
        ({"names": [{"units": [3, 96]}]}, r"units are no different numbers from 0 to 95"),
        ({"names": [{"units": [True]}]}, r"units are no different numbers"),
        ({"names": [{"units": "3"}]}, r"units are no different numbers"),
        ({"names": [{"units": [3], "classes": [{"class_id": 10}]}]}, r"classes are no different numbers from 0 to 9"),
        ({"names": [{"units": [3], "classes": [3]}]}, "classes is no list of objects"),
        ({"names": [{"units": [3], "name": 4}]}, "name, tags or note is no text"),
        ({"names": [{"units": [3], "name": "x" * 81}]}, r"in names\[0\] The name has 81 characters"),
        ({"names": [{"units": [3], "name": "a"}, {"units": [3], "name": "b"}]}, r"names\[1\] is of the same units"),
        ({"network": {"weights_digest": "0" * 32, "layer": "x", "model": "other"}}, "they are of other, layer x"),
        ({"network": None}, "network is None, not an object"),
    ],
)
def test_what_does_not_fit_the_format_is_one_sentence(text, said, tmp_path):
    study = open_study(studies() / "demo")
    whole = names_file.names_content(study, Names({((5,), ()): WHEEL}))
    file = tmp_path / "names.json"
    file.write_text(text if isinstance(text, str) else json.dumps({**whole, **text}))
    with pytest.raises(InputError, match=said) as caught:
        read_names_file(file, study)
    assert str(file) in str(caught.value)
    assert str(caught.value).count(". ") == 0, "one sentence"


def test_a_damaged_file_is_one_sentence_and_stays_as_it_is(folder, capsys):
    study = open_study(folder)
    change_names(study, {((5,), ()): WHEEL})
    written = (folder / "names.json").read_text().replace('"units"', '"unit"')
    (folder / "names.json").write_text(written)
    with pytest.raises(InputError, match="are not used") as caught:
        read_names(study)
    for change in ({((6,), ()): WHEEL}, {((5,), ()): Named()}):
        with pytest.raises(InputError, match="are not used"):
            change_names(study, change)
    assert (folder / "names.json").read_text() == written
    assert list(damages(study)) == [str(caught.value)]
    assert main(["info", str(folder)]) == 0, "the study is whole"
    assert main(["names", str(folder), "--export", str(folder.parent / "names.json")]) == 2
    assert not (folder.parent / "names.json").exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_no_file_is_a_sentence_and_is_not_waited_for(folder):
    os.mkfifo(folder / "names.json")
    with pytest.raises(InputError, match="it is no file"):
        read_names(open_study(folder))
    (folder / "names.json").unlink()
    (folder / "names.json").write_bytes(b" " * (names_file.MOST_BYTES + 1))
    with pytest.raises(InputError, match="8,000,001 bytes"):
        read_names(open_study(folder))


def test_a_folder_that_cannot_be_written_to_is_a_sentence_and_keeps_its_names(folder, monkeypatch):
    study = open_study(folder)
    change_names(study, {((5,), ()): WHEEL})

    def fails(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(names_file, "write_json", fails)
    with pytest.raises(InputError, match=r"cannot be written into .*demo \(Permission denied\); copy the study"):
        change_names(study, {((6,), ()): WHEEL})
    assert dict(read_names(study).entries) == {((5,), ()): WHEEL}


def test_many_who_name_at_the_same_time_lose_nothing(folder):
    study = open_study(folder)

    def name(first: int) -> None:
        for unit in range(first, 40, 4):
            change_names(study, {((unit,), ()): Named(f"unit {unit}")})

    people = [threading.Thread(target=name, args=(first,)) for first in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert {key[0][0]: said.name for key, said in read_names(study).entries.items()} == {
        unit: f"unit {unit}" for unit in range(40)
    }
    assert not list(folder.glob("*.unfinished")) + list(folder.glob(".*.unfinished"))


def test_the_command_exports_imports_and_lists(folder, tmp_path, capsys):
    change_names(open_study(folder), {((5,), ()): WHEEL, ((34, 40), (4, 5)): Named("front [red]", ("part",))})
    file, other = tmp_path / "names.json", shutil.copytree(studies() / "demo", tmp_path / "other")
    assert main(["names", str(folder), "--export", str(file)]) == 0
    assert f"written: {file} (2 names)" in capsys.readouterr().out.replace("\n", "")
    assert dict(read_names_file(file, open_study(other)).entries) == dict(read_names(open_study(folder)).entries)
    change_names(open_study(other), {((5,), ()): Named("tyre"), ((9,), ()): Named("leaf")})
    assert main(["names", str(other), "--import", str(file)]) == 0
    assert "2 names" in (printed := " ".join(capsys.readouterr().out.split()))
    assert "1 new, 1 changed" in printed
    names = read_names(open_study(other))
    assert [names.of([unit]).name for unit in (5, 9)] == ["wheel", "leaf"]
    assert main(["names", str(other)]) == 0
    listed = capsys.readouterr().out
    assert "34,40" in listed
    assert "Car, Truck" in listed
    assert "front [red]" in listed, "names are no markup"
    assert main(["names", str(folder), "--import", str(file), "--export", str(tmp_path / "again.json")]) == 0
    assert (tmp_path / "again.json").read_bytes() == file.read_bytes()


def test_names_of_another_network_and_files_of_another_kind_are_refused(folder, tmp_path, capsys):
    change_names(open_study(folder), {((5,), ()): WHEEL})
    other = shutil.copytree(studies() / "demo", tmp_path / "other")
    rewrite(other, weights={**manifest_of(other)["weights"], "digest": "0" * 32})
    file = tmp_path / "names.json"
    assert main(["names", str(folder), "--export", str(file)]) == 0
    capsys.readouterr()
    for given, said in {
        file: "a unit means something else",
        folder / "manifest.json": "its format is",
        tmp_path / "absent.json": "No such file or directory",
        tmp_path: "it is no file",
    }.items():
        assert main(["names", str(other), "--import", str(given)]) == 2
        assert said in capsys.readouterr().err
    assert not (other / "names.json").exists()
