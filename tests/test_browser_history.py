"""The browser's Back: a click is one step, and it leads to what was there before."""

import shutil
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import LONG, click_point, drawn_anew, go

pytestmark = pytest.mark.browser


def test_a_click_on_a_point_is_one_step_and_back_from_a_unit_leads_to_the_map(page):
    go(page, "class_shared?all=true")
    with drawn_anew(page):
        page.get_by_text("Map", exact=True).click()
    page.wait_for_function("location.search.includes('view=Map')")
    before, steps = page.url, page.evaluate("history.length")
    with drawn_anew(page):
        click_point(page, 2)
    page.wait_for_function("location.search.includes('itemset=')")
    itemset = parse_qs(urlsplit(page.url).query)["itemset"]
    assert page.evaluate("history.length") == steps + 1
    page.locator("a.unit").first.click()
    page.wait_for_selector("h1:has-text('respond to')")
    page.runs.wait()
    assert page.evaluate("history.length") == steps + 2
    with drawn_anew(page):
        page.go_back()
    page.wait_for_selector("h1:has-text('in common')")
    back = parse_qs(urlsplit(page.url).query)
    assert (back["view"], back["itemset"], back.get("all")) == (["Map"], itemset, ["true"])
    page.wait_for_selector("[class*=st-key-map_]")
    expect(page.get_by_role("switch", name="Show what the contrast")).to_be_checked()
    with drawn_anew(page):
        page.go_back()
    assert page.url == before


def test_a_click_on_a_point_that_opens_a_page_is_one_step_on_a_page_without_pictures(page):
    from interpret.cli.main import main

    measured = shutil.copytree(page.served.root / "demo", page.served.root / "measured")
    try:
        command = ["evaluate", str(measured), "--images", str(measured), "--no-lasso", "--no-greedy", "--no-itemsets"]
        assert main([*command, "--budgets", "1", "--draws", "2"]) == 0
        page.goto(f"{page.served.address}/evaluation?study=measured")
        figure = page.locator("[class*=st-key-matrix] .js-plotly-plot")
        figure.locator(".scatterlayer .point").first.wait_for(state="attached", timeout=LONG)
        page.runs.wait()
        before, steps = page.url, page.evaluate("history.length")
        figure.scroll_into_view_if_needed()
        click_point(page, 3, figure)
        page.wait_for_selector("h1:has-text('Which units carry')")
        page.runs.wait()
        assert parse_qs(urlsplit(page.url).query)["class"] == ["3"]
        assert page.evaluate("history.length") == steps + 1
        with drawn_anew(page):
            page.go_back()
        page.wait_for_selector("h1:has-text('Do these units matter?')")
        assert page.url == before
    finally:
        shutil.rmtree(measured)


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


def test_a_click_on_the_map_of_the_units_opens_the_unit_in_one_step_and_back_leads_to_the_map(page):
    go(page, "unit?units=Map")
    before, steps = page.url, page.evaluate("history.length")
    figure = page.locator(".st-key-unit_map .js-plotly-plot")
    unit = figure.evaluate("figure => figure._fullData[0].customdata[0][0]")
    click_point(page, 0, figure)
    page.wait_for_selector(f"h1:has-text('What does unit {unit} respond to?')")
    page.runs.wait()
    assert page.evaluate("history.length") == steps + 1
    assert parse_qs(urlsplit(page.url).query)["unit"] == [str(unit)]
    with drawn_anew(page):
        page.go_back()
    page.wait_for_selector("h1:has-text('Which units fire together?')")
    assert page.url == before
    listed = page.locator(".blocks a.frame").first  # the same without a mouse
    listed.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('respond to?')")
