"""The dashboard in headless Chromium: its server, its tabs, and when a page has been drawn."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import pytest

from tests.manifests import manifest_of, rewrite
from tests.small_study import studies

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
MARKUP = "<img src=x onerror='window.ran=1'> <b>name</b>"
"""What the class names of the study `marked` begin with."""

LONG = 90_000
"""Milliseconds to wait at the most: a busy machine is slow."""


@dataclass(frozen=True)
class Served:
    """A running dashboard: where it answers, and the folder that holds its studies."""

    address: str
    root: Path

    def runs(self) -> list[str]:
        """Command lines of the processes that write a study into the folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                if "interpret" in line and str(self.root) in line:
                    found.append(line)
        return found


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[Served]:
    """One dashboard for all tests. The system picks the port; the server prints the one that it holds."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "Chromium is not installed"
        pytest.skip("Chromium is not installed here")
    root = tmp_path_factory.mktemp("served")
    _of_poster(shutil.copytree(studies() / "demo", root / "demo"))
    _mark(shutil.copytree(studies() / "demo", root / "marked"))
    printed = tmp_path_factory.mktemp("server") / "printed.txt"
    with dashboard(root, printed, OMP_NUM_THREADS="2", UNITSCOPE_ROOTS=str(studies())) as (_, address):
        server = Served(address, root)
        yield server
    assert "Traceback" not in printed.read_text(), printed.read_text()
    assert not server.runs(), "a run outlived the server"


@contextmanager
def dashboard(root: Path, printed: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A dashboard of a folder of studies: its process and its address. The system picks the port.

    Args:
        root: the folder.
        printed: file for what the server prints.
        variables: of its environment.
    """
    environment = {
        **os.environ,
        "UNITSCOPE_STUDIES": str(root),
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", "--server.port=0"],
            cwd=Path(__file__).resolve().parents[1],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, address_of(process, printed)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _of_poster(study: Path) -> None:
    """Make a study's own transactions the poster's: with few drawings they have more itemsets to click on."""
    config = manifest_of(study)["config"]
    config["mine"]["contrast_quantile"] = 0.0
    rewrite(study, config=config)


def _mark(folder: Path) -> None:
    """Give a study class names with markup, and an age that keeps it behind the others."""
    manifest = folder / "manifest.json"
    names = [f"{MARKUP} {index}" for index in range(10)]
    rewrite(folder, class_names=names)
    os.utime(manifest, (0, 0))


def address_of(process: subprocess.Popen[bytes], printed: Path) -> str:
    """The address that a dashboard's server prints into a file, once it answers there."""
    end = time.monotonic() + LONG / 1000
    while time.monotonic() < end:
        assert process.poll() is None, printed.read_text()
        address = next((line.split()[-1] for line in printed.read_text().splitlines() if "URL: http" in line), None)
        if address:
            with urllib.request.urlopen(address + "/_stcore/health", timeout=LONG / 1000) as answer:
                assert answer.status == 200
            return address
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {printed.read_text()}")


@pytest.fixture(scope="module")
def browser(served) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield opened
        opened.close()


class Runs:
    """The runs of a page's script, counted by a tab from what the server sends."""

    def __init__(self, tab: Any) -> None:
        self.tab, self.socket = tab, None
        self.ended, self.under_way = 0, False
        tab.on("websocket", self._connected)

    def _connected(self, socket: Any) -> None:
        self.socket, self.ended, self.under_way = socket, 0, False
        socket.on("framereceived", self._heard)

    def _heard(self, payload: bytes) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message = ForwardMsg.FromString(payload)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.under_way = True
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self.under_way, self.ended = False, self.ended + 1  # after an early end another run begins

    def wait(self, after: int = 0) -> None:
        """Wait until more than `after` runs have ended, none is under way, and the browser has drawn the last one."""
        while self.under_way or self.ended <= after:
            self.socket.wait_for_event("framereceived", timeout=LONG)
        self.tab.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


@contextmanager
def drawn_anew(tab: Any) -> Iterator[None]:
    """Wait until the run of the page's script that the block sets off has ended and is drawn."""
    before = tab.runs.ended
    yield
    tab.runs.wait(before)


@contextmanager
def _profile(browser: Any) -> Iterator[Any]:
    """A profile of a browser that knows nobody; a module's tests take turns with one, which has compiled the page."""
    if browser in _LENT:  # another tab of this test has it
        context = browser.new_context()
        yield context
        context.close()
        return
    _LENT.add(browser)
    if browser not in _PROFILES:
        _PROFILES[browser] = browser.new_context()
    context = _PROFILES[browser]
    try:
        yield context
    finally:
        for tab in context.pages:
            tab.close()
        context.clear_cookies()
        _LENT.discard(browser)


_PROFILES: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""The profile that a browser's tests take turns with."""

_LENT: WeakSet[Any] = WeakSet()
"""Browsers in which it is in use."""


@contextmanager
def opened(
    browser: Any, served: Served, *, viewport: dict[str, int] | None = None, color_scheme: str = "light"
) -> Iterator[Any]:
    """A tab; at its end it has asked for nothing from elsewhere or that is not there, and no error stands in it."""
    with _profile(browser) as context:
        context.set_default_timeout(LONG)
        tab = context.new_page()
        tab.set_viewport_size(viewport or {"width": 1280, "height": 720})
        tab.emulate_media(color_scheme=color_scheme)
        kept = {"origin": served.address, "storageTypes": "local_storage,indexeddb,service_workers"}
        context.new_cdp_session(tab).send("Storage.clearDataForOrigin", kept)
        with _watched(tab, served):
            yield tab


@contextmanager
def _watched(tab: Any, served: Served) -> Iterator[None]:
    tab.served, tab.runs = served, Runs(tab)
    own = (served.address, served.address.replace("http://", "ws://"), "data:", "blob:")
    away: list[str] = []
    faults: list[str] = []
    tab.on("request", lambda r: away.append(r.url) if not r.url.startswith(own) else None)
    missing: list[str] = []
    tab.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    yield
    assert away == [], f"the page asked for something from elsewhere: {away}"
    assert missing == [], f"the page asked for what is not there: {missing}"
    assert faults == []
    assert tab.locator("[data-testid=stException]").all_inner_texts() == []


@pytest.fixture
def page(browser, served) -> Iterator[Any]:
    with opened(browser, served, viewport={"width": 1440, "height": 900}) as tab:
        yield tab


def go(page: Any, path: str) -> None:
    """Open an address and wait until its pictures are there."""
    page.goto(f"{page.served.address}/{path}")
    page.wait_for_selector("h1")
    page.wait_for_selector(".blocks img")
    page.runs.wait()


def click_row(page: Any, row: int) -> None:
    """Click the box of a row in the first table, which is a canvas."""
    table = page.locator("[data-testid=stDataFrame]").first
    table.locator("canvas").first.wait_for()
    table.click(position={"x": 15, "y": 35 * row + 52}, force=True)


APART = """() => [...document.querySelectorAll(".js-plotly-plot")].every(
    figure => Date.now() - (figure._mouseDownTime ?? 0) > figure._context.doubleClickDelay
)"""
"""Whether a click now is one of its own: to Plotly two quick ones, wherever they hit, are a double click."""


def click_point(page: Any, place: int, figure: Any = None) -> None:
    """Click a point of a figure, the first one if none is given, once it stands still."""
    page.wait_for_function(APART)
    point = (figure or page.locator(".js-plotly-plot")).locator(".scatterlayer .point").nth(place)
    point.wait_for(state="attached")
    point.element_handle().wait_for_element_state("stable")
    box = point.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
