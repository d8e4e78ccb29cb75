"""Embeddings of patches and the patches that a phrase finds, with encoders that are known."""

import shutil

import numpy as np
import pytest

from interpret.cli.main import main
from interpret.concepts import embeddings
from interpret.errors import InputError
from interpret.study import Study, open_study
from interpret.study.open import damages
from pages.shared.backend import concepts
from tests.known_encoders import Colours, unit_length
from tests.manifests import manifest_of, rewrite
from tests.shown_pages import blocks, show, tiles, words_on
from tests.small_study import studies


@pytest.fixture
def study(tmp_path) -> Study:
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    return open_study(tmp_path / "demo")


def test_every_patch_is_embedded_in_batches_and_kept(study):
    colours = Colours()
    made = embeddings.embed(study, colours)
    assert made.vectors.shape == (len(study.patches), 3)
    assert sum(colours.batches) == len(study.patches)
    assert max(colours.batches) <= embeddings.BATCH
    expected = unit_length([np.asarray(embeddings.crop(study, 7), np.float32).mean(axis=(0, 1))])[0]
    assert made.vectors[7] == pytest.approx(expected, abs=1e-3)
    assert embeddings.embed(study, Colours()).vectors.tobytes() == made.vectors.tobytes()
    again = Colours()
    embeddings.embed(study, again)
    assert again.batches == [], "it was read"
    assert list(damages(study)) == []


def test_a_patch_is_embedded_as_the_square_around_it(study):
    row = study.patches.iloc[3]
    photo = study.photo(int(row["image_id"]))
    side = round(max(row["x1"] - row["x0"], row["y1"] - row["y0"]))
    found = embeddings.crop(study, 3)
    assert found.size == (side, side)
    whole = np.asarray(photo)
    inside = whole[int(row["y0"]) : int(row["y1"]), int(row["x0"]) : int(row["x1"])]
    assert inside.tobytes() in {
        np.asarray(found)[y : y + inside.shape[0], x : x + inside.shape[1]].tobytes()
        for y in range(side - inside.shape[0] + 1)
        for x in range(side - inside.shape[1] + 1)
    }


def test_a_phrase_finds_the_patches_of_its_colour(study):
    made = embeddings.embed(study, Colours())
    patches, cosines = embeddings.find(made, "red", Colours(), 5)
    share = [float(np.asarray(made.vectors[row], np.float32)[0]) for row in range(len(made.vectors))]
    assert patches == sorted(range(len(share)), key=lambda row: -share[row])[:5]
    assert cosines == pytest.approx(sorted(share, reverse=True)[:5])
    other = Colours()
    other.digest = "another"
    with pytest.raises(InputError, match="embedded by other weights"):
        embeddings.find(made, "red", other, 5)


def test_patches_without_a_photo_are_left_out_and_a_study_without_any_is_refused(study, tmp_path):
    gone = study.images_root / study.images["path"].iloc[int(study.patches["image_id"].iloc[0])]
    kept = tmp_path / "photos"
    shutil.copytree(study.images_root, kept)
    (kept / gone.relative_to(study.images_root)).unlink()
    rewrite(study.folder, {**manifest_of(study.folder), "images_root": str(kept)})
    made = embeddings.embed(open_study(study.folder), Colours())
    owners = study.patches["image_id"].to_numpy()
    assert made.known.tolist() == (owners != owners[0]).tolist()
    assert not {0} & set(embeddings.find(made, "red", Colours(), 10_000)[0])
    shutil.rmtree(study.folder / "concepts")
    rewrite(study.folder, {**manifest_of(study.folder), "images_root": "/nowhere"})
    with pytest.raises(InputError, match=r"No photo of .* is on this machine"):
        embeddings.embed(open_study(study.folder), Colours())
    assert not any((study.folder / "concepts" / "patches").iterdir())


def test_damaged_embeddings_are_said_and_made_again(study):
    whole = embeddings.embed(study, Colours()).vectors.tobytes()
    (folder,) = (study.folder / embeddings.FOLDER).iterdir()
    (folder / "vectors.npy").write_bytes(b"x" * (folder / "vectors.npy").stat().st_size)
    said: list[str] = []
    heard = open_study(study.folder, said.append)
    assert len(list(damages(heard))) == 1
    assert embeddings.embed(heard, Colours()).vectors.tobytes() == whole
    assert "are not used" in said[0]
    assert list(damages(heard)) == []


def test_the_page_finds_patches_by_words_and_says_what_to_do_first(study, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(study.folder.parent))
    app = show("pages/unit.py", units="Words")
    assert "unitscope names demo" in app.info[0].value.replace("\\", "")
    made = embeddings.embed(study, Colours())
    monkeypatch.setattr(concepts.encoder, "load", lambda name, **_: Colours())
    concepts._encoder.clear()
    app = show("pages/unit.py", units="Words", say="red")
    expected = embeddings.find(made, "red", Colours(), concepts.MOST)[0]
    assert [tile["act"]["patch"] for tile in tiles(app)] == expected
    assert f"24 patches whose embedding is nearest to these words, of {len(study.patches)}" in words_on(app)
    assert any("of these 24, and in" in str(block) for block in blocks(app))
    concepts._encoder.clear()


def test_the_command_asks_for_a_model(study, capsys):
    assert main(["names", str(study.folder), "--find", "wheel"]) == 2
    assert "name one with --clip MODEL:PATH" in " ".join(capsys.readouterr().err.split())
