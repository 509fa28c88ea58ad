"""The parity report of an export: for each file the same requests as for the model that it came from, how many answers
are the same text and the same calls, and how far its logits and its perplexity are from the model's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lamina.models import Model, Request, open_model, prompt_style_of
from lamina.models.templates import calls_text
from lamina.quantize.distance import Said, distances
from lamina.quantize.gguf_export import export_gguf
from lamina.quantize.parity_check import parity
from lamina.quantize.precisions import PLAIN
from lamina.runs import Progress
from lamina.runs.files import atomic_file
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.trajectories import Message, Query

REPORT = "parity.json"
"""Beside the files: what was measured of them, and the answers that differ."""


def measure_files(
    source: Path, files: Sequence[JSON], rows: Sequence[Query], toolbox: Toolbox, progress: Progress
) -> None:
    """Gives each of the ``files``, exported from ``source``, its ``parity`` (``parity_check``) and ``distance``
    (``distances``, with ``reference``: what they are measured from). Raises as the models do."""
    style = prompt_style_of(str(source)) or "full"
    asked = [Request([Message(role="user", content=q.query)], tools=toolbox, style=style) for q in rows]
    texts: list[Said] = []
    with progress.stage("parity", total=len(asked) * (1 + len(files))) as bar:
        reference = open_model(str(source))
        try:
            wanted = reference.generate(asked, lambda *_: bar.advance())
        finally:
            reference.close()
        for file in files:
            bar.advance(0, file=file["type"])
            candidate = open_model(str(file["path"]))
            try:
                given = candidate.generate(asked, lambda *_: bar.advance())
                file["parity"] = parity(wanted, given, asked, toolbox)
                texts = texts or _right_answers(candidate, rows, asked)
            finally:
                candidate.close()
    paths = [Path(str(file["path"])) for file in files]
    with _measured_from(source, files) as (measure, called), progress.stage("distance", total=len(texts)) as bar:
        found = distances(measure, paths, texts, on_text=bar.advance)
    for file, distance in zip(files, found, strict=True):
        file["distance"] = distance | {"reference": called}


def write_parity(source: Path, files: Sequence[JSON], queries: Path) -> Path:
    """The report, in the folder of the files. Raises StorageError."""
    report = Path(str(files[0]["path"])).with_name(REPORT)
    told = {"model": str(source), "queries": str(queries), "files": list(files)}
    with atomic_file(report) as opened:
        opened.write(json.dumps(told, indent=1, ensure_ascii=False).encode())
    return report


@contextmanager
def _measured_from(source: Path, files: Sequence[JSON]) -> Iterator[tuple[Path, str]]:
    """What distances are from, and what it is called: a GGUF file itself, else the most precise of the files; where
    none is in 16 bits, one that is made for the purpose and removed. A file at a distance from itself would look as
    if nothing had been lost."""
    plain = [file for file in files if file["type"] in PLAIN]
    if source.suffix == ".gguf":
        yield source, str(source)
    elif plain:
        path = str(max(plain, key=lambda file: float(file["bits_per_weight"]))["path"])
        yield Path(path), path
    else:
        with TemporaryDirectory(prefix="reference-", dir=Path(str(files[0]["path"])).parent) as folder:
            made = export_gguf(source, Path(folder) / "model-F16.gguf", "F16")
            yield Path(str(made["path"])), f"{source} in F16"


def _right_answers(model: Model, rows: Sequence[Query], asked: Sequence[Request]) -> list[Said]:
    """First answers as a model is to write them: dependent calls come after results, so only their first is here."""
    found = []
    for query, request in zip(rows, asked, strict=True):
        calls = query.calls[:1] if query.kind == "dependent" else query.calls
        text = calls_text([{"name": c.name, "arguments": c.arguments} for c in calls])
        told: Any = model  # a GGUF file's model renders its prompts
        found.append(Said(told.prompt_for(request), text))
    return found
