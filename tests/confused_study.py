"""The small study with labels changed so that some photos are wrong, whatever the demo's network says of them."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from interpret.evaluation.heldout import FOLDER
from interpret.study import open_study
from tests.manifests import manifest_of, rewrite, write_images
from tests.small_study import studies


def commonest(study_folder: Path) -> tuple[int, int]:
    """The two classes predicted most often, the second one first: A and B of :func:`confuse`."""
    predicted = open_study(study_folder).images["predicted"].value_counts()
    b, a = sorted(predicted.index, key=lambda class_id: (-predicted[class_id], class_id))[:2]
    return int(a), int(b)


def confuse(folder: Path, count: int = 8) -> tuple[int, int]:
    """Label ``count`` photos that are predicted as B as A, and let all others be right; return A and B."""
    a, b = commonest(folder)
    images = pd.read_parquet(folder / "images.parquet").astype({"label": "Int32"})
    images["label"] = images["predicted"].astype("Int32")
    images.loc[np.flatnonzero(images["predicted"] == b)[:count], "label"] = a
    write_images(folder, images)
    return a, b


def confused(folder: Path, *, held_out: bool = True) -> tuple[int, int]:
    """Make a study with one confusion pair in ``folder``, and a held-out copy of it inside; return A and B."""
    shutil.copytree(studies() / "demo", folder)
    pair = confuse(folder)
    if held_out:
        inside = folder / FOLDER / "val"
        shutil.copytree(studies() / "demo", inside)
        confuse(inside, 5)
        about = manifest_of(inside)
        config = {**about["config"], "images": "/photos/val"}
        rewrite(inside, config=config, fingerprint="val", former_fingerprint="val")
    return pair
