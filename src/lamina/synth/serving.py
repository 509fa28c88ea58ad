"""Could a tool on offer serve a request that is meant to be served by none? Asked on the side of caution: a row that
teaches a model to refuse what it can do harms more than one that is lost (our choice)."""

from __future__ import annotations

import re

from lamina.checks.asking import stems_of
from lamina.tools import Tool, Toolbox

SHARED = 2
"""Words of what a tool and its arguments say of themselves, from which on a request that says them is served."""
_ANYTHING = (
    "add apply book build calculate call change check clear close compute convert copy count create cut delete display "
    "do drop edit estimate fetch find generate give handle list load look lookup make move open order pick play "
    "process put query read remove rename reset retrieve return run save search send set show sort start stop store "
    "submit switch tell turn update use view write new all item data info information name value number"
)
"""Words of a tool's name that say nothing about what it is done to."""


def serving_tool(request: str, toolbox: Toolbox) -> tuple[Tool, str] | None:
    """The first tool that may serve the request, with the words that say so: one of its name, verbs that go with
    anything aside, or two of its description and its arguments. Another word for the same thing is not found."""
    said = stems_of(request)
    nothing = stems_of(_ANYTHING)
    for tool in toolbox:
        if shared := said & (stems_of(_spaced(tool.name)) - nothing):
            return tool, ", ".join(sorted(shared))
        shared = said & (stems_of(_spaced(_told(tool))) - nothing)
        if len(shared) >= SHARED:
            return tool, ", ".join(sorted(shared))
    return None


def _told(tool: Tool) -> str:
    arguments = (
        f"{name} {schema.get('description', '') if isinstance(schema, dict) else ''}"
        for name, schema in tool.properties.items()
    )
    return f"{tool.description} {' '.join(arguments)}"


def _spaced(text: str) -> str:
    """Names in snake_case and camelCase as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("_", " "))
