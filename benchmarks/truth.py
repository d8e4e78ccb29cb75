"""How much of what is mined in the demo is true, on drawings that no choice was made on.

    python -m benchmarks.truth --cache FOLDER [--splits test1,test2,test3,test4,test5] [--top-units 5,10] [--codes demo]

For each split two studies are dissected on its drawings: that of the demo as the dashboard makes it, mined in drawings
that the network was trained on, and one mined in the drawings of the split before, which the network never saw. A row
is a mean over the splits, with the smallest and the largest share in brackets. "Kept": of the true itemsets of the
poster's transactions (supported or not), how many are among the supported ones of these transactions, by their number.
With `--codes` the units are the latents of these sparse codes (docs/codes.md); give them a cache of their own.
The demo has ten classes, so that each drawing is explained for all nine others: the contrast draws nothing by lot but
the two halves of the photos.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from interpret import demo, pipeline
from interpret.config import DEFAULT_QUANTILE, MineConfig, ModelConfig, RunConfig
from interpret.dissection.dissect import dissect, judged_itemsets
from interpret.dissection.masks import DemoMasks
from interpret.dissection.supported import supported_shares
from interpret.mining import mine_study
from interpret.study import Study

SPLITS = "test1,test2,test3,test4,test5"


def study_of(images: str, cache: Path, codes: str | None = None) -> Study:
    """The demo's network on a folder of drawings, or the built-in ``demo``; kept in ``cache``."""
    model = ModelConfig(model="demo", precision="float32", device="cpu", codes=codes)
    config = RunConfig(images=images, model=model, hold_out=0.0)
    return pipeline.run(config, cache / (images if images == "demo" else Path(images).name))


def shares(study: Study, split: str, top_units: list[int]) -> Iterator[pd.DataFrame]:
    """Shares of true itemsets for each N and kind of transaction, by the drawings of a split."""
    known = dissect(study, images=demo.photos(split), masks=DemoMasks())
    for n in top_units:
        for quantile in (0.0, DEFAULT_QUANTILE):
            mined = mine_study(study, MineConfig(top_units=n, contrast_quantile=quantile))
            judged = judged_itemsets(mined, known.units, known.parts, known.has)
            table = supported_shares(judged, mined, known.units, known.parts, known.has)
            yield table.assign(N=n, quantile=quantile, accuracy=known.facts["accuracy"])


def summary(rows: pd.DataFrame) -> list[str]:
    """Markdown rows: means over the splits, and ranges."""
    poster = rows[(rows["quantile"] == 0.0) & (rows["findings"] == "all")]
    lines = []
    for (n, quantile, kind, findings), group in rows.groupby(["N", "quantile", "kind", "findings"], sort=False):
        share, of_poster = group["share"], poster.loc[(poster["N"] == n) & (poster["kind"] == kind), "true"].mean()
        mean = f"{share.mean():.1%} ({share.min():.1%} to {share.max():.1%})" if share.notna().any() else ""
        kept = f"{group['true'].mean() / of_poster:.0%}" if findings == "supported" and of_poster else ""
        transactions = f"contrastive, {quantile:g}" if quantile else "the poster's"
        lines.append(
            f"| {n} | {transactions} | {kind} | {findings} | {group['itemsets'].mean():,.0f} | {mean} | "
            f"{group['random'].mean():.1%} | {kept} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, help="where studies are kept; a temporary folder if not given")
    parser.add_argument("--splits", default=SPLITS)
    parser.add_argument("--top-units", default="5,10")
    parser.add_argument("--codes", help="take the latents of these codes as units: a folder, or the word demo")
    given = parser.parse_args()
    splits, top_units = given.splits.split(","), [int(n) for n in given.top_units.split(",")]
    with tempfile.TemporaryDirectory() as temporary:
        cache = given.cache or Path(temporary)
        for title, sources in (
            ("mined in 800 drawings that the network was trained on", ["demo"] * len(splits)),
            ("mined in 500 drawings that it never saw", [str(demo.photos(each)) for each in [*splits[-1:], *splits]]),
        ):
            tables = [
                table
                for source, split in zip(sources, splits, strict=False)
                for table in shares(study_of(source, cache, given.codes), split, top_units)
            ]
            rows = pd.concat(tables)
            accuracy = rows["accuracy"]
            print(f"\n{title}; dissected on {len(splits)} splits of 500 drawings, ", end="")
            print(f"accuracy there {accuracy.mean():.1%} ({accuracy.min():.1%} to {accuracy.max():.1%})\n")
            print("| N | transactions | kind | itemsets | number | true | random units | kept |")
            print("|---|---|---|---|---|---|---|---|")
            print("\n".join(summary(rows)), flush=True)


if __name__ == "__main__":
    main()
