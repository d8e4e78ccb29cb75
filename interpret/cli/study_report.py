"""A study and its findings, printed."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from interpret import frames, words
from interpret.cli.console import OUT
from interpret.config import MineConfig
from interpret.study.codes import units_in_words

if TYPE_CHECKING:
    import pandas as pd

    from interpret.mining import Mined
    from interpret.study import Study


def print_study(study: "Study", config: MineConfig) -> None:
    """Print a study at a glance: what it is, what was skipped, and what was found."""
    from interpret.mining import mine_study

    counts = study.counts
    lines = Table.grid(padding=(0, 2))
    lines.add_column()
    lines.add_column(overflow="fold")  # a long path is broken, never cut
    lines.add_row("study", str(study.folder))
    lines.add_row("model", f"{study.model}, layer {study.layer}, {units_in_words(study.n_units, study.recorded.codes)}")
    if study.recorded.codes is not None:
        codes = study.recorded.codes
        lines.add_row("codes", f"{codes.path} ({codes.format}; SHA-256 {codes.sha256[:16]}…)")
    lines.add_row("weights", study.weights_source)
    apart = f"; {study.hold_out:.0%} of each large class were set aside, and not mined" if study.hold_out else ""
    lines.add_row("photos", f"{counts.images} from {study.images_root}{apart}")
    accuracy = study.accuracy()
    if accuracy:
        lines.add_row(
            "accuracy", f"{accuracy[0]:.1%} of {accuracy[1]} labelled photos, over all {len(study.class_names)} outputs"
        )
    without = f"; {counts.images_without_patch} photos have none" if counts.images_without_patch else ""
    lines.add_row("patches", f"{counts.patches}{without}")
    skipped = study.skipped
    if len(skipped):
        lines.add_row("skipped", f"{len(skipped)} files (all in {study.folder / 'skipped.parquet'})")
        for path, reason in zip(skipped["path"].head(10), skipped["reason"].head(10), strict=True):
            lines.add_row("", Text(f"{path!r}: {reason}"))
    lines.add_row("precision", f"{study.precision} on {study.device}")
    OUT.print(lines, highlight=False)
    print_findings(study, mine_study(study, config), rows=8)


def print_findings(
    study: "Study", mined: "Mined", rows: int, listed: set[int] | None = None, p_values: "pd.Series | None" = None
) -> None:
    """Print what was found: how much, what classes share, and each class's units.

    Args:
        study: the study.
        mined: its itemsets.
        rows: lines of each list (count).
        listed: ids of the class-shared itemsets to list; all if None.
        p_values: p-value of each itemset from shuffling, by id; not shown if None.
    """
    from interpret.mining import relevance
    from interpret.mining.contrast import MAX_Q, MIN_LIFT, is_supported

    names = study.class_names
    if not len(mined):
        OUT.print(Text("Nothing is frequent at these options; try a smaller --min-support or --min-class-patches."))
        return
    summary = relevance.summary(mined, names)
    units = mined.units
    shared = summary[summary["kind"] == "shared"]
    per_class = units.groupby("class_id").size()
    OUT.print(
        Text(
            f"\n{len(summary)} itemsets: {len(summary) - len(shared)} class-specific, {len(shared)} class-shared. "
            f"{per_class.mean():.1f} relevant units a class on average, over {len(per_class)} classes."
            + (f" Mined on {words.device(mined.device)}." if mined.device else "")
        )
    )
    rules = mined.rules.assign(supported=is_supported(mined.rules)).groupby("itemset_id")
    supported = rules["supported"].all()
    contrast_supports = rules["contrast_support"].agg(["min", "max"])
    if mined.contrast is None:
        OUT.print(
            Text(f"Nothing was tested: the study has no contrast. Add it with `unitscope contrast {study.folder}`.")
        )
    else:
        OUT.print(
            Text(
                f"Against the contrast {int(supported.sum())} of the {len(summary)} are supported: q at most {MAX_Q:g} "
                f"and {MIN_LIFT:g} times as frequent as where other photos are explained for the class, in every class."
            )
        )
    best = shared[shared["units"].map(len) > 1]
    best = best.assign(supported=supported[best["itemset_id"]].to_numpy())
    best = best.sort_values(["supported", "n_classes", "lowest"], ascending=False)
    if listed is not None:
        kept = best[best["itemset_id"].isin(listed)]
        OUT.print(
            Text(f"{len(best) - len(kept)} class-shared itemsets say no more than smaller ones and are left out.")
        )
        best = kept
    if len(best):
        first = "supported ones first, then " if mined.contrast is not None else ""
        OUT.print(Text(f"\nClass-shared, {first}by how many classes and then by the support in the weakest of them"))
        for row in frames.rows(best.head(rows), relevance.SummaryRow):
            line = f"{row.lowest:.0%} to {row.highest:.0%} of their patches"
            if mined.contrast is not None:
                low, high = contrast_supports.loc[row.itemset_id]
                line += f"; {low:.0%} to {high:.0%} where other photos are explained as them"
                line += "" if supported[row.itemset_id] else "; not supported"
            if p_values is not None:
                p = float(p_values[row.itemset_id])
                line += f", p by shuffling {p:.3f}" if p == p else ", too rare to be checked against chance"
            OUT.print(Text(f"  {row.notation}   ({line})"))
    OUT.print(Text("\nRelevant units by class, best first"))
    sizes = dict(zip(mined.class_ids.tolist(), mined.class_sizes.tolist(), strict=True))
    for class_id in per_class.index[:rows]:
        top = units[units["class_id"] == class_id].head(8)
        pairs = zip(top["unit"], top["support"], strict=True)
        listing = ", ".join(f"{unit} ({support:.0%})" for unit, support in pairs)
        OUT.print(Text(f"  {names[class_id]} ({sizes[class_id]} patches): {listing}"))
