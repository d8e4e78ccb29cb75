"""What is uploaded, and paths that are typed: nothing in them is trusted, and nothing is left behind."""

import errno
import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from interpret.errors import InputError
from interpret.study import open_study
from pages.shared.backend import allowed_paths, jobs, places, uploads
from pages.shared.controls import new_study
from tests.small_study import studies


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path / "studies"))
    monkeypatch.setenv("UNITSCOPE_ROOTS", str(studies()))
    return tmp_path / "studies"


def drawings() -> Path:
    return open_study(studies() / "demo").images_root


def picture(size: tuple[int, int] = (32, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (10, 200, 30)).save(file, "PNG")
    return file.getvalue()


def zipped(**members: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


def test_a_zip_keeps_its_class_folders_and_nothing_gets_out_of_it(empty, tmp_path):
    members = {
        "set/Bird/a.png": picture(),
        "set/Dog/a.png": picture(),
        "../../outside.png": picture(),
        "/tmp/absolute.png": picture(),
        "C:\\windows.png": picture(),
        "set/readme.txt": b"no photo",
        "__MACOSX/a.png": b"x",
        "set/Bird/bomb.png": b"\0" * 30_000_000,
    }
    folder, kept, skipped = uploads.keep([("photos.zip", zipped(**members))])
    assert kept == 2
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png")) == ["Bird/a.png", "Dog/a.png"]
    assert len(skipped) == 5
    assert any("bomb.png: unpacks to more" in line for line in skipped)
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == ["a.png", "a.png"]


def test_uploads_of_one_name_do_not_overwrite_each_other(empty):
    folder, kept, _ = uploads.keep([("a.png", io.BytesIO(picture())), ("../a.png", io.BytesIO(picture()))])
    assert kept == 2
    assert sorted(path.name for path in folder.iterdir()) == ["a 1.png", "a.png"]


def upload() -> Path:
    return uploads.keep([("a.png", io.BytesIO(picture()))])[0]


def ended(study: str, images: Path, weights: Path | None = None) -> jobs.Job:
    """A run that was cancelled."""
    folder = places.studies_root() / ".runs" / f"0-{study}"
    folder.mkdir(parents=True)
    arguments = ["--images", str(images), *(["--weights", str(weights)] if weights else [])]
    (folder / "job.json").write_text(json.dumps({"study": study, "arguments": arguments, "pid": 0, "born": "0"}))
    (folder / "cancelled").touch()
    return next(job for job in jobs.jobs() if job.study == study)


def test_uploads_go_with_the_run_that_is_dismissed_and_no_other_folder_does(empty, tmp_path):
    mine = tmp_path / "photos"
    mine.mkdir()
    (mine / "a.png").write_bytes(picture())
    kept, photos, another = upload(), upload(), upload()
    weights = uploads.keep_checkpoint("m.pt", io.BytesIO(b"x"))
    (empty / "made").mkdir()
    (empty / "made" / "manifest.json").write_text(json.dumps({"images_root": str(kept)}))
    ended("waiting", another)
    for job in (ended("one", photos, weights), ended("two", mine), ended("three", kept), ended("four", empty)):
        assert job.state == "stopped"
        jobs.dismiss(job)
    assert sorted(one.name for one in (empty / ".uploads").iterdir()) == sorted([kept.name, another.name])
    assert (mine / "a.png").exists()
    assert (empty / "made").exists()


def test_an_upload_that_nothing_names_is_removed_after_a_day(empty):
    fresh, old, used = upload(), upload(), upload()
    strange = empty / ".uploads" / "my photos"
    strange.mkdir()
    for folder in (old, used, strange):
        os.utime(folder, (0, 0))
    ended("waiting", used)
    uploads.tidy()
    assert sorted(one.name for one in (empty / ".uploads").iterdir()) == sorted([fresh.name, used.name, strange.name])


@pytest.mark.parametrize("files", [[("a.txt", b"x")], [("a.zip", b"no zip")], [("a.zip", zipped().getvalue())]])
def test_uploads_without_a_photo_are_one_sentence_and_leave_nothing(empty, files):
    with pytest.raises(InputError):
        uploads.keep([(name, io.BytesIO(content)) for name, content in files])
    assert list((empty / ".uploads").iterdir()) == []


def test_only_paths_below_the_allowed_roots_are_read(empty, tmp_path):
    assert allowed_paths.resolve(str(drawings()), folder=True) == drawings().resolve()
    (tmp_path / "link").symlink_to("/etc")
    for path in ("/etc", str(drawings() / ".." / ".." / ".." / ".." / ".."), str(tmp_path / "link"), "\0"):
        with pytest.raises(InputError):
            allowed_paths.resolve(path, folder=True)
    with pytest.raises(InputError, match="There is no folder"):
        allowed_paths.resolve(str(studies() / "nothing"), folder=True)


def test_a_checkpoint_is_known_by_its_ending(empty):
    with pytest.raises(InputError, match="safetensors"):
        uploads.keep_checkpoint("model.exe", io.BytesIO(b"x"))
    kept = uploads.keep_checkpoint("../../m.safetensors", io.BytesIO(b"x"))
    assert kept.is_relative_to(empty)
    assert kept.name == "m.safetensors"


def a_zip(*names: str) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 100)
    return file


FULL = "No space left on device"


@pytest.mark.parametrize(
    "keep",
    [
        lambda: uploads.keep(
            [
                (
                    "a.gif",
                    io.BytesIO(
                        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
                    ),
                )
            ]
        ),
        lambda: uploads.keep([("a.zip", a_zip("a.png"))]),
        lambda: uploads.keep_checkpoint("m.pt", io.BytesIO(b"x")),
    ],
)
def test_an_upload_that_cannot_be_written_is_one_sentence_and_leaves_nothing(empty, monkeypatch, keep):
    def full(path: Path, *how: str) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, FULL)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(InputError, match=FULL):
            keep()
    assert list((empty / ".uploads").iterdir()) == []
    (empty / ".uploads").rmdir()
    (empty / ".uploads").touch()  # as where no folder can be made
    with pytest.raises(InputError, match="cannot be kept"):
        keep()


def test_the_estimate_counts_the_photos_in_a_zip(monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(new_study.wording, "paragraph", lambda text, *_: told.append(text))
    monkeypatch.setattr(new_study.durations, "measured", lambda model: new_study.durations.Duration(12.0, 2.0))
    given = a_zip(*(f"{i}.png" for i in range(20)))
    photos, _ = uploads.inspect("photos.zip", given)
    new_study._estimate("demo", "upload", "", photos, None)
    assert told[0].startswith("20\u00a0photos: about 52 s")
    monkeypatch.setattr(new_study.durations, "measured", lambda model: None)
    monkeypatch.setattr(new_study.durations, "recorded", lambda model, names: ("<made>", 1.5))
    new_study._estimate("demo", "upload", "", photos, None)
    assert told[1].startswith("20\u00a0photos: about 30 s if each takes as long as in the study “&lt;made&gt;”, and")
