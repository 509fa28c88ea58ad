"""Models in a bench are told apart, whatever their files are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina.cli.bench import _labels
from lamina.errors import InputError


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path):
    files = [
        tmp_path / name for name in ("a/gguf/m-Q8_0.gguf", "b/gguf/m-Q8_0.gguf", "b/gguf/m-F16.gguf", "m-Q8_0.gguf")
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = list(_labels([*map(str, files), "embedded"]).values())
    assert found == ["a/gguf/m-Q8_0", "b/gguf/m-Q8_0", "m-F16", f"{tmp_path.name}/m-Q8_0", "embedded"]


def test_folders_and_files_that_differ_after_a_dot_keep_it(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("Qwen2.5-0.5B", "Qwen2.5-0.6B", "m"):
        (tmp_path / name).mkdir()
    (tmp_path / "m.gguf").touch()
    found = _labels(["Qwen2.5-0.5B", "Qwen2.5-0.6B", "m", "m.gguf"])
    assert list(found.values()) == ["Qwen2.5-0.5B", "Qwen2.5-0.6B", "m", "m.gguf"]
    with pytest.raises(InputError, match=r"\./m is named twice"):
        _labels(["m", "./m"])


def test_a_base_with_its_adapter_is_called_after_both(tmp_path: Path):
    base, other = tmp_path / "m-Q8_0.gguf", tmp_path / "b" / "m-Q8_0.gguf"
    adapters = [tmp_path / run / "adapter-F16.gguf" for run in ("one", "two")]
    refs = [str(base), f"{base}+{adapters[0]}", f"{base}+{adapters[1]}", f"embedded+{adapters[0]}"]
    assert list(_labels(refs).values()) == [
        str(base), "one/m-Q8_0+adapter-F16", "two/m-Q8_0+adapter-F16", "embedded+adapter-F16"
    ]  # fmt: skip
    ambiguous = [f"{base}+{adapters[0]}", f"{other}+{adapters[0]}"]
    assert list(_labels(ambiguous).values()) == ambiguous
    with pytest.raises(InputError, match="is named twice"):
        _labels([f"{base}+{adapters[0]}"] * 2)


def test_a_model_named_twice_is_refused(lamina, tmp_path: Path):
    said = lamina("bench", "embedded", "embedded", "--tasks", "bfcl:parallel", "--out", tmp_path / "run")
    assert said.status == 2
    assert "embedded is named twice" in said.errors[0]
