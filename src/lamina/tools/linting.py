"""What is wrong with a toolbox from a model's point of view, and what its readers left out or changed.

APIGen cleans its libraries before it writes a row (arXiv 2406.18518, section 4: unusable APIs dropped, the rest
executed and re-described); this is the part of it that only looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz import fuzz

from lamina.tools.tool import JSON, Remark, Tool, Toolbox

CODES = {
    # from readers
    "argument_renamed": "an argument's name had to change",
    "auth_unsupported": "it wants a kind of key that cannot be given",
    "bad_schema": "its parameters are no JSON Schema",
    "binary": "it wants the bytes of a file",
    "body_taken_as_required": "its body is taken as required, though nothing says so",
    "body_unsupported": "its body cannot be written",
    "key_left_out": "a key is taken from the environment, not from the model",
    "malformed": "the document contradicts itself",
    "name_clash": "its name is another tool's, so it has a number or a label",
    "no_description": "nothing says what it is for",
    "no_name": "it has no name",
    "no_server": "the document names no server",
    "not_bound": "there is nothing to run",
    "pattern_dropped": "a pattern is of another regex dialect",
    "renamed": "its name had to change",
    "server_failed": "its server could not be asked",
    "too_large": "its schema is too large",
    "undescribable": "the function cannot be described",
    "unreadable": "the file cannot be read",
    "unresolved_ref": "a reference leads nowhere",
    # from lint
    "no_argument_description": "an argument has neither a description nor named choices",
    "untyped": "an argument may be anything",
    "long_description": "more words than a small model reads well",
    "long_name": "a long name costs tokens in every call",
    "many_arguments": "more arguments than a small model fills well",
    "needs_clock": "an argument is a date, and no model is told what day it is",
    "like_another": "its name and description are nearly another tool's",
}
LONGEST_DESCRIPTION = 600
"""Characters; our choice: some 150 tokens, a tenth of what twelve tools take together."""
LONGEST_NAME = 40
MOST_ARGUMENTS = 12
ALIKE = 92.0
"""rapidfuzz ratio of name and description from which two tools are hard to tell apart (our choice)."""
DATES_MEND = (
    'let the function take the day as it is said ("tomorrow", a str) and resolve it, as examples/desk does; '
    "else requests must say the whole date"
)
DEEPEST = 4
"""References within references that are looked through for a date."""
MOST_COMPARED = 1_500
"""Tools of one toolbox that are compared in pairs; beyond this only those of one category are, the first so many."""


@dataclass(frozen=True)
class Comparison:
    """Which tools are compared in pairs for ``like_another``. ``within``: the whole ``toolbox``, or each ``category``
    of it for itself. ``left_out``: of each larger category how many tools are compared with none."""

    within: str
    at_most: int
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def told(self) -> list[str]:
        """What was not compared, a sentence each; nothing where all were."""
        if self.within == "toolbox":
            return []
        first = f"more than {self.at_most:,} tools: near names and descriptions are looked for within each category"
        return [first, *(_uncompared(category, n, self.at_most) for category, n in self.left_out.items())]


def _uncompared(category: str, left_out: int, at_most: int) -> str:
    where = f"in category {category}" if category else "without a category"
    return f"{where} among the first {at_most:,} only; {left_out:,} more not compared"


def lint(toolbox: Toolbox) -> list[Remark]:
    """The readers' remarks, then what is found in the tools themselves, in their order: at most one of each kind for
    a tool."""
    found = list(toolbox.remarks)
    for tool in toolbox:
        found += _of_one(tool)
    return found + list(_alike(toolbox))


def _of_one(tool: Tool) -> Iterator[Remark]:
    if not tool.description.strip() or tool.description.strip() == tool.name:
        yield Remark(tool.name, "no_description", "nothing says what it is for")
    if len(tool.description) > LONGEST_DESCRIPTION:
        yield Remark(tool.name, "long_description", f"its description has {len(tool.description)} characters")
    if len(tool.name) > LONGEST_NAME:
        yield Remark(tool.name, "long_name", f"its name has {len(tool.name)} characters")
    if len(tool.properties) > MOST_ARGUMENTS:
        yield Remark(tool.name, "many_arguments", f"it has {len(tool.properties)} arguments")
    bare = [name for name, schema in tool.properties.items() if not _explained(schema)]
    if bare:
        yield Remark(tool.name, "no_argument_description", f"nothing explains {', '.join(bare)}")
    loose = [name for name, schema in tool.properties.items() if not _typed(schema)]
    if loose:
        yield Remark(tool.name, "untyped", f"{', '.join(loose)} may be anything")
    if dates := date_arguments(tool):
        yield Remark(tool.name, "needs_clock", f"{told_of_dates(dates)}; {DATES_MEND}")


def date_arguments(tool: Tool) -> list[str]:
    """Arguments that are, or hold, a day or a moment in ISO form. A time of day alone needs no clock to be written."""
    definitions = {**tool.parameters.get("$defs", {}), **tool.parameters.get("definitions", {})}
    return [name for name, schema in tool.properties.items() if _has_date(schema, definitions)]


def told_of_dates(names: Sequence[str]) -> str:
    what = "is a date" if len(names) == 1 else "are dates"
    return f"{', '.join(names)} {what} in ISO form, and the model is not told what day it is"


def _has_date(schema: Any, definitions: JSON, depth: int = 0) -> bool:
    """References are followed a few levels, as they may go round."""
    if isinstance(schema, list):
        return any(_has_date(part, definitions, depth) for part in schema)
    if not isinstance(schema, dict) or depth > DEEPEST:
        return False
    if isinstance(schema.get("$ref"), str):
        return _has_date(definitions.get(schema["$ref"].rpartition("/")[2]), definitions, depth + 1)
    return schema.get("format") in ("date", "date-time") or _has_date(list(schema.values()), definitions, depth)


def _explained(schema: JSON) -> bool:
    return any(schema.get(key) for key in ("description", "enum", "const", "$ref", "anyOf", "oneOf", "properties"))


def _typed(schema: Any) -> bool:
    keys = ("type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", "properties")
    return isinstance(schema, dict) and any(key in schema for key in keys)


def comparison(toolbox: Toolbox) -> Comparison:
    """What ``lint`` compares of these tools."""
    within = "toolbox" if len(toolbox) <= MOST_COMPARED else "category"
    left_out = {name: len(group) - MOST_COMPARED for name, group in _groups(toolbox).items()}
    return Comparison(within, MOST_COMPARED, {name: n for name, n in left_out.items() if n > 0})


def _groups(toolbox: Toolbox) -> dict[str, list[Tool]]:
    groups: dict[str, list[Tool]] = {}
    for tool in toolbox:
        groups.setdefault("" if len(toolbox) <= MOST_COMPARED else tool.category, []).append(tool)
    return groups


def _alike(toolbox: Toolbox) -> Iterator[Remark]:
    for group in _groups(toolbox).values():
        texts: list[tuple[str, str]] = []
        for tool in group[:MOST_COMPARED]:
            text = f"{tool.name.replace('_', ' ')}: {tool.description}"
            like = [name for name, other in texts if fuzz.ratio(other, text, score_cutoff=ALIKE)]
            if like:
                more = f" and {len(like) - 1:,} more" if len(like) > 1 else ""
                yield Remark(tool.name, "like_another", f"it reads like {like[0]}{more}")
            texts.append((tool.name, text))
