"""The form of a new study: what its menu offers can be run, and what is typed becomes arguments of the run."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from interpret import models
from pages.shared.backend import jobs
from pages.shared.controls import new_study
from tests.shown_pages import show
from tests.small_study import studies


@pytest.fixture(autouse=True)
def started(tmp_path, monkeypatch) -> list[tuple[str, list[str]]]:
    """Name and arguments of each run that the form starts; none is carried out."""
    runs: list[tuple[str, list[str]]] = []

    def noted(name: str, arguments: list[str], kind: str = "run", owner: str = "") -> jobs.Job:
        runs.append((name, list(arguments)))
        return jobs.Job("1", name, "running", {}, "", tuple(arguments), kind, owner)

    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    monkeypatch.setenv("UNITSCOPE_ROOTS", str(tmp_path))
    monkeypatch.setattr(jobs, "start", noted)
    return runs


@pytest.fixture
def form() -> AppTest:
    return show("pages/study.py")


def test_a_name_that_nobody_typed_is_one_that_is_free(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    assert new_study._free_name("upload-timm/resnet18") == "upload-timm-resnet18"
    for name in ("upload-demo", "upload-demo-2.partial", ".owners/upload-demo-3"):
        (tmp_path / name).mkdir(parents=True)
    assert new_study._free_name("upload-demo") == "upload-demo-4"


def value_of(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


def test_every_model_in_the_menu_is_an_architecture_with_weights(form):
    offered = [text.partition(" · ")[0] for text in form.selectbox(key="new_model").options]
    assert {"demo", "efficientnet_lite0", "vgg16"} <= set(offered)
    for name in offered:
        assert models.zoo.find_family(name).trained is not None, name


def test_an_architecture_of_timm_takes_the_place_of_the_menu_with_its_weights_or_ones_own(form, started, tmp_path):
    form.radio(key="new_source").set_value("skimage")
    form.text_input(key="new_timm").set_value("resnet18").run()
    form.button(key="new_start").click().run()
    assert not form.error
    ((_, arguments),) = started
    assert value_of(arguments, "--model") == "timm/resnet18"
    assert "--weights" not in arguments
    started.clear()
    weights: Path = tmp_path / "weights.pt"
    weights.write_bytes(b"x")
    form.text_input(key="new_weights").set_value("weights.pt")
    form.button(key="new_start").click().run()
    assert not form.error
    ((name, arguments),) = started
    assert name == "skimage-timm-resnet18"
    assert value_of(arguments, "--model") == "timm/resnet18"
    assert value_of(arguments, "--weights") == str(weights)


def test_a_network_in_code_is_offered_where_code_is_allowed(form, started, tmp_path, monkeypatch):
    assert not [one for one in form.text_input if one.key == "new_own"]
    monkeypatch.setenv("UNITSCOPE_ALLOW_CODE", "1")
    (tmp_path / "nets.py").write_text("")
    form.run()
    form.radio(key="new_source").set_value("skimage")
    for typed, said in (
        ("nets.py", "names no network in code"),
        ("other.py:build", "There is no file"),
        ("../nets.py:build", "lies outside of"),
    ):
        form.text_input(key="new_own").set_value(typed)
        form.button(key="new_start").click().run()
        assert said in form.error[0].value, typed
    assert started == []
    form.text_input(key="new_own").set_value("nets.py:build")
    form.button(key="new_start").click().run()
    assert not form.error
    ((name, arguments),) = started
    assert name == "skimage-nets.py-build"
    assert value_of(arguments, "--model") == f"{tmp_path}/nets.py:build"


def test_a_set_of_torchvision_is_chosen_with_its_split(form, started):
    form.radio(key="new_source").set_value("torchvision").run()
    assert form.selectbox(key="new_set").options[0] == "CIFAR10 (170 MB download)"
    form.selectbox(key="new_set").set_value("OxfordIIITPet").run()
    form.selectbox(key="new_split").set_value("test")
    form.button(key="new_start").click().run()
    assert not form.error
    ((name, arguments),) = started
    assert name == "torchvision-OxfordIIITPet-test-efficientnet_lite0"
    assert value_of(arguments, "--images") == "torchvision/OxfordIIITPet:test"


def test_a_folder_is_found_by_going_from_one_to_the_next(form, started, tmp_path):
    for name in ("photos/summer/birds", "photos/winter", "other"):
        (tmp_path / name).mkdir(parents=True)
    form.radio(key="new_source").set_value("folder").run()

    def menu() -> Selectbox:
        return next(box for box in form.selectbox if box.label == "Folders in it")

    assert menu().options == ["other", "photos"]
    menu().select("photos").run()
    assert form.text_input(key="new_folder").value == str(tmp_path / "photos")
    assert menu().options == [f"↑ {tmp_path.name}", "summer", "winter"]
    menu().select("summer").run()
    menu().select("birds").run()
    assert menu().options == ["↑ summer"]
    menu().select("↑ summer").run()
    assert form.text_input(key="new_folder").value == str(tmp_path / "photos" / "summer")
    form.button(key="new_start").click().run()
    ((_, arguments),) = started
    assert value_of(arguments, "--images") == str(tmp_path / "photos" / "summer")


def test_sparse_codes_are_a_folder_below_the_roots_or_the_demos_own(form, started, tmp_path):
    (tmp_path / "sae").mkdir()
    form.radio(key="new_source").set_value("skimage").run()
    for typed, said in (("none", "There is no folder"), ("none.safetensors", "There is no file")):
        form.text_input(key="new_codes").set_value(typed)
        form.button(key="new_start").click().run()
        assert said in form.error[0].value, typed
    assert started == []
    for typed, given in (("sae", str(tmp_path / "sae")), ("demo", "demo")):
        form.text_input(key="new_codes").set_value(typed)
        form.button(key="new_start").click().run()
        assert not form.error
        assert value_of(started.pop()[1], "--codes") == given
