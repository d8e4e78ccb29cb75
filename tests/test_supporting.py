"""The numbers under the galleries, against counting by hand."""

import numpy as np
import pytest

from interpret.findings import supporting
from interpret.study import Study, open_study
from tests.small_study import studies


@pytest.fixture(scope="module")
def study() -> Study:
    return open_study(studies() / "demo")


def transactions(study: Study, n: int) -> list[dict[int, float]]:
    """Unit to score of each patch's n best units, read from the table and not from the arrays."""
    return [
        dict(zip(units[:n].tolist(), scores[:n].tolist(), strict=True))
        for units, scores in zip(study.patches["units"], study.patches["scores"], strict=True)
    ]


@pytest.mark.parametrize("n", [1, 4, 8, 32])
def test_holders_are_the_patches_with_all_units_strongest_first(study, n):
    rows = transactions(study, n)
    frequent = sorted({unit for row in rows for unit in row}, key=lambda u: -sum(u in row for row in rows))[:4]
    for units in ([frequent[0]], frequent[:2], frequent[:3]):
        expected = sorted(
            (place for place, row in enumerate(rows) if all(u in row for u in units)),
            key=lambda place: (-round(sum(np.float64(np.float32(rows[place][u])) for u in units), 9), place),
        )
        found = supporting.supporting_patches(study, units, n).tolist()
        assert sorted(found) == sorted(expected)
        strength = [sum(rows[place][u] for u in units) for place in found]
        assert strength == sorted(strength, reverse=True)
        of_class = supporting.supporting_patches(study, units, n, class_id=2).tolist()
        assert of_class == [p for p in found if study.patches["predicted"].iloc[p] == 2]


def test_a_photo_is_shown_once_by_its_strongest_patch(study):
    patches = supporting.supporting_patches(study, [int(study.patches["units"].iloc[0][0])], 32)
    chosen = supporting.one_per_photo(study, patches)
    images = study.patches["image_id"].to_numpy()
    seen: list[int] = []
    expected = []
    for patch in patches:
        if images[patch] not in seen:
            seen.append(images[patch])
            expected.append(patch)
    assert chosen.tolist() == expected


def test_support_by_class_counts_patches_and_photos(study):
    rows = transactions(study, 8)
    unit = max({u for row in rows for u in row}, key=lambda u: sum(u in row for row in rows))
    table = supporting.support_by_class(study, [unit], 8).set_index("class_id")
    predicted, images = study.patches["predicted"].to_numpy(), study.patches["image_id"].to_numpy()
    for class_id in set(predicted.tolist()):
        in_class = [place for place in range(len(rows)) if predicted[place] == class_id]
        held = [place for place in in_class if unit in rows[place]]
        assert table.loc[class_id, "support_count"] == len(held)
        assert table.loc[class_id, "patches"] == len(in_class)
        assert table.loc[class_id, "image_count"] == len({images[p] for p in held})
        assert table.loc[class_id, "images"] == len({images[p] for p in in_class})
        assert table.loc[class_id, "support"] == pytest.approx(len(held) / len(in_class))
    assert list(table["support"]) == sorted(table["support"], reverse=True)


def test_company_counts_patches_that_hold_both(study):
    rows = transactions(study, 8)
    unit = max({u for row in rows for u in row}, key=lambda u: sum(u in row for row in rows))
    near = supporting.co_occurring_units(study, unit, 8, limit=5)
    holding = sum(unit in row for row in rows)
    for entry in near.itertuples():
        both = sum(unit in row and entry.unit in row for row in rows)
        alone = sum(entry.unit in row for row in rows)
        assert entry.together == both
        assert entry.share == pytest.approx(both / holding)
        assert entry.lift == pytest.approx(both / holding / (alone / len(rows)))
    assert unit not in set(near["unit"])


def test_classes_are_ordered_by_photos_and_the_order_does_not_depend_on_which_are_asked_for(study):
    order = supporting.class_order(study)
    counts = study.images["predicted"].value_counts()
    assert [counts[class_id] for class_id in order] == sorted(counts, reverse=True)
    assert supporting.class_order(study, {order[3], order[1]}) == [order[1], order[3]]
