"""What killed processes leave: nothing that counts as whole, and nothing that the next command does not clear."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interpret import files, pipeline
from interpret.errors import InputError
from interpret.files import clear_unfinished, new_file, new_folder, remove_folder
from interpret.mining.stored import mine_study, mined_folder
from interpret.study import open_study
from interpret.study.workspace import Workspace, partial_folder
from tests.conftest import draw_photos
from tests.test_pipeline import Killed, config, contents, tiny_classifier

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = draw_photos(tmp_path_factory.mktemp("photos") / "set", each=11)
    for path in folder.rglob("*.png"):  # photos that changed just now are left out of the table of digests
        os.utime(path, (10**9, 10**9))
    return folder


@pytest.fixture(scope="module")
def undisturbed(pictures, tmp_path_factory):
    return pipeline.run(config(pictures), tmp_path_factory.mktemp("studies") / "s", classifier=tiny_classifier())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dies(code: str, *arguments: object) -> None:
    """Run Python code in a process that kills itself."""
    command = [sys.executable, "-c", f"import os, signal, sys\n{code}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120)
    assert done.returncode == -signal.SIGKILL


KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def test_a_file_or_folder_appears_whole_or_not_at_all(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with contextlib.suppress(Killed), new_file(tmp_path / "a") as file:
        file.write(b"half")
        raise Killed
    assert (tmp_path / "a").read_bytes() == b"old"
    with new_file(tmp_path / "a") as file:
        file.write(b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    with contextlib.suppress(Killed), new_folder(tmp_path / "b") as made:
        (made / "x").touch()
        raise Killed
    assert names(tmp_path) == ["a"]


def test_what_a_dead_process_left_is_cleared_and_what_a_living_one_writes_is_not(tmp_path):
    code = f"""
from pathlib import Path
from interpret.files import new_file, new_folder
with new_file(Path(sys.argv[1]) / "a") as file, new_folder(Path(sys.argv[1]) / "b") as made:
    (made / "x").touch()
    {KILL}
"""
    dies(code, tmp_path)
    assert len(names(tmp_path)) == 2
    (tmp_path / ".mine-not.unfinished").touch()  # named otherwise
    with new_file(tmp_path / "c") as file, new_folder(tmp_path / "d") as made:
        (made / "x").touch()
        clear_unfinished(tmp_path)
        assert len(names(tmp_path)) == 3
        file.write(b"c")
    assert names(tmp_path) == [".mine-not.unfinished", "c", "d"]


def test_a_folder_that_is_cleared_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    """Between making an unfinished folder and locking it another process may take it for litter."""
    make, made = files._make_new, []

    def cleared(path):
        descriptor = make(path)
        made.append(path)
        if len(made) == 1:
            path.rmdir()
        return descriptor

    monkeypatch.setattr(files, "_make_new", cleared)
    with new_folder(tmp_path / "b") as folder:
        (folder / "x").touch()
    assert len(made) == 2
    assert names(tmp_path) == ["b"]


def test_a_removed_folder_loses_its_name_first(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").touch()
    seen: list[list[str]] = []
    remove = shutil.rmtree

    def watched(path, **options):
        seen.append(names(tmp_path))
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", watched)
    remove_folder(tmp_path / "a")
    assert [name.startswith(".removed-") for name in seen[0]] == [True]
    assert names(tmp_path) == []


REMOVING = f"""
import shutil
from pathlib import Path
from interpret import files, pipeline
from tests.test_pipeline import config, tiny_classifier
pictures, study, left = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
remove = shutil.rmtree
def dying(path, **options):
    if not Path(path).name.startswith(".removed-"):
        return remove(path, **options)
    found = sorted(p for p in Path(path).rglob("*") if p.is_file())
    for file in found[left:]:
        file.unlink()
    {KILL}
files.shutil.rmtree = dying
pipeline.run(config(pictures), study, classifier=tiny_classifier())
"""


@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 1, 9])
def test_a_kill_while_a_finished_workspace_is_removed_leaves_a_whole_study_and_no_litter(
    undisturbed,
    pictures,
    tmp_path,
    left,
):
    """Some of the workspace's files are gone when the process dies: none of its shards may count as whole again."""
    dies(REMOVING, pictures, tmp_path / "s", left)
    assert [name.partition("-")[0] for name in names(tmp_path)] == [".removed", "s"]
    study = pipeline.run(config(pictures), tmp_path / "s", classifier=tiny_classifier())
    assert contents(study.folder) == contents(undisturbed.folder)
    assert names(tmp_path) == ["s"]


@pytest.mark.parametrize("damage", ["features.npy missing", "rows swapped", "bit", "list missing", "empty"])
def test_a_shard_that_is_not_whole_is_computed_again(undisturbed, pictures, tmp_path, damage):
    def breaking(progress):
        if progress.stage == "Writing the study":
            raise Killed

    with pytest.raises(Killed):
        pipeline.run(config(pictures), tmp_path / "s", breaking, classifier=tiny_classifier())
    shard, other = (partial_folder(tmp_path / "s") / name for name in ("000001", "000002"))
    if damage == "features.npy missing":
        (shard / "features.npy").unlink()
    elif damage == "rows swapped":
        for name in ("images.parquet", "patches.parquet"):
            shutil.copy(other / name, shard / name)
    elif damage == "bit":
        content = bytearray((shard / "cams.npy").read_bytes())
        content[-3] ^= 4
        (shard / "cams.npy").write_bytes(bytes(content))
    elif damage == "list missing":
        (shard / "digests.json").unlink()
    else:
        for file in shard.iterdir():
            file.unlink()
    study = pipeline.run(config(pictures), tmp_path / "s", classifier=tiny_classifier())
    assert contents(study.folder) == contents(undisturbed.folder)
    assert study.manifest["timings"]["shards_resumed"] == 4
    assert names(tmp_path) == ["s"]


def test_litter_of_dead_processes_is_cleared_when_the_study_is_opened(undisturbed, tmp_path):
    folder = Path(shutil.copytree(undisturbed.folder, tmp_path / "s"))
    kept = mined_folder(open_study(folder), open_study(folder).mine_config)
    code = f"""
from pathlib import Path
from interpret.files import new_file, new_folder
kept, folder = Path(sys.argv[1]), Path(sys.argv[2])
with new_folder(kept) as made, new_file(folder / "contrast.parquet") as file:
    (made / "rules.parquet").touch()
    {KILL}
"""
    dies(code, kept, folder)
    dead = partial_folder(folder)
    (dead / "000000").mkdir(parents=True)
    (dead / "run.json").write_text("{}")
    assert len([name for name in names(kept.parent) if name.startswith(".")]) == 1
    open_study(folder)
    assert names(tmp_path) == ["s"]
    assert names(kept.parent) == [kept.name]
    assert names(folder) == names(undisturbed.folder)
    assert contents(folder) == contents(undisturbed.folder)


def test_the_workspace_of_a_living_run_is_left_alone(undisturbed, tmp_path):
    folder = Path(shutil.copytree(undisturbed.folder, tmp_path / "s"))
    with Workspace(folder, ["a key"]) as workspace:
        open_study(folder)
        assert workspace.folder.is_dir()
        with pytest.raises(InputError, match="Another run is making"), Workspace(folder, ["a key"]):
            pass
    open_study(folder)
    assert not workspace.folder.exists()


def test_mining_while_another_command_opens_the_study_is_not_disturbed(undisturbed, tmp_path):
    """Both write the same folder, one opens and clears in between; the result is whole."""
    folder = Path(shutil.copytree(undisturbed.folder, tmp_path / "s"))
    shutil.rmtree(folder / "mined")
    code = """
import sys
from interpret.mining.stored import mine_study
from interpret.study import open_study
for _ in range(30):
    study = open_study(sys.argv[1])
    mine_study(study, study.mine_config)
    for file in (study.folder / "mined").glob("*/rules.parquet"):
        file.unlink(missing_ok=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT, env=environment) for _ in range(2)]
    while any(process.poll() is None for process in both):
        open_study(folder)
        time.sleep(0.02)
    assert [process.returncode for process in both] == [0, 0]
    mine_study(open_study(folder), open_study(folder).mine_config)
    assert contents(folder) == contents(undisturbed.folder)
    assert len(names(folder / "mined")) == 1
