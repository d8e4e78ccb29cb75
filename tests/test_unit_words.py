"""Words for units: what chooses them, how well they fit photos that did not, what is kept, and where they stand."""

import shutil

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import roc_auc_score

from interpret.concepts import embeddings, unit_words
from interpret.concepts.embeddings import Embeddings
from interpret.errors import InputError
from interpret.findings.proposals import FittingWord, Proposer
from interpret.study import Study, digests, open_study
from tests.known_encoders import COLOURS, Axes, Colours, axis, unit_length
from tests.shown_pages import show, words_on
from tests.small_study import studies


@pytest.fixture
def study(tmp_path) -> Study:
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    return open_study(tmp_path / "demo")


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
