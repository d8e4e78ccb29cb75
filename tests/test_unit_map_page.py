"""The map of the units on the page Unit: what it shows, its list, its address."""

import json
from pathlib import Path

import pytest

from interpret.findings import Findings, supporting, unit_map
from interpret.study import open_study
from tests.shown_pages import blocks, show, tiles, words_on
from tests.small_study import studies

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def root(monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    return studies()


@pytest.fixture(scope="module")
def found() -> Findings:
    return Findings.of(open_study(studies() / "demo"))


def figure_on(app) -> dict:
    (chart,) = app.get("plotly_chart")
    return json.loads(chart.proto.spec)


def test_every_unit_of_the_map_is_in_the_list_with_the_patch_in_which_it_scores_highest(found):
    drawn = unit_map.unit_map(found.study, found.config)
    app = show("pages/unit.py", units="Map")
    assert app.title[0].value == "Which units fire together?"
    marks = [trace for trace in figure_on(app)["data"] if trace["mode"] == "markers"]
    assert sorted(about[0] for trace in marks for about in trace["customdata"]) == drawn.units.tolist()
    listed, page = [], 1
    while len(listed) < len(drawn.units):
        shown = tiles(app if page == 1 else show("pages/unit.py", units="Map", list=str(page)))
        assert shown
        listed += [int(tile["act"]["query"]["unit"]) for tile in shown]
        page += 1
    assert listed == unit_map.named_first(found, drawn)
    said = words_on(app)
    assert f"trustworthiness</abbr> {drawn.trustworthiness:.3f}, n = {len(drawn.units)}" in said
    assert f"{len(drawn.units)} units in 5 patches or more; {drawn.left_out} in fewer" in said


def test_pictures_stand_for_marks_in_the_colour_of_their_class(found):
    drawn = figure_on(show("pages/unit.py", units="Map"))["layout"]
    assert 3 < len(drawn["images"]) == len(drawn["shapes"]) <= 28
    assert all(image["source"].startswith("data:image/jpeg") for image in drawn["images"])
    sides = {(round(shape["x1"] - shape["x0"], 9), round(shape["y1"] - shape["y0"], 9)) for shape in drawn["shapes"]}
    assert len(sides) == 1
    side = sides.pop()[0]
    corners = [(shape["x0"], shape["y0"]) for shape in drawn["shapes"]]
    apart = [max(abs(x - u), abs(y - v)) for i, (x, y) in enumerate(corners) for u, v in corners[:i]]
    assert min(apart) >= side


def test_classes_colours_and_a_unit_are_in_the_address(found):
    drawn = unit_map.table(found, unit_map.unit_map(found.study, found.config))
    class_id = found.classes[0]
    of = {row.unit for row in drawn.itertuples() if class_id in row.class_ids}
    chosen = next(iter(of))
    app = show("pages/unit.py", units="Map", colour="kind", of=str(class_id), unit=str(chosen))
    assert not app.warning
    marks = [trace for trace in figure_on(app)["data"] if trace["mode"] == "markers"]
    full = {
        about[0]
        for trace in marks
        for about, opacity in zip(trace["customdata"], trace["marker"]["opacity"], strict=True)
        if opacity > 0.3
    }
    assert full == of
    assert {trace["name"]: len(set(trace["marker"]["color"])) for trace in marks} == dict.fromkeys(
        (trace["name"] for trace in marks), 1
    )
    near = unit_map.unit_map(found.study, found.config).nearest_units(chosen)[:6]
    assert [int(tile["act"]["query"]["unit"]) for tile in tiles(app)][:6] == near
    app.segmented_control(key="pick_units").set_value("One unit").run()
    assert app.title[0].value == f"What does unit {chosen} respond to?"
    assert not {"units", "colour", "of"} & set(app.query_params)
    assert any(
        part.get("text") == "On the map of all units" for block in blocks(app) for part in block.get("parts", [])
    )


def test_what_the_address_asks_for_in_vain_is_said():
    app = show("pages/unit.py", units="Globe", colour="mauve")
    assert any("“Globe” under View" in warning.value for warning in app.warning)
    app = show("pages/unit.py", units="Map", colour="mauve", of="4-77777", list="99")
    told = " ".join(warning.value for warning in app.warning)
    assert "“mauve” under Colour" in told
    assert "units of 1\u00a0class" in told
    assert "no page “99” of the units" in told


def test_thresholds_that_leave_no_unit_say_what_would_fill_the_map(monkeypatch):
    monkeypatch.setattr(unit_map, "LEAST", 10**6)
    from pages.shared.backend import placed_units

    placed_units._of.clear()
    app = show("pages/unit.py", units="Map")
    placed_units._of.clear()
    assert any("No unit is in" in info.value for info in app.info)


def test_the_strongest_patch_is_the_first_of_the_unit(found):
    from pages.shared.backend.placed_units import strongest_patches

    unit = int(found.transactions[0][0][0])
    first = supporting.supporting_patches(found.study, [unit], found.config)[0]
    assert strongest_patches(found, [unit]) == [first]
    units, scores = found.transactions
    assert scores[units == unit].max() == scores[first][units[first] == unit][0]
