"""Unitscope: which internal units of an image classifier carry which classes.

The names below are imported when they are first used, so that ``import interpret`` is quick and needs no PyTorch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
    from interpret.data.preprocessing import Preprocessing
    from interpret.errors import InputError
    from interpret.evaluation.unit_list import read_unit_list
    from interpret.findings import Findings
    from interpret.mining import mine_study
    from interpret.models import Classifier, load, wrap
    from interpret.models.ablated import ablated
    from interpret.pipeline import run
    from interpret.progress import Progress
    from interpret.report import view
    from interpret.study import Study, open_study

__version__ = "0.9.0"

_MODULE_OF = {
    "Classifier": "models",
    "ExtractConfig": "config",
    "Findings": "findings",
    "InputError": "errors",
    "MineConfig": "config",
    "ModelConfig": "config",
    "Preprocessing": "data.preprocessing",
    "Progress": "progress",
    "RunConfig": "config",
    "Study": "study",
    "ablated": "models.ablated",
    "load": "models",
    "mine_study": "mining",
    "open_study": "study",
    "read_unit_list": "evaluation.unit_list",
    "run": "pipeline",
    "view": "report",
    "wrap": "models",
}

__all__ = [
    "Classifier",
    "ExtractConfig",
    "Findings",
    "InputError",
    "MineConfig",
    "ModelConfig",
    "Preprocessing",
    "Progress",
    "RunConfig",
    "Study",
    "ablated",
    "load",
    "mine_study",
    "open_study",
    "read_unit_list",
    "run",
    "view",
    "wrap",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
