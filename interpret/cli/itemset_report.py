"""What itemsets say beyond single units, printed."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from interpret.cli.console import OUT

if TYPE_CHECKING:
    from interpret.evaluation.evaluate import Evaluation


def print_itemsets(result: "Evaluation") -> None:
    """Print the comparison of itemsets with single units, at each N; nothing where it was not measured."""
    from interpret.evaluation.itemsets import sentences

    beyond = result.itemsets.beyond
    for n in sentences.top_units_of(beyond):
        figures = sentences.figures_of(beyond, n)
        table = Table(
            title=f"Itemsets beside single units, N = {n}", box=None, title_justify="left", title_style="bold",
            show_header=False,
        )  # fmt: skip
        table.add_column(vertical="top", style="bold", no_wrap=True)
        table.add_column()
        for name, told in (
            ("causal sets", sentences.causal_sentences(figures)),
            ("joint firing", sentences.firing_sentences(figures)),
            ("transfer", sentences.transfer_sentences(figures)),
        ):
            table.add_row(name, Text(" ".join(told).replace("\u00a0", " ")))
        OUT.print(table)
