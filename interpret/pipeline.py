"""The stages composed: from a configuration to a mined study on disk."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from interpret.config import RunConfig
from interpret.errors import InputError
from interpret.evaluation import heldout, kept_effects
from interpret.explanation.extraction import extract
from interpret.explanation.ray_pool import RayOptions
from interpret.explanation.study_network import network_of
from interpret.findings import Findings
from interpret.models import Classifier
from interpret.progress import DONE, MEASURING, MINING, Callback, Progress, silent
from interpret.study import Study


def run(
    config: RunConfig,
    folder: str | Path,
    progress: Callback = silent,
    *,
    announce: Callable[[str], None] | None = None,
    classifier: Classifier | None = None,
    roots: Sequence[Path] | None = None,
    ray: RayOptions | None = None,
) -> Study:
    """Make a study, mine it and measure what each itemset costs; resume an interrupted one, or mine a complete one.

    What itemsets cost is measured on the photos that were set aside, if some were, else on those mined.

    Args:
        config: model, photos, extraction and mining options.
        folder: the study's folder.
        progress: called as each stage advances, from the calling thread.
        announce: called with one sentence before anything is downloaded.
        classifier: a network, wrapped by :func:`interpret.models.wrap` or loaded; ``config.model`` is loaded if None.
        roots: folders, resolved, that photos, a checkpoint and a file of class names may be read from; None for any.
        ray: where Ray's workers explain the photos; this process does if None.

    Raises:
        InputError: an option or a file does not fit; what was in ``folder`` before is left as it was.
    """
    if config.mine.top_units > config.extract.stored_units:  # before hours of work, not after them
        raise InputError(
            f"--top-units is {config.mine.top_units}, but --stored-units is {config.extract.stored_units}: no more "
            "units of a patch can be mined than are stored."
        )
    study = extract(config, folder, progress, announce=announce, classifier=classifier, roots=roots, ray=ray)
    study = replace(study, compute_on=config.model.device, roots=None if roots is None else tuple(roots))
    progress(Progress(MINING, 0, 0))
    findings = Findings.of(study, config.mine)
    try:
        _measure(findings, config, progress, announce, classifier)
    except InputError as error:  # the study is complete without
        study.announce(f"What ablating each itemset costs was not measured: {error}")
    progress(Progress(DONE, 1, 1, len(study.skipped)))
    return study


def _measure(
    findings: Findings,
    config: RunConfig,
    progress: Callback,
    announce: Callable[[str], None] | None,
    classifier: Classifier | None,
) -> None:
    """Measure what each itemset costs, on the photos that were set aside if some were."""
    study, device = findings.study, config.model.device
    if study.hold_out:
        classifier = network_of(study, classifier, announce=announce)
        heldout.heldout(
            study,
            study.images_source,
            batch_size=config.batch_size,
            workers=config.workers,
            device=device,
            progress=progress,
            announce=announce,
            classifier=classifier,
        )
    progress(Progress(MEASURING, 0, 0))
    kept_effects.keep(findings, device=device, classifier=classifier)
