"""Action principles (PRAct, arXiv 2410.18528): when and how to use each action, in words. A TOML file that a person can
read, edit and diff; its version follows from its content."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import content_id

ABOUT_FILE = (
    "# Action principles: when and how to use each action. Edit them freely; the version follows from the text.\n"
)
FINISH = "finish"
"""The action that ends an episode of an environment. An agent at work has none, it just stops; what was learnt of it
is no mistake there."""
FINAL, STAGE = "principles.toml", "learning"
"""What a run learnt, in its folder, and the stage that says so with the plain figures."""
KEYS = {"whole", "actions", "provenance"}


@dataclass(frozen=True)
class Principles:
    """``actions``: action -> text. ``whole``: one text for all of them, the baseline that PRAct is compared with.
    ``provenance``: which run, which iteration, which reflections; no part of the version."""

    actions: Mapping[str, str] = field(default_factory=dict)
    whole: str = ""
    provenance: JSON = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {name: plain(text) for name, text in self.actions.items()}
        object.__setattr__(self, "actions", {name: text for name, text in kept.items() if text})
        object.__setattr__(self, "whole", plain(self.whole))

    @property
    def version(self) -> str:
        return content_id(self.whole, dict(self.actions))

    @property
    def edited(self) -> bool:
        """Whether somebody changed the text since it was learnt."""
        learned = self.provenance.get("version")
        return learned is not None and learned != self.version

    def __bool__(self) -> bool:
        return bool(self.whole or self.actions)

    def of(self, action: str) -> str:
        return self.actions.get(action, "")

    def changed(self, texts: Mapping[str, str], whole: str | None = None) -> Principles:
        """With other texts for some actions; where they came from is no longer said."""
        return Principles({**self.actions, **texts}, self.whole if whole is None else whole)

    def from_where(self, **provenance: Any) -> Principles:
        return replace(self, provenance={"version": self.version, **provenance})

    def among(self, toolbox: Toolbox) -> Principles:
        """Those of actions that are there."""
        return Principles({name: text for name, text in self.actions.items() if name in toolbox}, self.whole)

    def in_words(self) -> str:
        """As they stand in a prompt; empty without any."""
        lines = [f"{name}: {' '.join(text.split())}" for name, text in self.actions.items()]
        return "\n".join([*([self.whole] if self.whole else []), *lines])

    def to_toml(self) -> str:
        import tomli_w

        rows: JSON = {"whole": self.whole} if self.whole else {}
        rows |= {"actions": dict(self.actions), "provenance": dict(self.provenance)}
        return ABOUT_FILE + tomli_w.dumps(rows, multiline_strings=True)


def plain(text: str) -> str:
    """One kind of line end, no space at the ends, nothing that a file can't hold."""
    joined = "\n".join(line.rstrip() for line in text.replace("\x00", "").splitlines())
    return joined.encode("utf-8", "replace").decode().strip()


def read_principles(file: Path, toolbox: Toolbox | None = None) -> Principles:
    """Raises InputError, naming the file and the key, for what is no principle, and with a ``toolbox`` for principles
    of actions that are not there (any longer)."""
    mend = 'write [actions] with lines such as search = "Before …"'
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend="--principles wants a file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is no TOML ({error})", file=file, mend=mend) from None
    if unknown := sorted(set(rows) - KEYS):
        raise InputError(f"unknown key {unknown[0]!r}", file=file, mend=f"known: {', '.join(sorted(KEYS))}; {mend}")
    actions, whole, provenance = rows.get("actions", {}), rows.get("whole", ""), rows.get("provenance", {})
    if not isinstance(whole, str) or not isinstance(actions, dict) or not isinstance(provenance, dict):
        raise InputError("whole is a text, actions and provenance are tables", file=file, mend=mend)
    for name, text in actions.items():
        if not isinstance(text, str):
            raise InputError(f"the principle of {name!r} is no text", file=file, mend=mend)
    found = Principles(actions, whole, provenance)
    if toolbox is not None:
        check_actions(found, toolbox, file)
    return found


def check_actions(principles: Principles, toolbox: Toolbox, file: Path | None = None) -> None:
    """Raises InputError for a principle of an action that does not exist."""
    for name in principles.actions:
        if name not in toolbox and name != FINISH:
            near = difflib.get_close_matches(name, toolbox.names, n=1)
            mend = f"it is called {near[0]!r} now?" if near else "remove it"
            raise InputError(f"there is no action {name!r} for its principle", file=file, mend=mend)
