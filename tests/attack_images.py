"""Mutated images, each opened as a photo: `python -m tests.attack_images --minutes 5`.

A case is a number: it says which image is mutated and how, so that `--case NUMBER` makes it again. Cases are opened in
processes that are watched from outside. A case fails where its process crashes, takes more than 400 megabytes or 20
seconds, raises anything but the one error for photos, or gives a photo that is not one.
"""

import argparse
import functools
import io
import resource
import struct
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from interpret.data import decoding
from interpret.data.photos import UnreadablePhoto, read_photo
from tests.process_lines import process_lines

MEGABYTES = 400
"""Most memory that the process which opens the photos may have taken at any time."""

SECONDS = 20
"""Longest that one photo may take."""

BATCH = 400
"""Cases that one process opens before another takes its place."""


def _images() -> Iterator[tuple[str, bytes]]:
    """Small images of every format that is read, in the modes and packings that it has."""
    rng = np.random.default_rng(11)
    noise = Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    plain = Image.new("RGB", (300, 200), (200, 40, 90))
    floats = Image.fromarray(rng.normal(size=(48, 64)).astype(np.float32))
    grey16 = Image.fromarray(rng.integers(0, 65536, (48, 64)).astype(np.uint16))
    rgba = Image.fromarray(rng.integers(0, 256, (48, 64, 4), dtype=np.uint8), "RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    saved: list[tuple[str, Image.Image, dict[str, object]]] = [
        ("JPEG", noise, {}),
        ("JPEG", noise, {"progressive": True, "subsampling": 0}),
        ("JPEG", noise, {"exif": exif, "restart_marker_blocks": 3}),
        ("JPEG", noise.convert("L"), {}),
        ("JPEG", noise.convert("CMYK"), {}),
        ("PNG", noise, {}),
        ("PNG", plain, {"exif": exif}),
        ("PNG", rgba, {}),
        ("PNG", noise.quantize(50), {"transparency": 3}),
        ("PNG", grey16, {}),
        ("PNG", noise.convert("1"), {}),
        ("PNG", noise, {"save_all": True, "append_images": [plain.resize((64, 48))]}),
        ("WEBP", noise, {}),
        ("WEBP", rgba, {"lossless": True, "exif": exif}),
        ("WEBP", noise, {"save_all": True, "append_images": [plain.resize((64, 48))]}),
        ("BMP", noise, {}),
        ("BMP", noise.quantize(16), {}),
        ("DIB", noise, {}),
        ("GIF", noise, {}),
        ("GIF", noise.quantize(9), {"transparency": 2, "interlace": True}),
        ("GIF", noise, {"save_all": True, "append_images": [plain.resize((64, 48))]}),
        ("TIFF", noise, {}),
        ("TIFF", noise, {"compression": "tiff_deflate", "exif": exif}),
        ("TIFF", noise, {"compression": "tiff_lzw"}),
        ("TIFF", noise, {"compression": "packbits"}),
        ("TIFF", noise, {"compression": "jpeg"}),
        ("TIFF", floats, {}),
        ("TIFF", grey16, {}),
        ("TIFF", noise.convert("CMYK"), {}),
        ("TIFF", noise.convert("1"), {"compression": "group4"}),
    ]
    for place, (kind, image, options) in enumerate(saved):
        file = io.BytesIO()
        image.save(file, kind, **options)
        yield f"{kind} {place}", file.getvalue()
    yield "PNG interlaced", _interlaced()


def _interlaced() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    passes = [(3, 2), (2, 2), (5, 2), (5, 4), (10, 4), (10, 8), (20, 8)]
    data = b"".join((b"\0" + b"\x80" * (3 * columns)) * rows for columns, rows in passes)
    header = struct.pack(">IIBBBBB", 20, 16, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@functools.cache
def images() -> tuple[tuple[str, bytes], ...]:
    """Name and bytes of each image that is mutated."""
    return tuple(_images())


def _bytes_changed(raw: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(0, len(raw), rng.integers(1, 9)):
        raw[place] = rng.integers(0, 256)


def _head_changed(raw: bytearray, rng: np.random.Generator) -> None:
    for place in rng.integers(0, min(len(raw), 100), rng.integers(1, 5)):
        raw[place] = rng.integers(0, 256)


def _bit_flipped(raw: bytearray, rng: np.random.Generator) -> None:
    raw[int(rng.integers(0, len(raw)))] ^= 1 << int(rng.integers(0, 8))


def _number_changed(raw: bytearray, rng: np.random.Generator) -> None:
    """Sizes, offsets and counts become those that break arithmetic."""
    value = int(
        rng.choice([0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF, 20_000, 8_900, 79_999_999])
    )
    wide = 4 if value > 0xFFFF or rng.random() < 0.5 else 2
    place = int(rng.integers(0, max(1, min(len(raw), int(rng.choice([60, 400, 1 << 30]))) - wide)))
    raw[place : place + wide] = value.to_bytes(wide, "big" if rng.random() < 0.5 else "little")


def _cut(raw: bytearray, rng: np.random.Generator) -> None:
    del raw[int(rng.integers(0, len(raw))) :]


def _ended(raw: bytearray, rng: np.random.Generator) -> None:
    _cut(raw, rng)
    raw += [b"\xff\xd9", b"\0;", b"\0\0\0\0IEND\xaeB`\x82"][int(rng.integers(0, 3))]


def _piece_moved(raw: bytearray, rng: np.random.Generator) -> None:
    start, end, place = sorted(int(at) for at in rng.integers(0, len(raw), 3))
    raw[place:place] = raw[start:end]


def _piece_zeroed(raw: bytearray, rng: np.random.Generator) -> None:
    start = int(rng.integers(0, len(raw)))
    end = min(len(raw), start + int(rng.integers(1, 200)))
    raw[start:end] = bytes([int(rng.choice([0, 255]))]) * (end - start)


def _checksums_mended(raw: bytearray, rng: np.random.Generator) -> None:
    """Change a PNG's chunk and mend its checksum, so that the decoder gets to see the change."""
    place, changed = 8, int(rng.integers(0, 4))
    while place + 12 <= len(raw):
        length = int.from_bytes(raw[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(raw):
            return
        if changed == 0 and length:
            raw[place + 8 + int(rng.integers(0, length))] = rng.integers(0, 256)
        changed -= 1
        raw[end : end + 4] = zlib.crc32(raw[place + 4 : end]).to_bytes(4, "big")
        place = end + 4


MUTATIONS: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    _bytes_changed,
    _head_changed,
    _bit_flipped,
    _number_changed,
    _number_changed,
    _cut,
    _ended,
    _piece_moved,
    _piece_zeroed,
    _checksums_mended,
)


def case(number: int) -> tuple[str, bytes]:
    """What a case is, and its bytes: the images take turns, the mutations are drawn."""
    rng = np.random.default_rng([7, number])
    name, content = images()[number % len(images())]
    raw = bytearray(content)
    done = []
    for _ in range(int(rng.integers(1, 4))):
        mutation = MUTATIONS[int(rng.integers(0, len(MUTATIONS)))]
        if len(raw) > 4:
            mutation(raw, rng)
            done.append(mutation.__name__.strip("_").replace("_", " "))
    return f"{name}: {', '.join(done)}", bytes(raw)


def outcome(content: bytes) -> str:
    """`photo`, `refused`, or what failed in words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            photo, size = read_photo(io.BytesIO(content))
    except UnreadablePhoto as error:
        return "refused" if error.reason and "\n" not in error.reason else f"failed: the reason {error.reason!r}"
    except BaseException as error:  # that is what is looked for
        return f"failed: {type(error).__name__}: {error}"
    factor = decoding.reduction(size)
    if photo.mode != "RGB" or photo.info or photo.size != (-(-size[0] // factor), -(-size[1] // factor)):
        return f"failed: a photo of mode {photo.mode}, {photo.size} of {size}, {photo.info}"
    return "photo"


def _peak() -> int:
    """The most memory that this process has taken (megabytes); what it was started from does not count."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return next(int(line.split()[1]) >> 10 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def _work(first: int, last: int) -> None:
    """Open cases and write a line for each: before it its number, after it what came of it and the peak so far."""
    for number in range(first, last):
        print(number, end=" ", flush=True)
        said = outcome(case(number)[1])
        peak = _peak()
        print(peak, said.replace("\n", " "), flush=True)
        if peak > MEGABYTES:
            return  # what it took stays its peak: the next case needs a process of its own


def attack(first: int, last: int, until: float = float("inf")) -> tuple[Counter[str], list[tuple[int, str]], int]:
    """Open the cases from ``first`` up to ``last``, as far as the time goes.

    Args:
        first: number of the first case.
        last: number after that of the last one.
        until: monotonic time at which no further process is begun.

    Returns:
        How many cases ended in which way, the number of each that failed with what happened, and the peak (megabytes).
    """
    ends: Counter[str] = Counter()
    failed: list[tuple[int, str]] = []
    number, peak = first, 0
    while number < last and time.monotonic() < until:
        reached = number
        for line in _lines(number, min(last, number + BATCH)):
            words = line.split(" ", 2)
            reached = int(words[0]) + 1
            said = words[2] if len(words) == 3 else "failed: the process crashed, or took too long"
            if len(words) == 3:
                peak = max(peak, int(words[1]))
                if int(words[1]) > MEGABYTES:
                    said = f"failed: it took {words[1]} megabytes"
            ends[said.split(":")[0]] += 1
            if said.startswith("failed"):
                failed.append((reached - 1, said))
        number = max(reached, number + 1)
    return ends, failed, peak


def _lines(first: int, last: int) -> Iterator[str]:
    """The lines of a process that opens cases; the last one is cut off where it crashed or hung."""
    command = [sys.executable, "-m", "tests.attack_images", "--work", str(first), str(last)]
    yield from (line.strip() for line in process_lines(command, SECONDS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--case", type=int, help="open one case here, with the traceback of what fails")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        _work(*given.work)
    elif given.case is not None:
        name, content = case(given.case)
        print(f"case {given.case}: {name}, {len(content):,} bytes")
        print(read_photo(io.BytesIO(content)))
    else:
        ends, failed, peak = attack(given.first, 1 << 60, time.monotonic() + 60 * given.minutes)
        print(f"tried {ends.total():,}: {dict(ends)}; peak of a process {peak} MB")
        for number, said in failed:
            print(f"--case {number} ({case(number)[0]}) {said}")
        sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
