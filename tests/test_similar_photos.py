"""Photos that are alike in their units, against hand-worked numbers and against sets compared one by one."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.explanation.photo import make_explainer
from interpret.explanation.study_network import network_of
from interpret.findings import Findings, photo_transactions, similar_photos
from interpret.findings.unit_index import UnitIndex
from interpret.study import open_study
from interpret.study.derived import Derived
from tests.small_study import studies


def found_in(monkeypatch, patches: list[tuple[int, list[int]]], photos: int, units: int) -> Findings:
    """Findings of a study that is only these patches: the photo of each, and the units of its transaction."""
    width = max((len(held) for _, held in patches), default=0)
    ranked = np.full((len(patches), width), -1, np.int32)
    for row, (_, held) in enumerate(patches):
        ranked[row, : len(held)] = held
    index = UnitIndex.of((ranked, np.ones(ranked.shape, np.float32)), units)
    held = Derived()
    study = SimpleNamespace(
        n_units=units,
        images=range(photos),
        patches=pd.DataFrame({"image_id": [photo for photo, _ in patches]}),
        has_contrast=False,
        derived=held.get,
    )
    monkeypatch.setattr(similar_photos, "unit_index", lambda *_: index)
    return Findings(study, MineConfig(), None)  # type: ignore[arg-type]


def listed(table: pd.DataFrame) -> list[tuple[int, float, int, int]]:
    return list(table.itertuples(index=False, name=None))


def test_hand_worked(monkeypatch):
    patches = [
        (0, [1, 2]),
        (0, [2, 3]),  # photo 0 has 1, 2, 3
        (1, [3, 1, 4]),
        (2, [7]),
        (4, [2]),  # photo 3 has no patch
        (4, [2, 1, 3]),
        (5, [4, 3, 1]),
    ]
    found = found_in(monkeypatch, patches, 6, 8)
    alike = similar_photos.similar_photos(found, [1, 2, 3, 3])
    assert listed(alike) == [(0, 1.0, 3, 3), (4, 1.0, 3, 3), (1, 0.5, 2, 4), (5, 0.5, 2, 4)]
    assert listed(similar_photos.similar_photos(found, [1, 2, 3], leave_out=0, limit=2)) == [
        (4, 1.0, 3, 3), (1, 0.5, 2, 4),
    ]  # fmt: skip
    assert listed(similar_photos.similar_photos(found, [7, 0])) == [(2, 0.5, 1, 2)]
    assert similar_photos.similar_photos(found, [5]).empty
    assert similar_photos.similar_photos(found, []).empty
    with pytest.raises(InputError, match="There is no unit 8; the layer has 8"):
        similar_photos.similar_photos(found, [1, 8])


@pytest.mark.parametrize("seed", range(40))
def test_as_sets_compared_one_by_one(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    photos, units = int(rng.integers(1, 60)), int(rng.integers(3, 20))
    owners = rng.integers(0, photos, int(rng.integers(0, 120)))
    if seed % 3:
        owners.sort()  # as studies are written
    patches = [(int(owner), rng.permutation(units)[: rng.integers(0, 4)].tolist()) for owner in owners]
    given = rng.permutation(units)[: rng.integers(1, 6)].tolist()
    limit, leave_out = int(rng.integers(1, 15)), int(rng.integers(0, photos))
    sets: dict[int, set[int]] = {}
    for photo, held in patches:
        sets.setdefault(photo, set()).update(held)
    expected = [
        (photo, len(held & set(given)) / len(held | set(given)), len(held & set(given)), len(held | set(given)))
        for photo, held in sets.items()
        if held & set(given) and photo != leave_out
    ]
    expected.sort(key=lambda row: (-row[1], row[0]))
    found = found_in(monkeypatch, patches, photos, units)
    assert listed(similar_photos.similar_photos(found, given, limit=limit, leave_out=leave_out)) == expected[:limit]


def test_a_photo_explained_on_demand_is_most_like_itself():
    study = open_study(studies() / "demo")
    found = Findings.of(study)
    ready = make_explainer(network_of(study), study.extract_config)
    for image in (0, 7):
        own = photo_transactions.transactions(found, ready.explain_photo(study.photo(image)), image)
        rows = np.flatnonzero(study.patches["image_id"] == image).tolist()
        assert own == [found.transaction(patch) for patch in rows]
        first = similar_photos.similar_photos(found, {unit for patch in own for unit in patch}, limit=1)
        assert first["similarity"].tolist() == [1.0]
