"""A report put together: what was found, measured and skipped, as far as the study has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from interpret.config import MineConfig, ReportConfig
from interpret.errors import InputError
from interpret.evaluation.kept_effects import Effects, keep
from interpret.figures.accuracy_lines import accuracy_lines
from interpret.findings import Findings
from interpret.glossary import GLOSSARY, REFERENCES, citation
from interpret.progress import MEASURING, Callback, Progress, silent
from interpret.report import measured, recipe
from interpret.report.found import Found
from interpret.report.galleries import Galleries
from interpret.report.render import clean, render
from interpret.study import Study
from interpret.study.names_file import read_names
from interpret.words import short_names

T = TypeVar("T")

UNUSED = ("Mended, broken", "p by shuffling", "Resamples", "Redundant")
"""Terms of the dashboard that a report has no use for."""

RESERVE = 50_000
"""Bytes of the file that pictures bring with them besides their own: links to galleries, and how many were left out."""

SKIPPED = 30
"""Files listed as skipped (count)."""


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        html: the file's content.
        findings: with a gallery (count).
        left_out: galleries that the file has no room for (count).
        problems: what is missing or damaged, a sentence each; the file says them too.
    """

    html: bytes
    findings: int
    left_out: int
    problems: tuple[str, ...]


def make_report(
    study: Study,
    config: ReportConfig,
    *,
    mine: MineConfig | None = None,
    findings: Findings | None = None,
    device: str = "auto",
    problems: Sequence[str] = (),
    progress: Callback = silent,
) -> Report:
    """A study as one HTML file. The same study and options give the same bytes.

    What the study lacks, or what is damaged in it, is said in the file. What ablating the itemsets costs is
    measured and kept in the study, unless it is there.

    Args:
        study: the study.
        config: how much to show.
        mine: options of mining; the study's own if None.
        findings: what was mined with them, if it is at hand.
        device: where to compute.
        problems: what is known to be wrong, a sentence each.
        progress: called as each stage advances.

    Raises:
        InputError: the words alone are larger than the file may be.
    """
    said = [*problems]
    mine = mine or study.mine_config
    names = [clean(name) for name in short_names(study.class_names)]
    progress(Progress("Reading the findings", 0, 0))
    found = findings or _tried(lambda: _findings(study, mine), said)
    evaluations, refused = measured.evaluations(study)
    said += refused
    shown: Found | None = None
    effects: Effects | None = None
    if found is not None:
        progress(Progress(MEASURING, 0, 0))
        effects = _tried(lambda: keep(found, device=device), said, "What ablating the itemsets costs is not known: ")
        called = _tried(lambda: read_names(study), said)
        shown = _tried(lambda: Found.of(found, config, effects, names, called=called), said)
    held_out = _tried(lambda: measured.held_out(study), said) or ()
    evaluation = evaluations[0] if evaluations else None
    curves = evaluation and accuracy_lines(evaluation.table, float(evaluation.about["accuracy"]))
    colours = {f"m{place}": line.colour for place, line in enumerate(curves.lines if curves else ())}
    lines = recipe.commands(study, mine, config, held_out, evaluation)
    facts = {
        "study": study,
        "mine": mine,
        "config": config,
        "counts": _tried(lambda: study.counts, said),
        "accuracy": _tried(lambda: measured.accuracy(study), said),
        "summary": shown and shown.summary(),
        "effects": effects if shown and shown.effects else None,
        "evaluation": evaluation,
        "evaluated_on": evaluation and measured.source_of(evaluation, held_out),
        "table": evaluation and measured.table_rows(evaluation),
        "equal": evaluation and measured.equal_rows(evaluation),
        "curves": curves,
        "evaluations": len(evaluations),
        "skipped": _tried(lambda: _skipped(study), said),
        "settings": recipe.settings(study, mine),
        "commands": lines,
        "uploaded": any(recipe.UPLOADED in words for _, words in lines),
        "glossary": [(word, meaning) for word, meaning in GLOSSARY if word not in UNUSED],
        "references": REFERENCES,
        "citation": citation(),
    }
    facts["problems"] = problems = tuple(dict.fromkeys(_portable(sentence, study) for sentence in said))
    if shown is None:
        empty: dict[str, Any] = {
            "headline": None,
            "shared": [],
            "shared_cards": [],
            "sections": [],
            "galleries": Galleries(),
        }
        return Report(render(colours, **facts, **empty), 0, 0, problems)
    colours |= shown.colours
    words = len(render(colours, **facts, **_findings_of(shown)))
    room = config.megabytes * 1_000_000 - words - RESERVE
    if room < 0:
        raise InputError(
            f"The words and tables of this report take {words / 1e6:.1f} MB, and --megabytes is {config.megabytes}; "
            "give more, or ask for fewer --classes or --rows."
        )
    shown = shown.drawn(room, progress)
    progress(Progress("Writing the report", 0, 0))
    pictured = _findings_of(shown)
    cards = [*pictured["shared_cards"], *(card for section in pictured["sections"] for card in section.cards)]
    return Report(
        render(colours, **facts, **pictured),
        sum(finding.pictured for finding in [pictured["headline"], *cards] if finding),
        shown.galleries.left_out,
        problems,
    )


def _findings_of(shown: Found) -> dict[str, Any]:
    """What the template shows of the findings."""
    shared, shared_cards = shown.shared()
    return {
        "headline": shown.headline(),
        "shared": shared,
        "shared_cards": shared_cards,
        "sections": shown.sections(),
        "galleries": shown.galleries,
    }


def _tried(make: Callable[[], T], problems: list[str], what: str = "") -> T | None:
    """What ``make`` gives; None, with ``what`` and the reason added to ``problems``, if the study does not have it."""
    try:
        return make()
    except InputError as error:
        problems.append(f"{what}{error}")
        return None


def _portable(sentence: str, study: Study) -> str:
    """A sentence that names the study's folder as it is called, not where it is on this machine."""
    return clean(sentence.replace(str(study.folder), study.name), 600)


def _findings(study: Study, mine: MineConfig) -> Findings:
    findings = Findings.of(study, mine)
    _ = findings.table
    return findings


def _skipped(study: Study) -> tuple[int, list[tuple[str, str]]]:
    """How many files were skipped, and the first of them with the reason."""
    first = study.skipped.head(SKIPPED)
    rows = zip(first["path"].tolist(), first["reason"].tolist(), strict=True)
    return len(study.skipped), [(clean(path, 160), clean(reason, 300)) for path, reason in rows]
