"""How a study's network computes is chosen once, recorded, and used again."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from interpret.config import Arithmetic, ExtractConfig, ModelConfig, RunConfig
from interpret.errors import InputError
from interpret.explanation import plan
from interpret.explanation.extraction import extract
from interpret.explanation.study_network import arithmetic_of
from interpret.models import precision
from interpret.models.precision import prepare
from interpret.study import open_study
from interpret.study.manifest import write_manifest
from interpret.study.workspace import partial_folder, recorded_arithmetic
from tests.conftest import draw_photos
from tests.test_pipeline import contents, tiny_classifier


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "set", each=5)


def config(images, asked="bfloat16"):
    return RunConfig(
        images=str(images),
        model=ModelConfig(precision=asked, device="cpu"),
        extract=ExtractConfig(stored_units=8),
        batch_size=4,
        shard_size=8,
    )


CHOSEN = Arithmetic("bfloat16", exact_share=0.25)


def test_the_choice_is_recorded_and_an_interrupted_run_goes_on_with_it(pictures, tmp_path, monkeypatch):
    tried = []

    def choose(*arguments):
        tried.append(len(arguments[3]))
        return CHOSEN

    monkeypatch.setattr(plan, "choose_arithmetic", choose)
    whole = extract(config(pictures), tmp_path / "whole", classifier=tiny_classifier())
    assert tried == [8]  # photos of the first shard
    assert whole.manifest["arithmetic"] == asdict(CHOSEN)
    assert whole.recorded.arithmetic == arithmetic_of(whole, torch.device("cpu")) == CHOSEN

    def stop(progress):
        if progress.done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(config(pictures), tmp_path / "cut", stop, classifier=tiny_classifier())
    assert recorded_arithmetic(tmp_path / "cut") == CHOSEN
    monkeypatch.setattr(plan, "choose_arithmetic", lambda *_: Arithmetic("float32"))  # as another machine might
    resumed = extract(config(pictures), tmp_path / "cut", classifier=tiny_classifier())
    assert resumed.manifest["arithmetic"] == asdict(CHOSEN)
    found, expected = contents(resumed.folder), contents(whole.folder)
    assert found.keys() == expected.keys()
    for name in ("patches.parquet", "contrast.parquet", "features.npy", "cams.npy"):
        assert found[name] == expected[name]
    assert not partial_folder(tmp_path / "cut").exists()


@pytest.mark.parametrize("gain", [0.6, 2.0])
def test_a_study_that_left_its_precision_to_another_machine_is_gone_on_with(pictures, tmp_path, monkeypatch, gain):
    def auto(folder, *arguments):
        return extract(config(pictures, "auto"), tmp_path / folder, *arguments, classifier=tiny_classifier())

    def stop(progress):
        if progress.done == 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(precision, "_gain", lambda: gain)
    monkeypatch.setattr(plan, "choose_arithmetic", lambda *given: Arithmetic(given[2]))
    whole = auto("whole")
    assert whole.precision == ("bfloat16" if gain > 1 else "float32")
    with pytest.raises(KeyboardInterrupt):
        auto("cut", stop)
    monkeypatch.setattr(precision, "_gain", lambda: 1 / gain)
    assert auto("whole").key == whole.key
    resumed = auto("cut")
    assert (resumed.key, resumed.precision) == (whole.key, whole.precision)
    assert contents(resumed.folder) == contents(whole.folder)
    assert auto("anew").precision != whole.precision
    other = "float32" if gain > 1 else "bfloat16"
    with pytest.raises(InputError, match="already holds a study of other"):  # it is asked for, not left to the machine
        extract(config(pictures, other), tmp_path / "whole", classifier=tiny_classifier())


def test_a_fallback_to_float32_is_said_in_one_line_and_recorded(pictures, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("interpret.explanation.trial.lowest_correlation", lambda *_: 0.5)
    study = extract(config(pictures), tmp_path / "s", classifier=tiny_classifier(), announce=said.append)
    assert len(said) == 1
    assert said[0].startswith("The network computes in float32: in bfloat16 ")
    assert study.precision == "float32"
    assert study.recorded.arithmetic == Arithmetic("float32")
    exact = extract(config(pictures, "float32"), tmp_path / "exact", classifier=tiny_classifier())
    assert contents(study.folder)["features.npy"] == contents(exact.folder)["features.npy"]


def test_a_study_that_records_none_keeps_the_former_way(pictures, tmp_path):
    study = extract(config(pictures, "float32"), tmp_path / "s", classifier=tiny_classifier())
    content = {name: value for name, value in study.manifest.items() if name not in ("arithmetic", "digest")}
    write_manifest(content, study.folder)
    former = open_study(study.folder).recorded.arithmetic
    assert former == Arithmetic("float32", folded=False, exact_share=0.06)


@pytest.mark.parametrize(
    ("name", "value"), [("folded", "yes"), ("exact_share", 1.5), ("precision", ""), ("exact_share", None)]
)
def test_a_damaged_record_is_one_sentence(pictures, tmp_path, name, value):
    study = extract(config(pictures, "float32"), tmp_path / "s", classifier=tiny_classifier())
    content = json.loads((study.folder / "manifest.json").read_text())
    content["arithmetic"][name] = value
    write_manifest({key: held for key, held in content.items() if key != "digest"}, study.folder)
    with pytest.raises(Exception, match=rf"manifest\.json is damaged \(arithmetic\.{name}"):
        open_study(study.folder)


def test_the_former_way_leaves_batch_norms_alone():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Conv2d(4, 2, 3)).eval()
    sample = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for arithmetic, kept in ((Arithmetic.former("float32"), True), (Arithmetic("float32"), False)):
        ready = prepare(network, "2", torch.device("cpu"), arithmetic, sample)
        assert isinstance(ready[1], torch.nn.BatchNorm2d) == kept
    assert replace(Arithmetic.former("bfloat16"), folded=True) == Arithmetic("bfloat16")
