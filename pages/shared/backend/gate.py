"""What every request passes before Streamlit: the name, the password, a token for the browser, headers and a script."""

import html
import math
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from pages.shared.backend import hosts, owners, page_start, password
from pages.shared.backend.page_start import Message, Scope, Send
from pages.shared.backend.password import Attempts

Receive = Callable[[], Awaitable[Message]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOGIN = "unitscope_login"
"""Cookie of a browser that gave the password; the server's port follows in its name."""

YEAR = 365 * 24 * 3600

HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Streamlit and Plotly need them
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "connect-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
"""Headers of every answer: scripts, pictures and connections from here only, and no frame around the dashboard."""

_INNER = ("/_stcore/", "/static/", "/media/", "/component/", "/vendor/")  # no page that a person opens
_HEALTH = "/_stcore/health"
_BODY = 4096  # bytes of a form with a password

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Unitscope</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 22rem; margin: 20vh auto; padding: 0 1rem }
input, button { font: inherit; width: 100%%; box-sizing: border-box; margin-top: .5rem; padding: .5rem }
</style><h1>Unitscope</h1><form method="post"><label>The password of this dashboard
<input type="password" name="password" autocomplete="current-password" required autofocus></label>
<button>Open</button></form><p role="alert">%s</p></html>"""


def middleware() -> list[Middleware]:
    """What the server puts before Streamlit."""
    return [Middleware(Gate, attempts=Attempts())]


def is_open() -> bool:
    """Whether the page that is being drawn may be shown: no password is asked for, or this browser gave it.

    :class:`Gate` refuses others before; this holds where the server was started without it.
    """
    if not password.expected():
        return True
    cookies = st.context.cookies.to_dict()
    token = cookies.get(owners.COOKIE)
    return any(password.is_proof(value, token) for name, value in cookies.items() if name.startswith(LOGIN))


class Gate:
    """The ASGI application around Streamlit's."""

    def __init__(self, app: App, attempts: Attempts) -> None:
        self.app, self.attempts = app, attempts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on to Streamlit."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        host = connection.headers.get("host", "")
        if not hosts.is_allowed(host):
            await _refused(PlainTextResponse(_other_name(host), 421), scope, receive, send)
            return
        origin = connection.headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if changes and origin is not None and not hosts.is_own_page(origin, host):
            await _refused(
                PlainTextResponse("Pages of other servers change nothing here.\n", 403), scope, receive, send
            )
            return
        token = connection.cookies.get(owners.COOKIE)
        known = owners.is_token(token)
        cookie = f"{LOGIN}_{(scope.get('server') or ('', 0))[1]}"
        inside = not password.expected() or (known and password.is_proof(connection.cookies.get(cookie), token))
        if not inside and connection.url.path != _HEALTH:
            await _refused(
                await self._login(connection, token if known else None, cookie, receive), scope, receive, send
            )
            return
        page = scope["type"] == "http" and not connection.url.path.startswith(_INNER)
        send = _with_headers(send, None if known or not page else connection)
        if page and scope["method"] == "GET":
            scope, send = page_start.asked_whole(scope), page_start.with_script(send)
        await self.app(scope, receive, send)

    async def _login(self, connection: HTTPConnection, token: str | None, cookie: str, receive: Receive) -> Response:
        """The form for the password, or the answer to one that was given."""
        if connection.scope["type"] == "websocket" or connection.scope["method"] != "POST":
            return HTMLResponse(_PAGE % "", 401)
        address = connection.client.host if connection.client else ""
        form = parse_qs((await _body(receive)).decode(errors="replace"))
        if wait := self.attempts.wait(address):
            seconds = math.ceil(wait)
            said = f"Too many wrong passwords; try again in {seconds} s."
            return HTMLResponse(_PAGE % said, 429, {"Retry-After": str(seconds)})
        if not password.is_right(form.get("password", [""])[0]):
            self.attempts.wrong(address)
            return HTMLResponse(_PAGE % "That is not the password.", 401)
        self.attempts.right(address)
        query = f"?{connection.url.query}" if connection.url.query else ""
        path = "/" + connection.url.path.lstrip("/")  # two slashes would lead to another server
        answer = RedirectResponse(path + query, 303)
        fresh = token or owners.new_token()
        _set_cookie(answer, connection, owners.COOKIE, fresh, YEAR)
        _set_cookie(answer, connection, cookie, password.proof(fresh), None)
        return answer


def _other_name(host: str) -> str:
    return (
        f"This dashboard does not answer to the name {html.escape(host[:100])!r}; the person who started it can allow "
        "the name in the environment variable UNITSCOPE_HOSTS.\n"
    )


async def _refused(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer in Streamlit's place; a web socket is closed before it opens."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    answer.headers["Cache-Control"] = "no-store"
    await answer(scope, receive, _with_headers(send, None))


async def _body(receive: Receive) -> bytes:
    """The body of a request, as far as a form with a password is long."""
    content = b""
    while len(content) <= _BODY:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    return content[:_BODY]


def _with_headers(send: Send, newcomer: HTTPConnection | None) -> Send:
    """Add the headers to an answer, and a token's cookie where a newcomer asked."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if newcomer is not None:
                answer = Response()
                _set_cookie(answer, newcomer, owners.COOKIE, owners.new_token(), YEAR)
                headers.append("set-cookie", answer.headers["set-cookie"])
        await send(message)

    return sent


def _set_cookie(answer: Response, connection: HTTPConnection, name: str, value: str, seconds: int | None) -> None:
    secure = connection.url.scheme == "https" or connection.headers.get("x-forwarded-proto") == "https"
    answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)
