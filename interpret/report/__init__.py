"""A study as one HTML file to take away: findings, galleries, effects, Table 1, method, and how to make it again."""

from interpret.report.build import Report, make_report
from interpret.report.notebook import View, view

__all__ = ["Report", "View", "make_report", "view"]
