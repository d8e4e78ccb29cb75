"""What a public function must leave as it found it: the process's settings and the networks that it was handed."""

import os
import random
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFile
from torch import nn
from torch.nn.modules import module as global_hooks


def process_state() -> dict[str, Any]:
    """Every setting of the process that the library could change, by name."""
    return {
        "warning filters": list(warnings.filters),
        "how warnings are shown": warnings.showwarning,
        "environment": dict(os.environ),
        "working directory": Path.cwd(),
        "Python's random state": random.getstate(),
        "NumPy's random state": repr(np.random.get_state()),  # noqa: NPY002 - the state that a caller's code may use
        "NumPy's floating-point errors": np.geterr(),
        "torch's random state": torch.random.get_rng_state().numpy().tobytes(),
        "torch's threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "torch's type": (torch.get_default_dtype(), torch.get_float32_matmul_precision()),
        "deterministic algorithms": (
            torch.are_deterministic_algorithms_enabled(),
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.deterministic,
        ),
        "hooks of all modules": {
            name: len(value)
            for name, value in vars(global_hooks).items()
            if name.startswith("_global_") and isinstance(value, dict)
        },
        "Pillow's limits": (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES),
    }


def hooks_of(network: nn.Module) -> int:
    """How many hooks of any kind hang on a network."""
    return sum(
        len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) + len(m._backward_pre_hooks)
        for m in network.modules()
    )


def state_of(network: nn.Module) -> tuple:
    """All that a context must leave as it was: hooks, modes, gradient flags and every bit of every tensor."""
    return (
        hooks_of(network),
        tuple(m.training for m in network.modules()),
        tuple(p.requires_grad for p in network.parameters()),
        tuple(p.grad is None for p in network.parameters()),
        tuple(
            zlib.crc32(t.detach().cpu().reshape(-1).view(torch.uint8).numpy()) if t.numel() else 0
            for t in network.state_dict().values()
        ),
    )


@contextmanager
def nothing_left_behind(*networks: nn.Module) -> Iterator[None]:
    """Assert that the block leaves the process and the networks as they were, also where it raises."""

    def state() -> dict[str, Any]:
        return {**process_state(), **{f"network {i}": state_of(network) for i, network in enumerate(networks)}}

    before = state()
    try:
        yield
    finally:
        after = state()
        changed = [name for name in before if after[name] != before[name]]
        assert not changed, f"left changed: {', '.join(changed)}"
