"""Parts of the report, with values worked out by hand: which findings, the curves, the commands, names and numbers."""

import math
import shlex
import shutil

import pandas as pd
import pytest

from interpret.cli.main import parser
from interpret.cli.options import configured
from interpret.config import ExtractConfig, MineConfig, ModelConfig, ReportConfig, RunConfig
from interpret.figures.accuracy_lines import accuracy_lines
from interpret.report import make_report, recipe
from interpret.report.choice import apart
from interpret.report.render import clean, points
from interpret.study import open_study
from tests.manifests import rewrite
from tests.small_study import studies


def test_a_set_is_left_out_where_more_than_half_of_its_units_are_in_an_earlier_one():
    def entry(*units: int, of: tuple[int, ...] = (0,)):
        return (units, of), True

    entries = [entry(1, 2), entry(1, 2, 3), entry(1, 3), entry(1), entry(4), entry(1, 2, of=(0, 5))]
    # {1,2} and {1,2,3} share 2 of 3; {1,3} shares 1 of 3; {1} shares 1 of 2 with {1,2}, which is not more than half
    kept = [units for (units, _), _ in apart(entries, 10)]
    assert kept == [(1, 2), (1, 3), (1,), (4,), (1, 2)]
    assert [units for (units, _), _ in apart(entries, 2)] == [(1, 2), (1, 3)]


def test_curves_are_laid_out_on_a_logarithmic_axis():
    table = pd.DataFrame(
        {
            "method": ["No unit ablated", "Ours-5", "Ours-5", "Ours-5", "Random", "Random", "Random"],
            "budget": pd.array([0, 10, 1, 100, 1, 10, 100], dtype="Int64"),
            "accuracy": [0.9, 0.5, 0.75, 0.0, 0.9, 0.9, 0.9],
            "low": [math.nan] * 4 + [0.8, 0.8, 0.8],
            "high": [math.nan] * 4 + [1.0, 1.0, 1.0],
            "photos": [100] * 7,
        }
    )
    curves = accuracy_lines(table, 0.9)
    # the plot is 582 wide from 46, 286 high from 12: 10 is half-way between 1 and 100, 75 % a quarter from the top
    assert curves.across == ((46.0, "1"), (337.0, "10"), (628.0, "100"))
    assert curves.down == ((298.0, "0"), (226.5, "25"), (155.0, "50"), (83.5, "75"), (12.0, "100"))
    assert curves.baseline == 40.6
    ours, random = curves.lines
    assert (ours.method, random.method) == ("Ours-5", "Random")
    assert ours.points == ((46.0, 83.5), (337.0, 155.0), (628.0, 298.0))
    assert random.band == ((46.0, 12.0), (337.0, 12.0), (628.0, 12.0), (628.0, 69.2), (337.0, 69.2), (46.0, 69.2))
    # Wilson's interval of 50 of 100 is 40.4 to 59.6 %
    assert ours.band[1] == (337.0, pytest.approx(298 - 286 * 0.596, abs=0.1))
    assert accuracy_lines(table[:1], 0.9) is None


@pytest.mark.slow
def test_the_command_makes_the_same_study_again(tmp_path):
    """Its words, given to the command line, are the options that the study was made with."""
    study = open_study(studies() / "demo")
    (_, words), *_, (_, last) = recipe.commands(study, study.mine_config, ReportConfig(patches=9), [], None)
    arguments = parser().parse_args(shlex.split(" ".join(words))[1:])
    again = configured(
        arguments,
        RunConfig,
        model=configured(arguments, ModelConfig),
        extract=configured(arguments, ExtractConfig),
        mine=configured(arguments, MineConfig),
    )
    made = study.recorded.config
    assert (again.images, again.extract, again.mine) == (made.images, made.extract, made.mine)
    assert (again.model.model, again.model.precision) == ("demo", "float32")
    assert (str(arguments.study), again.hold_out) == ("demo", study.hold_out)
    assert last == ["unitscope", "report", "demo", "--patches", "9"]


@pytest.mark.slow
def test_names_with_spaces_are_quoted_and_other_options_of_mining_are_said(tmp_path):
    folder = tmp_path / "two words; rm"
    shutil.copytree(studies() / "demo", folder)
    rewrite(folder)
    study = open_study(folder)
    mine = MineConfig(top_units=5, min_support=0.3)
    lines = recipe.commands(study, mine, ReportConfig(), [study], None)
    assert lines[0][1][lines[0][1].index("--study") + 1] == "'two words; rm'"
    named = parser().parse_args(shlex.split(" ".join(lines[1][1]))[1:])
    assert (str(named.study), named.top_units, named.min_support) == ("two words; rm", "5", "0.3")
    assert lines[2][1][:4] == ["unitscope", "evaluate", "'two words; rm'", "--images"]
    assert lines[3][1] == ["unitscope", "report", "'two words; rm'", "--top-units", "5", "--min-support", "0.3"]


@pytest.mark.slow
def test_what_was_uploaded_is_not_named_by_its_place_on_the_server(tmp_path):
    folder = shutil.copytree(studies() / "demo", tmp_path / "demo")
    config = open_study(folder).manifest["config"]
    rewrite(folder, config={**config, "images": f"{tmp_path}/.uploads/0f3a/photos"})
    study = open_study(folder)
    (_, words), *_ = recipe.commands(study, study.mine_config, ReportConfig(), [], None)
    assert words[:4] == ["unitscope", "run", "--images", "UPLOADED"]
    html = make_report(study, ReportConfig(classes=0, shared=0)).html.decode()
    assert "150\u00a0photos of an upload were" in " ".join(html.split(" ")).replace("\n", " ")
    assert "stands for\nwhat was uploaded" in html
    assert ".uploads" not in html


def test_differences_in_points():
    assert points(0.382) == "38.2\u00a0points"
    assert points(0.01) == "1.0\u00a0point"
    assert points(-0.0004, signed=True) == "0.0\u00a0points"
    assert points(-0.05, signed=True) == "−5.0\u00a0points"
    assert points(0.05, signed=True) == "+5.0\u00a0points"


def test_names_are_cut_and_hold_no_control_characters():
    assert clean("a\x00b\ud800c") == "a�b�c"
    assert clean("x" * 200) == "x" * 79 + "…"
    assert clean("two\n words") == "two words"
