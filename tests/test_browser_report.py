"""The report in headless Chromium: opened from a disk without a network, printed, and saved from the dashboard."""

import re
from pathlib import Path

import pytest

from interpret.study import open_study
from tests.browser import LONG, go
from tests.reported_studies import evaluated, reported

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(reported(evaluated()).html)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_opens_from_a_disk_without_a_network(browser, file, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, offline=True)
    tab = context.new_page()
    asked, said = [], []
    tab.on("request", lambda request: asked.append(request.url) if not request.url.startswith("data:") else None)
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    try:
        tab.goto(file.as_uri())
        assert asked == [file.as_uri()]
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        seen = "[...document.images].map(i => (i.loading = 'eager', i.decode().then(() => i.naturalWidth)))"
        assert set(tab.evaluate(f"Promise.all({seen})")) == {208}
        across = tab.evaluate("getComputedStyle(document.querySelector('.gallery')).gridTemplateColumns").split()
        assert len(across) == (3 if width == 390 else 6)
        ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 19, 22)")
        fill = tab.evaluate("getComputedStyle(document.querySelector('.bars .own')).fill")
        assert fill != "rgb(138, 143, 152)"  # the policy lets the classes' colours through
        cut = """[...document.querySelectorAll("main *")].filter(
            each => !each.closest(".scroll") && each.getBoundingClientRect().right > innerWidth + 1).length"""
        assert tab.evaluate(cut) == 0
        assert said == []
    finally:
        context.close()


def test_it_is_printed_on_several_light_pages(browser, file):
    context = browser.new_context(color_scheme="dark", offline=True)
    tab = context.new_page()
    try:
        tab.goto(file.as_uri())
        printed = tab.pdf(format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 5
        tab.emulate_media(media="print")
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert tab.evaluate("getComputedStyle(document.querySelector('.row')).breakInside") == "avoid"
        assert tab.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    finally:
        context.close()


def test_the_dashboard_s_button_gives_the_same_file(page, tmp_path):
    go(page, "?study=demo")
    with page.expect_download(timeout=LONG) as started:
        page.get_by_role("button", name="Save as a report").click()
    assert started.value.suggested_filename == "demo-report.html"
    saved = tmp_path / "saved.html"
    started.value.save_as(saved)
    assert saved.read_bytes() == reported(open_study(page.served.root / "demo")).html
