"""The names that the dashboard answers to: by any other a page elsewhere may have been led here (DNS rebinding)."""

import ipaddress
import os
import re
import socket
from urllib.parse import urlsplit

from streamlit import config


def given() -> set[str]:
    """Names that the server's owner gave; see :func:`allowed`."""
    named = [config.get_option("browser.serverAddress")]
    named += config.get_option("server.allowedHosts") or []
    named += re.split(r"[,\s]+", os.environ.get("UNITSCOPE_HOSTS", ""))
    return {name.lower().rstrip(".") for name in named if name}


def allowed() -> set[str]:
    """Names by which the server may be asked, besides addresses.

    They are ``localhost``, this machine's name, the address that the server was started for, what Streamlit's options
    ``server.allowedHosts`` and ``browser.serverAddress`` say, and ``UNITSCOPE_HOSTS``. ``*.example.org`` stands for all
    names below it, ``*`` for any.
    """
    own = socket.gethostname()
    started_for = (config.get_option("server.address") or "localhost").lower().rstrip(".")
    return {"localhost", own.lower(), f"{own.lower()}.local", started_for, *given()}


def is_allowed(host: str) -> bool:
    """Whether a request with this ``Host`` header is answered.

    An address in numbers always is: nobody can make a browser take it for another server's.
    """
    name = _without_port(host.strip().lower())
    if name is None:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return any(one in (name, "*") or (one.startswith("*.") and name.endswith(one[1:])) for one in allowed())
    return True


def _without_port(host: str) -> str | None:
    """The name or address in a ``Host`` header; None where it is none."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.%]+)\]|([^\s:/@\[\]]+?))\.?(?::\d{1,5})?", host)
    return None if found is None else found[1] or found[2]


def is_own_page(origin: str, host: str) -> bool:
    """Whether a page that asks for a connection is of this very server, by the headers ``Origin`` and ``Host``.

    Streamlit would take pages of any port of this machine for its own, and look up its outer address elsewhere.
    A proxy may change ``Host``: pages of the names that the owner gave are taken too.
    """
    page = urlsplit(origin).netloc.lower()
    name = _without_port(page)
    return page == host.strip().lower() or (name is not None and name not in ("localhost", "*") and name in given())
