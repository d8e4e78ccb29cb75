"""How often a test reports a rule where there is none: the contrast, and the test of a class against all others.

    python -m benchmarks.null [--runs 200] [--photos 240] [--units 64] [--classes 6] [--top-units 10]

Activations are drawn at random, the head's weights too, and classes are dealt to the photos by lot, before the photos
are explained and encoded for them. There is nothing to find. "A class against the rest" is what is usually tested:
Fisher's exact test of the photos of a class against all other photos, q-values by Benjamini and Hochberg over the rules
found. A unit with a large weight for a class is among the best of any photo explained for it, so that this test
finds what the explanation put there.
"""

import argparse

import numpy as np

from interpret.config import MineConfig
from interpret.explanation.contrast_classes import Deal
from interpret.mining import mine
from interpret.mining.rules import fisher
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase
from interpret.stats import benjamini_hochberg


def transactions(
    seed: int, photos: int, units: int, classes: int, top_units: int
) -> tuple[TransactionDatabase, ContrastDatabase]:
    """Own and contrast transactions of one run, one patch a photo."""
    rng = np.random.default_rng(seed)
    activations = np.maximum(rng.normal(size=(photos, units)), 0.0)
    weights = rng.normal(size=(classes + 20, units))
    label = rng.integers(0, classes, photos)
    dealt = Deal(classes + 20, 4, (0, seed)).batch(label)
    photo, place = np.nonzero(dealt >= 0)
    target = dealt[photo, place]

    def best(scores: np.ndarray) -> np.ndarray:
        ranked = np.argsort(-scores, axis=1, kind="stable")[:, :top_units]
        return np.where(np.take_along_axis(scores, ranked, 1) > 0, ranked, -1).astype(np.int32)

    own = TransactionDatabase(
        best(activations * weights[label]), label.astype(np.int32), np.arange(photos, dtype=np.int64), units
    )
    contrast = ContrastDatabase(
        best(activations[photo] * weights[target]),
        target.astype(np.int32),
        label[photo].astype(np.int32),
        photo.astype(np.int64),
        units,
    )
    return own, contrast


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("runs", 200), ("photos", 240), ("units", 64), ("classes", 6), ("top-units", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    rules = runs_by_contrast = runs_against_rest = rules_against_rest = 0
    for seed in range(given.runs):
        own, contrast = transactions(seed, given.photos, given.units, given.classes, given.top_units)
        mined = mine(own, MineConfig(top_units=given.top_units, min_support=0.2), contrast=contrast)
        table = mined.rules
        itemset = table["itemset_id"].to_numpy()
        in_class = mined.class_photos[np.searchsorted(mined.class_ids, table["class_id"].to_numpy())]
        p = fisher(table["image_count"].to_numpy(), mined.all_photos[itemset], in_class, mined.n_photos)
        q = benjamini_hochberg(p, len(p))
        rules += len(table)
        rules_against_rest += int((q <= 0.05).sum())
        runs_against_rest += bool((q <= 0.05).any())
        runs_by_contrast += bool((table["image_q_value"] <= 0.05).any())
    print(f"{given.runs} runs without anything to find, {rules / given.runs:.0f} rules each on average")
    print(
        f"  a class against the rest: {runs_against_rest} runs report a rule, {rules_against_rest / given.runs:.0f} "
        "rules each on average"
    )
    print(f"  against the contrast: {runs_by_contrast} runs report a rule")


if __name__ == "__main__":
    main()
