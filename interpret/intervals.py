"""How far a share that was counted may be from the true one."""

import numpy as np
import numpy.typing as npt


def wilson(successes: npt.ArrayLike, trials: npt.ArrayLike, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval for shares (E. B. Wilson, JASA 1927).

    Args:
        successes: (n,) counts, or one count.
        trials: (n,) counts, at least 1.
        z: standard deviations; 1.96 for 95 %.

    Returns:
        The lower and the upper ends (fractions), of the arguments' shape.
    """
    n = np.asarray(trials, np.float64)
    share = np.asarray(successes, np.float64) / n
    centre = share + z**2 / (2 * n)
    spread = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (centre - spread) / (1 + z**2 / n), (centre + spread) / (1 + z**2 / n)
