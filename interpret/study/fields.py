"""The fields of a JSON object, each checked for its type and range when it is read."""

from collections.abc import Mapping
from typing import Any

from interpret.errors import InputError

SHOWN = 60
"""Characters of a value that does not fit which an error quotes (count)."""


class Fields:
    """An object of a JSON file. Every reader below raises :class:`ValueError` that says which field does not fit."""

    def __init__(self, content: Any, where: str = "") -> None:
        """Take the object.

        Args:
            content: what JSON gave.
            where: the object's own name within the file, with a full stop; empty for the whole file.
        """
        if not isinstance(content, dict):
            raise ValueError(f"{where.rstrip('.') or 'its content'} is {_quoted(content)}, not an object")
        self.content: dict[str, Any] = content
        self.where = where

    def __contains__(self, name: str) -> bool:
        return name in self.content

    def section(self, name: str) -> "Fields":
        """An object within the object."""
        return Fields(self._value(name), f"{self.where}{name}.")

    def text(self, name: str) -> str:
        """Text that is not empty and can be printed and written."""
        value = self._value(name)
        if not is_text(value) or not value:
            raise self._misfit(name, "text")
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of at least one text; single ones may be empty."""
        value = self._value(name)
        if not isinstance(value, list | tuple) or not value or not all(is_text(each) for each in value):
            raise self._misfit(name, "a list of texts")
        return tuple(value)

    def text_or_none(self, name: str) -> str | None:
        """As :meth:`text`; None where the field is absent or null."""
        return None if self.content.get(name) is None else self.text(name)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise self._misfit(name, "true or false")
        return value

    def whole(self, name: str, low: int = 0, high: int = 2**53) -> int:
        """A whole number within bounds, which are allowed themselves."""
        value = self._value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._misfit(name, f"a whole number from {low:,} to {high:,}")
        return value

    def number(self, name: str, low: float = 0.0, high: float = 1e15) -> float:
        """A number within bounds, which are allowed themselves; no NaN."""
        value = self._value(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise self._misfit(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def tuple_of(self, name: str, kind: type, length: int, low: float, high: float) -> tuple[Any, ...]:
        """A list of so many numbers, all of one kind (``int`` or ``float``) and within bounds."""
        value = self._value(name)
        if not isinstance(value, list | tuple) or len(value) != length:
            raise self._misfit(name, f"a list of {length} numbers")
        fields = Fields({str(place): each for place, each in enumerate(value)}, f"{self.where}{name}.")
        if kind is int:
            return tuple(fields.whole(place, int(low), int(high)) for place in fields.content)
        return tuple(fields.number(place, low, high) for place in fields.content)

    def options(self, name: str, kind: type, missing: Mapping[str, Any] | None = None, **nested: Any) -> Any:
        """A configuration of :mod:`interpret.config`, checked by itself.

        Args:
            name: the field; empty for the object itself.
            kind: the configuration's class.
            missing: values of options that an earlier version did not have, where they are not the defaults.
            nested: configurations within it, read already.
        """
        section = self.section(name) if name else self
        try:
            return kind(**{**(missing or {}), **section.content, **nested})
        except InputError as error:
            raise ValueError(f"in {section.where.rstrip('.')}: {str(error).rstrip('.')}") from error
        except TypeError as error:
            unknown = str(error).rpartition("argument")[2].strip(" :") or "a field"
            raise ValueError(f"{section.where}{unknown} is unknown or missing") from error

    def _value(self, name: str) -> Any:
        if name not in self.content:
            raise ValueError(f"{self.where}{name} is missing")
        return self.content[name]

    def _misfit(self, name: str, wanted: str) -> ValueError:
        return ValueError(f"{self.where}{name} is {_quoted(self.content[name])}, not {wanted}")


def is_text(value: Any) -> bool:
    """Whether a value is text that can be encoded and holds no null character."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _quoted(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
