"""A model in open_clip's own format, and what cannot be loaded."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interpret.cli.main import main
from interpret.concepts import encoder
from interpret.errors import InputError
from interpret.study import Study, open_study
from tests.small_study import studies


@pytest.fixture
def study(tmp_path) -> Study:
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    return open_study(tmp_path / "demo")


def tiny_clip(folder: Path) -> Path:
    """A small random model in open_clip's own format."""
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed")
    from safetensors.torch import save_file

    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    folder.mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = open_clip.CLIP(**config)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    about = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    (folder / encoder.CONFIG).write_text(json.dumps(about), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_model_in_open_clips_own_format_embeds_pictures_and_words(tmp_path, study, capsys):
    clip = tiny_clip(tmp_path / "clip")
    before = torch.random.get_rng_state()
    loaded = encoder.load(str(clip), device="cpu")
    assert torch.equal(torch.random.get_rng_state(), before)
    vectors = loaded.pictures([Image.new("RGB", (40, 30), "red"), Image.new("RGB", (30, 40), "blue")])
    assert vectors.shape == (2, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert loaded.phrases(["a wheel"]) == pytest.approx(encoder.load(str(clip), device="cpu").phrases(["a wheel"]))
    words = tmp_path / "words.txt"
    words.write_text("wheel\nwing\nwindow\n", encoding="utf-8")
    arguments = ["names", str(study.folder), "--clip", str(clip), "--words", str(words), "--find", "a wheel"]
    assert main([*arguments, "--device", "cpu"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"embedded: {len(study.patches)} patches of {len(study.patches)}" in printed
    assert "have a word of 3 in words.txt" in printed
    kept = {path.relative_to(study.folder): path.read_bytes() for path in (study.folder / "concepts").rglob("*.*")}
    shutil.rmtree(study.folder / "concepts")
    assert main([*arguments, "--device", "cpu"]) == 0
    assert kept == {
        path.relative_to(study.folder): path.read_bytes() for path in (study.folder / "concepts").rglob("*.*")
    }


def test_what_cannot_be_loaded_is_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("open_clip", reason="open_clip is not installed")
    file = tmp_path / "weights.pt"
    file.write_bytes(b"none")
    for name, said in (
        (f"ViT-B-32:{tmp_path / 'absent.pt'}", "There is no file of weights"),
        ("ViT-B-32:openai", "nothing is downloaded"),
        (str(tmp_path), "is no folder with open_clip_config.json"),
        (f"nothing:{file}", "open_clip has no architecture nothing"),
        (f"ViT-B-16-SigLIP:{file}", "from Hugging Face's hub"),
        (f"ViT-B-32:{file}", "cannot be loaded by open_clip"),
    ):
        with pytest.raises(InputError, match=said):
            encoder.load(name, device="cpu")
    with pytest.raises(InputError, match="outside of the folders"):
        encoder.load(f"ViT-B-32:{file}", roots=[tmp_path / "allowed"])
    monkeypatch.setitem(__import__("sys").modules, "open_clip", None)
    with pytest.raises(InputError, match=r"pip install .unitscope\[clip\]"):
        encoder.load(f"ViT-B-32:{file}", device="cpu")
