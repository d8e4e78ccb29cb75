"""A real network on Ray's workers: two workers of one thread each beside one of two threads, and beside no Ray at all.

    python -m benchmarks.scale_network --images FOLDER [--model efficientnet_lite0] [--rounds 3]

Each run explains all photos, contrast included, into a study of its own. The rate is that from when every worker has
given its first shard to the last one, so that Ray's start, imports and the network are left out; the three take turns.
"""

import argparse
import logging
import statistics
import tempfile
import time
from pathlib import Path

from interpret.config import MineConfig, ModelConfig, RunConfig
from interpret.explanation.extraction import extract
from interpret.explanation.ray_pool import RayOptions
from interpret.progress import Progress

KINDS = {
    "no Ray": None,
    "one worker of all threads": RayOptions(workers=1),
    "a worker for each thread": RayOptions(workers=2),
}


def rate(config: RunConfig, options: RayOptions | None) -> float:
    """Photos a second between two reports."""
    seen: list[tuple[float, int]] = []

    def heard(progress: Progress) -> None:
        if progress.stage.startswith("Explaining photos") and progress.done > (seen[-1][1] if seen else 0):
            seen.append((time.monotonic(), progress.done))

    with tempfile.TemporaryDirectory() as scratch:
        extract(config, Path(scratch) / "study", heard, ray=options)
    (began, first), (ended, last) = seen[options.workers - 1 if options and options.workers else 0], seen[-1]
    return (last - first) / (ended - began)


def main() -> None:
    import ray

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--images", type=Path, required=True, help="a folder of photos: some 2,000, which make 8 shards"
    )
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    model = ModelConfig(model=given.model, precision=given.precision, device="cpu")
    config = RunConfig(images=str(given.images), model=model, mine=MineConfig(), hold_out=0.0)
    ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    rates: dict[str, list[float]] = {name: [] for name in KINDS}
    for _ in range(given.rounds):
        for name, options in KINDS.items():
            rates[name].append(rate(config, options))
    ray.shutdown()
    print(f"{given.model}, {given.precision}, Ray {ray.__version__}\n")
    print("| | photos/s, median | each round |\n|---|--:|---|")
    for name, found in rates.items():
        print(f"| {name} | {statistics.median(found):.1f} | {', '.join(f'{each:.1f}' for each in found)} |")


if __name__ == "__main__":
    main()
