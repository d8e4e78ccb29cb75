"""How long the runs of this dashboard took, by model: what the estimate for a new study is based on.

Studies say how long they took too, but not on which machine, nor how long the program took to start and to mine.
Kept in `.durations.json` beside the studies.
"""

import contextlib
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from interpret.files import write_json
from pages.shared.backend.places import studies_root

EXPLAINING = "Explaining photos"
"""The stage of a run whose work is counted in photos."""

_lock = threading.Lock()


@dataclass(frozen=True)
class Duration:
    """How long a run took.

    Attributes:
        before: what does not depend on the photos, as loading the model (seconds).
        each: for each photo (seconds).
    """

    before: float
    each: float

    def of(self, photos: int) -> float:
        """How long a run with so many photos takes (seconds)."""
        return self.before + self.each * photos


def measured(model: str) -> Duration | None:
    """How long the last run with a model took here; None if there was none."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        kept = _read()[model]
        return Duration(float(kept["before"]), float(kept["each"]))
    return None


def recorded(model: str, names: Sequence[str]) -> tuple[str, float] | None:
    """How long each photo took (seconds) in the first of some studies with a model that says so, and its name.

    Loading the model and mining are not in it, and the study may have been made on another machine.
    """
    for name in names:
        with contextlib.suppress(OSError, KeyError, TypeError, ValueError):
            manifest = json.loads((studies_root() / name / "manifest.json").read_text(encoding="utf-8"))
            seconds, photos = float(manifest["timings"]["seconds"]), int(manifest["counts"]["images"])
            if manifest["model"] == model and not manifest["timings"]["shards_resumed"] and seconds > 0 and photos > 0:
                return name, seconds / photos
    return None


def keep(study: Path, seconds: float, reported: dict[str, Any]) -> None:
    """Keep how long the run took that created a study, unless it resumed another one or was too short to tell.

    Args:
        study: the folder.
        seconds: from the start of the process to its end.
        reported: what the run wrote last into its progress file.
    """
    with _lock, contextlib.suppress(OSError, KeyError, TypeError, ValueError):
        manifest = json.loads((study / "manifest.json").read_text(encoding="utf-8"))
        took, photos = reported["stages"][EXPLAINING]
        if manifest["timings"]["shards_resumed"] or photos < 1 or not took > 0:
            return
        each = took / photos
        before = max(0.0, seconds - each * manifest["counts"]["images"])
        write_json({**_read(), str(manifest["model"]): asdict(Duration(before, each))}, _file())


def _file() -> Path:
    return studies_root() / ".durations.json"


def _read() -> dict[str, Any]:
    try:
        content = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
