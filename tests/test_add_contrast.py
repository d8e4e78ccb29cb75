"""A study made without a contrast opens, says so, and gets one that equals that of a study made with it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from interpret import pipeline
from interpret.cli.main import main
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.errors import InputError
from interpret.explanation.add_contrast import add_contrast
from interpret.mining import mine_study
from interpret.study import Study, open_study
from tests.manifests import aged, rewrite
from tests.small_study import studies

pytestmark = pytest.mark.slow

MINE = MineConfig(top_units=5, min_support=0.2, contrast_quantile=0.0)


def config(**extract) -> RunConfig:
    made = open_study(studies() / "demo").manifest["config"]
    return RunConfig(
        images=made["images"],
        model=ModelConfig(model="demo", precision="float32", device="cpu"),
        extract=ExtractConfig(**extract),
        mine=MINE,
        limit=60,
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Study, Study]:
    """The same photos with a contrast, and as format 1 kept them."""
    root = tmp_path_factory.mktemp("contrast")
    made = pipeline.run(config(), root / "with")
    pipeline.run(config(contrast=0), root / "without")
    as_format_1(root / "without")
    return made, open_study(root / "without")


def as_format_1(folder: Path) -> None:
    """Take away what format 1 did not have."""
    aged(folder, 1)
    shutil.rmtree(folder / "mined")


def test_a_study_of_format_1_opens_and_tests_nothing(both):
    _, old = both
    assert not old.has_contrast
    assert len(old.contrast) == 0
    rules = mine_study(old, MINE).rules
    assert len(rules)
    assert rules["image_q_value"].isna().all()
    with pytest.raises(InputError, match="has no contrast, so --contrast-quantile cannot be used"):
        mine_study(old, MineConfig(top_units=5, contrast_quantile=0.9))


def test_what_is_mined_does_not_depend_on_the_contrast(both):
    made, old = both
    a, b = mine_study(made, MINE), mine_study(old, MINE)
    assert a.itemsets.drop(columns="units").equals(b.itemsets.drop(columns="units"))
    assert a.units_of == b.units_of
    described = ["itemset_id", "class_id", "support_count", "confidence", "lift", "leverage", "conviction"]
    assert a.rules[described].equals(b.rules[described])


def test_the_contrast_added_is_that_of_a_run_with_one(both, tmp_path):
    made, old = both
    shutil.copytree(old.folder, tmp_path / "old")
    untested = mine_study(open_study(tmp_path / "old"), MINE)
    assert untested.contrast is None
    study, left_out = add_contrast(open_study(tmp_path / "old"))
    assert left_out == 0
    assert study.has_contrast
    assert (study.folder / "contrast.parquet").read_bytes() == (made.folder / "contrast.parquet").read_bytes()
    assert mine_study(study, MINE).rules.equals(mine_study(made, MINE).rules)
    assert not (study.folder / "with-contrast").exists()
    with pytest.raises(InputError, match="has a contrast already"):
        add_contrast(study)


def test_run_names_the_command_where_the_study_is_there_without_its_contrast(both, tmp_path):
    _, old = both
    shutil.copytree(old.folder, tmp_path / "old")
    with pytest.raises(InputError, match="add it with `unitscope contrast"):
        pipeline.run(config(), tmp_path / "old")
    assert pipeline.run(config(contrast=0), tmp_path / "old").key == old.key


def test_the_command_adds_it(both, tmp_path, capsys):
    _, old = both
    shutil.copytree(old.folder, tmp_path / "old")
    assert main(["contrast", str(tmp_path / "old"), "--contrast", "2"]) == 0, capsys.readouterr().err
    assert "contrast patches of 59 photos added" in " ".join(capsys.readouterr().out.split())
    assert open_study(tmp_path / "old").has_contrast


def test_photos_that_are_others_now_are_refused(both, tmp_path):
    _, old = both
    shutil.copytree(old.folder, tmp_path / "old")
    photos = tmp_path / "photos"
    shutil.copytree(old.images_root, photos)
    first = sorted(photos.rglob("*.png"))[0]
    first.rename(first.with_name("renamed.png"))
    rewrite(tmp_path / "old", images_root=str(photos))
    with pytest.raises(InputError, match=r"are not those that .* was made from"):
        add_contrast(open_study(tmp_path / "old"))
    assert not open_study(tmp_path / "old").has_contrast
    assert not (tmp_path / "old" / "with-contrast").exists()


def test_what_a_killed_command_left_is_not_taken_for_the_contrast(both, tmp_path):
    made, old = both
    shutil.copytree(old.folder, tmp_path / "old")
    shutil.copytree(made.folder, tmp_path / "old" / "with-contrast")
    study, left_out = add_contrast(open_study(tmp_path / "old"), repeats=2)
    assert left_out == 0
    assert study.has_contrast
    assert not (tmp_path / "old" / "with-contrast").exists()


def test_contrast_photos_are_never_explained_for_their_own_class(both):
    made, _ = both
    table = made.contrast
    assert (table["target"] != table["predicted"]).all()
    predicted = made.images["predicted"].to_numpy()
    np.testing.assert_array_equal(table["predicted"], predicted[table["image_id"]])
    assert table["image_id"].is_monotonic_increasing
    # The demo has ten classes: every photo is explained for all of the other nine that its map says anything for.
    assert table.groupby("image_id")["target"].nunique().max() == 9
