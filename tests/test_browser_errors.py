"""The page Errors in headless Chromium: two clicks from a confusion pair to what ablating its units mends."""

import json
import shutil

import pandas as pd
import pytest
from playwright.sync_api import expect

from interpret.study import open_study
from pages.shared import wording
from tests.browser import LONG, drawn_anew, go, opened
from tests.confused_study import commonest, confused
from tests.manifests import write_images

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def two_pairs(served):
    """A study with two confusion pairs, among those that the server lists; the pairs, the more frequent first."""
    folder = served.root / "confused"
    if folder.exists():
        shutil.rmtree(folder)
    a, b = confused(folder)
    for place, count in ((folder, 5), (folder / "evaluation" / "val", 3)):
        images = pd.read_parquet(place / "images.parquet").astype({"label": "Int32"})
        images.loc[images.index[(images["predicted"] == a) & (images["label"] == a)][:count], "label"] = b
        write_images(place, images)
    assert commonest(folder) == (a, b)
    return [(a, b), (b, a)]


def title(study, pair) -> str:
    a, b = (wording.class_text(study, class_id) for class_id in pair)
    return f"Why is {a} taken for {b}?"


def test_two_clicks_lead_from_a_pair_to_what_ablating_its_units_mends(page, two_pairs, tmp_path):
    study = open_study(page.served.root / "confused")
    go(page, "errors?study=confused")
    expect(page.locator("h1")).to_have_text(title(study, two_pairs[0]), timeout=LONG)
    pairs = page.locator("button.row[title*='are taken for']")
    assert pairs.count() == 2
    with drawn_anew(page):  # the first click: a pair, its sets, its galleries, and the effect of the first set
        pairs.nth(1).click()
    expect(page.locator("h1")).to_have_text(title(study, two_pairs[1]), timeout=LONG)
    assert f"pair={two_pairs[1][0]}-{two_pairs[1][1]}" in page.url
    expect(page.locator("table.mending")).to_be_visible(timeout=LONG)
    assert page.locator(".blocks .tiles img").count() >= 10
    sets = page.locator("button.row[title^='explained as']")
    first = page.locator(".line.big").inner_text()
    with drawn_anew(page):  # the second click: another set
        sets.nth(1).click()
    second = page.locator(".line.big").inner_text()
    assert second != first
    assert "itemset=" in page.url
    expect(page.locator("table.mending")).to_be_visible(timeout=LONG)
    with page.expect_download() as saved:
        page.get_by_role("button", name="These units as JSON").click()
    saved.value.save_as(tmp_path / "units.json")
    listed = json.loads((tmp_path / "units.json").read_text())
    assert [str(unit) for unit in listed["units"]] == [
        page.locator(".line.big .unit").nth(place).inner_text() for place in range(len(listed["units"]))
    ]
    assert listed["effect"]["errors_photos"] == 3
    page.reload()
    page.wait_for_selector("table.mending")
    page.runs.wait()
    assert page.locator(".line.big").inner_text() == second, "the address reopens the view"
    page.go_back()
    expect(page.locator("h1")).to_have_text(title(study, two_pairs[1]), timeout=LONG)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_on_a_phone(browser, served, two_pairs, scheme):
    with opened(browser, served, viewport={"width": 390, "height": 844}, color_scheme=scheme) as tab:
        go(tab, "errors?study=confused")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        table = tab.locator("table.mending").evaluate("one => one.getBoundingClientRect().right")
        assert table <= 390
