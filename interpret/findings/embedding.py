"""Points in the plane for things of which the distances are known, and how well the plane keeps who is near whom."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

Floats = npt.NDArray[np.float64]

PERPLEXITY = 15.0
"""About how many neighbours t-SNE tries to keep of each point (count)."""

STEPS = 400
"""Steps of t-SNE's descent (count); with 1,000 the trustworthiness rises by less than 0.01."""

FEWEST = 8
"""Points (count) that t-SNE is worth; fewer lie as their two principal components."""


ROOM = 0.35
"""Least distance between two points, as a share of that in a square grid of as many points over the same square."""

ROUNDS = 60
"""Steps that move points apart (count)."""


def embed(vectors: Floats, distances: Floats, seed: int = 0) -> Floats:
    """Points in the plane that are near each other where the distance is small.

    t-SNE (van der Maaten and Hinton, JMLR 2008) by Barnes and Hut's tree, from scikit-learn, which begins with the two
    principal components, as Kobak and Linderman (Nature Biotechnology 2021) advise. It runs in one thread: its sums
    then have one order, so that the same input gives the same bytes, and threads that wait for each other do not cost
    more than they save. Points that lie on each other are then moved apart, so that each can be seen and clicked.

    Args:
        vectors: (m, d), d at least 2, what the distances are between; principal components are taken of them.
        distances: (m, m), symmetric, not negative, 0 on the diagonal.
        seed: of the principal components' random projections.

    Returns:
        (m, 2), about centred, the larger spread along the first axis, the largest coordinate 1. Axes have no meaning.
    """
    m = len(vectors)
    if m < 2:
        return np.zeros((m, 2))
    from sklearn.manifold import TSNE  # slow to import
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    left, spread, _ = randomized_svd(vectors - vectors.mean(axis=0), 2, random_state=seed)
    first = left * spread
    # Rounded, so that the last bits, which depend on how a processor sums, decide nothing.
    start = np.round(first / max(float(first[:, 0].std()), 1e-12), 6)
    if m < FEWEST:
        return apart(_turned(start))
    descent = TSNE(
        2,
        perplexity=min(PERPLEXITY, (m - 1) / 3),
        metric="precomputed",
        init=(1e-4 * start).astype(np.float32),
        learning_rate="auto",
        max_iter=STEPS,
        random_state=seed,
    )
    with threadpool_limits(1, user_api="openmp"):  # of the calling thread
        places = descent.fit_transform(np.round(distances, 6).astype(np.float32))
    return apart(_turned(places.astype(np.float64)))


def apart(places: Floats) -> Floats:
    """Points of the square -1..1 with those moved from each other that are nearer than :data:`ROOM` says.

    In each of :data:`ROUNDS` steps both points of such a pair make half of the way that is missing; the result is
    scaled to a largest coordinate of 1 again. Distances that were larger are kept, but for what others need.

    Args:
        places: (m, 2); points at the same place leave it in directions that differ.
    """
    m = len(places)
    least = ROOM * 2.0 / np.sqrt(max(m, 1))
    turn = np.arange(m) * 2.399963  # the golden angle
    moved = places + 1e-6 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for _ in range(ROUNDS):
        pairs = KDTree(moved).query_pairs(least, output_type="ndarray")
        if not len(pairs):
            break
        pairs = pairs[np.lexsort(pairs.T)]  # sums have one order
        way = moved[pairs[:, 0]] - moved[pairs[:, 1]]
        length = np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)
        push = way / length * (least - length) / 2
        for axis in (0, 1):
            moved[:, axis] += np.bincount(pairs[:, 0], push[:, axis], m) - np.bincount(pairs[:, 1], push[:, axis], m)
    return moved / max(float(np.abs(moved).max(initial=0.0)), 1e-12)


def _turned(places: Floats) -> Floats:
    """Points centred, turned so that they spread most along the first axis, and scaled to a largest coordinate of 1."""
    centred = places - places.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    turned = centred @ axes[:, ::-1]
    turned *= np.where((turned**3).sum(axis=0) < 0, -1.0, 1.0)  # an axis has no side of its own
    return turned / max(float(np.abs(turned).max()), 1e-12)


def neighbours(distances: Floats, k: int) -> npt.NDArray[np.int64]:
    """(m, k) of each point the k nearest others, the nearest first, of equal ones the lower number first.

    Args:
        distances: (m, m).
        k: at least 1 and fewer than m.
    """
    others = _to_others(distances)
    reach = np.partition(others, k - 1, axis=1)[:, k - 1]
    found = np.zeros((len(others), k), np.int64)
    for point, (line, most) in enumerate(zip(others, reach, strict=True)):
        near = np.flatnonzero(line <= most)
        found[point] = near[np.argsort(line[near], kind="stable")[:k]]
    return found


def trustworthiness(distances: Floats, places: Floats, k: int) -> float:
    """How far neighbours in the plane are neighbours by distance: 1 where all are, about 0.5 with places by lot.

    T(k) = 1 - 2 / (m k (2 m - 3 k - 1)) * the sum, over the k nearest in the plane of each of the m points, of by how
    much their rank by distance exceeds k (Venna and Kaski, ICANN 2001). Of points at the same distance each has the
    best of their ranks.

    Args:
        distances: (m, m), what the plane should keep.
        places: (m, 2), the points in the plane.
        k: neighbours (count), less than m / 2.

    Raises:
        ValueError: k is not positive and less than m / 2.
    """
    m = len(places)
    if not 0 < k < m / 2:
        raise ValueError(f"k = {k} neighbours of {m} points: it must be at least 1 and less than half of the points.")
    held = _to_others(distances)
    near = neighbours(flat_distances(places), k)
    rank = 1 + np.stack([(held < held[np.arange(m), each][:, None]).sum(axis=1) for each in near.T], axis=1)
    return 1.0 - 2.0 / (m * k * (2 * m - 3 * k - 1)) * float(np.maximum(rank - k, 0).sum())


def kept_share(distances: Floats, places: Floats, k: int) -> float:
    """The share of each point's k nearest by distance that are among its k nearest in the plane, mean over all points.

    Args:
        distances: (m, m).
        places: (m, 2).
        k: neighbours (count), at least 1 and fewer than m.
    """
    near, drawn = neighbours(distances, k), neighbours(flat_distances(places), k)
    return float((near[:, :, None] == drawn[:, None]).sum() / (len(places) * k))


def flat_distances(places: Floats) -> Floats:
    """(m, m) Euclidean distances between m points in the plane."""
    return np.sqrt(sum((axis[:, None] - axis[None]) ** 2 for axis in places.T))


def _to_others(distances: Floats) -> Floats:
    """A copy of distances, in which a point is infinitely far from itself."""
    others = distances.astype(np.float64)
    np.fill_diagonal(others, np.inf)
    return others
