import dataclasses
import math

import pytest

from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig, digest, options
from interpret.errors import InputError


@pytest.mark.parametrize("config", [ModelConfig, ExtractConfig, MineConfig])
def test_every_bound_holds_at_its_edge_and_not_beyond(config):
    for option in options(config):
        assert option.help == option.help.strip()
        if option.low is not None:
            config(**{option.name: option.kind(option.low)})
            with pytest.raises(InputError, match=f"--{option.flag} is .* smallest value"):
                config(**{option.name: option.low - 1})
        if option.high is not None:
            config(**{option.name: option.kind(option.high)})
            with pytest.raises(InputError, match=f"--{option.flag} is .* largest value"):
                config(**{option.name: option.high + 1})
        for choice in option.choices:
            config(**{option.name: choice})
        if option.choices:
            with pytest.raises(InputError, match="choose one of"):
                config(**{option.name: "something else"})


def test_a_number_that_is_none_is_refused():
    with pytest.raises(InputError, match="not a number"):
        ExtractConfig(tau=math.nan)
    with pytest.raises(InputError, match="--tau needs a value"):
        ExtractConfig(tau=None)


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
