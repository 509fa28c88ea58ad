"""The parity report of an export: for each file the same requests as for the model that it came from, how many answers
are the same text and the same calls, how many requests are the same tokens, and how far its logits and its perplexity
are from the model's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lamina.models import Model, Request, open_model, prompt_style_of
from lamina.models.templates import calls_text
from lamina.quantize.distance import Cut, distances_from
from lamina.quantize.ggml import Array
from lamina.quantize.likelihood import folder_logits, token_ids, token_logits
from lamina.quantize.parity_check import parity
from lamina.runs import Progress
from lamina.runs.files import atomic_file
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.trajectories import Message, Query

REPORT = "parity.json"
"""Beside the files: what was measured of them, and the answers that differ."""


def measure_files(
    source: Path,
    files: Sequence[JSON],
    rows: Sequence[Query],
    toolbox: Toolbox,
    progress: Progress,
    on_parity: Callable[[], object] | None = None,
) -> None:
    """Gives each of the ``files``, exported from ``source``, its ``parity`` (``parity_check``), ``same_tokens`` (of how
    many of the ``n`` requests its tokenizer makes the tokens that the source's makes) and ``distance``
    (``distances_from``, with ``reference``: what they are measured from; None before). ``on_parity`` is called before
    the distances, which take the most memory, are measured. Raises as the models do."""
    style = prompt_style_of(str(source)) or "full"
    asked = [Request([Message(role="user", content=q.query)], tools=toolbox, style=style) for q in rows]
    with progress.stage("parity", total=len(asked) * (1 + len(files))) as bar:
        reference = open_model(str(source))
        try:
            wanted = reference.generate(asked, lambda *_: bar.advance())
            prompts = _prompts(reference, source, asked)
            answers = _right_answers(reference, source, rows)
        finally:
            reference.close()
        texts = list(map(Cut, _cut(source, prompts, opened=True), _cut(source, answers)))
        for file in files:
            bar.advance(0, file=file["type"])
            candidate = open_model(str(file["path"]))
            try:
                given = candidate.generate(asked, lambda *_: bar.advance())
                file["parity"] = parity(wanted, given, asked, toolbox)
                sent = _sent(candidate, asked)
            finally:
                candidate.close()
            cut = token_ids(Path(str(file["path"])), sent, opened=True)
            same = sum(ids == text.prompt for ids, text in zip(cut, texts, strict=True))
            file["same_tokens"] = {"same": same, "n": len(asked)}
            file["distance"] = None
    if on_parity is not None:
        on_parity()
    paths = [Path(str(file["path"])) for file in files]
    logits, called = _measured_from(source)
    with progress.stage("distance", total=len(texts)) as bar:
        found = distances_from(logits(source, [text.row for text in texts]), paths, texts, on_text=bar.advance)
    for file, distance in zip(files, found, strict=True):
        file["distance"] = distance | {"reference": called}


def write_parity(source: Path, files: Sequence[JSON], queries: Path) -> Path:
    """The report, in the folder of the files. Raises StorageError."""
    report = Path(str(files[0]["path"])).with_name(REPORT)
    told = {"model": str(source), "queries": str(queries), "files": list(files)}
    with atomic_file(report) as opened:
        opened.write(json.dumps(told, indent=1, ensure_ascii=False).encode())
    return report


def _measured_from(source: Path) -> tuple[Callable[[Path, Sequence[Sequence[int]]], Iterator[Array]], str]:
    """Whose logits distances are from, and what it is called: never one of the files. One that was written wrongly
    would be at no distance from itself, and the others near to it."""
    if source.suffix == ".gguf":
        return token_logits, str(source)
    return folder_logits, f"{source} in float32"


def _right_answers(model: Model, source: Path, rows: Sequence[Query]) -> list[Any]:
    """First answers as a model is to write them: dependent calls come after results, so only their first is here."""
    texts = []
    for query in rows:
        calls = query.calls[:1] if query.kind == "dependent" else query.calls
        texts.append(calls_text([{"name": c.name, "arguments": c.arguments} for c in calls]))
    told: Any = model  # a folder's model has a tokenizer
    return texts if source.suffix == ".gguf" else [told.ids_of(text) for text in texts]


def _prompts(model: Model, source: Path, asked: Sequence[Request]) -> list[Any]:
    told: Any = model
    return _sent(model, asked) if source.suffix == ".gguf" else [told.prompt_ids(request) for request in asked]


def _cut(source: Path, texts: Sequence[Any], *, opened: bool = False) -> list[list[int]]:
    """By the source's own tokenizer; a folder's model did so. A file is loaded for it: not beside an engine's load."""
    return token_ids(source, texts, opened=opened) if source.suffix == ".gguf" else list(texts)


def _sent(model: Model, asked: Sequence[Request]) -> list[str]:
    told: Any = model  # a GGUF file's model renders its prompts
    return [told.prompt_for(request) for request in asked]
