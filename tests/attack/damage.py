"""One damaged study through every command and every page: what may come of it, and what must not."""

import contextlib
import io
import shutil
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from interpret.cli.main import main
from tests.attack import mutations
from tests.attack.subjects import EVALUATE, KINDS, Subjects

COMMANDS = ("info", "mine", "mine again", "evaluate", "verify")
"""The study's own findings; the same by ``mine``; mined with other options; evaluated; every file compared."""


WEIGHTS = (0.5, 0.15, 0.15, 0.1, 0.1)
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
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _wide():
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
    console.OUT._width = console.ERR._width = 4000
    try:
        yield
    finally:
        for each, file, width in before:
            each._file, each._width = file, width


def command(name: str, study: Path, made: Subjects) -> list[str]:
    return {
        "info": ["info", str(study)],
        "mine": ["mine", str(study), "--rows", "5"],
        "mine again": ["mine", str(study), "--rows", "5", "--min-support", "0.35", "--top-units", "4"],
        "evaluate": ["evaluate", str(study), "--images", str(made.held_out), *EVALUATE],
        "verify": ["info", str(study), "--verify"],
    }[name]


class Damage:
    """The attack on a set of studies; what they give undamaged is kept."""

    def __init__(self, made: Subjects, work: Path, *, general_heads: bool = True) -> None:
        """Take the studies, and a folder to work in; a study with a general head takes seconds to evaluate."""
        self.made, self.work, self.general_heads = made, work, general_heads
        self._expected: dict[tuple[str, str], Outcome] = {}
        self._shown: dict[tuple[str, str], str] = {}

    def expected(self, kind: str, name: str) -> Outcome:
        if (kind, name) not in self._expected:
            found = run(command(name, self._copy(kind), self.made))
            assert found.status == 0, found
            self._expected[kind, name] = found
        return self._expected[kind, name]

    def _copy(self, kind: str) -> Path:
        """A fresh copy of a study, always in the same place."""
        study = self.work / "studies" / "case"
        shutil.rmtree(study.parent, ignore_errors=True)
        shutil.copytree(self.made.study(kind), study)
        return study

    def damaged(self, number: int) -> tuple[str, Path, str, bool]:
        """A damaged study: its kind, its folder, what was damaged, and whether anything tells a changed byte.

        In studies of earlier versions nothing does, nor in a manifest that fits its own digest.
        """
        rng = np.random.default_rng([7, number])
        kind = KINDS[int(rng.choice(len(KINDS), p=WEIGHTS))]
        study = self._copy(kind)
        said = mutations.case(study, self.made.other, rng)
        return kind, study, said, not (kind.startswith("version") or said.endswith("digest renewed"))

    def case(self, number: int, *, commands: Sequence[str] = COMMANDS, pages: int = 0) -> tuple[str, list[str]]:
        """Damage a study and put it through commands and pages.

        Args:
            number: of the case; the same number is the same damage.
            commands: those of :data:`COMMANDS`.
            pages: pages to open too (count), drawn by lot.

        Returns:
            What was damaged, and what failed.
        """
        kind, said, failed = "", "", []
        for name in commands:
            kind, study, said, told = self.damaged(number)
            if name == "evaluate" and kind == "maps" and not self.general_heads:
                continue
            changed = name == "verify" and told and _bytes(study, kind) != _bytes(self.made.study(kind), kind)
            wrong = self._judge(kind, name, run(command(name, study, self.made)), told, changed)
            failed += [f"{name}: {each}" for each in wrong]
        if pages:
            from tests.attack import pages as shown

            for page in np.random.default_rng([8, number]).choice(list(shown.PAGES), pages, replace=False):
                kind, _, said, told = self.damaged(number)
                failed += shown.judge(str(page), kind, self.made, self.work / "studies", self._shown, told=told)
        return f"{kind}, {said}", failed

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
