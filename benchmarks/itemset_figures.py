"""What itemsets add to single units, as the tables of docs/evaluation.md.

    python -m benchmarks.itemset_figures demo=demo-beyond.csv Lite0=lite0-beyond.csv ...

Each argument is the name of a column and the file of figures that `unitscope evaluate STUDY --images DIR --out
demo.csv` writes beside its table. Prints a Markdown table for each N: shares in percent, 95 % intervals in brackets.
"""

import sys

import pandas as pd

from interpret.evaluation.itemsets.sentences import Figures, figures_of, top_units_of

PERCENT, POINTS, TIMES = "percent", "points", "times"

CAUSAL, HALVING, FIRING, TRANSFER = "causal sets", "halving", "joint firing", "transfer"

ROWS = (
    ("**Minimal causal sets**: prediction changed by 1 unit", (CAUSAL, "size", "1"), PERCENT),
    ("by 2 units", (CAUSAL, "size", "2"), PERCENT),
    ("by 3 units", (CAUSAL, "size", "3"), PERCENT),
    ("by 4 or more", (CAUSAL, "size", "4+"), PERCENT),
    ("by no set", (CAUSAL, "size", "none"), PERCENT),
    ("sets of 2 or more that are an itemset", (CAUSAL, "is_itemset", "2+"), PERCENT),
    ("random ones that are an itemset", (CAUSAL, "is_itemset_random", "2+"), PERCENT),
    ("difference", (CAUSAL, "is_itemset_gain", "2+"), POINTS),
    ("inside an itemset", (CAUSAL, "inside", "2+"), PERCENT),
    ("random ones inside an itemset", (CAUSAL, "inside_random", "2+"), PERCENT),
    ("difference", (CAUSAL, "inside_gain", "2+"), POINTS),
    ("prediction changed by as many units of most evidence", (CAUSAL, "any_evidence", "2+"), PERCENT),
    ("if itemsets have that size: by the one of most evidence", (CAUSAL, "changed_itemset", "2+"), PERCENT),
    ("by as many units of most evidence", (CAUSAL, "changed_evidence", "2+"), PERCENT),
    ("difference", (CAUSAL, "itemset_gain", "2+"), POINTS),
    ("by an itemset, mean over all", (CAUSAL, "changed_itemsets", "2+"), PERCENT),
    ("by a random set", (CAUSAL, "changed_random", "2+"), PERCENT),
    ("difference", (CAUSAL, "itemsets_gain", "2+"), POINTS),
    ("classes that no set halves", (HALVING, "size", "none"), PERCENT),
    ("classes that an itemset halves", (HALVING, "itemset", "all"), PERCENT),
    ("**Joint firing**, held-out: over the product of supports", (FIRING, "held_ratio", "all"), TIMES),
    ("over independent picks", (FIRING, "held_fixed_ratio", "all"), TIMES),
    ("mined, over independent picks", (FIRING, "fixed_ratio", "all"), TIMES),
    ("contrast, over independent picks", (FIRING, "contrast_fixed_ratio", "all"), TIMES),
    ("itemsets beyond noise, q <= 0.05", (FIRING, "beyond_noise", "all"), PERCENT),
    ("**Transfer**: mined photos with the itemset", (TRANSFER, "mined", "all"), PERCENT),
    ("held-out photos", (TRANSFER, "held", "all"), PERCENT),
    ("mined less held-out", (TRANSFER, "shrinkage", "all"), POINTS),
    ("contrast photos", (TRANSFER, "contrast", "all"), PERCENT),
    ("held-out, correctly predicted", (TRANSFER, "right", "all"), PERCENT),
    ("held-out, wrongly predicted", (TRANSFER, "wrong", "all"), PERCENT),
    ("predicted as a class that no photo is of", (TRANSFER, "foreign", "all"), PERCENT),
)


def cell(figures: Figures, key: tuple[str, str, str], kind: str) -> str:
    """A figure with its interval, and with its number of photos where that is too small for one."""
    row = figures.get(key)
    if row is None or row.value != row.value:
        return ""
    scale, written = (1.0, ".2f") if kind == TIMES else (100.0, "+.1f" if kind == POINTS else ".1f")
    words = f"{scale * row.value:{written}}"
    if row.low == row.low:
        return f"{words} [{scale * row.low:{written}}, {scale * row.high:{written}}]"
    return f"{words} ({row.n} photos)" if row.of == "photos" else words


def main(arguments: list[str]) -> None:
    """Print the tables of the files named on the command line."""
    files = dict(argument.split("=", 1) for argument in arguments)
    tables = {name: pd.read_csv(path) for name, path in files.items()}
    for n in sorted({n for table in tables.values() for n in top_units_of(table)}, reverse=True):
        columns = [figures_of(table, n) for table in tables.values()]
        print(f"\n| N = {n} | {' | '.join(tables)} |\n|---|{'---|' * len(tables)}")
        for label, key, kind in ROWS:
            cells = [cell(figures, key, kind) for figures in columns]
            if any(cells):
                print(f"| {label} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
