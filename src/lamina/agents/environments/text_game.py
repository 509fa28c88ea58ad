"""text-game: games played by commands, TextWorld's (arXiv 1806.11532) and ALFWorld's (arXiv 2010.03768), through the
package ``textworld``.

Verbs are the actions, so that each can have a principle; ``other`` says anything else. The reward is the share of the
game's points, and 1 for a game that is won. ALFWorld's objects have names such as ``desk_bar__minus_00…``; they are
shown as ``desk 1``, numbered in the order of these names (our choice: its own package numbers them its own way).
"""

from __future__ import annotations

import importlib
import json
import re
import tempfile
import threading
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamina.agents.environments.environment import Task, World, described
from lamina.agents.environments.worlds.folders import find_folder, options_of
from lamina.errors import InputError
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import ToolCall

ABOUT = "games of TextWorld and ALFWorld (needs lamina[games]); reward: share of points (text-game:alfworld)"
DATA = {"textworld": "textworld-games", "alfworld": "alfworld"}
GAMES = (".z8", ".ulx", ".tw-pddl")
WHAT = "string: What the command says after the verb, such as"
VERBS = {
    "go": "'east', 'to desk 1'",
    "take": "'milk from couch', 'cd 1 from desk 1'",
    "put": "'milk on stove', 'cd 1 in/on safe 1'",
    "insert": "'key into box'",
    "drop": "'old key'",
    "open": "'chest drawer'",
    "close": "'safe 1'",
    "unlock": "'wooden door with old key'",
    "lock": "'wooden door with old key'",
    "use": "'desklamp 1'",
    "heat": "'egg 1 with microwave 1'",
    "cool": "'pan 1 with fridge 1'",
    "clean": "'knife 1 with sinkbasin 1'",
    "slice": "'apple 1 with knife 1'",
    "eat": "'apple'",
    "examine": "'antique trunk'",
}
ALONE = ("look", "inventory")
OTHER = "other"
_RAW = re.compile(r"\b\w+_bar_\w+\b")
_TASK = re.compile(r"Your task is to: ([^\"\\]+)")
_STARTING = threading.Lock()
"""The parsers of textworld are not made for several threads."""


class TextGame(World):
    """``games``: file of each task. Files that come out of an archive lie in a folder that ``close`` removes."""

    def __init__(self, name: str, games: list[Game], unpacked: Any = None) -> None:
        self.name = name
        self.toolbox = _toolbox()
        self._games = {game.task.id: game for game in games}
        self._unpacked = unpacked
        self._playing: Any = None
        self._words = Words({})
        self._reward = 0.0
        super().__init__([game.task for game in games])

    def copy(self) -> TextGame:
        other = super().copy()
        other._playing = None
        return other

    def reset(self, task: Task) -> str:
        self._end()
        super().reset(task)
        game = self._games[task.id]
        self._words, self._reward = game.words, 0.0
        with _STARTING:
            self._playing, state = _start(game.file)
        return self._words.shown(state.feedback)

    def begin(self, task: Task) -> None:
        """All is done by ``reset``."""

    def __getattr__(self, name: str) -> Any:
        """``on_VERB`` says the verb and what follows it."""
        verb = name.removeprefix("on_")
        if verb == name or (verb not in VERBS and verb not in ALONE):
            raise AttributeError(name)
        return lambda what="": self.on_other(f"{verb} {what}".strip())

    def on_other(self, command: str) -> str:
        said = self._words.raw(" ".join(command.split()))
        state, score, done = self._playing.step(said)
        most = state.max_score or 1
        self._reward = 1.0 if state.won else min(1.0, max(0.0, (score or 0) / most))
        if done or state.won or state.lost:
            self.done = True
            self._end()
        return self._words.shown(state.feedback).strip() or "Nothing happens."

    def reward(self) -> float:
        return self._reward

    def solution(self, task: Task) -> list[ToolCall]:
        """The game's own walkthrough; ALFWorld's is planned by its planner, for seconds."""
        game = self._games[task.id]
        commands = task.data["walkthrough"]
        if commands is None:
            with _STARTING:
                playing, state = _start(game.file, policy_commands=True)
                commands = [game.words.shown(command) for command in state.policy_commands]
                playing.close()
            task.data["walkthrough"] = commands
        return [called(command) for command in commands]

    def close(self) -> None:
        self._end()
        if self._unpacked is not None:
            self._unpacked.cleanup()

    def _end(self) -> None:
        if self._playing is not None:
            self._playing.close()
            self._playing = None


class Words:
    """The names of a game's objects, as they are and as they are shown."""

    def __init__(self, shown: dict[str, str]) -> None:
        self._shown = shown
        self._raw = {name: raw for raw, name in shown.items()}
        names = sorted(self._raw, key=len, reverse=True)
        self._said = re.compile(rf"\b({'|'.join(map(re.escape, names))})(?!\w)", re.I) if names else None

    def shown(self, text: str) -> str:
        return _RAW.sub(lambda m: self._shown.get(m[0].lower(), m[0]), text)

    def raw(self, text: str) -> str:
        return self._said.sub(lambda m: self._raw[m[0].lower()], text) if self._said else text


def words_of(objects: list[str]) -> Words:
    """``Desk_bar__minus_…`` is ``desk 1``; ``Sink_bar_…_bar_SinkBasin`` is ``sinkbasin 1``."""
    shown: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for raw in sorted({name.lower() for name in objects}):
        parts = raw.split("_bar_")
        kind = parts[-1] if parts[-1].isalpha() else parts[0]
        numbers[kind] = numbers.get(kind, 0) + 1
        shown[raw] = f"{kind} {numbers[kind]}"
    return Words(shown)


@dataclass(frozen=True)
class Game:
    task: Task
    file: Path
    words: Words = field(default_factory=lambda: Words({}))


def called(command: str) -> ToolCall:
    """A command as a call."""
    verb, _, rest = command.partition(" ")
    if verb in ALONE and not rest:
        return ToolCall.of(verb, {})
    return ToolCall.of(verb, {"what": rest}) if verb in VERBS and rest else ToolCall.of(OTHER, {"command": command})


def _toolbox() -> Toolbox:
    verbs = [described(verb, f"The command '{verb} …'.", what=f"{WHAT} {such}.") for verb, such in VERBS.items()]
    alone = [described(verb, f"The command '{verb}'.") for verb in ALONE]
    return Toolbox([*verbs, *alone, described(OTHER, "Any other command.", command="string: The whole command.")])


def _start(file: Path, **more: bool) -> tuple[Any, Any]:
    """A started game and its first state."""
    textworld = _textworld()
    playing = textworld.start(str(file), textworld.EnvInfos(won=True, lost=True, max_score=True, **more))
    return playing, playing.reset()


def _textworld() -> Any:
    try:
        return importlib.import_module("textworld")
    except ImportError as error:
        mend = "pip install 'lamina[games]' (it builds from source: a C compiler and cmake are needed)"
        raise InputError(f"text games need the package textworld ({error})", mend=mend) from None


def _game(file: Path, folder: Path) -> Game:
    """What is asked and how it is solved is read beside the game or in it; the game is not started."""
    place = file.relative_to(folder).with_suffix("")
    try:
        if file.suffix == ".tw-pddl":
            rows = json.loads(file.read_text(encoding="utf-8"))
            asked = _TASK.search(rows["grammar"])
            words = words_of(_RAW.findall(rows["pddl_problem"].partition("(:init")[0]))
            request = f"Your task is to: {asked[1]}" if asked else str(place)
            kind = place.parts[-3].split("-")[0] if len(place.parts) > 2 else "alfworld"
            data: JSON = {"walkthrough": rows.get("walkthrough")}
            return Game(Task(str(place.parent), request, data, kind), file, words)
        rows = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        data = {"walkthrough": rows["metadata"]["walkthrough"]}
        return Game(Task(str(place), rows["objective"], data, "textworld"), file)
    except OSError as error:
        mend = "a game made by tw-make has a file of the same name that ends in .json beside it"
        raise InputError(f"cannot be read ({error.strerror})", file=error.filename, mend=mend) from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"is no game that textworld made ({error!r})", file=file, mend="make it with tw-make"
        ) from None


def _unpack(archives: list[Path]) -> Any:
    """A temporary folder with the games of archives; paths in them that lead elsewhere are left out by zipfile."""
    folder = tempfile.TemporaryDirectory(prefix="lamina-games-")
    for archive in archives:
        try:
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder.name, [n for n in opened.namelist() if n.endswith(GAMES)])
        except (OSError, zipfile.BadZipFile) as error:
            folder.cleanup()
            raise InputError(f"cannot be unpacked ({error})", file=archive, mend="get it anew") from None
    return folder


def open_environment(argument: str) -> TextGame:
    """``[textworld|alfworld][,data=FOLDER][,kind=GROUP]``; a folder holds games, or archives of them."""
    options = options_of(argument, first="games", known=("data", "kind"))
    name = options.get("games", "textworld")
    if name not in DATA:
        raise InputError(f"text-game has no games {name!r}", mend=f"known: {', '.join(DATA)}")
    _textworld()
    folder = find_folder(DATA[name], options.get("data"))
    unpacked = None
    if archives := sorted(folder.glob("*.zip")):
        unpacked = _unpack(archives)
        folder = Path(unpacked.name)
    games = [_game(file, folder) for file in sorted(folder.rglob("*")) if file.suffix in GAMES]
    kinds = sorted({game.task.group for game in games})
    if (kind := options.get("kind")) is not None:
        games = [game for game in games if game.task.group == kind]
    if not games:
        raise InputError("holds no such game", file=folder, mend=f"kinds: {', '.join(kinds) or 'none'}")
    return TextGame(f"text-game:{name}", games, unpacked)
