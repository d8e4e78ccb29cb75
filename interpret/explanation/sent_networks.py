"""The code of a network as it goes to workers that see none of its files: what is installed nowhere goes along."""

import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn


@contextmanager
def code_goes_along(cloudpickle: Any, network: nn.Module) -> Iterator[None]:
    """Within this block a pickled network holds its own code, not only the names of the modules that it is in.

    Args:
        cloudpickle: the module ``cloudpickle``, or the copy of it that pickles.
        network: what will be pickled.
    """
    registered = []
    try:
        for module in own_modules(network):
            cloudpickle.register_pickle_by_value(module)
            registered.append(module)
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def own_modules(network: nn.Module) -> list[ModuleType]:
    """The imported Python modules that a network's classes are in, and those beside them, but no installed ones."""
    named = (sys.modules.get(type(part).__module__) for part in network.modules())
    folders = {file.parent for module in named if module is not None and (file := _own_file(module)) is not None}
    return [
        module
        for _, module in sorted(sys.modules.items())
        if (file := _own_file(module)) is not None and any(file.is_relative_to(folder) for folder in folders)
    ]


def _own_file(module: ModuleType) -> Path | None:
    """The file of a module that is neither installed nor of this library; None for any other."""
    name, file = getattr(module, "__name__", ""), getattr(module, "__file__", None)
    if not file or name.partition(".")[0] in ("__main__", "interpret"):
        return None
    path = Path(file).absolute()
    installed = (Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
    return None if any(path.is_relative_to(place) for place in installed) else path
