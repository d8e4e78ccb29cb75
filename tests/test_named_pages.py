"""Names on the pages: shown wherever units and itemsets are listed, given by who may change the study, and searched."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret.errors import InputError
from interpret.findings import Findings
from interpret.mining.stored import mine_study
from interpret.report import view
from interpret.study import open_study
from interpret.study.names import Named
from interpret.study.names_file import change_names, names_text, read_names
from pages.shared.backend import given_names, owners
from pages.shared.backend import studies as opened_studies
from pages.shared.view import search_field, tables
from tests.confused_study import confuse
from tests.owned_studies import ALICE, BOB, owned_studies
from tests.shown_pages import blocks, show, unescaped, words_on

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    folder = owned_studies(tmp_path, monkeypatch)
    monkeypatch.setattr(owners, "current", lambda: ALICE)
    return folder


def found_in(folder: Path) -> Findings:
    study = open_study(folder)
    return Findings(study, study.mine_config, mine_study(study, study.mine_config))


def specific(findings: Findings) -> tuple[tuple[int, ...], int]:
    """An itemset of two units or more that one class has, and the class."""
    rows = findings.table[(findings.table["kind"] == "specific") & (findings.table["size"] > 1)]
    return rows["units"].iloc[0], int(rows["class_id"].iloc[0])


def param(units: tuple[int, ...]) -> str:
    return "-".join(map(str, units))


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_names_stand_wherever_the_units_do(root):
    findings = found_in(root / "of-alice")
    units, class_id = specific(findings)
    shared = findings.all_shared["units"].iloc[0] if len(findings.all_shared) else None
    changes = {
        (units, ()): Named("<b>grey</b> edges", ("edge",), "seen\ntwice"),
        ((units[0],), ()): Named("left unit"),
    }
    if shared is not None:
        changes[(shared, ())] = Named("common thing")
    change_names(findings.study, changes)
    query = {"study": "of-alice", "all": "true"}
    app = show("pages/class_specific.py", **query, **{"class": str(class_id), "itemset": param(units), "show": "all"})
    words = words_on(app)
    assert "<b>grey</b> edges edge" in words, "as text, which the browser is given as text"
    assert "seen\ntwice" in words
    table = app.dataframe[0].value
    assert table.loc[table["itemset"] == ",".join(map(str, units)), "named"].tolist() == ["<b>grey</b> edges"]
    saved = tables.plain(findings, findings.table)
    rows = saved["units"] == ",".join(map(str, units))
    assert set(saved.loc[rows, "name"]) == {"<b>grey</b> edges"}
    assert set(saved.loc[rows, "tags"]) == {"edge"}
    words = words_on(show("pages/unit.py", **query, unit=str(units[0])))
    assert "left unit" in words
    assert "<b>grey</b> edges" in words, "in the list of itemsets with this unit"
    if shared is not None:
        words = words_on(show("pages/class_shared.py", **query, itemset=param(shared), show="all"))
        assert words.count("common thing") == 2, "in the list and above the gallery"


def test_names_stand_in_compare_errors_and_a_notebook_too(root):
    confuse(root / "of-alice")
    findings = found_in(root / "of-alice")
    units, _ = specific(findings)
    app = show("pages/errors.py", study="of-alice")
    listed = next(block["act"]["itemset"] for block in blocks(app) if "itemset" in (block.get("act") or {}))
    misleading = tuple(int(unit) for unit in listed.split("-"))
    change_names(findings.study, {(units, ()): Named("grey edges"), (misleading, ()): Named("what misleads")})
    text = words_on(show("pages/compare.py", study="of-alice", other="demo", itemset=param(units), state="kept"))
    assert text.count("grey edges") >= 1
    assert words_on(show("pages/errors.py", study="of-alice")).count("what misleads") == 2, "in the list and above"
    page = view(findings.study, units=units, device="cpu")._repr_html_()
    assert "<bdi>grey edges</bdi>" in page


def test_without_a_name_a_word_or_parts_are_proposed_and_no_classes_which_stand_there(root, monkeypatch):
    findings = found_in(root / "of-alice")
    units, class_id = specific(findings)
    query = {"study": "of-alice", "class": str(class_id), "itemset": param(units), "all": "true"}
    assert "Proposed name" not in words_on(app := show("pages/class_specific.py", **query))
    assert "named" not in app.dataframe[0].value.columns, "a column would only say the class"
    given_names._proposer.clear()
    proposer = given_names.Proposer(findings.study, ["paw"] * findings.study.n_units)
    monkeypatch.setattr(given_names, "proposer", lambda _: proposer)
    app = show("pages/class_specific.py", **query)
    assert "Proposed name: paw" in words_on(app)
    assert set(app.dataframe[0].value["named"]) == {"paw?"}


def editor(app: AppTest) -> dict:
    return {widget.label: widget for widget in [*app.text_input, *app.text_area, *app.radio, *app.button]}


def test_the_owner_names_a_finding_and_its_units_and_removes_the_name(root):
    findings = found_in(root / "of-alice")
    units, class_id = specific(findings)
    query = {"study": "of-alice", "class": str(class_id), "itemset": param(units), "all": "true"}
    app = show("pages/class_specific.py", **query)
    form = editor(app)
    assert form["Name"].placeholder == findings.study.class_names[class_id]
    assert form["Remove"].disabled
    form["Name"].set_value("  edges ")
    form["Tags"].set_value("grey, left,grey")
    form["Note"].set_value("a note")
    form["The name is of"].set_value("here")
    form["Save"].click().run()
    assert not app.exception
    assert not app.error
    entry = {(units, (class_id,)): Named("edges", ("grey", "left"), "a note")}
    assert dict(read_names(findings.study).entries) == entry
    assert "edges grey left" in words_on(app)
    assert (editor(app)["Name"].value, editor(app)["Tags"].value) == ("edges", "grey, left")
    assert editor(app)["The name is of"].value == "here"
    editor(app)["Tags"].set_value(", ".join("abcdefghijklm"))
    editor(app)["Save"].click().run()
    assert "There are 13 tags, and 12 are kept" in unescaped(app.error[0].value)
    assert dict(read_names(findings.study).entries) == entry
    editor(app)["Remove"].click().run()
    assert len(read_names(findings.study)) == 0
    assert "edges" not in words_on(app)


def test_only_who_may_change_a_study_may_name_in_it(root, monkeypatch):
    change_names(open_study(root / "demo"), {((3,), ()): Named("everybody's")})
    app = show("pages/unit.py", study="demo", unit="3")
    assert "everybody's" in words_on(app)
    assert not {"Save", "Remove"} & set(buttons(app))
    study = opened_studies.opened("demo")
    with pytest.raises(InputError, match="Only the browser that made demo"):
        given_names.change(study, {((3,), ()): Named("mine")})
    with pytest.raises(InputError, match="Only the browser that made demo"):
        given_names.take_over(study, given_names.saved(study))
    monkeypatch.setattr(owners, "current", lambda: BOB)
    assert "Save" not in buttons(show("pages/unit.py", study="demo", unit="3"))
    monkeypatch.setenv("UNITSCOPE_ONE_PERSON", "1")
    assert {"Save", "Remove"} <= set(buttons(show("pages/unit.py", study="demo", unit="3")))


def test_names_keep_with_a_renamed_study_and_are_taken_over_by_another(root):
    alices = opened_studies.opened("of-alice")
    given_names.change(alices, {((3,), ()): Named("hers", ("t",))})
    text = given_names.saved(alices)
    assert text == names_text(alices, read_names(alices))
    assert opened_studies.rename("of-alice", "renamed") == "renamed"
    renamed = opened_studies.opened("renamed")
    assert given_names.names(renamed).of([3]).name == "hers"
    given_names.change(renamed, {((3,), ()): Named(), ((4,), ()): Named("kept")})
    assert given_names.take_over(renamed, text) == 1
    assert {key[0]: said.name for key, said in given_names.names(renamed).entries.items()} == {
        (3,): "hers",
        (4,): "kept",
    }
    with pytest.raises(InputError, match="it is not JSON"):
        given_names.take_over(renamed, "{")


def test_damaged_names_are_one_sentence_and_nothing_is_written_over_them(root):
    file = root / "of-alice" / "names.json"
    file.write_text('{"format": "unitscope names 1", <')
    app = show("pages/unit.py", study="of-alice", unit="3")
    assert words_on(app).count("are not used (it is not JSON)") == 1
    assert "Save" not in buttons(app), "the form says why instead"
    assert "are not used" in unescaped(app.error[0].value)
    assert "names.json" in words_on(show("pages/study.py", study="of-alice"))
    assert file.read_text() == '{"format": "unitscope names 1", <'


def test_what_the_search_field_finds_opens_by_its_address(root):
    findings = found_in(root / "of-alice")
    units, class_id = specific(findings)
    name = findings.study.class_names[class_id]
    change_names(findings.study, {(units, ()): Named("edges"), ((90, 91), ()): Named("edges nowhere")})
    app = show("pages/unit.py", study="of-alice", unit="3")
    data = searched(app, "edges")
    (group,) = data["groups"]
    assert group["heading"] == "Itemsets"
    here, nowhere = group["hits"]
    assert here["act"] == {
        "page": "class_specific",
        "query": {"study": "of-alice", "class": str(class_id), "itemset": param(units)},
    }
    assert here["href"].startswith("./class_specific?study=of-alice&class=")
    assert [text for _, text in here["parts"]] == [",".join(map(str, units)), "edges", f"→ {name}"]
    assert nowhere["act"]["page"] == "class_shared"
    assert nowhere["parts"][-1] == ["note", "frequent in no class at these thresholds"]
    assert searched(app, name)["groups"][0]["hits"][0]["act"]["query"] == {"study": "of-alice", "class": str(class_id)}
    assert searched(app, "17")["groups"][0]["hits"][0]["act"]["query"] == {"study": "of-alice", "unit": "17"}
    assert searched(app, "no such thing")["groups"] == []
    given_names.change(opened_studies.opened("of-alice"), {((17,), ()): Named("new edges")})
    assert [group["heading"] for group in searched(app, "edges")["groups"]] == ["Units", "Itemsets"]
    app = show("pages/method.py", study="of-alice")
    assert searched(app, "edges")["groups"], "on pages without findings too"


def searched(app: AppTest, query: str) -> dict:
    """What the field is given after a query was typed."""
    app.session_state[search_field._QUERY] = query
    app.run()
    assert not app.exception
    given = []

    def walk(node: object) -> None:
        if getattr(node, "type", "") == "bidi_component":
            given.append(json.loads(node.proto.json))  # type: ignore[attr-defined]
        for child in getattr(node, "children", {}).values():
            walk(child)

    walk(app._tree)
    (data,) = [each for each in given if "groups" in each]
    assert data["query"] == query
    return data


def test_without_a_study_nothing_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    assert search_field._found("cat") == []
