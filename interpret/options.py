"""How an option is described: its type, default, bounds and one line of help; checked, and read from text.

:mod:`interpret.config` describes every option of the project once in this way. The command line's arguments and the
dashboard's controls are made from the descriptions.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from interpret.errors import InputError

_KINDS = {int: "a whole number", float: "a number", str: "text", bool: "True or False"}


@dataclass(frozen=True)
class Option:
    """The description of one field of a configuration.

    Attributes:
        name: the field's name; the command line writes it with dashes.
        kind: the type of one value: ``int``, ``float``, ``str`` or ``bool``.
        default: the default value; None where the option may stay unset, ``dataclasses.MISSING`` where it is required.
        help: one line.
        low: the smallest value allowed; no bound if None.
        high: the largest value allowed; no bound if None.
        choices: the values allowed; any if empty.
        many: whether the option holds a tuple of values; every one of them is checked.
        python_only: whether the option is set from Python only; command line and dashboard do not offer it.
    """

    name: str
    kind: type
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    many: bool = False
    python_only: bool = False

    def check(self, value: Any) -> None:
        """Raise :class:`InputError` if ``value`` has another type, is out of bounds or is not among the choices.

        An ``int`` is accepted as a ``float``; a ``bool`` is not accepted as a number.
        """
        if value is None:
            if self.default is not None:
                raise InputError(f"--{self.flag} needs a value: {self.help}")
        elif not self.many:
            self._check_one(value)
        elif not isinstance(value, tuple) or not value:
            raise InputError(f"--{self.flag} is {value!r}; give a tuple of at least one value.")
        else:
            for each in value:
                self._check_one(each)

    def _check_one(self, value: Any) -> None:
        allowed: Any = (int, float) if self.kind is float else self.kind
        if not isinstance(value, allowed) or (isinstance(value, bool) and self.kind is not bool):
            raise InputError(
                f"--{self.flag} is {value!r} ({type(value).__name__}); give {_KINDS[self.kind]} ({self.kind.__name__})."
            )
        if isinstance(value, str) and "\0" in value:  # no path or name on any system, and an error deep inside
            raise InputError(f"--{self.flag} is {value!r}; leave out the NUL character.")
        if self.choices and value not in self.choices:
            raise InputError(f"--{self.flag} is {value!r}; choose one of {', '.join(self.choices)}.")
        if value != value:  # NaN
            raise InputError(f"--{self.flag} is not a number.")
        if self.low is not None and value < self.low:
            raise InputError(f"--{self.flag} is {value}; the smallest value allowed is {self.low}.")
        if self.high is not None and value > self.high:
            raise InputError(f"--{self.flag} is {value}; the largest value allowed is {self.high}.")

    def parse(self, text: str) -> Any:
        """Return the value that ``text`` stands for, checked; many values are separated by commas.

        Raises:
            InputError: the text does not fit.
        """
        value = tuple(self._parse_one(part) for part in text.split(",")) if self.many else self._parse_one(text)
        self.check(value)
        return value

    def _parse_one(self, text: str) -> Any:
        if self.kind is str:
            return text
        if self.kind is bool:
            return {"true": True, "false": False}.get(text.strip().lower(), text)
        try:
            return self.kind(text)
        except ValueError:
            raise InputError(f"--{self.flag} is {text!r}; give {_KINDS[self.kind]}.") from None

    def words(self, value: Any) -> list[str]:
        """The words that give ``value`` on the command line; none for None."""
        if value is None:
            return []
        if self.kind is bool:
            return [f"--{self.flag}" if value else f"--no-{self.flag}"]
        return [f"--{self.flag}", ",".join(str(each) for each in value) if self.many else str(value)]

    @property
    def flag(self) -> str:
        """The option's name on the command line, without the two dashes."""
        return self.name.replace("_", "-")


def option(
    default: Any,
    help: str,
    *,
    kind: type | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    python_only: bool = False,
) -> Any:
    """Return a dataclass field that carries its description; a tuple as the default makes an option of many values."""
    many = isinstance(default, tuple)
    kind = kind or type(default[0] if many else default)
    described = Option("", kind, default, help, low, high, choices, many, python_only)
    return field(default=default, metadata={"option": described})


def options(config: Any, *, python_only: bool = False) -> Iterator[Option]:
    """Yield the described options of a configuration class or instance, in the order in which they are written.

    Args:
        config: the class or instance.
        python_only: whether to yield those too that are set from Python only.
    """
    for item in dataclasses.fields(config):
        described: Option | None = item.metadata.get("option")
        if described is not None and (python_only or not described.python_only):
            yield dataclasses.replace(described, name=item.name)


class Checked:
    """Checks every described field when an instance is made."""

    def __post_init__(self) -> None:
        for described in options(self, python_only=True):
            described.check(getattr(self, described.name))
