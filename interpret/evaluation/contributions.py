"""What each unit adds to a class in each photo: gradient of the class's logit, or log-odds, times the activation."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from interpret.evaluation.ablation import HEAD_ROWS, AblationSet, Ints

LINEAR_ROWS = 4096
"""Photos at a time where the head is linear."""


def unit_contributions(
    over: AblationSet, photos: Ints, class_id: int, *, against: bool = False
) -> npt.NDArray[np.float32]:
    """Contribution of every unit to one class, photo by photo.

    Args:
        over: the photos and the head.
        photos: (m,) int64, positions in ``over``; all are seen as photos of ``class_id``.
        class_id: c, whose evidence is asked for.
        against: False: the gradient is that of the logit y_c, as in Grad-CAM. True: of the log-odds
            y_c - log sum_{j != c} exp y_j, so that what a unit gives to the classes most easily mistaken for c is
            taken off what it gives to c.

    Returns:
        (m, K) float32, in units of the logit: for a linear head W[c] f, and (W[c] - sum_j p_j W[j]) f with p the
        softmax over the other classes; for any other head the mean gradient over cells times the summed activation.
    """
    step = LINEAR_ROWS if over.head.linear else HEAD_ROWS
    parts = []
    for start in range(0, len(photos), step):
        stored = over.stored(photos[start : start + step])
        one = _linear if over.head.linear else _general
        parts.append(one(over, stored, class_id, against).cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, over.n_units), np.float32)


def _others(logits: Tensor, class_id: int) -> Tensor:
    """Logits with those of ``class_id`` out of the competition."""
    others = logits.clone()
    others[:, class_id] = -torch.inf
    return others


def _linear(over: AblationSet, features: Tensor, class_id: int, against: bool) -> Tensor:
    weight = over.head.weight
    assert weight is not None
    with torch.inference_mode():
        if not against:
            return weight[class_id] * features
        shares = _others(over.head.from_features(features), class_id).softmax(dim=1)
        return (weight[class_id] - shares @ weight) * features


def _general(over: AblationSet, activations: Tensor, class_id: int, against: bool) -> Tensor:
    with torch.enable_grad():
        leaf = activations.detach().requires_grad_(True)
        logits = over.head.logits(leaf)
        value = logits[:, class_id]
        if against:
            value = value - _others(logits, class_id).logsumexp(dim=1)
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return gradient.mean(dim=(2, 3)) * activations.sum(dim=(2, 3))
