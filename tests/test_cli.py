"""The command line: exit status, the one line on standard error, and what is printed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from interpret.cli.main import main, parser
from interpret.cli.options import configured, inherited, values_of
from interpret.config import DissectConfig, EvaluateConfig, ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.options import options
from tests.conftest import draw_photos

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of drawn pictures with a network whose weights are random."""
    folder = tmp_path_factory.mktemp("cli")
    pictures = draw_photos(folder / "photos", each=6)
    for i, name in enumerate(("tench", "church", "golf ball")):
        (pictures / f"class {i}").rename(pictures / name)
    (pictures / "tench" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and then nothing")
    code = main(
        f"run --model squeezenet1_1 --weights random --images {pictures} --study {folder / 's'} --min-class-patches 1 "
        f"--top-units 3 --input-size 64 --batch-size 8 --progress-file {folder / 'progress.json'}".split()
    )
    assert code == 0
    return folder


def test_a_run_prints_its_study_and_leaves_its_progress(made, capsys):
    assert main(["info", str(made / "s")]) == 0
    printed = capsys.readouterr().out
    assert "squeezenet1_1" in printed
    assert "18 from" in printed
    assert "skipped" in printed
    assert "broken.jpg" in printed
    assert "of 18 labelled photos" in printed
    progress = json.loads((made / "progress.json").read_text())
    assert progress["stage"] == "Done"
    assert progress["skipped"] == 1


def test_mining_again_from_what_is_stored(made, capsys):
    assert main(["mine", str(made / "s"), "--top-units", "2", "--min-support", "0.5"]) == 0
    assert "itemsets" in capsys.readouterr().out
    assert len(list((made / "s" / "mined").iterdir())) == 2


def test_packed_photos_stand_in_for_those_that_are_gone(made, capsys):
    from interpret.study import open_study

    assert main(["pack", str(made / "s"), "--side", "24"]) == 0
    assert "18 photos copied" in capsys.readouterr().out
    moved = made / "photos-elsewhere"
    (made / "photos").rename(moved)
    try:
        photo = open_study(made / "s").photo(3)
        assert photo is not None
        assert max(photo.size) == 24
    finally:
        moved.rename(made / "photos")


WRONG = {
    "a model that does not exist": (["run", "--model", "resnet51"], "resnet51"),
    "a layer that does not exist": (
        ["run", "--model", "squeezenet1_1", "--weights", "random", "--layer", "no"],
        "'no'",
    ),
    "a checkpoint that does not exist": (["run", "--model", "resnet18", "--weights", "nowhere.pt"], "nowhere.pt"),
    "a threshold out of bounds": (["run", "--model", "demo", "--tau", "1.5"], "--tau is 1.5"),
    "a support of nothing": (["run", "--model", "demo", "--min-support", "0"], "--min-support"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_one_sentence_and_nothing_is_written(name, made, tmp_path, capsys):
    arguments, said = WRONG[name]
    code = main([*arguments, "--images", str(made / "photos"), "--study", str(tmp_path / "s")])
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("error:") == 1
    assert said in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_a_layer_without_extent_is_refused(made, tmp_path, capsys):
    arguments = ["run", "--model", "resnet18", "--weights", "random", "--layer", "fc", "--input-size", "64"]
    assert main([*arguments, "--images", str(made / "photos"), "--study", str(tmp_path / "s")]) == 2
    assert "fc" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_no_study_are_named(tmp_path, made, capsys):
    for command in ("info", "mine", "pack"):
        assert main([command, str(tmp_path)]) == 2
        assert str(tmp_path) in capsys.readouterr().err
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")
    assert main(["info", str(damaged)]) == 2
    assert "damaged" in capsys.readouterr().err
    assert main(["mine", str(made / "s"), "--top-units", "400"]) == 2
    assert "stores the 32 best units" in capsys.readouterr().err


@pytest.mark.slow
def test_a_checkpoint_of_ones_own_with_its_own_classes(made, tmp_path, capsys):
    from interpret import models

    network = models.load(ModelConfig(model="resnet18", weights="random")).network
    state = dict(network.state_dict())
    state["fc.weight"], state["fc.bias"] = torch.randn(3, 512), torch.zeros(3)
    safetensors.torch.save_file(state, str(tmp_path / "mine.safetensors"))
    (tmp_path / "names.txt").write_text("tench\nchurch\ngolf ball\n")
    arguments = ["run", "--model", "resnet18", "--weights", str(tmp_path / "mine.safetensors"), "--class-names"]
    arguments += [str(tmp_path / "names.txt"), "--input-size", "64", "--images", str(made / "photos")]
    assert main([*arguments, "--study", str(tmp_path / "s"), "--min-class-patches", "1", "--top-units", "2"]) == 0
    assert "over all 3 outputs" in capsys.readouterr().out
    (tmp_path / "names.txt").write_text("tench\nchurch\n")
    assert main([*arguments, "--study", str(tmp_path / "t")]) == 2
    assert "names" in capsys.readouterr().err


COMMANDS = {
    "run": (ModelConfig, ExtractConfig, MineConfig, RunConfig),
    "mine": (MineConfig,),
    "evaluate": (EvaluateConfig, RunConfig),
    "dissect": (DissectConfig, MineConfig, RunConfig),
}
REQUIRED = {
    "run": ["--images", "x", "--study", "y"],
    "mine": ["s"],
    "evaluate": ["s", "--images", "x"],
    "dissect": ["s"],
}


def offered(command):
    """Every option of the schema that a command offers."""
    names = vars(parser().parse_args([command, *REQUIRED[command]]))
    described = [option for config in COMMANDS[command] for option in options(config)]
    return [option for option in described if option.name in names and option.name != "images"]


def test_every_option_is_an_argument_with_the_same_default():
    arguments = parser().parse_args(["run", *REQUIRED["run"]])
    for config in (ModelConfig, ExtractConfig, MineConfig):
        assert values_of(arguments, config) == {option.name: option.default for option in options(config)}
    assert configured(parser().parse_args(["evaluate", *REQUIRED["evaluate"]]), EvaluateConfig) == EvaluateConfig()
    assert configured(parser().parse_args(["dissect", *REQUIRED["dissect"]]), DissectConfig) == DissectConfig()


def test_the_options_of_an_evaluation_arrive_as_they_were_given():
    given = "--budgets 4,2 --rule score --replacement mean --draws 3 --seed 7 --no-lasso --no-greedy"
    arguments = parser().parse_args(["evaluate", *REQUIRED["evaluate"], *given.split()])
    expected = EvaluateConfig(
        budgets=(4, 2), rule="score", replacement="mean", draws=3, seed=7, lasso=False, greedy=False
    )
    assert configured(arguments, EvaluateConfig) == expected


def test_options_that_are_not_given_are_the_studys():
    own = MineConfig(top_units=7, min_support=0.3, max_size=2)
    arguments = parser().parse_args(["dissect", "s", "--min-support", "0.4"])
    assert inherited(arguments, own) == MineConfig(top_units=7, min_support=0.4, max_size=2)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_number_out_of_bounds_is_one_sentence(command, made, capsys):
    folders = {"s": str(made / "s"), "x": str(made / "photos"), "y": str(made / "never")}
    required = [folders.get(word, word) for word in REQUIRED[command]]
    checked = 0
    for option in offered(command):
        for text, words in (
            (None if option.low is None else str(option.low - 1), "smallest value allowed"),
            (None if option.high is None else str(option.high + 1), "largest value allowed"),
            ("abc" if option.kind in (int, float) else None, "number"),
        ):
            if text is not None:
                assert main([command, *required, f"--{option.flag}={text}"]) == 2
                error = capsys.readouterr().err
                assert error.startswith(f"error: --{option.flag} is ")
                assert words in error
                assert error.count("\n") == 1
                checked += 1
    assert checked >= 10
    assert not (made / "never").exists()


def test_a_support_of_nothing_is_refused_by_dissect(made, capsys):
    assert main(["dissect", str(made / "s"), "--min-support", "0"]) == 2
    assert capsys.readouterr().err == "error: --min-support is 0.0; the smallest value allowed is 1e-06.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run --images x", "required: --study; see"),
        ("mine s --rows none", "'none' is no whole number"),
        ("mine s --engine abacus", "invalid choice: 'abacus'"),
        ("info s --loud", "unrecognized arguments: --loud"),
        ("serve --port 99999", "'99999' is no port"),
    ],
)
def test_an_argument_that_does_not_fit_is_one_line(arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1


def test_models_and_layers_are_listed(capsys):
    assert main(["models"]) == 0
    assert "efficientnet_lite0" in capsys.readouterr().out
    assert main(["models", "--layers", "resnet18"]) == 0
    printed = capsys.readouterr().out
    assert "layer4 (default)" in printed
    assert "512" in printed


def test_a_support_that_explodes_names_one_that_passes(made, capsys):
    ask = ["mine", str(made / "s"), "--max-itemsets", "600", "--min-class-patches", "1", "--top-units", "8"]
    before = sorted((made / "s").rglob("*"))
    assert main([*ask, "--min-support", "0.01"]) == 2
    told = capsys.readouterr().err
    assert sorted((made / "s").rglob("*")) == before  # nothing was written
    named = re.search(r"more than 600 itemsets; (?:the smallest that passes is )?([\d.]+) %", told)
    assert named, told
    assert main([*ask, "--min-support", str(float(named[1]) / 100)]) == 0


def test_run_on_a_whole_study_prints_what_was_asked_for_now(made, capsys):
    ask = f"run --model squeezenet1_1 --weights random --images {made / 'photos'} --study {made / 's'} --input-size 64 "
    assert main((ask + "--batch-size 8 --min-class-patches 1 --top-units 1").split()) == 0
    printed = capsys.readouterr().out
    open_one = re.search(r"([\d,]+) itemsets", printed)
    assert main(["info", str(made / "s")]) == 0
    assert open_one[1] != re.search(r"([\d,]+) itemsets", capsys.readouterr().out)[1]


def test_a_folder_named_like_markup_and_a_disk_that_refuses(made, capsys, tmp_path, monkeypatch):
    shutil.copytree(made / "s", tmp_path / "[old]s[/x]")
    assert main(["info", str(tmp_path / "[old]s[/x]")]) == 0
    assert "[old]s[/x]" in re.sub(r"\s", "", capsys.readouterr().out)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "somewhere.png")

    monkeypatch.setattr("interpret.study.copies.pack", full)
    assert main(["pack", str(tmp_path / "[old]s[/x]")]) == 2
    assert capsys.readouterr().err.strip() == "error: cannot read or write somewhere.png: No space left on device"


@pytest.mark.parametrize("arguments", ["--help", "run --help", "info STUDY"])
def test_help_and_info_do_not_wait_for_torch(arguments, made):
    code = (
        "import sys\nfrom interpret.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\nprint('torch' in sys.modules)"
    )
    words = [str(made / "s") if word == "STUDY" else word for word in arguments.split()]
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout.splitlines()[-1] == "False"
    assert len(ended.stdout.splitlines()) > 5


def test_serve_refuses_a_study_in_place_of_the_folder_that_holds_it(made, tmp_path, capsys):
    assert main(["serve", "--studies", str(made / "s")]) == 2
    assert f"--studies: {made}." in capsys.readouterr().err
    file = tmp_path / "file"
    file.write_text("")
    assert main(["serve", "--studies", str(file)]) == 2
    assert "is no folder" in capsys.readouterr().err
