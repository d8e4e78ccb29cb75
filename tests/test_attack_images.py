"""Mutated images of every format: a photo, or the one error. The long part is `python -m tests.attack_images`."""

from collections import Counter

import pytest

from interpret.data import photos
from tests import attack_images

QUICK = 100 * len(attack_images.images())


def test_mutated_images_are_photos_or_refused_with_a_reason():
    ends = Counter(attack_images.outcome(attack_images.case(number)[1]) for number in range(QUICK))
    assert set(ends) == {"photo", "refused"}, ends
    assert min(ends.values()) > QUICK / 20, "the mutations are too weak, or too strong, to find anything"


def test_every_format_that_is_read_is_attacked():
    assert {name.split()[0] for name, _ in attack_images.images()} == set(photos.FORMATS)


def test_a_case_is_made_again_by_its_number():
    assert attack_images.case(123) == attack_images.case(123)
    assert attack_images.case(123) != attack_images.case(123 + len(attack_images.images()))


@pytest.mark.slow
def test_a_process_that_crashes_hangs_or_takes_too_much_is_a_failed_case(monkeypatch):
    """Its lines are given here: the fourth case hangs, the sixth takes too much, the seventh raises."""
    lines = {
        0: ["0 50 photo", "1 50 refused", "2 60 photo", "3"],
        4: ["4 50 photo", "5 900 photo"],
        6: ["6 50 failed: OSError: x", "7 50 photo"],
    }
    monkeypatch.setattr(attack_images, "_lines", lambda first, last: lines[first])
    ends, failed, peak = attack_images.attack(0, 8)
    assert ends == {"photo": 4, "refused": 1, "failed": 3}
    assert [number for number, _ in failed] == [3, 5, 6]
    assert peak == 900


@pytest.mark.slow
def test_cases_are_opened_in_a_process_that_is_watched():
    ends, failed, peak = attack_images.attack(0, 60)
    assert ends.total() == 60
    assert failed == []
    assert 20 < peak < attack_images.MEGABYTES
