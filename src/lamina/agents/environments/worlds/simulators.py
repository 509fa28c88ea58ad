"""BFCL's simulators (Apache-2.0): somebody else's Python, loaded anew for every episode from the unpacked wheel.

They write to module globals, set the precision of whole threads and import what starts processes. Here each episode
gets modules of its own that nothing else can import, with a short list of what they may import themselves and without
``eval``, ``exec`` and ``open``; what they set on the thread is put back. That keeps episodes apart. It is no sandbox:
the code is the wheel's, and a model's part in it are arguments alone, in bounds, never text that is run."""

from __future__ import annotations

import builtins
import copy
import decimal
import importlib
import json
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from lamina.agents.environments.environment import RefusedCallError
from lamina.errors import InputError
from lamina.tools.tool import JSON

FILES = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TwitterAPI": "posting_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
}
"""Class -> the file that holds it, and of the same name the description of its functions."""
_SHARED = "long_context"
_WITHOUT_STATE = "MathAPI"
_IMPORTED = {"_strptime", "copy", "datetime", "decimal", "math", "mpmath", "random", "typing"}
_EMPTY = {"subprocess"}
"""Imported there and not used: an empty module does."""
_TAKEN_AWAY = ("eval", "exec", "compile", "open", "input", "breakpoint")
LONGEST, LARGEST = 20_000, 10**15
"""Characters of a text, and the size of a number, that an argument may have."""
_BOUNDS = {"precision": 100, "exponent": 1000}
"""More digits than these would be calculated for hours."""
_CALLING = threading.Lock()
"""mpmath has one precision for all threads."""


class Simulators:
    """Fresh instances of ``classes`` with their part of ``scenario``; ``folder`` holds the source files."""

    def __init__(self, folder: Path, classes: list[str], scenario: Mapping[str, JSON], *, long: bool = False) -> None:
        self.instances: dict[str, Any] = {}
        loaded: dict[str, ModuleType] = {}
        for name in classes:
            if name not in FILES:
                raise InputError(f"there is no simulator {name!r}", file=folder, mend=f"known: {', '.join(FILES)}")
            made = getattr(_load(folder, FILES[name], loaded), name)()
            if name != _WITHOUT_STATE:
                made._load_scenario(copy.deepcopy(scenario.get(name, {})), long_context=long)
            self.instances[name] = made

    def call(self, name: str, arguments: JSON) -> str:
        """What the function returns, as the leaderboard writes it. Raises RefusedCallError where it raises."""
        owner = next((i for i in self.instances.values() if not name.startswith("_") and hasattr(i, name)), None)
        if owner is None:
            raise RefusedCallError(f"there is no function {name!r}")
        _check_bounds(arguments)
        with _CALLING, decimal.localcontext(), _precision_kept():
            try:
                found = getattr(owner, name)(**copy.deepcopy(arguments))
            except Exception as error:
                raise RefusedCallError(f"Error during execution: {error}") from None
        if isinstance(found, str):
            return found
        if not isinstance(found, dict):
            return str(found)
        try:
            return json.dumps(found)
        except (TypeError, ValueError):
            return str(found)

    def state(self) -> dict[str, dict[str, Any]]:
        """Public attributes of each instance, to be compared."""
        return {
            name: {key: value for key, value in vars(instance).items() if not key.startswith("_")}
            for name, instance in self.instances.items()
        }


def same_state(one: Simulators, other: Simulators) -> bool:
    return not differing(one, other)


def differing(one: Simulators, other: Simulators) -> list[str]:
    """The classes whose states are not the same. They come from modules of their own, so that objects are compared by
    what they hold."""
    states, others = one.state(), other.state()
    names = sorted(states.keys() | others.keys())
    return [name for name in names if _plain(states.get(name)) != _plain(others.get(name))]


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > 40:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, set):
        return sorted(map(str, value))
    if type(value).__module__.startswith(_PREFIX):
        public = {k: v for k, v in vars(value).items() if not k.startswith("_") and k != "parent"}
        return {"a": type(value).__name__, **_plain(public, depth + 1)}
    return value


def _check_bounds(arguments: Any, name: str = "") -> None:
    if isinstance(arguments, dict):
        for key, value in arguments.items():
            _check_bounds(value, key)
    elif isinstance(arguments, list):
        for value in arguments:
            _check_bounds(value, name)
    elif isinstance(arguments, str) and len(arguments) > LONGEST:
        raise RefusedCallError(f"{name} has more than {LONGEST} characters")
    elif isinstance(arguments, int | float) and abs(arguments) > _BOUNDS.get(name, LARGEST):
        raise RefusedCallError(f"{name} is beyond {_BOUNDS.get(name, LARGEST)}")


class _precision_kept:
    """Puts mpmath's precision back."""

    def __enter__(self) -> None:
        import sys

        self._mpmath = sys.modules.get("mpmath")
        self._digits = self._mpmath.mp.dps if self._mpmath else 0

    def __exit__(self, *_: object) -> None:
        if self._mpmath:
            self._mpmath.mp.dps = self._digits


_PREFIX = "lamina_simulator_"


def _load(folder: Path, name: str, loaded: dict[str, ModuleType]) -> ModuleType:
    """A module that stands in no table of modules; ``loaded`` holds those of this episode."""
    if name not in loaded:
        module = loaded[name] = ModuleType(_PREFIX + name)

        def imported(asked: str, _globals: Any = None, _locals: Any = None, names: Any = (), level: int = 0) -> Any:
            if asked.rpartition(".")[2] == _SHARED:
                return _load(folder, _SHARED, loaded)
            if asked in _EMPTY:
                return ModuleType(asked)
            if asked not in _IMPORTED:
                raise ImportError(f"{name} may not import {asked}")
            return _imported(asked)

        allowed = {key: value for key, value in vars(builtins).items() if key not in _TAKEN_AWAY}
        vars(module)["__builtins__"] = {**allowed, "__import__": imported}
        exec(_compiled(folder / f"{name}.py"), vars(module))
    return loaded[name]


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"BFCL's MathAPI needs {name}", mend="pip install 'lamina[games]'") from None


@lru_cache(maxsize=16)
def _compiled(file: Path) -> CodeType:
    try:
        return compile(file.read_text(encoding="utf-8"), str(file), "exec")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend="get bfcl-eval's wheel anew") from None
    except (SyntaxError, ValueError) as error:
        raise InputError(f"is no Python ({error})", file=file, mend="get bfcl-eval's wheel anew") from None
