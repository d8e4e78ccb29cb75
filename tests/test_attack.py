"""Damaged studies through every command and some pages; the long part is `python -m tests.attack --minutes 30`."""

import signal
from collections import Counter

import numpy as np
import pytest

from tests.attack import __main__ as long_part
from tests.attack import mutations
from tests.attack.damage import Damage, Outcome
from tests.attack.processes import Ended, difference, sentence
from tests.attack.subjects import Subjects, subjects

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
        said, failed = damage.case(number, commands=commands)
        tried[said.partition(",")[0]] += 1
        assert not failed, (number, said, failed)
    assert set(tried) == {"whole", "plain", "maps", "version 2", "version 1"}


def test_verify_finds_every_changed_byte(damage):
    for number in range(QUICK, QUICK + 40):
        said, failed = damage.case(number, commands=("verify",))
        assert not failed, (number, said, failed)


@pytest.mark.parametrize("number", range(6))
def test_a_page_of_a_damaged_study_is_a_sentence_or_the_same_page(damage, number):
    said, failed = damage.case(10**6 + number, commands=(), pages=1)
    assert not failed, (number, said, failed)


def test_a_case_is_the_same_damage_again(damage):
    assert damage.damaged(5)[2] == damage.damaged(5)[2]
    kinds = {damage.damaged(number)[2].rpartition(": ")[2].split()[0] for number in range(60)}
    assert kinds >= {"bit", "byte", "cut", "missing", "another"}


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


def test_the_long_part_counts_what_crashes_and_prints_what_reproduces_it(monkeypatch, capsys, tmp_path):
    found = {
        0: [{"number": 0, "said": "whole, x", "failed": []}, {"number": 1, "said": "plain, y", "failed": ["bad"]}],
        2: [],  # the process ends before its first line
        3: [{"number": number, "said": "whole, x", "failed": []} for number in range(3, 60)],
    }
    clock = iter(np.arange(0, 1000.0, 1.0))
    monkeypatch.setattr(long_part.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(long_part, "lines", lambda kind, first, last, root: found.get(first, []))
    assert long_part.attack(tmp_path, 66.0, 0, ["damage"]) == 1
    printed = capsys.readouterr().out
    assert "--case damage 1 (plain, y)\n    bad" in printed
    assert "--case damage 2: the process crashed, or took too long" in printed
    assert "failed" in printed.splitlines()[-2]


def test_how_an_interrupted_command_is_judged():
    assert sentence(Ended(2, 1.0, "log\nerror: no room.\n"))
    assert not sentence(Ended(2, 1.0, "Traceback\n"))
    assert not sentence(Ended(-signal.SIGBUS, 1.0, ""))
    assert difference({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == "b differs; c is missing"
    assert difference({"a": "1", "l": "1"}, {"a": "1"}) == "l is left"
