"""The errors that a person can mend: their text is shown as it is, without a traceback."""


class InputError(ValueError):
    """Something given from outside does not fit; the message is one sentence that says what, where, and what to do.

    The command line prints the message on standard error and exits with status 2; the dashboard shows it in place.
    """
