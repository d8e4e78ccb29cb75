"""What another process prints, line by line, and no longer than it goes on printing."""

import contextlib
import os
import selectors
import subprocess
from collections.abc import Iterator


def process_lines(command: list[str], seconds: float) -> Iterator[str]:
    """The lines of a process's standard output with their ends; the last has none where it crashed or was killed.

    Args:
        command: what to run.
        seconds: time after which a process that prints nothing is killed.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        waiting = selectors.DefaultSelector()
        waiting.register(process.stdout, selectors.EVENT_READ)
        text = b""
        while waiting.select(seconds):
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                break
            *whole, text = (text + piece).split(b"\n")
            yield from (line.decode() + "\n" for line in whole)
        if text:
            yield text.decode()
        with contextlib.suppress(ProcessLookupError):  # it has ended
            process.kill()
