"""`python -m tests.attack --minutes 30`: damaged studies, killed commands and full disks, until the time is up.

Prints how many cases were tried and how many failed, and each that failed with the words that reproduce it, such as
`--case kill 17`. A case that crashes or hangs its process counts as failed.
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
from pathlib import Path
from typing import Any

from tests.process_lines import process_lines

SECONDS = 600.0
"""After which a case hangs."""

BATCHES = {"damage": 60, "pages": 10, "kill": 8, "full": 4}
"""Cases of each kind that one process tries (count), in this order, again and again."""


def cases(kind: str, root: Path, work: Path) -> Callable[[int], tuple[str, list[str]]]:
    """The function that tries a case of a kind."""
    import torch

    from tests.attack.subjects import Subjects

    torch.set_num_threads(1)
    made = Subjects(root)
    if kind in ("damage", "pages"):
        from tests.attack.damage import Damage

        damage = Damage(made, work)
        return lambda number: (
            damage.case(number) if kind == "damage" else damage.case(number + 10**6, commands=(), pages=2)
        )
    from tests.attack.kills import Interruptions

    interruptions = Interruptions(made, work)
    return interruptions.kill if kind == "kill" else interruptions.full


def work(kind: str, first: int, last: int, root: Path) -> None:
    """Try cases in this process, and print a line of JSON for each."""
    with tempfile.TemporaryDirectory(prefix="unitscope-attack-") as place:
        attempt = cases(kind, root, Path(place))
        for number in range(first, last):
            try:
                said, failed = attempt(number)
            except BaseException:
                said, failed = "", [f"the attack itself failed: {traceback.format_exc()}"]
            print(json.dumps({"number": number, "said": said, "failed": failed}), flush=True)


def lines(kind: str, first: int, last: int, root: Path) -> Iterator[dict[str, Any]]:
    """What another process prints of cases; it ends early where the process crashes or hangs."""
    command = [sys.executable, "-m", "tests.attack", "--root", str(root), "--work", kind, str(first), str(last)]
    yield from (json.loads(line) for line in process_lines(command, SECONDS) if line.endswith("\n"))


def attack(root: Path, until: float, first: int, kinds: list[str]) -> int:
    """Try cases of all kinds until a monotonic time; print what failed as it fails, and the sums; 1 if any failed."""
    tried: collections.Counter[str] = collections.Counter()
    failed: collections.Counter[str] = collections.Counter()
    subjects_of: collections.Counter[str] = collections.Counter()
    at = dict.fromkeys(kinds, first)
    while time.monotonic() < until:
        for kind in kinds:
            last = at[kind] + BATCHES[kind]
            while at[kind] < last and time.monotonic() < until:
                for line in lines(kind, at[kind], last, root):
                    at[kind] = line["number"] + 1
                    tried[kind] += 1
                    subjects_of[f"{kind} {line['said'].partition(',')[0]}"] += 1
                    if line["failed"]:
                        failed[kind] += 1
                        said = "\n    ".join(line["failed"])
                        print(f"--case {kind} {line['number']} ({line['said']})\n    {said}", flush=True)
                    if time.monotonic() > until:
                        break
                else:
                    if at[kind] < last:
                        tried[kind] += 1
                        failed[kind] += 1
                        print(f"--case {kind} {at[kind]}: the process crashed, or took too long", flush=True)
                        at[kind] += 1
    for kind in kinds:
        print(f"{kind}: {tried[kind]:,} tried, {failed[kind]:,} failed")
    print(", ".join(f"{name}: {count:,}" for name, count in sorted(subjects_of.items())))
    return int(failed.total() > 0)


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
            said, failed = cases(given.case[0], root, Path(place))(int(given.case[1]))
        print(said, *failed, sep="\n")
        sys.exit(1 if failed else 0)
    sys.exit(attack(root, time.monotonic() + 60 * given.minutes, given.first, given.only or list(BATCHES)))


if __name__ == "__main__":
    main()
