"""What mining found, as tables for reading, and the patches that support it."""

from interpret.findings.findings import Findings

__all__ = ["Findings"]
