"""Photos per second: the bare forward pass, our whole extraction, captum and pytorch-grad-cam, in one run.

    python -m benchmarks.extract --images DIR [--model resnet50] [--photos 256] [--repeats 3] [--only bfloat16]

All see the same photos through the same network, on the same threads. The bare pass and both peers get inputs that
are already decoded and normalised; ours starts from the files and ends with the patches on disk, so it is charged for
decoding and writing, and they are not. Each repeat measures every contender in turn, and medians of the repeats are
given, because a shared machine is never equally fast twice. Peak memory is measured on two numbers of photos.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from interpret import models, pipeline
from interpret.config import ModelConfig, RunConfig
from interpret.data import datasets
from interpret.data.photos import open_photo
from interpret.models.precision import choose_device, choose_precision, prepare


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


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(config: RunConfig, classifier: models.Classifier) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pipeline.extract(config, Path(folder) / "study", classifier=classifier)


def peak_memory() -> float:
    """Peak resident memory of this process in MiB, as Linux counts it since the program began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) / 1024


def memory(arguments: argparse.Namespace, photos: int) -> float:
    """Peak resident memory in MiB of one extraction in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.extract", "--images", arguments.images, "--model", arguments.model]
    command += ["--photos", str(photos), "--weights", arguments.weights, "--peak"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", required=True)
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--weights", default="random", help="'random', a file, or 'own' for the model's own")
    parser.add_argument("--photos", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", default="", help="measure only contenders whose name holds this, and the reference")
    parser.add_argument("--skip-memory", action="store_true")
    parser.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    weights = None if arguments.weights == "own" else arguments.weights
    base = ModelConfig(model=arguments.model, weights=weights)
    classifier = models.load(base)

    def config(precision: str) -> RunConfig:
        model = ModelConfig(model=arguments.model, weights=weights, precision=precision)
        return RunConfig(images=arguments.images, model=model, limit=arguments.photos, batch_size=arguments.batch_size)

    if arguments.peak:
        run(config("auto"), classifier)
        print(peak_memory())
        return

    device = choose_device("auto")
    photos = datasets.scan(arguments.images, classifier.class_names, classifier.wnids, limit=arguments.photos)
    pixels = [classifier.preprocessing.apply(open_photo(photo.path)) for photo in photos.photos]
    inputs = classifier.preprocessing.normalise(torch.from_numpy(np.stack(pixels)).to(device))
    batches = [part.contiguous(memory_format=torch.channels_last) for part in inputs.split(arguments.batch_size)]
    plain = prepare(classifier.network, classifier.layer, device, "float32", batches[0][:1])
    stock = classifier.network.to(device)  # the peers run the network as its users would: not channels last
    rows = [part.contiguous() for part in batches]

    contenders: dict[str, Callable[[], object]] = {
        "bare forward pass, float32, channels last": lambda: bare(plain, batches),
        "unitscope, files to patches on disk, float32": lambda: run(config("float32"), classifier),
        "captum LayerGradCam, float32, channels last": lambda: captum(plain, classifier.layer, batches),
        "captum LayerGradCam, float32, as loaded": lambda: captum(stock, classifier.layer, rows),
        "pytorch-grad-cam, float32, channels last": lambda: grad_cam(plain, classifier.layer, batches),
        "pytorch-grad-cam, float32, as loaded": lambda: grad_cam(stock, classifier.layer, rows),
    }
    fast = choose_precision("auto", device)
    if fast != "float32":
        quick = prepare(classifier.network, classifier.layer, device, fast, batches[0][:1])
        contenders[f"bare forward pass, {fast}, channels last"] = lambda: bare(quick, batches)
        contenders[f"unitscope, files to patches on disk, {fast}"] = lambda: run(config(fast), classifier)

    reference_name = "bare forward pass, float32, channels last"
    contenders = {name: work for name, work in contenders.items() if arguments.only in name or name == reference_name}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for work in contenders.values():  # once each, unmeasured
        work()
    for _ in range(arguments.repeats):
        for name, work in contenders.items():
            seconds[name].append(timed(work))
    reference = statistics.median(seconds[reference_name])
    print(f"{arguments.model}, {len(pixels)} photos, batches of {arguments.batch_size}, {arguments.threads} threads, ")
    print(f"{device}, torch {torch.__version__}, median of {arguments.repeats}")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:52} {len(pixels) / median:8.1f} photos/s   {reference / median:5.2f} of the bare float32 pass")
    if not arguments.skip_memory:
        few, many = arguments.photos, 4 * arguments.photos
        print(f"peak memory: {memory(arguments, few):.0f} MiB for {few} photos, ", end="")
        print(f"{memory(arguments, many):.0f} MiB for {many}")


if __name__ == "__main__":
    main()
