"""The further classes that photos are explained for."""

import numpy as np
import pytest

from interpret.explanation.contrast_classes import EVERY_CLASS, NONE, Deal


@pytest.mark.parametrize(("batch", "shares"), [(32, None), (1, None), (7, [0.6, 0.2, 0.1, 0.05, 0.05])])
def test_each_class_is_dealt_to_about_r_times_as_many_photos_as_it_has(batch, shares):
    rng = np.random.default_rng(0)
    predicted = rng.choice(5, 600, p=shares).astype(np.int64)
    deal = Deal(50, 4, (0, 0))
    dealt = np.concatenate([deal.batch(predicted[start : start + batch]) for start in range(0, 600, batch)])
    assert dealt.shape == (600, 4)
    assert not (dealt == predicted[:, None]).any()
    for row in dealt:
        held = row[row != NONE]
        assert len(set(held.tolist())) == len(held)
    own = np.bincount(predicted, minlength=5)
    got = np.bincount(dealt[dealt != NONE], minlength=5)
    # A class can be dealt to no more photos than there are of other classes, once each.
    possible = np.minimum(4 * own, 600 - own)
    assert (got <= possible).all()
    assert (got >= 0.85 * possible).all() or shares is not None
    # Spread over the classes that the photos are predicted as, in proportion to their number.
    for c in range(5):
        others = np.bincount(predicted[(dealt == c).any(axis=1)], minlength=5)
        expected = own * got[c] / (600 - own[c])
        rest = np.arange(5) != c
        assert (np.abs(others - expected)[rest] <= 5 * np.sqrt(expected[rest] + 1)).all()


def test_models_of_few_classes_have_every_other_class():
    deal = Deal(EVERY_CLASS, 4, (0, 0))
    dealt = deal.batch(np.array([0, 9, 4]))
    assert [sorted(row) for row in dealt.tolist()] == [
        list(range(1, 10)),
        list(range(9)),
        [0, 1, 2, 3, 5, 6, 7, 8, 9],
    ]


def test_the_same_seed_deals_the_same_and_no_contrast_deals_nothing():
    predicted = np.arange(40) % 13
    first, again, other = (Deal(20, 3, seed).batch(predicted) for seed in ((0, 1), (0, 1), (0, 2)))
    assert (first == again).all()
    assert (first != other).any()
    assert Deal(20, 0, (0, 0)).batch(predicted).shape == (40, 0)
    assert Deal(5, 0, (0, 0)).batch(predicted % 5).shape == (40, 0)
