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


def test_from_the_first_page_to_a_chain_to_a_unit_and_back_by_keyboard_alone(page):
    go(page, "?study=demo")
    while not page.locator("button.frame:focus").count():
        tabbed(page)
    title = page.locator("button.frame:focus").get_attribute("title")
    with drawn_anew(page):
        page.keyboard.press("Enter")
    page.wait_for_selector("[role=dialog] >> text=Its transaction")
    chip = page.locator("[role=dialog] a.unit").first
    name = chip.get_attribute("aria-label")
    reached = [tabbed(page) for _ in range(4)]
    assert name in reached, reached
    escape(page, title)
    with drawn_anew(page):
        page.keyboard.press("Enter")
    page.wait_for_selector("[role=dialog] >> text=Its transaction")
    while tabbed(page) != name:
        pass
    with drawn_anew(page):
        page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('{name} respond to')")
    with drawn_anew(page):
        page.go_back()
    page.wait_for_selector("[role=dialog] >> text=Its transaction")
    escape(page, title)


def escape(page, title: str) -> None:
    """Close the dialog; the patch with this title then has the focus."""
    with drawn_anew(page):
        page.keyboard.press("Escape")
    page.locator("[role=dialog]").wait_for(state="detached")
    page.wait_for_selector("button.frame:focus")
    assert page.locator("button.frame:focus").get_attribute("title") == title


def test_a_finding_of_compare_and_a_unit_of_the_map_are_reached_by_keyboard_alone(page):
    go(page, "compare?study=demo&other=marked")
    rows = page.locator("button.line.row")
    rows.nth(1).wait_for()
    while not page.locator("button.line.row:not(.on):focus").count():
        tabbed(page)
    with drawn_anew(page):
        page.keyboard.press("Enter")
    assert rows.nth(1).get_attribute("aria-current") == "true"
    page.wait_for_selector("button.line.row.on:focus")
    go(page, "unit?study=demo&units=Map")
    while not page.locator("a.frame:focus").count():
        tabbed(page)
    unit = page.locator("a.frame:focus").get_attribute("title").split()[2]
    with drawn_anew(page):
        page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('What does unit {unit} respond to')")


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
