"""Recipes: how a known model is trained, one TOML file each. ``lamina train --recipe NAME``, or a file of your own.

Keys: ``title``, ``base`` (a model reference), ``context`` (tokens the base reads at most), ``hardware``, ``peak_gib``
and ``peak_is`` (``computed`` by ``memory`` for rows of ``max_length`` tokens, a quarter of them learnt, in float32
where precision is ``auto``, or ``measured``), ``machine`` (``device``, ``sharding``, ``processes``: the hardware in
words that can be computed with), ``main_gib`` and ``main_is`` (the main memory of that machine, of all processes
together, without the rows of a data set), ``says`` (what the paper says and what is our choice), ``architecture`` (the
base's configuration, from which all is computed without fetching it), and a table of settings for each method.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.tools.tool import JSON
from lamina.training.settings import TrainSettings

METHODS = ("sft", "dpo")
_KEYS = ("title", "base", "context", "hardware", "peak_gib", "peak_is", "says", "architecture")
_MAIN = ("machine", "main_gib", "main_is")
"""A file of one's own may leave these out."""
_SETTINGS = {setting.name for setting in fields(TrainSettings)} - {"method"}


@dataclass(frozen=True)
class Recipe:
    name: str
    title: str
    base: str
    context: int
    hardware: str
    peak_gib: dict[str, float]
    peak_is: str
    says: dict[str, list[str]]
    architecture: JSON
    methods: dict[str, JSON]
    machine: JSON = field(default_factory=dict)
    main_gib: dict[str, float] = field(default_factory=dict)
    main_is: str = ""

    def settings(self, method: str = "sft", **instead: Any) -> TrainSettings:
        """With what is given ``instead`` of the recipe's own. Raises InputError for a method it does not have."""
        if method not in self.methods:
            raise InputError(
                f"the recipe {self.name} has no method {method!r}", mend=f"it has {', '.join(self.methods)}"
            )
        return TrainSettings(**{**self.methods[method], "method": method, **instead})


def recipe_names() -> list[str]:
    found = [file.name for file in files(__name__).iterdir()]
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def load_recipe(name: str) -> Recipe:
    """A packaged recipe by its name, or a file by its path. Raises InputError that lists the names, or says which key
    of a file is wrong."""
    if name.endswith(".toml"):
        file = Path(name)
        try:
            return _recipe(file.stem, file.read_text("utf-8"), file)
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", file=file) from None
    if name not in recipe_names():
        raise InputError(f"there is no recipe {name!r}", mend=f"recipes: {', '.join(recipe_names())}, or a .toml file")
    return _recipe(name, files(__name__).joinpath(f"{name}.toml").read_text("utf-8"), name)


def _recipe(name: str, text: str, file: str | Path) -> Recipe:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML ({error})", file=file) from None
    if missing := [key for key in _KEYS if key not in table]:
        raise InputError(f"lacks {', '.join(missing)}", file=file)
    methods = {method: table[method] for method in METHODS if method in table}
    strange = [key for key in table if key not in (*_KEYS, *_MAIN, *METHODS)]
    strange += [f"{method}.{key}" for method, keys in methods.items() for key in keys if key not in _SETTINGS]
    if strange:
        raise InputError(f"unknown key {strange[0]!r}", file=file, mend=f"settings: {', '.join(sorted(_SETTINGS))}")
    known = {key: table[key] for key in (*_KEYS, *_MAIN) if key in table}
    return Recipe(name, **known, methods=methods)
