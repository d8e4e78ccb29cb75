"""Makes the README's pictures of the dashboard, in `docs/images`, from the embedded demo.

    make run                                             and, once its page Evaluation shows Table 1:
    python -m assets.make_pictures http://localhost:8501

It drives Debian's chromium, or the browser that --chromium names, through playwright.
"""

import argparse
import io
from pathlib import Path
from urllib.parse import urljoin

from PIL import Image

FOLDER = Path(__file__).parents[1] / "docs" / "images"

PAGES = {
    "study": "",
    "class_shared": "class_shared",
    "unit": "unit",
    "evaluation": "evaluation",
}
"""Addresses below the dashboard's, by the name of the picture."""

WIDTH, HEIGHT, SCALE = 1440, 900, 1.5
"""The window in CSS pixels, and how many pixels of the picture each has across."""

SETTLED = 6_000
"""What a page takes to draw its figures once its title is there (milliseconds)."""


def main() -> None:
    """Write every picture, light and dark."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of a dashboard that shows the demo alone")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=args.chromium, args=["--no-sandbox", "--hide-scrollbars"])
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE, color_scheme=scheme
            )
            for name, below in PAGES.items():
                page.goto(urljoin(args.address, below))
                page.wait_for_selector("h1", timeout=120_000)
                page.wait_for_timeout(SETTLED)
                shot = Image.open(io.BytesIO(page.screenshot()))
                shot.convert("RGB").save(FOLDER / f"{name}-{scheme}.webp", quality=80, method=6)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
