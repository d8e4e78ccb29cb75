"""Memory-mapped arrays that are read piece by piece in bounded memory."""

import mmap

import numpy.typing as npt


def let_go(*arrays: npt.NDArray | None) -> None:
    """Let what was read of memory-mapped arrays leave the process's memory; it can be read again.

    Pages of a mapped file count as the process's memory from when they are read until the file is closed. Without them
    a pass over the file needs what it holds at a time only; the system keeps the file's content as long as it has
    memory to spare. Arrays that are not mapped are left alone, and where the system can't do it nothing happens.
    """
    for array in arrays:
        held = getattr(array, "_mmap", None)
        if isinstance(held, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            held.madvise(mmap.MADV_DONTNEED)
