"""A run dealt out to the tasks of a queue gives the bytes of a run in one process, whatever dies on the way."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interpret import pipeline
from interpret.cli.main import main
from interpret.errors import InputError
from interpret.explanation.array_tasks import ask, asked, explain_share, missing
from interpret.study.workspace import partial_folder
from tests.test_pipeline import contents


@pytest.fixture(scope="module")
def alone(asked_for, tmp_path_factory) -> dict[str, bytes]:
    """The files of the study that one process makes."""
    return contents(pipeline.run(asked_for, tmp_path_factory.mktemp("alone") / "study").folder)


def test_the_options_come_back_as_they_were_asked(asked_for, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(asked_for.images).parent)
    relative = dataclasses.replace(
        asked_for, images="photos", model=dataclasses.replace(asked_for.model, model="nets_of_queue.py:build")
    )
    ask(relative, tmp_path / "study")
    assert asked(tmp_path / "study") == asked_for
    with pytest.raises(InputError, match="unfinished run with other options"):
        ask(dataclasses.replace(asked_for, batch_size=2), tmp_path / "study")
    (partial_folder(tmp_path / "study") / "asked.json").write_text('{"images": 3}')
    with pytest.raises(InputError, match="damaged"):
        asked(tmp_path / "study")


def test_tasks_in_any_order_give_the_bytes_of_one_process(asked_for, alone, tmp_path, capsys):
    study = tmp_path / "study"
    with pytest.raises(InputError, match="begin with `unitscope submit"):
        explain_share(study, 0, 2)
    ask(asked_for, study)
    with pytest.raises(InputError, match="no task 2 of 2"):
        explain_share(study, 2, 2)
    assert missing(study) == f"5 of 5 shards are missing; no task of {study} has begun."
    assert explain_share(study, 1, 3) == (2, 2)
    assert explain_share(study, 1, 3) == (0, 2), "what is there is not computed again"
    said = missing(study)
    assert said is not None
    assert "3 of 5 shards are missing, those of tasks 0, 2 of 3" in said
    assert main(["finish", str(study)]) == 2
    assert "give each again" in capsys.readouterr().err
    assert explain_share(study, 2, 3) == (1, 1)
    assert main(["shard", str(study), "--index", "0", "--of", "3"]) == 0
    assert missing(study) is None
    assert main(["finish", str(study)]) == 0
    assert contents(study) == alone
    assert not partial_folder(study).exists()
    assert explain_share(study, 0, 3) == (0, 0)
    capsys.readouterr()
    assert main(["finish", str(study)]) == 2
    assert "is complete already" in capsys.readouterr().err


def test_what_tasks_began_one_process_completes(asked_for, alone, tmp_path):
    study = tmp_path / "study"
    ask(asked_for, study)
    explain_share(study, 0, 2)
    assert main(["finish", str(study), "--missing"]) == 0
    assert contents(study) == alone


@pytest.mark.long
def test_two_of_four_tasks_are_killed_and_given_again(asked_for, tmp_path):
    """As on a cluster: processes on one folder, two of which end in the middle of a shard."""
    slow = dataclasses.replace(
        asked_for, model=dataclasses.replace(asked_for.model, model=asked_for.model.model.replace(":build", ":slow"))
    )
    expected = contents(pipeline.run(slow, tmp_path / "alone").folder)
    study = tmp_path / "study"
    ask(slow, study)

    def begin(index: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "interpret", "shard", str(study), "--of", "4"]
        given = {**os.environ, "SLURM_ARRAY_TASK_ID": str(index)}
        return subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    tasks = [begin(index) for index in range(4)]
    workspace = partial_folder(study)
    alive, end = {0, 2}, time.monotonic() + 100
    while alive and time.monotonic() < end:
        for index in [index for index in alive if (workspace / f"{index:06d}.claim").exists()]:
            tasks[index].send_signal(signal.SIGKILL)  # at once, before its shard is there
            alive.remove(index)
        time.sleep(0.02)
    assert [task.wait(timeout=200) for task in tasks] == [-signal.SIGKILL, 0, -signal.SIGKILL, 0]
    said = missing(study)
    assert said is not None
    assert "those of tasks 0, 2 of 4" in said
    assert [begin(index).wait(timeout=200) for index in (0, 2)] == [0, 0]
    assert main(["finish", str(study)]) == 0
    assert contents(study) == expected


def test_a_task_and_a_run_do_not_work_at_the_same_time(asked_for, tmp_path, monkeypatch):
    from interpret.study.workspace import Workspace

    study = tmp_path / "study"
    ask(asked_for, study)
    key = "0" * 16
    with Workspace(study, [key], shared=True) as one, Workspace(study, [key], shared=True) as other:
        first = one.claim(0)
        assert first is not None
        assert other.claim(0) is None
        os.close(first)
        second = other.claim(0)
        assert second is not None
        os.close(second)
        with pytest.raises(InputError, match="Another run is making"):
            Workspace(study, [key]).__enter__()
    with Workspace(study, [key]), pytest.raises(InputError, match="Another run is making"):
        Workspace(study, [key], shared=True).__enter__()


def test_submit_prints_what_it_would_do_and_does_nothing(asked_for, tmp_path, capsys):
    study = tmp_path / "study"
    command = ["submit", "--images", asked_for.images, "--study", str(study), "--model", asked_for.model.model]
    command += ["--tasks", "8", "--slurm", "--gpus", "1", "--partition", "long", "--dry-run"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    for line in ("#SBATCH --array=0-7", "#SBATCH --gpus-per-node=1", "#SBATCH --partition=long"):
        assert line in printed.splitlines()
    assert f"-m interpret shard {study} --of 8" in printed
    assert f"-m interpret finish {study}" in printed
    assert not partial_folder(study).exists()


def test_without_submitit_one_sentence_says_what_to_install(asked_for, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    command = ["submit", "--images", asked_for.images, "--study", str(tmp_path / "s"), "--tasks", "2", "--slurm"]
    assert main(command) == 2
    assert "pip install submitit" in capsys.readouterr().err


def test_the_array_job_is_given_to_submitit(asked_for, tmp_path, capsys, monkeypatch):
    """Submitit's executor for a cluster is replaced by its own one for this machine, which takes the same commands."""
    submitit = pytest.importorskip("submitit")
    real = submitit.AutoExecutor
    asked_of: list[dict[str, object]] = []

    class Local(real):
        def __init__(self, folder: Path, cluster: str) -> None:
            assert cluster == "slurm"
            super().__init__(folder=folder, cluster="debug")

        def update_parameters(self, **options: object) -> None:
            asked_of.append(options)

    monkeypatch.setattr(submitit, "AutoExecutor", Local)
    study = tmp_path / "study"
    command = ["submit", "--images", asked_for.images, "--study", str(study), "--model", asked_for.model.model]
    command += ["--input-size", "32", "--precision", "float32", "--tasks", "2", "--slurm", "--minutes", "30"]
    assert main(command) == 0
    assert asked_of[0] == {"name": "study", "timeout_min": 30, "cpus_per_task": 4}
    assert "dependency" in asked_of[1]["slurm_additional_parameters"]
    assert "array job" in capsys.readouterr().out
    assert asked(study).model.model == asked_for.model.model
