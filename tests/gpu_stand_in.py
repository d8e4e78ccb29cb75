"""A stand-in for a GPU on machines without one: the path that a GPU takes, on tensors of the CPU."""

import contextlib
from collections.abc import Callable, Iterator

import pytest
import torch

from interpret.mining.engine import join, placement, search, tid_counting, walk


@contextlib.contextmanager
def stand_in(made: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let a GPU be found inside, whose tensors are the CPU's but are not handed to NumPy while it works on them.

    Args:
        made: called when the GPU is given work; it may raise what a GPU would.
    """
    cpu, given = torch.device("cpu"), [False]

    def tensor_device(name: str) -> torch.device:
        given[0] = name != "cpu"
        if given[0]:
            made()
        return cpu

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placement, "find", lambda name: "cuda" if name == "auto" else name)
        for module in (join, search, walk, tid_counting):
            patch.setattr(module, "tensor_device", tensor_device)
        for module in (join, tid_counting):
            patch.setattr(module, "on_host", lambda device: not given[0])
        yield
