"""Everyday values by kind, of ``material/values.toml``, and the kind that an argument wants."""

from __future__ import annotations

import random
import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any


def kind_of(path: str, schema: dict[str, Any]) -> str:
    """The kind of everyday value an argument wants, from its name, then its description."""
    return _kind_of(path, str(schema.get("description", "")).lower())


@lru_cache(maxsize=4096)
def _kind_of(path: str, text: str) -> str:
    name = re.split(r"[._]", path.replace("[]", "").rsplit(".", 1)[-1].lower())
    best, best_score = "word", 0.0
    for kind, entry in kinds().items():
        score = sum(3.0 for cue in entry["cues"] if cue in name)
        score += sum(1.0 for cue in entry["cues"] if re.search(rf"\b{re.escape(cue)}\b", text))
        if kind == "word":
            score /= 4  # its cues ("name", "word") are part of many descriptions
        if score > best_score:
            best, best_score = kind, score
    return best


def everyday_value(kind: str, rng: random.Random) -> str:
    """A value of ``material/values.toml``, or for ``number`` a small round one."""
    if kind == "number":
        return str(rng.choice((*range(2, 13), 15, 20, 25, 50, 100)))
    return str(rng.choice(kinds()[kind]["values"]))


def of_kind(kind: str, rng: random.Random) -> str:
    """As ``everyday_value``, also of kinds made from a form (``+1 303 555 01##``), and people with surnames."""
    if kind == "person" and rng.random() < 0.35:
        return f"{rng.choice(_people())} {rng.choice(kinds()['surname']['values'])}"
    entry = kinds()[kind]
    if "patterns" in entry:
        return _fill(rng.choice(entry["patterns"]), rng)
    return str(rng.choice(entry["values"]))


@lru_cache(maxsize=1)
def single_words() -> tuple[str, ...]:
    """In small letters, fit for a host's name."""
    return tuple(value for value in kinds()["word"]["values"] if re.fullmatch("[a-z]+", value))


@lru_cache(maxsize=1)
def kinds() -> dict[str, dict[str, Any]]:
    text = files("lamina.synth").joinpath("material", "values.toml").read_text("utf-8")
    found: dict[str, dict[str, Any]] = tomllib.loads(text)["kinds"]
    return found


def _people() -> list[str]:
    return [v for v in kinds()["person"]["values"] if " " not in v and v[0].isupper()]


def _fill(pattern: str, rng: random.Random) -> str:
    first, last = rng.choice(_people()).lower(), rng.choice(kinds()["surname"]["values"]).lower()
    text = pattern.replace("{first}", first).replace("{last}", last)
    return "".join(str(rng.randint(0, 9)) if c == "#" else c for c in text)
