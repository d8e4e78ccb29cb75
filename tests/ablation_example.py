"""A network that can be worked out by hand, shared by the tests of ablation and evaluation."""

import numpy as np
import pandas as pd
import torch

from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.unit_rankings import Ranking
from interpret.models.head import Head

CLASSES = np.array([0, 1, 2])


def hand_made() -> AblationSet:
    """Three units, three classes, logits that can be worked out in the head; two photos a class."""
    weight = torch.tensor([[4.0, 0.0, 1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 0.0]])
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), weight, torch.tensor([0.0, 0.0, 0.5]))
    features = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 2, 1], [0.5, 0, 0], [0, 0, 0]], np.float32)
    return AblationSet(head, np.array([0, 0, 1, 1, 2, 2]), features, None, np.arange(6))


def ours() -> Ranking:
    units = {0: np.array([0, 1]), 1: np.array([1, 0]), 2: np.array([0])}
    return Ranking("Ours-2", units, {0: 1, 1: 1, 2: 1})


def row(table: pd.DataFrame, method: str, budget) -> pd.Series:
    same = table["budget"].isna() if budget is None else table["budget"] == budget
    found = table[(table["method"] == method) & same]
    assert len(found) == 1
    return found.iloc[0]
