"""No import changes the process; what a block leaves behind is noticed, by name, also where it raises."""

import random
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from tests.process_state import nothing_left_behind
from tests.test_structure import MODULES, NAMES, ROOT, imported

IMPORTS = """
import importlib, sys
libraries, modules = (argument.split(",") for argument in sys.argv[1:])
for name in libraries:
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # a name from a module, or a library that is not installed
from tests.process_state import process_state
before = process_state()
for name in modules:
    importlib.import_module(name)
    after = process_state()
    assert before == after, f"importing {name} changed {[key for key in before if before[key] != after[key]]}"
assert "streamlit" not in sys.modules
"""


@pytest.mark.slow
def test_no_import_changes_the_process():
    """Libraries come first: what they change by themselves is theirs."""
    libraries = {name for path in MODULES for name in imported(path)} - NAMES
    modules = sorted(NAMES - {"interpret.__main__", "interpret.demo.__main__"})
    assert len(modules) > 80
    command = [sys.executable, "-c", IMPORTS, ",".join(sorted(libraries)), ",".join(modules)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


CHANGES = {
    "warning filters": lambda _: warnings.simplefilter("ignore", ResourceWarning),
    "Python's random state": lambda _: random.random(),
    "NumPy's random state": lambda _: np.random.rand(),  # noqa: NPY002
    "torch's random state": lambda _: torch.rand(1),
    "torch's threads": lambda _: torch.set_num_threads(torch.get_num_threads() + 1),
    "gradients": lambda _: torch.set_grad_enabled(False),
    "network 0": lambda network: network.act.register_forward_hook(print),
    "network 0, a mode": lambda network: network.train(),
    "network 0, a number": lambda network: network.norm.running_mean.add_(1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_left_behind_is_named(tiny, name):
    def change_and_raise() -> None:
        with nothing_left_behind(tiny):
            CHANGES[name](tiny)
            raise ValueError("which hides nothing")

    threads = torch.get_num_threads()
    try:
        with warnings.catch_warnings(), pytest.raises(AssertionError, match=f"^left changed: {name.split(',')[0]}$"):
            change_and_raise()
    finally:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(True)
