"""Tools to call and requests to ask."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_llama is shared by the rooms' tests

from lamina.models import Request
from lamina.tools import Toolbox
from lamina.trajectories import Message
from tiny_llama import desk_toolbox


@pytest.fixture
def toolbox() -> Toolbox:
    return desk_toolbox()


@pytest.fixture
def ask(toolbox: Toolbox) -> Callable[..., Request]:
    """A request of one user message, with the desk's tools unless told otherwise."""

    def _ask(text: str = "Split 84 between four", **more: Any) -> Request:
        return Request([Message(role="user", content=text)], **{"tools": toolbox, "style": "baked", **more})

    return _ask
