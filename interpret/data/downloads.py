"""Fetch one file from the network: announced, checked, cached; never a partial file."""

import hashlib
import http.client
import os
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from interpret.errors import InputError

Announce = Callable[[str], None]
# Seconds without an answer, or without the next block, after which there is taken to be no network.
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
    """Give the file at ``target``, from the network where it is not there yet; its checksum is compared either way.

    Args:
        url: where it comes from.
        target: where it is kept.
        checksum: hexadecimal digits that its digest begins with.
        algorithm: of the digest, as hashlib names it.
        size: how large the download is, for the announcement.
        announce: called with one line before a download starts.

    Raises:
        InputError: there is no network, or the file is not the one expected; the sentence says which file to put where.
    """
    if target.exists():
        if not file_digest(target, algorithm).startswith(checksum):
            raise InputError(
                f"{target} is not the file that {url} gives (its {algorithm} does not begin with {checksum}); "
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
                f"What {url} gave is not {target.name} (its {algorithm} does not begin with {checksum}); "
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
    """The digest of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
