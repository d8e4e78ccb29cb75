"""Impatient clicks in the browser: on what stands there while another page is already on its way."""

import pytest
from playwright.sync_api import TimeoutError as TookTooLong
from playwright.sync_api import expect

from tests.browser import go

pytestmark = pytest.mark.browser

IN_A_HURRY = """([tile, link, after]) => {
    const hosts = [...document.querySelectorAll("*")].filter(node => node.shadowRoot?.querySelector(tile));
    const clicked = hosts[0].shadowRoot.querySelector(tile);
    link.click();
    return new Promise(done => setTimeout(() => { clicked.click(); done(); }, after));
}"""


@pytest.mark.parametrize(("path", "after"), [("", 50), ("class_shared", 250)])
def test_a_patch_that_is_clicked_while_its_page_is_being_left_is_no_fault(page, path, after):
    go(page, path)
    link = page.get_by_role("link", name="Unit", exact=True).element_handle()
    page.evaluate(IN_A_HURRY, ["button.frame", link, after])
    # Where the browser is slow the click reaches the page before it is left, and shows the patch.
    shown = "h1:has-text('respond to'), [role=dialog]"
    try:
        page.wait_for_selector(shown, timeout=20_000)
    except TookTooLong:  # Streamlit may forget both clicks: a person clicks again
        page.get_by_role("link", name="Unit", exact=True).click()
        page.wait_for_selector(shown)
    page.runs.wait()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
