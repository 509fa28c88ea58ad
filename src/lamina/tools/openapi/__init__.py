"""Reader for OpenAPI 2.0, 3.0 and 3.1 in JSON or YAML: one tool for each operation, executable over HTTP.

What cannot be a tool becomes a remark that says why; the rest of the document is read all the same. A document may be
kept in several files, the others in its folder or below.
"""

from __future__ import annotations

from pathlib import Path

from lamina.errors import ToolDefinitionError
from lamina.tools.documents import SUFFIXES, load_document
from lamina.tools.openapi.document import Document, version_of
from lamina.tools.openapi.files import Files
from lamina.tools.openapi.operations import operations, tool_of
from lamina.tools.openapi.unusable import Unusable
from lamina.tools.tool import Remark, Tool, Toolbox


def claims(path: Path) -> bool:
    if path.suffix not in SUFFIXES or not path.is_file():
        return False
    root = load_document(path)
    return isinstance(root, dict) and ("openapi" in root or "swagger" in root)


def read(path: Path) -> Toolbox:
    """Raises ToolDefinitionError for another version, and where no operation of the document is usable."""
    root = load_document(path)
    version = version_of(root)
    if version is None:
        said = root.get("openapi", root.get("swagger"))
        raise ToolDefinitionError(f"OpenAPI {said} is not read", file=path, mend="2.0, 3.0 and 3.1 are")
    document = Document(Files(root, path), version)
    tools: dict[str, Tool] = {}
    found, remarks = operations(document)
    for method, route, item, operation in found:
        where = f"{method.upper()} {route}"
        try:
            tool, said = tool_of(document, method, route, item, operation, set(tools))
        except Unusable as reason:
            remarks.append(Remark(where, reason.code, reason.detail, dropped=True))
        except RecursionError:
            remarks.append(Remark(where, "too_large", "its schema is nested too deep", dropped=True))
        else:
            tools[tool.name] = tool
            remarks += said
    if not tools:
        first = f"; the first: {remarks[0].where}: {remarks[0].detail}" if remarks else ""
        raise ToolDefinitionError(
            f"none of its {len(remarks)} operations can be a tool{first}", file=path, mend='see "paths" in it'
        )
    return Toolbox(tools.values(), remarks, document.files.others)
