"""``python -m interpret.demo``: train the demo's network again, or draw a sheet of its images."""

import argparse
import sys
from pathlib import Path

from PIL import Image

from interpret.demo.draw import SPLITS


def main(arguments: list[str]) -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m interpret.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("train", help="train the network and write assets/demo.safetensors and assets/demo.json")
    drawn = commands.add_parser("sheet", help="write a sheet of drawings as PNG")
    drawn.add_argument("file", type=Path)
    drawn.add_argument("--rows", type=int, default=8)
    drawn.add_argument("--columns", type=int, default=10)
    drawn.add_argument("--first", type=int, default=0)
    drawn.add_argument("--split", choices=tuple(SPLITS), default="val")
    seen = commands.add_parser("units", help="write what some units see on held-out drawings as PNG, a row a unit")
    seen.add_argument("file", type=Path)
    seen.add_argument("units", type=int, nargs="+")
    given = parser.parse_args(arguments)
    if given.command == "sheet":
        from interpret.demo.pictures import sheet

        _save(sheet(given.rows, given.columns, given.split, given.first), given.file)
    elif given.command == "units":
        _save(_units(given.units), given.file)
    else:
        from interpret.demo.train import train

        record = train(_say)
        _say(f"{record['accuracy']:.4f} right on {record['held_out_images']} held-out images, {record['seconds']} s")


def _units(units: list[int], images: int = 500, columns: int = 9) -> Image.Image:
    import numpy as np
    import torch

    from interpret.demo.draw import sample
    from interpret.demo.network import CLASS_NAMES, trained
    from interpret.demo.pictures import page, seen_by
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
    rows = [seen_by(activations[:, row], labels, drawn, 3, columns // 3) for row in range(len(units))]
    return page([image for row in rows for image in row], columns)


def _save(picture: Image.Image, file: Path) -> None:
    picture.quantize(256, kmeans=4, dither=Image.Dither.FLOYDSTEINBERG).save(file, optimize=True)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
