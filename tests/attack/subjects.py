"""Studies of every kind that the attack damages: small, made once, with everything that is kept in a study."""

import contextlib
import io
import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from interpret import demo, pipeline
from interpret.cli.main import main
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.findings import Findings
from interpret.study import open_study
from interpret.study.names import Named
from interpret.study.names_file import FILE, change_names
from tests.manifests import aged, rewrite

KINDS = ("whole", "plain", "maps", "version 2", "version 1")
"""With everything; without a contrast; with activations stored; and as earlier versions wrote them."""

UNTOLD = FILE
"""The file of a study of which nothing tells a changed byte: any other name is one that people may have given."""

EVALUATE = (
    "--budgets", "1,3", "--draws", "2", "--no-lasso", "--no-greedy", "--no-itemsets", "--contrast-quantile", "0",
    "--device", "cpu",
)  # fmt: skip


@dataclass(frozen=True)
class Subjects:
    """Where the studies are, and the photos that they are evaluated on and dissected with."""

    root: Path

    def study(self, kind: str) -> Path:
        return self.root / kind.replace(" ", "-")

    @property
    def other(self) -> Path:
        """A study of the same photos with other patches, whose files are swapped in."""
        return self.root / "other"

    @property
    def held_out(self) -> Path:
        return self.root / "held-out"

    @property
    def masks(self) -> Path:
        return self.root / "masks"


def subjects(root: Path, count: int = 30) -> Subjects:
    """The studies below a folder, made unless they are there already."""
    made = Subjects(root)
    if (root / "made").exists():
        return made
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        _make(made, count)
    (root / "made").touch()
    return made


def config(made: Subjects, kind: str) -> RunConfig:
    """The options that one of the studies is made with."""
    plain = RunConfig(
        images=str(made.root / "drawings"),
        model=ModelConfig(model="demo", precision="float32", device="cpu"),
        extract=ExtractConfig(contrast=2, stored_units=5),
        mine=MineConfig(top_units=5, min_support=0.3, min_class_patches=4),
        shard_size=16,
        batch_size=8,
    )
    if kind in ("plain", "version 1"):
        return replace(plain, extract=replace(plain.extract, contrast=0))
    if kind == "maps":
        return replace(
            plain, model=replace(plain.model, layer="features.12"), extract=replace(plain.extract, stored_units=6)
        )
    if kind == "other":
        return replace(plain, extract=replace(plain.extract, tau=0.4))
    return plain


def _name(folder: Path) -> None:
    """Give what is shown first of a study a name, and its best units notes."""
    findings = Findings.of(open_study(folder))
    units = findings.table.sort_values("support", ascending=False, kind="stable")["units"].drop_duplicates().head(9)
    entries = {(held, ()): Named(f"name of {len(held)}", ("tag",), "a note\nof two lines") for held in units}
    change_names(findings.study, entries)


def _make(made: Subjects, count: int) -> None:
    with mock.patch.dict(os.environ, {"UNITSCOPE_CACHE": str(made.root / "cache")}):
        demo.photos("train", count=count).rename(made.root / "drawings")
        demo.photos("val", count=10).rename(made.held_out)
    shutil.rmtree(made.root / "cache")
    for path in (made.root / "drawings").rglob("*.png"):  # photos that changed just now have no digest in the study
        os.utime(path, (10**9, 10**9))
    for path in sorted(made.held_out.rglob("*.png")):  # two parts that nobody knows: the left half, and a square
        folder = made.masks / path.relative_to(made.held_out).with_suffix("")
        folder.mkdir(parents=True)
        for part, (rows, columns) in {"left": (112, 56), "square": (40, 40)}.items():
            mask = np.zeros((112, 112), np.uint8)
            mask[:rows, :columns] = 255
            Image.fromarray(mask).save(folder / f"{part}.png")
    for kind in ("whole", "plain", "maps", "other"):
        folder = made.other if kind == "other" else made.study(kind)
        pipeline.run(config(made, kind), folder)
        # What differs from run to run is set, so that a case is the same case again.
        rewrite(folder, created="2026-01-01T00:00:00+00:00", timings={"seconds": 1.0, "shards_resumed": 0})
        if kind != "maps":
            assert main(["evaluate", str(folder), "--images", str(made.held_out), *EVALUATE]) == 0
        if kind == "plain":  # photos explained on demand are kept
            assert main(["errors", str(folder), "--device", "cpu"]) == 0
        if kind in ("whole", "other"):
            assert main(["dissect", str(folder), "--images", str(made.held_out), "--masks", str(made.masks)]) == 0
            assert main(["pack", str(folder), "--side", "48"]) == 0
            _name(folder)
    for version, kind in ((1, "plain"), (2, "whole")):
        folder = Path(shutil.copytree(made.study(kind), made.study(f"version {version}")))
        aged(folder, version)
        for listed in folder.rglob("digests.json"):
            listed.unlink()
        (about,) = (folder / "evaluation" / "results").glob("*/evaluation.json")
        about.write_text(json.dumps({**json.loads(about.read_text()), "format": 3}))  # the last one without digests
