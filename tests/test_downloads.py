"""Fetching one file: announced, checked, cached; a failure says what to do and leaves nothing behind."""

import hashlib

import pytest

from interpret.data import downloads
from interpret.data.downloads import fetch
from interpret.errors import InputError

CONTENT = b"weights" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def url(tmp_path):
    file = tmp_path / "server" / "net-abcd.pth"
    file.parent.mkdir()
    file.write_bytes(CONTENT)
    return file.as_uri()


def test_fetched_once_and_announced_before(tmp_path, url):
    target = tmp_path / "cache" / "deep" / "net-abcd.pth"
    said: list[str] = []

    def announce(line: str) -> None:
        assert not target.exists()
        said.append(line)

    assert fetch(url, target, checksum=SHA[:8], size="7 kB", announce=announce) == target
    assert target.read_bytes() == CONTENT
    assert said == [f"Downloading net-abcd.pth (7 kB) from {url} to {target.parent}"]
    fetch("file:///nowhere", target, checksum=SHA[:8], announce=announce)
    assert len(said) == 1
    assert list(target.parent.iterdir()) == [target]


def test_another_content_is_refused_and_not_kept(tmp_path, url):
    target = tmp_path / "cache" / "net-abcd.pth"
    with pytest.raises(InputError, match=r"is not net-abcd\.pth"):
        fetch(url, target, checksum="abcd")
    assert list(target.parent.iterdir()) == []


def test_a_damaged_file_in_the_cache_is_not_taken(tmp_path, url):
    target = tmp_path / "net-abcd.pth"
    target.write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match="delete it"):
        fetch(url, target, checksum=SHA[:8])
    assert target.read_bytes() == CONTENT[:-1]


def test_no_network_is_one_sentence_that_says_which_file_to_put_where(tmp_path):
    target = tmp_path / "cache" / "net-abcd.pth"
    with pytest.raises(InputError) as caught:
        fetch("https://no-such-host.invalid/net-abcd.pth", target, checksum="abcd")
    text = str(caught.value)
    for part in ("net-abcd.pth", "https://no-such-host.invalid/net-abcd.pth", str(target.parent)):
        assert part in text
    assert "\n" not in text
    assert list(target.parent.iterdir()) == []


def test_a_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    import socket

    monkeypatch.setattr(downloads, "TIMEOUT", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(InputError, match="timed out"):
            fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/x.pth", tmp_path / "x.pth", checksum="abcd")
    assert list(tmp_path.iterdir()) == []


def test_a_connection_that_breaks_leaves_nothing(tmp_path, url, monkeypatch):
    class Broken:
        def __init__(self, *_args, **_kwargs):
            self.left = 2

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def read(self, _):
            self.left -= 1
            if not self.left:
                raise ConnectionResetError(104, "Connection reset by peer")
            return b"some"

    monkeypatch.setattr(downloads.urllib.request, "urlopen", Broken)
    with pytest.raises(InputError, match="Connection reset by peer"):
        fetch(url, tmp_path / "cache" / "x.pth", checksum="abcd")
    assert list((tmp_path / "cache").iterdir()) == []
