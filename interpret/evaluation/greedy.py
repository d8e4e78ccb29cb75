"""The strongest rival: a greedy search for the units whose ablation costs a class most photos.

It optimises what the evaluation measures, on the mined photos, so it is a bound rather than a method of explanation.
"""

import numpy as np
import torch
from torch import Tensor

from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, Ints
from interpret.evaluation.contributions import unit_contributions
from interpret.evaluation.unit_rankings import Ranking

SHORTLIST = 96
"""Units tried at each step (count): those that contribute most to the class's log-odds with no unit ablated."""

RIVALS = 64
"""Other classes compared at each step (count): those with the largest mean probability at that step."""

CHUNK = 1 << 22
"""Logits held at a time (count)."""


def greedy(
    ablation_set: AblationSet, classes: Ints, *, budget: int = 50, shortlist: int = SHORTLIST, photos: int = 200
) -> Ranking:
    """Units in the order in which ablating them lowers the class's accuracy most on the mined photos.

    Each step ablates the unit that leaves the fewest photos classified as the class; ties go to the one that leaves
    the smaller mean margin between the class's logit and the largest other one, then to the lower index.

    Args:
        ablation_set: the mined photos and a linear head.
        classes: (c,) int64, the classes asked for.
        budget: units to rank (count).
        shortlist: units tried at each step (count).
        photos: at most so many photos of a class are used, the first ones (count).

    Raises:
        InputError: the head is not linear; on any other, trying every unit takes too long.
    """
    if ablation_set.head.weight is None:
        raise InputError("The greedy ranking needs a head of pooling and one linear map.")
    ranked = {}
    for class_id in classes.tolist():
        of_class = np.flatnonzero(ablation_set.labels == class_id)[:photos]
        log_odds = unit_contributions(ablation_set, of_class, class_id, against=True).mean(axis=0, dtype=np.float64)
        candidates = np.argsort(-log_odds, kind="stable")[:shortlist].astype(np.int64)
        ranked[class_id] = _order(ablation_set, ablation_set.head_inputs(of_class), class_id, candidates, budget)
    return Ranking("Greedy drop", ranked)


@torch.inference_mode()
def _order(ablation_set: AblationSet, features: Tensor, class_id: int, candidates: Ints, budget: int) -> Ints:
    """The first ``budget`` candidates in greedy order, for the features (m, K) of one class's photos."""
    weight = ablation_set.head.weight
    assert weight is not None
    units = torch.from_numpy(candidates).to(ablation_set.device)
    logits = ablation_set.head.from_features(features)  # (m, C), with the units chosen so far ablated
    chosen: list[int] = []
    unused = torch.ones(len(candidates), dtype=torch.bool, device=ablation_set.device)
    for _ in range(min(budget, len(candidates))):
        tried = unused.nonzero()[:, 0]
        probability = logits.softmax(dim=1).mean(dim=0)
        probability[class_id] = -1.0
        rivals = probability.topk(min(RIVALS, logits.shape[1] - 1)).indices
        own_logit, rival_logits = logits[:, class_id], logits[:, rivals]
        accuracies, margins = [], []
        for part in tried.split(max(1, CHUNK // rival_logits.numel())):
            feature = features.T[units[part]]  # (u, m)
            own_after = own_logit - feature * weight[class_id, units[part]][:, None]
            lost = feature[:, :, None] * weight[rivals][:, units[part]].T[:, None, :]  # (u, m, rivals)
            margin = own_after - (rival_logits - lost).amax(dim=2)
            accuracies.append((margin > 0).double().mean(dim=1))
            margins.append(margin.double().mean(dim=1))
        accuracy, margin_mean = (torch.cat(parts).cpu().numpy() for parts in (accuracies, margins))
        # np.lexsort sorts by its last key first
        best = int(tried[int(np.lexsort((candidates[tried.cpu().numpy()], margin_mean, accuracy))[0])])
        unused[best] = False
        unit = int(candidates[best])
        chosen.append(unit)
        logits = logits - features[:, unit, None] * weight[:, unit][None]
    return np.array(chosen, np.int64)
