"""``python -m interpret.demo``: train the demo's network again, or draw its images."""

import argparse
import sys
from pathlib import Path

from PIL import Image

from interpret.demo.draw import SPLITS


def main(arguments: list[str]) -> None:
    """Run the command that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m interpret.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("train", help="train the network and write assets/demo.safetensors and assets/demo.json")
    commands.add_parser("codes", help="learn sparse codes of the network's layer and write assets/demo_codes")
    drawn = commands.add_parser("sheet", help="write a sheet of drawings as PNG")
    drawn.add_argument("file", type=Path)
    drawn.add_argument("--rows", type=int, default=8)
    drawn.add_argument("--columns", type=int, default=10)
    drawn.add_argument("--first", type=int, default=0)
    drawn.add_argument("--split", choices=tuple(SPLITS), default="val")
    images = commands.add_parser("draw", help="draw those of a split's first images that are not in a folder yet")
    images.add_argument("folder", type=Path)
    images.add_argument("split", choices=tuple(SPLITS))
    images.add_argument("count", type=int)
    responses = commands.add_parser("units", help="write where some units respond on held-out drawings, a row a unit")
    responses.add_argument("file", type=Path)
    responses.add_argument("units", type=int, nargs="+")
    options = parser.parse_args(arguments)
    if options.command == "sheet":
        from interpret.demo.pictures import sheet

        _save(sheet(options.rows, options.columns, options.split, options.first), options.file)
    elif options.command == "draw":
        from interpret.demo import draw_images

        for _ in draw_images(options.folder, options.split, range(options.count)):
            pass
    elif options.command == "units":
        from interpret.demo.network import UNITS

        for unit in options.units:
            if not 0 <= unit < UNITS:
                parser.error(f"there is no unit {unit}; the network has {UNITS}, counted from 0")
        _save(_unit_sheet(options.units), options.file)
    elif options.command == "codes":
        from interpret.demo import codes

        found = codes.train()
        _print(
            f"{found['explained']:.3f} of the variance explained, {found['active']:.1f} latents active at a location "
            f"({found['channels']:.1f} channels)"
        )
    else:
        from interpret.demo.train import train

        record = train(_print)
        _print(
            f"accuracy {record['accuracy']:.4f} on {record['held_out_images']} held-out images, {record['seconds']} s"
        )


def _unit_sheet(units: list[int], images: int = 500, columns: int = 9) -> Image.Image:
    """A row for each unit: the held-out drawings on which it is largest, and where on them."""
    import numpy as np
    import torch

    from interpret.demo.draw import sample
    from interpret.demo.network import CLASS_NAMES, trained
    from interpret.demo.pictures import page, strongest_responses
    from interpret.demo.train import normalise

    drawn = [sample(index, "val").image for index in range(images)]
    features = trained().get_submodule("features")
    with torch.inference_mode():
        chunks = [
            features(normalise(torch.from_numpy(np.stack(drawn[at : at + 50]))))[:, units]
            for at in range(0, images, 50)
        ]
    activations = torch.cat(chunks).numpy()
    labels = np.arange(images) % len(CLASS_NAMES)
    rows = [strongest_responses(activations[:, row], labels, drawn, 3, columns // 3) for row in range(len(units))]
    return page([image for row in rows for image in row], columns)


def _save(picture: Image.Image, file: Path) -> None:
    picture.quantize(256, kmeans=4, dither=Image.Dither.FLOYDSTEINBERG).save(file, optimize=True)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
