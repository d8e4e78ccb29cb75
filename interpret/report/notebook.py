"""Findings and their galleries for a notebook: what the last line of a cell shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from interpret.config import MineConfig, ReportConfig
from interpret.errors import InputError
from interpret.evaluation.kept_effects import Effects, keep
from interpret.findings import Findings
from interpret.findings.rows import Units
from interpret.progress import silent
from interpret.report.choice import Chosen
from interpret.report.found import Found
from interpret.report.render import clean, render_view
from interpret.report.shown import Finding
from interpret.study import Study
from interpret.study.names import Names
from interpret.study.names_file import read_names
from interpret.words import itemset_text, percent, short_names

OF_A_CLASS = 3
"""Class-specific findings of each class in the overview (count)."""


@dataclass(frozen=True)
class View:
    """A part of a page. Jupyter shows it as such, and everything else as its text.

    Attributes:
        html: a `div` with its own style, without scripts and with its pictures in it.
        text: what it shows first, in a line.
    """

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def view(
    study: Study,
    units: int | Sequence[int] | None = None,
    *,
    mine: MineConfig | None = None,
    patches: int = 6,
    rows: int = 12,
    device: str = "auto",
) -> View:
    """The finding to show first with its patches and the best others in tables; or one set of units.

    What ablating the itemsets costs is measured and kept in the study, unless it is there.

    Args:
        study: from :func:`interpret.open_study` or :func:`interpret.run`.
        units: a unit or a frequent set of units; None for the overview.
        mine: options of mining; the study's own if None.
        patches: in a row of a gallery (count).
        rows: findings in each table (count).
        device: where effects are computed.

    Raises:
        InputError: the units are no frequent itemset, a number is out of bounds, or a file of the study is damaged.
    """
    config = ReportConfig(patches=patches, rows=rows, shared=0, specific=0)
    findings = Findings.of(study, mine)
    chosen = None if units is None else _frequent(findings, units)
    problems: list[str] = []
    effects: Effects | None = None
    try:
        effects = keep(findings, device=device)
    except InputError as error:
        problems.append(f"What ablating the itemsets costs is not known: {clean(str(error), 600)}")
    names = [clean(name) for name in short_names(study.class_names)]
    called: Names | None = None
    try:
        called = read_names(study)
    except InputError as error:
        problems.append(clean(str(error), 600))
    found = Found.of(findings, config, effects, names, chosen, called)
    first = found.drawn(config.megabytes * 1_000_000, silent).headline()
    html = render_view(
        found.colours,
        study=study,
        config=config,
        effects=effects if found.effects else None,
        headline=None,
        finding=first,
        problems=problems,
        shared=found.shared()[0],
        specific=[finding for section in found.sections() for finding in section.listed[:OF_A_CLASS]],
    )
    return View(html, _said(first))


def _frequent(findings: Findings, units: int | Sequence[int]) -> Chosen:
    asked: Units = tuple(sorted({units} if isinstance(units, int) else {int(unit) for unit in units}))
    if asked not in findings.id_of:
        wording = f"Unit {asked[0]} is" if len(asked) == 1 else f"Units {itemset_text(asked)} are"
        raise InputError(
            f"{wording} no frequent itemset of {findings.study.name} at a support of "
            f"{percent(findings.config.min_support)}; take those of another finding, or a smaller support."
        )
    of_it = findings.table[findings.table["itemset_id"] == findings.id_of[asked]]
    return asked, tuple(sorted(of_it["class_id"].tolist()))


def _said(finding: Finding | None) -> str:
    if finding is None:
        return "No set of units was found that is frequent in a class."
    classes = ", ".join(f"{each.name} ({percent(each.support)} of its patches)" for each in finding.classes)
    return f"{itemset_text(finding.units)} -> {classes}"
