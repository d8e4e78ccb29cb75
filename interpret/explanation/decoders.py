"""Photos decoded in order ahead of the network: on threads, or for a GPU in processes, so that all cores decode."""

import contextlib
import json
import mmap
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType

import numpy as np
import numpy.typing as npt
import torch

from interpret import own_processes
from interpret.data.datasets import Photo
from interpret.data.photo_files import PhotoFile, packed
from interpret.data.photos import UnreadablePhoto, read_photo
from interpret.data.preprocessing import Preprocessing

THREADS = 2
"""Threads that keep up with a network on a processor (count)."""

AT_ONCE = 8
"""Photos that a process is handed at once (count): waiting for Python's lock between two takes longer than one."""

WORTHWHILE = 1000
"""Photos (count) from which on processes are started for a GPU: it takes them half a second of a core each."""

MOST = 32
"""Processes at most, if not told (count): each takes some 60 MB, and for a moment up to 345 MB for a large photo."""


@dataclass(frozen=True, eq=False)
class DecodedPhoto:
    """A photo brought to the size of the network's input.

    Attributes:
        photo: the photo's file and label.
        pixels: (H, W, 3) uint8, the network's input before normalisation; None where the photo cannot be read.
        size: width and height of the source photo in pixels; (0, 0) where it cannot be read.
        reason: why it cannot be read; empty where it can.
    """

    photo: Photo
    pixels: npt.NDArray[np.uint8] | None
    size: tuple[int, int]
    reason: str = ""


def decode(photo: Photo, preprocessing: Preprocessing) -> DecodedPhoto:
    """Open one photo and bring it to the network's input size; a file that cannot be read is marked, not raised."""
    try:
        image, size = read_photo(photo.file, preprocessing.resize)
        return DecodedPhoto(photo, preprocessing.apply(image, size), size)
    except UnreadablePhoto as error:
        return DecodedPhoto(photo, None, (0, 0), error.reason)


class Decoders:
    """Decodes photos in order, on threads or in processes with the same result; a context that ends them."""

    def __init__(self, preprocessing: Preprocessing, workers: int, *, processes: bool = False) -> None:
        """Start the threads; processes start with the first photos.

        Args:
            preprocessing: from a photo to the network's input.
            workers: threads, or processes (count).
            processes: whether each thread hands its photos to a process of its own.
        """
        self._preprocessing = preprocessing
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._at_once = AT_ONCE if processes else 1
        self._workers = workers
        self._processes = [_Process(preprocessing) for _ in range(workers)] if processes else []
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)

    def __enter__(self) -> "Decoders":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        for process in self._processes:
            process.end()

    def ahead(self, photos: Sequence[Photo], depth: int) -> Iterator[DecodedPhoto]:
        """Decode photos in order, ``depth`` of them or more in advance, while the network works on earlier ones."""
        most = max(depth // self._at_once, 2 * self._workers if self._processes else 1)
        waiting: deque[Future[list[DecodedPhoto]]] = deque()
        for start in range(0, len(photos), self._at_once):
            waiting.append(self._pool.submit(self._decode, photos[start : start + self._at_once]))
            if len(waiting) > most:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _decode(self, photos: Sequence[Photo]) -> list[DecodedPhoto]:
        answers = None
        if self._processes:
            process = self._idle.get()
            try:
                answers = process.decode(photos)
            finally:
                self._idle.put(process)
        return [decode(photo, self._preprocessing) for photo in photos] if answers is None else answers


def decoders_for(preprocessing: Preprocessing, workers: int | None, device: torch.device, photos: int) -> Decoders:
    """Decoders that keep up with a network on ``device``.

    Args:
        preprocessing: from a photo to the network's input.
        workers: threads or processes (count); as many as are worth it if None.
        device: where the network runs.
        photos: to be decoded (count).
    """
    if device.type == "cpu" or os.name != "posix" or not sys.executable or photos < WORTHWHILE:
        return Decoders(preprocessing, workers or THREADS)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Decoders(preprocessing, workers or max(THREADS, min(MOST, cores - 2)), processes=True)


class _Process:
    """A process that runs :mod:`interpret.data.decoder`; used by one thread at a time."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self._preprocessing = preprocessing
        self._process: subprocess.Popen[bytes] | None = None
        self._gone = False
        self._shape = (AT_ONCE, *preprocessing.size, 3)

    def decode(self, photos: Sequence[Photo]) -> list[DecodedPhoto] | None:
        """The photos, at most :data:`AT_ONCE`; None where the process cannot be started or has ended."""
        if self._gone:
            return None
        try:
            if self._process is None:
                self._start()
            answers = self._ask([photo.file for photo in photos])
        except (OSError, ValueError):  # whatever ended it, the photos are decoded all the same
            self._gone = True
            self.end()
            return None
        return [
            DecodedPhoto(photo, None, (0, 0), reason)
            if reason is not None
            else DecodedPhoto(photo, self._pixels[place].copy(), (width, height))
            for place, (photo, (width, height, reason)) in enumerate(zip(photos, answers, strict=True))
        ]

    def _start(self) -> None:
        size = int(np.prod(self._shape))
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            self._pixels = np.frombuffer(mmap.mmap(file.fileno(), size), np.uint8).reshape(self._shape)
            arguments = [json.dumps(self._preprocessing.to_dict()), str(file.fileno()), str(AT_ONCE)]
            self._process = subprocess.Popen(
                own_processes.command("interpret.data.decoder", *arguments),
                env=own_processes.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[file.fileno()],
                start_new_session=True,  # Ctrl+C is for this process, which then ends that one
            )

    def _ask(self, files: list[PhotoFile]) -> list[tuple[int, int, str | None]]:
        """What it answers.

        Raises:
            OSError: it has ended.
            ValueError: it has ended within an answer.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(packed(files))
        self._process.stdin.flush()
        answers: list[tuple[int, int, str | None]] = json.loads(self._process.stdout.readline())
        return answers

    def end(self) -> None:
        """End the process and wait for it."""
        if self._process is None:
            return
        self._process.kill()  # it writes nothing that could be lost
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # a line may be left that the process cannot take any more
                    pipe.close()
        self._process.wait()
        self._process = None
