"""The network of a study: loaded again, or given from Python, and checked against what the study was made with."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from interpret import models
from interpret.config import Arithmetic
from interpret.data.roots import is_within
from interpret.errors import InputError
from interpret.models import Classifier, checkpoints
from interpret.models.classifier import RANDOM
from interpret.models.code_files import DEMO
from interpret.models.head import trial_inputs
from interpret.models.layers import check_layer, observe
from interpret.models.precision import choose_precision, prepare
from interpret.study import Study

TOLERATED = 0.02
"""Share of the photos that may be predicted as another class than before, as rounding on another machine may do."""


def network_of(
    study: Study, classifier: Classifier | None = None, *, announce: Callable[[str], None] | None = None
) -> Classifier:
    """The classifier that a study was made with, at the study's layer.

    Args:
        study: the study, which records the network, its layer and the digest of its weights.
        classifier: the network, loaded already or wrapped by :func:`interpret.models.wrap`; it is loaded by the study's
            model options if None.
        announce: called with one line before a download starts.

    Raises:
        InputError: the network was given from Python and cannot be loaded by name; or the one given or loaded has other
            weights, another layer, another number of units, other classes or another preprocessing.
    """
    if classifier is None:
        wrapped = study.wrapped_class
        if wrapped is not None:
            codes = "" if study.recorded.codes is None else f", codes={study.recorded.codes.path!r}"
            raise InputError(
                f"{study.folder} is a study of a network given from Python (a {wrapped}), which cannot be loaded by "
                f"name; call this from Python with classifier=interpret.wrap(network, ..., layer={study.layer!r}"
                f"{codes})."
            )
        _check_checkpoint(study)
        _check_codes(study)
        classifier = models.load(replace(study.model_config, layer=study.layer), announce, study.roots)
        if classifier.weights_digest != study.weights_digest:
            raise InputError(
                f"The weights of {study.model} on this machine are not those that {study.folder} was made "
                "with; make the study again, or put its weights back."
            )
        if len(study.class_names) != len(classifier.class_names):
            raise InputError(
                f"{study.model} has {len(classifier.class_names):,} outputs, but {study.folder} names "
                f"{len(study.class_names):,} classes; make the study again."
            )
        _check_same_code(study, classifier)
        # Another version of a library may prescribe another preprocessing for the same weights: the study's counts.
        looked_at = classifier.preprocessing.size == study.preprocessing.size
        classifier = replace(
            classifier,
            preprocessing=study.preprocessing,
            class_names=tuple(study.class_names),
            n_units=classifier.n_units if looked_at else None,
        )
    else:
        classifier = _checked(study, classifier)
    if classifier.n_units is None:
        found = check_layer(observe(classifier.network, study.preprocessing.size), study.layer)
        classifier = classifier.with_layer(found, study.model_config.signed, classifier.layout.code)
    if classifier.n_units != study.n_units:
        raise InputError(
            f"The layer {study.layer!r} has {classifier.n_units:,} units, but {study.n_units:,} in {study.folder}; "
            "make the study again."
        )
    return classifier


def _check_checkpoint(study: Study) -> None:
    """Raise :class:`InputError` where the checkpoint that a study was made with may be read, and is not there."""
    weights = study.model_config.weights
    if weights is None or weights == RANDOM:
        return
    if is_within(Path(weights), study.roots) and not Path(weights).exists():
        raise InputError(
            f"The checkpoint {weights} that {study.folder} was made with is not on this machine; put it back there, or "
            "make the study again."
        )


def _check_codes(study: Study) -> None:
    """The same for the code whose latents are the units."""
    codes = study.model_config.codes
    if codes in (None, DEMO):
        return
    if is_within(Path(codes), study.roots) and not Path(codes).exists():
        raise InputError(
            f"The sparse codes {codes} that {study.folder} was made with are not on this machine; put them back there, "
            "or make the study again."
        )


def _check_same_code(study: Study, classifier: Classifier) -> None:
    """Raise :class:`InputError` unless a network has the code that a study was made with, or none as the study."""
    recorded, code = study.recorded.codes, classifier.layout.code
    if (recorded is None) != (code is None):
        wanted = "channels" if recorded is None else f"latents of the sparse codes {recorded.path}"
        raise InputError(f"The units of {study.folder} are {wanted}; give the network with the codes of the study.")
    if recorded is not None and code is not None and recorded.sha256 != code.sha256:
        raise InputError(
            f"The sparse codes {code.path} are not those that {study.folder} was made with; put those back, or make "
            "the study again."
        )


def arithmetic_of(study: Study, device: torch.device, classifier: Classifier | None = None) -> Arithmetic:
    """How a study's photos are explained again: as before, and on another device in the precision it is fast at.

    Args:
        study: the study.
        device: where the network will run.
        classifier: the study's; where it is given, and does not run in a precision that nobody asked for, float32 is
            taken.
    """
    recorded = study.recorded.arithmetic
    if device.type == study.device:
        return recorded
    asked = study.model_config.precision
    precision = "float32" if asked == "float16" and device.type == "cpu" else choose_precision(asked, device)
    other = replace(recorded, precision=precision)
    if classifier is not None and asked == "auto" and precision != "float32":
        sample = trial_inputs(study.preprocessing.size)[:1]
        try:
            prepare(classifier.network, classifier.hook_point, device, other, sample)
        except InputError:
            return replace(recorded, precision="float32")
    return other


def check_same_predictions(study: Study, other: npt.NDArray[np.bool_], *, allowed: int = 0) -> None:
    """Raise :class:`InputError` where more than a few of some photos are now predicted as another class.

    Args:
        study: the study that the photos are of.
        other: (n,) bool, which of the photos are predicted as another class than when it was made.
        allowed: photos that may be, however few there are (count); otherwise a share of :data:`TOLERATED`.
    """
    if other.mean() > TOLERATED and other.sum() > allowed:
        raise InputError(
            f"{int(other.sum())} of {len(other)} photos are predicted as another class than when {study.folder} was "
            "made; make a new study with `unitscope run`."
        )


def check_same_network(study: Study, other: Study) -> None:
    """Raise :class:`InputError` unless two studies are of the same layer of the same network."""
    for difference, same in (
        ("its weights are not those", study.weights_digest == other.weights_digest),
        ("its layer is not that", study.layer == other.layer),
        ("its number of units is not that", study.n_units == other.n_units),
        ("its sparse codes are not those", _sha256(study) == _sha256(other)),
    ):
        if not same:
            raise InputError(
                f"{other.folder} is a study of another network ({difference} of {study.folder}); give a folder of "
                "photos instead."
            )


def _sha256(study: Study) -> str | None:
    return None if study.recorded.codes is None else study.recorded.codes.sha256


def _checked(study: Study, classifier: Classifier) -> Classifier:
    """The given classifier, its digest computed again; :class:`InputError` where it is not the study's."""
    # The network may have been trained since it was wrapped.
    classifier = replace(classifier, weights_digest=checkpoints.digest(classifier.network))
    if classifier.weights_digest != study.weights_digest:
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
    _check_same_code(study, classifier)
    return classifier
