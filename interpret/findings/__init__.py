"""What mining found, as tables for reading, and the patches behind it: where a page's numbers come from."""

from interpret.findings.findings import Findings

__all__ = ["Findings"]
