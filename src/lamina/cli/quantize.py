"""``lamina quantize``: GGUF files, and whether they still give the same calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import listed, show, table
from lamina.errors import InputError

if TYPE_CHECKING:
    from lamina.quantize.calibration import Calibration
    from lamina.runs import Progress
    from lamina.tools import Toolbox
    from lamina.trajectories import Query

TYPES = "F16,Q8_0,Q4_0"
UNTOLD = "they are asked in ChatML; if it was trained in another form, save that as chat_template.jinja first"


def quantize(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A model folder (safetensors), a run that has one, a GGUF file, or a folder with a LoRA adapter.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the GGUF files.")],
    types: Annotated[
        str | None,
        typer.Option(
            "--types",
            metavar="TYPE,…",
            help=f"GGUF types to write; an adapter is F16 or F32.  [{TYPES}; F16 of an adapter]",
            show_default=False,
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="REF",
            help="Of an adapter: the model that it was trained on, a folder or a GGUF file; else the one it names.",
        ),
    ] = None,
    imatrix: Annotated[
        Path | None,
        typer.Option(
            "--imatrix",
            metavar="TRAJECTORIES",
            help="Round the types under 8 bits for what these make the model compute: a run, or a trajectories.jsonl.",
        ),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(
            "--queries", metavar="FILE", help="Requests with their right calls, for parity, perplexity and distance."
        ),
    ] = None,
    tools: Annotated[
        Path | None,
        typer.Option(
            "--tools", metavar="TOOLS", help="The functions that --queries are about, where MODEL does not say them."
        ),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Export a trained model to GGUF, quantize it, and check parity.

    Of a model that sees (LLaVA) the vision part is written beside the files, as mmproj-model-F16.gguf.
    A LoRA adapter, as PEFT saves it, becomes a small file that is used beside its base
    (BASE.gguf+ADAPTER.gguf).

    Parity is the share of the requests in --queries to which a file gives the very calls that MODEL
    gives; without --queries it is not measured. Perplexity is that of the right answers, distances are
    from MODEL, a folder in float32; same tokens says of how many requests a file's tokenizer makes the
    tokens that MODEL's makes. The report is DIR/parity.json.
    """
    from lamina.models.metadata import facts_of
    from lamina.quantize.calibration import calibration_of
    from lamina.quantize.folder_source import sees
    from lamina.quantize.parity_report import measure_files, write_parity
    from lamina.quantize.peft_folder import is_peft_folder
    from lamina.quantize.precisions import precisions
    from lamina.quantize.vision_part import export_vision_part
    from lamina.runs import Progress

    source = model / "model" if (model / "model").is_dir() else model
    if is_peft_folder(source):
        _refuse_beside_adapter(imatrix, queries, tools)
        return _quantize_adapter(source, types if types is not None else "F16", out, base, as_json)
    if base is not None:
        raise InputError("--base is for an adapter, and this is none", file=source, mend="leave it out")
    wanted = listed(types if types is not None else TYPES) or ()
    precisions(wanted)  # a mistake in them, or in the requests, is said before the model is read
    asked = _requests_for(source, queries, tools) if queries is not None else None
    progress = Progress(as_json)
    calibration = calibration_of(imatrix, source) if imatrix else None
    files = _exported(source, wanted, out, calibration, progress)
    found: dict[str, Any] = {"files": files}
    seen: list[str] = []
    if sees(source):
        found["vision_part"] = export_vision_part(source, out)
        seen = [f"vision part: {found['vision_part']['path']}"]
    for file in files:
        file["parity"] = None
    if queries is not None and asked is not None:
        measure_files(source, files, *asked, progress, lambda: write_parity(source, files, queries))
        found["report"] = str(write_parity(source, files, queries))
        seen.append(f"parity report: {found['report']}")
    found["chat_template"] = facts_of(str(source)).chat_template is not None
    untold = [] if found["chat_template"] else [f"{source}: has no chat template, and neither have the files: {UNTOLD}"]
    show(found, as_json=as_json, lines=[*table([_row(f) for f in files]), *seen, *untold, *_remarks(files)])


def _exported(
    source: Path, types: Sequence[str], out: Path, calibration: Calibration | None, progress: Progress
) -> list[dict[str, Any]]:
    """The files, each shown as it is done, and the layers of one that is rounded with a calibration, which takes
    minutes."""
    from lamina.quantize import quantize_types

    with progress.stage("export", total=len(types)) as bar:
        return quantize_types(
            source,
            types,
            out,
            on_file=lambda file: bar.advance(file=file["type"]),
            calibration=calibration,
            on_layer=lambda layer: bar.advance(0, layer=layer),
        )


def _refuse_beside_adapter(imatrix: Path | None, queries: Path | None, tools: Path | None) -> None:
    named = {"--imatrix": imatrix, "--queries": queries, "--tools": tools}
    if option := next((name for name, value in named.items() if value is not None), None):
        mend = "lamina bench BASE.gguf+ADAPTER.gguf measures it"
        raise InputError(f"{option} is for whole models, and this is an adapter", mend=mend)


def _quantize_adapter(folder: Path, types: str, out: Path, base: str | None, as_json: bool) -> None:
    from lamina.quantize import export_adapter

    files = export_adapter(folder, listed(types) or (), out, base)
    rows = []
    for file in files:
        file["parity"] = None
        scale = f"rank {', '.join(map(str, file['ranks']))}, alpha {file['alpha']:g}"
        rows.append((file["path"], file["type"], f"{file['bytes'] / 1e6:.1f} MB", f"{file['modules']} matrices", scale))
    beside = files[0]["base"] if str(files[0]["base"]).endswith(".gguf") else "BASE.gguf"
    show({"files": files}, as_json=as_json, lines=[*table(rows), f"a model is: {beside}+{files[0]['path']}"])


def _row(file: dict[str, Any]) -> tuple[str, ...]:
    cells = (file["path"], file["type"], f"{file['bytes'] / 1e6:.0f} MB", f"{file['bits_per_weight']:.2f} bits/weight")
    if file["parity"] is None:
        return (*cells, "not measured")
    distance = file["distance"]
    return (
        *cells,
        f"parity {file['parity']['rate']:.1%}",
        f"same text {file['parity']['same_text'] / file['parity']['n']:.1%}",
        f"perplexity {distance['perplexity']:.3f}",
        f"same favourite {distance['same_top']:.1%}",
        f"KL {distance['kl']:.4f}",
        f"logits ±{distance['logit_rmse']:.3f}",
        f"same tokens {file['same_tokens']['same']}/{file['same_tokens']['n']}",
    )


def _remarks(files: Sequence[dict[str, Any]]) -> list[str]:
    warnings = [f"warning: {file['warning']}" for file in files if file["warning"]]
    for file in files:
        if file["fallbacks"]:
            told = ", ".join(f"{change} ({count})" for change, count in file["fallbacks"].items())
            warnings.append(f"{file['type']}: rows that are no multiple of a block took another type: {told}")
    return warnings


def _requests_for(source: Path, queries: Path, tools: Path | None) -> tuple[list[Query], Toolbox]:
    """The requests, and the tools they are about. Raises InputError for a file that has none, or where neither the
    model nor ``tools`` says them."""
    from lamina.models.metadata import facts_of
    from lamina.tools import read_tools
    from lamina.trajectories import read_queries

    toolbox = read_tools(tools) if tools is not None else facts_of(str(source)).toolbox
    if toolbox is None:
        raise InputError("does not say which tools it knows", file=source, mend="name their file with --tools")
    return read_queries(queries, toolbox), toolbox


app = verb(
    quantize,
    example="lamina quantize runs/desk --types Q8_0,Q4_0 --imatrix runs/desk --out gguf",
)
