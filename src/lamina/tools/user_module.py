"""Import a user's Python file by its path, the same way where it is described and where it is run."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

_own_path = list(sys.path)  # as it was before any folder of the user's came first


def load_module(file: str | Path) -> ModuleType:
    """Import ``file`` under its own name; no ``.pyc`` is written. Its folder comes first on ``sys.path``, last where
    the file is called as a module of Python's own. A file in a package is imported as its module, so that relative
    imports work.

    Raises whatever the module raises. Code of the user runs here: call it in a child process only.
    """
    path = Path(file).resolve()
    sys.dont_write_bytecode = True
    if (path.parent / "__init__.py").exists():
        return _load_from_package(path)
    name = path.stem
    if str(path.parent) not in sys.path:
        # A file called email.py must not be what a library finds that wants Python's own.
        sys.path.insert(len(sys.path) if name in sys.stdlib_module_names else 0, str(path.parent))
    if not name.isidentifier() or name in sys.stdlib_module_names or name in sys.modules:
        name = f"lamina_user_{''.join(c if c.isalnum() else '_' for c in name)}_{len(sys.modules)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look their module up while it is being made
    spec.loader.exec_module(module)
    return module


def _load_from_package(path: Path) -> ModuleType:
    root = path.parent
    while (root.parent / "__init__.py").exists():
        root = root.parent
    if str(root.parent) not in sys.path:
        sys.path.insert(0, str(root.parent))
    parts = path.relative_to(root.parent).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    module = importlib.import_module(name)
    if Path(module.__file__ or "").resolve() != path:
        raise ImportError(f"{name} is another module ({module.__file__}); rename the package {root.name}")
    return module


@contextlib.contextmanager
def library_first() -> Iterator[None]:
    """In here an import finds Python's own module and the installed one before a file of the user's of that name."""
    users_path = list(sys.path)
    sys.path[:] = _own_path + [entry for entry in users_path if entry not in _own_path]
    try:
        yield
    finally:
        sys.path[:] = users_path
