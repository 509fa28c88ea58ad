"""RPO (arXiv 2410.18528): an agent reads its own trajectories and rewrites the principles of its actions."""

from __future__ import annotations

from lamina.agents.learning.from_trajectories import learn_from, read_deeds, tools_of
from lamina.agents.learning.ledger import Ledger, Limits
from lamina.agents.learning.rpo import Learned, Roles, Version, learn
from lamina.agents.learning.settings import PRESETS, LearnSettings
from lamina.agents.learning.splitting import Split, check_disjoint, split_tasks
from lamina.agents.learning.working import learn_from_in_run, learn_in_run, opened

__all__ = [
    "PRESETS",
    "LearnSettings",
    "Learned",
    "Ledger",
    "Limits",
    "Roles",
    "Split",
    "Version",
    "check_disjoint",
    "learn",
    "learn_from",
    "learn_from_in_run",
    "learn_in_run",
    "opened",
    "read_deeds",
    "split_tasks",
    "tools_of",
]
