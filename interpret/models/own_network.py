"""A network of the user's own: what a function of a Python file or module returns, or an archive of ``torch.export``.

``--model nets.py:build`` and ``--model my_project.nets:build`` call a function without arguments; it returns a module,
or a classifier made by :func:`interpret.wrap`. ``--model net.pt2`` reads what ``torch.export.save`` wrote.
"""

import contextlib
import importlib
import importlib.util
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from interpret.data.roots import check_within
from interpret.errors import InputError

ARCHIVE = ".pt2"
ALLOWED = "UNITSCOPE_ALLOW_CODE"
"""Environment variable: ``1`` where a server that restricts its folders may run its user's code."""


def is_own(model: str) -> bool:
    """Whether ``--model`` names code or an archive, and not an architecture."""
    if model.startswith(("timm/", "hf-hub:")):
        return False
    return model.lower().endswith(ARCHIVE) or (":" in model and not model.endswith(":"))


def short_name(model: str) -> str:
    """The name that studies show: ``nets.py:build`` without its folders."""
    place, colon, function = model.rpartition(":")
    if not colon or model.lower().endswith(ARCHIVE):
        return Path(model).name
    return f"{Path(place).name if place.endswith('.py') else place}:{function}"


def located(model: str) -> str:
    """``model`` with the absolute path of its file, so that a study finds it again from another folder."""
    place, colon, function = model.rpartition(":")
    if model.lower().endswith(ARCHIVE):
        return str(Path(model).expanduser().absolute())
    if place.endswith(".py"):
        return str(Path(place).expanduser().absolute()) + colon + function
    return model


def build(model: str, roots: Sequence[Path] | None = None) -> Any:
    """What the function returns, or the network in the archive.

    The function's random numbers are always the same, and the caller's random state is left alone. Modules that the
    file imports stay imported, as with any import.

    Args:
        model: see :func:`is_own`.
        roots: folders, resolved, that may be read from; None for any. Where they are restricted, code runs only if
            the environment variable :data:`ALLOWED` is 1.

    Raises:
        InputError: it may not be run, is not there, or fails; one sentence says which.
    """
    name = short_name(model)
    if roots is not None and os.environ.get(ALLOWED) != "1":
        raise InputError(
            f"{name} is code, which this dashboard does not run; whoever starts it can allow code from its folders "
            f"with {ALLOWED}=1."
        )
    if model.lower().endswith(ARCHIVE):
        path = Path(located(model))
        check_within(path, roots, "The archive")
        return _from_archive(path)
    place, _, function = located(model).rpartition(":")
    with _random_state_kept(), _failures_told(name):
        made = _function(place, function, roots)()
    return made


def input_size(network: nn.Module) -> tuple[int, int] | None:
    """Height and width (pixels) that an archive's network was exported with; None for any other network."""
    size = getattr(network, "exported_input_size", None)
    return size if isinstance(size, tuple) else None


def _function(place: str, function: str, roots: Sequence[Path] | None) -> Callable[[], Any]:
    if place.endswith(".py"):
        path = Path(place)
        check_within(path, roots, "The file")
        if not path.is_file():
            raise InputError(f"There is no file {place}; give FILE.py:FUNCTION.")
        module = _imported_file(path)
    else:
        module = _imported_module(place, roots)
    found = getattr(module, function, None)
    if not callable(found):
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        hint = f"it has {', '.join(names[:5])}" if names else "it has none"
        raise InputError(f"{Path(place).name} has no function {function!r}; {hint}.")
    made: Callable[[], Any] = found
    return made


def _imported_file(path: Path) -> ModuleType:
    """The file as a module of its own; it may import what lies beside it."""
    spec = importlib.util.spec_from_file_location(f"unitscope_own_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickles look their module up
    with _on_path(path.parent):
        spec.loader.exec_module(module)
    return module


def _imported_module(name: str, roots: Sequence[Path] | None) -> ModuleType:
    """A module that Python finds, or that lies below the current folder."""
    with _on_path(Path.cwd()):
        top = importlib.util.find_spec(name.partition(".")[0])  # runs none of its code
        if top is None:
            raise InputError(
                f"Python finds no module {name.partition('.')[0]!r}; run this where it lies or is installed, or give "
                "FILE.py:FUNCTION."
            )
        if roots is not None:  # Python's own modules have no file, or one elsewhere
            place = top.origin if top.has_location else next(iter(top.submodule_search_locations or []), None)
            check_within(Path(place or os.devnull), roots, f"The module {name} in")
        return importlib.import_module(name)


@contextlib.contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # the code may have taken it out
            sys.path.remove(entry)


@contextlib.contextmanager
def _random_state_kept() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield


@contextlib.contextmanager
def _failures_told(name: str) -> Iterator[None]:
    """Whatever the user's code raises, in one sentence with the line of the user's file."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        own = [frame for frame in frames if "importlib" not in frame.filename and "site-packages" not in frame.filename]
        where = f" in line {own[-1].lineno} of {Path(own[-1].filename).name}" if own else ""
        said = (str(error).strip().splitlines() or ["no message"])[0][:160].rstrip(".")
        raise InputError(f"{name} raised {type(error).__name__}{where}: {said}.") from error


class PickledArchive(nn.Module):
    """An archive's network as it is pickled, which it cannot be itself: what is read back is the network.

    Args:
        path: the archive.
        network: what :func:`build` made of it, with whatever weights it has now.
    """

    def __init__(self, path: Path, network: nn.Module) -> None:
        super().__init__()
        self._pickled = (path.read_bytes(), network.state_dict())

    def __reduce__(self) -> tuple[Callable[..., nn.Module], tuple[Any, ...]]:
        return _unpickled, self._pickled


def _unpickled(content: bytes, state: dict[str, Any]) -> nn.Module:
    network = _from_archive(Path("archive" + ARCHIVE), content).float().eval()
    network.load_state_dict(state)
    return network


def _from_archive(path: Path, content: bytes | None = None) -> nn.Module:
    """The network of an exported program, with its modules and their names, so that a layer of it can be chosen."""
    if content is None and not path.is_file():
        raise InputError(f"There is no file {path}; write one with torch.export.save.")
    try:
        program = torch.export.load(path if content is None else io.BytesIO(content))
        network: nn.Module = torch.export.unflatten(program)
    except Exception as error:  # whatever is in the file
        said = (str(error).strip().splitlines() or ["no message"])[0][:160].rstrip(".")
        raise InputError(
            f"{path} is no archive of torch.export ({said}); write it with torch.export.save(program, path)."
        ) from None
    inputs = [value for value in program.graph.find_nodes(op="placeholder") if value.name in _user_inputs(program)]
    shape: tuple[Any, ...] = tuple(getattr(inputs[0].meta.get("val"), "shape", ())) if len(inputs) == 1 else ()
    if len(shape) != 4 or shape[1] != 3:
        raise InputError(f"The network in {path} does not take photos (B, 3, H, W) and nothing else.")
    if isinstance(shape[0], int):
        raise InputError(
            f"The network in {path} was exported for batches of {shape[0]}; export it with "
            "dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)."
        )
    if all(isinstance(side, int) for side in shape[2:]):
        network.__dict__["exported_input_size"] = (int(shape[2]), int(shape[3]))
    for module in network.modules():
        graph = getattr(module, "graph", None)
        if graph is not None:
            for node in graph.nodes:  # they hold tensors without memory, which cannot be copied
                node.meta.clear()
    return network


def _user_inputs(program: torch.export.ExportedProgram) -> tuple[Any, ...]:
    return tuple(program.graph_signature.user_inputs)
