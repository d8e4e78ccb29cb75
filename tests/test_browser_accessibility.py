"""What axe-core finds on the pages, in light and dark: nothing but what is Streamlit's own."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser import opened

pytestmark = pytest.mark.browser

STREAMLITS = {
    "presentation-role-conflict": "stFileUploaderDropzone",
    "landmark-unique": 'aria-label="Pagination"',
    "region": "stSkipToContent",
}
"""Rules that parts of Streamlit break, with what the HTML of these parts has: a file uploader is a `presentation` with
a label, all paginations of a page have the same label, and without a navigation the link that skips it stands alone."""

VIEWS = (
    "",
    "explain?image=3&off=4-13",
    "class_specific",
    "class_shared?view=Graph",
    "unit?units=Map",
    "evaluation",
    "errors",
    "compare?other=marked&view=Units",
    "method",
    "?stand=1",
)


@pytest.mark.parametrize(("color_scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing_but_what_is_streamlits(browser, served, color_scheme, width):
    found = []
    with opened(browser, served, viewport={"width": width, "height": 900}, color_scheme=color_scheme) as tab:
        for view in VIEWS if color_scheme == "light" else VIEWS[1::4]:
            tab.goto(f"{served.address}/{view}{'&' if '?' in view else '?'}study=demo")
            tab.wait_for_selector("h1")
            tab.runs.wait()
            # What a page no longer shows fades, and what is faded has little contrast.
            tab.wait_for_function("!document.querySelector('[data-stale=true]')")
            for broken in Axe().run(tab).response["violations"]:
                found += [
                    (view, broken["id"], node["html"][:200])
                    for node in broken["nodes"]
                    if STREAMLITS.get(broken["id"], "?") not in node["html"]
                ]
    assert found == []
