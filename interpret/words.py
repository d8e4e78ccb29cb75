"""Words that the command line and the dashboard share."""


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 photo`, `2,000 photos`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def device(name: str) -> str:
    """A type of device in words: `the CPU`, `the GPU (cuda)`."""
    return "the CPU" if name == "cpu" else f"the GPU ({name})"
