"""Rankings of units for each class: the mined one and its rivals. All come from the mined photos only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from interpret.config import RANKING_RULES, EvaluateConfig, MineConfig
from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, Ints
from interpret.evaluation.contributions import unit_contributions
from interpret.evaluation.mulasso import MU, lasso_paths
from interpret.mining.stored import mine_study
from interpret.study import Study
from interpret.study.schema import PAD

DEFAULT_RULE = EvaluateConfig.rule


@dataclass(frozen=True, eq=False)
class Ranking:
    """Units to switch off for each class, best first.

    Attributes:
        name: what it is called in tables and figures.
        units: class id to (m,) int64; may be shorter than a budget.
        natural: class id to how many of them the method itself would take (count); empty where it has no such number.
        at: where the units at one budget are not the first ones of those at a larger budget: (class id, budget) to
            units.
    """

    name: str
    units: Mapping[int, Ints]
    natural: Mapping[int, int] = field(default_factory=dict)
    at: Callable[[int, int], Ints] | None = None

    def best(self, class_id: int, budget: int | None) -> Ints:
        """The units for a class at a budget; at the natural size if None; none where nothing is known of the class."""
        size = self.natural.get(class_id, 0) if budget is None else budget
        if class_id not in self.units:
            return np.zeros(0, np.int64)
        if self.at is not None and budget is not None:
            return self.at(class_id, budget)
        return self.units[class_id][:size]


def mined(
    study: Study,
    over: AblationSet,
    classes: Ints,
    config: MineConfig,
    *,
    top_units: int | None = None,
    rule: str = DEFAULT_RULE,
) -> Ranking:
    """The relevant units of each class: the union of the units of its itemsets, ordered by a rule.

    Which units are relevant, and how many, follows from the itemsets alone. A rule orders them by

    - ``support``: how many of the class's transactions hold the unit, that is, by the support of its best itemset;
    - ``score``: the sum of its scores in those transactions;
    - ``evidence``: its mean contribution to the log-odds of the class over the photos of the class's patches. A unit
      that speaks as loudly for the class's rivals as for the class itself is then of little weight: switching it off
      changes no decision.

    Units that occur in the class's transactions without reaching the support follow, in the same order: they serve
    budgets larger than the natural size, as a lower support would.

    Args:
        study: the study that was mined.
        over: its photos with the head, from :func:`interpret.evaluation.ablation.make_ablation_set`.
        classes: (c,) int64, the classes asked for.
        config: options of mining.
        top_units: N, instead of that of ``config``.
        rule: one of ``RANKING_RULES``.
    """
    if rule not in RANKING_RULES:
        raise InputError(f"--rule is {rule!r}; choose one of {', '.join(RANKING_RULES)}.")
    config = config if top_units is None else replace(config, top_units=top_units)
    units, scores = study.ranked
    units, scores = units[:, : config.top_units], scores[:, : config.top_units]
    patch_class = study.patches["predicted"].to_numpy(np.int64)
    patch_photo = study.patches["image_id"].to_numpy(np.int64)
    relevant = mine_study(study, config).units
    everyone = replace(over, labels=np.zeros(len(study.images), np.int64), rows=np.arange(len(study.images)))
    ranked, natural = {}, {}
    for class_id in classes.tolist():
        of = np.flatnonzero(patch_class == class_id)
        held = units[of] != PAD
        if rule == "evidence":
            total = unit_contributions(everyone, patch_photo[of], class_id, against=True).sum(axis=0, dtype=np.float64)
        else:
            values = scores[of] if rule == "score" else np.ones_like(scores[of])
            total = np.bincount(units[of][held], values[held].astype(np.float64), minlength=study.n_units)
        seen = np.bincount(units[of][held], minlength=study.n_units) > 0
        chosen = np.zeros(study.n_units, bool)
        chosen[relevant.loc[relevant["class_id"] == class_id, "unit"].to_numpy(np.int64)] = True
        order = np.lexsort((np.arange(study.n_units), -total, ~chosen))
        ranked[class_id] = order[seen[order]].astype(np.int64)
        natural[class_id] = int(chosen.sum())
    return Ranking(f"Ours-{config.top_units}", ranked, natural)


def activation(over: AblationSet, classes: Ints) -> Ranking:
    """Units by their mean activation over the class's photos."""
    return Ranking("Top activation", {c: _descending(_mean_feature(over, c)) for c in classes.tolist()})


def contribution(over: AblationSet, classes: Ints) -> Ranking:
    """Units by their mean contribution to the class's logit over the class's photos: Grad-CAM without patches."""
    ranked = {}
    for class_id in classes.tolist():
        photos = np.flatnonzero(over.labels == class_id)
        ranked[class_id] = _descending(unit_contributions(over, photos, class_id).mean(axis=0, dtype=np.float64))
    return Ranking("Top contribution", ranked)


def evidence(over: AblationSet, classes: Ints) -> Ranking:
    """Units by their mean contribution to the class's log-odds over the class's photos: the mined order, not mined."""
    ranked = {}
    for class_id in classes.tolist():
        photos = np.flatnonzero(over.labels == class_id)
        mean = unit_contributions(over, photos, class_id, against=True).mean(axis=0, dtype=np.float64)
        ranked[class_id] = _descending(mean)
    return Ranking("Top evidence", ranked)


def weight(over: AblationSet, classes: Ints) -> Ranking:
    """Units by the classifier's weight for the class; only where the head is linear."""
    if over.head.weight is None:
        raise InputError("The head behind this layer is not linear, so units have no weights to be ranked by.")
    weights = over.head.weight.cpu().numpy()
    return Ranking("Top weight", {c: _descending(weights[c]) for c in classes.tolist()})


def lasso(over: AblationSet, classes: Ints, *, budget: int = 50, mu: float = MU) -> Ranking:
    """[6]: per class a mu-lasso from the channels' responses to the label, see :mod:`interpret.evaluation.mulasso`."""
    features = np.asarray(over.features[over.rows], np.float32)
    paths = lasso_paths(features, over.labels, classes, budget=budget, mu=mu)
    return Ranking(
        "mu-lasso [6]",
        {class_id: path.natural for class_id, path in paths.items()},
        {class_id: len(path.natural) for class_id, path in paths.items()},
        at=lambda class_id, size: paths[class_id].at(size),
    )


def random(n_units: int, classes: Ints, sizes: Mapping[int, int], *, seed: int) -> Ranking:
    """Units in a random order that differs from class to class.

    Args:
        n_units: K (count).
        classes: (c,) int64, the classes asked for.
        sizes: how many to take at the natural size.
        seed: of this draw.
    """
    ranked = {c: np.random.default_rng([seed, c]).permutation(n_units).astype(np.int64) for c in classes.tolist()}
    return Ranking("Random", ranked, sizes)


def trained_classes(over: AblationSet, classes: Sequence[int]) -> Ints:
    """Those of ``classes`` that the mined photos hold, ascending: nothing can be learnt about others."""
    return np.intersect1d(np.asarray(classes, np.int64), over.classes)


def _mean_feature(over: AblationSet, class_id: int) -> npt.NDArray[np.float64]:
    photos = np.flatnonzero(over.labels == class_id)
    return np.asarray(over.features[over.rows[photos]], np.float32).mean(axis=0, dtype=np.float64)


def _descending(values: npt.NDArray[np.floating]) -> Ints:
    """Units by falling value, ties by index."""
    return np.argsort(-values, kind="stable").astype(np.int64)
