"""Reader for a folder of Python: a package, or modules side by side. One tool for each public function.

A package whose ``__init__`` lists functions in ``__all__`` has those; any other folder those of all its modules.
Each module is imported in a process of its own; what cannot be imported or described becomes a remark;
one that takes too long to import is an error.
"""

from __future__ import annotations

import ast
from pathlib import Path

from lamina.errors import ImportTooSlowError, ToolDefinitionError
from lamina.tools.combining import combined
from lamina.tools.python_functions import IMPORT_SECONDS, read_each
from lamina.tools.tool import Remark, Toolbox


def claims(path: Path) -> bool:
    return path.is_dir() and any(modules(path))


def modules(folder: Path) -> list[Path]:
    """The public modules below ``folder``, in the order of their paths."""
    return [
        file
        for file in sorted(folder.rglob("*.py"))
        if not any(p.startswith(("_", ".")) for p in file.relative_to(folder).parts[:-1])
        and (file.name == "__init__.py" or not file.name.startswith(("_", ".")))
    ]


def read(path: Path) -> Toolbox:
    """Raises ToolDefinitionError where no function of the folder can be a tool."""
    return read_modules(_modules_with_tools(path), path)


def read_installed(path: Path, name: str) -> Toolbox:
    """The tools of the installed module or package ``name``, which is at ``path``. Raises as ``read``."""
    mend = "write a file with functions of your own that call those you want, with type hints and docstrings"
    return read_modules([path] if path.is_file() else _modules_with_tools(path), name, mend)


def _modules_with_tools(folder: Path) -> list[Path]:
    init = folder / "__init__.py"
    return [init] if init.exists() and _lists_all(init) else modules(folder)


def read_modules(
    files: list[Path],
    whole: Path | str,
    mend: str = "give functions type hints and docstrings",
    *,
    import_seconds: float = IMPORT_SECONDS,
) -> Toolbox:
    """The tools of several modules, each with its module as category. Raises ToolDefinitionError where there is none,
    with ``mend``, and ImportTooSlowError where a module was still importing after ``import_seconds``: the same command
    must not give other tools on a busy machine."""
    boxes, remarks = [], []
    seen: set[tuple[str, str]] = set()
    for file in files:
        try:
            found = read_each(file, import_seconds=import_seconds)
        except ImportTooSlowError:
            raise
        except ToolDefinitionError as error:
            if len(files) == 1:
                raise
            remarks.append(Remark(str(file), "unreadable", str(error).removeprefix(f"{file}: "), dropped=True))
            continue
        remarks += found.remarks
        own = []
        for tool, module in found.tools:
            if (module, tool.name) not in seen:  # a function that another module hands on
                seen.add((module, tool.name))
                own.append(tool)
        label = file.parent.name if file.name == "__init__.py" else file.stem
        boxes.append((label, Toolbox(own, files=[file, *found.files])))
    toolbox = combined(boxes, categories=True, remarks=remarks)
    if not len(toolbox):
        first = f"; the first reason: {remarks[0].where}: {remarks[0].detail}" if remarks else ""
        many = f"none of its {len(files)} modules has a usable function"
        what = "it has no usable function" if len(files) == 1 else many
        raise ToolDefinitionError(what + first, file=whole, mend=mend)
    return toolbox


def _lists_all(init: Path) -> bool:
    try:
        tree = ast.parse(init.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return False
    names = [t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
    return "__all__" in names
