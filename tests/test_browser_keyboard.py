"""The dashboard by keyboard alone, and the order of its headings."""

from itertools import pairwise

import pytest

from tests.browser import drawn_anew, go

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
