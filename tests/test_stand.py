"""The pages at a stand: what they show, where the steps lead, and the address in the code."""

import base64

import numpy as np
import pytest
from streamlit import config

from interpret.findings import Findings
from interpret.mining.stored import mine_study
from interpret.study import open_study
from pages.shared.backend import headline, own_address
from pages.shared.controls import stand
from pages.shared.view import stand as bar
from tests.shown_pages import blocks, show, tiles, unescaped
from tests.small_study import studies


@pytest.fixture
def options(monkeypatch):
    """Sets Streamlit's options; what is not set by name is as in the project's own configuration."""
    given: dict[str, object] = {"server.address": "127.0.0.1"}
    manually: set[str] = set()
    get = config.get_option
    monkeypatch.setattr(config, "get_option", lambda name: given[name] if name in given else get(name))
    monkeypatch.setattr(config, "is_manually_set", lambda name: name in manually)

    def set_to(**values: object) -> None:
        named = {name.replace("_", "."): value for name, value in values.items()}
        given.update(named)
        manually.update(named)

    return set_to


def test_a_machine_that_listens_to_itself_only_has_no_address_for_others(options, monkeypatch):
    monkeypatch.setattr(own_address, "in_network", lambda: "192.168.1.20")
    for listens in ("127.0.0.1", "localhost", "::1"):
        options(server_address=listens)
        assert own_address.of_view("http://localhost:8501/unit", {}) is None


def test_a_machine_that_others_reach_is_called_by_its_address_in_the_network(options, monkeypatch):
    monkeypatch.setattr(own_address, "in_network", lambda: "192.168.1.20")
    for listens in ("0.0.0.0", "", None):
        options(server_address=listens)
        found = own_address.of_view("http://127.0.0.1:8501/unit", {"study": "a b", "unit": "3"})
        assert found == "http://192.168.1.20:8501/unit?study=a+b&unit=3"
    monkeypatch.setattr(own_address, "in_network", lambda: None)
    assert own_address.of_view("http://127.0.0.1:8501/unit", {}) is None


def test_the_name_that_the_page_was_asked_for_by_is_kept(options):
    assert own_address.of_view("https://poster.example/base/unit", {}) == "https://poster.example/base/unit"
    assert own_address.of_view("http://10.0.0.7:8600", {"n": "5"}) == "http://10.0.0.7:8600/?n=5"
    assert own_address.of_view("http://[fd00::7]:8600/", {}) == "http://[fd00::7]:8600/"


def test_an_address_that_is_given_is_the_one(options):
    options(browser_serverAddress="poster.example")
    assert own_address.of_view("http://127.0.0.1:8501/unit", {}) == "http://poster.example:8501/unit"
    options(browser_serverPort=80)
    assert own_address.of_view("http://127.0.0.1:8501/unit", {}) == "http://poster.example/unit"


def test_the_code_is_read_as_the_address_that_it_was_made_of():
    cv2 = pytest.importorskip("cv2", reason="OpenCV, which reads the code, is not installed")
    text = "http://192.168.1.20:8501/class_specific?study=demo&class=3&itemset=38-39-59-65-80&n=5&support=20"
    kind, content = bar.picture(text).split(",", 1)
    assert kind == "data:image/png;base64"
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(
        cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR)
    )
    assert read == text


@pytest.fixture
def root(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))


@pytest.mark.slow
def test_the_steps_stay_with_the_finding_that_is_shown_first(root):
    study = open_study(studies() / "demo")
    found = Findings(study, study.mine_config, mine_study(study, study.mine_config))
    units, classes = headline.headline(found)
    about = {step.page: stand._about(found, step.page, False) for step in stand.STEPS if step.page}
    assert about["unit"]["unit"] == str(units[0])
    assert about["class_specific"] == {"class": str(classes[0]), "itemset": "-".join(map(str, units))}
    assert about["class_shared"] == ({"itemset": "-".join(map(str, units))} if len(classes) > 1 else {})
    assert about["explain"] == {}, "the camera comes first"
    assert stand._about(found, "explain", True) == {"from": "of the study"}, "no camera where nobody is"


@pytest.mark.slow
def test_a_stand_shows_the_finding_and_no_settings(root):
    app = show("pages/study.py", stand="1")
    assert " units " in app.title[0].value
    assert len(tiles(app)) > 5
    assert not app.selectbox
    assert not app.text_input
    assert not app.get("file_uploader")
    links = [part["href"] for block in blocks(app) for part in block.get("parts", []) if "href" in part]
    assert links
    assert all("stand=1" in link for link in links)


@pytest.mark.slow
def test_the_camera_comes_first_at_a_stand(root):
    app = show("pages/explain.py", stand="1")
    assert app.get("camera_input")
    assert list(app.segmented_control(key="from").options) == ["camera", "of the study"]
    app = show("pages/explain.py", **{"stand": "1", "from": "of the study"})
    assert not app.get("camera_input")
    assert not app.warning


@pytest.mark.slow
def test_a_stand_that_is_none_is_said(root):
    said = [unescaped(warning.value) for warning in show("pages/method.py", stand="yes").warning]
    assert said == [
        "The address asks for stand=yes; stand=1 shows the pages for a stand, and these are the usual ones."
    ]
