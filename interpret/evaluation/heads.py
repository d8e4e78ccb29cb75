"""The head of a study's network: loaded, and replaced by its copy on the CPU where a GPU has too little memory."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar

import torch

from interpret.explanation.study_network import network_of
from interpret.mining.engine.placement import WORTHWHILE, lacking, release
from interpret.models import Classifier
from interpret.models.head import Head, find_head, trial_inputs
from interpret.models.precision import choose_device, prepare
from interpret.study import Study
from interpret.threads import one_thread

P = ParamSpec("P")
T = TypeVar("T")

_PRODUCT = 3e-11
"""What a multiplication of a linear head takes the CPU (seconds, measured on two cores)."""


def load_head(study: Study, *, device: str = "auto", classifier: Classifier | None = None) -> Head:
    """The head of a study's network, in float32, from a private copy of the network.

    Args:
        study: the study whose model and layer are used.
        device: ``auto`` takes a GPU where there is one. Where it has too little memory the CPU computes, and
            ``study.announce`` is told.
        classifier: the study's network, where it is loaded already or came from :func:`interpret.models.wrap`.

    Raises:
        InputError: as :func:`interpret.explanation.study_network.network_of` says.
    """
    classifier = network_of(study, classifier)
    chosen = choose_device(device)
    try:
        return _head_on(chosen, study, classifier)
    except RuntimeError as error:
        short_of = lacking(error)
        if short_of is None or chosen.type == "cpu":
            raise
    _give_up(chosen, short_of, study.announce)
    return _head_on(torch.device("cpu"), study, classifier)


def _head_on(device: torch.device, study: Study, classifier: Classifier) -> Head:
    trial = trial_inputs(study.preprocessing.size)
    with one_thread(device.type):  # two images gain little from helpers, and on a busy machine wait for them
        network = prepare(classifier.network, classifier.hook_point, device, "float32", trial[:1])
        return find_head(network, classifier.hook_point, trial.to(device))


def _give_up(device: torch.device, short_of: str, announce: Callable[[str], None]) -> None:
    release(device.type)
    announce(f"The GPU ({device.type}) {short_of}; the CPU ablates units.")


def with_head(head: Head, work: Callable[[Head], T], announce: Callable[[str], None]) -> T:
    """What ``work`` gives with a head; from the start with its copy on the CPU where a GPU has too little memory.

    After that the head's copy is taken each time.

    Args:
        head: the head.
        work: may be called twice.
        announce: called with one sentence where memory is too little.
    """
    if "on_cpu" in vars(head):
        return work(head.on_cpu)
    try:
        return work(head)
    except RuntimeError as error:
        short_of = lacking(error)
        if short_of is None or not _on_gpu(head):
            raise
    _give_up(head.seed_input.device, short_of, announce)
    return work(head.on_cpu)


def _on_gpu(head: Head) -> bool:
    return head.seed_input.device.type != "cpu"


def on_any_device(measure: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """A function of an ablation set that goes on with the CPU where a GPU has too little memory for it."""

    @functools.wraps(measure)
    def measured(ablation_set: Any, *args: P.args, **more: P.kwargs) -> T:
        def with_it(head: Head) -> T:
            photos = ablation_set if head is ablation_set.head else replace(ablation_set, head=head)
            return measure(photos, *args, **more)

        return with_head(ablation_set.head, with_it, ablation_set.announce)

    return measured


def live_device(study: Study, photos: int) -> str:
    """The device for ablating units while a person waits: ``auto`` where a GPU is worth it, else ``cpu``.

    It is where one classification of the photos takes the CPU :data:`WORTHWHILE` or longer, and for every head but a
    linear one.

    Args:
        study: the study whose network is loaded.
        photos: photos to classify (count).
    """
    seconds = _PRODUCT * photos * study.n_units * len(study.class_names)
    return "cpu" if study.activations is None and seconds < WORTHWHILE else "auto"
