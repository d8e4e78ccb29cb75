"""What the page Explain shows beyond the map: random units, a unit's own map, photos alike, several uploads."""

import base64
import dataclasses
import io

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from interpret.evaluation.effect import random_units
from interpret.explanation import attributions, unit_maps
from interpret.explanation.photo import Explainer, make_explainer, softmax
from interpret.explanation.study_network import network_of
from interpret.figures import patch_pictures
from interpret.findings import Findings
from interpret.study import open_study
from pages.shared import wording
from pages.shared.view import uploaded_photos
from tests.shown_pages import blocks, show, tiles, words_on
from tests.small_study import studies


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))


@pytest.fixture(scope="module")
def study():
    return open_study(studies() / "demo")


@pytest.fixture(scope="module")
def ready(study):
    return make_explainer(network_of(study), study.extract_config)


def strongest(study, image: int, count: int) -> list[int]:
    """The strongest units of a photo's first patch."""
    return [int(unit) for unit in study.patches[study.patches["image_id"] == image]["units"].iloc[0][:count]]


def test_units_are_ablated_beside_as_many_random_ones(study, ready):
    units = sorted(strongest(study, 0, 4))
    app = show("pages/explain.py", image="0", off="-".join(str(unit) for unit in units))
    first = ready.explain_photo(study.photo(0))
    drawn = [
        softmax(ready.logits_without(first, tuple(chosen.tolist())))
        for chosen in random_units(study.n_units, len(units), 20, 0)
    ]
    own = [float(probabilities[first.predicted]) for probabilities in drawn]
    still = sum(int(probabilities.argmax()) == first.predicted for probabilities in drawn)
    lines = [block["parts"] for block in blocks(app) if block["kind"] == "line"]
    line = next(parts for parts in lines if parts[0].get("text") == "Without as many random ones")
    assert line[1]["name"] == wording.class_text(study, first.predicted)
    assert line[1]["note"] == wording.percent(float(np.median(own)), 1)
    assert line[2]["text"].startswith(f"in the median of 20 draws from all {study.n_units} units (grey diamond), ")
    assert f"{100 * min(own):.1f} to {wording.percent(max(own), 1)}; " in line[2]["text"]
    assert line[2]["text"].endswith(f"it is still the answer in {still} of 20.")
    assert "random ones" not in words_on(show("pages/explain.py", image="0")), "nothing is ablated there"


def test_photos_alike_are_shown_only_if_asked_for(study):
    assert not [tile for tile in tiles(show("pages/explain.py", image="5")) if "similar" in tile["alt"]]
    app = show("pages/explain.py", image="5", further="similar photos")
    assert not app.warning
    shown = [tile for tile in tiles(app) if "similar" in tile["alt"]]
    found = Findings.of(study)
    image = study.patches["image_id"].to_numpy()
    held: dict[int, set[int]] = {}
    for patch, photo in enumerate(image.tolist()):
        held.setdefault(photo, set()).update(found.transaction(patch))
    own = held.pop(5)
    rows = sorted((-len(own & units) / len(own | units), photo) for photo, units in held.items() if own & units)[:12]
    assert [tile["act"] for tile in shown] == [{"image": photo} for _, photo in rows]
    for tile, (similarity, photo) in zip(shown, rows, strict=True):
        both, either = len(own & held[photo]), len(own | held[photo])
        percent = wording.percent(-similarity)
        assert tile["note"] == f"{percent}, {both} of {either} units"
        predicted = int(study.images["predicted"].iloc[photo])
        assert tile["name"] == wording.class_text(study, predicted)
        assert tile["alt"].startswith(f"photo {photo}, {percent} similar: {both} of {either} units in both, predicted")
    target = study.images["predicted"].iloc[5]
    same = sum(int(study.images["predicted"].iloc[photo]) == target for _, photo in rows)
    assert f"{same} of these 12 photos are predicted as {wording.class_text(study, int(target))}." in words_on(app)
    assert f"This photo has {len(own)} units" in words_on(app)


def test_what_is_not_offered_further_is_said():
    app = show("pages/explain.py", image="5", further="stars")
    assert "“stars” under Look further" in app.warning[0].value.replace("\\", "")


def stage_of(app) -> dict:
    return next(block for block in blocks(app) if block["kind"] == "stage")


def picture_in(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGBA"))


def test_a_units_own_map_lies_over_the_photo(study, ready):
    unit = strongest(study, 0, 3)[2]
    first = ready.explain_photo(study.photo(0))
    expected = unit_maps.heat_of(first, unit)
    app = show("pages/explain.py", image="0", map=str(unit))
    stage = stage_of(app)
    assert stage["alt"] == f"the photo, with where unit {unit} fires in bright colours"
    assert np.array_equal(picture_in(stage["heat"]), np.asarray(patch_pictures.heat_layer(expected, (288, 288))))
    assert f"fires most in this photo (activation {first.activations[unit].max():.2f})" in words_on(app)
    assert [box["number"] for box in stage["boxes"]] == [str(place + 1) for place in range(len(first.boxes))]
    offered = app.selectbox(key="choose_map").options
    top = strongest(study, 0, study.mine_config.top_units)
    assert offered == ["the explanation", *(f"where unit {unit} fires" for unit in top)]
    app.selectbox(key="choose_map").set_value("explanation").run()
    stage = stage_of(app)
    assert np.array_equal(picture_in(stage["heat"]), np.asarray(patch_pictures.heat_layer(first.heat, (288, 288))))
    assert app.query_params["map"] == "explanation"


def test_a_unit_that_does_not_fire_is_said(study, monkeypatch):
    explain_photo = Explainer.explain_photo

    def without_unit_9(*given):
        found = explain_photo(*given)
        activations = found.activations.copy()
        activations[9] = -1
        return dataclasses.replace(found, activations=activations)

    monkeypatch.setattr(Explainer, "explain_photo", without_unit_9)
    st.cache_resource.clear()
    app = show("pages/explain.py", image="0", map="9")
    assert "9 does not fire in this photo." in words_on(app)
    assert not picture_in(stage_of(app)["heat"])[..., 3].any(), "nothing lies over the photo"
    st.cache_resource.clear()


def png(study, image: int) -> bytes:
    file = io.BytesIO()
    study.photo(image).save(file, "PNG")
    return file.getvalue()


def with_uploads(files: list[tuple[str, bytes, str]], **query: str):
    app = show("pages/explain.py", **{"from": "upload", **query})
    app.file_uploader(key="photo").set_value(files).run()
    assert not app.exception
    return app


def test_several_uploads_are_a_strip_to_choose_from(study, ready, monkeypatch):
    images = (3, 40, 99)
    files = [(f"<b>{image}</b>.png", png(study, image), "image/png") for image in images]
    files.insert(1, ("bad.png", b"this is text", "image/png"))
    found = [ready.explain_photo(study.photo(image)) for image in images]
    app = with_uploads(files, upload="2")
    strip = [tile for tile in tiles(app) if tile["alt"].startswith("upload ")]
    assert [tile["on"] for tile in strip] == [False, True, False]
    assert [tile["act"] for tile in strip] == [{"upload": 1}, {"upload": 2}, {"upload": 3}]
    for tile, image, one in zip(strip, images, found, strict=True):
        sure = wording.percent(float(one.probabilities[one.predicted]))
        assert (tile["name"], tile["note"]) == (wording.class_text(study, one.predicted), sure)
        assert tile["alt"].split(", ")[1] == f"<b>{image}</b>.png"
    assert len({one.predicted for one in found}) > 1, "otherwise the choice cannot be told"
    assert app.title[0].value == f"Why {wording.class_text(study, found[1].predicted)}?"
    (said,) = [warning.value.replace("\\", "") for warning in app.warning]
    assert said.startswith("bad.png is left out. ")
    assert "cannot be read" in said

    done = []
    explain_photo = Explainer.explain_photo
    monkeypatch.setattr(Explainer, "explain_photo", lambda *given: done.append(1) or explain_photo(*given))
    app.query_params["upload"] = "3"
    app.run()
    assert app.title[0].value == f"Why {wording.class_text(study, found[2].predicted)}?"
    assert len(done) == 1, "the one that is looked at; the strip is kept"
    app.query_params["upload"] = "9"
    app.run()
    assert app.title[0].value == f"Why {wording.class_text(study, found[0].predicted)}?"
    assert any(warning.value.startswith("There is no upload 9: there are 3.") for warning in app.warning)


def test_uploads_of_which_none_is_a_photo_are_one_sentence():
    app = with_uploads([("a.png", b"text", "image/png"), ("b.png", b"", "image/png")])
    assert len(app.error) == 1
    assert "cannot be read" in app.error[0].value
    assert not app.warning


def test_of_very_many_uploads_the_first_are_explained(study, monkeypatch):
    monkeypatch.setattr(uploaded_photos, "MOST", 2)
    one = png(study, 3)
    app = with_uploads([(f"{place}.png", one, "image/png") for place in range(3)])
    assert app.warning[0].value.startswith("The first 2 of 3 uploads are explained")
    assert len([tile for tile in tiles(app) if tile["alt"].startswith("upload ")]) == 2


def test_another_attribution_stands_beside_grad_cam(study, ready):
    method, n = "occlusion", study.mine_config.top_units
    first = ready.explain_photo(study.photo(5))
    other = attributions.attribute(ready, study.photo(5), first, method)
    app = show("pages/explain.py", image="5", further="other attributions", method=method)
    assert not app.warning
    stages = [block for block in blocks(app) if block["kind"] == "stage"][1:]
    name = wording.class_text(study, first.predicted)
    for stage, expected, called in zip(stages, (first, other), ("Grad-CAM", method), strict=True):
        assert stage["alt"] == f"the photo, with what supports {name} by {called} in bright colours"
        layer = patch_pictures.heat_layer(expected.heat, (288, 288))
        assert np.array_equal(picture_in(stage["heat"]), np.asarray(layer))
        corners = [[box["left"], box["top"]] for box in stage["boxes"]]
        height, width = study.preprocessing.size
        assert np.array(corners) == pytest.approx(expected.input_boxes[:, :2] * 100 / [width, height])
    mine, others = first.units[0][:n].tolist(), other.units[0][:n].tolist()
    agree = len(set(mine) & set(others))
    said = f"Of the {n} strongest units of Grad-CAM’s largest patch, {agree} "
    assert said in words_on(app)
    lines = [
        block["parts"]
        for block in blocks(app)
        if block["kind"] == "line" and block["parts"][0].get("text") in ("Grad-CAM", "Occlusion")
    ]
    for parts, units in zip(lines, (mine, others), strict=True):
        chips = [part for part in parts if part["t"] == "unit"]
        assert [int(chip["unit"]) for chip in chips] == units
        assert [chip["on"] for chip in chips] == [unit in mine and unit in others for unit in units]


def test_without_captum_the_page_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(attributions, "is_available", lambda: False)
    app = show("pages/explain.py", image="5", further="other attributions")
    assert "captum, which is not installed here; get it with: pip install captum." in words_on(app)
    assert len([block for block in blocks(app) if block["kind"] == "stage"]) == 1
