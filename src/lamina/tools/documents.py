"""JSON and YAML files that somebody else wrote, loaded within bounds."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from lamina.errors import MissingExtraError, ToolDefinitionError

SUFFIXES = (".json", ".yaml", ".yml")
LINES = ".jsonl"
HALF = re.compile(rb"\\u[dD][89a-fA-F]")
MOST_BYTES = 64 << 20
MOST_NODES = 2_000_000  # after aliases are followed: a bomb of nine lines has 10**9
MOST_DEPTH = 200


def load_document(path: Path) -> Any:
    """What the file holds, as JSON data. YAML is read by its JSON schema (YAML 1.2): ``no`` and ``2020-01-01``
    are strings, keys are strings.

    Raises ToolDefinitionError for what is no JSON or YAML, too large, too deep, or made of aliases that
    multiply. The result is shared between callers: don't change it.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise ToolDefinitionError(f"cannot be read ({error.strerror})", file=path, mend="check the file") from None
    if stat.st_size > MOST_BYTES:
        what = f"has {stat.st_size >> 20} MB, more than the {MOST_BYTES >> 20} MB that are read"
        raise ToolDefinitionError(what, file=path, mend="split it")
    return _load(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)  # several readers ask what is in a file before one of them reads it
def _load(path: Path, _changed: int, _size: int) -> Any:
    try:
        data = path.read_bytes()
        if path.suffix not in (".json", LINES):
            return _yaml(data, path)
        found = _json_lines(data) if path.suffix == LINES else _json(data)
        _refuse_deep_values(found, path)
        return _whole(found) if HALF.search(data) else found
    except json.JSONDecodeError as error:
        what = f"this is not JSON ({error.msg})"
        raise ToolDefinitionError(what, file=path, line=error.lineno, mend="mend it") from None
    except OSError as error:
        raise ToolDefinitionError(f"cannot be read ({error.strerror})", file=path, mend="check the file") from None
    except (ValueError, RecursionError, MemoryError) as error:
        said = " ".join(str(error).split())[:200]
        raise ToolDefinitionError(f"cannot be read ({said})", file=path, mend="check the file") from None


def _refuse_deep_values(root: Any, path: Path) -> None:
    """JSON's own reader takes what is nested deeper than those who walk through it afterwards can follow."""
    level = [root] if isinstance(root, dict | list) else []
    for _ in range(MOST_DEPTH):
        parts = (part for node in level for part in (node.values() if isinstance(node, dict) else node))
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return
    raise ToolDefinitionError(f"is nested more than {MOST_DEPTH} deep", file=path, mend="flatten it")


def _json(data: bytes) -> Any:
    """Also of a file that has a value on each line, though its name does not say so, as BFCL's have."""
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        try:
            return _json_lines(data)
        except json.JSONDecodeError:
            raise error from None


def _json_lines(data: bytes) -> list[Any]:
    """Raises JSONDecodeError with the number of the line in the file."""
    found = []
    for number, line in enumerate(data.decode("utf-8-sig").split("\n")):
        try:
            found += [json.loads(line)] if line.strip() else []
        except json.JSONDecodeError as error:
            raise json.JSONDecodeError(error.msg, "\n" * number + line, number + error.pos) from None
    return found


def _whole(value: Any) -> Any:
    """With ``?`` for half of a surrogate pair (a picture that somebody cut in two), which is no text: it can be neither
    printed nor stored."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_whole(name): _whole(part) for name, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list) else value


def _yaml(data: bytes, path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("pyyaml", "apis") from None

    try:
        _refuse_depth(data, path)
        loader = _loader()(data)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _refuse_bombs(node, path)
            return loader.construct_document(node)
        except (KeyError, IndexError) as error:  # PyYAML's own, for a value that its tag does not allow
            what = f"this is not YAML (a value does not fit its tag: {error})"
            raise ToolDefinitionError(what, file=path, mend="mend it") from None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark else None
        raise ToolDefinitionError(f"this is not YAML ({said})", file=path, line=line, mend="mend it") from None


def _refuse_depth(data: bytes, path: Path) -> None:
    """Count how deep the values are nested before anything is built of them: libyaml builds nodes by calling itself,
    and ten thousands of brackets would end the process. Events come one by one."""
    import yaml

    depth = 0
    for event in yaml.parse(data, Loader=_loader()):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                _refuse_deep(event, path)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _refuse_deep(found: Any, path: Path) -> NoReturn:
    line = found.start_mark.line + 1
    raise ToolDefinitionError(f"is nested more than {MOST_DEPTH} deep", file=path, line=line, mend="flatten it")


def _refuse_bombs(root: Any, path: Path) -> None:
    """Count the nodes with aliases followed, each alias as often as it stands there, without following it."""
    sizes: dict[int, int] = {}
    depths: dict[int, int] = {}
    open_nodes: set[int] = set()
    stack = [(root, False)]
    while stack:
        node, seen = stack.pop()
        below = _children(node)
        if seen:
            open_nodes.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(b)] for b in below)
            depths[id(node)] = 1 + max((depths[id(b)] for b in below), default=0)
            if sizes[id(node)] > MOST_NODES:
                what = f"its aliases unfold to more than {MOST_NODES:,} values"
                line = node.start_mark.line + 1
                raise ToolDefinitionError(what, file=path, line=line, mend="write it without aliases")
            if depths[id(node)] > MOST_DEPTH:
                _refuse_deep(node, path)
        elif id(node) in open_nodes:
            line = node.start_mark.line + 1
            raise ToolDefinitionError("an alias holds itself", file=path, line=line, mend="use $ref for cycles")
        elif id(node) not in sizes:
            open_nodes.add(id(node))
            stack.append((node, True))
            stack.extend((b, False) for b in below)


def _children(node: Any) -> list[Any]:
    if node.id == "mapping":
        return [part for pair in node.value for part in pair]
    return list(node.value) if node.id == "sequence" else []


@lru_cache(maxsize=1)
def _loader() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 -- PyYAML's own way

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            return {k if isinstance(k, str) else _key(k): v for k, v in super().construct_mapping(node, deep).items()}

    resolvers = {
        "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        "int": (r"[-+]?[0-9]+", list("-+0123456789")),
        "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+0123456789.")),
        "merge": (r"<<", ["<"]),
    }
    for tag, (pattern, first) in resolvers.items():
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), first)
    Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))
    for tag in ("timestamp", "binary"):  # asked for by name: text all the same
        Loader.add_constructor(f"tag:yaml.org,2002:{tag}", lambda loader, node: str(loader.construct_scalar(node)))
    Loader.add_constructor("tag:yaml.org,2002:set", Loader.construct_yaml_map)
    return Loader


def _key(key: Any) -> str:
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    return str(key)
