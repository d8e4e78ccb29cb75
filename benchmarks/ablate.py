"""Table 1 from stored activations against running the network again for each of its rows, in one run.

    python -m benchmarks.ablate STUDY --images DIR [--photos 64]

The whole table (all methods, budgets and random draws) is measured from what is stored on all photos of the
evaluation. Running the network again with a hook is measured on a few photos for one row, and that row's answers are
compared. Its cost for the table is that of one row, per photo, times rows
and photos; photos are decoded beforehand and not charged to it. The ranking of units is the same for both and is left
out; what it takes to store the activations once is shown beside.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from interpret.config import EvaluateConfig
from interpret.evaluation import ablation, heads, heldout
from interpret.evaluation.evaluate import rank_all
from interpret.evaluation.table1 import table_1
from interpret.explanation.study_network import network_of
from interpret.models.hooks import zero_units
from interpret.models.precision import prepare
from interpret.study import open_study


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--images", required=True, help="photos, or a study of them")
    parser.add_argument("--photos", type=int, default=64, help="photos that the network is run on again")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    study = open_study(arguments.study)
    classifier = network_of(study)
    heldout_study = heldout.heldout(study, arguments.images, device=arguments.device, classifier=classifier)
    head = heads.load_head(study, device=arguments.device, classifier=classifier)
    config = EvaluateConfig()
    mined_set, test_set = ablation.make_ablation_set(study, head), ablation.make_ablation_set(heldout_study, head)
    classes = test_set.classes
    rankings = rank_all(study, mined_set, classes, study.mine_config, config)
    ours = [ranking for ranking in rankings if ranking.name.startswith("Ours-")]

    start = time.perf_counter()
    table, _ = table_1(test_set, classes, rankings, ours, config)
    stored = time.perf_counter() - start
    rows = sum(len(config.budgets) + bool(ranking.natural) for ranking in rankings) + 1
    rows += config.draws * (len(config.budgets) + len(ours))

    photos = np.linspace(0, len(test_set) - 1, min(arguments.photos, len(test_set))).astype(np.int64)
    precision = heldout_study.precision  # as the stored activations were computed
    network = prepare(classifier.network, study.layer, test_set.device, precision, head.seed_input.cpu())
    read = [heldout_study.photo(int(test_set.rows[photo])) for photo in photos]
    pixels = np.stack([classifier.preprocessing.apply(photo) for photo in read if photo is not None])
    inputs = classifier.preprocessing.normalise(torch.from_numpy(pixels).to(test_set.device))
    off = torch.zeros(len(photos), test_set.n_units, dtype=torch.bool)
    groups = np.searchsorted(classes, test_set.labels)
    sets = [ours[-1].best(class_id, 10) for class_id in classes.tolist()]
    for row, photo in enumerate(photos):
        off[row, sets[groups[photo]]] = True
    answers: list[torch.Tensor] = []
    seconds = []
    for _ in range(2):  # the first is a warm-up
        answers = []
        start = time.perf_counter()
        with torch.inference_mode():
            for part in range(0, len(photos), 32):
                with zero_units(network, study.layer, off[part : part + 32].to(test_set.device)):
                    answers.append(network(inputs[part : part + 32]).argmax(dim=1).cpu())
        seconds.append(time.perf_counter() - start)
    again = seconds[-1] / len(photos) * len(test_set) * rows
    found = ablation.classify(test_set, [sets], groups[photos], photos)[0]
    same = float((torch.cat(answers).numpy() == found).mean())

    print(f"{study.model}, {len(test_set):,} photos, {rows} rows, {test_set.device}, {arguments.threads} threads")
    print(
        f"from stored activations   {stored:10.1f} s for the whole table and its {config.resamples} bootstrap samples"
    )
    print(f"network run again         {again:10.1f} s ({1000 * seconds[-1] / len(photos):.1f} ms a photo and row)")
    print(f"backbone in {precision}, head in float32")
    print(f"{again / stored:.0f} times faster; same answer for {same:.1%} of {len(photos)} photos")
    seconds_once = heldout_study.manifest["timings"]["seconds"]
    print(f"storing the activations once took {seconds_once:.0f} s, Grad-CAM and patches included")
    accuracy = float(table["accuracy"].iloc[0])
    print(f"accuracy with no unit ablated: {accuracy:.4f}; in the study: {heldout_study.accuracy()}")


if __name__ == "__main__":
    main()
