from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_llama is shared by the rooms' tests

from lamina.tools import Toolbox
from tiny_llama import desk_toolbox, save_tiny_llama


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def toolbox() -> Toolbox:
    return desk_toolbox()
