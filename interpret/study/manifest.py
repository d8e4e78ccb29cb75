"""The manifest of a study: every field with its type and range, checked as a whole when a study is opened.

The fields of :class:`Manifest` document the file. It ends with a digest of itself, and holds those of the study's other
files, since version 3; earlier ones have neither, and are checked for types, ranges and counts only.
"""

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from interpret.config import Arithmetic, ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.files import write_json
from interpret.study.codes import Codes
from interpret.study.digests import LENGTH, FileDigest
from interpret.study.fields import Fields
from interpret.study.schema import ALWAYS, FILES, FIRST_WITH_DIGESTS, READABLE

NAME = "manifest.json"

LARGEST = 1 << 20
"""Bound on units and on the sides of a network's input (count, pixels): beyond any network, within any memory."""


@dataclass(frozen=True)
class Counts:
    """How much a study holds (counts)."""

    images: int
    patches: int
    skipped: int
    images_without_patch: int
    labelled: int
    classes_predicted: int
    contrast_patches: int = 0

    @classmethod
    def read(cls, fields: Fields) -> "Counts":
        """From a manifest's ``counts``; version 1 has no contrast patches."""
        names = [name for name in cls.__dataclass_fields__ if name != "contrast_patches" or name in fields]
        return cls(**{name: fields.whole(name) for name in names})


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` says.

    Attributes:
        schema_version: of the folder's format, one of :data:`interpret.study.schema.READABLE`.
        key: digest of everything that the extraction depends on.
        created: date and time in UTC, ISO 8601.
        config: every option of the run.
        model: the network's name.
        wrapped: whether the network was given from Python; None where version 0.9 wrote the file.
        network_class: the class of the network; None likewise.
        weights_digest: of the network's weights.
        weights_source: where the weights came from, in words.
        layer: the module whose output channels are the units.
        n_units: K (count).
        class_names: of each of the C outputs.
        preprocessing: how a photo becomes the network's input.
        precision: number type of the backbone.
        arithmetic: how the network computed; that of former versions where the file does not say it.
        device: type of device.
        images_root: the folder that the photos' paths are relative to.
        fingerprint: of the photos.
        former_fingerprint: the one of version 0.9; None where that version wrote the file.
        versions: of Python and of the packages that matter, by name.
        counts: None in early files that do not have them.
        seconds: how long the run took; None likewise.
        shards_resumed: shards that an interrupted run had left (count); None likewise.
        files: size and digest of the study's files, by name; None before version 3.
        codes: the code whose latents are the units; None where these are channels or halves of them.
    """

    schema_version: int
    key: str
    created: str
    config: RunConfig
    model: str
    wrapped: bool | None
    network_class: str | None
    weights_digest: str
    weights_source: str
    layer: str
    n_units: int
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    precision: str
    arithmetic: Arithmetic
    device: str
    images_root: str
    fingerprint: str
    former_fingerprint: str | None
    versions: dict[str, str]
    counts: Counts | None
    seconds: float | None
    shards_resumed: int | None
    files: dict[str, FileDigest] | None
    codes: Codes | None = None

    @classmethod
    def read(cls, content: Any, *, finished: bool = True) -> "Manifest":
        """From the content of the file.

        Args:
            content: what JSON gave.
            finished: whether the digests of the study's files must be there.

        Raises:
            ValueError: a field is missing or does not fit; the text says which, without a full stop.
        """
        fields = Fields(content)
        version = fields.whole("schema_version", READABLE[0], READABLE[-1])
        config, weights, versions = fields.section("config"), fields.section("weights"), Fields({})
        if "versions" in fields:
            versions = fields.section("versions")
        timings = fields.section("timings") if "timings" in fields else None
        wrapped = fields.flag("wrapped") if "wrapped" in fields else None
        return cls(
            schema_version=version,
            key=fields.text("key"),
            created=_date(fields),
            config=config.options(
                "",
                RunConfig,
                {"hold_out": 0.0},
                model=config.options("model", ModelConfig),
                extract=config.options("extract", ExtractConfig, {"contrast": 0}),
                mine=config.options("mine", MineConfig),
            ),
            model=fields.text("model"),
            wrapped=wrapped,
            network_class=fields.text("network_class") if wrapped else fields.text_or_none("network_class"),
            weights_digest=weights.text("digest"),
            weights_source=weights.text("source"),
            layer=fields.text("layer"),
            n_units=fields.whole("n_units", 1, LARGEST),
            class_names=fields.texts("class_names"),
            preprocessing=_preprocessing(fields.section("preprocessing")),
            precision=fields.text("precision"),
            arithmetic=read_arithmetic(fields),
            device=fields.text("device"),
            images_root=fields.text("images_root"),
            fingerprint=fields.text("fingerprint"),
            former_fingerprint=fields.text_or_none("former_fingerprint"),
            versions={name: versions.text(name) for name in versions.content},
            counts=Counts.read(fields.section("counts")) if "counts" in fields else None,
            seconds=timings.number("seconds") if timings and "seconds" in timings else None,
            shards_resumed=timings.whole("shards_resumed") if timings and "shards_resumed" in timings else None,
            files=_files(fields) if finished and version >= FIRST_WITH_DIGESTS else None,
            codes=Codes.read(fields.section("codes")) if "codes" in fields else None,
        )

    @property
    def channels(self) -> int:
        """Of the layer, whatever the units are made of them (count)."""
        if self.codes is not None:
            return self.codes.channels
        return self.n_units // 2 if self.config.model.signed else self.n_units

    @cached_property
    def given_from_python(self) -> str | None:
        """The class of a network that was given from Python; None if the network was loaded by its name."""
        if self.wrapped is not None:
            return self.network_class if self.wrapped else None
        # a study of version 0.9 states it only in the line on the weights
        stated = re.fullmatch(r"a (\S+) given from Python", self.weights_source)
        return stated[1] if stated else None


def read_arithmetic(fields: Fields) -> Arithmetic:
    """How a network computed, from a manifest or the record of an unfinished run.

    Raises:
        ValueError: a field does not fit.
    """
    if "arithmetic" not in fields:
        return Arithmetic.former(fields.text("precision"))
    said = fields.section("arithmetic")
    return Arithmetic(said.text("precision"), said.flag("folded"), said.number("exact_share", 0.0, 1.0))


def _date(fields: Fields) -> str:
    created = fields.text("created")
    try:
        datetime.datetime.fromisoformat(created)
    except ValueError:
        raise ValueError(f"created is {ascii(created)[:60]}, not a date and time") from None
    return created


def _preprocessing(fields: Fields) -> Preprocessing:
    mean, std = (fields.tuple_of(name, float, 3, low, 1e6) for name, low in (("mean", -1e6), ("std", 0.0)))
    try:
        return Preprocessing(
            size=fields.tuple_of("size", int, 2, 1, LARGEST),
            resize=fields.whole("resize", 1, LARGEST),
            interpolation=fields.text("interpolation"),
            mean=mean,
            std=std,
            whole_if_exact=fields.flag("whole_if_exact") if "whole_if_exact" in fields else True,
        )
    except InputError as error:
        raise ValueError(f"in preprocessing: {str(error).rstrip('.')}") from error


def _files(fields: Fields) -> dict[str, FileDigest]:
    listed = fields.section("files").content
    if not ALWAYS <= listed.keys() <= FILES:
        odd = sorted((ALWAYS - listed.keys()) | (listed.keys() - FILES))
        raise ValueError(f"files lacks or has too much: {ascii(odd[0])[:60]}")
    return {name: FileDigest.read(value) for name, value in listed.items()}


def digest_of(content: Mapping[str, Any]) -> str:
    """The digest that a manifest holds of itself: of all its fields but that one."""
    rest = {name: value for name, value in content.items() if name != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def check_new(content: Mapping[str, Any], folder: Path) -> None:
    """Check what is known of a manifest before a study is made; its digests, counts and timings come last.

    Raises:
        InputError: a field does not fit, such as a class name that is no text.
    """
    try:
        Manifest.read(content, finished=False)
    except ValueError as error:
        raise InputError(f"The study {folder} cannot be made: {error}.") from error


def write_manifest(content: Mapping[str, Any], folder: Path) -> None:
    """Write a manifest into a study's folder, with its digest, in one step.

    Raises:
        OSError: the folder cannot be written to.
    """
    write_json({**content, "digest": digest_of(content)}, folder / NAME)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The content of a study's manifest, checked.

    Raises:
        InputError: the file cannot be read, a field does not fit, the file is not as it was written, or it has another
            version of the format.
    """
    file = folder / NAME
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = Fields(content).whole("schema_version", -(2**53))
        if version not in READABLE:
            raise InputError(
                f"The study {folder} was written in format {version} and this version reads formats {READABLE[0]} to "
                f"{READABLE[-1]}; make it again."
            )
        if version >= FIRST_WITH_DIGESTS and content.get("digest") != digest_of(content):
            raise ValueError("it is not as it was written")
        Manifest.read(content)
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        what = error.strerror if isinstance(error, OSError) else "" if _is_syntax(error) else str(error)
        raise InputError(
            f"The file {file} is damaged{f' ({what})' if what else ''}; put it back, or make the study again."
        ) from error
    return dict(content)


def _is_syntax(error: Exception) -> bool:
    """Whether the text is no JSON at all: what the parser says helps nobody then."""
    return isinstance(error, json.JSONDecodeError | UnicodeError | RecursionError)
