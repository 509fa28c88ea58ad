"""The agent loop of the deployed model, environments, and learning action principles from trajectories."""

from __future__ import annotations

from lamina.agents.act import ENDINGS, Acted, Budget, act
from lamina.agents.built import Agent, open_agent
from lamina.agents.principles import Principles, read_principles
from lamina.agents.prompting import Manner

__all__ = [
    "ENDINGS",
    "Acted",
    "Agent",
    "Budget",
    "Manner",
    "Principles",
    "act",
    "open_agent",
    "read_principles",
]
