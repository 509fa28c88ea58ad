"""What a model file says of itself: chat template, prompt style, tools."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from lamina.errors import DamagedFileError, ModelReferenceError
from lamina.models.gguf_header import check_whole, gguf_header
from lamina.models.model import PromptStyle
from lamina.tools import Toolbox

WITH_TOOLS = "tool_use"
"""Of several chat templates the one that is written for tools, as Transformers and llama.cpp name it."""


@dataclass(frozen=True)
class ModelFacts:
    """``prompt_style`` and ``toolbox`` are None in files that Lamina did not write. ``copied``: ``TOOL.PATH`` of
    arguments that hold words or numbers of the request in all that the model was trained on (``copying``).
    ``speaks``: it was taught words beside calls (``speaking``). ``opens_texts``: false where a GGUF file says that no
    token is put before a text. ``kind``: a GGUF file's ``general.type``. ``end``: the token that ends a turn, as a GGUF
    file says."""

    chat_template: str | None = None
    prompt_style: PromptStyle | None = None
    toolbox: Toolbox | None = None
    copied: tuple[str, ...] = ()
    speaks: bool = False
    architecture: str = ""
    context: int = 0
    opens_texts: bool = True
    kind: str = ""
    end: int | None = None


def facts_of(ref: str) -> ModelFacts:
    """Of a GGUF file, ``embedded`` or a Transformers folder; empty facts for any other reference. Where an adapter is
    named beside its base, how the model is asked is the adapter's to say."""
    from lamina.models.gguf_files import named_files

    named = named_files(ref)
    if named.model.suffix != ".gguf":
        return _folder_facts(named.model) if named.model.is_dir() else ModelFacts()
    facts = facts_of_file(named.model)
    return _with_adapter(facts, facts_of_file(named.adapter)) if named.adapter else facts


def facts_of_file(path: Path) -> ModelFacts:
    """Of a GGUF file alone; read once as long as it does not change. Raises ModelReferenceError where it is not there,
    DamagedFileError where it is damaged or cut short."""
    if not path.is_file():
        raise ModelReferenceError(f"{path}: there is no such file")
    stat = path.stat()
    return _gguf_facts(str(path), stat.st_mtime_ns, stat.st_size)


def _with_adapter(base: ModelFacts, adapter: ModelFacts) -> ModelFacts:
    """Of an adapter that Lamina trained style, tools and openings are those of its rows, whatever the base's were."""
    template = adapter.chat_template or base.chat_template
    if adapter.prompt_style is None:
        return replace(base, chat_template=template)
    return replace(
        base,
        chat_template=template,
        prompt_style=adapter.prompt_style,
        toolbox=adapter.toolbox,
        copied=adapter.copied,
        speaks=adapter.speaks,
        opens_texts=base.opens_texts and adapter.opens_texts,
    )


@lru_cache(maxsize=32)
def _gguf_facts(path: str, _changed: int, _size: int) -> ModelFacts:
    header = gguf_header(Path(path))
    check_whole(Path(path), header)
    values = header.metadata
    architecture = str(values.get("general.architecture", ""))
    tools = values.get("lamina.tools")
    return ModelFacts(
        chat_template=_one_template(
            values.get("tokenizer.chat_template"), values.get(f"tokenizer.chat_template.{WITH_TOOLS}")
        ),
        prompt_style=values.get("lamina.prompt_style"),
        toolbox=Toolbox.from_openai(json.loads(tools)) if tools else None,
        copied=tuple(json.loads(values.get("lamina.copied", "[]"))),
        speaks=bool(values.get("lamina.speaks")),
        architecture=architecture,
        context=int(values.get(f"{architecture}.context_length", 0)),
        kind=str(values.get("general.type", "")),
        end=values.get("tokenizer.ggml.eos_token_id"),
        opens_texts=bool(values.get("tokenizer.ggml.add_bos_token", True)),
    )


def _folder_facts(folder: Path) -> ModelFacts:
    ours, config, templates = _loaded(folder / "lamina.json"), _loaded(folder / "config.json"), chat_templates(folder)
    return ModelFacts(
        chat_template=_one_template(templates.get("default"), templates.get(WITH_TOOLS)),
        prompt_style=ours.get("prompt_style"),
        toolbox=Toolbox.from_openai(ours["tools"]) if ours.get("tools") else None,
        copied=tuple(ours.get("copied", ())),
        speaks=bool(ours.get("speaks")),
        architecture=str(config.get("model_type", "")),
        context=int(config.get("max_position_embeddings", 0)),
    )


def chat_templates(folder: Path) -> dict[str, str]:
    """The chat templates of a Transformers folder by name, ``default`` first; empty for a folder without one.

    They lie in ``chat_template.jinja`` (others in ``additional_chat_templates``) or, the older form, in
    ``tokenizer_config.json`` or ``chat_template.json``: one text, or a list of named ones. Raises ModelError for a
    damaged file."""
    found: dict[str, str] = {}
    for file in ("chat_template.json", "tokenizer_config.json"):
        said = _loaded(folder / file).get("chat_template") or []
        rows = [{"name": "default", "template": said}] if isinstance(said, str) else said
        found |= {str(row["name"]): str(row["template"]) for row in rows}
    jinja = folder / "chat_template.jinja"
    if jinja.is_file():
        found["default"] = jinja.read_text("utf-8")
    for more in sorted((folder / "additional_chat_templates").glob("*.jinja")):
        found[more.stem] = more.read_text("utf-8")
    if found and "default" not in found:
        found["default"] = next(iter(found.values()))
    return dict(sorted(found.items(), key=lambda one: one[0] != "default"))


def _one_template(default: str | None, with_tools: str | None) -> str | None:
    """Of a model that is asked one way with tools and another without, one template that does either."""
    if default is None or with_tools is None or with_tools == default:
        return default
    first, second = with_tools.removesuffix("\n"), default.removesuffix("\n")
    return f"{{% if tools +%}}{first}{{%+ else +%}}{second}{{%+ endif %}}"  # + keeps the space around each as it was


def _loaded(file: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    except ValueError as error:
        raise DamagedFileError(f"{file}: not JSON ({error}); the folder is damaged") from None
    return value
