"""``lamina tools``: what Lamina reads in a file of functions."""

from __future__ import annotations

from lamina.cli.options import AsJson, Config, ToolsFile, verb
from lamina.cli.output import show, table


def tools(tools: ToolsFile, config: Config = None, as_json: AsJson = False) -> None:
    """Read a file of functions and show the tools in it.

    A function that cannot be described is an error that says what to add. With --json the list is in the form
    that chat templates and OpenAI-compatible servers take.
    """
    from lamina.tools import read_tools

    toolbox = read_tools(tools)
    rows = [
        (
            tool.name,
            ", ".join(n if n in tool.required else f"[{n}]" for n in tool.properties) or "-",
            tool.description.split("\n")[0],
        )
        for tool in toolbox
    ]
    show(toolbox.as_openai(), as_json=as_json, lines=[f"{len(rows)} tools in {tools}", *table(rows, "  ")])


app = verb(tools, example="lamina tools examples/desk/tools.py")
