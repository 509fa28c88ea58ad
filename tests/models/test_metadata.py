"""What a model says of itself is read from its own file, quickly and without trusting it."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_gguf is shared by the rooms' tests

from lamina.errors import DamagedFileError, ModelError
from lamina.models import prompt_style_of
from lamina.models.gguf_header import BLOCKS, gguf_header, gguf_metadata
from lamina.models.metadata import facts_of
from lamina.models.references import embedded_path
from lamina.tools import Toolbox
from tiny_gguf import save_tiny_gguf


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


def test_a_file_cut_among_its_tensors_says_how_many_bytes_are_missing(tmp_path: Path):
    whole = save_tiny_gguf(tmp_path / "whole.gguf")
    size = whole.stat().st_size
    assert gguf_header(whole).length == size, "nothing of the file is left over, nothing is asked beyond it"
    facts_of(str(whole))
    cut = tmp_path / "cut.gguf"
    for kept in (size - 1, size * 2 // 3):
        cut.write_bytes(whole.read_bytes()[:kept])
        said = rf"cut\.gguf: the file is cut short: its header promises {size:,} bytes, it has {kept:,}; fetch or build"
        with pytest.raises(DamagedFileError, match=said):
            facts_of(str(cut))
        assert gguf_metadata(cut)["general.architecture"] == "llama", "what it says of itself can be read all the same"


def test_the_embedded_model_is_as_long_as_its_header_says():
    header = gguf_header(embedded_path())
    assert header.length == embedded_path().stat().st_size
    assert len(header.shapes) > 200


def test_the_blocks_of_every_type_are_those_of_the_gguf_package():
    gguf = pytest.importorskip("gguf")
    sizes = {kind.value: size for kind, size in gguf.GGML_QUANT_SIZES.items()}
    assert {kind: size for kind, size in sizes.items() if kind in BLOCKS} == BLOCKS
    assert {kind.value for kind in gguf.GGML_QUANT_SIZES} - BLOCKS.keys() <= set(range(40, 99)), "newer types alone"


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
