"""One photo explained on demand: what a study keeps about its photos, for any photo and any target class."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from interpret.config import ExtractConfig, RunConfig
from interpret.errors import InputError
from interpret.explanation.extraction import make_extractor
from interpret.explanation.extractor import Extractor
from interpret.explanation.gradcam import upsample
from interpret.models import Classifier
from interpret.models.head import Head, find_head


@dataclass(frozen=True, eq=False)
class PhotoExplanation:
    """One photo, explained for one class.

    Attributes:
        size: width and height of the photo, pixels.
        target: the class that was explained.
        logits: (C,) float32.
        heat: (H, W) float32, the map at the size of the network's input, 0..1; zero everywhere where nothing speaks
            for the target.
        boxes: (n, 4) int64, the patches in pixels of the photo, largest explanation mass first.
        input_boxes: (n, 4) int64, the same in pixels of the network's input.
        masses: (n,) float32, share of the map's total in each patch.
        units: (n, N) int32, each patch's units, best first, -1 at the end of short rows.
        scores: (n, N) float32.
        activations: (K, h, w) float32, the layer's output.
        alphas: (K,) float32, the gradient of the target's logit, averaged over the cells.
    """

    size: tuple[int, int]
    target: int
    logits: npt.NDArray[np.float32]
    heat: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.int64]
    input_boxes: npt.NDArray[np.int64]
    masses: npt.NDArray[np.float32]
    units: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    activations: npt.NDArray[np.float32]
    alphas: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def predicted(self) -> int:
        """The class with the largest logit."""
        return int(self.logits.argmax())

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """(C,) softmax of the logits."""
        return softmax(self.logits)


@dataclass(frozen=True, eq=False)
class Explainer:
    """A classifier made ready to explain single photos, in float32 on the processor.

    Attributes:
        classifier: whose copy is used; it is not changed.
        extractor: the stages of a run.
        head: what follows the layer, to predict again with units switched off.
    """

    classifier: Classifier
    extractor: Extractor
    head: Head

    def explain_photo(self, photo: Image.Image, target: int | None = None) -> PhotoExplanation:
        """Explain one photo. Not for two threads at once: a hook is on the network while it runs.

        Args:
            photo: RGB, upright.
            target: the class to explain; the predicted one if None.

        Raises:
            InputError: there is no such class.
        """
        classes = len(self.classifier.class_names)
        if target is not None and not 0 <= target < classes:
            raise InputError(f"There is no class {target}; the model has {classes}, counted from 0.")
        extractor = self.extractor
        preprocessing = extractor.preprocessing
        inputs = extractor.inputs([preprocessing.apply(photo)])
        chosen = None if target is None else torch.tensor([target])
        explanation = extractor.grad_cam(inputs, chosen)
        cut = extractor.cut_patches(explanation)
        encoded = extractor.encode_patches(explanation, inputs, cut)
        return PhotoExplanation(
            size=photo.size,
            target=int(explanation.targets[0]),
            logits=explanation.logits[0].numpy(),
            heat=upsample(explanation.maps, *preprocessing.size)[0],
            boxes=preprocessing.to_source(cut[0].boxes, photo.size),
            input_boxes=cut[0].boxes,
            masses=cut[0].masses,
            units=encoded.units,
            scores=encoded.scores,
            activations=explanation.activations[0].numpy().copy(),
            alphas=explanation.alphas[0].numpy().copy(),
        )

    def logits_without(self, explanation: PhotoExplanation, units: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """(C,) logits with these units at zero, from the layer's stored output: the backbone is not run again.

        Raises:
            InputError: there is no such unit.
        """
        count = len(explanation.activations)
        for unit in units:
            if not 0 <= unit < count:
                raise InputError(f"There is no unit {unit}; the layer has {count}, counted from 0.")
        changed = torch.from_numpy(explanation.activations.copy())[None]
        changed[:, list(units)] = 0.0
        with torch.no_grad():
            return self.head.logits(changed)[0].numpy().copy()


def make_explainer(classifier: Classifier, config: ExtractConfig) -> Explainer:
    """Make a classifier ready; seconds for a large network, so keep the result.

    Raises:
        InputError: the layer does not fit.
    """
    device = torch.device("cpu")
    extractor, _ = make_extractor(classifier, RunConfig(images="", extract=config), device, "float32")
    generator = torch.Generator().manual_seed(0)
    trial = torch.rand(2, 3, *classifier.preprocessing.size, generator=generator) * 2 - 1
    return Explainer(classifier, extractor, find_head(extractor.network, extractor.layer, trial))


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Probabilities (C,) from logits (C,)."""
    shifted = np.exp(logits - logits.max())
    return (shifted / shifted.sum()).astype(np.float32)
