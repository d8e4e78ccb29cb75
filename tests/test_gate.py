"""What a request passes before Streamlit: names, the password, tokens and headers."""

import asyncio
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import router
from pages.shared.backend import gate, hosts, owners, page_start, password
from tests.shown_pages import APP
from tests.small_study import studies


@pytest.fixture(autouse=True)
def plain(monkeypatch) -> None:
    monkeypatch.delenv("UNITSCOPE_PASSWORD", raising=False)
    monkeypatch.delenv("UNITSCOPE_HOSTS", raising=False)
    monkeypatch.delenv("UNITSCOPE_ONE_PERSON", raising=False)


class Answer:
    """What a client gets."""

    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.sent = sent
        self.status = sent[0].get("status", 0)
        self.headers = [(name.decode(), value.decode()) for name, value in sent[0].get("headers", [])]
        self.body = b"".join(message.get("body", b"") for message in sent).decode()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def cookies(self) -> dict[str, str]:
        jar: SimpleCookie = SimpleCookie()
        for name, value in self.headers:
            if name == "set-cookie":
                jar.load(value)
        return {name: one.value for name, one in jar.items()}


async def streamlit(scope: Any, receive: Any, send: Any) -> None:
    """The application behind the gate."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def asked(
    guard: gate.Gate,
    path: str = "/",
    *,
    kind: str = "http",
    method: str = "GET",
    body: bytes = b"",
    cookies: dict[str, str] | None = None,
    host: str = "localhost:8501",
    client: str = "10.0.0.1",
    origin: str = "",
) -> Answer:
    head = {
        "host": host,
        **({"origin": origin} if origin else {}),
        "cookie": "; ".join(f"{name}={value}" for name, value in (cookies or {}).items()),
        "accept-encoding": "gzip",
        "if-none-match": '"1"',
    }
    scope = {
        "type": kind,
        "method": method,
        "path": path.partition("?")[0],
        "query_string": path.partition("?")[2].encode(),
        "headers": [(name.encode(), value.encode()) for name, value in head.items()],
        "client": (client, 5000),
        "server": ("127.0.0.1", 8501),
        "scheme": "http",
    }
    sent: list[dict[str, Any]] = []
    pieces: Iterator[dict[str, Any]] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(pieces)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    return Answer(sent)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock) -> gate.Gate:
    return gate.Gate(streamlit, password.Attempts(clock))


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("localhost:8501", True),
        ("LOCALHOST", True),
        ("localhost.:8501", True),
        ("127.0.0.1:8501", True),
        ("192.168.7.9:8501", True),
        ("[::1]:8501", True),
        ("evil.example:8501", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example@localhost", False),
        ("localhost:8501:80", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_names_of_this_machine_are_answered(guard, host, answered, kind):
    answer = asked(guard, host=host, kind=kind)
    if kind == "websocket":
        assert answer.sent[0]["type"] == ("websocket.accept" if answered else "websocket.close")
    else:
        assert answer.status == (200 if answered else 421)
        assert ("inside" in answer.body) == answered


def test_a_server_answers_to_the_names_that_it_was_given(guard, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_HOSTS", "units.example.org, *.lab.example.org")
    for host in ("units.example.org", "a.lab.example.org:443", "a.b.lab.example.org"):
        assert asked(guard, host=host).status == 200, host
    for host in ("example.org", "lab.example.org", "xlab.example.org", "units.example.org.evil.example"):
        assert asked(guard, host=host).status == 421, host
    monkeypatch.setenv("UNITSCOPE_HOSTS", "*")
    assert asked(guard, host="anything.example").status == 200


def test_the_address_that_the_server_was_started_for_is_one_of_its_names(monkeypatch):
    options = {"server.address": "Units.example.org", "server.allowedHosts": ["other.example"]}
    monkeypatch.setattr(hosts.config, "get_option", lambda name: options.get(name))
    assert hosts.is_allowed("units.example.org:8600")
    assert hosts.is_allowed("other.example")
    assert not hosts.is_allowed("third.example")


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("", True),
        ("http://localhost:8501", True),
        ("http://LOCALHOST:8501", True),
        ("http://localhost:3000", False),
        ("http://localhost", False),
        ("http://127.0.0.1:3000", False),
        ("https://evil.example", False),
        ("https://units.example.org", True),
        ("null", False),
    ],
)
def test_pages_of_other_servers_open_no_connection_and_send_nothing(guard, monkeypatch, origin, own):
    """A server on another port of this machine gets the same cookies from the browser."""
    monkeypatch.setenv("UNITSCOPE_HOSTS", "units.example.org")
    answer = asked(guard, "/_stcore/stream", kind="websocket", origin=origin)
    assert answer.sent[0]["type"] == ("websocket.accept" if own else "websocket.close")
    for method in ("POST", "PUT", "DELETE"):
        assert asked(guard, "/_stcore/upload_file/1/2", method=method, origin=origin).status == (200 if own else 403)
    assert asked(guard, origin=origin).status == 200


def test_every_answer_forbids_frames_and_scripts_from_elsewhere(guard, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_PASSWORD", "right")
    for answer in (asked(guard), asked(guard, "/static/x.js"), asked(guard, "/_stcore/health")):
        assert answer.header("x-frame-options") == "DENY"
        assert "frame-ancestors 'none'" in answer.header("content-security-policy")
        assert "default-src 'self'" in answer.header("content-security-policy")
        assert answer.header("x-content-type-options") == "nosniff"


def test_a_newcomer_gets_a_token_that_scripts_cannot_read_and_keeps_it(guard):
    first, second = asked(guard), asked(guard)
    tokens = [answer.cookies[owners.COOKIE] for answer in (first, second)]
    assert tokens[0] != tokens[1]
    assert all(owners.is_token(token) for token in tokens)
    words = first.header("set-cookie").lower()
    assert "httponly" in words
    assert "samesite=lax" in words
    assert asked(guard, cookies={owners.COOKIE: tokens[0]}).cookies == {}
    assert asked(guard, cookies={owners.COOKIE: "made up"}).cookies != {}
    assert asked(guard, "/static/x.js").cookies == {}, "it would take the place of the one that the page got"


def test_without_the_password_nothing_is_behind_the_gate_but_the_health(guard, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_PASSWORD", "right")
    for path in ("/", "/unit?unit=3", "/static/x.js", "/media/abc.png", "/_stcore/upload_file/1/2", "/_stcore/healthy"):
        answer = asked(guard, path)
        assert answer.status == 401
        assert "inside" not in answer.body
        assert '<input type="password"' in answer.body
    assert asked(guard, "/_stcore/stream", kind="websocket").sent[0]["type"] == "websocket.close"
    assert asked(guard, "/_stcore/health").body == "inside"


def test_the_password_is_asked_once_and_leads_to_the_page_that_was_wanted(guard, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_PASSWORD", "rïght & ready")
    answer = asked(guard, "/unit?unit=3", method="POST", body=b"password=r%C3%AFght+%26+ready")
    assert (answer.status, answer.header("location")) == (303, "/unit?unit=3")
    jar = answer.cookies
    assert asked(guard, "/unit?unit=3", cookies=jar).body == "inside"
    assert asked(guard, kind="websocket", cookies=jar).sent[0]["type"] == "websocket.accept"
    assert "password" not in str(jar)
    stolen = {**jar, owners.COOKIE: owners.new_token()}
    assert asked(guard, cookies=stolen).status == 401, "the proof holds for its own token only"
    monkeypatch.setenv("UNITSCOPE_PASSWORD", "another")
    assert asked(guard, cookies=jar).status == 401


@pytest.mark.parametrize("body", [b"", b"password=", b"password=righ", b"password=right2", b"x", b"\xff" * 9000])
def test_a_wrong_password_opens_nothing(guard, monkeypatch, body):
    monkeypatch.setenv("UNITSCOPE_PASSWORD", "right")
    answer = asked(guard, method="POST", body=body)
    assert answer.status == 401
    assert "not the password" in answer.body
    assert answer.cookies == {}


def test_wrong_passwords_slow_their_address_down_and_no_other(guard, clock, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_PASSWORD", "right")

    def status(given: bytes, client: str = "10.0.0.1") -> int:
        return asked(guard, method="POST", body=b"password=" + given, client=client).status

    assert [status(b"x") for _ in range(5)] == [401, 401, 401, 429, 429]
    assert status(b"right") == 429, "not even the right one is looked at"
    assert status(b"x", "10.0.0.2") == 401
    waits = []
    for _ in range(8):
        wait = guard.attempts.wait("10.0.0.1")
        waits.append(wait)
        clock.now += wait
        assert status(b"x") == 401
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    clock.now += 60
    assert status(b"right") == 303
    assert [status(b"x") for _ in range(3)] == [401, 401, 401], "it begins anew"


def test_addresses_of_one_ipv6_network_count_as_one(clock):
    attempts = password.Attempts(clock)
    for host in range(3):
        attempts.wrong(f"2001:db8:1:2::{host}")
    assert attempts.wait("2001:db8:1:2:3:4:5:6") > 0
    assert attempts.wait("2001:db8:1:3::1") == 0


def test_memory_of_wrong_passwords_is_bounded(clock, monkeypatch):
    monkeypatch.setattr(password, "_REMEMBERED", 50)
    attempts = password.Attempts(clock)
    for number in range(500):
        attempts.wrong(f"10.0.{number // 250}.{number % 250}")
    assert len(attempts._wrong) == 50


def test_the_comparison_takes_the_same_time_wherever_the_passwords_differ(monkeypatch):
    compared = []
    monkeypatch.setenv("UNITSCOPE_PASSWORD", "right")
    monkeypatch.setattr(password.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    assert password.is_right("right")
    assert not password.is_right("wrong")
    assert compared == [(b"right", b"right"), (b"wrong", b"right")]


def test_with_a_login_set_up_in_streamlits_secrets_nothing_is_shown_before_it(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    monkeypatch.setattr(router, "_asks_for_login", lambda: True)
    monkeypatch.setattr(router.st, "user", Nobody())
    app = AppTest.from_file(APP, default_timeout=120).run()
    assert not app.exception
    assert [button.key for button in app.button] == ["log_in"]
    assert [title.value for title in app.title] == ["Unitscope"]


class Nobody:
    is_logged_in = False

    def get(self, name: str) -> None:
        return None


def test_pages_do_not_open_where_the_server_was_started_without_the_gate(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    monkeypatch.setenv("UNITSCOPE_PASSWORD", "right")
    app = AppTest.from_file(APP, default_timeout=120).run()
    assert not app.exception
    assert "asks for a password" in app.error[0].value
    assert len(app.title) == 0
    monkeypatch.delenv("UNITSCOPE_PASSWORD")
    assert len(AppTest.from_file(APP, default_timeout=120).run().title) == 1


async def html_page(scope: Any, receive: Any, send: Any) -> None:
    """What Streamlit sends for a page: HTML in pieces, which the browser may keep until it changes."""
    asked = {name for name, _ in scope["headers"]}
    assert not asked & {b"accept-encoding", b"if-none-match"}, "it would be compressed, or no answer at all"
    head = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"26"), (b"etag", b'"1"')]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    for piece, more in ((b"<html><he", True), (b"ad></head></html>", False)):
        await send({"type": "http.response.body", "body": piece, "more_body": more})


def test_a_page_gets_a_script_before_those_of_streamlit_and_nothing_else_does(clock):
    page = asked(gate.Gate(html_page, password.Attempts(clock)), "/unit")
    assert page.body == f"<html><head><script>{page_start.SCRIPT}</script></head></html>"
    assert page.header("content-length") == str(len(page.body.encode()))
    assert page.header("etag") == "", "it is the file's, without the script"
    assert page.header("x-frame-options") == "DENY"
    assert owners.COOKIE in page.cookies
    other = asked(gate.Gate(streamlit, password.Attempts(clock)), "/unit")
    assert other.body == "inside"


def test_the_script_ends_before_its_page_does():
    assert "</script" not in page_start.SCRIPT.lower()
