"""What happened: the one record type, its files, its store, and how calls are compared."""

from __future__ import annotations

from lamina.trajectories.clock import resolve
from lamina.trajectories.comparing import CallMatch, compare_calls
from lamina.trajectories.diversity import diversity_of
from lamina.trajectories.formats import read_trajectories, write_trajectories
from lamina.trajectories.queries import Query, read_queries, with_examples
from lamina.trajectories.store import TrajectoryStore
from lamina.trajectories.trajectory import (
    Check,
    Evidence,
    Function,
    Message,
    Meta,
    Reject,
    ToolCall,
    Trajectory,
    content_id,
)

__all__ = [
    "CallMatch",
    "Check",
    "Evidence",
    "Function",
    "Message",
    "Meta",
    "Query",
    "Reject",
    "ToolCall",
    "Trajectory",
    "TrajectoryStore",
    "compare_calls",
    "content_id",
    "diversity_of",
    "read_queries",
    "read_trajectories",
    "resolve",
    "with_examples",
    "write_trajectories",
]
