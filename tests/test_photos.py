"""Opening one photo: every colour mode, upright; every kind of bad file says plainly what is wrong."""

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from interpret.cli.main import main
from interpret.data.decoding import MAX_PIXELS
from interpret.data.photos import UnreadablePhoto, open_photo
from interpret.errors import InputError
from interpret.study import open_study

# Pillow's remarks on damaged metadata, which the command line silences
pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")
DAMAGED_EXIF = b"Exif\0\0II*\0garbage garbage"


def saved(image: Image.Image, kind: str, **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def opened(image: Image.Image, kind: str = "PNG", **options) -> np.ndarray:
    photo = open_photo(saved(image, kind, **options))
    assert photo.mode == "RGB"
    return np.asarray(photo)


def noise(size=(32, 24), seed=0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def png_of(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG whose header states a size, whatever follows."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP"])
def test_lossless_formats_give_the_same_pixels(kind):
    image = noise()
    if kind == "GIF":
        image = image.quantize(64).convert("RGB")
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(opened(image, kind, **options), np.asarray(image))


def test_jpeg_gives_pillows_own_pixels():
    file = saved(noise(), "JPEG", quality=90)
    assert np.array_equal(np.asarray(open_photo(file)), np.asarray(Image.open(file).convert("RGB")))


def test_black_and_white_and_grey():
    bits = np.array([[0, 255, 0], [255, 255, 0]], dtype=np.uint8)
    assert np.array_equal(opened(Image.fromarray(bits).convert("1")), np.repeat(bits[..., None], 3, axis=2))
    grey = np.array([[0, 17, 255]], dtype=np.uint8)
    assert opened(Image.fromarray(grey)).tolist() == [[[0] * 3, [17] * 3, [255] * 3]]


def test_what_is_transparent_is_laid_over_white():
    rgba = Image.fromarray(np.array([[[200, 0, 0, 255], [200, 0, 0, 0], [0, 0, 0, 51]]], dtype=np.uint8), "RGBA")
    assert opened(rgba).tolist() == [[[200, 0, 0], [255, 255, 255], [204, 204, 204]]]
    grey = Image.fromarray(np.array([[[10, 255], [10, 0]]], dtype=np.uint8), "LA")
    assert opened(grey).tolist() == [[[10] * 3, [255] * 3]]
    palette = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), "P")
    palette.putpalette([250, 0, 0, 0, 250, 0, 0, 0, 250])
    assert opened(palette).tolist() == [[[250, 0, 0], [0, 250, 0], [0, 0, 250]]]
    assert opened(palette, transparency=1).tolist() == [[[250, 0, 0], [255, 255, 255], [0, 0, 250]]]
    assert opened(palette, "GIF", transparency=2)[0, 2].tolist() == [255, 255, 255]
    keyed = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], dtype=np.uint8))
    assert opened(keyed, transparency=(4, 5, 6)).tolist() == [[[1, 2, 3], [255, 255, 255]]]


def test_cmyk():
    ink = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # no cyan, all magenta and yellow: red
    assert opened(ink, "TIFF")[0, 0].tolist() == [255, 0, 0]
    red, green, blue = opened(ink, "JPEG", quality=95)[4, 4].tolist()
    assert red > 245
    assert max(green, blue) < 10


def test_sixteen_bits_are_scaled_to_eight():
    values = np.array([[0, 257 * 3, 257 * 128, 65535]], dtype=np.uint16)
    for kind in ("PNG", "TIFF"):
        assert opened(Image.fromarray(values), kind)[0, :, 0].tolist() == [0, 3, 128, 255]
    big_endian = saved(Image.frombytes("I;16B", (4, 1), values.astype(">u2").tobytes()), "TIFF")
    assert np.asarray(open_photo(big_endian))[0, :, 1].tolist() == [0, 3, 128, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], dtype=np.float32), [0, 128, 255]),
        (np.array([[0.0, 3.0, 255.0]], dtype=np.float32), [0, 3, 255]),
        (np.array([[0.0, 771.0, 65535.0]], dtype=np.float32), [0, 3, 255]),
        (np.array([[-1.0, 0.0, 3.0]], dtype=np.float32), [0, 64, 255]),
        (np.array([[np.nan, 0.2, np.inf]], dtype=np.float32), [0, 51, 0]),
        (np.array([[7.0, 7.0, 7.0]], dtype=np.float32), [7, 7, 7]),
        (np.array([[-5.0, -5.0, -5.0]], dtype=np.float32), [0, 0, 0]),
        (np.array([[0, 9, 255]], dtype=np.int32), [0, 9, 255]),
        (np.array([[0, 771, 65535]], dtype=np.int32), [0, 3, 255]),
        (np.array([[0, 500_000, 1_000_000]], dtype=np.int32), [0, 128, 255]),
    ],
)
def test_floats_and_long_integers(values, expected):
    assert opened(Image.fromarray(values), "TIFF")[0, :, 2].tolist() == expected


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_undone(orientation, kind):
    """Stored turned, with the tag that says so: the photo stands upright again."""
    upright = Image.fromarray(
        np.kron(np.array([[0, 90], [180, 255], [60, 140]], dtype=np.uint8), np.ones((8, 8), np.uint8))
    )
    store = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    stored = upright.convert("RGB")
    for turn in store:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = open_photo(saved(stored, kind, exif=exif, **({"quality": 95} if kind in ("JPEG", "WEBP") else {})))
    assert photo.size == upright.size
    assert np.abs(np.asarray(photo.convert("L")).astype(int) - np.asarray(upright)).max() < 12
    assert photo.getexif().get(0x0112, 1) == 1  # nobody turns it a second time


def test_damaged_exif_does_not_lose_the_photo():
    assert open_photo(saved(noise(), "JPEG", exif=DAMAGED_EXIF)).size == (32, 24)


@pytest.mark.parametrize("value", [0, 9, 77, 255, -3, "6", (6, 6), 6.5])
def test_an_orientation_that_does_not_exist_leaves_the_photo_as_it_is(value, monkeypatch):
    image = noise()
    monkeypatch.setattr(Image.Image, "getexif", lambda self: {0x0112: value})
    assert np.array_equal(opened(image), np.asarray(image))


def test_a_photo_with_a_tag_that_cannot_be_written_again_still_stands_upright():
    """Pillow's own way of turning a photo writes its metadata anew, which fails for some that cameras write."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # orientation 6: turned by a quarter
    strange = struct.pack("<HHI4s", 0x0102, 2, 4, b"AAAA")  # bits per sample, stated as text
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + strange + entry + bytes(4)
    image = noise()
    file = saved(image, "PNG", exif=exif)
    with pytest.raises(struct.error):
        ImageOps.exif_transpose(Image.open(file))
    assert np.array_equal(open_photo(file), image.transpose(Image.Transpose.ROTATE_270))


def test_nothing_of_where_a_photo_was_taken_is_kept():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "camera"
    exif.get_ifd(0x8825)[1] = "N"
    for kind in ("JPEG", "PNG", "TIFF", "WEBP"):
        photo = open_photo(saved(noise(), kind, exif=exif))
        assert (photo.info, dict(photo.getexif())) == ({}, {}), kind


def test_the_first_frame_of_an_animation_and_the_first_page_of_a_tiff():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "TIFF", "PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        file = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert open_photo(file).getpixel((3, 3)) == (255, 0, 0), kind


TEXT = b"this is not a photo at all, only words, " * 40
BAD = {
    "nothing": (b"", "empty"),
    "text": (TEXT, "format that can be read"),
    "html": (b"\n <!DOCTYPE html><html><body>404</body></html>", "web page"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "pdf": (b"%PDF-1.7\n" + TEXT, "PDF"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + TEXT, "HEIC"),
    "ppm": (b"P6 2 2 255\n" + bytes(12), "format that can be read"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "format that can be read"),
    "huge": (png_of(60_000, 60_000), "million pixels"),
    "large": (png_of(10_000, 8_001), "10,000 x 8,001 pixels"),
    "wide": (png_of(2_000_000_000, 1), "million pixels"),
    "lying": (png_of(64, 64, b"\0" * 10), "broken"),
    "jpeg header only": (b"\xff\xd8\xff\xe0" + bytes(40), "broken"),
    "png header only": (b"\x89PNG\r\n\x1a\n" + bytes(40), "broken"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_photo_is_said_in_plain_words(name):
    content, words = BAD[name]
    with pytest.raises(UnreadablePhoto, match=words) as caught:
        open_photo(io.BytesIO(content))
    assert isinstance(caught.value, InputError)
    assert "\n" not in caught.value.reason
    assert caught.value.reason in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_broken(kind, keep):
    whole = saved(noise((200, 150)), kind).getvalue()
    with pytest.raises(UnreadablePhoto, match=r"broken|format that can be read"):
        open_photo(io.BytesIO(whole[: int(len(whole) * keep)]))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_damage_anywhere_gives_a_photo_or_the_one_error(kind):
    """Random bytes changed: nothing but UnreadablePhoto may come out."""
    whole = bytearray(saved(noise((60, 40)), kind).getvalue())
    rng = np.random.default_rng(5)
    outcomes = set()
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 400), rng.integers(1, 8)):
            damaged[place] = rng.integers(0, 256)
        try:
            assert open_photo(io.BytesIO(bytes(damaged))).mode == "RGB"
            outcomes.add("photo")
        except UnreadablePhoto:
            outcomes.add("unreadable")
    assert "unreadable" in outcomes


def test_lab_says_what_to_do():
    lab = ImageCms.applyTransform(
        noise(),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    )
    with pytest.raises(UnreadablePhoto, match="save it as RGB"):
        open_photo(saved(lab, "TIFF"))


def test_the_pixel_cap_stays_below_the_size_at_which_pillow_warns():
    assert MAX_PIXELS < Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("action", ["ignore", "default", "error"])
@pytest.mark.parametrize("side", [9_500, 12_000, 60_000])
def test_too_large_a_photo_is_refused_before_it_is_decoded_whatever_the_warning_filters(side, action, monkeypatch):
    """9,500 squared is above the size at which Pillow warns, 60,000 squared above the one at which it raises."""

    def decoded(self, *arguments):
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter(action)
        with pytest.raises(UnreadablePhoto, match="more than the 80 million pixels"):
            open_photo(io.BytesIO(png_of(side, side)))


def test_importing_and_opening_leave_the_warning_filters_alone():
    code = (
        "import io, warnings, numpy, PIL.Image, PIL.ImageOps\n"
        "PIL.Image.init()\n"
        "before = list(warnings.filters)\n"
        "import interpret.data.photos, interpret.data.datasets, interpret.data.preprocessing\n"
        "file = io.BytesIO()\n"
        "PIL.Image.new('RGB', (8, 8)).save(file, 'JPEG')\n"
        "interpret.data.photos.open_photo(file)\n"
        "assert warnings.filters == before, warnings.filters\n"
        "print('the same')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("the same\n", "")


def test_a_run_shows_none_of_pillows_remarks_on_odd_metadata(tmp_path, capfd):
    (tmp_path / "set").mkdir()
    for index in range(2):
        (tmp_path / "set" / f"{index}.jpg").write_bytes(saved(noise(), "JPEG", exif=DAMAGED_EXIF).getvalue())
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        open_photo(tmp_path / "set" / "0.jpg")
        assert [entry.category for entry in seen] == [UserWarning]  # so that the rest of this test can fail
        before = list(warnings.filters)
        assert main(["run", "--model", "demo", "--images", str(tmp_path / "set"), "--study", str(tmp_path / "s")]) == 0
        assert warnings.filters == before
    assert not [entry for entry in seen[1:] if issubclass(entry.category, UserWarning | Image.DecompressionBombWarning)]
    assert "EXIF" not in capfd.readouterr().err
    assert len(open_study(tmp_path / "s").images) == 2


def test_paths(tmp_path):
    good = tmp_path / "a photo \n with 🦆.png"
    noise().save(good)
    assert open_photo(good).size == open_photo(str(good)).size == (32, 24)
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, words in (
        ("missing.jpg", "no such file"),
        ("folder.jpg", "folder"),
        ("pipe.jpg", "named pipe"),
        ("a\0b", "null"),
    ):
        with pytest.raises(UnreadablePhoto, match=words):
            open_photo(tmp_path / name)


def test_no_file_stays_open_and_nothing_is_printed(tmp_path, capfd):
    noise().save(tmp_path / "good.tif")
    (tmp_path / "bad.tif").write_bytes((tmp_path / "good.tif").read_bytes()[:900])
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112, PTH208
    for _ in range(20):
        open_photo(tmp_path / "good.tif")
        with pytest.raises(UnreadablePhoto):
            open_photo(tmp_path / "bad.tif")
    if before:
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    assert capfd.readouterr() == ("", "")
