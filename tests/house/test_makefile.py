"""`make setup` on a machine that lacks something: it says what, and leaves nothing that looks finished."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_ENSUREPIP = """\
#!/bin/sh
# As python3.11 on Debian without python3.11-venv: the folder is half made when ensurepip turns out to be missing.
echo "$@" >> asked
mkdir -p .venv/bin
printf '#!/bin/sh\\necho "No module named pip" >&2\\nexit 1\\n' > .venv/bin/python
chmod +x .venv/bin/python
exit 1
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "python").write_text(WITHOUT_ENSUREPIP)
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def set_up(clone: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "setup", "PYTHON=./python"], cwd=clone, capture_output=True, text=True, timeout=60)


def test_setup_without_the_venv_package_names_it_each_time_and_leaves_no_half_made_environment(clone: Path):
    for time in (1, 2):
        done = set_up(clone)
        assert done.returncode == 2
        assert "apt-get install python3.11-venv" in done.stderr
        assert "No module named pip" not in done.stderr
        assert not (clone / ".venv").exists()
        assert (clone / "asked").read_text().splitlines() == ["-m venv .venv"] * time


def test_an_environment_without_pip_that_an_earlier_setup_left_is_made_again(clone: Path):
    subprocess.run(["./python"], cwd=clone, check=False)
    (clone / "asked").unlink()
    assert set_up(clone).returncode == 2
    assert (clone / "asked").read_text().splitlines() == ["-m venv .venv"]
