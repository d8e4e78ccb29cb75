"""Some photos of a study explained for classes of choice, beyond those that the study holds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from interpret.data.datasets import Photo
from interpret.errors import InputError
from interpret.explanation.decoders import THREADS, Decoders
from interpret.explanation.extractor import make_extractor
from interpret.explanation.shard_builder import ShardBuilder
from interpret.explanation.study_network import arithmetic_of, check_same_predictions, network_of
from interpret.models import Classifier
from interpret.models.precision import choose_device
from interpret.progress import Callback, Progress, silent
from interpret.study import Study
from interpret.study.originals import named

BATCH = 32
"""Photos per forward pass (count)."""


def explain_further(
    study: Study,
    image_ids: npt.NDArray[np.int64],
    targets: Sequence[int],
    *,
    classifier: Classifier | None = None,
    device: str = "auto",
    progress: Callback = silent,
    announce: Callable[[str], None] | None = None,
) -> pa.Table:
    """The patches of some photos explained for some classes, all in the same way: one forward pass a photo.

    The stages and options are those of the study. Boxes are in pixels of the photos as the study recorded them, whether
    the originals or smaller copies are read.

    Args:
        study: whose photos and network are used.
        image_ids: (n,) the photos, as the study numbers them.
        targets: the classes that each photo is explained for, the predicted one or any other.
        classifier: the study's network, see :func:`interpret.explanation.study_network.network_of`; loaded if None.
        device: where the network runs; ``auto`` takes a GPU where there is one.
        progress: called after each batch.
        announce: called with one line before a download starts.

    Returns:
        Rows of the schema ``CONTRAST``, by photo in the order given; photos that are predicted as another class than in
        the study have none.

    Raises:
        InputError: a photo is not here or cannot be read, the network cannot be loaded, or its predictions differ.
    """
    photos = [_photo(study, int(image_id)) for image_id in image_ids]
    stage = "Explaining photos"
    progress(Progress(stage, 0, len(photos)))
    classifier = network_of(study, classifier, announce=announce)
    where = choose_device(device)
    extractor, _ = make_extractor(classifier, study.extract_config, where, arithmetic_of(study, where, classifier))
    sizes = study.images[["width", "height"]].to_numpy(np.int64)
    builder = ShardBuilder(extractor)
    wanted = torch.tensor([list(targets)], dtype=torch.int64)
    done = 0
    with Decoders(classifier.preprocessing, THREADS) as decoders:
        decoded = decoders.ahead(photos, 2 * BATCH)
        for start in range(0, len(photos), BATCH):
            batch = []
            for image_id in image_ids[start : start + BATCH].tolist():
                photo = next(decoded)
                if photo.pixels is None:
                    raise InputError(f"The photo {photo.photo.file} cannot be read ({photo.reason}); put it back.")
                batch.append(replace(photo, size=(int(sizes[image_id, 0]), int(sizes[image_id, 1]))))
            inputs = extractor.inputs([photo.pixels for photo in batch if photo.pixels is not None])
            explanation = extractor.grad_cam(inputs, further=lambda predicted: wanted.expand(len(predicted), -1))
            builder.add(batch, inputs, explanation)
            done += len(batch)
            progress(Progress(stage, done, len(photos)))
    if builder.skipped:
        raise InputError(f"The photo {builder.skipped[0]['path']} cannot be used: {builder.skipped[0]['reason']}.")
    shard = builder.shard()
    now = shard.images["predicted"].to_numpy()
    before = study.images["predicted"].to_numpy()[image_ids]
    check_same_predictions(study, now != before, allowed=1)
    place = shard.contrast["image_id"].to_numpy()
    ids = pa.array(image_ids[place], pa.int64())
    table = shard.contrast.set_column(shard.contrast.schema.get_field_index("image_id"), "image_id", ids)
    return table.cast(shard.contrast.schema).filter((now == before)[place])


def _photo(study: Study, image_id: int) -> Photo:
    file = study.photo_file(image_id)
    name = str(study.images["path"].iloc[image_id])
    if file is None:
        raise InputError(
            f"The photo {named(study.images_root, name)} is not on this machine, and it has to be explained again; "
            "put it back, or go on where it is."
        )
    return Photo(file.absolute() if isinstance(file, Path) else file, name, None)
