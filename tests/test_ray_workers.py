"""Ray's workers give the bytes of one process, whatever dies on the way."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from interpret import pipeline
from interpret.cli.main import main
from interpret.data import photo_files, photos
from interpret.errors import InputError
from interpret.explanation.array_tasks import ask
from interpret.explanation.ray_pool import RayOptions
from interpret.progress import Progress
from interpret.study import open_study
from interpret.study.workspace import partial_folder
from tests.runs_of_workers import slow, workers_of_ray
from tests.test_pipeline import contents

TWO = RayOptions(workers=2)

FROM_ANOTHER = """
from torch import nn
import beside

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = beside.build()

    def forward(self, photos):
        return self.layers(beside.plain(photos))

def from_another():
    return Net()
"""


def test_without_ray_one_sentence_says_what_to_install(asked_for, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    command = ["run", "--images", asked_for.images, "--study", str(tmp_path / "s"), "--model", asked_for.model.model]
    assert main([*command, "--input-size", "32", "--ray"]) == 2
    assert "pip install ray" in capsys.readouterr().err


@pytest.mark.long
def test_workers_give_the_bytes_of_one_process(ray, asked_for, tmp_path):
    expected = contents(pipeline.run(asked_for, tmp_path / "alone").folder)
    stages: list[Progress] = []
    study = pipeline.run(asked_for, tmp_path / "ray", stages.append, ray=TWO)
    assert contents(study.folder) == expected
    assert "Explaining photos, 2 workers" in {progress.stage for progress in stages}
    assert max(progress.done for progress in stages) == 33


def test_photos_are_sent_to_workers_only_where_there_are_some(asked_for, tmp_path, capsys):
    assert main(["run", "--images", asked_for.images, "--study", str(tmp_path / "s"), "--ship-photos"]) == 2
    assert "give --ray as well" in capsys.readouterr().err


SHIPPED = RayOptions(workers=2, ship=True)


@pytest.mark.long
@pytest.mark.parametrize("options", [SHIPPED, TWO])
def test_workers_that_see_neither_photos_nor_network_get_both(ray, asked_for, tmp_path, monkeypatch, options):
    """Both are moved away once the run is planned; this process alone is told where to."""
    seen, hidden = tmp_path / "seen", tmp_path / "hidden"
    shutil.copytree(Path(asked_for.images).parent, seen)
    network = f"{seen}/nets_of_queue.py:from_another"
    (seen / "beside.py").write_text((seen / "nets_of_queue.py").read_text() + "\n\ndef plain(x):\n    return x * 1\n")
    (seen / "nets_of_queue.py").write_text(FROM_ANOTHER)
    (seen / "photos" / "class 1" / "100.png").write_bytes(b"broken")
    os.utime(seen / "photos" / "class 1" / "100.png", (10**9, 10**9))
    config = dataclasses.replace(
        asked_for, images=str(seen / "photos"), model=dataclasses.replace(asked_for.model, model=network)
    )
    expected = contents(pipeline.run(config, tmp_path / "alone").folder)
    opened = photo_files.opened

    def opened_here(path):
        return opened(str(path).replace(str(seen), str(hidden)) if hidden.exists() else path)

    monkeypatch.setattr(photos, "opened", opened_here)

    def move(progress: Progress) -> None:
        if progress.stage == "Preparing the model":
            seen.rename(hidden)
        if progress.stage.startswith("Explaining"):
            assert not seen.exists()
        if progress.stage == "Writing the study":  # what comes after is measured here, with the network
            hidden.rename(seen)

    if options is TWO:  # what they do not see they cannot read
        with pytest.raises(InputError, match="There is no file"):
            pipeline.run(config, tmp_path / "ray", move, ray=options)
        return
    study = pipeline.run(config, tmp_path / "ray", move, ray=options)
    assert study.counts.skipped == 1
    assert contents(study.folder) == expected


@pytest.mark.long
def test_a_worker_that_is_killed_costs_nothing(ray, asked_for, tmp_path):
    expected = contents(pipeline.run(slow(asked_for), tmp_path / "alone").folder)
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if progress.stage.endswith("workers") and not killed:
            killed.append(workers_of_ray()[0])
            os.kill(killed[0], signal.SIGKILL)

    study = pipeline.run(slow(asked_for), tmp_path / "ray", kill, ray=TWO)
    assert killed
    assert contents(study.folder) == expected


@pytest.mark.long
def test_a_shard_that_kills_every_worker_is_named(ray, asked_for, tmp_path):
    ended = threading.Event()

    def kill_all() -> None:
        while not ended.is_set():
            for worker in workers_of_ray():
                os.kill(worker, signal.SIGKILL)
            time.sleep(0.05)

    killer = threading.Thread(target=kill_all)
    killer.start()
    try:
        with pytest.raises(InputError, match=r"Workers died 3 times at the \d+ photos of shard 0 \(class"):
            pipeline.run(slow(asked_for), tmp_path / "ray", ray=RayOptions(workers=1))
    finally:
        ended.set()
        killer.join()


@pytest.mark.long
@pytest.mark.parametrize("begun_with", [TWO, None])
def test_what_is_begun_in_one_way_is_completed_in_the_other(ray, asked_for, tmp_path, begun_with):
    expected = contents(pipeline.run(asked_for, tmp_path / "alone").folder)

    class StoppedError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.stage.startswith("Explaining") and progress.done >= 16:
            raise StoppedError

    with pytest.raises(StoppedError):
        pipeline.run(asked_for, tmp_path / "study", stop, ray=begun_with)
    assert list(partial_folder(tmp_path / "study").glob("00000?"))
    study = pipeline.run(asked_for, tmp_path / "study", ray=None if begun_with else TWO)
    assert study.manifest["timings"]["shards_resumed"] >= 1
    assert contents(study.folder) == expected


@pytest.mark.long
def test_a_driver_that_is_killed_goes_on_where_it_was(asked_for, tmp_path):
    config = slow(asked_for)
    study = tmp_path / "study"
    code = (
        "import sys; from pathlib import Path; from interpret import pipeline; "
        "from interpret.explanation.array_tasks import asked; "
        "from interpret.explanation.ray_pool import RayOptions; "
        "pipeline.run(asked(Path(sys.argv[1])), sys.argv[1], ray=RayOptions(workers=2))"
    )
    ask(config, study)

    def drive() -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen([sys.executable, "-c", code, str(study)], stdout=quiet, stderr=quiet)

    driver = drive()
    end = time.monotonic() + 200
    while not list(partial_folder(study).glob("00000?")) and time.monotonic() < end:
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    assert drive().wait(timeout=200) == 0
    assert open_study(study).manifest["timings"]["shards_resumed"] >= 1
    assert contents(study) == contents(pipeline.run(config, tmp_path / "alone").folder)
