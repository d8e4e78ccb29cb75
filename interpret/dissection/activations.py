"""What a network's layer computes on photos, and what the network predicts for them."""

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from interpret.data.datasets import Photo
from interpret.data.photos import UnreadablePhoto, open_photo
from interpret.errors import InputError
from interpret.models import Classifier
from interpret.models.hooks import capture
from interpret.progress import Callback, Progress, silent

_BATCH = 32


@dataclass(frozen=True, eq=False)
class SeenPhotos:
    """Photos as a network sees them.

    Attributes:
        photos: the n photos that could be read.
        predicted: the n predicted classes.
        activations: (n, K, h, w) float16, memory-mapped.
    """

    photos: tuple[Photo, ...]
    predicted: tuple[int, ...]
    activations: NDArray[np.float16]

    @property
    def accuracy(self) -> float | None:
        """Fraction of the labelled photos that are classified as their label; None without labels."""
        pairs = zip(self.photos, self.predicted, strict=True)
        right = [photo.label == guess for photo, guess in pairs if photo.label is not None]
        return float(np.mean(right)) if right else None


def see_photos(classifier: Classifier, photos: Sequence[Photo], progress: Callback = silent) -> SeenPhotos:
    """Run the network on photos, in float32 on the device where it is; unreadable photos are skipped.

    The activations are in a file without a name, in the folder for temporary files: it is gone with the process.

    Args:
        classifier: the network, of any floating-point type; it is left as it was.
        photos: one at least.
        progress: called after each batch.

    Raises:
        InputError: none of the photos can be read.
        OSError: the disk is full.
    """
    network = _in_float32(classifier.network)
    device = next((tensor.device for tensor in network.parameters()), torch.device("cpu"))
    kept: list[Photo] = []
    predicted: list[int] = []
    shape: tuple[int, ...] = ()
    with tempfile.TemporaryFile() as stored:
        for start in range(0, len(photos), _BATCH):
            pixels = []
            for photo in photos[start : start + _BATCH]:
                try:
                    pixels.append(classifier.preprocessing.apply(open_photo(photo.file)))
                except UnreadablePhoto:
                    continue
                kept.append(photo)
            if pixels:
                inputs = classifier.preprocessing.normalise(torch.from_numpy(np.stack(pixels)).to(device))
                with torch.no_grad(), capture(network, classifier.hook_point) as captured:
                    predicted += network(inputs).argmax(1).tolist()
                assert captured.activations is not None
                values = captured.activations.cpu().numpy()
                shape = values.shape[1:]
                stored.write(np.ascontiguousarray(values, np.float16).data)  # never through a map: the disk may be full
            progress(Progress("Looking at held-out images", min(start + _BATCH, len(photos)), len(photos)))
        if not kept:
            raise InputError("None of the held-out images can be read as a photo; give images that can be opened.")
        stored.flush()
        activations = np.memmap(stored, np.float16, "r", shape=(len(kept), *shape))
    return SeenPhotos(tuple(kept), tuple(predicted), activations)


def _in_float32(network: nn.Module) -> nn.Module:
    """The network itself where it computes in float32, as studies do by default; else a copy that does."""
    tensors = [*network.parameters(), *network.buffers()]
    if all(tensor.dtype == torch.float32 for tensor in tensors if tensor.is_floating_point()):
        return network
    return copy.deepcopy(network).float()
