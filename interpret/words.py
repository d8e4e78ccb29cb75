"""Words with their numbers, as the command line and the dashboard write them."""


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 photo`, `2,000 photos`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
