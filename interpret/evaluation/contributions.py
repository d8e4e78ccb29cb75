"""What each unit contributes to a class in each photo: gradient of its logit, or log-odds, times activation."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from interpret.evaluation.ablation import AblationSet, Ints
from interpret.evaluation.stretches import HEAD_ROWS
from interpret.models.head import Head

CONTRIBUTION_ROWS = 4096
"""Photos whose contributions are computed at a time where the head is linear (count)."""


def unit_contributions(
    ablation_set: AblationSet, photos: Ints, class_id: int, *, against: bool = False
) -> npt.NDArray[np.float32]:
    """Contribution of each unit to one class in each photo.

    Args:
        ablation_set: the photos and the head.
        photos: (m,) int64, positions in ``ablation_set``, whatever their class.
        class_id: c, the class contributed to.
        against: False: the gradient is that of the logit y_c, as in Grad-CAM. True: of the log-odds
            y_c - log sum_{j != c} exp y_j, which subtracts what the unit contributes to the classes most easily
            mistaken for c.

    Returns:
        (m, K) float32, in units of the logit: for a linear head W[c] f, and (W[c] - sum_j p_j W[j]) f with p the
        softmax over the other classes; for any other head the gradient's mean over spatial locations times the sum of
        the activation over them.
    """
    step = CONTRIBUTION_ROWS if ablation_set.head.linear else HEAD_ROWS
    parts = []
    for start in range(0, len(photos), step):
        here = photos[start : start + step]
        parts.append(contributions_of(ablation_set, here, ablation_set.head_inputs(here), class_id, against=against))
    return np.concatenate(parts) if parts else np.zeros((0, ablation_set.n_units), np.float32)


def contributions_of(
    ablation_set: AblationSet, photos: Ints, inputs: Tensor, class_id: int, *, against: bool
) -> npt.NDArray[np.float32]:
    """The same for photos that were read, ``inputs`` being their :meth:`AblationSet.head_inputs`."""
    contributions = _linear if ablation_set.head.linear else _general
    return contributions(ablation_set.head_of(photos), inputs, class_id, against).cpu().numpy()


def _others(logits: Tensor, class_id: int) -> Tensor:
    """Logits of the other classes: that of ``class_id`` is minus infinity."""
    others = logits.clone()
    others[:, class_id] = -torch.inf
    return others


def _linear(head: Head, features: Tensor, class_id: int, against: bool) -> Tensor:
    weight = head.weight
    assert weight is not None
    with torch.inference_mode():
        if not against:
            return weight[class_id] * features
        shares = _others(head.from_features(features), class_id).softmax(dim=1)
        return (weight[class_id] - shares @ weight) * features


def _general(head: Head, activations: Tensor, class_id: int, against: bool) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        leaf = activations.detach().clone().requires_grad_(True)
        logits = head.logits(leaf)
        value = logits[:, class_id]
        if against:
            value = value - _others(logits, class_id).logsumexp(dim=1)
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return gradient.mean(dim=(2, 3)) * activations.sum(dim=(2, 3))
