"""The agent loop of the deployed model."""

from __future__ import annotations

from lamina.agents.act import ENDINGS, Acted, Budget, act
from lamina.agents.built import Agent, open_agent

__all__ = ["ENDINGS", "Acted", "Agent", "Budget", "act", "open_agent"]
