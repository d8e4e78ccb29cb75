"""The address under which others reach this dashboard, for a code that a telephone reads."""

import ipaddress
import socket
from urllib.parse import urlencode, urlsplit

from streamlit import config


def of_view(url: str, query: dict[str, str]) -> str | None:
    """The address of a page for another machine; None where the dashboard listens to this machine only.

    The host is ``browser.serverAddress`` where that is set, else the one that the page was asked for by, else, if that
    is this machine's name for itself, the machine's address in its network. The port is ``browser.serverPort`` where
    that is set, else the page's.

    Args:
        url: the page's, as its own browser has it.
        query: parameters.
    """
    page = urlsplit(url)
    named = config.is_manually_set("browser.serverAddress")
    host = config.get_option("browser.serverAddress") if named else page.hostname or "localhost"
    port = config.get_option("browser.serverPort") if config.is_manually_set("browser.serverPort") else page.port
    if not named and is_loopback(host):
        if is_loopback(config.get_option("server.address") or ""):
            return None
        found = in_network()
        if found is None:
            return None
        host = found
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port in (None, {"http": 80, "https": 443}.get(page.scheme)) else f"{shown}:{port}"
    return f"{page.scheme or 'http'}://{netloc}{page.path or '/'}" + (f"?{urlencode(query)}" if query else "")


def is_loopback(host: str) -> bool:
    """Whether a name or address is a machine's name for itself; the empty one, which stands for all, is not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def in_network() -> str | None:
    """This machine's address in its network; None where it is in none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of no machine (RFC 5737): it only chooses a way out
            found = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if is_loopback(found) else found
