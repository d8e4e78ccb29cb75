"""The folder that holds a study: opened, written in shards, packed to be moved. It neither mines nor explains."""

from interpret.study.open import open_study
from interpret.study.study import Study

__all__ = ["Study", "open_study"]
