"""Classifiers: loaded by name or wrapped from Python; their layers, checkpoints, hooks, precision and heads."""

from interpret.data.preprocessing import Preprocessing
from interpret.models.classifier import Classifier, load, wrap
from interpret.models.layers import Layer, layers
from interpret.models.timm_models import search
from interpret.models.zoo import available

__all__ = ["Classifier", "Layer", "Preprocessing", "available", "layers", "load", "search", "wrap"]
