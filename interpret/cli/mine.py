"""The command `mine`: a study mined again with other options, from what is stored."""

import argparse
from typing import Any

from interpret.cli.console import announce
from interpret.cli.options import add_options, add_study, inherited, positive, values_of
from interpret.cli.study_report import print_findings
from interpret.config import MineConfig, ModelConfig


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("mine", help="mine a study again with other options, from what is stored")
    command.set_defaults(command=_mine)
    add_study(command)
    command.add_argument("--rows", type=positive, default=20, help="itemsets to print (default 20)")
    command.add_argument(
        "--hide-redundant",
        action="store_true",
        help="do not print what a smaller itemset says of the same classes at no lower confidence",
    )
    command.add_argument(
        "--against-chance",
        action="store_true",
        help="print p-values too, from permuting own and contrast photos of each class 200 times (a few seconds)",
    )
    add_options(command, MineConfig, inherit=True)
    add_options(command, ModelConfig, only=("device",))


def _mine(arguments: argparse.Namespace) -> None:
    from interpret.findings import Findings
    from interpret.mining import mine_study
    from interpret.study import open_study

    study = open_study(arguments.study, announce, device=values_of(arguments, ModelConfig)["device"])
    config = inherited(arguments, study.mine_config)
    mined = mine_study(study, config)
    findings = Findings(study, config, mined)
    listed = set(findings.shared("all", hide_redundant=True)["itemset_id"]) if arguments.hide_redundant else None
    # One p-value a rule; of an itemset, the largest of its classes'. NaN where one is too rare to be judged.
    p_values = findings.chance_p_values().groupby(level=0).max() if arguments.against_chance else None
    print_findings(study, mined, arguments.rows, listed, p_values)
