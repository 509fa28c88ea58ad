"""The recipe of a mix: a TOML file that names sources, how much of each, what of it, and how it is split."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lamina.errors import InputError
from lamina.models.output_formats import output_formats

GENERAL = "general"
"""``meta.style`` of general instruction data."""
ANY = "any"
SYNTHESIS = "@synthesis"
"""The path that stands for the rows that ``lamina build --recipe`` wrote."""


class Source(BaseModel):
    """``weight``: its part of ``rows``, against the other weights. ``cap``: records taken at most. ``calls``: how many
    calls a record makes (``none`` are refusals and plain talk). ``check``: what ``lamina data check`` asks must pass,
    and what it can mend is mended. ``general``: plain instructions and answers, of which the mix has
    ``general_share``; records with calls are left out of it. ``present``: its records are written as dialogue with
    their calls as text, in this output format, or in one drawn for each with ``any``."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    path: str
    format: str = "auto"
    weight: float = Field(default=1.0, gt=0)
    cap: int | None = Field(default=None, ge=1)
    check: bool = True
    general: bool = False
    calls: Literal["any", "some", "none"] = "any"
    turns: Literal["any", "single", "multi"] = "any"
    most_tools: int | None = Field(default=None, ge=0)
    styles: list[str] = []
    license: str = ""
    present: str = ""


class Recipe(BaseModel):
    """``rows`` wanted in all; without it every source gives all it has. ``held_out``: files of requests that a model
    will be scored on, in any format; copies of them stay out. ``validation`` and ``test`` are shares of the groups.
    ``tokenizer``: a model reference; tokens are counted as its trainer would."""

    model_config = ConfigDict(extra="forbid")
    source: list[Source] = Field(min_length=1)
    rows: int | None = Field(default=None, ge=1)
    seed: int = 0
    dedupe: bool = True
    held_out: list[str] = []
    validation: float = Field(default=0.05, ge=0, lt=1)
    test: float = Field(default=0.0, ge=0, lt=1)
    general_share: float = Field(default=0.0, ge=0, lt=1)
    tokenizer: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> Recipe:
        names = [source.name for source in self.source]
        if len(set(names)) < len(names):
            raise ValueError("two sources have one name")
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together leave nothing to train on")
        if self.rows is None and any(source.weight != 1 for source in self.source):
            raise ValueError("weights say parts of rows: give rows, or use cap")
        for source in self.source:
            if source.present not in ("", ANY) and source.present not in output_formats():
                known = ", ".join([ANY, *output_formats()])
                raise ValueError(f"source {source.name}: there is no output format {source.present!r}; use {known}")
        general = [source.general for source in self.source]
        if any(general) != (self.general_share > 0):
            raise ValueError("general_share and a source with general = true go together")
        if all(general):
            raise ValueError("every source is general: leave general_share out")
        return self


def read_recipe(file: Path) -> Recipe:
    """Paths in it are seen from its own folder. Raises InputError, one line, for what is wrong with it."""
    try:
        recipe = Recipe.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend="check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is no TOML ({error})", file=file, mend="mend it") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = f"{where}: {first['msg']}" if where else first["msg"]
        raise InputError(said, file=file, mend="docs/verbs/data-mix.md lists the keys") from None
    folder = file.resolve().parent
    for source in recipe.source:
        source.path = source.path if source.path == SYNTHESIS else str(folder / source.path)
    recipe.held_out = [str(folder / path) for path in recipe.held_out]
    return recipe
