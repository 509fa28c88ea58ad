"""The effective configuration of a run: TOML on disk, a plain dict in memory.

TOML has no null: a key whose value is ``None`` is left out, and absent and ``None`` are the same thing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.runs.files import atomic_file

HEADER = "# The effective configuration of this Lamina run. The same command continues it; --fresh starts anew.\n"

Config = dict[str, Any]

FILES = "files"
"""The table of what was read: a file's name, and a fingerprint of its bytes."""


def plain_config(config: Config) -> Config:
    """``config`` as it will be read back: no ``None``, paths and enumerations as text, tuples as lists.

    Raises InputError for a value that TOML can't hold."""
    import tomllib

    text = _toml(config)
    return tomllib.loads(text)


def write_config(path: Path, config: Config) -> None:
    """Writes atomically. Raises StorageError, and InputError for a value that TOML can't hold."""
    text = HEADER + "\n" + _toml(config)
    with atomic_file(path) as file:
        file.write(text.encode())


def read_config(path: Path) -> Config:
    """Raises InputError with the line where the file is not TOML."""
    import tomllib

    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise InputError(
            f"not valid TOML: {error}", file=path, line=int(line[1]) if line else None, mend="mend that line"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", file=path, mend="save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", file=path) from error


def config_difference(old: Config, new: Config) -> list[str]:
    """One line per key that differs, nested keys with dots: ``synth.rows: 400 -> 500``; of the table ``files`` the
    files that have changed."""
    before, after = _flat(plain_config(old)), _flat(plain_config(new))
    absent = object()
    lines = []
    for key in sorted(before.keys() | after.keys()):
        was, is_now = before.get(key, absent), after.get(key, absent)
        if was != is_now or isinstance(was, bool) != isinstance(is_now, bool):
            if key.startswith(f"{FILES}."):
                how = "was not read before" if was is absent else "is not read now" if is_now is absent else "changed"
                lines.append(f"{key.removeprefix(f'{FILES}.')} {how}")
                continue
            shown = ["(not set)" if v is absent else repr(v) for v in (was, is_now)]
            lines.append(f"{key}: {shown[0]} -> {shown[1]}")
    return lines


def _flat(config: Config, prefix: str = "") -> Config:
    flat: Config = {}
    for key, value in config.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _toml(config: Config) -> str:
    import tomli_w

    return tomli_w.dumps(_without_none(config, ""))


def _without_none(value: Any, where: str) -> Any:
    from datetime import date, time
    from enum import Enum

    if isinstance(value, dict):
        inner = ((str(k), v) for k, v in value.items() if v is not None)
        return {k: _without_none(v, f"{where}.{k}" if where else k) for k, v in inner}
    if isinstance(value, list | tuple):
        return [_without_none(v, where) for v in value if v is not None]
    if isinstance(value, set | frozenset):
        return sorted(_without_none(v, where) for v in value if v is not None)
    if isinstance(value, Enum):
        return _without_none(value.value, where)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str | bool | int | float | date | time):
        return value
    raise InputError(f"configuration key {where} is a {type(value).__name__}, which TOML can't hold")
