"""What the contrast costs: extraction with `--contrast 4` against `--contrast 0`, from files to a study on disk.

    python -m benchmarks.contrast FOLDER [--model NAME] [--limit N] [--repeats 5]

The two take turns in one process; each makes a whole study. Elapsed time without loading the model counts for the user,
processor time is what can be compared on a machine that others use too. Prints medians and their ratio.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from interpret import models
from interpret.config import ExtractConfig, ModelConfig, RunConfig
from interpret.explanation.extraction import extract


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images")
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--limit", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    options = ModelConfig(model=arguments.model, precision=arguments.precision)
    classifier = models.load(options)
    times: dict[int, list[tuple[float, float]]] = {0: [], 4: []}
    for repeat in range(arguments.repeats + 1):  # the first round warms up and does not count
        for contrast, measured in times.items():
            with tempfile.TemporaryDirectory() as folder:
                config = RunConfig(
                    images=arguments.images,
                    model=options,
                    extract=ExtractConfig(contrast=contrast),
                    hold_out=0.0,
                    limit=arguments.limit,
                )
                begun = time.perf_counter(), time.process_time()
                extract(config, Path(folder) / "study", classifier=classifier)
                if repeat:
                    measured.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    print(f"{arguments.model}, {arguments.limit} photos, median of {arguments.repeats}")
    medians = {
        contrast: [statistics.median(column) for column in zip(*measured, strict=True)]
        for contrast, measured in times.items()
    }
    for contrast, (elapsed, processor) in medians.items():
        print(f"  --contrast {contrast}: {elapsed:.2f} s elapsed, {processor:.2f} s of processor time")
    print(
        f"  speed with the contrast, of that without: {medians[0][0] / medians[4][0]:.2f} elapsed, "
        f"{medians[0][1] / medians[4][1]:.2f} by processor time"
    )


if __name__ == "__main__":
    main()
