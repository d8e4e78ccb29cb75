"""The dashboard in headless Chromium: real clicks and keys, the address, Back, a study made from a folder."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from interpret.study import open_study
from tests.browser import LONG, click_point, click_row, drawn_anew, go
from tests.small_study import studies

pytestmark = pytest.mark.browser


def test_from_the_finding_to_a_unit_and_back(page):
    go(page, "")
    chip = page.locator("a.unit").first
    unit = chip.inner_text()
    chip.click()
    page.wait_for_selector(f"h1:has-text('unit {unit} respond')")
    assert f"unit={unit}" in page.url
    page.go_back()
    page.wait_for_selector("h1:has-text('share'), h1:has-text('carried')")


@pytest.mark.parametrize("settings", [("n=6", "show=all", "lean=true"), ("support=30", "all=true", "above=true")])
def test_a_link_keeps_the_settings_that_were_changed(page, settings):
    go(page, f"class_specific?{'&'.join(settings)}")
    page.locator("a.unit").first.click()
    page.wait_for_selector("h1:has-text('respond to')")
    page.runs.wait()
    assert all(setting in page.url for setting in settings)
    page.locator("a.class").first.click()
    page.wait_for_selector("h1:has-text('carry')")
    page.runs.wait()
    assert all(setting in page.url for setting in settings)


def test_a_class_is_picked_then_an_itemset_then_a_patch(page):
    study = open_study(studies() / "demo")
    go(page, "class_specific?fold=false")
    page.locator("[data-testid=stSelectbox]").first.click()
    option = page.locator("li[role=option], [role=option]").nth(2)
    name = option.inner_text()
    with drawn_anew(page):
        option.click()
    page.wait_for_selector(f"h1:has-text('carry {name}')")
    assert "class=" in page.url
    chosen = page.locator(".blocks .line.big").first
    page.wait_for_selector(f".blocks .line.big .class:has-text('{name}')")
    before = chosen.inner_text()
    with drawn_anew(page):
        click_row(page, 3)
    expect(chosen).not_to_have_text(before, timeout=LONG)
    tile = page.locator(".blocks .tiles button.frame").first
    tile.click()
    dialog = page.locator("[role=dialog]")
    dialog.wait_for()
    page.wait_for_selector("[role=dialog] .blocks img")
    page.wait_for_selector("[role=dialog] >> text=Its transaction")
    assert "patch=" in page.url
    assert name in study.class_names
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.wait_for_function("!location.search.includes('patch=')")


def test_a_shared_rule_is_picked_with_the_keyboard(page):
    go(page, "class_shared?all=true")
    row = page.locator("button.line.row:not(.on)").first
    words = row.locator(".unit").all_inner_texts()
    row.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("units => location.search.includes('itemset=' + units)", arg="-".join(words))
    # Another row is marked until the page is drawn again.
    expect(page.locator("button.line.row.on .unit")).to_have_text(words, timeout=LONG)


def test_a_cell_of_the_map_is_clicked(page):
    go(page, "class_shared?view=Map&all=true")
    click_point(page, 0)
    page.wait_for_url("**itemset=**")


def wait_for_units(page, units: str) -> None:
    expect(page.locator(".blocks .line.big .unit")).to_have_text(units.split("-"), timeout=LONG)


def itemset_of(page) -> str:
    return parse_qs(urlsplit(page.url).query)["itemset"][0]


@pytest.mark.parametrize(
    ("address", "click", "places"),
    [
        ("class_specific?class=2&show=all&all=true&fold=false", click_row, (3, 5)),
        ("class_shared?view=Map&all=true", click_point, (0, 2)),
        ("class_shared?view=Graph&all=true", click_point, (0, 2)),
    ],
    ids=["table", "map", "graph"],
)
def test_back_leads_to_the_itemset_that_was_clicked_before(page, address, click, places):
    go(page, address)
    picked: list[str] = []
    for place in places:
        with drawn_anew(page):
            click(page, place)
        page.wait_for_function(
            "old => ![null, old].includes(new URLSearchParams(location.search).get('itemset'))",
            arg=picked[-1] if picked else None,
        )
        picked.append(itemset_of(page))
        wait_for_units(page, picked[-1])
    with drawn_anew(page):
        page.go_back()
    wait_for_units(page, picked[0])
    assert itemset_of(page) == picked[0], "what is marked in the table or the figure has overruled the address"
    with drawn_anew(page):
        click(page, places[1])
    wait_for_units(page, picked[1])
    assert itemset_of(page) == picked[1]


def test_units_are_switched_off_one_after_the_other(page):
    go(page, "explain?image=0")
    page.wait_for_selector("button.unit")
    page.locator("button.unit").first.click()
    page.wait_for_selector("text=Without")
    page.wait_for_selector("button.unit.off")
    assert "off=" in page.url
    page.locator("button.unit.off").first.click()
    page.wait_for_function("!location.search.includes('off=')")


def test_a_unit_keeps_the_focus_when_it_is_switched_with_the_keyboard(page):
    go(page, "explain?image=0")
    unit = page.locator("button.unit").nth(1)
    number = unit.inner_text()
    unit.focus()
    for off in (True, False):
        with drawn_anew(page):
            page.keyboard.press("Enter")
        page.wait_for_function("off => location.search.includes('off=') === off", arg=off)
        page.wait_for_selector("button.unit.off:focus" if off else "button.unit:not(.off):focus")
        focused = page.locator("button.unit:focus")
        assert focused.count() == 1
        assert focused.inner_text() == number
        assert ("off" in focused.get_attribute("class").split()) == off


def test_thresholds_are_in_the_address_and_mine_anew(page):
    go(page, "class_specific?support=30")
    page.wait_for_selector("button:has-text('support 30')")
    count = page.locator("text=/\\d+\\sitemset/").first.inner_text()
    go(page, "class_specific?support=90")
    page.wait_for_selector("button:has-text('support 90')")
    assert page.locator("text=/\\d+\\sitemset/").first.inner_text() != count


def test_a_study_is_made_from_a_folder_and_cancelled_and_made(page, tmp_path):
    drawings = open_study(studies() / "demo").images_root
    go(page, "")
    page.locator("summary:has-text('New study')").click()
    form = page.locator("[data-testid=stExpander]:has-text('New study')")
    form.locator("label:has-text('a folder or data set on this machine')").click()
    form.locator("input[aria-label='Folder']").fill(str(drawings))
    page.keyboard.press("Enter")
    form.locator("[data-testid=stSelectbox]").first.click()
    page.keyboard.type("demo")
    page.keyboard.press("Enter")
    form.locator("input[aria-label='Name of the study']").fill("made here")
    with drawn_anew(page):
        page.keyboard.press("Enter")
    form.locator("button:has-text('Start')").click()
    page.wait_for_selector("button:has-text('Cancel')")
    assert len(page.served.runs()) > 0
    page.reload()
    page.locator("button:has-text('Cancel')").click()
    page.wait_for_selector("text=was stopped")
    page.locator("button:has-text('Resume')").click()
    page.wait_for_url("**study=made-here**", timeout=2 * LONG)
    page.wait_for_selector(".blocks img")


def test_redundant_rules_are_hidden_by_a_click(page):
    go(page, "class_shared?all=true&fold=false")
    before = page.locator("button.line.row").count()
    words = page.locator("text=/\\d+\\ssets of/").first.inner_text()
    page.locator("label:has-text('Hide redundant')").click()
    page.wait_for_url("**lean=true**")
    page.wait_for_selector("text=/redundant ones? hidden/")
    assert page.locator("text=/\\d+\\ssets? of/").first.inner_text() != words
    assert 0 < page.locator("button.line.row").count() <= before
    page.locator("label:has-text('Check against chance')").click()
    page.wait_for_url("**chance=true**")
    page.wait_for_selector("abbr:has-text('p by shuffling')")


def test_a_gallery_is_turned_and_its_page_is_in_the_address(page):
    go(page, "class_specific?class=6&support=60")
    picture = page.locator(".blocks .tiles img").first
    first = picture.get_attribute("src")
    page.locator("[data-testid=stPaginationPage]:has-text('2')").click()
    page.wait_for_url("**page=2**")
    expect(picture).not_to_have_attribute("src", first, timeout=LONG)
    second = picture.get_attribute("src")
    page.reload()
    page.wait_for_selector(".blocks .tiles img")
    expect(picture).to_have_attribute("src", second, timeout=LONG)
    page.locator("[data-testid=stPaginationPage]:has-text('1')").click()
    page.wait_for_function("!location.search.includes('page=')")
    expect(picture).to_have_attribute("src", first, timeout=LONG)
    page.go_back()
    expect(picture).to_have_attribute("src", second, timeout=LONG)
