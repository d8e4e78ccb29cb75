"""The estimate for a new study: what a run of its model took here, from the start of the program to the end."""

import json
import time
from pathlib import Path

import pytest

from interpret import progress
from interpret.progress import Progress, ProgressFile
from pages.shared.backend import durations, jobs


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    return tmp_path


def study(root: Path, images: int, resumed: int = 0, model: str = "small") -> Path:
    folder = root / "made"
    folder.mkdir(exist_ok=True)
    about = {"model": model, "counts": {"images": images}, "timings": {"seconds": 2.0, "shards_resumed": resumed}}
    (folder / "manifest.json").write_text(json.dumps(about))
    return folder


def explained(seconds: float, photos: int) -> dict:
    return {"stage": "Done", "stages": {durations.EXPLAINING: [seconds, photos]}}


def test_loading_and_mining_count_whatever_the_number_of_photos(root):
    durations.keep(study(root, images=30), 34.0, explained(2.0, 20))
    took = durations.measured("small")
    # 0.1 s a photo for thirty of them leave 31 s for the rest; five photos take 31.5 s, not 34 / 30 * 5.
    assert took.each == pytest.approx(0.1)
    assert took.of(5) == pytest.approx(31.5)
    assert durations.measured("large") is None


def test_the_last_run_counts_and_one_that_says_nothing_leaves_it(root):
    durations.keep(study(root, images=30), 34.0, explained(2.0, 20))
    durations.keep(study(root, images=10), 5.0, explained(2.0, 10))
    for nothing in ({}, {"stages": {}}, explained(0.0, 0), {"stages": None}):
        durations.keep(study(root, images=10), 50.0, nothing)
    durations.keep(study(root, images=10, resumed=1), 50.0, explained(2.0, 10))
    assert durations.measured("small").of(10) == pytest.approx(5.0)
    (root / ".durations.json").write_text('{"small": {"before": "x"}}')
    assert durations.measured("small") is None


def test_a_progress_file_says_how_long_its_stages_took(tmp_path, monkeypatch):
    now = iter([10.0, 12.0, 13.0, 17.0, 18.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    file = ProgressFile(tmp_path / "progress.json")
    steps = [
        ("Load", 0, 0),
        ("Explain", 8, 40),
        ("Explain", 16, 40),
        ("Explain", 40, 40),
        ("Write", 0, 0),
        ("Done", 1, 1),
    ]
    for step in steps:
        file.report(Progress(*step))
    stages = progress.read(file.path)["stages"]
    assert stages == {"Load": [0.0, 0], "Explain": [5.0, 32], "Write": [0.0, 0]}


@pytest.mark.slow
def test_a_run_of_the_dashboard_is_measured_from_its_start_to_its_end(root):
    began = time.monotonic()
    jobs.start("timed", ["--model", "demo", "--images", "demo", "--limit", "100", "--batch-size", "16"])
    while durations.measured("demo") is None:
        assert any(job.under_way for job in jobs.jobs()) or time.monotonic() - began < 200
        time.sleep(0.1)
    elapsed = time.monotonic() - began
    assert 0.7 * elapsed < durations.measured("demo").of(100) <= elapsed
    own = json.loads((root / "timed" / "manifest.json").read_text())["timings"]["seconds"]
    assert durations.measured("demo").of(100) > own, "the program starts, and mines, before and after that"


def test_before_a_model_has_been_run_here_its_studies_say_how_long_a_photo_took(root):
    study(root, images=40)
    for name, content in {"damaged": "{", "of-another": '{"model": "large"}', "later": None}.items():
        (root / name).mkdir()
        if content is not None:
            (root / name / "manifest.json").write_text(content)
    assert durations.recorded("small", ["damaged", "of-another", "later", "gone", "made"]) == ("made", 0.05)
    assert durations.recorded("small", []) is None
    assert durations.recorded("large", ["made", "of-another"]) is None
    study(root, images=40, resumed=1)
    assert durations.recorded("small", ["made"]) is None, "its time is only that of what was left"
