"""The numbers under the galleries, against counting by hand."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from interpret.config import MineConfig
from interpret.findings import supporting
from interpret.study import Study, open_study
from tests.small_study import studies


@pytest.fixture(scope="module")
def study() -> Study:
    return open_study(studies() / "demo")


def poster(n: int) -> MineConfig:
    """Options of the poster's transactions: all N best units of a patch."""
    return MineConfig(top_units=n, contrast_quantile=0.0)


def transactions(study: Study, n: int) -> list[dict[int, float]]:
    """Unit to score of each patch's n best units, read from the table and not from the arrays."""
    return [
        dict(zip(units[:n], scores[:n], strict=True))
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
        found = supporting.supporting_patches(study, units, poster(n)).tolist()
        assert sorted(found) == sorted(expected)
        strength = [sum(rows[place][u] for u in units) for place in found]
        assert strength == sorted(strength, reverse=True)
        of_class = supporting.supporting_patches(study, units, poster(n), class_id=2).tolist()
        assert of_class == [p for p in found if study.patches["predicted"].iloc[p] == 2]


def test_a_photo_is_shown_once_by_its_strongest_patch(study):
    patches = supporting.supporting_patches(study, [int(study.patches["units"].iloc[0][0])], poster(32))
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
    table = supporting.support_by_class(study, [unit], poster(8)).set_index("class_id")
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
    near = supporting.co_occurring_units(study, unit, poster(8), limit=5)
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


def contrast_rows(study: Study, n: int) -> list[tuple[int, int, dict[int, float]]]:
    """Target, predicted class, and units with scores of each contrast patch, read from the file by itself."""
    table = pq.read_table(study.folder / "contrast.parquet").to_pylist()
    return [
        (row["target"], row["predicted"], dict(list(zip(row["units"], row["scores"], strict=True))[:n]))
        for row in table
    ]


def test_contrast_patches_are_those_explained_for_the_class_that_hold_all_units(study):
    rows = contrast_rows(study, 8)
    config = poster(8)
    seen = 0
    first = next(list(held) for target, _, held in rows if target == 4 and len(held) > 1)
    for units in ((first[0],), tuple(first[:2])):
        for class_id in (0, 4):
            for outside in ((), (1, 2)):
                expected = [
                    (-float(np.sum([np.float32(held[unit]) for unit in units], dtype=np.float64)), position)
                    for position, (target, predicted, held) in enumerate(rows)
                    if target == class_id and predicted not in outside and all(unit in held for unit in units)
                ]
                found = supporting.contrast_patches(study, units, config, class_id, outside=outside)
                assert found.tolist() == [position for _, position in sorted(expected)]
                seen += len(found)
    assert seen > 20


def test_support_by_class_counts_the_contrast_too(study):
    rows = contrast_rows(study, 8)
    units = study.patches["units"].iloc[5][:2]
    table = supporting.support_by_class(study, units, poster(8), outside=(3,)).set_index("class_id")
    assert table["contrast_count"].sum() > 0
    for class_id, row in table.iterrows():
        of_class = [held for target, predicted, held in rows if target == class_id and predicted != 3]
        assert row["contrast_patches"] == len(of_class)
        assert row["contrast_count"] == sum(all(unit in held for unit in units) for held in of_class)
        assert row["contrast_support"] == row["contrast_count"] / len(of_class)
