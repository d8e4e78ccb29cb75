"""The dashboard under load: from click to settled page in Chromium, for the demo and for studies that are there.

    python -m benchmarks.dashboard [STUDY ...] [--rounds 5] [--tabs 10]

Three measurements, each on a server of its own that is started for it:

* cold: from the start of the server to the first page with its finding, for the demo with an empty cache too;
* interactions: a round is the twenty of :func:`interactions`, one after the other in one tab of 1440 x 900. An
  interaction ends when the last run of the page's script that it set off has ended and is drawn. It begins with the
  press of the button or key in the page, by the browser's clock; beside it stands the time with what the driver of the
  browser takes before and after, such as finding the element and waiting until it stands still. The first round, in
  which caches are filled, is listed by itself. Memory is that of the server's process, after each round;
* tabs: as many tabs as asked for, each on a class of its own, turn pages at once; a page counts only if it names
  the class of its tab.
"""

import argparse
import contextlib
import math
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, TimeoutError, sync_playwright

from interpret.study import Study, open_study
from tests.browser import CHROMIUM, FLAGS, LONG, Runs, click_point, click_row, dashboard
from tests.soak import megabytes

Step = tuple[str, Callable[[], object]]

CLOCK = """
  window.pressed = window.drawn = 0
  for (const kind of ["pointerdown", "keydown", "popstate"])
    addEventListener(kind, () => { window.pressed = performance.now() }, true)
  const state = "data-test-script-state"
  new MutationObserver(changes => {
    if (changes.every(change => change.target.getAttribute(state) !== "notRunning")) return
    requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = performance.now() }))
  }).observe(document, {subtree: true, attributes: true, attributeFilter: [state]})
"""
"""When a button or key was last pressed, and when the page was last drawn after a run of its script, milliseconds."""


@contextlib.contextmanager
def server(folder: Path, cache: Path | None = None) -> Iterator[tuple[int, str, float]]:
    """A dashboard of a folder of studies: its process id, its address, and when it was started (seconds)."""
    with tempfile.TemporaryDirectory() as scratch:
        variables = {} if cache is None else {"UNITSCOPE_CACHE": str(cache)}
        began = time.monotonic()
        with dashboard(folder, Path(scratch) / "printed.txt", **variables) as (process, address):
            yield process.pid, address, began


def alone(study: Path, scratch: Path) -> Path:
    """A folder with hard links to one study only, so that no other is opened first."""
    for path in study.rglob("*"):
        if path.is_file():
            copy = scratch / study.name / path.relative_to(study)
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, copy)
    return scratch


def tab_of(browser: Browser, address: str, query: str = "") -> Any:
    """A tab with the first page."""
    tab: Any = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    tab.set_default_timeout(LONG)
    tab.add_init_script(CLOCK)
    tab.runs = Runs(tab)
    tab.goto(f"{address}/{query}")
    tab.wait_for_selector("h1")
    tab.runs.wait()
    return tab


def page_link(tab: Any, title: str) -> Callable[[], None]:
    return lambda: tab.get_by_role("link", name=title, exact=True).first.click()


def interactions(tab: Any) -> Iterator[Step]:
    """Twenty usual interactions, each with what it does, in the order in which a visitor might come to them."""

    def press(*keys: str) -> None:
        for key in keys:
            tab.keyboard.press(key)

    def pick(place: int) -> None:
        tab.locator("[data-testid=stSelectbox] input").first.click()
        tab.locator("[role=option]").nth(place).click()

    def display() -> None:
        group = tab.get_by_role("radiogroup", name="Itemsets")
        everything = group.get_by_role("radio", name="all", exact=True)
        is_chosen = everything.get_attribute("aria-checked") == "true"
        (group.get_by_role("radio", name="closed", exact=True) if is_chosen else everything).click()

    def thresholds() -> None:
        tab.locator("[data-testid=stPopover] button").first.click()
        tab.get_by_role("slider").nth(1).focus()

    yield "Class-specific", page_link(tab, "Class-specific")
    yield "the next class", lambda: pick(1)
    yield "an itemset in the table", lambda: click_row(tab, 1)
    yield "another display of itemsets", display
    thresholds()
    yield "support one higher", lambda: press("ArrowRight")
    yield "and back", lambda: press("ArrowLeft")
    press("Escape")
    yield "Class-shared", page_link(tab, "Class-shared")
    yield "another rule", lambda: tab.locator("button.line.row:not(.on)").first.click()
    yield "the map", lambda: tab.get_by_role("radio", name="Map").click()
    yield "a point of it", lambda: click_point(tab, 0)
    yield "the graph", lambda: tab.get_by_role("radio", name="Graph").click()
    yield "the rules", lambda: tab.get_by_role("radio", name="Rules").click()
    yield "a unit", lambda: tab.locator("a.unit").first.click()
    yield "the next unit", lambda: tab.locator("[data-testid=stNumberInputStepUp]").first.click()
    yield "back", tab.go_back
    yield "Explain", page_link(tab, "Explain")
    yield "Evaluation", page_link(tab, "Evaluation")
    yield "Errors", page_link(tab, "Errors")
    yield "Method", page_link(tab, "Method")
    yield "Study", page_link(tab, "Study")


QUIET = 0.6
"""Time without a run after which a page is settled (seconds); some clicks set off two."""


class Taken(NamedTuple):
    """What an interaction took: seconds by the page's clock, and by that of the program that drives the browser."""

    name: str
    page: float
    driver: float


def settled(tab: Any, name: str, act: Callable[[], object]) -> Taken:
    """Do something, and give how long it took until the last run that it set off was drawn."""
    before = tab.runs.ended
    began = time.monotonic()
    act()
    while True:
        tab.runs.wait(before)
        drawn, before = time.monotonic(), tab.runs.ended
        tab.wait_for_timeout(1000 * QUIET)
        if tab.runs.ended > before:  # another run came and went
            before = tab.runs.ended - 1
        elif not tab.runs.under_way:
            return Taken(name, tab.evaluate("(window.drawn - window.pressed) / 1000"), drawn - began)


def rounds(
    browser: Browser, folder: Path, cache: Path | None, query: str, count: int
) -> tuple[list[list[Taken]], list[int]]:
    """What every interaction of each round took, and the server's memory after each (megabytes)."""
    taken: list[list[Taken]] = []
    memory = []
    with server(folder, cache) as (pid, address, _):
        tab = tab_of(browser, address, query)
        for _ in range(count):
            taken.append([])
            for name, act in interactions(tab):
                taken[-1].append(settled(tab, name, act))
            memory.append(megabytes(pid))
        tab.context.close()
    return taken, memory


def cold(browser: Browser, folder: Path, cache: Path | None = None) -> float:
    """Seconds from the start of a server to the first page that shows units."""
    with server(folder, cache) as (_, address, began):
        tab = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        tab.goto(address)
        tab.wait_for_selector("h1")
        tab.wait_for_selector(".unit", timeout=600_000)
        seconds = time.monotonic() - began
        tab.context.close()
    return seconds


def together(browser: Browser, folder: Path, cache: Path | None, study: Study, count: int) -> tuple[list[float], int]:
    """Seconds of the pages of tabs at once, three pages in each, and how many showed another class than theirs."""
    names, wrong = study.class_names, 0
    seconds: list[float] = []
    busiest = study.patches["predicted"].value_counts().index.tolist()
    with server(folder, cache) as (_, address, _):
        tabs = [tab_of(browser, address, f"?study={study.name}") for _ in range(count)]
        for page in ("class_specific", "unit", "class_specific"):
            began = time.monotonic()
            for place, tab in enumerate(tabs):
                class_id = busiest[place % len(busiest)]
                tab.evaluate(
                    "address => { location.href = address }",
                    f"{address}/{page}?study={study.name}&class={class_id}&unit={place}",
                )
            for place, tab in enumerate(tabs):
                name = names[busiest[place % len(busiest)]] if page == "class_specific" else f"unit {place} "
                try:
                    tab.wait_for_selector(f"h1:has-text({name!r})")
                    tab.runs.wait()
                except TimeoutError:  # another class, or nothing
                    wrong += 1
                seconds.append(time.monotonic() - began)
        for tab in tabs:
            tab.context.close()
    return seconds, wrong


def spread(seconds: list[float]) -> str:
    """Median, 95th percentile and largest of some times."""
    ordered = sorted(seconds)
    return f"{statistics.median(ordered):.2f} | {ordered[int(0.95 * (len(ordered) - 1))]:.2f} | {ordered[-1]:.2f}"


def report(
    browser: Browser, folder: Path, study: Study, name: str, count: int, tabs: int, cache: Path | None = None
) -> None:
    """Measure a study, and print it; ``cache`` holds the demo's drawings, which its pages show."""
    query = f"?study={study.name}"
    print(f"\n## {name}: {study.counts.images:,} photos, {study.counts.patches:,} patches\n")
    print(f"Started server to first finding: {cold(browser, folder, cache):.1f} s\n")
    taken, memory = rounds(browser, folder, cache, query, count)
    later = [each for one in taken[1:] for each in one]
    print("| interactions | clock | median s | p95 s | largest s |\n|---|---|---|---|---|")
    for which, some in (("first round", taken[0]), (f"the other {len(later)}", later)):
        if some:
            print(f"| {which} | page | {spread([each.page for each in some])} |")
            print(f"| {which} | driver | {spread([each.driver for each in some])} |")
    print("\n| interaction | first s | later, median s | by the driver s |\n|---|---|---|---|")
    for place, first in enumerate(taken[0]):
        again = [one[place] for one in taken[1:]] or [Taken("", math.nan, math.nan)]
        page, driver = (statistics.median(times) for times in zip(*(each[1:] for each in again), strict=True))
        print(f"| {first.name} | {first.page:.2f} | {page:.2f} | {driver:.2f} |")
    sizes = [f"{size:,}" for size in memory]
    print(f"\nMemory after each round of {len(taken[0])} interactions (MB): {', '.join(sizes)}")
    if tabs:
        seconds, wrong = together(browser, folder, cache, study, tabs)
        print(f"\n{tabs} tabs at once, {len(seconds)} pages: {wrong} wrong; s: {spread(seconds)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", type=Path, help="folders of studies; the demo is measured in any case")
    parser.add_argument("--rounds", type=int, default=5, help="of twenty interactions each (default 5)")
    parser.add_argument("--tabs", type=int, default=10, help="tabs at once (default 10)")
    parser.add_argument("--no-demo", action="store_true", help="measure the studies given only")
    given = parser.parse_args()
    with sync_playwright() as play, tempfile.TemporaryDirectory() as scratch:
        browser = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        if not given.no_demo:
            folder, cache = Path(scratch) / "demo", Path(scratch) / "cache"
            folder.mkdir()
            first = cold(browser, folder, cache)
            print(f"Demo, from an empty cache, started server to first finding: {first:.1f} s")
            (study,) = (path.parent for path in folder.glob("*/manifest.json"))
            report(browser, folder, open_study(study), "Demo", given.rounds, given.tabs, cache)
        for place, path in enumerate(given.studies):
            folder = path.parent / f".benchmark-{place}"  # on the same disk, for hard links
            try:
                report(browser, alone(path, folder), open_study(path), path.name, given.rounds, given.tabs)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        browser.close()


if __name__ == "__main__":
    main()
