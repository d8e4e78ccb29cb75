"""An impatient visitor: `python -m tests.clicks --clicks 500`.

Clicks on what is there, drawn by lot, without waiting for the page: links, units, classes, patches, tabs, switches,
table rows, points of figures, the browser's Back and reload, 0 to 300 ms apart. Fails where a page shows an exception,
a script of the page fails, or the server prints a traceback.
"""

import argparse
import collections
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, sync_playwright

from tests.browser import CHROMIUM, FLAGS, dashboard
from tests.small_study import studies

TARGETS = {
    "page": "[data-testid=stTopNavLink], header a",
    "unit": ".blocks .unit",
    "class": ".blocks a.class, .blocks button.class",
    "patch": ".blocks .frame",
    "rule": ".blocks .line.row",
    "choice": "[data-testid=stBaseButton-segmented_control], [data-testid=stCheckbox] label",
    "tab": "[role=tab]",
    "table": "[data-testid=stDataFrame] canvas",
    "figure": ".js-plotly-plot .point, .js-plotly-plot .nsewdrag",
    "close": "[role=dialog] button[aria-label=Close]",
}
"""What is clicked, by what it is called in the sums."""

MISSED = "gone before it was hit"

WEIGHTS = {"page": 4, "unit": 3, "class": 3, "patch": 3, "rule": 2, "close": 6, "back": 2, "reload": 0.5}
"""How often a kind is drawn where it is there; others once."""


def visit(tab: Any, clicks: int, rng: random.Random) -> collections.Counter[str]:
    """Click; what was clicked on how often."""
    done: collections.Counter[str] = collections.Counter()
    home = tab.url
    while done.total() - done[MISSED] < clicks:
        counts = {kind: tab.locator(f"{where} >> visible=true").count() for kind, where in TARGETS.items()}
        kinds = [*(kind for kind, count in counts.items() if count), "back", "reload"]
        kind = rng.choices(kinds, [WEIGHTS.get(kind, 1) for kind in kinds])[0]
        try:
            if kind == "back":
                tab.go_back(wait_until="commit", timeout=2000)
            elif kind == "reload":
                tab.reload(wait_until="commit")
            else:
                one = tab.locator(f"{TARGETS[kind]} >> visible=true").nth(rng.randrange(counts[kind]))
                one.click(timeout=400, force=True, no_wait_after=True)
        except Error:  # it is gone already, or lies under a dialog
            done[MISSED] += 1
        else:
            done[kind] += 1
        if "127.0.0.1" not in tab.url:
            tab.goto(home)  # Back has left the dashboard
        tab.wait_for_timeout(rng.uniform(0, 300))
        if tab.locator("[data-testid=stException]").count():
            raise AssertionError(
                f"after {done.total()} clicks: {tab.locator('[data-testid=stException]').inner_text()}"
            )
    return done


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as place, sync_playwright() as play:
        root, printed = Path(place) / "studies", Path(place) / "printed.txt"
        shutil.copytree(studies() / "demo", root / "demo")
        with dashboard(root, printed, UNITSCOPE_ROOTS=str(studies())) as (_, address):
            chromium = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
            tab = chromium.new_page(viewport={"width": 1440, "height": 900})
            tab.on("pageerror", lambda error: failed.append(f"in the browser: {error}"))
            tab.goto(address)
            tab.wait_for_selector("h1", timeout=90_000)
            begun = time.monotonic()
            try:
                done = visit(tab, given.clicks, random.Random(given.seed))
                print(
                    f"{done.total() - done[MISSED]} clicks in {time.monotonic() - begun:.0f} s:",
                    dict(done.most_common()),
                )
                tab.goto(address)
                tab.wait_for_selector(".blocks .unit", timeout=90_000)  # it still answers
            except (AssertionError, Error) as error:
                failed.append(str(error))
            chromium.close()
        if "Traceback" in (text := printed.read_text()):
            failed.append(text[-3000:])
    print(f"{len(failed)} failed")
    print(*failed, sep="\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
