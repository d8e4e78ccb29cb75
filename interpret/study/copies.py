"""Copies of the photos inside the study, so that it opens complete on another machine."""

from dataclasses import asdict

from interpret.files import new_file
from interpret.progress import Callback, Progress
from interpret.study import digests
from interpret.study.digests import FileDigest
from interpret.study.schema import PACKED
from interpret.study.study import Study


def pack(study: Study, side: int, progress: Callback) -> tuple[int, int]:
    """Copy every photo into the study, as a JPEG whose longer side is at most ``side`` pixels.

    Copies that are there stay, unless they are damaged; their digests are kept beside them.

    Returns:
        How many photos have a copy now, and how many were not found or cannot be read (counts).
    """
    folder = study.folder / PACKED
    folder.mkdir(exist_ok=True)
    listed = dict(study.copies)
    copied = missing = 0
    total = len(study.images)
    for image_id in range(total):
        target = folder / f"{image_id}.jpg"
        known = listed.get(target.name)
        if not target.exists() or (known is not None and digests.difference(target, known)):
            photo = study.photo(image_id)
            if photo is None:
                missing += 1
                continue
            photo.thumbnail((side, side))
            with new_file(target) as file:
                photo.save(file, format="JPEG", quality=92)
            known = None
        listed[target.name] = known or FileDigest.of(target)
        copied += 1
        progress(Progress("Copying photos", image_id + 1, total, missing))
    digests.write_known({name: asdict(digest) for name, digest in listed.items()}, folder)
    return copied, missing
