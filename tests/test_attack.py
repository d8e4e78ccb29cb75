"""Damaged studies through every command and some pages; the long part is `python -m tests.attack --minutes 30`."""

import signal
from collections import Counter

import numpy as np
import pytest

from tests.attack import __main__ as long_part
from tests.attack import mutations
from tests.attack.damage import Damage, Outcome
from tests.attack.processes import Ended, difference, sentence, snapshot
from tests.attack.subjects import KINDS, Subjects, subjects

pytestmark = pytest.mark.slow

QUICK = 200


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Subjects:
    return subjects(tmp_path_factory.mktemp("attack") / "subjects", count=30)


@pytest.fixture(scope="module")
def damage(made, tmp_path_factory) -> Damage:
    return Damage(made, tmp_path_factory.mktemp("attack"), general_heads=False)


def test_a_damaged_study_is_one_sentence_or_the_same_result(damage):
    tried: Counter[str] = Counter()
    for number in range(QUICK):
        commands = ("info", "mine again", "evaluate") if number % 4 == 0 else ("info", "mine again")
        case = damage.case(number, commands)
        assert not case.failed, (number, case.said, case.failed)
        tried.update(case.sums)
    assert {each for each in tried if each.startswith("study")} == {f"study: {kind}" for kind in KINDS}
    assert tried["info: as before"] + tried["info: one sentence"] + tried["info: other, nothing tells"] == QUICK
    assert tried["evaluate: as before"] > tried["evaluate: one sentence"] > 0


def test_verify_finds_every_changed_byte(damage):
    for number in range(QUICK, QUICK + 40):
        case = damage.case(number, ("verify",))
        assert not case.failed, (number, case.said, case.failed)


@pytest.mark.parametrize("number", range(6))
def test_the_pages_of_a_damaged_study_are_a_sentence_or_the_same_pages(damage, number):
    case = damage.case(number, (), pages=3)
    assert not case.failed, (number, case.said, case.failed)


def test_a_case_is_the_same_damage_again(damage):
    assert damage.damaged(5)[2] == damage.damaged(5)[2]
    kinds = {damage.damaged(number)[2].kind for number in range(100)}
    assert kinds == {
        "bit", "byte", "cut", "empty", "longer", "missing", "key", "key, digest renewed", "another study's file"
    }  # fmt: skip


def test_a_copy_of_a_study_is_as_fresh_after_any_damage(damage, made):
    for number in range(60):
        damage.damaged(number)
        study = damage._copy("whole")
        assert difference(snapshot(study), snapshot(made.study("whole"))) == ""


def test_what_the_attack_calls_failed(damage, made):
    """Its judgement: a traceback, two sentences, a status of its own, and another text are failures."""
    expected = damage.expected("whole", "info")
    judge = lambda outcome, changed=False: damage._judge("whole", "info", outcome, True, changed)  # noqa: E731
    assert judge(expected) == []
    assert judge(Outcome(2, "", "error: one sentence.\n")) == []
    assert judge(Outcome(-1, "", "Traceback"))
    assert judge(Outcome(2, "", "error: one.\nerror: two.\n"))
    assert judge(Outcome(2, "", ""))
    assert judge(Outcome(1, "", "error: one.\n"))
    assert "silently different" in judge(Outcome(0, expected.out.replace("photos", "photo", 1), ""))[0]
    assert damage._judge("whole", "verify", damage.expected("whole", "verify"), True, True)


def test_a_file_of_another_study_stands_in_the_same_place(made):
    files = list(made.study("whole").rglob("*.parquet"))
    twins = [mutations._twin(file, made.study("whole"), made.other) for file in files]
    names = {twin.name for twin in twins if twin is not None}
    assert names >= {"images.parquet", "rules.parquet", "table.parquet", "units.parquet"}


def line(number: int, said: str, *sums: str) -> dict:
    return {"number": number, "said": said, "failed": [], "sums": list(sums)}


def test_the_long_part_counts_what_crashes_and_prints_what_reproduces_it(monkeypatch, capsys, tmp_path):
    found = {
        0: [line(0, "whole, x", "info: as before"), {**line(1, "plain, y"), "failed": ["bad"]}],
        2: [],  # the process ends before its first line
        3: [line(number, "whole, x", "info: as before") for number in range(3, 60)],
    }
    clock = iter(np.arange(0, 1000.0, 1.0))
    monkeypatch.setattr(long_part.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(long_part, "lines", lambda kind, first, last, root: found.get(first, []))
    monkeypatch.setitem(long_part.BATCHES, "damage", 60)
    assert long_part.attack(tmp_path, 62.5, 0, ["damage"]) == 1
    printed = capsys.readouterr().out
    assert "--case damage 1 (plain, y)\n    bad" in printed
    assert "--case damage 2: the process crashed, or took too long" in printed
    *_, sums, counted = printed.splitlines()
    assert sums == "damage: 60 tried, 2 failed"
    assert counted == "    info: as before: 58"


def test_how_an_interrupted_command_is_judged():
    assert sentence(Ended(2, 1.0, "log\nerror: no room.\n"))
    assert not sentence(Ended(2, 1.0, "Traceback\n"))
    assert not sentence(Ended(-signal.SIGBUS, 1.0, ""))
    assert difference({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == "b differs; c is missing"
    assert difference({"a": "1", "l": "1"}, {"a": "1"}) == "l is left"
