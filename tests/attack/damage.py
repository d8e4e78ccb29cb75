"""One damaged study through every command and every page: what may come of it, and what must not."""

import contextlib
import functools
import io
import os
import shutil
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

import interpret.cli.main
from interpret.cli.main import main, parser
from tests.attack import mutations
from tests.attack.subjects import EVALUATE, KINDS, UNTOLD, Subjects
from tests.attack.tried import Tried

if TYPE_CHECKING:
    from tests.attack.pages import Visits

PARSER = functools.cache(parser)

COMMANDS = ("info", "mine", "mine again", "evaluate", "verify")
"""The study's own findings; the same by ``mine``; mined with other options; evaluated; every file compared."""


KEPT = ("mined", "effects", "evaluation", "dissection", "errors", "photos")
"""Folders of a study whose content can be made again: no command may end because of what is damaged there."""

WEIGHTS = (0.55, 0.2, 0.05, 0.1, 0.1)
"""How often each of :data:`tests.attack.subjects.KINDS` is damaged."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its status, -1 for a traceback; what it printed, and its errors."""

    status: int
    out: str
    err: str


def run(command: list[str]) -> Outcome:
    """A command in this process."""
    out, err = io.StringIO(), io.StringIO()
    # The parser is the same for all commands, and takes longer to make than some of them.
    quick = mock.patch.object(interpret.cli.main, "parser", PARSER)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _wide(), quick:
        try:
            status = main(command)
        except SystemExit as ended:
            status = int(ended.code or 0)
        except BaseException:
            return Outcome(-1, out.getvalue(), traceback.format_exc())
    return Outcome(status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _wide() -> Iterator[None]:
    """Consoles that write into what standard output and error are now, on lines that are not broken."""
    from interpret.cli import console

    before = [(each, each._file, each._width) for each in (console.OUT, console.ERR)]
    console.OUT._file, console.ERR._file = None, None
    console.OUT._width = console.ERR._width = 400
    try:
        yield
    finally:
        for each, file, width in before:
            each._file, each._width = file, width


def command(name: str, study: Path, made: Subjects, kind: str) -> list[str]:
    few = ("--limit", "3") if kind == "maps" else ()  # a head that is not linear takes seconds for all
    return {
        "info": ["info", str(study)],
        "mine": ["mine", str(study), "--rows", "5"],
        "mine again": ["mine", str(study), "--rows", "5", "--min-support", "0.35", "--top-units", "4"],
        "evaluate": ["evaluate", str(study), "--images", str(made.held_out), *EVALUATE, *few],
        "verify": ["info", str(study), "--verify"],
    }[name]


class Damage:
    """The attack on a set of studies; what they give undamaged is kept."""

    def __init__(self, made: Subjects, work: Path, *, general_heads: bool = True) -> None:
        """Take the studies, and a folder to work in; a study with a general head takes seconds to evaluate."""
        self.made, self.work, self.general_heads = made, work, general_heads
        self._expected: dict[tuple[str, str], Outcome] = {}
        self._copied = ""

    @functools.cached_property
    def _visit(self) -> "Visits":
        from tests.attack.pages import Visits

        return Visits(self.made, self.work)

    def expected(self, kind: str, name: str) -> Outcome:
        if (kind, name) not in self._expected:
            found = run(command(name, self._copy(kind), self.made, kind))
            assert found.status == 0, found
            self._expected[kind, name] = found
        return self._expected[kind, name]

    def _copy(self, kind: str) -> Path:
        """A copy of a study, always in the same place; of the last of its kind, files that were not touched stay."""
        study = self.work / "studies" / "case"
        if kind != self._copied:
            shutil.rmtree(study.parent, ignore_errors=True)
            self._copied = kind
        _mirror(self.made.study(kind), study)
        return study

    def damaged(self, number: int) -> tuple[str, Path, mutations.Damage, bool]:
        """A damaged study: its kind, its folder, what was damaged, and whether anything tells a changed byte.

        In studies of earlier versions nothing does, nor in a manifest that fits its own digest, nor in names.
        """
        rng = np.random.default_rng([7, number])
        kind = KINDS[int(rng.choice(len(KINDS), p=WEIGHTS))]
        study = self._copy(kind)
        damage = mutations.case(study, self.made.other, rng)
        untold = kind.startswith("version") or damage.kind == "key, digest renewed" or damage.file.name == UNTOLD
        return kind, study, damage, not untold

    def case(self, number: int, commands: Sequence[str] = COMMANDS, *, pages: int = 0) -> Tried:
        """Damage a study and put it through commands and pages, each command and all pages from the same damage.

        Args:
            number: of the case; the same number is the same damage.
            commands: those of :data:`COMMANDS`.
            pages: pages to open too, one after the other, in an order drawn by lot (count).
        """
        kind, _, damage, _ = self.damaged(number)
        tried = Tried(f"{kind}, {damage}", [], [f"study: {kind}", f"file: {_place(damage.file)}", f"by: {damage.kind}"])
        for name in commands:
            _, study, _, told = self.damaged(number)
            if name == "evaluate" and kind == "maps" and not self.general_heads:
                continue
            changed = name == "verify" and told and _bytes(study, kind) != _bytes(self.made.study(kind), kind)
            found = run(command(name, study, self.made, kind))
            tried.failed.extend(f"{name}: {each}" for each in self._judge(kind, name, found, told, changed))
            if name != "verify" and damage.file.parts[0] in KEPT and found.status == 2:
                tried.failed.append(f"{name}: refused, though it can be made again: {found.err[-500:]!r}")
            same = found.status == 0 and found.out == self.expected(kind, name).out
            outcome = "as before" if same else {0: "other, nothing tells", 2: "one sentence"}.get(found.status, "")
            tried.sums.append(f"{name}: {outcome or 'failed'}")
        if pages:
            from tests.attack import pages as shown

            self.damaged(number)
            order = np.random.default_rng([8, number]).choice(list(shown.PAGES), pages, replace=False)
            told = self.damaged(number)[3]
            for page in order.tolist():
                outcome, failed = self._visit.judge(page, kind, told=told, first=page == order[0])
                tried.failed.extend(failed)
                tried.sums.append(f"{page}: {outcome}")
        return tried

    def _judge(self, kind: str, name: str, found: Outcome, told: bool, changed: bool) -> list[str]:
        """What is wrong with how a command ended.

        Args:
            kind: which study.
            name: which command.
            found: how it ended.
            told: whether anything tells a changed byte; earlier versions, where nothing does, must only not fail.
            changed: whether any file with a digest is not what it was.
        """
        if found.status == -1:
            return [found.err]
        errors = [line for line in found.err.splitlines() if line.startswith("error: ")]
        if found.status == 2:
            lines = found.err.rstrip().splitlines()
            one = len(errors) == 1 and lines[-1] == errors[0] and len(errors[0]) < 1000
            return [] if one else [f"no single sentence: {found.err[-500:]!r}"]
        if found.status != 0 or errors:
            return [f"status {found.status}: {found.err[-500:]!r}"]
        if not told:
            return []
        if name == "verify" and changed:
            return ["damage that --verify does not find"]
        if found.out != self.expected(kind, name).out:
            return [f"silently different: {_first_difference(found.out, self.expected(kind, name).out)}"]
        return []


def _mirror(source: Path, target: Path) -> None:
    """Make a folder the same as another; a file that is as it was copied stays, by its size and times."""
    target.mkdir(parents=True, exist_ok=True)
    found = {entry.name: entry for entry in os.scandir(target)}
    for entry in os.scandir(source):
        there = found.pop(entry.name, None)
        if there is not None and there.is_dir() != entry.is_dir():
            _remove(there)
            there = None
        if entry.is_dir():
            _mirror(Path(entry.path), target / entry.name)
        elif there is None or _state(there) != _state(entry):
            if there is not None:
                _remove(there)
            shutil.copy2(entry.path, target / entry.name)
    for there in found.values():
        _remove(there)


def _remove(entry: "os.DirEntry[str]") -> None:
    shutil.rmtree(entry.path) if entry.is_dir() else Path(entry.path).unlink()


def _state(entry: "os.DirEntry[str]") -> tuple[int, int]:
    return entry.stat().st_size, entry.stat().st_mtime_ns


def _place(file: Path) -> str:
    """Where a file is in a study, without keys: ``mined/KEY/rules.parquet``."""
    return "/".join("KEY" if len(part) == 16 and "." not in part else part for part in file.parts)


def _bytes(study: Path, kind: str) -> dict[str, bytes]:
    """The files that have digests and are used, by name: where there is no contrast, its table is not."""
    files = (path for path in study.rglob("*") if path.is_file() and path.name != "prints.parquet")
    return {
        str(path.relative_to(study)): path.read_bytes()
        for path in files
        if path.name != "contrast.parquet" or (path.parent == study and kind not in ("plain", "version 1"))
    }


def _first_difference(found: str, expected: str) -> str:
    for one, other in zip(found.splitlines(), expected.splitlines(), strict=False):
        if one != other:
            return f"{one!r}, not {other!r}"
    return f"{len(found.splitlines())} lines, not {len(expected.splitlines())}"
