"""What a session of calls leaves behind: the files in its folder, and what the user's modules say their state is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field

from lamina.errors import ToolDefinitionError
from lamina.tools.execution.outcomes import STATE, CallResult
from lamina.tools.targets import PythonTarget
from lamina.tools.tool import JSON, Toolbox


@dataclass(frozen=True)
class Session:
    """What calls returned that ran one after the other, as many as were tried, and what was there after the last one.
    ``end``: each file of the folder with a digest of what it holds, and each module that has a ``_state()`` with its
    value as JSON; empty where a call was not ok. Neither names the folder, so that two sessions can be compared."""

    results: list[CallResult]
    end: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(result.ok for result in self.results)


def state_calls(toolbox: Toolbox, names: Sequence[str]) -> list[tuple[str, str]]:
    """The modules of the tools of these names: what the supervisor calls each one's ``_state``, and its file."""
    targets = [toolbox[name].target for name in names]
    files = dict.fromkeys(t.file for t in targets if isinstance(t, PythonTarget))
    return [(f"{STATE}() of {file}", file) for file in files]


def told_by(asked: Sequence[tuple[str, str]], results: Sequence[CallResult]) -> dict[str, str]:
    """What the modules said. Raises ToolDefinitionError for one that could not."""
    told: dict[str, str] = {}
    for (_, file), result in zip(asked, results, strict=False):
        if not result.ok:
            why = (result.error or result.status).replace(f" of {file}", "")
            raise ToolDefinitionError(
                f"{STATE}() failed after a session ({why})", file=file, mend="let it return plain data, or take it out"
            )
        if result.text != "null":
            told[f"{STATE}() of {os.path.basename(file)}"] = result.text
    return told


def contents_of(folder: str) -> dict[str, str]:
    """Every file, link and empty folder below ``folder``, by its path; its own name does not count where a file says
    it."""
    found: dict[str, str] = {}
    for place, folders, files in os.walk(folder):
        inside = os.path.relpath(place, folder)
        if not folders and not files and inside != ".":
            found[inside] = "folder"
        for name in [*files, *(d for d in folders if os.path.islink(os.path.join(place, d)))]:
            path = os.path.join(place, name)
            found[os.path.normpath(os.path.join(inside, name))] = _held(path, folder)
    return dict(sorted(found.items()))


def _held(path: str, folder: str) -> str:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return f"link to {os.readlink(path).replace(folder, '.')}"
        if not stat.S_ISREG(mode):
            return "no file"
        with open(path, "rb") as file:
            return hashlib.sha256(file.read().replace(folder.encode(), b".")).hexdigest()
    except OSError as error:
        return f"unreadable ({error.strerror})"


def without_folder(result: CallResult, folder: str) -> CallResult:
    """The result with ``.`` for the folder, whose name differs from session to session."""
    if folder not in result.text:
        return result
    text = result.text.replace(folder, ".")
    value: JSON | None = None if result.truncated else json.loads(text)
    return dataclasses.replace(result, text=text, value=value)


def difference(wanted: dict[str, str], found: dict[str, str]) -> str:
    """The first thing that two ends do not have in common, as words; empty where they are the same."""
    for name in sorted({*wanted, *found}):
        if name not in found:
            return f"{name} is not there"
        if name not in wanted:
            return f"{name} is there besides"
        if wanted[name] != found[name]:
            values = f": {found[name][:80]} and not {wanted[name][:80]}" if name.startswith(STATE) else ""
            return f"{name} is another{values}"
    return ""
