"""What mining found, arranged for reading, and the patches behind it."""

from interpret.findings.tables import Findings

__all__ = ["Findings"]
