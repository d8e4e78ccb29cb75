"""Explained batches of photos become the rows of a shard."""

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
        """Note a photo that cannot be read."""
        self.skipped.append({"path": decoded.photo.name, "reason": decoded.reason})

    def add(self, batch: Sequence[DecodedPhoto], inputs: Tensor, explanation: BatchExplanation) -> None:
        """Add the photos of one batch; those for which the network gives no number are skipped."""
        finite = explanation.logits.isfinite().all(dim=1) & explanation.maps.isfinite().all(dim=(1, 2))
        if not bool(finite.all()):
            kept = finite.tolist()
            reason = "the network's answer to it is not a finite number; --precision float32 may help"
            self.skipped += [
                {"path": each.photo.name, "reason": reason} for each, ok in zip(batch, kept, strict=True) if not ok
            ]
            batch = [each for each, ok in zip(batch, kept, strict=True) if ok]
            if not batch:
                return
            inputs, explanation = inputs[finite], explanation.select(finite)
        cut = self.extractor.cut_patches(explanation)
        encoded = self.extractor.encode_patches(explanation, inputs, cut)
        confidences = explanation.logits.softmax(dim=1).amax(dim=1).cpu().numpy()
        predicted = explanation.logits.argmax(dim=1).cpu().numpy()
        row = 0
        for decoded, patches, class_id, confidence in zip(batch, cut, predicted, confidences, strict=True):
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
                kept = encoded.units[row] != PAD
                self.patches.append(
                    {
                        "patch_id": len(self.patches),
                        "image_id": image_id,
                        **dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)),
                        "mass": mass,
                        "predicted": int(class_id),
                        "units": encoded.units[row][kept].tolist(),
                        "scores": encoded.scores[row][kept].tolist(),
                    }
                )
                row += 1
        # Pooled features stay in float32: they are small, and ablation through a linear head is then exact.
        features = explanation.activations.mean(dim=(2, 3)).cpu().numpy()
        self.arrays.setdefault("features", []).append(features)
        # Scaled to the map's own maximum, because float16 has few digits left for values as small as gradients are.
        peaks = explanation.maps.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
        self._keep("cams", explanation.maps / peaks)
        if self.extractor.keep_activations:
            self._keep("activations", explanation.activations)

    def _keep(self, name: str, values: Tensor) -> None:
        limit = float(np.finfo(np.float16).max)
        array = values.clamp(-limit, limit).cpu().numpy().astype(np.float16)
        self.arrays.setdefault(name, []).append(array)

    def shard(self) -> Shard:
        """All that was added."""
        return Shard(
            pa.Table.from_pylist(self.images, IMAGES),
            pa.Table.from_pylist(self.patches, PATCHES),
            pa.Table.from_pylist(self.skipped, SKIPPED),
            {name: np.concatenate(pieces) for name, pieces in self.arrays.items()},
        )
