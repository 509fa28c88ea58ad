"""What is offered for tools before rows are written of them (APIGen cleans its API library, arXiv 2406.18518 section
4.1): words that a model found for them, and which of them ran when they were probed. Offers stand in a file that a
person reads and edits; nothing takes them by itself."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from lamina.errors import InputError
from lamina.runs.files import atomic_file
from lamina.synth.describing import Offer
from lamina.synth.probing import Probe
from lamina.tools import Toolbox

Offers = dict[str, dict[str, Any]]
"""By tool: ``description``, ``category``, ``usable`` and the ``reason`` where it is not; all may be left out."""
MEND = "write it with 'lamina tools SOURCE describe --out FILE' or 'lamina tools SOURCE probe --out FILE'"


def write_descriptions(file: Path, offers: Sequence[Offer]) -> None:
    """A TOML table a tool. Raises StorageError."""
    rows = {
        o.tool: {"description": o.description, "category": o.category, "before": o.before}
        for o in offers
        if not o.problem
    }
    _write(file, "Offered by a model. Edit or delete what you do not want; lamina synth --offers takes the rest.", rows)


def write_probes(file: Path, probes: Sequence[Probe]) -> None:
    """A TOML table a tool, with the arguments of the call that is told of. Raises StorageError."""
    rows = {}
    for found in probes:
        tried = {} if found.arguments is None else {"arguments": json.dumps(found.arguments, ensure_ascii=False)}
        told = {"gave": found.detail} if found.runs else {"reason": f"{found.status}: {found.told}"}
        rows[found.tool] = {"usable": found.runs, **told, **tried}
    _write(
        file,
        "What ran when it was probed. Set usable = true for a tool that you want kept, or delete its table;\n"
        "# lamina synth --offers leaves out those with usable = false, and says so.",
        rows,
    )


def read_offers(files: Sequence[Path], toolbox: Toolbox) -> Offers:
    """What the files offer together; the later one has the last word. Raises InputError for a file that holds none, and
    for a tool that is not there."""
    offers: Offers = {}
    for file in files:
        for name, row in _tables(file).items():
            if name not in toolbox:
                raise InputError(f"there is no tool {name!r}", file=file, mend="delete its table")
            if type(row.get("usable", True)) is not bool:
                raise InputError(f"{name}: usable is {row['usable']!r}", file=file, mend="write true or false")
            offers[name] = {**offers.get(name, {}), **row}
    if len(toolbox) and all(offers.get(name, {}).get("usable") is False for name in toolbox.names):
        raise InputError("leaves no tool", file=files[-1], mend="set usable = true for those that you want kept")
    return offers


def with_offers(toolbox: Toolbox, offers: Mapping[str, Mapping[str, Any]]) -> Toolbox:
    """The tools that are usable, with the descriptions and categories that are offered."""
    gone, changed = left_out(offers), []
    for tool in toolbox:
        wanted = offers.get(tool.name, {})
        description, category = wanted.get("description") or tool.description, wanted.get("category") or tool.category
        if tool.name not in gone:
            changed.append(dataclasses.replace(tool, description=str(description), category=str(category)))
    without = [tool for tool in toolbox if tool.name in gone]
    return Toolbox(changed, toolbox.remarks, toolbox.files, [*toolbox.left_out, *without])


def left_out(offers: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The tools that are not usable, each with the reason."""
    return {name: str(row.get("reason") or "not usable") for name, row in offers.items() if row.get("usable") is False}


def _tables(file: Path) -> Offers:
    try:
        found = tomllib.loads(file.read_text("utf-8")).get("tools")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"is no TOML ({error})", file=file) from None
    if not isinstance(found, dict) or not all(isinstance(row, dict) for row in found.values()):
        raise InputError("holds no offers", file=file, mend=MEND)
    return found


def _write(file: Path, told: str, rows: Offers) -> None:
    with atomic_file(file) as out:
        out.write(f"# {told}\n\n".encode())
        out.write(tomli_w.dumps({"tools": rows}).encode("utf-8", "replace"))
