"""Rankings of units for each class: the mined one and its rivals, all from the mined photos only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from interpret.config import RANKING_RULES, EvaluateConfig, MineConfig
from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, Ints
from interpret.evaluation.class_means import ClassMeans, class_means, rows_by_class
from interpret.evaluation.mulasso import MU, lasso_paths
from interpret.mining.ranked_units import quantile_of, ranked_units
from interpret.mining.stored import mine_study
from interpret.study import Study
from interpret.study.schema import PAD

OURS, CONTRASTIVE = "Ours", "Contrastive"
"""First words of the names of mined rankings: of the poster's transactions, and of contrastive ones."""

DEFAULT_RULE = EvaluateConfig.rule


@dataclass(frozen=True, eq=False)
class Ranking:
    """Units to ablate for each class, best first.

    Attributes:
        name: its name in tables and figures.
        units: class id to (m,) int64; may hold fewer units than a budget asks for.
        natural: class id to the number of units that the method itself selects (count); empty where it selects none.
        at: (class id, budget) to units, for a method whose units at one budget are not the first of those at a larger
            one; None otherwise.
    """

    name: str
    units: Mapping[int, Ints]
    natural: Mapping[int, int] = field(default_factory=dict)
    at: Callable[[int, int], Ints] | None = None

    def best(self, class_id: int, budget: int | None) -> Ints:
        """The units of a class at a budget (count), or at its natural size if None; empty for a class without any."""
        size = self.natural.get(class_id, 0) if budget is None else budget
        if class_id not in self.units:
            return np.zeros(0, np.int64)
        if self.at is not None and budget is not None:
            return self.at(class_id, budget)
        return self.units[class_id][:size]


def mined(
    study: Study,
    mined_set: AblationSet,
    classes: Ints,
    config: MineConfig,
    *,
    top_units: int | None = None,
    rule: str = DEFAULT_RULE,
    means: ClassMeans | None = None,
) -> Ranking:
    """The relevant units of each class: the union of the units of its itemsets, ordered by a rule.

    Which units are relevant, and how many, follows from the itemsets alone. A rule orders them by

    - ``support``: how many of the class's transactions hold the unit, that is, by the support of its best itemset;
    - ``score``: the sum of its scores in those transactions;
    - ``evidence``: its mean contribution to the log-odds of the class over the photos of the class's patches. A unit
      that contributes as much to the class's rivals as to the class itself then ranks low: ablating it changes no
      decision.

    With a quantile above 0 the transactions are contrastive, and the ranking is named so. Units of the class's
    transactions that are in no itemset follow in the same order, for budgets beyond the natural
    size.

    Args:
        study: the study that was mined.
        mined_set: its photos and the head, from :func:`interpret.evaluation.ablation.make_ablation_set`.
        classes: (c,) int64, the classes asked for.
        config: options of mining.
        top_units: N in place of that of ``config``.
        rule: one of ``RANKING_RULES``.
        means: from :func:`interpret.evaluation.class_means.class_means` with the study, the same for all options of
            mining; computed if None.

    Raises:
        InputError: there is no such rule, or the study cannot be mined with these options.
    """
    if rule not in RANKING_RULES:
        raise InputError(f"--rule is {rule!r}; choose one of {', '.join(RANKING_RULES)}.")
    config = config if top_units is None else replace(config, top_units=top_units)
    units, scores = ranked_units(study, config)
    of_class = rows_by_class(study.patches["predicted"].to_numpy(np.int64))
    relevant = mine_study(study, config).units
    relevant_unit = relevant["unit"].to_numpy(np.int64)
    relevant_of = rows_by_class(relevant["class_id"].to_numpy(np.int64))
    if rule == "evidence" and means is None:
        means = class_means(mined_set, classes, study)
    ranked, natural = {}, {}
    for class_id in classes.tolist():
        patches = of_class(class_id)
        held = units[patches] != PAD
        if rule == "evidence":
            assert means is not None
            order_by = means.patch_evidence[class_id]
        else:
            values = scores[patches] if rule == "score" else np.ones_like(scores[patches])
            sums = np.bincount(units[patches][held], values[held].astype(np.float64), minlength=study.n_units)
            order_by = sums.astype(np.float64)
        seen = np.bincount(units[patches][held], minlength=study.n_units) > 0
        chosen = np.zeros(study.n_units, bool)
        chosen[relevant_unit[relevant_of(class_id)]] = True
        order = np.lexsort((np.arange(study.n_units), -order_by, ~chosen))
        ranked[class_id] = order[seen[order]].astype(np.int64)
        natural[class_id] = int(chosen.sum())
    name = CONTRASTIVE if quantile_of(study, config) else OURS
    return Ranking(f"{name}-{config.top_units}", ranked, natural)


def activation(mined_set: AblationSet, classes: Ints, means: ClassMeans | None = None) -> Ranking:
    """Units by their mean activation over the class's photos."""
    means = means or class_means(mined_set, classes)
    return Ranking("Top activation", {c: _descending(means.activation[c]) for c in classes.tolist()})


def contribution(mined_set: AblationSet, classes: Ints, means: ClassMeans | None = None) -> Ranking:
    """Units by their mean contribution to the class's logit over its photos: Grad-CAM without patches or mining."""
    means = means or class_means(mined_set, classes)
    return Ranking("Top contribution", {c: _descending(means.contribution[c]) for c in classes.tolist()})


def evidence(mined_set: AblationSet, classes: Ints, means: ClassMeans | None = None) -> Ranking:
    """Units by their mean contribution to the class's log-odds over its photos: the rule `evidence` without mining."""
    means = means or class_means(mined_set, classes)
    return Ranking("Top evidence", {c: _descending(means.evidence[c]) for c in classes.tolist()})


def weight(mined_set: AblationSet, classes: Ints) -> Ranking:
    """Units by the classifier's weight for the class.

    Raises:
        InputError: the head is not linear.
    """
    if mined_set.head.weight is None:
        raise InputError("The head after this layer is not linear, so there are no weights to rank units by.")
    weights = mined_set.head.weight.cpu().numpy()
    return Ranking("Top weight", {c: _descending(weights[c]) for c in classes.tolist()})


def lasso(mined_set: AblationSet, classes: Ints, *, budget: int = 50, mu: float = MU) -> Ranking:
    """Units with a weight in the mu-lasso of [6], see :mod:`interpret.evaluation.mulasso`."""
    paths = lasso_paths(mined_set.features, mined_set.labels, classes, rows=mined_set.rows, budget=budget, mu=mu)
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
        sizes: natural size of each class (count).
        seed: of the permutations.
    """
    ranked = {c: np.random.default_rng([seed, c]).permutation(n_units).astype(np.int64) for c in classes.tolist()}
    return Ranking("Random", ranked, sizes)


def trained_classes(mined_set: AblationSet, classes: Sequence[int]) -> Ints:
    """Those of ``classes`` that mined photos have, ascending; nothing can be learned about the others."""
    return np.intersect1d(np.asarray(classes, np.int64), mined_set.classes)


def _descending(values: npt.NDArray[np.floating]) -> Ints:
    """Units by falling value, ties by index."""
    return np.argsort(-values, kind="stable").astype(np.int64)
