"""The strongest rival: switch off, one after the other, the unit that costs the class most. It looks at the answer."""

import numpy as np
import torch
from torch import Tensor

from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, Ints
from interpret.evaluation.contributions import unit_contributions
from interpret.evaluation.unit_rankings import Ranking

SHORTLIST = 96
"""Units tried at each step: those that contribute most to the class's log-odds at the start."""

RIVALS = 64
"""Other classes that may win at each step: those with the largest mean probability over the photos just then."""

CHUNK = 1 << 22
"""Logits held at a time (count)."""


def greedy(
    over: AblationSet, classes: Ints, *, budget: int = 50, shortlist: int = SHORTLIST, photos: int = 200
) -> Ranking:
    """Units in the order in which switching them off lowers the class's accuracy most on the mined photos.

    Each step takes the unit after which fewest photos are still classified as the class; ties go to the one that
    leaves the smaller mean margin between the class's logit and the largest other one, then to the lower index.

    Args:
        over: the mined photos and a linear head.
        classes: (c,) int64, the classes asked for.
        budget: units to rank (count).
        shortlist: units tried at each step (count).
        photos: at most so many photos of a class are used, the first ones (count).

    Raises:
        InputError: the head is not linear; trying out every unit on any other would take hours.
    """
    if over.head.weight is None:
        raise InputError("The greedy ranking needs a head of pooling and one linear map.")
    ranked = {}
    for class_id in classes.tolist():
        of = np.flatnonzero(over.labels == class_id)[:photos]
        first = unit_contributions(over, of, class_id, against=True).mean(axis=0, dtype=np.float64)
        tried = np.argsort(-first, kind="stable")[:shortlist].astype(np.int64)
        ranked[class_id] = _order(over, over.stored(of), class_id, tried, budget)
    return Ranking("Greedy drop", ranked)


@torch.inference_mode()
def _order(over: AblationSet, features: Tensor, class_id: int, tried: Ints, budget: int) -> Ints:
    weight = over.head.weight
    assert weight is not None
    candidates = torch.from_numpy(tried).to(over.device)
    own = over.head.from_features(features)  # (m, C), with the units taken so far off
    taken: list[int] = []
    left = torch.ones(len(tried), dtype=torch.bool, device=over.device)
    for _ in range(min(budget, len(tried))):
        open_ = left.nonzero()[:, 0]
        probable = own.softmax(dim=1).mean(dim=0)
        probable[class_id] = -1.0
        rivals = probable.topk(min(RIVALS, own.shape[1] - 1)).indices
        own_logit, others = own[:, class_id], own[:, rivals]
        accuracy, margin = [], []
        for part in open_.split(max(1, CHUNK // others.numel())):
            units = candidates[part]
            response = features.T[units]  # (u, m)
            logit = own_logit - response * weight[class_id, units][:, None]
            gap = logit - (others - response[:, :, None] * weight[rivals][:, units].T[:, None, :]).amax(dim=2)
            accuracy.append((gap > 0).double().mean(dim=1))
            margin.append(gap.double().mean(dim=1))
        a, m = torch.cat(accuracy).cpu().numpy(), torch.cat(margin).cpu().numpy()
        best = int(open_[int(np.lexsort((tried[open_.cpu().numpy()], m, a))[0])])
        left[best] = False
        unit = int(tried[best])
        taken.append(unit)
        own = own - features[:, unit, None] * weight[:, unit][None]
    return np.array(taken, np.int64)
