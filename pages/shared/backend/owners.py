"""Whose a run or a study is: what one browser uploads and makes is its own, all else is shared.

A browser is known by a random token in a cookie, which :mod:`pages.shared.backend.gate` sets. Only a digest of it is
written to the disk: `.owners/NAME` beside the studies says whose a study is.
"""

import contextlib
import hashlib
import os
import re
import secrets
from pathlib import Path

import streamlit as st

from pages.shared.backend.places import studies_root

COOKIE = "unitscope_owner"
"""Name of the cookie that holds a browser's token."""

SHARED = ""
"""The owner of what is everybody's."""

_TOKEN = re.compile(r"[0-9a-f]{32}")


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_hex(16)


def is_token(text: str | None) -> bool:
    """Whether a text may be a token."""
    return text is not None and _TOKEN.fullmatch(text) is not None


def current() -> str:
    """Whose the page is that is being drawn: the person who logged in, else the browser, else this session."""
    person = st.user.to_dict() if st.user.get("is_logged_in") else {}
    if person:
        return digest("person:" + str(person.get("sub") or person.get("email")))
    token = st.context.cookies.to_dict().get(COOKIE)
    if not is_token(token):
        token = st.session_state.setdefault("owner", new_token())
    return digest(str(token))


def digest(text: str) -> str:
    """What is written to the disk in place of a token."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def one_person() -> bool:
    """Whether the server is one person's, who sees, stops and deletes everything: ``UNITSCOPE_ONE_PERSON``."""
    return os.environ.get("UNITSCOPE_ONE_PERSON", "").lower() in ("1", "true", "yes", "on")


def is_mine(owner: str) -> bool:
    """Whether what has this owner may be stopped and deleted by the page that is being drawn."""
    return one_person() or (owner != SHARED and owner == current())


def may_see(owner: str) -> bool:
    """Whether what has this owner is shown on the page that is being drawn."""
    return owner == SHARED or is_mine(owner)


def of_study(name: str) -> str:
    """The owner of a study."""
    try:
        return _file(name).read_text(encoding="utf-8")
    except OSError:
        return SHARED


def record(name: str, owner: str) -> None:
    """Keep whose the study of this name is.

    Raises:
        OSError: it cannot be written.
    """
    if owner == SHARED:
        _file(name).unlink(missing_ok=True)
        return
    _file(name).parent.mkdir(parents=True, exist_ok=True)
    _file(name).write_text(owner, encoding="utf-8")


def forget_gone(known: set[str]) -> None:
    """Forget the owners of studies that are gone, so that another one of the name is not taken for theirs.

    Args:
        known: names of studies that are there, or that a run will make.
    """
    folder = studies_root() / ".owners"
    if folder.is_dir():
        for file in folder.iterdir():
            if file.name not in known and not (studies_root() / f"{file.name}.partial").exists():
                with contextlib.suppress(OSError):
                    file.unlink()


def _file(name: str) -> Path:
    return studies_root() / ".owners" / name
