"""Tools: what can be called. Tool and Toolbox, the readers that make them, and out-of-process execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamina.tools.readers import read_tools, sources_of, where_of
    from lamina.tools.tool import Example, PythonTarget, Remark, Tool, Toolbox

__all__ = ["Example", "PythonTarget", "Remark", "Tool", "Toolbox", "read_tools", "sources_of", "where_of"]


def __getattr__(name: str) -> Any:
    """Imported when asked for: the process that runs calls asks for none of it, and its forks are faster for that."""
    if name in __all__:
        import importlib

        where = "readers" if name in ("read_tools", "sources_of", "where_of") else "tool"
        return getattr(importlib.import_module(f"{__name__}.{where}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
