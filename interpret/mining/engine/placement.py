"""Where tid-lists are joined and counted: on the CPU, or on a GPU where there is one and the work is worth it.

Bitsets stay on the CPU: of 100,000 patches they take 0.03 s to search, which leaves a GPU nothing to win. Counts are
whole numbers, so that the result is the same wherever they are made.
"""

import sys
from collections.abc import Callable
from typing import TypeVar

from interpret.errors import InputError
from interpret.progress import unheard

T = TypeVar("T")

WORTHWHILE = 0.5
"""Work that takes the CPU this long (seconds, estimated) goes to a GPU where there is one and none was asked for.

A process's first use of CUDA takes 0.24 to 0.44 s, measured on an H100."""

WORTHWHILE_IN_USE = 0.05
"""The same where the process uses CUDA already.

From there on the H100 was faster in every cell of ``python -m benchmarks.mine_gpu``: 1.4 to 13 times."""

PAIR = 12e-9
"""What joining a pair of occurrences on tid-lists takes the CPU (seconds, measured)."""

TYPES = ("cpu", "cuda", "mps")
"""Types of devices."""


def find(name: str) -> str:
    """The type of the device called ``name``; of ``auto`` that of a GPU, or ``cpu`` where there is none.

    Raises:
        InputError: there is no such device.
    """
    from interpret.models.precision import choose_device  # with PyTorch, which takes seconds to import

    return choose_device(name).type


class Placement:
    """Chooses the device for each piece of work, and goes on with the CPU where the device fails.

    Args:
        device: ``auto``: a GPU for work that takes the CPU :data:`WORTHWHILE` or longer, or
            :data:`WORTHWHILE_IN_USE` where CUDA is in use; or ``cpu``, ``cuda``, ``mps``.
        announce: called with one sentence where the device fails.

    Attributes:
        used: the type of the device that did some of the work, ``cpu`` if none but the CPU did.

    Raises:
        InputError: there is no such device.
    """

    def __init__(self, device: str = "cpu", announce: Callable[[str], None] = unheard) -> None:
        if device not in ("auto", *TYPES):
            raise InputError(f"--device is {device!r}; choose one of auto, {', '.join(TYPES)}.")
        self.used = "cpu"
        self.announce = announce
        self._asked = device
        self._failed = False
        if self.forced:
            find(device)

    @property
    def forced(self) -> bool:
        """Whether a GPU was asked for by name, which then gets all the work that it can do."""
        return self._asked in ("cuda", "mps") and not self._failed

    def choose(self, seconds: float) -> str:
        """The type of device for work that takes the CPU so long (seconds, estimated)."""
        if self._asked == "cpu" or self._failed or not (self.forced or seconds >= worthwhile()):
            return "cpu"
        return find(self._asked)

    def run(self, seconds: float, work: Callable[[str], T]) -> T:
        """What ``work``, given a type of device, gives; given the CPU where a GPU has too little memory for it.

        After that everything is given to the CPU.

        Args:
            seconds: what it takes the CPU (seconds, estimated).
            work: may be called twice.
        """
        device = self.choose(seconds)
        if device != "cpu":
            try:
                made = work(device)
            except RuntimeError as error:
                short_of = lacking(error)
                if short_of is None:
                    raise
            else:
                self.used = device
                return made
            # Outside of the handler, since the error holds what the device's memory is full of.
            self._failed = True
            release(device)
            self.announce(f"The GPU ({device}) {short_of}; the CPU mines with the same result.")
        return work("cpu")


def worthwhile() -> float:
    """From how many seconds on a GPU is worth it; PyTorch, which takes seconds to import, is asked if it is there."""
    torch = sys.modules.get("torch")
    in_use = torch is not None and torch.cuda.is_initialized()
    return min(WORTHWHILE, WORTHWHILE_IN_USE) if in_use else WORTHWHILE


def lacking(error: RuntimeError) -> str | None:
    """What a device is short of, in words; None for an error of another kind."""
    import torch

    if isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error):
        return "has too little free memory"
    if isinstance(error, NotImplementedError):  # torch has not all operations for MPS
        return "lacks an operation"
    return None


def release(device: str) -> None:
    """Give memory back that torch keeps for later."""
    import torch

    if device == "cuda" and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    elif device == "mps" and torch.backends.mps.is_available():
        torch.mps.empty_cache()
