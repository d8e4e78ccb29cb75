"""What a block leaves behind is noticed, by name, also where it raises."""

import random
import warnings

import numpy as np
import pytest
import torch

from tests.process_state import nothing_left_behind

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
