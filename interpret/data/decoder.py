"""A process that decodes photos for another one, which hands it their files and finds their pixels in shared memory.

What comes in is written by :func:`interpret.data.photo_files.packed`. A line of JSON out is what became of each: width
and height of the photo (pixels) and why it cannot be read, or null. The n-th photo's pixels are the n-th place of a
file that both have mapped.
"""

import json
import mmap
import sys

import numpy as np

from interpret.data.photo_files import unpacked
from interpret.data.photos import UnreadablePhoto, read_photo
from interpret.data.preprocessing import Preprocessing


def main(preprocessing: str, file: str, places: str) -> None:
    """Answer every line of the standard input until it ends.

    Args:
        preprocessing: its fields, as JSON.
        file: the descriptor of the shared file.
        places: photos that the file has room for (count).
    """
    applied = Preprocessing.from_dict(json.loads(preprocessing))
    shape = (int(places), *applied.size, 3)
    shared = np.frombuffer(mmap.mmap(int(file), int(np.prod(shape))), np.uint8).reshape(shape)
    while (files := unpacked(sys.stdin.buffer)) is not None:
        answers: list[tuple[int, int, str | None]] = []
        for place, photo in enumerate(files):
            try:
                image, size = read_photo(photo, applied.resize)
                shared[place] = applied.apply(image, size)
                answers.append((*size, None))
            except UnreadablePhoto as error:
                answers.append((0, 0, error.reason))
        sys.stdout.write(json.dumps(answers) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
