"""Every page of the dashboard on a small true study, without a browser."""

import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from scipy.stats import binomtest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from interpret.errors import InputError
from interpret.evaluation.evaluate import Evaluation
from interpret.evaluation.heldout import Best
from interpret.mining.stored import mine_study
from interpret.study import Study, open_study
from pages.shared import page_list, wording
from pages.shared.backend import allowed_paths, jobs, numbers, places, uploads
from pages.shared.controls import address
from tests.shown_pages import APP, PAGES, blocks, show, tiles, unescaped, words_on
from tests.small_study import COUNT, studies


@pytest.fixture(autouse=True)
def root(monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    return studies()


@pytest.mark.parametrize(("page", "title"), PAGES.items())
def test_every_page_opens_with_its_title_and_pictures(page, title):
    app = show(page)
    assert title in unescaped(app.title[0].value)
    assert not app.error
    pictures = tiles(app) + [block for block in blocks(app) if block["kind"] == "stage"]
    assert pictures or page == "pages/evaluation.py", "the first screen shows pictures"
    assert all(picture["src"].startswith("data:image/jpeg;base64,") and picture["alt"] for picture in pictures)


def test_the_first_screen_is_a_finding_with_its_share_and_count():
    app = show("pages/study.py")
    text = words_on(app)
    assert "% of" in text
    assert len(tiles(app)) >= 4
    assert f"{COUNT:,}, in 10 predicted classes" in text


def test_what_was_skipped_is_listed_with_its_reason():
    app = show("pages/study.py")
    frames = [frame.value for frame in app.dataframe]
    assert any("Bird/broken.png" in set(frame.get("path", [])) for frame in frames)


def test_a_class_and_an_itemset_in_the_address_are_shown():
    study = open_study(studies() / "demo")
    app = show("pages/class_specific.py", **{"class": "2"})
    assert wording.class_text(study, 2) in app.title[0].value
    table = next(frame.value for frame in app.dataframe if "itemset" in frame.value)
    row = table.iloc[len(table) // 2]
    again = show("pages/class_specific.py", **{"class": "2", "itemset": row["itemset"].replace(",", "-")})
    units = next(block for block in blocks(again) if block.get("size") == "big")["parts"]
    assert [part["unit"] for part in units if part["t"] == "unit"] == row["itemset"].split(",")
    assert len(tiles(again)) > 0
    assert all(tile["name"] == wording.class_text(study, 2) for tile in tiles(again))


def test_a_higher_support_leaves_fewer_itemsets():
    few, many = (
        len(
            next(
                frame.value
                for frame in show("pages/class_specific.py", **{"class": "0", "support": s, "show": "all"}).dataframe
            )
        )
        for s in ("60", "20")
    )
    assert few < many


def test_filters_of_the_table():
    app = show("pages/class_specific.py", **{"class": "0", "support": "20", "show": "all"})
    table = next(frame.value for frame in app.dataframe)
    rare = table["itemset"].str.split(",").explode().value_counts()
    unit = rare[rare < len(table)].index[0]
    only = show("pages/class_specific.py", **{"class": "0", "support": "20", "show": "all", "with": unit})
    kept = next(frame.value for frame in only.dataframe)
    assert 0 < len(kept) < len(table)
    assert all(unit in text.split(",") for text in kept["itemset"])
    specific = show("pages/class_specific.py", **{"class": "0", "support": "30", "kind": "only this class"})
    assert set(next(frame.value for frame in specific.dataframe)["kind"]) <= {"specific"}


@pytest.mark.parametrize("page", ["pages/class_specific.py", "pages/class_shared.py"])
def test_redundant_rules_are_hidden_where_that_is_asked_for_and_counted(page):
    from interpret.findings import Findings

    study = open_study(studies() / "demo")
    found = Findings(study, study.mine_config, mine_study(study, study.mine_config))
    if "specific" in page:
        everything, kept = found.itemsets_of_class(0), found.itemsets_of_class(0, hide_redundant=True)
    else:
        everything, kept = found.shared(), found.shared(hide_redundant=True)
    assert 0 < len(kept) < len(everything)
    noun = "itemset" if "specific" in page else "set"
    first = words_on(show(page, **{"class": "0"}))
    assert wording.count(len(everything), noun).replace("\u00a0", " ") in first
    assert "hidden" not in first
    second = words_on(show(page, **{"class": "0", "lean": "true"}))
    assert wording.count(len(kept), noun).replace("\u00a0", " ") in second
    hidden = len(everything) - len(kept)
    assert wording.count(hidden, "redundant one").replace("\u00a0", " ") + " hidden" in second


def values(app: AppTest, word: str) -> list[str]:
    """What stands behind a measure's name, wherever it is shown."""
    return [
        part["text"].strip(" ,") for block in blocks(app) for part in block.get("parts", []) if part.get("word") == word
    ]


def test_a_rule_is_checked_against_chance_where_that_is_asked_for():
    study = open_study(studies() / "demo")
    app = show("pages/class_specific.py", **{"class": "6"})
    assert values(app, "p by shuffling") == []
    assert "chance" not in next(frame.value for frame in app.dataframe)
    app = show("pages/class_specific.py", **{"class": "6", "chance": "true"})
    from interpret.findings import Findings

    found = Findings(study, study.mine_config, mine_study(study, study.mine_config))
    chance = found.chance_p_values()
    table = next(frame.value for frame in app.dataframe)
    expected = [chance[found.id_of[address.itemset_from(t.replace(",", "-"))], 6] for t in table["itemset"]]
    assert table["chance"].tolist() == pytest.approx(expected, nan_ok=True)
    assert len(values(app, "p by shuffling")) == 1
    units = tuple(int(p["unit"]) for b in blocks(app) if b.get("size") == "big" for p in b["parts"] if p["t"] == "unit")
    assert values(app, "p by shuffling") == [wording.small_number(chance[found.id_of[units], 6])]


def pictures_of(app: AppTest) -> list[str]:
    return [tile["src"] for tile in tiles(app)]


def test_the_page_of_a_gallery_is_in_the_address_and_a_new_choice_forgets_it():
    query = {"class": "6", "support": "60"}
    first = show("pages/class_specific.py", **query)
    second = show("pages/class_specific.py", **query, page="2")
    assert len(pictures_of(first)) == 12
    assert pictures_of(second)
    assert not set(pictures_of(first)) & set(pictures_of(second))
    assert pictures_of(show("pages/class_specific.py", **query, page="99")) == pictures_of(second)
    assert pictures_of(show("pages/class_specific.py", **query, page="x")) == pictures_of(first)
    assert second.query_params["page"] == "2"
    second.selectbox(key="choose_class").set_value(2).run()
    assert "page" not in second.query_params


def test_shared_by_is_in_the_address():
    study = open_study(studies() / "demo")
    first = show("pages/class_shared.py")
    rule = next(block for block in blocks(first) if block.get("act") and not block.get("on"))
    names = [part["name"] for part in rule["parts"] if part["t"] == "class"]
    ids = [study.class_names.index(name) for name in names]
    only = show("pages/class_shared.py", by="-".join(str(one) for one in ids))
    rules = [block for block in blocks(only) if block.get("act")]
    assert 0 < len(rules) < len([block for block in blocks(first) if block.get("act")])
    assert all(set(names) <= {part["name"] for part in block["parts"] if part["t"] == "class"} for block in rules)
    assert only.multiselect(key="choose_by").value == ids
    only.multiselect(key="choose_by").set_value(ids[:1]).run()
    assert only.query_params["by"] == str(ids[0])
    only.multiselect(key="choose_by").set_value([]).run()
    assert "by" not in only.query_params


def test_a_figure_is_saved_as_a_page_that_asks_for_nothing():
    from interpret.figures import ablation_charts, plotly_style

    figure = ablation_charts.shift_bars(["<b>Bird</b>", "Dog"], [0.2, 0.8], [0.9, 0.1], ["#112233", "#445566"])
    page = plotly_style.page(figure, "a < b", plotly_style.Paper(ink="#ecebe7", ground="#121316"))
    head, _, rest = page.partition("<body")
    assert "<title>a &lt; b</title>" in head
    assert len(rest) > 3_000_000, "Plotly itself is in it"
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    assert "#112233" in page
    assert figure.layout.paper_bgcolor == plotly_style.CLEAR, "the figure shown stays as it is"


def test_a_shared_rule_has_its_measures_in_every_class():
    app = show("pages/class_shared.py", chance="true")
    rule = next(block for block in blocks(app) if block.get("on"))
    classes = [part["name"] for part in rule["parts"] if part["t"] == "class"]
    for word in ("confidence", "lift", "q", "p by shuffling", "found again"):
        assert len(values(app, word)) == len(classes), word
    study = open_study(studies() / "demo")
    units = frozenset(int(part["unit"]) for part in rule["parts"] if part["t"] == "unit")
    n = study.mine_config.top_units
    held = [units <= set(one[:n].tolist()) for one in study.patches["units"]]
    of = study.patches["predicted"][held]
    shares = [wording.percent((of == study.class_names.index(name)).mean()) for name in classes]
    assert values(app, "confidence") == shares


def test_a_saved_table_holds_what_was_measured():
    from interpret.findings import Findings
    from pages.shared.view import tables

    study = open_study(studies() / "demo")
    found = Findings(study, study.mine_config, mine_study(study, study.mine_config))
    rows, chance = found.shared(), found.chance_p_values()
    saved = tables.plain_shared(found, rows, chance)
    assert len(saved) == len(rows)
    for line, row in zip(saved.itertuples(), rows.itertuples(), strict=True):
        assert line.units == wording.itemset_text(row.units)
        of = found.table[found.table["itemset_id"] == row.itemset_id].set_index("class_id").loc[list(row.class_ids)]
        for column, name in (("image_count", "photos in each"), ("again", "found again in each")):
            told = [float(one) for one in saved.loc[line.Index, name].split(", ")]
            assert told == pytest.approx(of[column].tolist(), rel=1e-3)
        p = [float(one) for one in saved.loc[line.Index, "p by shuffling in each"].split(", ")]
        assert p == pytest.approx([chance[row.itemset_id, one] for one in row.class_ids], rel=1e-3, nan_ok=True)
    own = tables.plain(found, tables.with_chance(found.itemsets_of_class(0), chance))
    assert {"p_by_shuffling", "found_again", "stable", "image_q_value", "class"} <= set(own)
    assert "p by shuffling in each" not in tables.plain_shared(found, rows, None)


def test_a_shared_rule_has_one_row_of_patches_for_each_of_its_classes():
    app = show("pages/class_shared.py")
    rule = next(block for block in blocks(app) if block.get("on"))
    classes = [part["name"] for part in rule["parts"] if part["t"] == "class"]
    assert len(classes) > 1
    strips = [block for block in blocks(app) if block["kind"] == "tiles"]
    assert len(strips) == len(classes)
    assert all(strip["tiles"] for strip in strips)


@pytest.mark.parametrize("view", ["Map", "Graph"])
def test_map_and_graph(view):
    app = show("pages/class_shared.py", view=view)
    assert len(app.get("plotly_chart")) == 1


def test_a_unit_has_its_own_address():
    study = open_study(studies() / "demo")
    unit = int(study.patches["units"].iloc[0][0])
    app = show("pages/unit.py", unit=str(unit))
    assert app.title[0].value.endswith(f"{unit} respond to?")
    assert app.number_input(key="unit_number").value == unit
    app.number_input(key="unit_number").set_value((unit + 1) % study.n_units).run()
    assert app.query_params["unit"] == str((unit + 1) % study.n_units)
    assert not app.exception


def test_a_unit_that_no_patch_holds_says_so_and_shows_its_activations():
    study = open_study(studies() / "demo")
    held = {int(unit) for units in study.patches["units"] for unit in units[:8]}
    silent = next(unit for unit in range(study.n_units) if unit not in held)
    app = show("pages/unit.py", unit=str(silent))
    assert any("strongest units of no patch" in info.value for info in app.info)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("pages/unit.py", {"unit": "999999"}),
        ("pages/unit.py", {"unit": "-3"}),
        ("pages/unit.py", {"unit": "<b>x</b>"}),
        ("pages/class_specific.py", {"class": "nothing", "itemset": "0-0-x", "n": "-1", "support": "9999"}),
        ("pages/class_shared.py", {"itemset": "1-2-3-4-5-6-7"}),
        ("pages/class_shared.py", {"view": "nothing", "show": "x"}),
        ("pages/explain.py", {"image": "100000", "target": "x", "box": "77", "off": "1-99999-x", "opacity": "500"}),
        ("pages/method.py", {"image": "100000"}),
        ("pages/study.py", {"study": "../../etc"}),
        ("pages/class_specific.py", {"patch": "123456789"}),
    ],
)
def test_nonsense_in_the_address_is_no_fault(page, query):
    app = show(page, **query)
    assert app.title


def test_switching_units_off_changes_the_answer_at_once():
    study = open_study(studies() / "demo")
    units = [int(unit) for unit in study.patches[study.patches["image_id"] == 0]["units"].iloc[0][:8]]
    off = "-".join(str(unit) for unit in units)
    app = show("pages/explain.py", image="0", off=off)
    assert "Without" in words_on(app)
    chips = [p for b in blocks(app) for p in b.get("parts", []) if p["t"] == "unit" and p.get("off")]
    assert {chip["unit"] for chip in chips} == {str(unit) for unit in units}


def test_another_class_can_be_explained():
    app = show("pages/explain.py", image="0", target="3")
    study = open_study(studies() / "demo")
    assert app.title[0].value == f"Why {wording.class_text(study, 3)}?"


def test_the_chain_of_a_patch_opens_from_its_address():
    app = show("pages/class_specific.py", patch="0")
    text = words_on(app)
    assert "5 · Its transaction" in text
    assert "6 · Itemsets that it supports" in text


def test_a_study_with_a_support_that_finds_nothing_says_what_would_help(tmp_path, monkeypatch):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    manifest = json.loads((tmp_path / "demo" / "manifest.json").read_text())
    manifest["config"]["mine"]["min_class_patches"] = 1000
    (tmp_path / "demo" / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    for page in PAGES:
        app = show(page)
        if page not in ("pages/explain.py", "pages/unit.py", "pages/evaluation.py", "pages/method.py"):
            assert any("more photos" in info.value for info in app.info), page


def test_a_damaged_study_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{")
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    app = show("pages/study.py", study="bad")
    assert "damaged" in app.error[0].value


def test_a_study_without_its_photos_still_opens(tmp_path, monkeypatch):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    manifest = json.loads((tmp_path / "demo" / "manifest.json").read_text())
    manifest["images_root"] = "/nowhere"
    (tmp_path / "demo" / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    for page in PAGES:
        show(page)
    assert any("not on this machine" in info.value for info in show("pages/study.py").info)


def test_class_names_are_text(tmp_path, monkeypatch):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    manifest = json.loads((tmp_path / "demo" / "manifest.json").read_text())
    evil = "<img src=x onerror=alert(1)> **b** [l](javascript:1) $x$"
    manifest["class_names"] = [f"{evil} {index}" for index in range(10)]
    (tmp_path / "demo" / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    for page in PAGES:
        app = show(page)
        for element in app.get("html"):
            assert "<img" not in element.proto.body
        assert "<img" not in app.title[0].value.replace("\\<", "")
        assert all("**b**" not in element.value for element in [*app.title, *app.subheader])


def altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Study:
    """A copy of the study whose manifest says something else, as the only one that there is."""
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    file = tmp_path / "demo" / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    return open_study(tmp_path / "demo")


def without_labels(study: Study) -> None:
    file = study.folder / "images.parquet"
    pd.read_parquet(file).assign(label=pd.array([None] * COUNT, "Int32")).to_parquet(file)


def test_a_photo_without_a_label_is_explained(tmp_path, monkeypatch):
    study = altered(tmp_path, monkeypatch)
    without_labels(study)
    assert study.images["label"].isna().all()
    text = words_on(show("pages/explain.py", image="0"))
    assert "The model says" in text
    assert "and is" not in text


def test_the_map_is_as_strong_as_the_address_says():
    app = show("pages/explain.py", image="0", opacity="20")
    assert [block["opacity"] for block in blocks(app) if block["kind"] == "stage"] == [0.2]


def test_a_class_name_may_hold_what_no_key_may(tmp_path, monkeypatch):
    altered(tmp_path, monkeypatch, class_names=[f"__my__class__{index}__" for index in range(10)])
    for page in PAGES:
        show(page)


def test_classes_of_one_short_name_are_told_apart(tmp_path, monkeypatch):
    names = ["crane, bird", "b", "crane, machine", "d", "e", "f", "g", "twin", "Twin", "j, k"]
    study = altered(tmp_path, monkeypatch, class_names=names)
    texts = [wording.class_text(study, one) for one in range(10)]
    assert texts == ["Crane, bird", "B", "Crane, machine", "D", "E", "F", "G", "Twin (#7)", "Twin (#8)", "J"]
    app = show("pages/class_specific.py", **{"class": "2"})
    assert app.selectbox(key="choose_class").value == 2
    assert "Crane, machine" in app.title[0].value
    app.selectbox(key="choose_class").set_value(8).run()
    assert "Twin (#8)" in unescaped(app.title[0].value)


def test_an_empty_folder_is_not_measured_on(monkeypatch):
    started = []
    monkeypatch.setattr(jobs, "start", lambda *args, **more: started.append(args))
    app = show("pages/evaluation.py")
    app.radio(key="measure_on").set_value("folder").run()
    app.button(key="measure_start").click().run()
    assert "Type the folder" in app.error[0].value
    assert not started


def test_an_effect_is_known_by_the_photos_that_it_was_measured_on(tmp_path, monkeypatch):
    study = altered(tmp_path, monkeypatch)
    other = open_study(studies() / "demo")
    measured = []
    monkeypatch.setattr(numbers, "ablation_set", lambda _: ([0, 1], threading.Lock()))
    monkeypatch.setattr(numbers.effect, "ablate_class", lambda *given: measured.append(given) or len(measured))
    for on, number in ((study, 1), (study, 1), (other, 2), (study, 1)):  # as many photos each time
        monkeypatch.setattr(numbers, "_measured_on", lambda _, on=on: on.folder)
        assert numbers.class_effect(study, 3, (5, 9)) == number


def test_a_class_without_held_out_photos_has_no_word_on_its_accuracy(monkeypatch):
    study = open_study(studies() / "demo")
    held_out = open_study(studies() / "demo")
    held_out.__dict__["images"] = study.images.assign(label=pd.array([0] * COUNT, "Int32"))
    monkeypatch.setattr(numbers, "heldout_photos", lambda _: Best(held_out, COUNT, "val", False, 0, {}))
    without = show("pages/class_specific.py", **{"class": "6"})
    assert not any("Without" in heading.value for heading in without.subheader)
    assert any("Without" in heading.value for heading in show("pages/class_specific.py", **{"class": "0"}).subheader)


def test_why_there_is_no_accuracy_is_said_as_it_is(monkeypatch):
    def fail(*_: object) -> None:
        raise InputError("Weights of <b>net_1.5</b> are gone.")

    monkeypatch.setattr(numbers, "class_effect", fail)
    assert "Weights of &lt;b&gt;net_1.5&lt;/b&gt; are gone." in words_on(show("pages/class_specific.py"))


def test_the_library_does_not_import_streamlit():
    code = "import sys, interpret.figures.patch_pictures, interpret.figures.plotly_style\n"
    code += "import interpret.explanation.photo, interpret.findings\n"
    code += "print('streamlit' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=Path(APP).parent, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_navigation_lists_files_that_exist():
    assert page_list.ENTRIES[0].path == ""
    assert len({entry.path for entry in page_list.ENTRIES}) == len(page_list.ENTRIES)


# Runs in the background


def wait(study: str, *states: str, seconds: float = 120) -> jobs.Job:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = next(job for job in jobs.jobs() if job.study == study)
        if job.state in states:
            return job
        time.sleep(0.1)
    raise AssertionError(f"the run is {job.state}: {job}")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def pid_of(job: jobs.Job) -> int:
    return int(json.loads((jobs._runs() / job.id / "job.json").read_text())["pid"])


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path / "studies"))
    monkeypatch.setenv("UNITSCOPE_ROOTS", str(studies()))
    return tmp_path / "studies"


def drawings() -> Path:
    return open_study(studies() / "demo").images_root


@pytest.mark.slow
def test_a_run_ends_in_a_study_and_leaves_no_process(empty):
    job = jobs.start("mine", ["--model", "demo", "--images", str(drawings()), "--limit", "20"])
    pid = pid_of(job)
    done = wait("mine", "done", "failed")
    assert done.state == "done", done.error
    made = open_study(empty / "mine")
    assert len(made.images) + len(made.skipped) == 20
    assert not alive(pid)
    jobs.dismiss(done)
    assert jobs.jobs() == []


@pytest.mark.slow
def test_a_run_that_cannot_be_says_the_command_lines_own_sentence(empty):
    jobs.start("bad", ["--model", "demo", "--images", str(drawings()), "--layer", "nothing"])
    job = wait("bad", "failed")
    assert "nothing" in job.error
    assert "Traceback" not in job.error
    app = show("pages/study.py")
    assert any("nothing" in error.value for error in app.error)
    jobs.dismiss(job)


@pytest.mark.slow
def test_cancel_ends_the_process_and_a_reload_finds_the_run(empty):
    job = jobs.start("long", ["--model", "demo", "--images", str(drawings())])
    pid = pid_of(job)
    assert alive(pid)
    jobs._children.clear()  # as after a restart of the server: only the files are left
    assert next(one for one in jobs.jobs() if one.study == "long").state == "running"
    with pytest.raises(InputError, match="under way already"):
        jobs.start("long", ["--images", "skimage"])
    jobs.cancel(job)
    os.waitpid(pid, 0)  # the test is its parent
    assert not (Path(f"/proc/{pid}")).exists()
    assert wait("long", "stopped").error == ""


def test_another_process_with_the_same_number_is_not_taken_for_a_run(empty):
    folder = empty / ".runs" / "0-1"
    folder.mkdir(parents=True)
    about = {"study": "old", "arguments": [], "pid": os.getpid(), "born": "12345"}
    (folder / "job.json").write_text(json.dumps(about))
    job = jobs.jobs()[0]
    assert job.state == "failed"
    jobs.cancel(job)  # ends nothing: this very process would be it


@pytest.mark.slow
def test_the_first_start_makes_the_default_study(empty):
    app = AppTest.from_file(APP, default_timeout=120).run()
    assert not app.exception
    assert "being created" in words_on(app)
    job = jobs.jobs()[0]
    assert job.study == "demo"
    jobs.cancel(job)
    again = AppTest.from_file(APP, default_timeout=120).run()
    assert not again.exception
    assert len(jobs.jobs()) == 1, "what was stopped is not begun anew by itself"


# What is uploaded


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
    assert uploads.keep_checkpoint("../../m.safetensors", io.BytesIO(b"x")).is_relative_to(empty)


def result_of(folder: Path) -> Evaluation:
    return Evaluation.read(next((folder / "evaluation" / "results").iterdir()))


@pytest.mark.slow
def test_the_evaluation_is_shown_once_it_was_measured(monkeypatch, tmp_path):
    from interpret.cli.main import main

    shutil.copytree(studies() / "demo", tmp_path / "demo")
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    empty = show("pages/evaluation.py")
    assert "was not evaluated yet" in words_on(empty)
    assert [button.label for button in empty.button] == ["Measure"]
    command = ["evaluate", str(tmp_path / "demo"), "--images", str(tmp_path / "demo"), "--no-lasso", "--no-greedy"]
    assert main([*command, "--budgets", "1,5", "--draws", "3"]) == 0
    app = show("pages/evaluation.py")
    natural, equal = (frame.value for frame in app.dataframe[:2])
    shown = natural.set_index("method")["accuracy"]
    study = open_study(tmp_path / "demo")
    accuracy, labelled = study.accuracy()
    assert shown["No unit off"] == f"{100 * accuracy:.2f} %"
    low, high = binomtest(round(accuracy * labelled), labelled).proportion_ci(method="wilson")
    around = natural.set_index("method")["95 % interval"].str.replace("\u00a0", " ")
    assert around["No unit off"] == f"{100 * low:.2f} to {100 * high:.2f} %"
    assert f"{100 * low:.1f} to {100 * high:.1f} %" in words_on(app)
    first = " ".join(re.sub(r"<.*?>", " ", words_on(show("pages/study.py"))).split())
    told = f"{100 * accuracy:.1f} % ({100 * low:.1f} to {100 * high:.1f} %) of {labelled} labelled photos"
    assert f"Accuracy (95 % interval) {told}" in first
    drawn = result_of(tmp_path / "demo").table.set_index("method").loc["Random, as Ours-10"]
    assert around["Random, as Ours-10"] == f"{100 * drawn['low']:.2f} to {100 * drawn['high']:.2f} %"
    assert f"{labelled:,} photos" in words_on(app)
    assert float(shown["Ours-10"].split()[0]) < 100 * accuracy - 20
    assert {"Ours-10", "Random"} <= set(equal["method"])
    assert "the photos that were mined" in " ".join(caption.value for caption in app.caption)


def test_switching_off_an_itemset_shows_what_the_class_is_without_it():
    app = show("pages/class_specific.py", **{"class": "6"})
    assert any("Without" in heading.value for heading in app.subheader)
    unit = show("pages/unit.py")
    assert any("Without unit" in heading.value for heading in unit.subheader)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["pages/class_specific.py", "pages/class_shared.py"])
def test_a_support_that_explodes_gets_a_sentence_and_what_would_pass(page):
    """All patches of a class of drawings hold some twenty units in common, so no support helps here."""
    app = show(page, n="32", support="1")
    assert app.title[0].value == "Nothing to show at these thresholds"
    told = app.error[0].value
    named = re.search(r"more than 200,000 itemsets, and so would any other; itemsets of at most (\d+) units pass", told)
    assert named, told
    button(app, f"Itemsets of at most {named[1]} units").click().run()
    assert not app.exception
    assert not app.error
    assert PAGES[page] in app.title[0].value
    app = show(page, n="16", support="1")
    named = re.search(
        r"itemsets; (?:the smallest that passes is )?([\d.]+) %", app.error[0].value
    )  # by the time it takes
    assert named, app.error[0].value
    button(app, f"Support {math.ceil(float(named[1]))} %").click().run()
    assert not app.error
    assert PAGES[page] in app.title[0].value
    app = show(page, n="32", support="1")
    button(app, "own thresholds").click().run()
    assert not app.error
    assert PAGES[page] in app.title[0].value


def button(app: AppTest, label: str) -> Button:
    """The button with these words on it, spaces that do not break counted as spaces."""
    return next(one for one in app.button if label in one.label.replace("\u00a0", " "))
