"""Which further classes each photo is explained for: the contrast, see docs/contrast.md."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

EVERY_CLASS = 10
"""Models of at most this many classes have every photo explained for all of them (count)."""

NONE = -1
"""Stands where a photo gets no further class."""


class Deal:
    """Deals classes to photos, batch after batch: as many photos for each class as the class has of its own, R times.

    Every photo that is predicted as c puts R cards of c on the stack; every photo draws R different cards of other
    classes from it. So each class is dealt to about R times as many photos as are predicted as it, whatever else is
    known about them. What is left on the stack waits for the next batch.

    Args:
        n_classes: the model's outputs (count).
        repeats: R, further classes for each photo (count). Models of at most ``EVERY_CLASS`` classes get all others.
        seed: of the drawing; a different one for each stretch of photos that is drawn for by itself.
    """

    def __init__(self, n_classes: int, repeats: int, seed: tuple[int, ...]) -> None:
        self.n_classes = n_classes
        self.every = repeats > 0 and n_classes <= EVERY_CLASS
        self.width = n_classes - 1 if self.every else min(repeats, n_classes - 1)
        self._rng = np.random.default_rng(seed)
        self._stack: list[int] = []

    def batch(self, predicted: Ints) -> Ints:
        """(B, R) int64, further classes of B photos predicted as ``predicted`` (B,); ``NONE`` where none is left."""
        if self.every:
            others = np.arange(self.n_classes - 1)
            return others[None, :] + (others[None, :] >= predicted[:, None])
        dealt = np.full((len(predicted), self.width), NONE, np.int64)
        self._stack += np.repeat(predicted, self.width).tolist()
        self._rng.shuffle(self._stack)
        for photo in self._rng.permutation(len(predicted)).tolist():
            held = {int(predicted[photo])}
            kept: list[int] = []  # drawn and put back: the photo has this class already
            for place in range(self.width):
                while self._stack:
                    card = self._stack.pop()
                    if card not in held:
                        held.add(card)
                        dealt[photo, place] = card
                        break
                    kept.append(card)
            self._stack += kept
            if kept:
                self._rng.shuffle(self._stack)
        return dealt
