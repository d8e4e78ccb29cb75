"""From explained batches of photos to the rows of a shard."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from interpret.explanation.extractor import DecodedPhoto, Extractor
from interpret.explanation.gradcam import BatchExplanation
from interpret.study.schema import IMAGES, PAD, PATCHES, SKIPPED
from interpret.study.shards import Shard


class ShardBuilder:
    """Collects the rows of one shard, batch by batch."""

    def __init__(self, extractor: Extractor) -> None:
        self.extractor = extractor
        self.images: list[dict[str, Any]] = []
        self.patches: list[dict[str, Any]] = []
        self.skipped: list[dict[str, str]] = []
        self.arrays: dict[str, list[npt.NDArray[np.floating]]] = {}

    def skip(self, decoded: DecodedPhoto) -> None:
        """Record a photo that cannot be read."""
        self.skipped.append({"path": decoded.photo.name, "reason": decoded.reason})

    def add(self, batch: Sequence[DecodedPhoto], inputs: Tensor, explanation: BatchExplanation) -> None:
        """Add the photos of one batch and skip those with a logit or a map that is not finite.

        Args:
            batch: the photos, B of them.
            inputs: (B, 3, H, W), what the network saw.
            explanation: their explanations.
        """
        finite = explanation.logits.isfinite().all(dim=1) & explanation.maps.isfinite().all(dim=(1, 2))
        if not bool(finite.all()):
            reason = "the network's answer to it is not a finite number; --precision float32 may help"
            pairs = list(zip(batch, finite.tolist(), strict=True))
            self.skipped += [{"path": decoded.photo.name, "reason": reason} for decoded, usable in pairs if not usable]
            batch = [decoded for decoded, usable in pairs if usable]
            if not batch:
                return
            inputs, explanation = inputs[finite], explanation.select(finite)
        patches_of_images = self.extractor.cut_patches(explanation)
        ranked = self.extractor.encode_patches(explanation, inputs, patches_of_images)
        confidences = explanation.logits.softmax(dim=1).amax(dim=1).cpu().numpy()
        predicted = explanation.logits.argmax(dim=1).cpu().numpy()
        row = 0
        for decoded, patches, class_id, confidence in zip(
            batch, patches_of_images, predicted, confidences, strict=True
        ):
            image_id = len(self.images)
            self.images.append(
                {
                    "image_id": image_id,
                    "path": decoded.photo.name,
                    "width": decoded.size[0],
                    "height": decoded.size[1],
                    "label": decoded.photo.label,
                    "predicted": int(class_id),
                    "confidence": float(confidence),
                }
            )
            source = self.extractor.preprocessing.to_source(patches.boxes, decoded.size)
            for box, mass in zip(source.tolist(), patches.masses.tolist(), strict=True):
                held = ranked.units[row] != PAD
                self.patches.append(
                    {
                        "patch_id": len(self.patches),
                        "image_id": image_id,
                        **dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)),
                        "mass": mass,
                        "predicted": int(class_id),
                        "units": ranked.units[row][held].tolist(),
                        "scores": ranked.scores[row][held].tolist(),
                    }
                )
                row += 1
        # Pooled features are stored in float32: ablation through a linear head is then exact, and they are small.
        features = explanation.activations.mean(dim=(2, 3)).cpu().numpy()
        self.arrays.setdefault("features", []).append(features)
        # Maps are scaled by the size of gradients, where float16 has few digits left: divide by each one's maximum.
        peaks = explanation.maps.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
        self._store("cams", explanation.maps / peaks)
        if self.extractor.keep_activations:
            self._store("activations", explanation.activations)

    def _store(self, name: str, values: Tensor) -> None:
        """Append values as float16, clipped to its range."""
        limit = float(np.finfo(np.float16).max)
        array = values.clamp(-limit, limit).cpu().numpy().astype(np.float16)
        self.arrays.setdefault(name, []).append(array)

    def shard(self) -> Shard:
        """The shard with every photo that was added or skipped."""
        return Shard(
            pa.Table.from_pylist(self.images, IMAGES),
            pa.Table.from_pylist(self.patches, PATCHES),
            pa.Table.from_pylist(self.skipped, SKIPPED),
            {name: np.concatenate(pieces) for name, pieces in self.arrays.items()},
        )
