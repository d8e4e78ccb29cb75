"""[6], Oramas et al., "Visual Explanation by Interpretation", ICLR 2019: units by a sparse regression to the label.

Per class c: minimise ||X w - t||^2 subject to ||w||_1 <= mu, where column k of X holds the responses of unit k to all
photos, scaled to length one (L2), and t is 1 for photos of c and 0 for others. The units with a weight are relevant.
The paper leaves two things unspecified. They are chosen here in favour of the method, so that its units lower accuracy
more: columns and t are centred (an intercept without penalty), and weights are at least 0.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

MU = 10.0
"""mu, the bound on the sum of the absolute weights, that gives the natural size."""


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
    features: npt.NDArray[np.float32], labels: Ints, classes: Ints, *, budget: int, mu: float = MU
) -> dict[int, LassoPath]:
    """The lasso path of each class, by least-angle regression (Efron et al. 2004) on one shared Gram matrix.

    Args:
        features: (n, K) pooled responses.
        labels: (n,) int64, the class of each photo.
        classes: the classes asked for.
        budget: the path is followed until about twice as many units have a weight (count).
        mu: bound on the sum of the weights that gives the natural size.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path_gram  # slow to import

    length = np.linalg.norm(features.astype(np.float64), axis=0)
    scaled = features / np.where(length > 0, length, 1.0)
    scaled -= scaled.mean(axis=0)
    gram = scaled.T @ scaled
    paths = {}
    for class_id in classes.tolist():
        target = (labels == class_id).astype(np.float64)
        target -= target.mean()
        with warnings.catch_warnings():  # collinear units are dropped with a warning each
            warnings.simplefilter("ignore", ConvergenceWarning)
            _, _, weights = lars_path_gram(
                Xy=scaled.T @ target, Gram=gram.copy(), n_samples=len(scaled), max_iter=2 * budget + 20,
                method="lasso", positive=True,
            )  # fmt: skip
        used = np.flatnonzero((weights != 0).any(axis=1)).astype(np.int64)
        within = np.flatnonzero(weights.sum(axis=0) <= mu)
        natural = _by_weight(weights[used, within[-1]], used)
        paths[class_id] = LassoPath(weights[used], used, natural)
    return paths


def _by_weight(weights: npt.NDArray[np.float64], units: Ints) -> Ints:
    order = np.argsort(-weights, kind="stable")
    return units[order[weights[order] > 0]]
