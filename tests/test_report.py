"""The report of a study: its figures are those of the tables, it loads nothing, and it says what is missing."""

import base64
import hashlib
import html
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from interpret.evaluation import ablation, effect, heads, heldout
from interpret.evaluation.evaluate import Evaluation
from interpret.findings import Findings
from interpret.mining.stored import mine_study
from interpret.study import open_study
from tests.browser import MARKUP
from tests.manifests import rewrite, write_images
from tests.reported_studies import Page, evaluated, reported
from tests.small_study import studies, without_contrast

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(reported(evaluated()).html)


@pytest.fixture(scope="module")
def findings() -> Findings:
    study = open_study(evaluated())
    return Findings(study, study.mine_config, mine_study(study, study.mine_config))


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def test_supports_are_those_counted_patch_by_patch(page, findings):
    """Every row of the tables against the transactions of all patches, and those of the contrast by its table."""
    study = findings.study
    own = [set(findings.transaction(patch)) for patch in range(len(study.patches))]
    predicted = study.patches["predicted"].to_numpy()
    names = {name: class_id for class_id, name in enumerate(study.class_names)}
    checked = 0
    for caption, rows in page.tables.items():
        if not caption.startswith(("Class-shared", "Sets of units of")):
            continue
        shared = caption.startswith("Class-shared")
        for units, *cells in rows[1:]:
            wanted = {int(unit) for unit in units.split(",")}
            classes = cells.pop(0).split(" ") if shared else [caption.removeprefix("Sets of units of ")]
            supports = cells[0].replace(" %", "").split()
            for name, support in zip(classes, supports, strict=True):
                held = [wanted <= own[patch] for patch in np.flatnonzero(predicted == names[name])]
                assert support == f"{100 * np.mean(held):.0f}", (caption, units)
                checked += 1
            row = findings.table[findings.table["units"] == tuple(sorted(wanted))]
            contrast = row.sort_values("support", ascending=False)["contrast_support"]
            assert cells[1] == " ".join(percent(value) for value in contrast)
            assert cells[2] == (f"{row['contrast_lift'].min():.1f}" if row["contrast_lift"].min() < np.inf else "∞")
            assert float(cells[3].replace("< 1e-300", "0")) == pytest.approx(row["image_q_value"].max(), rel=0.51)
            assert cells[-1] == ("yes" if row["supported"].all() else "no")
    assert checked > 20


def test_supported_findings_come_before_the_others(page):
    for caption, rows in page.tables.items():
        if caption.startswith(("Class-shared", "Sets of units of")):
            supported = [row[-1] for row in rows[1:]]
            assert supported == sorted(supported, reverse=True), caption


def test_effects_are_those_of_ablating_the_units_in_held_out_photos(page, findings):
    study = findings.study
    best = heldout.best(study, heldout.kept(study))
    photos = ablation.make_ablation_set(best.study, heads.load_head(study, device="cpu"))
    names = {name: class_id for class_id, name in enumerate(study.class_names)}
    checked = 0
    for caption, rows in page.tables.items():
        if caption.startswith("Sets of units of"):
            class_id = names[caption.removeprefix("Sets of units of ")]
            for row in rows[1:]:
                measured = effect.ablate_class(photos, class_id, [int(unit) for unit in row[0].split(",")], draws=0)
                change = round(100 * (measured.after - measured.before), 1)
                assert float(row[5].split(" ")[0].replace("−", "-")) == pytest.approx(change)
                checked += 1
    assert checked > 10
    assert re.search(r"(loses|gains) [\d.]+ points? of accuracy in 6 photos", page.words)
    assert re.search(r"in photos that were not mined \(60 photos of “[\w-]+”\)", page.words)


def test_table_1_is_that_of_the_evaluation(page):
    study = open_study(evaluated())
    (folder,) = [path for path in (study.folder / "evaluation" / "results").iterdir() if path.is_dir()]
    table = Evaluation.read(folder).table
    shown = page.tables["Table 1: accuracy with each method’s own number of units ablated"][1:]
    natural = table[table["budget"].isna() | (table["method"] == "No unit ablated")]
    assert [row[0] for row in shown] == natural["method"].tolist()
    assert [row[2] for row in shown] == [f"{100 * share:.2f} %" for share in natural["accuracy"]]
    equal = page.tables["Accuracy in percent with the same number of units of every method ablated"]
    assert equal[0] == ["method", "1", "5", "10"]
    ours = table[(table["method"] == "Ours-5") & (table["budget"] == 5)]["accuracy"].item()
    assert next(row for row in equal if row[0] == "Ours-5")[2] == f"{100 * ours:.1f}"
    assert len(page.each("polyline")) == len(equal) - 1


def test_pictures_have_a_text_and_are_in_the_file(page):
    pictures = page.each("img")
    assert len(pictures) > 50
    for picture in pictures:
        assert picture["alt"].startswith("patch of ")
        assert base64.b64decode(picture["src"].removeprefix("data:image/jpeg;base64,"))[:3] == b"\xff\xd8\xff"


@pytest.fixture
def hostile(tmp_path):
    """A study whose names are markup, a sentence of Jinja, control characters, and far too long."""
    folder = tmp_path / "{{ 7 * 7 }} <b>study"
    shutil.copytree(evaluated(), folder)
    content = open_study(folder).manifest
    config = {**content["config"], "images": "https://example.org/<script>alert(1)</script>"}
    names = [f"{MARKUP} {{{{ 7 * 7 }}}} \x07\u202e{place} " + "long" * 5000 for place in range(10)]
    rewrite(folder, class_names=names, layer="</style><script>alert(1)</script>", config=config)
    return folder


def test_hostile_names_are_text_and_bound_in_length(hostile):
    made = reported(hostile)
    read = Page(made.html)
    assert not read.each("script")
    assert not read.each("b") or all("onerror" not in attributes for _, attributes in read.tags)
    assert "{{ 7 * 7 }} <b>study: which units" in read.words
    assert MARKUP in read.words
    assert "49" not in read.words.split("<b>study")[0]
    assert "longlonglong" * 20 not in made.html.decode()
    assert "\x07" not in made.html.decode()
    assert len(made.html) < 20_000_000


@pytest.mark.parametrize("which", ["whole", "hostile"])
def test_nothing_is_loaded_from_anywhere(which, request):
    made = reported(evaluated() if which == "whole" else request.getfixturevalue("hostile")).html
    read = Page(made)
    for tag, attributes in read.tags:
        assert tag not in ("script", "iframe", "object", "embed", "base", "form", "video", "audio", "use", "image")
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("src", "href", "srcset", "data", "poster", "action", "xlink:href"):
                assert value.startswith(("data:", "#"))
    style = re.search(r"<style>(.*?)</style>", made.decode(), re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    policy = next(each["content"] for each in read.each("meta") if each.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(html.unescape(style).encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_links_lead_to_places_in_the_file(page):
    places = {attributes.get("id") for _, attributes in page.tags}
    for link in page.each("a"):
        assert link["href"].removeprefix("#") in places
    named = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(named) == len(set(named))


def test_the_same_study_and_options_give_the_same_bytes(tmp_path):
    first = reported(evaluated()).html
    shutil.copytree(evaluated(), tmp_path / "demo")  # other times of change, another folder
    for file in (tmp_path / "demo").rglob("*"):
        file.touch()
    assert reported(tmp_path / "demo").html == first
    assert str(evaluated().parent).encode() not in re.sub(rb"--images\S*.*?</pre>", b"", first)


def test_the_file_stays_within_its_size_and_says_what_was_left_out():
    made = reported(evaluated(), megabytes=2, patches=60, side=640, quality=95, specific=10)
    assert 1_000_000 < len(made.html) <= 2_000_000
    assert made.left_out > 0
    read = Page(made.html)
    more = "gallery" if made.left_out == 1 else "galleries"
    assert re.search(
        rf"\b{made.left_out} {more} more and \d+ patch(es)? of the last one had no room in 2 MB", read.words
    )
    shown = [len(picture["src"]) for picture in read.each("img")]
    assert sum(shown) > 0.6 * len(made.html)
    whole = Page(reported(evaluated()).html)
    assert "No gallery was left out for the size of the file, which is at most 20 MB." in whole.words


def test_fewer_findings_and_patches_are_shown_on_request():
    read = Page(reported(evaluated(), shared=0, specific=1, classes=2, patches=3, rows=4).html)
    assert len([caption for caption in read.tables if caption.startswith("Sets of units of")]) == 2
    assert max(len(rows) for caption, rows in read.tables.items() if caption.startswith("Sets of")) <= 5
    first = read.html.decode().split("<section")[1]
    assert first.count("<img") <= 6
    assert all(part.count("<img") <= 3 for part in read.html.decode().split("<article")[1:])


def test_without_a_contrast_it_says_that_nothing_was_tested():
    read = Page(reported(without_contrast() / "demo").html)
    assert "Nothing was tested, because this study has no contrast" in read.words
    assert "Not tested: the study has no contrast." in read.words
    assert {row[-1] for caption, rows in read.tables.items() if "ets of" in caption for row in rows[1:]} == {
        "not tested"
    }
    assert "nan" not in read.words.lower().split()


def test_without_an_evaluation_it_says_so():
    made = reported(studies() / "demo")
    read = Page(made.html)
    assert "This study has no evaluation that can be used, so it has no Table 1." in read.words
    assert made.problems == ()


def test_effects_in_the_photos_that_were_mined_are_said_to_flatter(tmp_path):
    folder = shutil.copytree(evaluated(), tmp_path / "demo")
    shutil.rmtree(folder / "evaluation")
    read = Page(reported(folder).html)
    assert "in the photos that were mined, which flatters the units" in read.words
    assert "not mined (" not in read.words


def test_without_the_network_there_are_no_effects_and_it_says_why(tmp_path):
    folder = shutil.copytree(evaluated(), tmp_path / "demo")
    shutil.rmtree(folder / "effects")
    content = open_study(folder).manifest
    rewrite(folder, weights={**content["weights"], "digest": "0" * 16})
    made = reported(folder)
    read = Page(made.html)
    assert made.problems[0].startswith("What ablating the itemsets costs is not known: ")
    assert made.problems[0] in read.words
    assert "effect" not in read.tables["Class-shared sets of units"][0]
    assert "Ablated:" not in read.words
    assert made.findings > 0


def test_photos_without_a_label_are_shown_as_neither_right_nor_wrong(tmp_path):
    folder = shutil.copytree(studies() / "demo", tmp_path / "demo")
    images = pd.read_parquet(folder / "images.parquet").astype({"label": "Int32"})
    images["label"] = pd.NA
    write_images(folder, images)
    read = Page(reported(folder).html)
    assert read.each("img")
    assert "labelled" not in read.words.split("Method and terms")[1].split("The method, and")[0]


def test_without_photos_it_has_no_pictures_and_says_why(tmp_path):
    shutil.copytree(evaluated(), tmp_path / "demo")
    rewrite(tmp_path / "demo", images_root=str(tmp_path / "gone"))
    made = reported(tmp_path / "demo")
    read = Page(made.html)
    assert not read.each("img")
    assert "The photos of this study were not at hand when this report was made" in read.words
    assert made.findings == 0
    assert re.search(r"\d+ patches of these galleries are not shown, because the photos are not at hand", read.words)


def test_without_a_finding_it_says_so(tmp_path):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    config = open_study(tmp_path / "demo").manifest["config"]
    config["mine"]["min_class_patches"] = 100_000
    rewrite(tmp_path / "demo", config=config)
    read = Page(reported(tmp_path / "demo").html)
    assert "No set of units was found that is frequent in a class." in read.words
    assert "No set of units is frequent in two classes or more." in read.words
    assert "found 0 sets of units that are frequent in a class" in read.words


@pytest.mark.parametrize("file", ["patches.parquet", "contrast.parquet", "images.parquet"])
def test_a_damaged_table_is_said_and_the_rest_is_there(tmp_path, file):
    shutil.copytree(evaluated(), tmp_path / "demo")
    study = open_study(tmp_path / "demo")
    data = bytearray((tmp_path / "demo" / file).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "demo" / file).write_bytes(data)
    shutil.rmtree(tmp_path / "demo" / "mined")
    made = reported(study)
    read = Page(made.html)
    assert any(f"demo/{file} is damaged" in sentence for sentence in made.problems)
    assert made.problems[0] in read.words
    assert str(tmp_path) not in " ".join(made.problems)
    assert "The findings cannot be read" in read.words
    assert "unitscope run" in read.words


def test_a_damaged_evaluation_is_said_and_findings_are_there(tmp_path):
    shutil.copytree(evaluated(), tmp_path / "demo")
    (damaged,) = (tmp_path / "demo" / "evaluation" / "results").glob("*/table.parquet")
    damaged.write_bytes(b"nothing")
    made = reported(tmp_path / "demo")
    read = Page(made.html)
    assert len(made.problems) == 1
    assert "The evaluation in demo/evaluation/results/" in read.words
    assert "no evaluation that can be used" in read.words
    assert made.findings > 0
