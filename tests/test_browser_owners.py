"""Two people in two browsers: neither sees, stops or deletes what the other uploads and makes; and the password."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as TookTooLong
from playwright.sync_api import expect

from interpret.study import open_study
from tests.browser import LONG, Served, address_of, drawn_anew, go, opened
from tests.small_study import studies

pytestmark = pytest.mark.browser


@pytest.fixture
def people(browser, served) -> Iterator[tuple[Any, Any]]:
    """A page of each of two browsers."""
    with opened(browser, served) as alice, opened(browser, served) as bob:
        for page in (alice, bob):
            page.violations = []
            page.on(
                "console",
                lambda said, page=page: (
                    page.violations.append(said.text) if "Content Security Policy" in said.text else None
                ),
            )
        yield alice, bob
        assert alice.violations == bob.violations == [], "the page needs what the headers forbid"


def begin(page: Any, name: str, limit: int | None) -> None:
    """Upload drawings and start a run of the demo's network on them."""
    go(page, "")
    form = page.locator("[data-testid=stExpander]:has-text('New study')")
    drawings = sorted(open_study(studies() / "demo").images_root.glob("*/*.png"))
    files = [str(path) for path in drawings if path.name != "broken.png"][:limit]
    page.get_by_test_id("stFileUploader").filter(has_text="Drop photos here").locator("input").set_input_files(files)
    form.locator("text=dropped above").wait_for()
    form.locator("[data-testid=stSelectbox]").first.click()
    page.keyboard.type("demo")
    page.keyboard.press("Enter")
    form.locator("input[aria-label='Name of the study']").fill(name)
    with drawn_anew(page):
        page.keyboard.press("Enter")
    start = form.locator("button:has-text('Start')")
    start.click()
    begun = "name => location.search.includes(name) || document.body.innerText.includes('Cancel')"
    try:
        page.wait_for_function(begun, arg=name, timeout=20_000)
    except TookTooLong:  # Streamlit forgets a click that comes while it draws the form anew: a person clicks again
        start.click()


def test_two_people_neither_see_nor_stop_nor_delete_what_the_other_makes(people):
    alice, bob = people
    root = alice.served.root
    begin(alice, "of-alice", 40)
    alice.wait_for_selector("button:has-text('Cancel'), h1:has-text('unit')")
    go(bob, "")
    assert bob.locator("button:has-text('Cancel')").count() == 0
    assert bob.locator("text=of-alice").count() == 0
    alice.wait_for_url("**study=of-alice**", timeout=2 * LONG)
    alice.wait_for_selector("h1")
    assert "study=demo" in bob.url, "a run of somebody else has led this page to another study"

    go(bob, "")
    assert bob.locator("text=of-alice").count() == 0
    assert bob.locator("button:has-text('Delete a study of yours')").count() == 0
    bob.goto(f"{bob.served.address}/?study=of-alice")
    expect(bob.locator("text=There is no study called “of-alice” here")).to_be_visible(timeout=LONG)
    uploads = list((root / ".uploads").iterdir())
    assert len(uploads) == 1

    alice.reload()
    alice.wait_for_selector("h1")
    alice.runs.wait()
    assert "study=of-alice" in alice.url, "a reload keeps what is one's own"
    alice.locator("button:has-text('Rename a study of yours')").click()
    alice.get_by_label("New name").fill("alice/birds")
    with drawn_anew(alice):
        alice.keyboard.press("Enter")
    with drawn_anew(alice):
        alice.locator("button:has-text('Rename it')").click()
    expect(alice.locator("text=The study is called “alice-birds”, not “alice/birds”")).to_be_visible(timeout=LONG)
    assert "study=alice-birds" in alice.url
    assert not (root / "of-alice").exists()

    alice.locator("button:has-text('Delete a study of yours')").click()
    with drawn_anew(alice):
        alice.locator("button:has-text('Delete it for good')").click()
    expect(alice.locator("button:has-text('alice-birds')")).to_have_count(0, timeout=LONG)
    assert not (root / "alice-birds").exists()
    assert list((root / ".uploads").iterdir()) == [], "the uploads go with the study"


@pytest.fixture(scope="module")
def locked(tmp_path_factory) -> Iterator[Served]:
    """A dashboard with a password, begun as the command `serve` begins it."""
    folder = tmp_path_factory.mktemp("locked")
    environment = {**os.environ, "UNITSCOPE_PASSWORD": "open sesame", "PYTHONUNBUFFERED": "1"}
    printed = folder / "printed.txt"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "interpret", "serve", "--port", "0", "--no-browser", "--studies", str(studies())],
            cwd=Path(__file__).resolve().parents[1],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Served(address_of(process, printed), studies())
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_password_is_asked_once_and_then_the_page_that_was_wanted_opens(browser, locked):
    with opened(browser, locked) as page:
        page.goto(f"{locked.address}/unit?unit=3")
        page.fill("input[type=password]", "wrong")
        page.click("button")
        expect(page.locator("[role=alert]")).to_have_text("That is not the password.")
        page.fill("input[type=password]", "open sesame")
        page.click("button")
        page.wait_for_selector("h1:has-text('unit 3 respond')")
        page.reload()
        page.wait_for_selector("h1:has-text('unit 3 respond')")
    with opened(browser, locked) as page:
        page.goto(locked.address)
        page.wait_for_selector("input[type=password]")
