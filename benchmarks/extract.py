"""Photos per second: the network's bare forward pass as a user loads it, our extraction, captum and pytorch-grad-cam.

    python -m benchmarks.extract --images DIR [--model resnet50 vgg16] [--precision bfloat16] [--photos 256]

All see the same photos through the same network, on the same threads, at the same precision. The bare pass is what a
user runs: `network.bfloat16()` or float32, channels last, in inference mode, no line of ours. It and both peers get
inputs that are decoded and normalised already, and the peers explain one class a photo; ours starts from the files,
explains each photo for `--contrast` further classes and ends with the patches on disk. Its rate is steady: what
a quarter of the photos takes alone, with loading and the trial, is subtracted from what all take. The peers run in
channels last and in batches of 32 and of 8, and the faster counts; pytorch-grad-cam can't run in bfloat16. Each repeat
measures every contender in turn; a ratio is the median of the ratios within the repeats, because a shared machine is
never equally fast twice. On a busy one `--threads 1` and the processor time are what can be compared: threads that wait
for each other count as busy.
"""

import argparse
import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from interpret import models
from interpret.config import Arithmetic, ExtractConfig, ModelConfig, RunConfig
from interpret.data import datasets
from interpret.data.photos import open_photo
from interpret.explanation.extraction import extract
from interpret.explanation.extractor import make_extractor
from interpret.models.precision import TYPES, choose_device, prepare
from interpret.threads import one_thread

BARE = "bare forward pass, as loaded"
OURS = "unitscope, files to patches on disk"
SMALL = 8


def bare(network: nn.Module, batches: list[Tensor]) -> None:
    with torch.inference_mode():
        for batch in batches:
            network(batch).argmax(dim=1)


def captum(network: nn.Module, layer: str, batches: list[Tensor]) -> None:
    from captum.attr import LayerGradCam

    method = LayerGradCam(network, network.get_submodule(layer))
    for batch in batches:
        with torch.no_grad():
            targets = network(batch).argmax(dim=1)
        method.attribute(batch, target=targets, relu_attributions=True)


def grad_cam(network: nn.Module, layer: str, batches: list[Tensor]) -> None:
    from pytorch_grad_cam import GradCAM

    with GradCAM(model=network, target_layers=[network.get_submodule(layer)]) as method:
        for batch in batches:
            method(input_tensor=batch, targets=None)  # None: the predicted class


def now() -> tuple[float, float]:
    """Elapsed and processor time (seconds), once a GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    elif torch.backends.mps.is_available():
        torch.mps.synchronize()
    return time.perf_counter(), time.process_time()


def rate(work: Callable[[], object], photos: int) -> tuple[float, float]:
    """Photos per second, and per second of processor time, of a contender that is given all photos at once."""
    start = now()
    work()
    end = now()
    return photos / (end[0] - start[0]), photos / (end[1] - start[1])


def steady_rate(config: RunConfig, classifier: models.Classifier) -> tuple[float, float]:
    """The same of a whole extraction: what the last three quarters of the photos add to what a quarter takes."""
    ends = []
    for limit in ((config.limit or 0) // 4, config.limit):
        with tempfile.TemporaryDirectory() as folder:
            start = now()
            study = extract(replace(config, limit=limit), Path(folder) / "study", classifier=classifier)
            end = now()
            ends.append((study.counts.images, end[0] - start[0], end[1] - start[1]))
    few, many = ends
    return (many[0] - few[0]) / (many[1] - few[1]), (many[0] - few[0]) / (many[2] - few[2])


def peak_memory() -> float:
    """Peak resident memory of this process in MiB, as Linux counts it since the program began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) / 1024


def memory(arguments: argparse.Namespace, model: str, photos: int) -> float:
    """Peak resident memory in MiB of one extraction in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.extract", "--images", arguments.images, "--model", model]
    command += ["--photos", str(photos), "--weights", arguments.weights, "--peak"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def cutting(config: RunConfig, classifier: models.Classifier, inputs: Tensor) -> float:
    """Milliseconds of processor time to upsample, label and box one map, on one thread, as an extraction does it."""
    device = torch.device("cpu")
    extractor, _ = make_extractor(classifier, config.extract, device, Arithmetic("float32"))
    maps = extractor.grad_cam(inputs[:32].float().cpu()).maps.repeat(5, 1, 1)
    with one_thread("cpu"):
        extractor.cut_patches(maps)
        start = time.process_time()
        for _ in range(3):
            extractor.cut_patches(maps)
        return (time.process_time() - start) / 3 / len(maps) * 1000


def ratio(found: dict[str, list[tuple[float, float]]], one: str, other: str, column: int) -> float:
    return statistics.median(a[column] / b[column] for a, b in zip(found[one], found[other], strict=True))


def measure(arguments: argparse.Namespace, name: str, precision: str) -> None:
    weights = None if arguments.weights == "own" or (arguments.weights == "auto" and "lite" in name) else "random"
    if arguments.weights not in ("auto", "own", "random"):
        weights = arguments.weights
    model = ModelConfig(model=name, weights=weights, precision=precision)
    classifier = models.load(model)
    config = RunConfig(
        images=arguments.images,
        model=model,
        extract=ExtractConfig(contrast=arguments.contrast),
        hold_out=0.0,
        limit=arguments.photos,
        batch_size=arguments.batch_size,
    )
    device = choose_device("auto")
    photos = datasets.scan(arguments.images, classifier.class_names, classifier.wnids, limit=arguments.inputs)
    pixels = [classifier.preprocessing.apply(open_photo(photo.file)) for photo in photos.photos]
    dtype = TYPES[precision]
    inputs = classifier.preprocessing.normalise(torch.from_numpy(np.stack(pixels)).to(device))
    large, small = (
        [part.to(dtype).contiguous(memory_format=torch.channels_last) for part in inputs.split(size)]
        for size in (arguments.batch_size, SMALL)
    )
    user = copy.deepcopy(classifier.network).to(device, dtype).to(memory_format=torch.channels_last).eval()
    ours = prepare(classifier.network, classifier.layer, device, precision, inputs[:1])
    plain = [part.float() for part in large]
    layer, n = classifier.layer, len(pixels)
    contenders: dict[str, Callable[[], tuple[float, float]]] = {
        BARE: lambda: rate(lambda: bare(user, large), n),
        OURS: lambda: steady_rate(config, classifier),
        f"bare forward pass, batches of {SMALL}": lambda: rate(lambda: bare(user, small), n),
        "bare forward pass, as we prepare it": lambda: rate(lambda: bare(ours, plain), n),
    }
    if not arguments.skip_peers:
        contenders |= {
            "captum LayerGradCam": lambda: rate(lambda: captum(user, layer, large), n),
            f"captum LayerGradCam, batches of {SMALL}": lambda: rate(lambda: captum(user, layer, small), n),
        }
    if not arguments.skip_peers and precision == "float32":  # NumPy, which it computes maps with, has no bfloat16
        contenders |= {
            "pytorch-grad-cam": lambda: rate(lambda: grad_cam(user, layer, large), n),
            f"pytorch-grad-cam, batches of {SMALL}": lambda: rate(lambda: grad_cam(user, layer, small), n),
        }
    found: dict[str, list[tuple[float, float]]] = {contender: [] for contender in contenders}
    for repeat in range(arguments.repeats + 1):  # the first round warms up and does not count
        for contender, work in contenders.items():
            if not repeat and contender == OURS:
                if device.type == "cuda":  # whose libraries load something once for a process
                    steady_rate(replace(config, limit=arguments.photos // 4), classifier)
                continue
            value = work()
            if repeat:
                found[contender].append(value)
    print(f"\n{name}, {precision}, {device}, {n} inputs, {arguments.photos} photos of ours, batches of ", end="")
    print(f"{arguments.batch_size}, {torch.get_num_threads()} threads of {os.cpu_count()} cores, contrast ", end="")
    print(f"{arguments.contrast}, torch {torch.__version__}, medians of {arguments.repeats}")
    for contender, values in found.items():
        elapsed, processor = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"{contender:38} {elapsed:7.1f} photos/s, {ratio(found, contender, BARE, 0):5.2f} of bare, ", end="")
        print(f"ours {ratio(found, OURS, contender, 0):5.2f} times it; by processor time {processor:7.1f}, ", end="")
        print(f"{ratio(found, contender, BARE, 1):5.2f}, {ratio(found, OURS, contender, 1):5.2f}", flush=True)
    print(f"cutting: {cutting(config, classifier, inputs):.3f} ms of processor time a map")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True)
    parser.add_argument("--model", nargs="+", default=["efficientnet_lite0", "resnet50", "convnext_tiny", "vgg16"])
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument(
        "--weights", default="auto", help="'random', a file, 'own' for the model's own; auto: own for EfficientNet-Lite"
    )
    parser.add_argument("--photos", type=int, default=256, help="of an extraction of ours")
    parser.add_argument("--inputs", type=int, default=64, help="decoded photos for the bare pass and the peers")
    parser.add_argument("--contrast", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--skip-peers", action="store_true")
    parser.add_argument("--memory", action="store_true", help="measure peak memory too")
    parser.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.peak:
        model = ModelConfig(model=arguments.model[0], weights=None if "lite" in arguments.model[0] else "random")
        with tempfile.TemporaryDirectory() as folder:
            config = RunConfig(images=arguments.images, model=model, limit=arguments.photos, hold_out=0.0)
            extract(config, Path(folder) / "study")
        print(peak_memory())
        return
    for name in arguments.model:
        for precision in arguments.precision:
            measure(arguments, name, precision)
        if arguments.memory:
            few, many = (memory(arguments, name, count) for count in (arguments.photos, 4 * arguments.photos))
            print(f"peak memory: {few:.0f} MiB for {arguments.photos} photos, {many:.0f} for {4 * arguments.photos}")


if __name__ == "__main__":
    main()
