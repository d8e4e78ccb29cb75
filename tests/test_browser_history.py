"""The browser's Back: a click is one step, and it leads to what was there before."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser import click_point, drawn_anew, go

pytestmark = pytest.mark.browser


def test_back_from_a_unit_leads_to_the_map_that_it_was_clicked_on(page):
    go(page, "class_shared?all=true")
    with drawn_anew(page):
        page.get_by_text("Map", exact=True).click()
    page.wait_for_function("location.search.includes('view=Map')")
    with drawn_anew(page):
        click_point(page, 2)
    page.wait_for_function("location.search.includes('itemset=')")
    itemset, steps = parse_qs(urlsplit(page.url).query)["itemset"], page.evaluate("history.length")
    page.locator("a.unit").first.click()
    page.wait_for_selector("h1:has-text('respond to')")
    page.runs.wait()
    assert page.evaluate("history.length") == steps + 1
    with drawn_anew(page):
        page.go_back()
    page.wait_for_selector("h1:has-text('in common')")
    back = parse_qs(urlsplit(page.url).query)
    assert (back["view"], back["itemset"]) == (["Map"], itemset)
    page.wait_for_selector("[class*=st-key-map_]")


def test_a_click_that_changes_several_parameters_is_one_step(page):
    go(page, "explain?image=3&off=1-2&box=1")
    steps = page.evaluate("history.length")
    page.get_by_text("Pick another photo").click()
    with drawn_anew(page):
        page.locator("button.frame").nth(4).click()
    page.wait_for_function("!location.search.includes('off=')")
    assert page.evaluate("history.length") == steps + 1
    with drawn_anew(page):
        page.go_back()
    assert "image=3&off=1-2&box=1" in page.url
