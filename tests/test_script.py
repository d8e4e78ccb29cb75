"""A researcher's own script: the README's example."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import draw_photos


def test_the_readme_s_example_runs_as_a_script_in_another_folder(tmp_path):
    """Its names for a network, its classes and a folder of photos are made here; the rest is the README's, as it is."""
    root = Path(__file__).resolve().parents[1]
    (example,) = re.findall(r"```python\n(import interpret\n.*?)```", (root / "README.md").read_text(), re.DOTALL)
    photos = draw_photos(tmp_path / "photos", classes=2, each=12)
    given = """
import torch
torch.manual_seed(1)
network = torch.nn.Sequential(
    torch.nn.Conv2d(3, 6, 9, stride=8), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
    torch.nn.Linear(6, 2),
)
names = ["class 0", "class 1"]
"""
    shown = """
opened = interpret.open_study("studies/mine")
print(len(opened.images), opened.manifest["model"], sum(len(m._forward_hooks) for m in network.modules()))
"""
    (tmp_path / "script.py").write_text(given + example + shown)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    ended = subprocess.run(
        [sys.executable, "script.py"], cwd=photos.parent, env=environment, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (0, "24 my network 0\n"), ended.stderr
