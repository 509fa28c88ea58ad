"""One verifier, whoever made the row: format, execution, grounding, novelty, round trip, judge."""

from __future__ import annotations

from lamina.checks.agreement import Agreement, labelled_rows
from lamina.checks.asking import check_asking
from lamina.checks.contamination import contaminated
from lamina.checks.counting import check_request, check_style
from lamina.checks.execution import check_execution
from lamina.checks.grounding import check_grounding
from lamina.checks.judge import check_judge, measure_agreement
from lamina.checks.needing_clock import check_needs_clock
from lamina.checks.novelty import Novelty
from lamina.checks.reasons import Reason
from lamina.checks.round_trip import check_round_trips
from lamina.checks.rule import Candidate, Rejection
from lamina.checks.schema import check_format

__all__ = [
    "Agreement",
    "Candidate",
    "Novelty",
    "Reason",
    "Rejection",
    "check_asking",
    "check_execution",
    "check_format",
    "check_grounding",
    "check_judge",
    "check_needs_clock",
    "check_request",
    "check_round_trips",
    "check_style",
    "contaminated",
    "labelled_rows",
    "measure_agreement",
]
