"""What one case of the attack did, and what came of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tried:
    """One case.

    Attributes:
        said: what was done, in a few words.
        failed: what came of it and must not; nothing if the case held.
        sums: what the case counts as, a few words each, such as ``evaluate: as before``.
    """

    said: str
    failed: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)
