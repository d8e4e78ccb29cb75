"""From explained batches of photos to the rows of a shard."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from interpret.explanation.decoders import DecodedPhoto
from interpret.explanation.extractor import Extractor
from interpret.explanation.gradcam import BatchExplanation
from interpret.models.head import offset_of
from interpret.study.schema import CONTRAST, IMAGES, PAD, PATCHES, SKIPPED
from interpret.study.shards import Shard


class ShardBuilder:
    """Collects the rows of one shard, batch by batch."""

    def __init__(self, extractor: Extractor) -> None:
        self.extractor = extractor
        self.images: list[dict[str, Any]] = []
        self.skipped: list[dict[str, str]] = []
        self.arrays: dict[str, list[npt.NDArray]] = {}
        self._patches: list[pa.Table] = []
        self._contrast: list[pa.Table] = []

    def skip(self, decoded: DecodedPhoto) -> None:
        """Record a photo that cannot be read."""
        self.skipped.append({"path": decoded.photo.name, "reason": decoded.reason})

    def add(self, batch: Sequence[DecodedPhoto], inputs: Tensor | None, explanation: BatchExplanation) -> None:
        """Add the photos of one batch and skip those with a logit or a map that is not finite.

        Args:
            batch: the photos, B of them.
            inputs: (B, 3, H, W), what the network saw; None where patches are not cropped from it.
            explanation: their explanations.
        """
        finite = explanation.logits.isfinite().all(dim=1) & explanation.maps.isfinite().all(dim=(1, 2))
        if explanation.contrast is not None:
            finite &= explanation.contrast.maps.isfinite().all(dim=(1, 2, 3))
        if not bool(finite.all()):
            reason = "the network's answer to it is not a finite number; --precision float32 may help"
            pairs = list(zip(batch, finite.tolist(), strict=True))
            self.skipped += [{"path": decoded.photo.name, "reason": reason} for decoded, usable in pairs if not usable]
            batch = [decoded for decoded, usable in pairs if usable]
            if not batch:
                return
            inputs, explanation = None if inputs is None else inputs[finite], explanation.select(finite)
        first = len(self.images)
        confidences = explanation.logits.softmax(dim=1).amax(dim=1).cpu().numpy()
        predicted = explanation.logits.argmax(dim=1).cpu().numpy()
        for decoded, class_id, confidence in zip(batch, predicted, confidences, strict=True):
            self.images.append(
                {
                    "image_id": len(self.images),
                    "path": decoded.photo.name,
                    "width": decoded.size[0],
                    "height": decoded.size[1],
                    "label": decoded.photo.label,
                    "predicted": int(class_id),
                    "confidence": float(confidence),
                }
            )
        self._add_patches(batch, inputs, explanation, predicted, first)
        # Pooled features are stored in float32: ablation through a linear head is then exact, and they are small.
        pooled = explanation.activations.mean(dim=(2, 3))
        self.arrays.setdefault("features", []).append(pooled.cpu().numpy())
        # Maps are scaled by the size of gradients, where float16 has few digits left: divide by each one's maximum.
        peaks = explanation.maps.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
        self._store("cams", explanation.maps / peaks)
        if self.extractor.keep_activations:
            self._store("activations", explanation.activations)
        if self.extractor.reads == "outside" and explanation.outside is not None:  # few, and often with huge values
            self.arrays.setdefault("outside", []).append(explanation.outside.cpu().numpy())
        if self.extractor.reads == "offset" and self.extractor.weight is not None:
            held = offset_of(explanation.logits, pooled, self.extractor.weight)
            self.arrays.setdefault("offset", []).append(held.cpu().numpy())
        if self.extractor.reads == "inputs":
            pixels = [decoded.pixels for decoded in batch if decoded.pixels is not None]
            self.arrays.setdefault("pixels", []).append(np.stack(pixels))

    def _add_patches(
        self,
        batch: Sequence[DecodedPhoto],
        inputs: Tensor | None,
        explanation: BatchExplanation,
        predicted: npt.NDArray[np.int64],
        first: int,
    ) -> None:
        """Cut and encode the batch's maps, those of its own classes and those of its contrast, all at once."""
        n = len(batch)
        images, maps = np.arange(n, dtype=np.int64), explanation.maps
        targets, alphas = explanation.targets, explanation.alphas
        contrast = explanation.contrast
        if contrast is not None:
            held, place = torch.nonzero(contrast.targets >= 0, as_tuple=True)
            images = np.concatenate([images, held.cpu().numpy()])
            maps = torch.cat([maps, contrast.maps[held, place]])
            targets = torch.cat([targets, contrast.targets[held, place]])
            alphas = torch.cat([alphas, contrast.alphas[held, place]])
        regions = self.extractor.cut_patches(maps)
        ranked = self.extractor.encode_patches(explanation, inputs, regions, images, targets, alphas)
        image = images[regions.owners]
        boxes = np.zeros_like(regions.boxes)
        sizes = np.array([decoded.size for decoded in batch])[image]
        for width, height in {decoded.size for decoded in batch}:
            rows = (sizes[:, 0] == width) & (sizes[:, 1] == height)
            boxes[rows] = self.extractor.preprocessing.to_source(regions.boxes[rows], (width, height))
        target = targets.cpu().numpy()[regions.owners]
        own = regions.owners < n
        for rows, parts, schema in ((own, self._patches, PATCHES), (~own, self._contrast, CONTRAST)):
            held = ranked.units[rows] != PAD
            offsets = np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int32)
            columns: dict[str, Any] = {
                "patch_id": np.arange(int(rows.sum())) + sum(len(part) for part in parts),
                "image_id": image[rows] + first,
                **{name: boxes[rows, place] for place, name in enumerate(("x0", "y0", "x1", "y1"))},
                "mass": regions.masses[rows],
                "predicted": predicted[image[rows]],
                "target": target[rows],
                "units": pa.ListArray.from_arrays(offsets, ranked.units[rows][held]),
                "scores": pa.ListArray.from_arrays(offsets, ranked.scores[rows][held]),
            }
            arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
            parts.append(pa.Table.from_arrays(arrays, schema=schema))

    def _store(self, name: str, values: Tensor) -> None:
        """Append values as float16, clipped to its range."""
        limit = float(np.finfo(np.float16).max)
        array = values.clamp(-limit, limit).cpu().numpy().astype(np.float16)
        self.arrays.setdefault(name, []).append(array)

    def shard(self) -> Shard:
        """The shard with every photo that was added or skipped."""
        return Shard(
            pa.Table.from_pylist(self.images, IMAGES),
            pa.concat_tables([PATCHES.empty_table(), *self._patches]),
            pa.concat_tables([CONTRAST.empty_table(), *self._contrast]),
            pa.Table.from_pylist(self.skipped, SKIPPED),
            {name: np.concatenate(pieces) for name, pieces in self.arrays.items()},
        )
