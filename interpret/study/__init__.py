"""The folder that holds a study: opened, written in shards, packed to be moved. It neither mines nor explains."""

from interpret.study.open import Study, open_study

__all__ = ["Study", "open_study"]
