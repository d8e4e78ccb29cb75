"""The strongest rival: a greedy search for the units whose ablation costs a class most photos.

It optimises what the evaluation measures, on the mined photos, so it is a bound rather than a method of explanation.
"""

import numpy as np
import torch
from torch import Tensor

from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, Ints
from interpret.evaluation.class_means import ClassMeans, rows_by_class
from interpret.evaluation.contributions import unit_contributions
from interpret.evaluation.heads import on_any_device
from interpret.evaluation.unit_rankings import Ranking
from interpret.study.mapped import let_go
from interpret.threads import each_alone

SHORTLIST = 96
"""Units tried at each step (count): those that contribute most to the class's log-odds with no unit ablated."""

RIVALS = 64
"""Other classes compared at each step (count): those with the largest mean probability at that step."""

NEAR = 4
"""The largest logits of each photo among those of the rivals (count), which are tried for every unit."""

CHUNK = 1 << 22
"""Logits held at a time (count)."""


@on_any_device
def greedy(
    ablation_set: AblationSet,
    classes: Ints,
    *,
    budget: int = 50,
    shortlist: int = SHORTLIST,
    photos: int = 200,
    means: ClassMeans | None = None,
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
        means: from :func:`interpret.evaluation.class_means.class_means`, which spares computing the evidence of classes
            of which all photos are used.

    Raises:
        InputError: the head is not linear; on any other, trying every unit takes too long.
    """
    if ablation_set.head.weight is None:
        raise InputError("The greedy ranking needs a head of pooling and one linear map.")

    of = rows_by_class(ablation_set.labels)

    def rank(class_id: int) -> Ints:
        of_class = of(class_id)
        if means is None or class_id not in means.evidence or len(of_class) > photos:
            of_class = of_class[:photos]
            log_odds = unit_contributions(ablation_set, of_class, class_id, against=True).mean(axis=0, dtype=np.float64)
        else:
            log_odds = means.evidence[class_id]
        candidates = np.argsort(-log_odds, kind="stable")[:shortlist].astype(np.int64)
        units = _order(ablation_set, of_class, class_id, candidates, budget)
        let_go(ablation_set.features)
        return units

    ids = classes.tolist()
    return Ranking("Greedy drop", dict(zip(ids, each_alone(rank, ids, ablation_set.device.type), strict=True)))


@torch.inference_mode()
def _order(ablation_set: AblationSet, photos: Ints, class_id: int, candidates: Ints, budget: int) -> Ints:
    """The first ``budget`` candidates in greedy order, for the photos (m,) of one class."""
    weight, features = ablation_set.head.weight, ablation_set.head_inputs(photos)
    assert weight is not None
    units = torch.from_numpy(candidates).to(ablation_set.device)
    feature = features.index_select(1, units).T.contiguous()  # (u, m); its first rows are those of the candidates left
    weights = weight.index_select(1, units).T.contiguous()  # (u, C), likewise
    left = candidates.copy()
    logits = ablation_set.head_of(photos).from_features(features)  # (m, C), with the units chosen so far ablated
    lost = torch.empty_like(logits)
    chosen: list[int] = []
    for last in range(len(candidates) - 1, len(candidates) - 1 - min(budget, len(candidates)), -1):
        probability = logits.softmax(dim=1).mean(dim=0)
        probability[class_id] = -1.0
        rivals = probability.topk(min(RIVALS, logits.shape[1] - 1)).indices
        tried, of_tried = feature[: last + 1], weights[: last + 1]
        after = logits[:, class_id] - tried * of_tried[:, class_id, None]
        margin = after - largest_after(logits.index_select(1, rivals), tried, of_tried.index_select(1, rivals))
        accuracy, mean = ((margin > 0).double().mean(dim=1), margin.double().mean(dim=1))
        # np.lexsort sorts by its last key first
        best = int(np.lexsort((left[: last + 1], mean.cpu().numpy(), accuracy.cpu().numpy()))[0])
        chosen.append(int(left[best]))
        logits -= torch.outer(feature[best], weights[best], out=lost)
        for rows in (feature, weights, left):
            rows[best] = rows[last]
    return np.array(chosen, np.int64)


def largest_after(logits: Tensor, features: Tensor, weights: Tensor) -> Tensor:
    """The largest logit with each unit ablated alone: of logits[p, j] - features[u, p] weights[u, j], the most over j.

    Only the :data:`NEAR` largest logits of a photo are tried with every unit. Any other is at most the next largest
    one, less the least that ablating the unit takes from any of them; where that is more than the largest found, all
    are tried. Rounding keeps the order, so that the bound holds for rounded values and the result is that of trying
    all, to the last bit.

    Args:
        logits: (m, R).
        features: (u, m).
        weights: (u, R).

    Returns:
        (u, m).
    """
    near = min(NEAR, logits.shape[1])
    values, indices = logits.topk(min(near + 1, logits.shape[1]), dim=1)
    values = values.T.contiguous()
    of_near = weights.index_select(1, indices[:, :near].T.reshape(-1)).view(len(weights), near, len(logits))
    found = (values[:near] - features[:, None] * of_near).amax(dim=1)
    if near < logits.shape[1]:
        least, most = weights.aminmax(dim=1, keepdim=True)
        bound = values[near] - torch.minimum(features * least, features * most)
        unit, photo = (bound > found).nonzero(as_tuple=True)
        step = max(1, CHUNK // logits.shape[1])
        for u, p in zip(unit.split(step), photo.split(step), strict=True):
            found[u, p] = (logits[p] - features[u, p, None] * weights[u]).amax(dim=1)
    return found
