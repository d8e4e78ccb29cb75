"""The pages in headless Chromium as they open: pictures, a phone's width, what is saved from them, uploads."""

import json
import re
import shutil

import pytest
from PIL import Image
from playwright.sync_api import expect

from interpret.study import open_study
from tests.browser import LONG, MARKUP, click_point, drawn_anew, go, opened
from tests.small_study import studies

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["", "explain", "class_specific", "class_shared", "unit", "method"])
def test_every_page_can_be_opened_by_its_address(page, path):
    go(page, path)
    pictures = page.locator(".blocks img:not(.heat)")
    assert pictures.count() > 0
    assert all(pictures.nth(place).get_attribute("alt") for place in range(pictures.count()))
    assert page.evaluate("[...document.querySelectorAll('h1')].length") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "explain", "class_specific", "class_shared", "unit", "method"])
def test_nothing_is_cut_off_on_a_phone(browser, served, path, scheme):
    with opened(browser, served, viewport={"width": 390, "height": 844}, color_scheme=scheme) as tab:
        go(tab, path)
        wide = tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, "the page scrolls sideways"
        ground = tab.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        light = sum(json.loads("[" + ground[4:-1] + "]")) / 3
        assert light > 200 if scheme == "light" else light < 60


def test_a_page_asks_no_more_once_the_run_on_it_has_ended(page):
    run = page.served.root / ".runs" / "0-ended"
    run.mkdir(parents=True)
    about = {"study": "other", "kind": "run", "arguments": [], "pid": 0, "born": "0"}
    (run / "job.json").write_text(json.dumps(about))
    try:
        go(page, "")
        expect(page.locator("button:has-text('Dismiss')")).to_be_visible()
        page.runs.wait()
        asked = page.runs.ended
        page.wait_for_timeout(2500)  # three times as long as between two questions: nothing else shows that none comes
        assert (page.runs.ended, page.runs.under_way) == (asked, False)
    finally:
        shutil.rmtree(run)


def test_figures_are_drawn_for_the_screen_as_text_is_and_again_when_the_window_changes(browser, served):
    with opened(browser, served, viewport={"width": 3840, "height": 2160}) as tab:
        go(tab, "class_shared?view=Graph&all=true")
        figure = tab.locator("[class*=st-key-graph_] .js-plotly-plot")
        name = figure.locator(".textpoint text").last

        def drawn(height: int, font: str) -> None:
            expect(figure).to_have_css("height", f"{height}px", timeout=LONG)
            expect(name).to_have_css("font-size", font)

        drawn(1280, "28px")
        runs = tab.runs.ended
        click_point(tab, 0, figure)
        tab.wait_for_function("location.search.includes('itemset=')")
        tab.runs.wait(runs)
        for width, height, font in ((1440, 640, "14px"), (390, 512, "13px"), (2600, 960, "21px")):
            with drawn_anew(tab):
                tab.set_viewport_size({"width": width, "height": 900})
            drawn(height, font)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
        tab.reload()
        drawn(960, "21px")
        tab.runs.wait()
        assert tab.runs.ended == 1, "the browser says its size when it connects: the page is drawn once"


def test_pictures_differ(page):
    """A gallery that shows one picture over and over would look right to every other test."""
    go(page, "unit")
    sources = page.locator(".blocks .tiles").first.locator("img").evaluate_all("all => all.map(one => one.src)")
    assert len(set(sources)) == len(sources) > 3


def test_what_is_shown_can_be_saved(page, browser, tmp_path):
    go(page, "class_specific")
    shown = page.locator(".blocks .tiles").first.locator("img").count()  # the contrast has a gallery of its own
    with page.expect_download() as saved:
        page.locator("button:has-text('Save gallery')").first.click()
    saved.value.save_as(tmp_path / "gallery.png")
    sheet = Image.open(tmp_path / "gallery.png")
    across, down = (sheet.width - 6) // 294, (sheet.height - 6) // 294
    assert (across, down) == (4, -(-shown // 4))
    corners = [(6 + 294 * (i % 4), 6 + 294 * (i // 4)) for i in range(shown)]
    tiles = {sheet.crop((x, y, x + 288, y + 288)).tobytes() for x, y in corners}
    assert len(tiles) == shown
    with page.expect_download() as saved:
        page.locator("button:has-text('All measures as CSV')").click()
    saved.value.save_as(tmp_path / "table.csv")
    assert "image_q_value" in (tmp_path / "table.csv").read_text().splitlines()[0]
    go(page, "class_shared?view=Map&all=true")
    page.wait_for_selector(".js-plotly-plot .scatterlayer .point", state="attached")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Figure as HTML").click()
    saved.value.save_as(tmp_path / "figure.html")
    alone = browser.new_context(offline=True).new_page()
    asked: list[str] = []
    alone.on("request", lambda r: asked.append(r.url))
    alone.goto((tmp_path / "figure.html").as_uri())
    alone.wait_for_selector(".js-plotly-plot .scatterlayer .point", state="attached")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    alone.context.close()


def test_strips_of_few_pictures_keep_their_size(page):
    """A class of which one patch holds the unit once had a picture as wide as the page."""
    go(page, "unit")
    strips = page.locator(".tiles.strip")
    assert strips.count() > 3
    # All at one moment: the page may still be laid out anew, and be narrower while its first strip is measured.
    page.wait_for_function(
        """() => {
            const first = [...document.querySelectorAll(".tiles.strip")].map(strip => strip.querySelector(".tile"));
            const widths = first.map(tile => tile.getBoundingClientRect().width);
            return Math.max(...widths) < 220 && Math.max(...widths) - Math.min(...widths) < 2;
        }"""
    )


def test_a_photo_is_uploaded_and_explained(page, tmp_path):
    study = open_study(studies() / "demo")
    go(page, "explain")
    page.locator("button:has-text('upload')").first.click()
    page.wait_for_selector("[data-testid=stFileUploader]")
    file = tmp_path / "mine.png"
    study.photo(3).resize((300, 260)).save(file)
    study.photo(40).save(tmp_path / "other.png")
    files = [str(file), str(tmp_path / "other.png")]
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(files)
    page.wait_for_selector(".stage .box")
    page.wait_for_selector("text=The model says")
    page.wait_for_selector("button.unit")
    first = page.locator("h1").inner_text()
    page.locator("button.frame:has(img[alt^='upload 2, other.png'])").click()
    expect(page.locator("h1")).not_to_have_text(first, timeout=LONG)
    page.wait_for_function("new URLSearchParams(location.search).get('upload') === '2'")
    page.locator("button:has-text('similar photos')").click()
    most = page.locator(".tile a.frame:has(img[alt*=' similar: '])").first
    number = (most.locator("img").get_attribute("alt") or "").split(",")[0].removeprefix("photo ")
    most.click()
    page.wait_for_function(f"new URLSearchParams(location.search).get('image') === '{number}'")
    expect(page.locator("[data-testid=stFileUploader]")).to_have_count(0, timeout=LONG)
    expect(page.get_by_text("Pick another photo")).to_be_visible(timeout=LONG)
    page.locator("button:has-text('other attributions')").click()
    expect(page.locator(".stage")).to_have_count(3, timeout=LONG)
    assert page.locator(".stage button.box").count(), "a click chooses a patch"
    assert page.locator(".stage span.box[role=img][aria-label^='patch 1, ']").count() == 2, "nothing to click"


def test_an_upload_that_is_no_photo_is_one_sentence(page, tmp_path):
    go(page, "explain")
    page.locator("button:has-text('upload')").first.click()
    page.wait_for_selector("[data-testid=stFileUploader]")
    file = tmp_path / "bad.png"
    file.write_bytes(b"this is text")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(str(file))
    alert = page.locator("[data-testid=stAlert]").first
    alert.wait_for()
    assert "cannot be read" in alert.inner_text()


@pytest.mark.parametrize("path", ["class_specific?class=3", "class_shared", "class_shared?view=Map&all=true", "unit"])
def test_class_names_with_markup_are_shown_as_they_are(page, path):
    """Blocks, tables and figures are drawn by code in the browser, where only a browser can tell text from markup."""
    go(page, f"{path}{'&' if '?' in path else '?'}study=marked")
    expect(page.get_by_text(MARKUP).first).to_be_attached(timeout=LONG)
    assert page.evaluate("window.ran") is None
    assert page.locator("img[src=x]").count() == 0


def test_a_visitor_sees_in_two_clicks_that_units_matter_to_one_class_and_no_other(page):
    """A finding; a click on a unit: what it responds to; a click on the class: ablated, it costs this one."""
    go(page, "")
    title = page.locator("h1").inner_text()
    without = page.locator(".blocks .line", has_text=re.compile(r"are right; with these units ablated"))
    before, after, random = (int(share) for share in re.findall(r"(\d+)\s%", without.first.inner_text()))
    assert after < min(before, random)  # how much so on the whole demo is tested elsewhere
    expect(page.locator(".blocks .line", has_text=re.compile("other class"))).to_be_visible()
    unit = page.locator(".blocks .unit").first.inner_text()
    assert unit in re.findall(r"\d+", title)
    page.locator(".blocks .unit").first.click()
    page.wait_for_selector(f"h1:has-text('What does unit {unit} respond to?')")
    page.runs.wait()
    assert page.locator(".tiles img").count() > 6
    tag = page.locator(".blocks .line.big .class").first
    name = tag.inner_text().split("\n")[0].split(" ")[0]
    assert name in title
    tag.click()
    page.wait_for_selector(f"h1:has-text('Which units carry {name}')")
    page.runs.wait()
    expect(page.get_by_role("heading", name="Without")).to_be_visible()
    page.wait_for_selector(".js-plotly-plot .barlayer")


def test_the_steps_of_a_stand_are_taken_when_nobody_is_there_and_a_touch_stops_them(page):
    page.clock.install()
    go(page, "?stand=1")
    expect(page.get_by_role("navigation", name="Steps").get_by_role("button")).to_have_count(5)
    expect(page.locator("[data-testid=stTopNavLink], [data-testid=stDownloadButton]:visible")).to_have_count(0)
    current = page.locator(".stand [aria-current=step]")
    expect(current).to_contain_text("A finding")

    def after(seconds: int, step: str, said: str) -> None:
        page.clock.fast_forward(1000 * seconds)
        expect(current).to_contain_text(step, timeout=LONG)
        expect(page.locator(".stand [role=status]")).to_contain_text(said)
        page.runs.wait()

    after(50, "A finding", "Touch a step")
    after(15, "A finding", "Running by itself")
    after(13, "What a unit sees", "Running by itself")
    page.get_by_role("button", name="What classes share").click()
    after(30, "What classes share", "Touch a step")
    assert "heat" not in page.url, "a step begins without what the one before had"
    after(35, "A finding", "Running by itself")
    assert "itemset" not in page.url
    assert "stand=1" in page.url
