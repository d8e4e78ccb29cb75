"""Files that commands write besides the study: refused before the work, written in one step."""

import os
import threading
from pathlib import Path

import pytest

from interpret.cli.main import main
from interpret.cli.output import check_output, write_output
from interpret.errors import InputError
from interpret.explanation import study_network
from tests.small_study import studies


@pytest.fixture
def place(tmp_path):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "table-matrix.csv").mkdir()
    return tmp_path


EVALUATE = ["evaluate", "STUDY", "--images", "PHOTOS"]
REFUSED = {
    "a folder": ([*EVALUATE, "--out", "folder.csv"], "folder.csv, which is a folder"),
    "below a file": ([*EVALUATE, "--out", "file/table.csv"], "file/table.csv, which cannot be written"),
    "a name that is too long": ([*EVALUATE, "--out", "x" * 300], "too long"),
    "where nothing can be made": ([*EVALUATE, "--out", "/proc/none/table.csv"], "cannot be written"),
    "beside a folder": ([*EVALUATE, "--out", "table.csv"], "table-matrix.csv, which is a folder"),
    "a figure in a folder": ([*EVALUATE, "--plot", "folder.png"], "folder.png, which is a folder"),
    "a figure below a file": ([*EVALUATE, "--plot", "file/plot.png"], "cannot be written"),
    "a figure of no kind": ([*EVALUATE, "--plot", "plot.tabel"], "end it in .png"),
    "units in a folder": (["errors", "STUDY", "--out", "folder.json"], "folder.json, which is a folder"),
    "units below a file": (["errors", "STUDY", "--out", "file/units.json"], "cannot be written"),
    "more units than are stored": (["errors", "STUDY", "--top-units", "400"], "N = 400"),
    "more units than are stored, of parts": (["dissect", "STUDY", "--top-units", "400"], "N = 400"),
    "a unit that the layer lacks": (["errors", "STUDY", "--units", "9999"], "no unit 9999"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(place, name, monkeypatch, capsys):
    command, said = REFUSED[name]
    monkeypatch.chdir(place)
    begun = []
    monkeypatch.setattr(study_network, "network_of", lambda *_, **__: begun.append("the network is loaded"))
    before = sorted(place.rglob("*"))
    assert main([word.replace("STUDY", str(studies() / "demo")) for word in command]) == 2
    error = capsys.readouterr().err
    assert begun == []
    assert error.strip().count("\n") == 0
    assert said in error
    assert sorted(place.rglob("*")) == before


def test_folders_are_made_and_what_stands_there_stays_until_the_new_content_is_whole(place):
    target = place / "new" / "deep" / "table.csv"
    check_output(target, "--out")
    assert list(target.parent.iterdir()) == []
    write_output(target, "one", "--out")
    check_output(target, "--out")
    assert target.read_text() == "one"
    before = target.stat().st_ino
    write_output(target, "två", "--out")
    assert target.read_bytes() == "två".encode()
    assert target.stat().st_ino != before
    assert list(target.parent.iterdir()) == [target]


def test_what_a_killed_command_left_unfinished_is_removed(place):
    (place / ".table.csv-0123abcd.unfinished").write_text("ha")
    check_output(place / "table.csv", "--out")
    assert not list(place.glob(".*"))


def test_a_link_stays_a_link_and_a_pipe_gets_the_content(place):
    link = place / "link.csv"
    link.symlink_to(place / "file")
    check_output(link, "--out")
    write_output(link, b"new", "--out")
    assert link.is_symlink()
    assert (place / "file").read_text() == "new"
    pipe = place / "pipe"
    os.mkfifo(pipe)
    check_output(pipe, "--out")  # waits for no reader
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_output(pipe, b"new", "--out")
    reader.join(10)
    assert got == [b"new"]


def test_a_full_disk_is_one_sentence():
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with pytest.raises(InputError, match=r"--out is /dev/full, which cannot be written \(No space left on device\)"):
        write_output(Path("/dev/full"), b"new", "--out")
