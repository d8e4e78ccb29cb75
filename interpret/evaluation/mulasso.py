"""[6], Oramas et al., "Visual Explanation by Interpretation", ICLR 2019: units by a sparse regression to the label.

Per class c: minimise ||X w - t||^2 subject to ||w||_1 <= mu, where column k of X holds the responses of unit k to all
photos, scaled to length one (L2), and t is 1 for photos of c and 0 for others. The units with a weight are relevant.
The paper leaves two things unspecified. They are chosen here in favour of the method, so that its units lower accuracy
more: columns and t are centred (an intercept without penalty), and weights are at least 0.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.study.mapped import let_go

Ints = npt.NDArray[np.int64]

MU = 10.0
"""mu, the bound on the sum of the absolute weights, that gives the natural size."""


PIECE = 1 << 26
"""Responses held at a time, in double precision (bytes)."""


@dataclass(frozen=True, eq=False)
class LassoPath:
    """All solutions for one class as the bound grows, from no unit upwards.

    Attributes:
        weights: (K', steps) float64, weights at each step of the K' units that have one at any step.
        units: (K',) int64, those units.
        natural: (m,) int64, the units at the bound mu, largest weight first.
    """

    weights: npt.NDArray[np.float64]
    units: Ints
    natural: Ints

    def at(self, budget: int) -> Ints:
        """The units of the last solution that has at most ``budget`` of them, largest weight first."""
        fitting = np.flatnonzero((self.weights != 0).sum(axis=0) <= budget)
        return _by_weight(self.weights[:, fitting[-1]], self.units)


def lasso_paths(
    features: npt.NDArray[np.floating],
    labels: Ints,
    classes: Ints,
    *,
    rows: Ints | None = None,
    budget: int,
    mu: float = MU,
) -> dict[int, LassoPath]:
    """The lasso path of each class, by least-angle regression (Efron et al. 2004) on one shared Gram matrix.

    The features are read three times in pieces of :data:`PIECE`, so that as many photos as there are need no more
    memory; sums over pieces change the matrix by rounding only.

    Args:
        features: (N, K) pooled responses; may be memory-mapped.
        labels: (n,) int64, the class of each photo.
        classes: (c,) int64, ascending, the classes asked for.
        rows: (n,) int64, row of each photo in ``features``; all in order if None.
        budget: the path is followed until about twice as many units have a weight (count).
        mu: bound on the sum of the weights that gives the natural size.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path_gram  # slow to import

    gram, correlations = _products(features, np.arange(len(labels)) if rows is None else rows, labels, classes)
    paths = {}
    for class_id, correlation in zip(classes.tolist(), correlations, strict=True):
        with warnings.catch_warnings():  # collinear units are dropped with a warning each
            warnings.simplefilter("ignore", ConvergenceWarning)
            _, _, weights = lars_path_gram(
                Xy=correlation, Gram=gram.copy(), n_samples=len(labels), max_iter=2 * budget + 20,
                method="lasso", positive=True,
            )  # fmt: skip
        used = np.flatnonzero((weights != 0).any(axis=1)).astype(np.int64)
        within = np.flatnonzero(weights.sum(axis=0) <= mu)
        natural = _by_weight(weights[used, within[-1]], used)
        paths[class_id] = LassoPath(weights[used], used, natural)
    return paths


def _products(
    features: npt.NDArray[np.floating], rows: Ints, labels: Ints, classes: Ints
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """X'X (K, K) and X't (classes, K) for the scaled and centred responses X and each class's centred target t."""
    from scipy.sparse import csr_array

    n, units = len(rows), features.shape[1]
    step = max(1, PIECE // (8 * max(1, units)))

    def pieces() -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
        for start in range(0, n, step):
            part = slice(start, start + step)
            yield part, np.asarray(features[rows[part]], np.float64)
            let_go(features)

    length = np.sqrt(sum(((piece * piece).sum(axis=0) for _, piece in pieces()), np.zeros(units)))
    length[length == 0] = 1.0
    mean = sum(((piece / length).sum(axis=0) for _, piece in pieces()), np.zeros(units)) / n
    gram, of_class, total = np.zeros((units, units)), np.zeros((len(classes), units)), np.zeros(units)
    place = np.searchsorted(classes, labels)
    known = classes[np.minimum(place, len(classes) - 1)] == labels
    for part, piece in pieces():
        piece /= length
        piece -= mean
        gram += piece.T @ piece
        total += piece.sum(axis=0)
        member = np.flatnonzero(known[part])
        ones = csr_array((np.ones(len(member)), (place[part][member], member)), shape=(len(classes), len(piece)))
        of_class += np.asarray(ones @ piece)
    share = np.bincount(place[known], minlength=len(classes)) / n
    return gram, of_class - share[:, None] * total


def _by_weight(weights: npt.NDArray[np.float64], units: Ints) -> Ints:
    order = np.argsort(-weights, kind="stable")
    return units[order[weights[order] > 0]]
