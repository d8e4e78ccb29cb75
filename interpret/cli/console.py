"""Where the command line prints: results on standard output, everything else on standard error."""

from rich.console import Console

OUT = Console(markup=False)  # a folder may be called [old]
ERR = Console(stderr=True, markup=False)


def announce(text: str) -> None:
    """Print one line about what is about to be drawn or downloaded."""
    ERR.print(text, highlight=False)
