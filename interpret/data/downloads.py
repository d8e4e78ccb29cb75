"""Download one file: announced, checked, cached, and never left half written."""

import hashlib
import http.client
import os
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from interpret.errors import InputError

Announce = Callable[[str], None]
# Seconds to wait for an answer, or for the next block, before the download fails.
TIMEOUT = 10.0


def fetch(
    url: str,
    target: Path,
    *,
    checksum: str,
    algorithm: str = "sha256",
    size: str = "",
    announce: Announce | None = None,
) -> Path:
    """Return ``target``, downloaded if it does not exist; its checksum is compared in either case.

    Args:
        url: the file's address.
        target: where the file is kept.
        checksum: hexadecimal digits that the file's digest begins with.
        algorithm: the digest's, as hashlib names it.
        size: how large the download is, for the announcement, such as ``340 MB``.
        announce: called with one line before a download starts.

    Raises:
        InputError: the download fails, or the file is not the expected one; the sentence says which file to put where.
    """
    if target.exists():
        if not file_digest(target, algorithm).startswith(checksum):
            raise InputError(
                f"{target} is not the file at {url} (its {algorithm} does not begin with {checksum}); "
                "delete it, or put the right one in its place."
            )
        return target
    if announce is not None:
        announce(f"Downloading {target.name}{f' ({size})' if size else ''} from {url} to {target.parent}")
    partial: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.new(algorithm)
        request = urllib.request.Request(url, headers={"User-Agent": "unitscope"})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            partial = Path(name)
            with os.fdopen(handle, "wb") as file:
                while block := answer.read(1 << 20):
                    digest.update(block)
                    file.write(block)
        if not digest.hexdigest().startswith(checksum):
            raise InputError(
                f"The file from {url} is not {target.name} (its {algorithm} does not begin with {checksum}); "
                f"try again, or put the file into {target.parent} by hand."
            )
        partial.chmod(0o644)
        partial.replace(target)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        reason = getattr(reason, "strerror", None) or reason
        raise InputError(
            f"{target.name} could not be downloaded ({reason}); "
            f"get it from {url} on a machine that has a network and put it into {target.parent}."
        ) from None
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)
    return target


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """The hexadecimal digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
