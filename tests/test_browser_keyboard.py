"""The dashboard by keyboard alone, and the order of its headings."""

from itertools import pairwise

import pytest

from tests.browser import MARKUP, drawn_anew, go

pytestmark = pytest.mark.browser

LEVELS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(node => Number(node.tagName[1]))"""

FOCUSED = """() => {
    let node = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    return (node?.getAttribute("aria-label") || node?.textContent || "").trim();
}"""


@pytest.mark.parametrize("path", ["", "explain", "class_specific", "unit", "method", "errors", "evaluation"])
def test_no_level_of_headings_is_left_out(page, path):
    page.goto(f"{page.served.address}/{path}")
    page.wait_for_selector("h1")
    page.runs.wait()
    levels = page.evaluate(LEVELS)
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


def test_from_a_patch_to_its_chain_to_a_unit_by_keyboard_alone(page):
    go(page, "class_specific")
    tile = page.locator("button.frame").nth(1)
    tile.focus()
    title = tile.get_attribute("title")
    with drawn_anew(page):
        page.keyboard.press("Enter")
    page.wait_for_selector("[role=dialog] >> text=Its transaction")
    chip = page.locator("[role=dialog] a.unit").first
    name = chip.get_attribute("aria-label")
    reached = [tabbed(page) for _ in range(4)]
    assert name in reached, reached
    with drawn_anew(page):
        page.keyboard.press("Escape")
    page.locator("[role=dialog]").wait_for(state="detached")
    page.wait_for_selector("button.frame:focus")
    assert page.locator("button.frame:focus").get_attribute("title") == title
    with drawn_anew(page):
        page.keyboard.press("Enter")
    page.wait_for_selector("[role=dialog] >> text=Its transaction")
    while tabbed(page) != name:
        pass
    with drawn_anew(page):
        page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('{name} respond to')")


def tabbed(page) -> str:
    """What has the focus after Tab."""
    page.keyboard.press("Tab")
    return page.evaluate(FOCUSED)


def test_a_slash_leads_to_the_search_and_what_it_finds_opens_by_its_address(page):
    go(page, "class_specific?study=marked")
    chip = page.locator("a.unit").first
    chip.focus()
    page.keyboard.press("/")
    page.wait_for_selector(".search input:focus")
    page.keyboard.type("name 3")  # of a class whose name is markup; `c` and `r` are Streamlit's own keys elsewhere
    page.wait_for_selector(".search a.hit")
    assert MARKUP in page.locator(".search a.hit").first.inner_text()
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".search a.hit:focus")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    page.wait_for_selector("a.unit:focus")
    assert page.locator(".search a.hit").count() == 0
    page.keyboard.press("/")
    page.keyboard.type("17")
    page.keyboard.press("Enter")  # before anything was found
    page.wait_for_selector("h1:has-text('unit 17 respond')")
    page.wait_for_url("**/unit?study=marked&unit=17")
    page.runs.wait()
    page.keyboard.press("/")
    page.keyboard.type("crocus rare")
    page.wait_for_selector(".search .status:has-text('Nothing is called so here')")
    assert page.locator("[role=dialog]").count() == 0
    assert page.evaluate("window.ran") is None
    with drawn_anew(page):
        page.go_back()
    page.wait_for_selector("h1:has-text('Which units carry')")
