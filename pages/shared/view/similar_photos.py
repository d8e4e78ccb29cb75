"""The photos of the study that are most like the one explained in their units, as a strip."""

import html

from interpret import frames
from interpret.explanation.photo import PhotoExplanation
from interpret.findings import Findings, photo_transactions, similar_photos
from interpret.findings.similar_photos import SimilarRow
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import address
from pages.shared.view import patch_gallery, photo_picker, widgets

ACROSS = 6
"""Photos that fit side by side (count)."""


def show(findings: Findings, photo: PickedPhoto, shown: PhotoExplanation) -> None:
    """Show the photos that share most units with the one explained; a click explains one of them.

    Args:
        findings: of the open study.
        photo: the photo that is explained.
        shown: its explanation.
    """
    study = findings.study
    units = {unit for patch in photo_transactions.transactions(findings, shown, photo.image_id) for unit in patch}
    if not units:
        wording.paragraph("No patch of this photo holds a unit, so that there is nothing to compare.", "small")
        return
    found = similar_photos.similar_photos(findings, units, leave_out=photo.image_id)
    if found.empty:
        wording.paragraph("No other photo of the study has one of its units.", "small")
        return
    target = html.escape(wording.class_text(study, shown.target))
    term = wording.term("transaction", "transactions")
    wording.paragraph(
        f"This photo has {wording.count(len(units), 'unit')}: those of its patches’ {term} for {target}. Each photo of "
        "the study has those of its own. The percentage is the number of units that both photos have, divided by the "
        "number that at least one of them has (Jaccard similarity): at 100 % they have the same units.",
        "small",
    )
    rows = frames.rows(found, SimilarRow)
    sources = pictures.thumbnails(study, [row.image_id for row in rows], pictures.THUMBNAIL)
    parts = [_tile(findings, row, source) for row, source in zip(rows, sources, strict=True) if source]
    if not parts:
        patch_gallery.missing(study)
        return
    widgets.show([widgets.tiles(parts, "m", strip=ACROSS)], "similar_photos", photo_picker.picked)
    same = sum(int(study.images["predicted"].iloc[row.image_id]) == shown.target for row in rows)
    wording.paragraph(f"{same} of these {wording.count(len(rows), 'photo')} are predicted as {target}.", "small")


def _tile(findings: Findings, row: SimilarRow, source: str) -> widgets.Part:
    """A similar photo."""
    about = patch_gallery.photo_of_tile(findings.study, row.image_id)
    similar, shared = wording.percent(row.similarity), f"{row.shared} of {row.either} units"
    return widgets.tile(
        source,
        f"photo {row.image_id}, {similar} similar: {shared} in both, predicted as {about.said}",
        name=about.name,
        note=f"{similar}, {shared}",
        colour=about.colour,
        mark=about.mark,
        title=f"{similar} similar: {shared} in both; why this one is predicted as {about.said}",
        href=address.link("explain", image=row.image_id)["href"],
        act={"image": row.image_id},
    )
