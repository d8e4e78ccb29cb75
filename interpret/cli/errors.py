"""The command `errors`: which classes are taken for which, what sets the errors apart, what ablating it mends."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from interpret import frames
from interpret.cli.console import OUT, announce
from interpret.cli.options import IMAGES_HELP, add_options, add_progress_file, add_study, inherited, positive, values_of
from interpret.cli.output import check_output, write_output
from interpret.cli.progress_bar import progress_bar
from interpret.config import MineConfig, ModelConfig, RunConfig
from interpret.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from interpret.evaluation.error_sets import ErrorSets
    from interpret.study import Study


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("errors", help="why is A taken for B? the units behind a confusion, and their effect")
    command.set_defaults(command=_errors)
    add_study(command)
    command.add_argument(
        "--pair",
        nargs=2,
        metavar=("A", "B"),
        help="photos of class A taken for class B; the most frequent if not given",
    )
    command.add_argument("--units", metavar="K,K,...", help="units to ablate; those of the first set if not given")
    command.add_argument(
        "--images", metavar="DIR", help=f"photos to measure on: {IMAGES_HELP}; those of `evaluate` if not given"
    )
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="write the units (FILE.json) or all sets of the pair (FILE.csv)"
    )
    command.add_argument("--rows", type=positive, default=10, help="pairs and sets to print (default 10)")
    add_progress_file(command)
    add_options(command, RunConfig, only=("limit", "batch_size", "workers"))
    add_options(command, ModelConfig, only=("device",))
    add_options(command, MineConfig, only=("top_units", "min_support", "max_size", "max_itemsets"), inherit=True)


def _errors(arguments: argparse.Namespace) -> None:
    from interpret.cli import errors_report as report
    from interpret.confusion.explained import explain_pair
    from interpret.confusion.pairs import confusion_pairs, photos_of_pair
    from interpret.evaluation import ablation, heads, heldout
    from interpret.evaluation.error_sets import error_sets
    from interpret.evaluation.mending import check_units, mend
    from interpret.explanation.study_network import network_of
    from interpret.mining.ranked_units import check_top_units
    from interpret.progress import DONE, Progress
    from interpret.study import open_study

    check_out(arguments.out)
    device = values_of(arguments, ModelConfig)["device"]
    study = open_study(arguments.study, announce, device=device)
    units = parsed_units(arguments.units)
    check_units(units, study.n_units)
    config = inherited(arguments, study.mine_config)
    check_top_units(config, study.extract_config.stored_units)
    pairs = confusion_pairs(study)
    chosen = _pair(study, arguments.pair, pairs)
    measured = _held_out(study) if arguments.images is None else None
    if chosen is None:
        if arguments.out is not None:
            raise InputError(f"No labelled photo of {study.name} is wrong, so there is no list of units to write.")
        report.print_pairs(study, pairs, measured, arguments.rows)
        return
    pair = photos_of_pair(study, *chosen)
    with progress_bar(arguments.progress_file) as progress:
        classifier = network_of(study, announce=announce)
        if arguments.images is not None:
            photos = values_of(arguments, RunConfig)  # where they are, and how they are read
            measured = heldout.heldout(study, **photos, device=device, progress=progress, classifier=classifier)
        explained = explain_pair(
            study, pair, classifier=classifier, device=device, progress=progress, announce=announce
        )
        head = heads.load_head(study, device=device, classifier=classifier)
        mined_set = ablation.make_ablation_set(study, head)
        progress(Progress("Comparing errors with right photos", 0, 0))
        sets = error_sets(study, pair, explained, config, mined_set)
        units = units or (tuple(sets.table["units"].iloc[0]) if len(sets.table) else ())
        test_set = mined_set if measured is None else ablation.make_ablation_set(measured, head)
        effects = mend(test_set, pair.label, pair.predicted, [units]) if units else []
        if arguments.out is not None and not units:
            raise InputError(
                f"No set of units was found for photos of {study.class_names[pair.label]} taken for "
                f"{study.class_names[pair.predicted]}, so there is no list to write; choose another pair."
            )
        progress(Progress(DONE, 1, 1))
    report.print_pairs(study, pairs, measured, arguments.rows)
    report.print_sets(study, sets, arguments.rows)
    same = measured is None or heldout.same_photos(study, measured)
    measured_on = str((measured or study).images_root)
    if effects:
        report.print_effect(study, effects[0], measured_on, mined=same)
        if same:
            OUT.print(Text(report.NONE_HELD_OUT))
    if arguments.out is not None:
        _write(study, sets, units, effects, measured_on, arguments.out)


def _held_out(study: "Study") -> "Study | None":
    """The held-out photos kept in the study; those that are damaged are said."""
    from interpret.evaluation import heldout

    sets = heldout.kept(study)
    for sentence in sets.damaged.values():
        announce(sentence)
    best = heldout.best(study, sets)
    return best.study if best else None


def check_out(file: Path | None) -> None:
    """Raise :class:`InputError` unless a file to write is called .json or .csv, and can be written."""
    if file is not None and file.suffix.lower() not in (".json", ".csv"):
        raise InputError(f"--out is {file}; end it in .json for the units, or in .csv for all sets of the pair.")
    check_output(file, "--out")


def parsed_units(text: str | None) -> tuple[int, ...]:
    """The units in `203,240`, ascending; none if no text is given.

    Raises:
        InputError: the text holds something else.
    """
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        raise InputError(f"--units is {text!r}; give the numbers of units, separated by commas.")
    return tuple(sorted({int(part) for part in parts}))


def _pair(study: "Study", asked: list[str] | None, pairs: "pd.DataFrame") -> tuple[int, int] | None:
    """The classes asked for, else those of the most frequent pair; None where no photo is wrong."""
    from interpret.confusion.pairs import PairRow
    from interpret.data.class_names import match

    if asked is None:
        first = frames.rows(pairs.head(1), PairRow)
        return (first[0].label, first[0].predicted) if first else None
    ids = match(asked, study.class_names)
    for name in asked:
        if ids[name] is None:
            raise InputError(
                f"--pair names {name!r}, which is no class of {study.model}; give the class's name or index, as "
                "`unitscope errors STUDY` lists them."
            )
    label, predicted = (ids[name] for name in asked)
    assert label is not None
    assert predicted is not None
    return label, predicted


def _write(
    study: "Study", sets: "ErrorSets", units: tuple[int, ...], effects: list, measured_on: str, file: Path
) -> None:
    from interpret.evaluation.unit_list import sets_table, unit_list

    if file.suffix.lower() == ".csv":
        text = sets_table(study, sets).to_csv(index=False, float_format="%.6g")
    else:
        rows = sets.table[sets.table["units"] == units]
        row = sets.row(units, int(rows["target"].iloc[0])) if len(rows) else None
        listed = unit_list(
            study, units, row, effects[0] if effects else None, measured_on, sets.pair.label, sets.pair.predicted
        )
        text = listed.text()
    write_output(file, text, "--out")
    OUT.print(Text(f"written: {file}"))
