"""`python -m tests.attack --minutes 30`: damaged studies, killed commands and full disks, until the time is up.

Prints how many cases were tried and how many failed, now and then and at the end, and each that failed with the words
that reproduce it, such as `--case kill 17`. A case that crashes or hangs its process counts as failed.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.attack.tried import Tried
from tests.process_lines import process_lines

SECONDS = 600.0
"""After which a case hangs."""

BATCHES = {"damage": 1000, "pages": 500, "kill": 40, "full": 20}
"""Cases of each kind that one process tries (count), in this order, again and again."""

PRINTED = 200
"""Cases after which the sums are printed (count), so that they are known of an attack that is interrupted."""


def cases(kind: str, root: Path, work: Path) -> Callable[[int], Tried]:
    """The function that tries a case of a kind."""
    import torch

    from tests.attack.subjects import Subjects

    torch.set_num_threads(1)
    made = Subjects(root)
    if kind in ("damage", "pages"):  # the same number is the same damage: by commands, and on all pages
        from tests.attack.damage import Damage
        from tests.attack.pages import PAGES

        damage = Damage(made, work)
        return lambda number: damage.case(number) if kind == "damage" else damage.case(number, (), pages=len(PAGES))
    from tests.attack.kills import Interruptions

    interruptions = Interruptions(made, work)
    return interruptions.kill if kind == "kill" else interruptions.full


def work(kind: str, first: int, last: int, root: Path) -> None:
    """Try cases in this process, and print a line of JSON for each."""
    with tempfile.TemporaryDirectory(prefix="unitscope-attack-") as place:
        attempt = cases(kind, root, Path(place))
        for number in range(first, last):
            try:
                tried = attempt(number)
            except BaseException:
                tried = Tried("", [f"the attack itself failed: {traceback.format_exc()}"])
            print(json.dumps({"number": number, **asdict(tried)}), flush=True)


def lines(kind: str, first: int, last: int, root: Path) -> Iterator[dict[str, Any]]:
    """What another process prints of cases; it ends early where the process crashes or hangs."""
    command = [sys.executable, "-m", "tests.attack", "--root", str(root), "--work", kind, str(first), str(last)]
    yield from (json.loads(line) for line in process_lines(command, SECONDS) if line.endswith("\n"))


def attack(root: Path, until: float, first: int, kinds: list[str]) -> int:
    """Try cases of all kinds until a monotonic time; print what failed as it fails, and the sums; 1 if any failed."""
    sums = _Sums(kinds)
    at = dict.fromkeys(kinds, first)
    while time.monotonic() < until:
        for kind in kinds:
            last = at[kind] + BATCHES[kind]
            while at[kind] < last and time.monotonic() < until:
                for line in lines(kind, at[kind], last, root):
                    at[kind] = line["number"] + 1
                    sums.add(kind, line["failed"], line["sums"])
                    if line["failed"]:
                        said = "\n    ".join(line["failed"])
                        print(f"--case {kind} {line['number']} ({line['said']})\n    {said}", flush=True)
                    if time.monotonic() > until:
                        break
                else:
                    if at[kind] < last:
                        sums.add(kind, ["crashed"], [])
                        print(f"--case {kind} {at[kind]}: the process crashed, or took too long", flush=True)
                        at[kind] += 1
    print(sums, flush=True)
    return int(sums.failed.total() > 0)


class _Sums:
    """How many cases were tried, how many failed, and what they count as; printed now and then."""

    def __init__(self, kinds: list[str]) -> None:
        self.kinds = kinds
        self.tried: collections.Counter[str] = collections.Counter()
        self.failed: collections.Counter[str] = collections.Counter()
        self.counted: collections.Counter[tuple[str, str]] = collections.Counter()

    def add(self, kind: str, failed: list[str], counted: list[str]) -> None:
        self.tried[kind] += 1
        self.failed[kind] += bool(failed)
        self.counted.update((kind, each) for each in counted)
        if self.tried.total() % PRINTED == 0:
            print(self, flush=True)

    def __str__(self) -> str:
        parts = []
        for kind in self.kinds:
            parts.append(f"{kind}: {self.tried[kind]:,} tried, {self.failed[kind]:,} failed")
            counted = sorted((each, count) for (of, each), count in self.counted.items() if of == kind)
            parts += [f"    {each}: {count:,}" for each, count in counted]
        return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case of each kind")
    parser.add_argument("--only", choices=list(BATCHES), action="append", help="a kind of case; all if not given")
    parser.add_argument("--case", nargs=2, metavar=("KIND", "NUMBER"), help="try one case here")
    parser.add_argument("--root", type=Path, help="where the studies that are attacked are kept from run to run")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    root = given.root or Path(tempfile.gettempdir()) / f"unitscope-attack-{os.getuid()}"
    if given.work:
        kind, first, last = given.work
        work(kind, int(first), int(last), root)
        return
    # In a process of its own: this one, and those that fork, must not have computed anything.
    made = (
        "import sys; from pathlib import Path; from tests.attack.subjects import subjects; subjects(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", made, str(root)], check=True)
    if given.case:
        with tempfile.TemporaryDirectory(prefix="unitscope-attack-") as place:
            tried = cases(given.case[0], root, Path(place))(int(given.case[1]))
        print(tried.said, *tried.sums, *tried.failed, sep="\n")
        sys.exit(1 if tried.failed else 0)
    sys.exit(attack(root, time.monotonic() + 60 * given.minutes, given.first, given.only or list(BATCHES)))


if __name__ == "__main__":
    main()
