"""The names of torchvision's classifiers, read from its source: importing it takes seconds, and a menu only lists."""

import importlib.util
import re
from functools import cache
from pathlib import Path

_REGISTERED = re.compile(r"^@register_model\(\)\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)


@cache
def torchvision_names() -> tuple[str, ...]:
    """What ``torchvision.models.list_models(torchvision.models)`` lists, in its order."""
    found = importlib.util.find_spec("torchvision")
    folders = found.submodule_search_locations if found is not None else None
    names: list[str] = []
    for folder in folders or ():
        for path in Path(folder, "models").glob("*.py"):
            names += _REGISTERED.findall(path.read_text(encoding="utf-8"))
    if not names:  # installed without its source, or written in another way
        import torchvision.models as zoo

        names = zoo.list_models(module=zoo)
    return tuple(sorted(names))
