"""The arrays of all shards joined, in the order of the photos' paths.

Activations may fill most of a disk. They are joined last, and what was joined is given back to the disk at once, so
that they never lie there twice. From then on a shard is not whole any more: a journal says how far the joining is, and
a run that was killed there goes on with it.
"""

import ctypes
import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from interpret.errors import InputError
from interpret.files import flush, write_json

JOURNAL = "joining.json"
"""The file of a workspace that says how many rows of the activations are joined."""

JOINED_BYTES = 1 << 26
"""How much of the joined arrays is held in memory at a time (bytes)."""

_PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE of linux/falloc.h


def joined_rows(workspace: Path) -> int | None:
    """How many rows of the activations are joined; None where that has not begun and every shard is whole.

    Raises:
        InputError: the journal is damaged.
    """
    journal = workspace / JOURNAL
    if not journal.exists():
        return None
    try:
        return int(json.loads(journal.read_text(encoding="utf-8"))["rows"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"The file {journal} is damaged; delete {workspace} to start anew.") from error


def join_arrays(parts: list[Path], target: Path, order: npt.NDArray[np.int64], workspace: Path | None = None) -> None:
    """Write the rows of several .npy files, one after the other, in another order; an absent array stays absent.

    Args:
        parts: the files.
        target: the file to write.
        order: which row of all of them comes first, second, ...
        workspace: where the journal is kept; the rows of the files are then given back to the disk as they are joined,
            and it begins where the journal says. If None, the files stay as they are.
    """
    sources = [(part, np.load(part, mmap_mode="r")) for part in parts if part.exists()]
    sources = [(part, array) for part, array in sources if len(array)]
    if not sources:
        return
    arrays = [array for _, array in sources]
    starts = np.concatenate([[0], np.cumsum([len(array) for array in arrays])])
    shape, kind = arrays[0].shape[1:], arrays[0].dtype
    size = max(1, int(np.prod(shape)) * kind.itemsize)
    step = max(1, JOINED_BYTES // size)
    done = (joined_rows(workspace) or 0) if workspace is not None else 0
    with target.open("r+b" if done else "wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (len(order), *shape)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.seek(file.tell() + done * size))
        for first in range(done, len(order), step):
            rows = order[first : first + step]
            which = np.searchsorted(starts, rows, side="right") - 1
            chunk = np.empty((len(rows), *shape), kind)
            for index in np.unique(which):
                here = which == index
                chunk[here] = arrays[index][rows[here] - starts[index]]
            file.write(chunk.data)
            if workspace is not None:
                flush(file)
                write_json({"rows": first + len(rows)}, workspace / JOURNAL)
                for index in np.unique(which).tolist():
                    part, array = sources[index]
                    _give_back(part, array, rows[which == index] - starts[index], size)
        flush(file)


def _give_back(part: Path, array: npt.NDArray, rows: npt.NDArray[np.int64], size: int) -> None:
    """Give rows of ``size`` bytes of a .npy file back to the disk; the file keeps its length.

    Where the system or the file system can't, nothing happens, and the rows lie there until the workspace goes.
    """
    if not sys.platform.startswith("linux"):
        return
    before = part.stat().st_size - len(array) * size  # the header
    with part.open("r+b") as file:
        for row in rows.tolist():
            if not _punch(file, before + row * size, size):
                return


def _punch(file: BinaryIO, start: int, length: int) -> bool:
    allocate = _allocate()
    offset = ctypes.c_int64
    return allocate is not None and allocate(file.fileno(), _PUNCH_HOLE, offset(start), offset(length)) == 0


@functools.cache
def _allocate() -> Callable[..., int] | None:
    """The C library's ``fallocate`` for offsets of 64 bits; None where it has none, as some small ones."""
    return getattr(ctypes.CDLL(None, use_errno=True), "fallocate64", None)
