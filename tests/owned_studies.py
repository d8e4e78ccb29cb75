"""A folder of studies that several people made."""

import shutil
from pathlib import Path

import pytest

from pages.shared.backend import first_study, owners
from tests.small_study import studies

ALICE, BOB = "a" * 32, "b" * 32


def owned_studies(tmp_path: Path, patch: pytest.MonkeyPatch) -> Path:
    """A folder with a shared study, one of Alice's and one of Bob's; the dashboard works on it."""
    folder = tmp_path / "studies"
    for name in ("demo", "of-alice", "of-bob"):
        shutil.copytree(studies() / "demo", folder / name)
    patch.setenv("UNITSCOPE_STUDIES", str(folder))
    patch.setenv("UNITSCOPE_ROOTS", str(tmp_path))
    patch.delenv("UNITSCOPE_ONE_PERSON", raising=False)
    owners.record("of-alice", ALICE)
    owners.record("of-bob", BOB)
    # the demo of these tests is complete: nothing starts by itself
    patch.setattr(first_study, "complete_demo", lambda: None)
    return folder
