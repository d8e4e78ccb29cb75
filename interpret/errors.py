"""Errors that the user can fix: their text is shown as it is, without a traceback."""


class InputError(ValueError):
    """Invalid input; the message is one sentence that says what is wrong, where, and what to do instead.

    The command line prints the message on standard error and exits with status 2; the dashboard shows it in place.
    """


class DamagedError(InputError):
    """A file of a study is missing, or is not what was written: nothing that would be computed without it is shown."""


class ExplosionError(InputError):
    """Mining would find more itemsets than are allowed.

    Attributes:
        support: the smallest support (fraction) that is known to be feasible; None if none is known.
        max_size: the largest size of itemsets (count of units) that is feasible where no support is; None if unknown.
    """

    def __init__(self, text: str, support: float | None = None, max_size: int | None = None) -> None:
        super().__init__(text)
        self.support = support
        self.max_size = max_size
