"""Colour and line of each ranking of an evaluation, the same in every figure."""

from interpret.figures.colours import OTHER

STYLES: dict[str, tuple[str, str, float]] = {
    "Ours-10": ("#0072B2", "-", 2.6),
    "Ours-5": ("#56B4E9", "-", 2.0),
    "Contrastive-10": ("#117733", "-", 2.0),
    "Contrastive-5": ("#88CCAA", "-", 1.6),
    "mu-lasso [6]": ("#D55E00", "-", 1.6),
    "Top contribution": ("#009E73", "-", 1.4),
    "Top weight": ("#CC79A7", "-", 1.4),
    "Top activation": ("#E69F00", "-", 1.4),
    "Top evidence": ("#332288", ":", 1.6),
    "Greedy drop": ("#882255", "--", 1.4),
    "Random": (OTHER, "-", 1.4),
}


def style_of(method: str) -> tuple[str, str, float]:
    """Colour, line (``-``, ``--`` or ``:``) and width of a method; a plain grey for one that has none of its own."""
    return STYLES.get(method, (OTHER, "--", 1.2))
