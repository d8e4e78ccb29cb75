"""How a study was made: its options in words, and the command lines that make it again."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from interpret.config import EvaluateConfig, MineConfig, ReportConfig
from interpret.evaluation.evaluate import Evaluation
from interpret.evaluation.heldout import is_own
from interpret.options import Option, options
from interpret.study import Study
from interpret.words import is_uploaded

PHOTO_OPTIONS = ("limit", "batch_size")
"""Options of how photos are read that `evaluate` has too."""

UPLOADED = "UPLOADED"
"""Stands in a command for what was uploaded to a dashboard, where nobody else finds it."""

NOT_GIVEN = ("images", "hold_out", "workers", "shard_size")
"""Options of a run that stand elsewhere in the command, change no result, or are not the command line's."""


class Setting(NamedTuple):
    """An option of a study."""

    name: str
    value: str
    meaning: str
    changed: bool


def settings(study: Study, mine: MineConfig) -> list[tuple[str, list[Setting]]]:
    """The options of extraction and mining, as the study was made with them."""
    return [("Extraction", list(_described(study.extract_config))), ("Mining", list(_described(mine)))]


def _described(config: Any) -> Iterator[Setting]:
    for option in options(config):
        value = getattr(config, option.name)
        yield Setting(option.flag, "not set" if value is None else str(value), option.help, value != option.default)


def commands(
    study: Study, mine: MineConfig, report: ReportConfig, held_out: Sequence[Study], evaluation: Evaluation | None
) -> list[tuple[str, list[str]]]:
    """What each command does, and its words, quoted for a shell, from photos to this file.

    Options that have their default are left out, except the precision, which a machine chooses by itself. Folders of
    photos are named as they were when the study was made; :data:`UPLOADED` stands for what was uploaded.

    Args:
        study: the study.
        mine: the options that the report mines with.
        report: its own options.
        held_out: the sets of photos that were not mined, kept in the study.
        evaluation: the one that the report shows.
    """
    config, name = study.recorded.config, study.name
    lines = []
    if study.wrapped_class is None:
        words = ["run", "--images", config.images, "--study", name, "--hold-out", f"{study.hold_out:g}"]
        words += changed(config, without=NOT_GIVEN)
        words += [*changed(config.model, without=("precision",)), "--precision", study.precision]
        words += changed(config.extract) + changed(config.mine)
        lines.append(("Explain the photos and mine what is found", _line(words)))
    if mine != study.mine_config:
        lines.append(("Mine again with the options of this report", _line(["mine", name, *changed(mine)])))
    for photos in held_out:
        given, own = photos.recorded.config, study.hold_out > 0 and is_own(study, photos.images_source)
        shown = evaluation is not None and str(photos.images_root) == evaluation.about.get("measured_on")
        if own and not shown:
            continue  # the run measured on them
        words = ["evaluate", name, *([] if own else ["--images", photos.images_source])]
        words += changed(given, only=PHOTO_OPTIONS)
        if shown:
            words += _of_evaluation(evaluation)
        lines.append(("Ablate units in photos that were not mined", _line(words)))
    lines.append(("Write this file", _line(["report", name, *changed(report), *_mined_anew(study, mine)])))
    return lines


def _mined_anew(study: Study, mine: MineConfig) -> list[str]:
    """The options of mining that are not the study's own."""
    own = study.mine_config
    return [
        word
        for option in options(mine)
        if getattr(mine, option.name) != getattr(own, option.name)
        for word in option.words(getattr(mine, option.name))
    ]


def _of_evaluation(evaluation: Evaluation | None) -> list[str]:
    given = evaluation.about.get("config", {}) if evaluation else {}
    return [word for option in options(EvaluateConfig) if option.name in given for word in _if_changed(option, given)]


def _if_changed(option: Option, given: dict[str, Any]) -> list[str]:
    value = tuple(given[option.name]) if option.many else given[option.name]
    return [] if value == option.default else option.words(value)


def changed(config: Any, *, only: Sequence[str] | None = None, without: Sequence[str] = ()) -> list[str]:
    """The words that give those options of a configuration that have not their default.

    Args:
        config: an instance.
        only: names of the options to give; all if None.
        without: names of options to leave out.
    """
    return [
        word
        for option in options(config)
        if (only is None or option.name in only) and option.name not in without
        for word in _if_changed(option, {option.name: getattr(config, option.name)})
    ]


def _line(words: Sequence[str]) -> list[str]:
    return [shlex.quote(UPLOADED if is_uploaded(word) else word) for word in ("unitscope", *words)]
