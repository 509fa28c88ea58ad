"""What a model says of itself is read from its own file, quickly and without trusting it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import ModelError
from lamina.models import prompt_style_of
from lamina.models.metadata import facts_of, gguf_metadata
from lamina.tools import Toolbox


def write_gguf(file: Path, **strings: str) -> Path:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(512)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b", "é"] * 50)
    writer.add_array("tokenizer.ggml.scores", [0.5] * 150)
    for key, value in strings.items():
        writer.add_string(key.replace("__", "."), value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return file


def test_a_gguf_tells_its_template_style_and_tools(tmp_path: Path, toolbox: Toolbox):
    said = {"tokenizer__chat_template": "{{ x }}", "lamina__prompt_style": "baked"}
    file = write_gguf(tmp_path / "m.gguf", **said, lamina__tools=json.dumps(toolbox.as_openai()))
    facts = facts_of(str(file))
    assert (facts.chat_template, facts.prompt_style, facts.architecture, facts.context) == (
        "{{ x }}", "baked", "llama", 512,
    )  # fmt: skip
    assert facts.toolbox is not None
    assert facts.toolbox.fingerprint() == toolbox.fingerprint()
    assert prompt_style_of(str(file)) == "baked"


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path):
    file = write_gguf(tmp_path / "m.gguf", lamina__prompt_style="baked")
    assert prompt_style_of(str(file)) == "baked"
    write_gguf(file, lamina__prompt_style="full", general__name="longer")
    assert prompt_style_of(str(file)) == "full"


def test_a_file_that_lamina_did_not_write_has_no_style(tmp_path: Path):
    facts = facts_of(str(write_gguf(tmp_path / "m.gguf")))
    assert (facts.prompt_style, facts.toolbox, facts.chat_template) == (None, None, None)


def test_a_folder_tells_the_same(tmp_path: Path, toolbox: Toolbox):
    rows: dict[str, Any] = {"prompt_style": "full", "tools": toolbox.as_openai()}
    (tmp_path / "lamina.json").write_text(json.dumps(rows))
    (tmp_path / "chat_template.jinja").write_text("{{ é }}", encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "llama", "max_position_embeddings": 64}')
    facts = facts_of(str(tmp_path))
    assert (facts.chat_template, facts.prompt_style, facts.architecture, facts.context) == (
        "{{ é }}", "full", "llama", 64,
    )  # fmt: skip
    assert facts.toolbox is not None
    assert facts.toolbox.names == toolbox.names


def test_a_damaged_folder_is_an_error_that_names_the_file(tmp_path: Path):
    (tmp_path / "lamina.json").write_text('{"prompt_style": ')
    with pytest.raises(ModelError, match=r"lamina\.json: not JSON"):
        facts_of(str(tmp_path))


@pytest.mark.parametrize("kept", [0, 3, 8, 23, 40, 90, 200, 700])
def test_a_header_cut_short_is_an_error_that_names_the_file(kept: int, tmp_path: Path):
    file = write_gguf(tmp_path / "m.gguf")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"cut\.gguf"):
        gguf_metadata(cut)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 2**60),
        struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, 2**60),
        struct.pack("<4sIQQQ1sI", b"GGUF", 3, 0, 1, 1, b"k", 99),
        struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 8, 2**60),
        struct.pack("<4sIQQ", b"GGUF", 1, 0, 0),
    ],
    ids=["keys without end", "a name without end", "an unknown kind", "a list without end", "an old version"],
)
def test_a_header_that_lies_is_an_error_at_once(header: bytes, tmp_path: Path):
    file = tmp_path / "lies.gguf"
    file.write_bytes(header)
    with pytest.raises(ModelError, match=r"lies\.gguf"):
        gguf_metadata(file)
