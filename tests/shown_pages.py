"""Pages of the dashboard without a browser, and what stands on them."""

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[1] / "app.py")
PAGES = {
    "pages/study.py": " units ",
    "pages/explain.py": "Why ",
    "pages/class_specific.py": "Which units carry ",
    "pages/class_shared.py": "Which units do classes have in common?",
    "pages/unit.py": "What does unit ",
    "pages/evaluation.py": "Do these units matter?",
    "pages/errors.py": "Why is ",
    "pages/compare.py": "What differs between two studies?",
    "pages/method.py": "How does it work?",
}


def show(page: str, /, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if page != "pages/study.py":
        app.switch_page(page)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
    assert not app.exception, app.exception
    return app


def blocks(app: AppTest) -> list[dict]:
    """The blocks of all widgets on the page."""
    shown: list[dict] = []

    def walk(node: object) -> None:
        if getattr(node, "type", "") == "bidi_component":
            shown.extend(json.loads(node.proto.json).get("blocks", []))  # type: ignore[attr-defined]
        for child in getattr(node, "children", {}).values():
            walk(child)

    walk(app._tree)
    return shown


def tiles(app: AppTest) -> list[dict]:
    return [tile for block in blocks(app) if block["kind"] == "tiles" for tile in block["tiles"]]


def words_on(app: AppTest) -> str:
    lines = [
        " ".join(
            p.get("before", "") + p.get("word", "") + str(p.get("text", p.get("unit", p.get("name"))))
            for p in b["parts"]
        )
        for b in blocks(app)
        if "parts" in b
    ]
    html = [element.proto.body for element in app.get("html")]
    return "\n".join(lines + html).replace("\u00a0", " ")


def unescaped(markdown: str) -> str:
    return markdown.replace("\\", "")
