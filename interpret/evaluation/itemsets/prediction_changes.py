"""Which sets of units change a photo's prediction when they are ablated, and the smallest of them.

With a head of pooling and one linear map, ablating the units U takes the margin of class c over a rival j from m_j to
m_j - sum over u in U of (W[c, u] - W[j, u]) r_u, with r_u what ablation takes from feature u. The losses add up, so for
one rival the smallest set that makes it overtake c are the units with the largest losses; the smallest over all rivals
is the smallest set there is, whatever its size. Any other head is run on the stored maps, set by set.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from interpret.evaluation.ablation import AblationSet, logits
from interpret.evaluation.stretches import LINEAR_ROWS

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EXACT_SIZES = 3
"""Largest sets (units) of which all are tried."""

NEAR = 8
"""Rivals of each photo that are tried first (count): those that need least to be predicted in place of the class."""

MAX_CELLS = 20_000_000
"""Pairs of a photo and a rival times sets of units (count) looked at together."""


@dataclass(frozen=True, eq=False)
class Smallest:
    """The smallest sets of candidates whose ablation changes the predictions of p photos.

    Attributes:
        size: (p,) int64, units in it (count); 0 where no set was found.
        chosen: (p, m) bool, one such set of the m candidates each: of those of its size, one after which another class
            leads by most.
    """

    size: Ints
    chosen: Bools


class PredictionChanges(ABC):
    """Photos that the model predicts as one class, and what ablating sets out of a pool of m units does to them."""

    n_photos: int
    n_units: int

    @abstractmethod
    def changed(self, sets: Bools) -> Bools:
        """(S, p) whether each photo's prediction changes when each set, (S, m) bool over the pool, is ablated."""

    @abstractmethod
    def only(self, photos: Bools) -> "PredictionChanges":
        """The same for some of the photos, (p,) bool."""

    @abstractmethod
    def smallest(self, candidates: Bools, max_size: int) -> Smallest:
        """The smallest sets of ``candidates``, (m,) bool over the pool, of at most ``max_size`` units."""


class LinearChanges(PredictionChanges):
    """Prediction changes under a linear head: exact for sets of any size.

    Args:
        ablation_set: the photos and the head.
        photos: (p,) positions of photos that the head predicts as ``class_id``.
        class_id: c.
        pool: (m,) units that sets are taken from.
    """

    def __init__(self, ablation_set: AblationSet, photos: Ints, class_id: int, pool: Ints) -> None:
        self.n_photos, self.n_units = len(photos), len(pool)
        weight, bias = ablation_set.head.weight, ablation_set.head.bias
        assert weight is not None
        whole = ablation_set.double_weight
        offset = 0.0 if bias is None else bias.cpu().numpy().astype(np.float64)
        advantage = whole[class_id, pool] - whole[:, pool]  # (C, m)
        fill = ablation_set.ablated_values().cpu().numpy().astype(np.float64)
        found: list[tuple[Ints, Floats, Floats]] = []
        for start in range(0, len(photos), LINEAR_ROWS):
            part = photos[start : start + LINEAR_ROWS]
            features = ablation_set.head_inputs(part).cpu().numpy().astype(np.float64)
            values = features @ whole.T + offset + ablation_set.offsets(part)
            need = values[:, [class_id]] - values
            # Of equal logits the class of the lower index is predicted.
            need[:, :class_id] = np.nextafter(need[:, :class_id], -np.inf)
            need = np.maximum(need, 0.0)  # right in float32, and behind by a rounding error here
            removed = (features - fill)[:, pool]
            most = np.maximum(removed, 0) @ np.maximum(advantage, 0).T
            most += np.minimum(removed, 0) @ np.minimum(advantage, 0).T
            # A rival that stays behind when all that helps it is ablated is never predicted. The sums above and those
            # of sets are rounded differently, hence the allowance.
            overtakes = most > need - 1e-9 * (1 + np.abs(need))
            overtakes[:, class_id] = False
            photo, rival = np.nonzero(overtakes)
            found.append((photo + start, need[photo, rival], removed[photo] * advantage[rival]))
        self._set(
            np.concatenate([photo for photo, _, _ in found]) if found else np.zeros(0, np.int64),
            np.concatenate([need for _, need, _ in found]) if found else np.zeros(0),
            np.concatenate([loss for _, _, loss in found]) if found else np.zeros((0, len(pool))),
        )

    def _set(self, photo: Ints, need: Floats, loss: Floats) -> None:
        """Keep the pairs of a photo and a rival, those of a photo side by side, and bounds of all but the near rivals.

        Attributes:
            near: (pairs,) bool, whether the rival is one of the :data:`NEAR` of its photo that need least.
            ends: (photos + 1,) where the pairs of each photo begin, and their number.
            most: (photos, m) the largest loss of each unit over the other rivals of each photo.
            least: (photos,) the smallest need of these, less what rounding may change; infinite where there are none.
        """
        self.photo, self.need, self.loss = photo, need, loss
        self.ends = np.searchsorted(photo, np.arange(self.n_photos + 1))
        order = np.lexsort((need, photo))
        self.near = np.empty(len(photo), np.bool_)
        self.near[order] = np.arange(len(photo)) - self.ends[photo] < NEAR
        self.most, self.least = np.zeros((self.n_photos, self.n_units)), np.full(self.n_photos, np.inf)
        far = ~self.near
        if far.any():
            first = np.flatnonzero(np.diff(photo[far], prepend=-1))
            having = photo[far][first]
            self.most[having] = np.maximum.reduceat(loss[far], first)
            least = np.minimum.reduceat(need[far], first)
            self.least[having] = least - 1e-9 * (1 + np.abs(least))

    def only(self, photos: Bools) -> "LinearChanges":
        """The same for some of the photos, (p,) bool."""
        part, kept = object.__new__(LinearChanges), photos[self.photo]
        part.n_photos, part.n_units = int(photos.sum()), self.n_units
        part.photo, part.need = (np.cumsum(photos) - 1)[self.photo[kept]], self.need[kept]
        part.loss, part.near = self.loss[kept], self.near[kept]
        part.ends = np.append(0, np.diff(self.ends)[photos].cumsum())
        part.most, part.least = self.most[photos], self.least[photos]
        return part

    def changed(self, sets: Bools) -> Bools:
        """(S, p) whether each photo's prediction changes, see :class:`PredictionChanges`."""
        result = self._overtaken(sets, self.near)
        # A rival that is not near overtakes only where the largest losses of all such rivals together do.
        open_sets = ~result & (sets.astype(np.float64) @ self.most.T > self.least)
        for photo in np.flatnonzero(open_sets.any(axis=0)).tolist():
            pairs = slice(self.ends[photo], self.ends[photo + 1])
            asked = open_sets[:, photo]
            lost = sets[asked].astype(np.float64) @ self.loss[pairs].T
            result[asked, photo] = (lost > self.need[pairs]).any(axis=1)
        return result

    def _overtaken(self, sets: Bools, pairs: Bools) -> Bools:
        """(S, p) whether one of these pairs' rivals overtakes when each set is ablated."""
        result = np.zeros((len(sets), self.n_photos), np.bool_)
        photo, need, loss = self.photo[pairs], self.need[pairs], self.loss[pairs]
        if not len(photo):
            return result
        first = np.flatnonzero(np.diff(photo, prepend=-1))
        step = max(1, MAX_CELLS // len(photo))
        for start in range(0, len(sets), step):
            lost = sets[start : start + step].astype(np.float64) @ loss.T
            result[start : start + step, photo[first]] = np.logical_or.reduceat(lost > need, first, axis=1)
        return result

    def smallest(self, candidates: Bools, max_size: int) -> Smallest:
        """The smallest sets, exact at any size, see :class:`PredictionChanges`."""
        columns = np.flatnonzero(candidates)
        if not len(columns) or not len(self.photo):
            return Smallest(np.zeros(self.n_photos, np.int64), np.zeros((self.n_photos, self.n_units), np.bool_))
        found, ahead = self._smallest(self.near, columns, max_size)
        # What the largest losses of the other rivals together do with one unit less, and with as many.
        lost = np.cumsum(-np.sort(-np.maximum(self.most[:, columns], 0), axis=1), axis=1)
        lost = np.concatenate([np.zeros((self.n_photos, 1)), lost], axis=1) - self.least[:, None]
        rows, most = np.arange(self.n_photos), min(max_size, len(columns))
        size = np.where(found.size > 0, found.size, most + 1)
        open_photos = lost[rows, size - 1] > 0
        open_photos |= (found.size > 0) & (lost[rows, np.minimum(size, most)] > ahead - 1e-9 * (1 + np.abs(ahead)))
        if open_photos.any():
            other, _ = self._smallest(open_photos[self.photo], columns, max_size)
            found.size[open_photos], found.chosen[open_photos] = other.size[open_photos], other.chosen[open_photos]
        return found

    def _smallest(self, pairs: Bools, columns: Ints, max_size: int) -> tuple[Smallest, Floats]:
        """The smallest sets that make one of these pairs' rivals overtake, and by how much it then leads, (p,)."""
        size, chosen = np.zeros(self.n_photos, np.int64), np.zeros((self.n_photos, self.n_units), np.bool_)
        lead = np.zeros(self.n_photos)
        photo, need, loss = self.photo[pairs], self.need[pairs], self.loss[pairs][:, columns]
        order = np.argsort(-loss, axis=1, kind="stable")
        lost = np.cumsum(np.take_along_axis(loss, order, axis=1), axis=1)
        enough = lost[:, :max_size] > need[:, None]
        needed = np.where(enough.any(axis=1), enough.argmax(axis=1) + 1, max_size + 1)
        ahead = lost[np.arange(len(lost)), np.minimum(needed, len(columns)) - 1] - need
        # The first pair of each photo in this order is the one with the smallest set, and of these the clearest.
        best = np.lexsort((-ahead, needed, photo))
        best = best[np.diff(photo[best], prepend=-1) > 0]
        best = best[needed[best] <= max_size]
        size[photo[best]], lead[photo[best]] = needed[best], ahead[best]
        taken = np.arange(len(columns)) < needed[best][:, None]
        row, place = np.nonzero(taken)
        chosen[photo[best][row], columns[order[best][row, place]]] = True
        return Smallest(size, chosen), lead


class HeadChanges(PredictionChanges):
    """Prediction changes under any head: sets of up to ``EXACT_SIZES`` units are all tried, larger ones grow greedily.

    Args: as those of :class:`LinearChanges`.
    """

    def __init__(self, ablation_set: AblationSet, photos: Ints, class_id: int, pool: Ints) -> None:
        self.n_photos, self.n_units = len(photos), len(pool)
        self.ablation_set, self.photos, self.class_id, self.pool = ablation_set, photos, class_id, pool

    def only(self, photos: Bools) -> "HeadChanges":
        """The same for some of the photos, (p,) bool."""
        return HeadChanges(self.ablation_set, self.photos[photos], self.class_id, self.pool)

    def changed(self, sets: Bools) -> Bools:
        """(S, p) whether each photo's prediction changes, see :class:`PredictionChanges`."""
        return self._lead(sets) < 0

    def smallest(self, candidates: Bools, max_size: int) -> Smallest:
        """The smallest sets, exact up to ``EXACT_SIZES`` units, see :class:`PredictionChanges`."""
        return search(self._lead, self.n_photos, candidates, max_size)

    def _lead(self, sets: Bools, photos: Ints | None = None) -> Floats:
        """(S, p) how far the class leads the best other one, in logits; below 0 where that one is predicted."""
        photos = np.arange(self.n_photos) if photos is None else photos
        if not len(sets) or not len(photos):
            return np.zeros((len(sets), len(photos)))
        settings = [[self.pool[units]] for units in sets]
        values = logits(self.ablation_set, settings, np.zeros(len(photos), np.int64), self.photos[photos])
        values = values.astype(np.float64)
        own = values[:, :, self.class_id].copy()
        values[:, :, self.class_id] = -np.inf
        lead = own - values.max(axis=2)
        behind_on_ties = values.argmax(axis=2) < self.class_id
        return np.where(behind_on_ties, np.nextafter(lead, -np.inf), lead)


def search(
    lead: Callable[[Bools, Ints], Floats],
    n_photos: int,
    candidates: Bools,
    max_size: int,
    exact_sizes: int = EXACT_SIZES,
) -> Smallest:
    """The smallest sets by trying all up to a size; from there the best set of that size grows unit by unit.

    Up to ``exact_sizes`` the size is the smallest there is. A greedy step adds the unit that leaves the class the
    smallest lead, so that beyond it a smaller set may have been missed.

    Args:
        lead: from sets (S, m) and photos (q,) to the class's lead over the best other one, (S, q); below 0 where the
            prediction has changed.
        n_photos: p (count).
        candidates: (m,) bool, the units to choose from.
        max_size: of a set (count).
        exact_sizes: largest size of which all sets are tried (count).
    """
    size, chosen = np.zeros(n_photos, np.int64), np.zeros((n_photos, len(candidates)), np.bool_)
    most = min(max_size, int(candidates.sum()))
    left = np.arange(n_photos)
    for k in range(1, min(exact_sizes, most) + 1):
        if not len(left):
            break
        sets = subsets(candidates, k)
        leads = lead(sets, left)
        chosen[left] = sets[leads.argmin(axis=0)]
        changed = leads.min(axis=0) < 0
        size[left[changed]] = k
        left = left[~changed]
    for photo in left.tolist():
        while size[photo] == 0 and chosen[photo].sum() < most:
            others = np.flatnonzero(candidates & ~chosen[photo])
            sets = np.repeat(chosen[photo][None], len(others), axis=0)
            sets[np.arange(len(others)), others] = True
            leads = lead(sets, np.array([photo]))[:, 0]
            chosen[photo] = sets[leads.argmin()]
            if leads.min() < 0:
                size[photo] = chosen[photo].sum()
    chosen[size == 0] = False
    return Smallest(size, chosen)


def subsets(candidates: Bools, size: int) -> Bools:
    """(S, m) all sets of ``size`` units among the candidates, (m,) bool, in lexicographic order."""
    columns = np.flatnonzero(candidates)
    members = np.array(list(combinations(columns.tolist(), size)), np.int64).reshape(-1, size)
    made = np.zeros((len(members), len(candidates)), np.bool_)
    np.put_along_axis(made, members, True, axis=1)
    return made


def prediction_changes(ablation_set: AblationSet, photos: Ints, class_id: int, pool: Ints) -> PredictionChanges:
    """What ablating sets of units in ``pool`` does to photos that are predicted as a class, by the head's kind."""
    kind = LinearChanges if ablation_set.head.linear else HeadChanges
    return kind(ablation_set, photos, class_id, pool)
