from __future__ import annotations

from pathlib import Path

import pytest
from tiny_llama import desk_toolbox, save_tiny_llama

from lamina.tools import Toolbox


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture()
def toolbox() -> Toolbox:
    return desk_toolbox()
