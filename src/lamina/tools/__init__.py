"""Tools: what can be called. Tool and Toolbox, the readers that make them, and out-of-process execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.tools.tool import Example, PythonTarget, Remark, Tool, Toolbox

if TYPE_CHECKING:
    from lamina.tools.readers import read_tools, where_of

__all__ = ["Example", "PythonTarget", "Remark", "Tool", "Toolbox", "read_tools", "where_of"]


def __getattr__(name: str) -> Any:
    if name == "read_tools":
        from lamina.tools.readers import read_tools

        return read_tools
    if name == "where_of":
        from lamina.tools.readers import where_of

        return where_of
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
