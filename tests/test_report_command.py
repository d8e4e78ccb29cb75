"""The command `report`: the file that it writes, and one sentence where it ends."""

import shutil

import pytest

from interpret.cli.main import main
from interpret.explanation import study_network
from tests.reported_studies import Page, evaluated, reported
from tests.small_study import studies

pytestmark = pytest.mark.slow


def test_the_file_is_written_and_its_size_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = evaluated()
    capsys.readouterr()
    assert main(["report", str(folder), "--device", "cpu"]) == 0
    file = tmp_path / "demo-report.html"
    size = f"{file.stat().st_size / 1e6:.1f} MB"
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith(f"written: demo-report.html ({size}, ")
    assert file.read_bytes() == reported(evaluated()).html
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_is_replaced_only_if_it_was_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "demo-report.html"
    file.write_text("kept")
    assert main(["report", str(studies() / "demo")]) == 2
    assert capsys.readouterr().err == (
        "error: demo-report.html is there already; name it with --out to replace it, or another file.\n"
    )
    assert file.read_text() == "kept"
    assert main(["report", str(studies() / "demo"), "--out", "demo-report.html", "--patches", "1"]) == 0
    assert Page(file.read_bytes()).words.startswith("demo: which units carry which classes?")


REFUSED = {
    "a folder": (["--out", "folder.html"], "folder.html, which is a folder"),
    "below a file": (["--out", "file/report.html"], "cannot be written"),
    "no such number": (["--patches", "0"], "--patches is 0; the smallest value allowed is 1."),
    "a size too small": (["--megabytes", "1"], "--megabytes is 1; the smallest value allowed is 2."),
    "no number": (["--classes", "all"], "--classes is 'all'; give a whole number."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_said_before_the_work(name, tmp_path, monkeypatch, capsys):
    options, said = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder.html").mkdir()
    begun = []
    monkeypatch.setattr(study_network, "network_of", lambda *_, **__: begun.append("the network is loaded"))
    before = sorted(tmp_path.rglob("*"))
    assert main(["report", str(studies() / "demo"), *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error
    assert begun == []
    assert sorted(tmp_path.rglob("*")) == before


def test_no_study_is_one_sentence(tmp_path, capsys):
    assert main(["report", str(tmp_path / "none")]) == 2
    error = capsys.readouterr().err
    assert "does not exist; make a study with `unitscope run`" in error
    assert error.count("\n") == 1


def test_more_units_than_are_stored_are_refused(tmp_path, capsys):
    file = tmp_path / "report.html"
    assert main(["report", str(studies() / "demo"), "--top-units", "400", "--out", str(file)]) == 2
    assert "N = 400" in capsys.readouterr().err
    assert not file.exists()


def test_a_study_cut_short_is_reported_as_far_as_its_manifest_says(tmp_path, capsys):
    folder = shutil.copytree(evaluated(), tmp_path / "demo")
    data = (folder / "patches.parquet").read_bytes()
    (folder / "patches.parquet").write_bytes(data[: len(data) // 2])
    shutil.rmtree(folder / "mined")
    file = tmp_path / "report.html"
    assert main(["report", str(folder), "--out", str(file)]) == 0
    assert "patches.parquet is damaged" in " ".join(capsys.readouterr().err.split())
    read = Page(file.read_bytes())
    assert "demo/patches.parquet is damaged" in read.words
    assert "unitscope run --images" in read.words
    assert "150 photos of" in read.words
