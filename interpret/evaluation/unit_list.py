"""A list of units to ablate, as a file that says where it comes from, and read back to be applied."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from interpret.errors import InputError
from interpret.evaluation.error_sets import ErrorSetRow, ErrorSets
from interpret.evaluation.mending import GROUPS, Mending
from interpret.models import checkpoints
from interpret.models.hooks import find_module
from interpret.study import Study

FORMAT = "unitscope units 1"
"""What the file says that it is."""

Units = tuple[int, ...]


@dataclass(frozen=True)
class UnitList:
    """Units of a layer, and why they are listed.

    Attributes:
        model: the network's name.
        layer: the module whose output channels are the units.
        n_units: K, the layer's units (count).
        weights_digest: of the network's weights.
        units: the units, ascending.
        replacement: the value that they take: ``zero``.
        input_size: height and width of the network's input (pixels); None in lists of earlier versions.
        signed: whether the units are halves of the channels, see :class:`interpret.models.layout.Layout`.
        codes: where the units are the latents of a code, its folder; else None.
        pair: label and predicted, a class id and a name each: the errors that the units were found in.
        test: what the itemset was tested with: see :class:`interpret.evaluation.error_sets.ErrorSetRow`.
        effect: what ablating the units mended and broke, and on which photos.
    """

    model: str
    layer: str
    n_units: int
    weights_digest: str
    units: Units
    replacement: str = "zero"
    input_size: tuple[int, ...] | None = None
    signed: bool = False
    codes: str | None = None
    pair: dict[str, Any] = field(default_factory=dict)
    test: dict[str, Any] = field(default_factory=dict)
    effect: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The content of the file, JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False) + "\n"

    def check(self, network: nn.Module) -> None:
        """Raise :class:`InputError` unless a network has the layer and the weights that the units were found in."""
        find_module(network, self.layer)
        if checkpoints.digest(network) != self.weights_digest:
            raise InputError(
                f"The weights are not those of the {self.model} that these units were found in; units of another "
                "network, or of one trained further, mean something else."
            )


def unit_list(
    study: Study,
    units: Units,
    row: ErrorSetRow | None,
    effect: Mending | None,
    measured_on: str,
    label: int,
    predicted: int,
) -> UnitList:
    """The units of a set with what is known of them.

    Args:
        study: the study that was mined.
        units: the units.
        row: the itemset's test; None if the units are no itemset that was tested.
        effect: from :func:`interpret.evaluation.mending.mend`; None if it was not measured.
        measured_on: the photos of the effect, in words.
        label: the class A of the pair.
        predicted: the class B.
    """
    names = study.class_names
    return UnitList(
        study.model,
        study.layer,
        study.n_units,
        study.weights_digest,
        units,
        input_size=study.preprocessing.size,
        signed=study.model_config.signed,
        codes=study.model_config.codes,
        pair={
            name: {"class_id": class_id, "name": names[class_id]}
            for name, class_id in (("label", label), ("predicted", predicted))
        },
        test={} if row is None else _test(row, names),
        effect={} if effect is None else {"measured_on": measured_on, **effect_columns(effect)},
    )


def effect_columns(effect: Mending) -> dict[str, Any]:
    """The numbers of an effect, by name: counts of photos, fractions, intervals."""
    found: dict[str, Any] = {}
    for group in GROUPS:
        changed = getattr(effect, group)
        verb = "mended" if "errors" in group else "broken"
        found[f"{group}_photos"] = changed.photos
        found[f"{group}_measured"] = changed.measured
        found[f"{group}_{verb}"] = changed.changed
        found[f"{group}_{verb}_by_random_units"] = _plain(changed.random)
    found["errors_taken_for_another_class"] = effect.otherwise
    found["accuracy_before"] = _plain(effect.accuracy_before)
    found["accuracy_change"] = _plain(effect.accuracy_change)
    found["accuracy_change_interval"] = [_plain(effect.low), _plain(effect.high)]
    return found


def sets_table(study: Study, sets: ErrorSets) -> pd.DataFrame:
    """The listed sets of a pair for a CSV file: with names, and with the network that the units are of."""
    table = sets.table.drop(columns="target").rename(columns={"mended": "mined_mended", "broken": "mined_broken"})
    table["units"] = [",".join(map(str, units)) for units in sets.table["units"]]
    names = study.class_names
    table.insert(0, "explained_as", [names[target] for target in sets.table["target"]])
    table.insert(0, "taken_for", names[sets.pair.predicted])
    table.insert(0, "label", names[sets.pair.label])
    return table.assign(model=study.model, layer=study.layer, weights_digest=study.weights_digest, replacement="zero")


def read_unit_list(file: str | Path) -> UnitList:
    """Read a list that :meth:`UnitList.text` wrote.

    Raises:
        InputError: the file is missing, or is no such list.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise KeyError("format")
        units = tuple(sorted({int(unit) for unit in content.pop("units")}))
        size = content.pop("input_size", None)
        found = UnitList(units=units, input_size=None if size is None else (int(size[0]), int(size[1])), **content)
    except OSError as error:
        raise InputError(f"The file {file} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(
            f"The file {file} is no list of units; write one with `unitscope errors STUDY --out FILE.json`."
        ) from error
    if not units or units[0] < 0 or units[-1] >= found.n_units:
        raise InputError(f"The file {file} names units that the layer does not have; write it again.")
    return found


def _test(row: ErrorSetRow, names: list[str]) -> dict[str, Any]:
    values = row._asdict()
    shown = {name: values[name] for name in ("more_in", "error_count", "error_photos", "right_count", "right_photos")}
    return {
        "explained_for": {"class_id": int(row.target), "name": names[row.target]},
        **{name: value if isinstance(value, str) else int(value) for name, value in shown.items()},
        "p_value": _plain(row.p_value),
        "q_value": _plain(row.q_value),
        "significant": bool(row.significant),
    }


def _plain(value: float) -> float | None:
    """A number for JSON, which has no NaN."""
    return float(f"{value:.6g}") if value == value else None
