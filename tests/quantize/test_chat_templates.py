"""A file is asked as its model is: the chat template goes into it wherever the folder keeps it, and none is said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lamina.models.gguf_header import gguf_metadata
from lamina.models.metadata import facts_of
from lamina.models.template_rendering import render
from lamina.quantize import export_gguf

PLAIN, WITH_TOOLS = "plain {{ messages[0].content }}\n", "  tools {{ tools[0].name }} {{ messages[0].content }}\n"
BOTH = [{"name": "tool_use", "template": WITH_TOOLS}, {"name": "default", "template": PLAIN}]


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    (folder / "chat_template.jinja").unlink()
    return folder


def say(folder: Path, template: object, file: str = "tokenizer_config.json") -> None:
    said = json.loads((folder / file).read_text()) if (folder / file).exists() else {}
    (folder / file).write_text(json.dumps(said | {"chat_template": template}))


def asked(model: Path, tools: list | None) -> str:
    template = facts_of(str(model)).chat_template
    assert template is not None
    return render(template, [{"role": "user", "content": "hi"}], tools)


@pytest.mark.parametrize("file", ["tokenizer_config.json", "chat_template.json"])
def test_a_template_beside_the_tokenizer_goes_into_the_file(model: Path, tmp_path: Path, file: str):
    say(model, PLAIN, file)
    export_gguf(model, tmp_path / "m.gguf")
    assert gguf_metadata(tmp_path / "m.gguf")["tokenizer.chat_template"] == PLAIN
    assert facts_of(str(tmp_path / "m.gguf")).chat_template == facts_of(str(model)).chat_template == PLAIN


def test_a_template_of_its_own_file_goes_before_that_of_the_tokenizer(model: Path, tmp_path: Path):
    say(model, "older")
    (model / "chat_template.jinja").write_text(PLAIN)
    export_gguf(model, tmp_path / "m.gguf")
    assert facts_of(str(tmp_path / "m.gguf")).chat_template == PLAIN


@pytest.mark.parametrize("form", ["a list", "files"])
def test_of_several_templates_each_request_is_asked_with_its_own(model: Path, tmp_path: Path, form: str):
    if form == "a list":
        say(model, BOTH)
    else:
        (model / "chat_template.jinja").write_text(PLAIN)
        (model / "additional_chat_templates").mkdir()
        (model / "additional_chat_templates" / "tool_use.jinja").write_text(WITH_TOOLS)
    export_gguf(model, tmp_path / "m.gguf")
    said = gguf_metadata(tmp_path / "m.gguf")
    assert (said["tokenizer.chat_template"], said["tokenizer.chat_template.tool_use"]) == (PLAIN, WITH_TOOLS)
    for where in (model, tmp_path / "m.gguf"):
        assert asked(where, None) == "plain hi"
        assert asked(where, [{"name": "split_bill"}]) == "  tools split_bill hi"


def test_a_model_without_a_template_is_exported_and_it_is_said(model: Path, tmp_path: Path):
    def quantized(*more: str) -> str:
        words = [sys.executable, "-m", "lamina", "quantize", str(model), "--types", "F16", "--out", str(tmp_path / "o")]
        done = subprocess.run([*words, *more], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "no chat template" in " ".join(quantized().split())
    assert json.loads(quantized("--json"))["chat_template"] is False
    say(model, PLAIN)
    assert "no chat template" not in " ".join(quantized().split())
