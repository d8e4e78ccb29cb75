"""The command `serve`: what it hands on to the server that takes its place."""

import os

import pytest

from interpret.cli import serve
from interpret.cli.main import main


@pytest.fixture(autouse=True)
def plain(monkeypatch) -> None:
    for name in ("UNITSCOPE_HOSTS", "UNITSCOPE_ONE_PERSON", "UNITSCOPE_ALLOW_CODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the server is a child of the command")
def test_the_command_serve_hands_roots_names_and_one_person_on(monkeypatch):
    given: dict[str, str] = {}

    def replaced(program: str, command: list[str], environment: dict[str, str]) -> None:
        given.update(environment)
        raise SystemExit

    monkeypatch.setattr(serve.os, "execve", replaced)
    command = ["serve", "--no-browser", "--roots", "/data:/photos", "--hosts", "units.example.org", "--one-person"]
    command.append("--allow-code")
    with pytest.raises(SystemExit):
        main(command)
    assert given["UNITSCOPE_ROOTS"] == "/data:/photos"
    assert given["UNITSCOPE_HOSTS"] == "units.example.org"
    assert given["UNITSCOPE_ONE_PERSON"] == "1"
    assert given["UNITSCOPE_ALLOW_CODE"] == "1"
    given.clear()
    with pytest.raises(SystemExit):
        main(["serve"])
    assert not {"UNITSCOPE_HOSTS", "UNITSCOPE_ONE_PERSON", "UNITSCOPE_ALLOW_CODE"} & given.keys()
