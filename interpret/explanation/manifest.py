"""What a study's manifest says: the network, the photos, the options and the versions that the study was made with."""

import datetime
import platform
from dataclasses import asdict, replace
from importlib import metadata
from typing import Any

import torch

from interpret.config import Arithmetic, ModelConfig, RunConfig
from interpret.data.datasets import PhotoSet
from interpret.models import Classifier
from interpret.models.codes import Code
from interpret.study.schema import FORMAT_VERSION

PACKAGES = ("torch", "torchvision", "timm", "numpy", "pillow", "scipy", "scikit-image", "pyarrow", "pyfim")
"""Packages whose versions are recorded, where they are installed."""


def study_manifest(
    config: RunConfig,
    classifier: Classifier,
    photos: PhotoSet,
    key: str,
    n_units: int,
    device: torch.device,
    arithmetic: Arithmetic,
) -> dict[str, Any]:
    """The manifest of a study, without its counts, timings and digests.

    Args:
        config: the options of the run.
        classifier: the network; its own options are recorded, whatever ``config`` names.
        photos: what was scanned.
        key: digest of everything that the extracted files depend on.
        n_units: K, the number of units (count).
        device: where the network ran.
        arithmetic: how it computed.
    """
    return {
        "schema_version": FORMAT_VERSION,
        "key": key,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": asdict(replace(config, model=_model_options(config, classifier))),
        "model": classifier.name,
        "wrapped": classifier.config is None,
        "network_class": type(classifier.network).__name__,
        "weights": {"digest": classifier.weights_digest, "source": classifier.source},
        "layer": classifier.layer,
        "n_units": n_units,
        **({} if classifier.layout.code is None else {"codes": _codes(classifier.layout.code)}),
        "class_names": list(classifier.class_names),
        "preprocessing": classifier.preprocessing.to_dict(),
        "precision": arithmetic.precision,
        "arithmetic": asdict(arithmetic),
        "device": device.type,
        "images_root": str(photos.root),
        "fingerprint": photos.fingerprint,
        "former_fingerprint": photos.former_fingerprint,
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _model_options(config: RunConfig, classifier: Classifier) -> ModelConfig:
    """The options that load the classifier again; the name and the layer of a wrapped one."""
    options = classifier.config or ModelConfig(model=classifier.name, layer=classifier.layer)
    signed, code = classifier.layout.signed, classifier.layout.code
    codes = None if code is None else code.path
    return replace(options, precision=config.model.precision, device=config.model.device, signed=signed, codes=codes)


def _codes(code: Code) -> dict[str, Any]:
    return {"path": code.path, "format": code.format, "sha256": code.sha256, "channels": code.channels}


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
