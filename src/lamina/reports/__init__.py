"""Reports: a run as one HTML page that opens offline. Gets results as dicts and knows ``runs`` alone."""

from __future__ import annotations

from lamina.reports.environment import describe_machine
from lamina.reports.page import write_report

__all__ = ["describe_machine", "write_report"]
