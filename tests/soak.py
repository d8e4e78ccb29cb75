"""Many people at one server for a while: `python -m tests.soak --minutes 5 --sessions 20`.

Each session has a study of its own, whose classes bear its number, and opens one page after the other as a browser
does, by Streamlit's own messages. It fails where a page shows an error or anything of another session's study. The
server's memory is printed each half minute, and at the end how many pages were drawn, how fast, and what failed.
"""

import argparse
import asyncio
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.shared.backend import owners
from pages.shared.page_list import ENTRIES
from tests.browser import dashboard
from tests.manifests import rewrite
from tests.small_study import studies

HOME = "name-of-session-"

ANONYMOUS = ("evaluation", "unit")
"""Pages that may name no class: without a result, and of a unit that no class has."""


@dataclass
class Seen:
    """What the sessions have seen.

    Attributes:
        seconds: of each page until it was drawn.
        failures: number of the session and the page, and what was wrong.
    """

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def prepare(root: Path, sessions: int) -> list[str]:
    """Make a study for each session, owned by a token, and return the tokens."""
    os.environ["UNITSCOPE_STUDIES"] = str(root)
    shutil.copytree(studies() / "demo", root / "demo")
    tokens = []
    for number in range(sessions):
        folder = shutil.copytree(studies() / "demo", root / f"of-session-{number}")
        rewrite(folder, class_names=[f"{HOME}{number}. {place}" for place in range(10)])
        tokens.append(owners.new_token())
        owners.record(folder.name, owners.digest(tokens[-1]))
    return tokens


def rerun(page: str, query: str) -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = query
    message.rerun_script.page_name = page
    return message.SerializeToString()


async def session(address: str, number: int, token: str, until: float, seen: Seen) -> None:
    """Open pages until the time is over; now and then come back in a new connection, as after a reload."""
    rng = random.Random(number)
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    while time.monotonic() < until:
        async with websockets.connect(
            url,
            subprotocols=["streamlit"],
            additional_headers={"Cookie": f"{owners.COOKIE}={token}"},
            origin=address,
            max_size=None,
        ) as socket:
            for _ in range(rng.randint(3, 12)):
                if time.monotonic() >= until:
                    return
                page = rng.choice(ENTRIES).path
                await _one_page(socket, page, number, rng, seen)
                await asyncio.sleep(rng.random())


async def _one_page(socket, page: str, number: int, rng: random.Random, seen: Seen) -> None:
    start = time.monotonic()
    query = f"study=of-session-{number}&unit={rng.randrange(64)}&class={rng.randrange(10)}&image={rng.randrange(40)}"
    await socket.send(rerun(page, query))
    content = []
    while True:
        raw = await asyncio.wait_for(socket.recv(), 300)
        message = ForwardMsg.FromString(raw)
        content.append(raw)
        if (
            message.WhichOneof("type") == "script_finished"
            and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        ):
            break
    seen.seconds.append(time.monotonic() - start)
    whole = b"".join(content)
    named = {int(text) for text in re.findall(rb"(?:name-of-|of-)session-(\d+)", whole)}
    for what, wrong in (
        (f"shows what is of {sorted(named - {number})}", named - {number}),
        ("shows nothing of its own study", number not in named and page not in ANONYMOUS),
        ("shows an exception", b"stException" in whole or any(_is_exception(raw) for raw in content)),
    ):
        if wrong:
            said = " / ".join(text for raw in content for text in _texts(raw))[:400]
            seen.failures.append(f"session {number}, page {page or 'study'!r}: {what}; it says {said!r}")


def _texts(raw: bytes) -> list[str]:
    """Titles, paragraphs and alerts in a message."""
    message = ForwardMsg.FromString(raw)
    element = message.delta.new_element
    kind = element.WhichOneof("type") if message.WhichOneof("type") == "delta" else None
    return [getattr(element, kind).body] if kind in ("heading", "alert", "markdown") else []


def _is_exception(raw: bytes) -> bool:
    message = ForwardMsg.FromString(raw)
    return message.WhichOneof("type") == "delta" and message.delta.new_element.WhichOneof("type") == "exception"


def megabytes(pid: int) -> int:
    """Memory of a process and of those that it started."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(entry.name) == pid or int(words[1]) == pid:
                    total += int(words[21]) * os.sysconf("SC_PAGE_SIZE")
            except OSError:
                continue
    return total >> 20


async def watch(pid: int, until: float, seen: Seen) -> list[int]:
    sizes = []
    while time.monotonic() < until:
        sizes.append(megabytes(pid))
        print(f"{len(seen.seconds):,} pages, {sizes[-1]:,} MB, {len(seen.failures)} failed", flush=True)
        await asyncio.sleep(min(30, max(0.1, until - time.monotonic())))
    return [*sizes, megabytes(pid)]


async def soak(address: str, pid: int, tokens: list[str], minutes: float) -> tuple[Seen, list[int]]:
    """Let the sessions work at once for some minutes; gives what they saw and the server's memory on the way."""
    seen, until = Seen(), time.monotonic() + 60 * minutes
    sessions = [session(address, number, token, until, seen) for number, token in enumerate(tokens)]
    sizes, *_ = await asyncio.gather(watch(pid, until, seen), *sessions)
    return seen, sizes


def run(sessions: int, minutes: float) -> tuple[Seen, list[int], str]:
    """The whole of it: what was seen, the server's memory on the way (megabytes), and what the server printed."""
    with tempfile.TemporaryDirectory(prefix="unitscope-soak-") as name:
        tokens = prepare(Path(name), sessions)
        printed = Path(name) / ".printed.txt"
        with dashboard(Path(name), printed, UNITSCOPE_ROOTS=str(studies())) as (process, address):
            seen, sizes = asyncio.run(soak(address, process.pid, tokens, minutes))
            alive = process.poll() is None
        text = printed.read_text()
        if not alive:
            seen.failures.append("the server ended")
        if "Traceback" in text:
            seen.failures.append("the server printed a traceback")
        return seen, sizes, text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--sessions", type=int, default=20)
    given = parser.parse_args()
    seen, sizes, text = run(given.sessions, given.minutes)
    ordered = sorted(seen.seconds)
    print(
        f"{given.sessions} sessions, {given.minutes:g} minutes: {len(ordered):,} pages, median "
        f"{statistics.median(ordered):.2f} s, 95th percentile {ordered[int(0.95 * len(ordered))]:.2f} s; memory "
        f"{sizes[0]:,} MB at the start, {max(sizes):,} MB at most, {sizes[-1]:,} MB at the end; "
        f"{len(seen.failures)} failed"
    )
    for failure in sorted(set(seen.failures))[:20]:
        print(failure)
    if any("server" in failure for failure in seen.failures):
        print(text[-3000:])
    sys.exit(1 if seen.failures else 0)


if __name__ == "__main__":
    main()
