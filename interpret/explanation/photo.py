"""One photo explained on demand, for any target class, by the same stages as a study's photos."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from interpret.config import Arithmetic, ExtractConfig
from interpret.errors import InputError
from interpret.explanation.extractor import Extractor, make_extractor
from interpret.explanation.upsampling import upsample
from interpret.models import Classifier
from interpret.models.head import Head, find_head, trial_inputs


@dataclass(frozen=True, eq=False)
class PhotoExplanation:
    """One photo, explained for one class.

    Attributes:
        size: width and height of the photo, pixels.
        target: the class that was explained.
        logits: (C,) float32.
        heat: (H, W) float32, the map at the size of the network's input, 0..1; zero where no unit supports the target
            class.
        boxes: (n, 4) int64, the patches in pixels of the photo, largest explanation mass first.
        input_boxes: (n, 4) int64, the same in pixels of the network's input.
        masses: (n,) float32, the fraction of the map's sum inside each patch.
        units: (n, N) int32, each patch's units, best first, -1 at the end of short rows.
        scores: (n, N) float32.
        activations: (K, h, w) float32, the layer's output.
        alphas: (K,) float32, the gradient of the target's logit, averaged over the layer's grid.
        beside: float32, what the head reads of this photo beside the activations, see
            :attr:`interpret.models.head.Head.reads`; None where it reads nothing else.
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
    beside: npt.NDArray[np.float32] | None = None

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
    """Explains single photos, in float32 on the CPU; made by :func:`make_explainer`.

    Attributes:
        classifier: the classifier, of whose network a private copy is run.
        extractor: the stages, from a photo to ranked units.
        head: the head of the copy, to predict again with units ablated.
    """

    classifier: Classifier
    extractor: Extractor
    head: Head

    def explain_photo(self, photo: Image.Image, target: int | None = None) -> PhotoExplanation:
        """The explanation of one photo; not for two threads at once, because a hook is on the network meanwhile.

        Args:
            photo: RGB, upright.
            target: the class to explain; the predicted one if None.

        Raises:
            InputError: the classifier has no class ``target``.
        """
        classes = len(self.classifier.class_names)
        if target is not None and not 0 <= target < classes:
            raise InputError(f"There is no class {target}; the model has {classes}, counted from 0.")
        extractor = self.extractor
        preprocessing = extractor.preprocessing
        inputs = extractor.inputs([preprocessing.apply(photo)])
        explanation = extractor.grad_cam(inputs, None if target is None else torch.tensor([target]))
        patches = extractor.cut_patches(explanation.maps)
        ranked = extractor.encode_patches(
            explanation, inputs, patches, np.zeros(1, np.int64), explanation.targets, explanation.alphas
        )
        beside = {"outside": explanation.outside, "inputs": inputs}.get(self.head.reads)
        if self.head.reads == "offset":
            beside = self.head.offset(explanation.logits, explanation.activations.mean(dim=(2, 3)))
        return PhotoExplanation(
            size=photo.size,
            target=int(explanation.targets[0]),
            logits=explanation.logits[0].numpy(),
            heat=upsample(explanation.maps, *preprocessing.size)[0],
            boxes=preprocessing.to_source(patches.boxes, photo.size),
            input_boxes=patches.boxes,
            masses=patches.masses,
            units=ranked.units,
            scores=ranked.scores,
            activations=explanation.activations[0].numpy().copy(),
            alphas=explanation.alphas[0].numpy().copy(),
            beside=None if beside is None else beside[0].numpy().copy(),
        )

    def head_of(self, explanation: PhotoExplanation) -> Head:
        """The head with what it reads of a photo beside the activations."""
        beside = explanation.beside
        return self.head.given(None if beside is None else torch.from_numpy(beside.copy())[None])

    def logits_without(self, explanation: PhotoExplanation, units: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """(C,) float32 logits with some units ablated to zero; only the head is run, on the stored activations.

        Raises:
            InputError: the layer has no unit of that index.
        """
        count = len(explanation.activations)
        for unit in units:
            if not 0 <= unit < count:
                raise InputError(f"There is no unit {unit}; the layer has {count}, counted from 0.")
        ablated = torch.from_numpy(explanation.activations.copy())[None]
        ablated[:, list(units)] = 0.0
        with torch.no_grad():
            return self.head_of(explanation).logits(ablated)[0].numpy().copy()


def make_explainer(classifier: Classifier, config: ExtractConfig) -> Explainer:
    """An explainer with a private copy of the network. Copying a large one takes seconds, so keep the result.

    Args:
        classifier: on any device, of any floating-point type; not changed.
        config: how explanations become patches and units.

    Raises:
        InputError: the layer has no spatial extent, or no part in the network's output.
    """
    device = torch.device("cpu")
    extractor, _ = make_extractor(classifier, config, device, Arithmetic("float32"))
    head = find_head(extractor.network, extractor.layer, trial_inputs(classifier.preprocessing.size))
    return Explainer(classifier, extractor, head)


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Probabilities (C,) from logits (C,)."""
    shifted = np.exp(logits - logits.max())
    return (shifted / shifted.sum()).astype(np.float32)
