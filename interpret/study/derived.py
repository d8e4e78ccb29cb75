"""What is computed from an opened study and asked for again and again, such as an index of its transactions."""

import threading
from collections.abc import Callable, Hashable
from typing import Any

KEPT = 3
"""Values of one name that are kept at a time (count): at other thresholds they are made anew."""


class Derived:
    """Values by key, made when they are first asked for; of each name the :data:`KEPT` asked for last are kept."""

    def __init__(self) -> None:
        self._held: dict[tuple[Hashable, ...], Any] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[Hashable, ...], make: Callable[[], Any]) -> Any:
        """The value of a key, whose first part is its name; ``make`` is called outside of any lock."""
        with self._lock:
            if key in self._held:
                self._held[key] = value = self._held.pop(key)  # the last one asked for comes last
                return value
        value = make()
        with self._lock:
            self._held[key] = value
            same_name = [each for each in self._held if each[0] == key[0]]
            for each in same_name[:-KEPT]:
                del self._held[each]
        return value
