"""Heavy libraries load when they are used: neither ``import lamina`` nor any ``--help`` brings one in.

What is asserted is which modules are loaded and how many, not seconds: a clock fails on a busy machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from lamina.cli import VERBS, module_of

HEAVY = {
    "accelerate",
    "datasets",
    "dateparser",
    "gguf",
    "griffe",
    "httpx",
    "jinja2",
    "jsonschema_rs",
    "llguidance",
    "numpy",
    "pandas",
    "peft",
    "pyarrow",
    "pydantic",
    "rapidfuzz",
    "rich",
    "safetensors",
    "torch",
    "transformers",
    "trl",
    "xllamacpp",
}


def modules_after(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after running ``code``."""
    tail = "\nimport json, sys; print(); print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def heavy(modules: set[str]) -> set[str]:
    return {m.split(".")[0] for m in modules} & HEAVY


def test_importing_lamina_loads_nothing_heavy():
    assert heavy(modules_after("import lamina")) == set()


def test_the_help_loads_nothing_heavy_and_not_even_typer():
    loaded = modules_after("from lamina.cli import main; main(['--help'])")
    assert heavy(loaded) == set()
    assert "typer" not in loaded


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_help_of_a_verb_loads_nothing_heavy(verb: str):
    loaded = modules_after(f"from lamina.cli import main; main([*{verb!r}.split(), '--help'])")
    assert heavy(loaded) == set()
    assert {m for m in loaded if m.startswith("lamina.cli.")} >= {module_of(verb)}


def test_the_help_costs_little_more_than_a_bare_interpreter():
    """A ratio of module counts: twice the interpreter's own modules would be the sign of a heavy import."""
    bare = len(modules_after("pass"))
    assert len(modules_after("from lamina.cli import main; main(['--help'])")) < 2 * bare


def test_the_check_sees_a_heavy_module():
    assert heavy(modules_after("import pydantic")) == {"pydantic"}
