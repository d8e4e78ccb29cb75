"""The project as others get it: what is required, what a wheel holds, and that it works away from the repository."""

import asyncio
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.browser import address_of
from tests.small_study import studies

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(name: str) -> list[str]:
    """The lines of a requirements file that name a package."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


def test_the_requirements_files_say_the_same_as_the_project():
    assert requirements("requirements.txt") == PROJECT["dependencies"]
    assert requirements("requirements-optional.txt") == PROJECT["optional-dependencies"]["pyfim"]
    assert requirements("requirements-test.txt") == PROJECT["optional-dependencies"]["dev"]


def test_the_versions_that_were_tested_satisfy_every_requirement():
    pinned = dict(line.split("==") for line in requirements("constraints.txt"))
    pinned = {name.lower().replace("_", "-"): version for name, version in pinned.items()}
    extras = PROJECT["optional-dependencies"]
    for text in (*PROJECT["dependencies"], *extras["pyfim"], *extras["dev"]):
        requirement = Requirement(text)
        version = pinned[requirement.name.lower().replace("_", "-")]
        assert requirement.specifier.contains(version), f"{text} but {version} is pinned"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, unpacked: what an installation puts beside other packages."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed here")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("unitscope-*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


@pytest.fixture
def environment(wheel, tmp_path) -> dict[str, str]:
    """Variables with which Python imports from the unpacked wheel; the repository is not on its path."""
    return {**os.environ, "PYTHONPATH": str(wheel), "UNITSCOPE_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "2"}


def test_a_wheel_holds_the_library_and_the_dashboard_and_nothing_else(wheel):
    (about,) = wheel.glob("unitscope-*.dist-info")
    assert {path.name for path in wheel.iterdir()} == {"interpret", "unitscope_dashboard", about.name}
    for folder, target in (("interpret", "interpret"), ("pages", "unitscope_dashboard/pages")):
        expected = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file()}
        expected = {path for path in expected if "__pycache__" not in path.parts}
        assert {path.relative_to(wheel / target) for path in (wheel / target).rglob("*") if path.is_file()} == expected
    words = ("assets/imagenet_words.json", "assets/imagenet_words.LICENSE")
    codes = ("assets/demo_codes/sae_weights.safetensors", "assets/demo_codes/cfg.json")
    for name in ("app.py", ".streamlit/config.toml", "assets/demo.safetensors", *codes, *words):
        assert (wheel / "unitscope_dashboard" / name).read_bytes() == (ROOT / name).read_bytes()
    (command,) = importlib.metadata.PathDistribution(about).entry_points.select(group="console_scripts")
    assert command.name == "unitscope"
    assert callable(command.load())


@pytest.mark.slow
def test_the_python_example_of_the_readme_runs_elsewhere(environment, tmp_path):
    from tests.conftest import draw_photos

    draw_photos(tmp_path / "photos", each=4)
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    setting = (
        "import torchvision\nnetwork = torchvision.models.shufflenet_v2_x0_5(num_classes=3)\n"
        "names = ['class 0', 'class 1', 'class 2']\n"
    )
    shown = (
        "\nhooks = sum(len(module._forward_hooks) for module in network.modules())"
        "\nprint(len(interpret.open_study('studies/mine').images), study.manifest['model'], hooks)\n"
    )
    (tmp_path / "example.py").write_text(setting + example + shown)
    ended = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "12 my network 0"


@pytest.mark.slow
def test_serve_answers_with_the_demos_finding_from_an_empty_folder(environment, tmp_path):
    shutil.copytree(studies() / "demo", tmp_path / "kept" / "demo")
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "interpret", "serve", "--port", "0", "--studies", str(tmp_path / "kept")]
    log = (tmp_path / "log").open("wb")
    with (
        log,
        subprocess.Popen([*command, "--no-browser"], cwd=empty, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            address = address_of(server, tmp_path / "log")
            assert asyncio.run(shows(address.removeprefix("http://"), "is carried by units"))
        finally:
            server.terminate()
    assert b"Traceback" not in (tmp_path / "log").read_bytes()
    assert list(empty.iterdir()) == []


async def shows(host: str, text: str, seconds: float = 120) -> bool:
    """Whether the first page, run once as for a browser, holds a text."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.asyncio.client import connect

    asked, told = BackMsg(), ForwardMsg()
    asked.rerun_script.query_string = ""
    address = f"ws://{host}/_stcore/stream"
    async with connect(address, subprotocols=["streamlit"], max_size=None, origin=f"http://{host}") as page:
        await page.send(asked.SerializeToString())
        async with asyncio.timeout(seconds):
            async for message in page:
                told.ParseFromString(message)
                if text in str(told):
                    return True
                if told.WhichOneof("type") == "script_finished":
                    return False
    return False
