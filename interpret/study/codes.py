"""What a manifest says of the sparse codes whose latents are a study's units."""

from dataclasses import dataclass

from interpret.study.fields import Fields

LARGEST = 1 << 20
"""Bound on the layer's channels (count), as on units."""


@dataclass(frozen=True)
class Codes:
    """The code whose latents are a study's units.

    Attributes:
        path: where it was read from; ``demo`` for the demo's own.
        format: in words.
        sha256: of its files, see :mod:`interpret.models.code_files`.
        channels: of the layer (count).
    """

    path: str
    format: str
    sha256: str
    channels: int

    @classmethod
    def read(cls, fields: Fields) -> "Codes":
        """From a manifest's ``codes``."""
        path, said, sha256 = (fields.text(name) for name in ("path", "format", "sha256"))
        return cls(path, said, sha256, fields.whole("channels", 1, LARGEST))


def units_in_words(n_units: int, codes: Codes | None) -> str:
    """How many units a study has, and what they are where they are not channels: ``96 units``."""
    if codes is None:
        return f"{n_units:,} unit{'s' if n_units != 1 else ''}"
    return f"{n_units:,} units, which are latents of sparse codes over its {codes.channels:,} channels"
