"""A script in the pages that the server sends, `page_start.js`, which runs before Streamlit's own."""

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

SCRIPT = Path(__file__).with_name("page_start.js").read_text(encoding="utf-8")

_HEAD = b"<head>"
_WHOLE = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
_OF_THE_FILE = ("etag", "last-modified", "accept-ranges")


def asked_whole(scope: Scope) -> Scope:
    """The same request for the whole text, not compressed, and not only if it has changed."""
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name.lower() not in _WHOLE]}


def with_script(send: Send) -> Send:
    """Put the script into an answer that is an HTML page; any other answer is sent as it is."""
    begun: Message | None = None
    body = bytearray()

    async def sent(message: Message) -> None:
        nonlocal begun
        if message["type"] == "http.response.start" and _is_page(message):
            begun = message
            return
        if begun is None or message["type"] != "http.response.body":
            await send(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        content = bytes(body).replace(_HEAD, _HEAD + f"<script>{SCRIPT}</script>".encode(), 1)
        headers = MutableHeaders(scope=begun)
        headers["content-length"] = str(len(content))
        for name in _OF_THE_FILE:
            del headers[name]
        await send(begun)
        await send({"type": "http.response.body", "body": content})

    return sent


def _is_page(message: Message) -> bool:
    kind = Headers(raw=message.get("headers", [])).get("content-type", "")
    return bool(message["status"] == 200 and kind.startswith("text/html"))
