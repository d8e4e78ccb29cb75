"""The dashboard in headless Chromium: real clicks, no request to anywhere else, nothing left behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from interpret.study import open_study
from tests.small_study import studies

pytestmark = pytest.mark.browser

CHROMIUM = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LONG = 90_000
"""Milliseconds to wait at the most: a busy machine is slow."""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed here")
    pytest.importorskip("playwright", reason="Playwright is not installed here")
    root = tmp_path_factory.mktemp("served")
    shutil.copytree(studies() / "demo", root / "demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "UNITSCOPE_STUDIES": str(root),
        "UNITSCOPE_ROOTS": str(studies()),
        "OMP_NUM_THREADS": "2",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
        cwd=Path(__file__).resolve().parents[1],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(address + "/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        try:
            _, told = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            _, told = process.communicate()
    assert b"Traceback" not in told, told.decode()
    assert not _running(str(root)), "a run outlived the server"


def _running(text: str) -> list[str]:
    """Command lines of processes that name a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if "interpret" in line and text in line:
                found.append(line)
    return found


@pytest.fixture(scope="module")
def browser(server) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser, server):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(LONG)
    tab = context.new_page()
    away: list[str] = []
    faults: list[str] = []
    tab.on(
        "request",
        lambda r: away.append(r.url) if not r.url.startswith((server, "data:", "blob:", "ws://127.0.0.1")) else None,
    )
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.server = server
    yield tab
    assert away == [], "the page asked for something from elsewhere"
    assert faults == []
    assert tab.locator("[data-testid=stException]").all_inner_texts() == []
    context.close()


def go(page, path: str) -> None:
    page.goto(f"{page.server}/{path}")
    page.wait_for_selector("h1")
    page.wait_for_selector(".blocks img")


@pytest.mark.parametrize("path", ["", "explain", "class_specific", "class_shared", "unit", "method"])
def test_every_page_can_be_opened_by_its_address(page, path):
    go(page, path)
    pictures = page.locator(".blocks img:not(.heat)")
    assert pictures.count() > 0
    assert all(pictures.nth(place).get_attribute("alt") for place in range(pictures.count()))
    assert page.evaluate("[...document.querySelectorAll('h1')].length") == 1


def test_from_the_finding_to_a_unit_and_back(page):
    go(page, "")
    chip = page.locator("a.unit").first
    unit = chip.inner_text()
    chip.click()
    page.wait_for_selector(f"h1:has-text('unit {unit} respond')")
    assert f"unit={unit}" in page.url
    page.go_back()
    page.wait_for_selector("h1:has-text('share'), h1:has-text('carried')")


def test_a_class_is_picked_then_an_itemset_then_a_patch(page):
    from playwright.sync_api import expect

    study = open_study(studies() / "demo")
    go(page, "class_specific")
    page.locator("[data-testid=stSelectbox]").first.click()
    option = page.locator("li[role=option], [role=option]").nth(2)
    name = option.inner_text()
    option.click()
    page.wait_for_selector(f"h1:has-text('carry {name}')")
    assert "class=" in page.url
    chosen = page.locator(".blocks .line.big").first
    before = chosen.inner_text()
    # The title comes first; the other class's table stands until its own has come.
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_selector(f".blocks .line.big .class:has-text('{name}')")
    table = page.locator("[data-testid=stDataFrame]").first
    table.locator("canvas").first.wait_for()
    table.click(position={"x": 15, "y": 35 * 3 + 52}, force=True)
    expect(chosen).not_to_have_text(before, timeout=LONG)
    page.wait_for_timeout(1000)
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
    from playwright.sync_api import expect

    go(page, "class_shared")
    row = page.locator("button.line.row:not(.on)").first
    words = row.locator(".unit").all_inner_texts()
    row.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("units => location.search.includes('itemset=' + units)", arg="-".join(words))
    # Another row is marked until the page is drawn again.
    expect(page.locator("button.line.row.on .unit")).to_have_text(words, timeout=LONG)


def test_a_cell_of_the_map_is_clicked(page):
    go(page, "class_shared?view=Map")
    cell = page.locator(".js-plotly-plot .scatterlayer .point").first
    cell.wait_for(state="attached")
    box = cell.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**itemset=**")


def wait_for_units(page, units: str) -> None:
    from playwright.sync_api import expect

    expect(page.locator(".blocks .line.big .unit")).to_have_text(units.split("-"), timeout=LONG)


def itemset_of(page) -> str:
    return parse_qs(urlsplit(page.url).query)["itemset"][0]


def idle(page) -> None:
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_timeout(700)


def test_back_leads_to_the_itemset_that_was_clicked_before(page):
    go(page, "class_specific?class=2")
    table = page.locator("[data-testid=stDataFrame]").first
    table.locator("canvas").first.wait_for()
    picked = []
    for row in (3, 5):
        idle(page)
        table.click(position={"x": 15, "y": 35 * row + 52}, force=True)
        page.wait_for_function(
            "old => new URLSearchParams(location.search).get('itemset') !== old", arg=picked[-1] if picked else None
        )
        picked.append(itemset_of(page))
        wait_for_units(page, picked[-1])
    page.go_back()
    wait_for_units(page, picked[0])
    idle(page)
    assert itemset_of(page) == picked[0], "the table's row has overruled the address"
    wait_for_units(page, picked[0])
    table.click(position={"x": 15, "y": 35 * 5 + 52}, force=True)
    wait_for_units(page, picked[1])
    assert itemset_of(page) == picked[1]


@pytest.mark.parametrize("view", ["Map", "Graph"])
def test_back_leads_to_the_unit_that_was_clicked_before(page, view):
    go(page, f"class_shared?view={view}")
    picked: list[str] = []

    def click(place: int) -> None:
        idle(page)
        points = page.locator(".js-plotly-plot .scatterlayer .point")
        points.first.wait_for(state="attached")
        box = points.nth(place).bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    for place in (0, 2):
        click(place)
        page.wait_for_function(
            "old => new URLSearchParams(location.search).get('itemset') !== old", arg=picked[-1] if picked else None
        )
        picked.append(itemset_of(page))
        wait_for_units(page, picked[-1])
    page.go_back()
    wait_for_units(page, picked[0])
    idle(page)
    assert itemset_of(page) == picked[0], "the figure's mark has overruled the address"
    wait_for_units(page, picked[0])
    click(2)
    wait_for_units(page, picked[1])


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
        page.keyboard.press("Enter")
        page.wait_for_function("off => location.search.includes('off=') === off", arg=off)
        page.wait_for_selector("button.unit.off" if off else "button.unit:not(.off)")
        idle(page)
        focused = page.locator("button.unit:focus")
        assert focused.count() == 1
        assert focused.inner_text() == number
        assert ("off" in focused.get_attribute("class").split()) == off


def test_a_photo_is_uploaded_and_explained(page, tmp_path):
    study = open_study(studies() / "demo")
    go(page, "explain")
    page.locator("button:has-text('upload')").first.click()
    page.wait_for_selector("[data-testid=stFileUploader]")
    file = tmp_path / "mine.png"
    study.photo(3).resize((300, 260)).save(file)
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(str(file))
    page.wait_for_selector(".stage .box")
    page.wait_for_selector("text=The model says")
    page.wait_for_selector("button.unit")


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
    form.locator("label:has-text('a folder on this machine')").click()
    form.locator("input[aria-label='Folder']").fill(str(drawings))
    page.keyboard.press("Enter")
    form.locator("[data-testid=stSelectbox]").first.click()
    page.keyboard.type("demo")
    page.keyboard.press("Enter")
    form.locator("input[aria-label='Name of the study']").fill("made here")
    page.keyboard.press("Enter")
    page.wait_for_timeout(800)
    form.locator("button:has-text('Start')").click()
    page.wait_for_selector("button:has-text('Cancel')")
    page.reload()
    page.locator("button:has-text('Cancel')").click()
    page.wait_for_selector("text=was stopped")
    page.locator("button:has-text('Go on')").click()
    page.wait_for_url("**study=made-here**", timeout=2 * LONG)
    page.wait_for_selector(".blocks img")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "explain", "class_specific", "class_shared", "unit", "method"])
def test_nothing_is_cut_off_on_a_phone(browser, server, path, scheme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    context.set_default_timeout(LONG)
    tab = context.new_page()
    tab.server = server
    go(tab, path)
    wide = tab.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390, "the page scrolls sideways"
    ground = tab.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    light = sum(json.loads("[" + ground[4:-1] + "]")) / 3
    assert light > 200 if scheme == "light" else light < 60
    context.close()


def test_pictures_differ(page):
    """A gallery that shows one picture over and over would look right to every other test."""
    go(page, "unit")
    sources = page.locator(".blocks .tiles").first.locator("img").evaluate_all("all => all.map(one => one.src)")
    assert len(set(sources)) == len(sources) > 3


def test_redundant_rules_are_hidden_by_a_click(page):
    go(page, "class_shared")
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
    from playwright.sync_api import expect

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


def test_what_is_shown_can_be_saved(page, browser, tmp_path):
    go(page, "class_specific")
    shown = page.locator(".blocks .tiles img").count()
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
    go(page, "class_shared?view=Map")
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
    widths = [
        strips.nth(place).locator(".tile").first.evaluate("one => one.getBoundingClientRect().width")
        for place in range(strips.count())
    ]
    assert max(widths) < 220
    assert max(widths) - min(widths) < 2
