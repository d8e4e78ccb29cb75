"""Photos that cost much: bounded memory, reduced decoding, and none that ends early passes as black."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret.data import decoding
from interpret.data.datasets import Photo
from interpret.data.photos import UnreadablePhoto, open_photo, read_photo
from interpret.data.preprocessing import Preprocessing
from interpret.explanation.decoders import decode

ALLOWED = 400
"""Megabytes that a process may take which opens one photo."""


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    width: int, height: int, rows: int, *, depth: int = 3, colours: int = 2, interlaced: int = 0, bits: int = 8
) -> bytes:
    """A grey PNG of so many rows, whatever its header says of its height."""
    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, interlaced)
    pack, parts = zlib.compressobj(1), []
    row = b"\0" + b"\x80" * (width * depth)
    for start in range(0, rows, 1000):
        parts.append(pack.compress(row * min(1000, rows - start)))
    data = b"".join([*parts, pack.flush()])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def noise(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(seed).integers(0, 256, (height, width, bands), dtype=np.uint8)
    return Image.fromarray(values if bands > 1 else values[..., 0], mode)


def megabytes_of(file: Path) -> tuple[float, str]:
    """Peak memory of a process that opens one photo, and what came of it."""
    code = (
        "import resource, sys\n"
        "from interpret.data.photos import UnreadablePhoto, read_photo\n"
        "try:\n"
        "    photo, size = read_photo(sys.argv[1])\n"
        "    said = f'{photo.size} {size}'\n"
        "except UnreadablePhoto as error:\n"
        "    said = error.reason\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
        "print(said)\n"
    )
    # a child of a large process would count that one's memory as its own until it is replaced
    shell = ["sh", "-c", '"$0" -c "$1" "$2"', sys.executable, code, str(file)]
    ended = subprocess.run(shell, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    peak, said = ended.stdout.splitlines()
    return float(peak), said


WIDE, HIGH = 10_000, 8_000


def large_png(depth: int, colours: int, bits: int = 8) -> bytes:
    return png(WIDE, HIGH, HIGH, depth=depth, colours=colours, bits=bits)


def large_jpeg(**options: object) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (WIDE, HIGH), (90, 120, 30)).save(file, "JPEG", exif=exif, **options)
    return file.getvalue()


LARGE = {
    "png": (lambda: large_png(3, 2), "(2500, 2000) (10000, 8000)"),
    "png with transparency": (lambda: large_png(4, 6), "(2500, 2000) (10000, 8000)"),
    "grey png of 16 bits": (lambda: large_png(2, 0, 16), "(2500, 2000) (10000, 8000)"),
    "jpeg on its side": (large_jpeg, "(2000, 2500) (8000, 10000)"),
    "progressive jpeg": (lambda: large_jpeg(progressive=True), "(2000, 2500) (8000, 10000)"),
    "progressive jpeg with all its colours": (lambda: large_jpeg(progressive=True, subsampling=0), "would take"),
    "png of one column": (lambda: png(1, 79_999_999, 4), "would take 1,919 MB"),
    "png of one row": (lambda: png(79_999_999, 1, 1), "would take 640 MB"),
    "png that ends early": (lambda: png(WIDE, HIGH, 10), "its data end before the last row"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_photo_of_eighty_million_pixels_takes_less_than_400_megabytes(name, tmp_path):
    make, expected = LARGE[name]
    file = tmp_path / "photo"
    file.write_bytes(make())
    peak, said = megabytes_of(file)
    assert peak < ALLOWED, said
    if expected:
        assert expected in said
    print(f"{name}: {peak:.0f} MB, {said}")  # noqa: T201


def in_one_piece(image: Image.Image) -> Image.Image:
    """Every colour mode as RGB, as it was before it was done strip by strip."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        values = np.asarray(image)
        if values.dtype == np.uint16:
            return Image.fromarray(((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)).convert("RGB")
        grey = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
        low, high = float(grey.min()), float(grey.max())
        tops = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
        top = next((top for top in tops if low >= 0 and high <= top), None)
        if top is None:
            grey, top = grey - low, high - low or 1.0
        return Image.fromarray(np.floor(grey * (255.0 / top) + 0.5).clip(0, 255).astype(np.uint8)).convert("RGB")
    if mode in ("LA", "RGBA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, (255,) * 4), layer).convert("RGB")
    return image.convert("RGB")


def pictures() -> dict[str, Image.Image]:
    wide = np.random.default_rng(1).normal(size=(61, 83))
    return {
        **{mode: noise(83, 61, mode) for mode in ("L", "RGB", "RGBA", "LA", "CMYK")},
        "1": noise(83, 61, "L").convert("1"),
        "P": noise(83, 61).quantize(40),
        "I;16": Image.fromarray((wide * 9000 + 30000).astype(np.uint16)),
        "I": Image.fromarray((wide * 1e6).astype(np.int32)),
        "F": Image.fromarray(wide.astype(np.float32)),
        "F of 0 to 1": Image.fromarray((np.abs(wide) / 9).astype(np.float32)),
    }


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize("strip", [83, 700, decoding._STRIP])
def test_strips_give_the_bytes_that_one_piece_gives(name, strip, monkeypatch):
    monkeypatch.setattr(decoding, "_STRIP", strip)
    image = pictures()[name]
    kinds = ["TIFF"] if image.mode in ("CMYK", "I", "F") else ["PNG", "TIFF"]
    for kind in kinds:
        file = io.BytesIO()
        image.save(file, kind)
        with Image.open(file) as stored:
            expected = np.asarray(in_one_piece(stored))
        assert np.array_equal(np.asarray(open_photo(file)), expected), kind


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
def test_only_a_photo_of_more_pixels_than_the_bound_is_reduced(kind, monkeypatch):
    """The bound is far above what cameras take, so that no usual study changes: here it is set low."""
    image = noise(90, 60).resize((900, 600))
    file = io.BytesIO()
    image.save(file, kind)
    monkeypatch.setattr(decoding, "_SHORTEST", 100)
    monkeypatch.setattr(decoding, "REDUCED_ABOVE", 540_000)
    with Image.open(file) as stored:
        assert np.array_equal(np.asarray(open_photo(file)), np.asarray(stored.convert("RGB"))), "900 x 600 is the bound"
    monkeypatch.setattr(decoding, "REDUCED_ABOVE", 539_999)
    photo, size = read_photo(file)
    assert (photo.size, size) == ((225, 150), (900, 600))
    with Image.open(file) as stored:
        mean = np.asarray(stored.convert("RGB").reduce(4)).astype(int)
    # libjpeg scales by leaving out frequencies, which is nearly a mean
    assert np.abs(np.asarray(photo) - mean).mean() < (4 if kind == "JPEG" else 0.01)
    monkeypatch.setattr(decoding, "_SHORTEST", 200)
    assert open_photo(file).size == (450, 300), "a quarter would be lower than allowed"
    monkeypatch.setattr(decoding, "_SHORTEST", 400)
    assert open_photo(file).size == (900, 600)


@pytest.mark.parametrize("name", pictures())
def test_a_reduced_photo_of_any_mode_is_the_mean_of_its_colours(name, monkeypatch):
    monkeypatch.setattr(decoding, "_SHORTEST", 10)
    monkeypatch.setattr(decoding, "REDUCED_ABOVE", 1000)
    monkeypatch.setattr(decoding, "_STRIP", 700)
    image = pictures()[name]
    file = io.BytesIO()
    image.save(file, "TIFF")
    with Image.open(file) as stored:
        expected = in_one_piece(stored).reduce(4)
    photo, size = read_photo(file)
    assert size == (83, 61)
    assert np.array_equal(np.asarray(photo), np.asarray(expected))


def test_usual_photos_are_far_below_the_bound():
    assert decoding.reduction((7_728, 5_152)) == 1  # 39.8 megapixels
    assert decoding.reduction((8_192, 6_144)) == 4
    assert decoding.reduction((30_000, 2_000)) == 2
    assert decoding.reduction((60_000, 700)) == 1


def test_a_jpeg_is_decoded_at_no_less_than_three_times_what_is_needed():
    assert decoding.reduction((4_000, 3_000), 256) == 2
    assert decoding.reduction((8_000, 6_200), 256) == 8
    assert decoding.reduction((1_536, 2_000), 256) == 2
    assert decoding.reduction((1_535, 2_000), 256) == 1
    assert decoding.reduction((500, 375), 224) == 1
    assert decoding.reduction((8_192, 6_144), 6_000) == 4  # what memory asks for is done all the same


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_a_network_sees_of_a_large_jpeg_is_nearly_what_all_of_its_pixels_give(kind, tmp_path):
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (30, 41, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # on its side
    coarse.resize((2_467, 1_801), Image.Resampling.BICUBIC).save(tmp_path / "photo", kind, quality=95, exif=exif)
    preprocessing = Preprocessing()
    photo, size = read_photo(tmp_path / "photo", preprocessing.resize)
    assert size == (1_801, 2_467)
    assert photo.size == ((901, 1_234) if kind == "JPEG" else size)
    found = decode(Photo(tmp_path / "photo", "photo", None), preprocessing)
    assert found.size == size
    assert found.pixels is not None
    whole = preprocessing.apply(open_photo(tmp_path / "photo"), None).astype(int)
    if kind == "PNG":
        assert np.array_equal(found.pixels, whole)
    near, off = (np.abs(found.pixels - np.roll(whole, by, axis=1)).mean() for by in (0, 1))
    assert near < 2 < off / 3  # in grey values, beside a crop that is off by a pixel


def test_the_crop_of_a_reduced_photo_is_that_of_the_photo_in_its_file():
    source, half = (1_550, 1_537), (775, 769)
    preprocessing = Preprocessing()
    assert preprocessing.geometry(source) == (258, 256, 17, 16)
    assert preprocessing.geometry(half) == (257, 256, 16, 16)  # the half by itself
    reduced = noise(*half)
    expected = reduced.resize((258, 256), Image.Resampling.BILINEAR).crop((17, 16, 241, 240))
    assert np.array_equal(preprocessing.apply(reduced, source), np.asarray(expected))


def test_a_study_records_the_size_in_the_file_and_maps_boxes_to_it(tmp_path, monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (900, 600)).save(tmp_path / "a.jpg", exif=exif)
    monkeypatch.setattr(decoding, "_SHORTEST", 100)
    monkeypatch.setattr(decoding, "REDUCED_ABOVE", 1000)
    found = decode(Photo(tmp_path / "a.jpg", "a.jpg", None), Preprocessing())
    assert found.size == (600, 900)
    assert found.pixels is not None
    assert found.pixels.shape == (224, 224, 3)


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize(("depth", "colours"), [(3, 2), (4, 6), (1, 0), (2, 4)])
@pytest.mark.parametrize("rows", [1, 30, 62])
def test_a_png_whose_data_end_early_is_broken_and_not_black(rows, depth, colours, interlaced):
    content = png(50, 64, rows, depth=depth, colours=colours, interlaced=interlaced)
    with pytest.raises(UnreadablePhoto, match=r"broken"):
        open_photo(io.BytesIO(content))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "LA"])
@pytest.mark.parametrize("options", [{}, {"optimize": True}])
def test_a_png_that_is_black_at_its_end_is_a_photo(mode, options):
    file = io.BytesIO()
    Image.new(mode, (37, 23)).save(file, "PNG", **options)
    assert open_photo(file).size == (37, 23)


def test_an_interlaced_png_is_a_photo():
    """Rows of seven passes: 2, 2, 2, 3, 5, 6 and 8 of them, for 20 x 16 pixels."""
    passes = [(3, 2), (2, 2), (5, 2), (5, 4), (10, 4), (10, 8), (20, 8)]
    data = b"".join((b"\0" + b"\x80" * (3 * columns)) * rows for columns, rows in passes)
    header = struct.pack(">IIBBBBB", 20, 16, 8, 2, 0, 0, 1)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    assert np.asarray(open_photo(io.BytesIO(whole))).tolist() == [[[128] * 3] * 20] * 16


def test_a_webp_is_bounded_by_what_its_decoder_takes(monkeypatch):
    file = io.BytesIO()
    noise(200, 100).save(file, "WEBP")
    monkeypatch.setattr("interpret.data.photos.MAX_BYTES", 17 * 200 * 100 - 1)
    with pytest.raises(UnreadablePhoto, match="save it smaller"):
        open_photo(file)
    monkeypatch.setattr("interpret.data.photos.MAX_BYTES", 17 * 200 * 100 + 10_000 + len(file.getvalue()))
    assert open_photo(file).size == (200, 100)
