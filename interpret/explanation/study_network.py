"""The network of a study: loaded again, or given from Python, and checked against what the study was made with."""

from collections.abc import Callable
from dataclasses import replace

from interpret import models
from interpret.errors import InputError
from interpret.models import Classifier, checkpoints
from interpret.models.layers import check_layer, observe
from interpret.study import Study


def network_of(
    study: Study, classifier: Classifier | None = None, *, announce: Callable[[str], None] | None = None
) -> Classifier:
    """The classifier that a study was made with, looking into the study's layer.

    Args:
        study: says which network and layer, and the digest of the weights.
        classifier: the network, where it is loaded already or came from :func:`interpret.models.wrap`; loaded by the
            study's model options if None.
        announce: called with one line before a download starts.

    Raises:
        InputError: the network cannot be loaded by name because it was given from Python, or the one found has other
            weights, another layer, another number of units, other classes or another preprocessing.
    """
    if classifier is None:
        wrapped = study.wrapped_class
        if wrapped is not None:
            raise InputError(
                f"{study.folder} is a study of a network given from Python (a {wrapped}), which cannot be loaded by "
                f"name; call this from Python with classifier=interpret.wrap(network, ..., layer={study.layer!r})."
            )
        classifier = models.load(replace(study.model_config, layer=study.layer), announce)
        if classifier.weights_digest != study.weights_digest:
            raise InputError(
                f"The weights of {study.model} on this machine are not those that {study.folder} was made "
                "with; make the study again, or put its weights back."
            )
        # a newer version of a library may state another input for the same weights: the study's is the one that counts
        classifier = replace(classifier, preprocessing=study.preprocessing, class_names=tuple(study.class_names))
    else:
        _check_given(study, classifier)
    height, width = study.preprocessing.size
    found = check_layer(observe(classifier.network, (height, width))[0], study.layer, classifier.network)
    if found.channels != study.n_units:
        raise InputError(
            f"The layer {study.layer!r} has {found.channels:,} units, but {study.n_units:,} in {study.folder}; make "
            "the study again."
        )
    return classifier


def check_same_network(study: Study, other: Study) -> None:
    """Raise :class:`InputError` unless two studies look into the same layer of the same network."""
    differing = (
        ("weights", study.weights_digest == other.weights_digest),
        ("layer", study.layer == other.layer),
        ("number of units", study.n_units == other.n_units),
    )
    for name, same in differing:
        if not same:
            raise InputError(
                f"{other.folder} is a study of another network ({name} differ from {study.folder}); give a folder of "
                "photos instead."
            )


def _check_given(study: Study, classifier: Classifier) -> None:
    """Raise where a classifier that was handed over is not the study's; its network may have been trained since."""
    if checkpoints.digest(classifier.network) != study.weights_digest:
        raise InputError(
            f"The weights of the network given are not those that {study.folder} was made with; give the network that "
            "it was made of, or make the study again."
        )
    if classifier.layer != study.layer:
        raise InputError(
            f"The network given is looked into at the layer {classifier.layer!r}, but {study.folder} at "
            f"{study.layer!r}; give it with layer={study.layer!r}."
        )
    if list(classifier.class_names) != study.class_names:
        raise InputError(
            f"The network given has other class names, or the same in another order, than {study.folder}; give it with "
            "the study's class_names."
        )
    if classifier.preprocessing != study.preprocessing:
        raise InputError(
            f"The network given has another preprocessing than {study.folder}; give it with the study's preprocessing."
        )
