"""The errors that a person can mend: their text is shown as it is, without a traceback."""


class InputError(ValueError):
    """Something given from outside does not fit; the message is one sentence that says what, where, and what to do.

    The command line prints the message on standard error and exits with status 2; the dashboard shows it in place.
    """


class ExplosionError(InputError):
    """Mining would find more itemsets than are allowed.

    Attributes:
        support: the smallest support (fraction) that is known to pass; None where none is.
        max_size: where no support passes, how large itemsets may be (count of units); None where that is not known.
    """

    def __init__(self, text: str, support: float | None = None, max_size: int | None = None) -> None:
        super().__init__(text)
        self.support = support
        self.max_size = max_size
