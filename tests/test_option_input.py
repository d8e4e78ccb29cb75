"""Controls made from the option schema: what they give is what the command line takes."""

import pytest
from streamlit.testing.v1 import AppTest

from interpret.cli.main import parser
from interpret.cli.options import values_of
from interpret.config import EvaluateConfig, ExtractConfig, MineConfig
from interpret.errors import InputError
from interpret.options import options


def form() -> None:
    import streamlit as st

    from interpret import config
    from interpret.errors import InputError
    from pages.shared.controls.option_input import option_inputs

    try:
        st.session_state["words"] = option_inputs(getattr(config, st.session_state["config"]), key="x")
    except InputError as error:
        st.error(str(error))


def shown(config: type) -> AppTest:
    app = AppTest.from_function(form, default_timeout=60)
    app.session_state["config"] = config.__name__
    app.run()
    assert not app.exception, app.exception
    return app


def evaluated(words: list[str]) -> dict:
    return values_of(parser().parse_args(["evaluate", "STUDY", "--images", "DIR", *words]), EvaluateConfig)


@pytest.mark.parametrize("config", [MineConfig, ExtractConfig, EvaluateConfig])
def test_every_option_has_a_control_and_defaults_are_no_arguments(config):
    app = shown(config)
    assert app.session_state["words"] == []
    boxes = (*app.number_input, *app.selectbox, *app.checkbox, *app.text_input)
    assert {box.key for box in boxes} == {f"x_{option.name}" for option in options(config)}
    assert {box.help for box in boxes} == {option.help for option in options(config)}


def test_what_is_set_arrives_at_the_command():
    app = shown(EvaluateConfig)
    app.text_input(key="x_budgets").set_value("3, 4")
    app.checkbox(key="x_lasso").uncheck()
    app.selectbox(key="x_replacement").set_value("mean")
    app.number_input(key="x_draws").set_value(7)
    app.run()
    defaults = {option.name: option.default for option in options(EvaluateConfig)}
    expected = {**defaults, "budgets": (3, 4), "lasso": False, "replacement": "mean", "draws": 7}
    assert evaluated(app.session_state["words"]) == expected


def test_text_that_is_no_list_of_counts_is_one_sentence():
    app = shown(EvaluateConfig)
    app.text_input(key="x_budgets").set_value("3,none").run()
    assert [error.value for error in app.error] == ["--budgets is 'none'; give a whole number."]


@pytest.mark.parametrize("option", [*options(EvaluateConfig)], ids=lambda option: option.name)
def test_words_of_a_value_are_read_back_as_that_value(option):
    other = {int: 3, float: 0.5, str: "other", bool: not option.default}[option.kind]
    value = (3, 1) if option.many else option.choices[-1] if option.choices else other
    assert evaluated(option.words(value))[option.name] == value
    assert evaluated(option.words(option.default))[option.name] == option.default
    assert option.words(None) == []


def test_only_numbers_are_read_as_numbers():
    budgets = next(option for option in options(EvaluateConfig) if option.name == "budgets")
    assert budgets.parse(" 1 ,2") == (1, 2)
    for text in ("", "1,", "1;2", "1.5"):
        with pytest.raises(InputError, match=r"--budgets is .*; give a whole number"):
            budgets.parse(text)
