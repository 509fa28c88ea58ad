"""Several toolboxes as one, whose names stay distinct."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from lamina.tools.naming import identifier, unique
from lamina.tools.tool import Remark, Tool, Toolbox


def combined(
    boxes: Iterable[tuple[str, Toolbox]], *, categories: bool = False, remarks: Iterable[Remark] = ()
) -> Toolbox:
    """``boxes`` are (label, toolbox). A name that is taken gets its label before it, and a remark says so; the
    same target is one tool. With ``categories`` a tool that has none gets its label."""
    tools: dict[str, Tool] = {}
    said, files = list(remarks), set()
    for label, box in boxes:
        said += box.remarks
        files |= {*box.files}
        for tool in box:
            before = tools.get(tool.name)
            if before is not None and before.target is not None and before.target == tool.target:
                continue
            name = tool.name
            if before is not None:
                name = unique(identifier(f"{label}_{tool.name}"), tools)
                said.append(
                    Remark(label, "name_clash", f"{tool.name} of {label} is the tool {name}: the name is taken")
                )
            category = tool.category or (label if categories else "")
            tools[name] = dataclasses.replace(tool, name=name, category=category)
    return Toolbox(tools.values(), said, files)
