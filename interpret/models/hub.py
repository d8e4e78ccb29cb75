"""Files of the Hugging Face Hub: from its cache, or downloaded into it, announced with their size."""

from pathlib import Path

from interpret.data.downloads import Announce
from interpret.errors import InputError

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Files of weights, the one that is taken first in front."""


def weights(
    repository: str,
    revision: str | None,
    announce: Announce | None,
    name: str | None = None,
    by_hand: Path | None = None,
) -> Path:
    """The file of a repository's weights; arguments and errors as for :func:`download`.

    Args:
        repository: likewise.
        revision: likewise.
        announce: likewise.
        name: of the file; the first of :data:`WEIGHTS` that there is if None.
        by_hand: likewise.
    """
    names = (name,) if name else WEIGHTS
    for each in names[:-1]:
        found = _cached(repository, each, revision)
        if found is not None or _exists(repository, each, revision):
            return found or download(repository, each, revision, announce, by_hand)
    last = names[-1]
    if len(names) > 1 and _cached(repository, last, revision) is None and not _exists(repository, last, revision):
        last = names[0]  # the sentence names the file that is most likely there
    return download(repository, last, revision, announce, by_hand)


def download(
    repository: str,
    name: str,
    revision: str | None = None,
    announce: Announce | None = None,
    by_hand: Path | None = None,
) -> Path:
    """A file of a repository, from the cache of huggingface_hub or downloaded into it; a download goes on where it was.

    Args:
        repository: ``USER/REPO``.
        name: of the file.
        revision: a branch, tag or commit; the main branch if None.
        announce: called with one line before a download starts.
        by_hand: where a file that was brought by hand is looked for, for the sentence.

    Raises:
        InputError: it is not in the cache and can't be downloaded; the sentence says which file to put where.
    """
    import huggingface_hub
    from huggingface_hub.errors import HFValidationError

    try:
        found = _cached(repository, name, revision)
        if found is not None:
            return found
        address = huggingface_hub.hf_hub_url(repository, name, revision=revision)
    except HFValidationError:
        raise InputError(f"{repository!r} is no name of a repository; give hf-hub:USER/REPO.") from None
    try:
        size = huggingface_hub.get_hf_file_metadata(address, timeout=10).size
        if announce is not None:
            announce(f"Downloading {name} of {repository}{f' ({size / 1e6:.1f} MB)' if size else ''} from {address}")
        return Path(huggingface_hub.hf_hub_download(repository, name, revision=revision))
    except Exception as error:  # of the network, of its libraries, of the disk: many kinds
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160].rstrip(".:")
        there = (
            f"put it into {by_hand.parent} as {by_hand.name}"
            if by_hand is not None
            else ("put it beside config.json into a folder, which --model takes")
        )
        raise InputError(
            f"{name} of {repository} could not be downloaded ({reason}); get it from {address} on a machine that has a "
            f"network and {there}."
        ) from None


def _cached(repository: str, name: str, revision: str | None) -> Path | None:
    import huggingface_hub

    found = huggingface_hub.try_to_load_from_cache(repository, name, revision=revision)
    return Path(found) if isinstance(found, str) else None


def _exists(repository: str, name: str, revision: str | None) -> bool:
    import huggingface_hub

    try:
        return huggingface_hub.file_exists(repository, name, revision=revision)
    except Exception:  # there is no network; the download says so
        return False
