"""Embeddings of patches, the patches that a phrase finds, and words for units, with encoders that are known."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import sparse
from sklearn.metrics import roc_auc_score

from interpret.cli.main import main
from interpret.concepts import embeddings, encoder, unit_words
from interpret.concepts.embeddings import Embeddings
from interpret.errors import InputError
from interpret.findings.proposals import FittingWord, Proposer
from interpret.study import Study, digests, open_study
from interpret.study.open import damages
from pages.shared.backend import concepts
from tests.manifests import manifest_of, rewrite
from tests.shown_pages import blocks, show, tiles, words_on
from tests.small_study import studies

COLOURS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}


class Colours:
    """Embeds a picture as its mean colour, the three colours as themselves, and any other phrase as grey."""

    name, digest = "colours", "c0ffee"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def pictures(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        self.batches.append(len(pictures))
        return unit_length([np.asarray(picture, np.float32).mean(axis=(0, 1)) for picture in pictures])

    def phrases(self, phrases: Sequence[str]) -> np.ndarray:
        return unit_length([COLOURS.get(phrase.rpartition(" ")[2], (1, 1, 1)) for phrase in phrases])


class Axes:
    """Embeds the phrase `... 17` as a direction of its own, drawn by its number."""

    name, digest = "axes", "a1"

    def phrases(self, phrases: Sequence[str]) -> np.ndarray:
        return unit_length([axis(int(phrase.rpartition(" ")[2])) for phrase in phrases])


def axis(number: int) -> np.ndarray:
    return np.random.default_rng(number).normal(size=24)


def unit_length(vectors: Sequence) -> np.ndarray:
    made = np.asarray(vectors, np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


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


def made_up(
    concept: float, seed: int, units: int = 30, patches: int = 400
) -> tuple[sparse.csr_array, np.ndarray, Embeddings]:
    """Patches of random embeddings, two of a photo; those that hold unit 4 lean towards the axis of phrase 11."""
    rng = np.random.default_rng(seed)
    held = rng.random((units, patches)) < 0.15
    vectors = rng.normal(size=(patches, 24))
    vectors[held[4]] += concept * axis(11)
    kept = Embeddings(unit_length(vectors).astype(np.float16), "axes", "a1")
    return sparse.csr_array(held.astype(np.float32)), np.arange(patches) // 2, kept


WORDS = [f"word {number}" for number in range(200)]


def test_a_known_concept_is_found_and_no_other():
    table = unit_words.choose(*made_up(1.0, seed=0), WORDS, Axes()).set_index("unit")
    assert table.loc[4, "word"] == "word 11"
    assert table.loc[4, "score"] > 0.9
    assert table.index[table["proposed"]].tolist() == [4]
    assert (table["chosen"] > table["score"]).mean() > 0.8, "the half that chooses flatters the words"


def test_the_null_holds_where_patches_are_dealt_to_units_by_lot():
    wrong = 0
    for seed in range(40):
        members, photos, kept = made_up(0.0, seed)
        wrong += bool(unit_words.choose(members, photos, kept, WORDS[:60], Axes())["proposed"].any())
    assert wrong <= 2


def test_a_shuffled_concept_is_not_found():
    members, photos, kept = made_up(1.0, seed=0)
    shuffled = np.random.default_rng(1).permutation(len(photos))
    other = Embeddings(np.asarray(kept.vectors)[shuffled], "axes", "a1")
    assert not unit_words.choose(members, photos, other, WORDS, Axes())["proposed"].any()


def test_the_score_is_the_auroc_on_photos_that_did_not_choose_the_word():
    members, photos, kept = made_up(0.4, seed=3)
    table = unit_words.choose(members, photos, kept, WORDS, Axes()).set_index("unit")
    first = np.random.default_rng(0).permutation(photos.max() + 1) % 2 == 0
    held = members.toarray()
    for unit in (4, 9):
        scores = {}
        for half in (True, False):
            rows = first[photos] == half
            cosines = kept.vectors[rows].astype(np.float32) @ Axes().phrases(WORDS).T
            scores[half] = [roc_auc_score(held[unit, rows], cosines[:, word]) for word in range(len(WORDS))]
        best = int(np.argmax(scores[True]))
        assert table.loc[unit, "word"] == WORDS[best]
        assert table.loc[unit, "chosen"] == pytest.approx(scores[True][best])
        assert table.loc[unit, "score"] == pytest.approx(scores[False][best])


def test_units_in_few_patches_have_no_word():
    members, photos, kept = made_up(0.0, seed=0)
    few = members.toarray()
    few[7] = 0
    few[7, :15] = 1
    table = unit_words.choose(sparse.csr_array(few), photos, kept, WORDS, Axes())
    assert 7 not in set(table["unit"])
    assert {4, 8} <= set(table["unit"])


def test_a_list_of_words_is_read_line_by_line(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("wheel\n\n striped   fur \nwheel\n# a remark\nwing # of a bird\n", encoding="utf-8")
    assert unit_words.read_words(file) == ["wheel", "striped fur", "wing"]
    file.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds no word"):
        unit_words.read_words(file)
    with pytest.raises(InputError, match="cannot be read"):
        unit_words.read_words(tmp_path / "absent.txt")


def test_words_are_kept_and_read_again(study):
    made = embeddings.embed(study, Colours())
    first = unit_words.unit_words(study, made, list(COLOURS), Colours(), source="colours.txt")
    (folder,) = (study.folder / unit_words.FOLDER).iterdir()
    read = unit_words.UnitWords.read(folder, study)
    assert read.table.equals(first.table)
    assert (read.source, read.words, read.encoder) == ("colours.txt", 3, "colours")
    (folder / digests.NAME).unlink()
    with pytest.raises(InputError, match="The words for units are not used"):
        unit_words.UnitWords.read(folder, study)


def test_a_units_word_is_proposed_before_its_classes_and_after_its_parts(study):
    words = {5: FittingWord("striped fur", 0.874, 300, "words.txt")}
    proposal = Proposer(study, (), words).propose((5,), [1, 2])
    assert (proposal.name, proposal.score, proposal.is_classes) == ("striped fur", 0.874, False)
    assert "300 in words.txt" in proposal.why
    assert "in 87\u00a0% of pairs" in proposal.why
    assert Proposer(study, (), words).propose((5, 6), [1, 2]).score is None
    assert Proposer(study, ["wheel"] * study.n_units, words).propose((5,), [1]).name == "wheel"


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


def test_a_word_with_its_score_stands_on_the_units_page(study, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(study.folder.parent))
    made = embeddings.embed(study, Colours())
    found = unit_words.unit_words(study, made, list(COLOURS), Colours(), source="colours.txt")
    unit = int(found.table["unit"].iloc[0])
    row = found.table["unit"] == unit
    found.table.loc[row, ["word", "score", "proposed"]] = ["red", 0.8125, True]
    (folder,) = (study.folder / unit_words.FOLDER).iterdir()
    unit_words._keep(found, folder, study)
    text = words_on(show("pages/unit.py", unit=str(unit)))
    assert "Proposed name: red AUROC 0.81" in text


def tiny_clip(folder: Path) -> Path:
    """A small random model in open_clip's own format."""
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed")
    from safetensors.torch import save_file

    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    folder.mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = open_clip.CLIP(**config)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    about = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    (folder / encoder.CONFIG).write_text(json.dumps(about), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_model_in_open_clips_own_format_embeds_pictures_and_words(tmp_path, study, capsys):
    clip = tiny_clip(tmp_path / "clip")
    before = torch.random.get_rng_state()
    loaded = encoder.load(str(clip), device="cpu")
    assert torch.equal(torch.random.get_rng_state(), before)
    vectors = loaded.pictures([Image.new("RGB", (40, 30), "red"), Image.new("RGB", (30, 40), "blue")])
    assert vectors.shape == (2, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert loaded.phrases(["a wheel"]) == pytest.approx(encoder.load(str(clip), device="cpu").phrases(["a wheel"]))
    words = tmp_path / "words.txt"
    words.write_text("wheel\nwing\nwindow\n", encoding="utf-8")
    arguments = ["names", str(study.folder), "--clip", str(clip), "--words", str(words), "--find", "a wheel"]
    assert main([*arguments, "--device", "cpu"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"embedded: {len(study.patches)} patches of {len(study.patches)}" in printed
    assert "have a word of 3 in words.txt" in printed
    kept = {path.relative_to(study.folder): path.read_bytes() for path in (study.folder / "concepts").rglob("*.*")}
    shutil.rmtree(study.folder / "concepts")
    assert main([*arguments, "--device", "cpu"]) == 0
    assert kept == {
        path.relative_to(study.folder): path.read_bytes() for path in (study.folder / "concepts").rglob("*.*")
    }


def test_what_cannot_be_loaded_is_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("open_clip", reason="open_clip is not installed")
    file = tmp_path / "weights.pt"
    file.write_bytes(b"none")
    for name, said in (
        (f"ViT-B-32:{tmp_path / 'absent.pt'}", "There is no file of weights"),
        ("ViT-B-32:openai", "nothing is downloaded"),
        (str(tmp_path), "is no folder with open_clip_config.json"),
        (f"nothing:{file}", "open_clip has no architecture nothing"),
        (f"ViT-B-16-SigLIP:{file}", "from Hugging Face's hub"),
        (f"ViT-B-32:{file}", "cannot be loaded by open_clip"),
    ):
        with pytest.raises(InputError, match=said):
            encoder.load(name, device="cpu")
    with pytest.raises(InputError, match="outside of the folders"):
        encoder.load(f"ViT-B-32:{file}", roots=[tmp_path / "allowed"])
    monkeypatch.setitem(__import__("sys").modules, "open_clip", None)
    with pytest.raises(InputError, match=r"pip install .unitscope\[clip\]"):
        encoder.load(f"ViT-B-32:{file}", device="cpu")


def test_the_command_asks_for_a_model(study, capsys):
    assert main(["names", str(study.folder), "--find", "wheel"]) == 2
    assert "name one with --clip MODEL:PATH" in " ".join(capsys.readouterr().err.split())
