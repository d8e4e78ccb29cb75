"""What ablating a class's units takes away from the layer, and what it costs: channels beside latents of sparse codes.

    python -m benchmarks.codes STUDY [STUDY ...]

Of each study, evaluated before on held-out photos (`unitscope evaluate`), the first units of each class by the mined
ranking (contrastive, N = 10) are ablated in the photos of that class. Beside the accuracy stands the share of the
layer's energy that goes with them, mean over photos of ||A - A'||^2 / ||A||^2: equal numbers of channels and of latents
are not equal amounts. "random": as many units drawn at random, ten draws.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from interpret.config import EvaluateConfig
from interpret.evaluation import heldout
from interpret.evaluation.ablation import AblationSet, Ints, classify, make_ablation_set
from interpret.evaluation.class_means import class_means
from interpret.evaluation.evaluate import rank_all
from interpret.evaluation.heads import load_head
from interpret.explanation.study_network import network_of
from interpret.models.hooks import capture
from interpret.study import Study, open_study

RANKING = "Contrastive-10"
BUDGETS = (1, 2, 3, 5, 7, 10, 20)
DRAWS = 10


class Layer:
    """The units of the held-out photos, and what each adds to the layer's channels."""

    def __init__(self, study: Study, photos: Study) -> None:
        classifier = network_of(study)
        seen = [photo for image in range(len(photos.images)) if (photo := photos.photo(image)) is not None]
        pixels = np.stack([classifier.preprocessing.apply(photo) for photo in seen])
        point, layout = classifier.hook_point, classifier.layout
        inputs = classifier.preprocessing.normalise(torch.from_numpy(pixels))
        with torch.no_grad(), capture(classifier.network, replace(point, layout=layout.plain)) as captured:
            classifier.network(inputs)
        assert captured.activations is not None
        channels = captured.activations
        self.units = channels if layout.code is None else layout.code.encode(channels)
        cpu = torch.device("cpu")
        self.directions = torch.eye(channels.shape[1]) if layout.code is None else layout.code.directions(cpu)
        self.energy = channels.square().sum(dim=(1, 2, 3))

    def removed(self, photos: Ints, units: Ints) -> Tensor:
        """(m,) the share of each photo's energy that goes with some units."""
        chosen = torch.from_numpy(units.astype(np.int64))
        gone = torch.einsum("bkhw,kc->bchw", self.units[photos][:, chosen], self.directions[chosen])
        return gone.square().sum(dim=(1, 2, 3)) / self.energy[photos]


def report(name: str, photos: AblationSet, layer: Layer, sets: Sequence[Sequence[Ints]]) -> None:
    accuracy, removed = [], []
    for by_class in sets:
        (predicted,) = classify(photos, [by_class], photos.labels)
        accuracy.append(float((predicted == photos.labels).mean()))
        parts = [layer.removed(np.flatnonzero(photos.labels == c), units) for c, units in enumerate(by_class)]
        removed.append(float(torch.cat(parts).mean()))
    print(f"| {name} | {100 * np.mean(accuracy):.1f} | {np.mean(removed):.3f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, nargs="+")
    for folder in parser.parse_args().study:
        study = open_study(folder)
        found = heldout.best(study, heldout.kept(study))
        if found is None:
            parser.error(f"{folder} was not evaluated on held-out photos yet")
        head = load_head(study, device="cpu")
        mined = make_ablation_set(study, head)
        photos = make_ablation_set(found.study, head, reference=study)
        classes = np.arange(len(study.class_names))
        options = EvaluateConfig(lasso=False, greedy=False)
        means = class_means(mined, classes, study)
        mine = replace(study.mine_config, contrast_quantile=options.contrast_quantile)
        rankings = rank_all(study, mined, classes, mine, options, means)
        order = next(one.units for one in rankings if one.name == RANKING)
        layer, none, rng = Layer(study, found.study), np.zeros(0, np.int64), np.random.default_rng(0)
        print(f"\n{study.name}: {study.n_units} units\n\n| units ablated | accuracy | energy |\n|---|---|---|")
        report("none", photos, layer, [[none] * len(classes)])
        for budget in BUDGETS:
            report(str(budget), photos, layer, [[order.get(c, none)[:budget] for c in classes.tolist()]])
        for budget in (5, 20):
            draws = [rng.permutation(study.n_units)[:budget].astype(np.int64) for _ in range(DRAWS)]
            report(f"{budget} random", photos, layer, [[drawn] * len(classes) for drawn in draws])


if __name__ == "__main__":
    main()
