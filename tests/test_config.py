"""Options: bounds, choices and types are checked, and a digest names a configuration."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

from interpret.config import DissectConfig, EvaluateConfig, ExtractConfig, MineConfig, ModelConfig, RunConfig, digest
from interpret.errors import InputError
from interpret.explanation.identity import extraction_options
from interpret.mining.stored import deciding_options
from interpret.options import Option, options

CONFIGS = (ModelConfig, ExtractConfig, MineConfig, RunConfig, EvaluateConfig, DissectConfig)
REQUIRED = {RunConfig: {"images": "photos"}}
WRONG = {
    int: ("10", True, 10.0, np.int64(10), (10,), [10]),
    float: ("0.5", True, np.float32(0.5), (0.5,), [0.5]),
    str: (1, 1.5, True, b"auto", ("auto",)),
    bool: ("yes", 0, 1, 1.0),
}


def made(config, **values):
    return config(**{**REQUIRED.get(config, {}), **values})


def given(option, value):
    return (value,) if option.many else value


@pytest.mark.parametrize("config", CONFIGS)
def test_every_bound_holds_at_its_edge_and_not_beyond(config):
    for option in options(config, python_only=True):
        assert option.help == option.help.strip()
        if option.low is not None:
            made(config, **{option.name: given(option, option.kind(option.low))})
            with pytest.raises(InputError, match=f"--{option.flag} is .* smallest value"):
                made(config, **{option.name: given(option, option.low - 1)})
        if option.high is not None:
            made(config, **{option.name: given(option, option.kind(option.high))})
            with pytest.raises(InputError, match=f"--{option.flag} is .* largest value"):
                made(config, **{option.name: given(option, option.high + 1)})
        for choice in option.choices:
            made(config, **{option.name: choice})
        if option.choices:
            with pytest.raises(InputError, match="choose one of"):
                made(config, **{option.name: "something else"})


@pytest.mark.parametrize("config", CONFIGS)
def test_a_value_of_another_type_is_refused_by_every_option(config):
    """Text is no number and a bool is no count; what the JSON of a manifest cannot hold is refused as well."""
    checked = 0
    for option in options(config, python_only=True):
        for value in WRONG[option.kind]:
            with pytest.raises(InputError, match=rf"--{option.flag} is .* \({type(value).__name__}\); give ") as caught:
                made(config, **{option.name: given(option, value)})
            assert "\n" not in str(caught.value)
            checked += 1
    assert checked >= 10


def test_every_field_of_an_evaluation_is_checked_and_some_are_for_python_only():
    everything = {option.name for option in options(EvaluateConfig, python_only=True)}
    assert everything == {field.name for field in dataclasses.fields(EvaluateConfig)}
    offered = {option.name for option in options(EvaluateConfig)}
    assert everything - offered == {"top_units", "resamples", "keep_budgets"}
    with pytest.raises(InputError, match="--top-units is 0; the smallest value allowed is 1"):
        EvaluateConfig(top_units=(5, 0))


def test_a_whole_number_is_accepted_as_a_fraction_and_kept_as_it_is():
    assert MineConfig(min_support=1).min_support == 1
    assert ExtractConfig(min_area=0).min_area == 0


def test_an_option_of_many_values_checks_every_one():
    option = Option(name="budgets", kind=int, default=(1, 2), help="units", low=1, many=True)
    option.check((3, 4))
    for value, words in (
        ((3, 0), "--budgets is 0; the smallest value allowed is 1"),
        ((3, "4"), r"--budgets is '4' \(str\); give a whole number"),
        ((3, True), r"--budgets is True \(bool\)"),
        ((), "at least one value"),
        ([3, 4], "give a tuple"),
        (3, "give a tuple"),
        (None, "--budgets needs a value"),
    ):
        with pytest.raises(InputError, match=words):
            option.check(value)


def test_yes_and_no_are_an_options_values():
    option = Option(name="greedy", kind=bool, default=True, help="fit it")
    option.check(False)
    for value in WRONG[bool]:
        with pytest.raises(InputError, match="give True or False"):
            option.check(value)


def test_the_parts_of_a_run_are_configurations():
    for name in ("model", "extract", "mine"):
        with pytest.raises(InputError, match=f"The {name} of a RunConfig is .*; give a "):
            RunConfig(images="x", **{name: {"tau": 0.5}})


def test_a_number_that_is_none_is_refused():
    with pytest.raises(InputError, match="not a number"):
        ExtractConfig(tau=math.nan)
    with pytest.raises(InputError, match="--tau needs a value"):
        ExtractConfig(tau=None)
    with pytest.raises(InputError, match="--images needs a value"):
        RunConfig(images=None)


@pytest.mark.parametrize("name", ["model", "weights", "class_names", "layer", "mean"])
def test_no_text_holds_a_nul_character(name):
    with pytest.raises(InputError, match=f"--{name.replace('_', '-')} is .*; leave out the NUL character"):
        ModelConfig(**{name: "a\0b"})


def test_a_digest_changes_with_every_option_and_with_nothing_else():
    base = RunConfig(images="x")
    changed = {
        "tau": dataclasses.replace(base, extract=ExtractConfig(tau=0.4)),
        "layer": dataclasses.replace(base, model=ModelConfig(layer="layer3")),
        "support": dataclasses.replace(base, mine=MineConfig(min_support=0.1)),
        "limit": dataclasses.replace(base, limit=7),
    }
    names = {name: digest(config) for name, config in changed.items()}
    assert len({digest(base), *names.values()}) == len(changed) + 1
    assert digest(base) == digest(RunConfig(images="x"))
    assert digest(ExtractConfig()) != digest(dataclasses.asdict(ExtractConfig()))
    assert digest("a", "b") != digest("ab")


def test_the_digests_of_studies_on_disk_stay_the_same():
    """Keys of studies and of mined results hold these digits."""
    assert digest(extraction_options(ExtractConfig(contrast=0))) == "b2b2194a6a06d1a9"  # as in version 0.9
    assert digest(extraction_options(ExtractConfig())) == "71426f5a92bfd5bb"
    without, tested = (SimpleNamespace(has_contrast=has) for has in (False, True))
    poster = "a0560487f73b0b98"
    assert digest(deciding_options(without, MineConfig())) == poster
    assert digest(deciding_options(tested, MineConfig(contrast_quantile=0.0))) == poster
    # without a quantile it decides nothing
    assert digest(deciding_options(tested, MineConfig(contrast_quantile=0.0, contrast_shared=2))) == poster
    quantiles = [deciding_options(tested, MineConfig(contrast_quantile=0.9, contrast_shared=m)) for m in (0, 1)]
    assert quantiles[0] != quantiles[1]
    assert deciding_options(tested, MineConfig()) == deciding_options(tested, MineConfig(contrast_quantile=0.97))
    assert digest(deciding_options(tested, MineConfig())) != poster
    assert (
        digest(1, "tiny", {"size": (224, 224)}, extraction_options(ExtractConfig(contrast=0)), 32, [0, None])
        == "a70ea156d8bf894c"
    )
