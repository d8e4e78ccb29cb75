"""The password of a server: compared in constant time, asked once a session, slower after wrong ones."""

import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

FREE = 3
"""Wrong passwords from one address before the next has to wait (count)."""

LONGEST = 60.0
"""Longest wait (seconds)."""

_REMEMBERED = 10_000  # addresses
_KEY = secrets.token_bytes(32)  # a restart of the server asks again


def expected() -> str:
    """The password: ``UNITSCOPE_PASSWORD``; empty where none is asked for."""
    return os.environ.get("UNITSCOPE_PASSWORD", "")


def is_right(given: str) -> bool:
    """Whether this is the password; how long it takes does not tell how much of it is right."""
    return hmac.compare_digest(given.encode(errors="replace"), expected().encode(errors="replace"))


def proof(token: str) -> str:
    """What the cookie of a browser holds that gave the password: it holds for this token, password and server."""
    return hmac.new(_KEY, f"{token}\0{expected()}".encode(errors="replace"), hashlib.sha256).hexdigest()


def is_proof(given: str | None, token: str | None) -> bool:
    """Whether :func:`proof` made this for the token."""
    return bool(given and token) and hmac.compare_digest(
        str(given).encode(errors="replace"), proof(str(token)).encode()
    )


class Attempts:
    """Wrong passwords by address: after :data:`FREE` of them, the wait doubles with each up to :data:`LONGEST`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until the next password from this address is looked at; 0 for now."""
        _, until = self._wrong.get(_network(address), (0, 0.0))
        return max(0.0, until - self._clock())

    def wrong(self, address: str) -> None:
        """Count a wrong password."""
        network = _network(address)
        count = self._wrong.pop(network, (0, 0.0))[0] + 1
        pause = min(LONGEST, 2.0 ** min(count - FREE, 10)) if count >= FREE else 0.0
        self._wrong[network] = (count, self._clock() + pause)
        if len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """Forget the wrong ones."""
        self._wrong.pop(_network(address), None)


def _network(address: str) -> str:
    """The address, or of IPv6 its network: one machine has as many addresses there as it likes."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
