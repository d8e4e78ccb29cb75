"""Where a study is mined, as its kept results, the commands and the pages say it; nothing else depends on it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from interpret.cli.main import main
from interpret.evaluation import ablation, heads
from interpret.findings import Findings
from interpret.mining.engine import placement
from interpret.mining.stored import mine_study, mined_folder
from interpret.study import open_study
from pages.shared.backend import cached_results
from tests.gpu_stand_in import stand_in
from tests.shown_pages import show, words_on
from tests.small_study import studies

no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
TABLES = ("itemsets.parquet", "rules.parquet", "units.parquet", "counts.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Path(shutil.copytree(studies() / "demo", tmp_path / "demo"))
    shutil.rmtree(made / "mined")
    return made


@pytest.fixture(autouse=True)
def mined_anew():
    """Findings that other tests, or this one before, left in the dashboard's cache."""
    cached_results._findings.clear()
    yield
    cached_results._findings.clear()


def short_of_memory() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory.")


def kept(folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """The tables of the study's own options, and what their list of digests says they were made from."""
    study = open_study(folder)
    results = mined_folder(study, study.mine_config)
    made_from = json.loads((results / "digests.json").read_text())["made_from"]
    return {name: (results / name).read_bytes() for name in TABLES}, made_from


def test_results_have_one_place_and_the_same_bytes_wherever_they_were_mined(folder):
    study = open_study(folder, device="cpu")
    assert mine_study(study, study.mine_config).device == "cpu"
    tables, made_from = kept(folder)
    assert made_from.pop("device") == "cpu"
    shutil.rmtree(folder / "mined")
    with stand_in():
        study = open_study(folder, device="cuda")
        assert mine_study(study, study.mine_config).device == "cuda"
    again, also_from = kept(folder)
    assert also_from.pop("device") == "cuda"
    assert again == tables
    assert also_from == made_from
    # They are read where another device is asked for, and still say where they were mined.
    study = open_study(folder, device="cpu")
    assert mine_study(study, study.mine_config).device == "cuda"
    assert len(list((folder / "mined").iterdir())) == 1


@pytest.mark.parametrize("said", ["tpu", 3, None])
def test_a_list_of_digests_that_names_no_device_is_damaged(folder, said):
    told: list[str] = []
    study = open_study(folder, told.append)
    before = mine_study(study, study.mine_config)
    listed = mined_folder(study, study.mine_config) / "digests.json"
    content = json.loads(listed.read_text())
    if said is None:
        content["made_from"]["devics"] = content["made_from"].pop("device")
    else:
        content["made_from"]["device"] = said
    listed.write_text(json.dumps(content))
    assert mine_study(study, study.mine_config).rules.equals(before.rules)
    assert len(told) == 1
    assert "digests.json is damaged" in told[0]


def test_results_that_do_not_say_it_are_read(folder, capsys):
    """As versions before this one kept them."""
    told: list[str] = []
    study = open_study(folder, told.append)
    mine_study(study, study.mine_config)
    listed = mined_folder(study, study.mine_config) / "digests.json"
    content = json.loads(listed.read_text())
    del content["made_from"]["device"]
    listed.write_text(json.dumps(content))
    assert mine_study(study, study.mine_config).device is None
    assert not told
    assert main(["info", str(folder)]) == 0
    assert "Mined on" not in capsys.readouterr().out


def test_commands_say_where_they_mined(folder, capsys, monkeypatch):
    monkeypatch.setattr(placement, "WORTHWHILE", 0.0)
    for device, said in (("cpu", "the CPU"), ("cuda", "the GPU (cuda)"), (None, "the CPU")):
        with stand_in():
            asked = [] if device is None else ["--device", device]
            assert main(["mine", str(folder), "--min-support", "0.3", *asked]) == 0
        assert f"Mined on {said}." in " ".join(capsys.readouterr().out.split())
        shutil.rmtree(folder / "mined")
    assert main(["info", str(folder)]) == 0
    assert "Mined on the CPU." in " ".join(capsys.readouterr().out.split())


@no_cuda
def test_a_device_that_is_not_there_is_one_line(folder, capsys):
    for _ in range(2):
        assert main(["mine", str(folder), "--device", "cuda"]) == 2
        told = capsys.readouterr()
        assert told.err == (
            "error: --device cuda is not available to this PyTorch; use --device cpu, or install a build for it.\n"
        )
        assert not told.out
        assert main(["mine", str(folder), "--device", "cpu"]) == 0  # so that the second time results are kept
        capsys.readouterr()


def test_a_lack_of_memory_is_one_line_beside_the_result(folder, capsys):
    assert main(["mine", str(folder), "--device", "cpu", "--against-chance"]) == 0
    expected = capsys.readouterr().out
    tables, _ = kept(folder)
    shutil.rmtree(folder / "mined")
    with stand_in(short_of_memory):
        assert main(["mine", str(folder), "--device", "cuda"]) == 0
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "The GPU (cuda) has too little free memory; the CPU mines with the same result." in told.err
    assert "Mined on the CPU." in " ".join(told.out.split())
    assert kept(folder)[0] == tables
    with stand_in():
        assert main(["mine", str(folder), "--device", "cuda", "--against-chance"]) == 0
    assert capsys.readouterr().out == expected


def test_a_run_and_an_evaluation_mine_where_they_are_told_to(folder, monkeypatch):
    """What `--device` says reaches mining: the study that is mined has it."""
    asked: list[str] = []
    monkeypatch.setattr("interpret.mining.stored.Placement", lambda device, announce: asked.append(device))
    made = open_study(folder)
    mined = mine_study(open_study(studies() / "demo"), made.mine_config)
    asked.clear()
    monkeypatch.setattr("interpret.mining.stored.mine", lambda *given, **more: mined)
    config = made.manifest["config"]
    given = f"--model demo --precision float32 --images {config['images']} --study {folder} --top-units 8"
    assert main(["run", *given.split(), "--device", "cpu"]) == 0
    assert set(asked) == {"cpu"}
    monkeypatch.setattr("interpret.evaluation.evaluate.evaluate", lambda study, *more: asked.append(study.compute_on))
    for device in ("cpu", "auto"):
        with pytest.raises(AttributeError):  # there is no evaluation to write
            main(["evaluate", str(folder), "--images", config["images"], "--limit", "10", "--device", device])
        assert asked[-1] == device


def test_pages_say_where_they_mined(folder, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(folder.parent))
    app = show("pages/class_specific.py")
    assert captions(app) == ["mined on the CPU"]
    assert "<dt>Mined on</dt><dd>the CPU</dd>" in words_on(show("pages/study.py"))
    study = open_study(folder)
    shutil.rmtree(folder / "mined")
    with stand_in():
        mine_study(open_study(folder, device="cuda"), study.mine_config)
    cached_results._findings.clear()
    assert "<dt>Mined on</dt><dd>the GPU (cuda)</dd>" in words_on(show("pages/study.py"))
    assert captions(show("pages/class_specific.py")) == ["mined on the GPU (cuda)"]


def test_live_thresholds_mine_on_a_gpu_and_go_on_with_the_cpu(folder, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(folder.parent))
    monkeypatch.setattr(placement, "WORTHWHILE", 0.0)
    with stand_in():
        app = show("pages/class_specific.py", support="35")
    monkeypatch.undo()
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(folder.parent))
    expected = app.dataframe[0].value
    shutil.rmtree(folder / "mined")
    cached_results._findings.clear()
    assert show("pages/class_specific.py", support="35").dataframe[0].value.equals(expected)


def captions(app: AppTest) -> list[str]:
    return [element.value for element in app.get("caption")]


def test_stability_goes_where_the_study_is_computed(folder):
    study = open_study(folder, device="cpu")
    mined = mine_study(study, study.mine_config)
    expected = Findings(study, study.mine_config, mined)
    told: list[str] = []
    with stand_in(short_of_memory):
        found = Findings(open_study(folder, told.append, device="cuda"), study.mine_config, mined)
        assert found.stability.rules.tolist() == expected.stability.rules.tolist()
        assert len(told) == 1
        assert found.chance_p_values().equals(expected.chance_p_values())
    assert len(told) == 2  # each is an act of its own


# Ablation


def test_a_head_that_does_not_fit_a_gpu_runs_on_the_cpu(folder, monkeypatch):
    told: list[str] = []
    study = open_study(folder, told.append)
    expected = heads.load_head(study, device="cpu")
    assert expected.weight is not None
    monkeypatch.setattr(heads, "choose_device", lambda name: torch.device("cuda"))
    true = heads.prepare

    def prepare(network, layer, device, arithmetic, sample):
        if device.type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return true(network, layer, device, arithmetic, sample)

    monkeypatch.setattr(heads, "prepare", prepare)
    head = heads.load_head(study)
    assert head.weight is not None
    assert head.weight.equal(expected.weight)
    assert told == ["The GPU (cuda) has too little free memory; the CPU ablates units."]


@pytest.fixture
def short_head(folder, monkeypatch):
    """Photos, their head on a GPU that has no memory left for their features, and what is said."""
    told: list[str] = []
    study = open_study(folder, told.append)
    head = heads.load_head(study, device="cpu")
    monkeypatch.setattr(heads, "_on_gpu", lambda asked: asked is head)
    photos = ablation.make_ablation_set(study, head)
    true = ablation.AblationSet.head_inputs

    def head_inputs(given, places):
        if given.head is head:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return true(given, places)

    expected = ablation.logits(photos, UNITS, photos.labels)
    monkeypatch.setattr(ablation.AblationSet, "head_inputs", head_inputs)
    return photos, told, expected


UNITS = [[np.array([3, 5])] * 10, [np.array([7])] * 10]


def test_ablation_goes_on_with_the_cpu_and_says_so_once(short_head):
    photos, told, expected = short_head
    assert ablation.logits(photos, UNITS, photos.labels).tolist() == expected.tolist()
    assert ablation.classify(photos, UNITS, photos.labels).tolist() == expected.argmax(axis=2).tolist()
    assert told == ["The GPU (cpu) has too little free memory; the CPU ablates units."]


def test_the_copy_on_the_cpu_shares_nothing_with_the_head(short_head):
    photos, _, _ = short_head
    copied = photos.head.on_cpu
    assert copied is photos.head.on_cpu
    for one, other in zip(photos.head.network.parameters(), copied.network.parameters(), strict=True):
        assert one.equal(other)
        assert one is not other
    for one, other in zip(photos.head.network.modules(), copied.network.modules(), strict=True):
        assert one is not other
        assert type(one) is type(other)


def test_a_whole_evaluation_begins_again_on_the_cpu(short_head):
    photos, told, _ = short_head
    tried: list[bool] = []

    def work(head):
        tried.append(head is photos.head)
        if tried == [True]:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return len(tried)

    assert heads.with_head(photos.head, work, told.append) == 2
    assert heads.with_head(photos.head, work, told.append) == 3
    assert tried == [True, False, False]
    assert len(told) == 1


def test_pages_ablate_on_a_gpu_where_that_is_worth_it(folder):
    """The demo has 96 units and 10 classes: 960 products a photo of 30 ps each."""
    study = open_study(folder)
    photos = round(placement.WORTHWHILE / (960 * 3e-11))
    assert heads.live_device(study, photos - 1000) == "cpu"
    assert heads.live_device(study, photos + 1000) == "auto"
