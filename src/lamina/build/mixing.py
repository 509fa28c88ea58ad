"""The stage of ``lamina build --recipe``: what is trained on is a mix, of which the rows that this build wrote may be
a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from lamina.build.inputs import fingerprint_of
from lamina.data.recipe import SYNTHESIS, read_recipe
from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.tools import Toolbox
from lamina.trajectories import Message, Reject, Trajectory, TrajectoryStore, write_trajectories

JSON = dict[str, Any]
STAGE = "mix"
LOOKED_AT = 100
"""Records of each source that are looked at before any work."""


def recipe_identity(file: Path | None) -> JSON:
    """What of a recipe makes two builds the same one. A build without one says nothing of it."""
    return {"recipe": fingerprint_of(file)} if file else {}


def check_recipe(file: Path | None, toolbox: Toolbox, style: str, progress: Progress) -> None:
    """Raises InputError for a recipe that cannot be read, sources that are not there, and tools that a ``baked`` model
    would learn to call unseen."""
    from lamina.data.sources import files_of, records_of

    if file is None:
        return
    recipe = read_recipe(file)
    own = [source for source in recipe.source if source.path == SYNTHESIS]
    if not own:
        progress.say(
            f'{file} has no source with path = "{SYNTHESIS}": the rows written here are scored, not trained on'
        )
    for path in [*(source.path for source in recipe.source if source not in own), *recipe.held_out]:
        files_of([path])
    for source in recipe.source:
        if source not in own:
            _check_tools(islice(records_of(files_of([source.path]), source.format), LOOKED_AT), toolbox, style, file)


def mix_rows(run: Run, file: Path, toolbox: Toolbox, style: str, scored: Mapping[str, str], progress: Progress) -> JSON:
    """Mixes into RUN/mix, with copies of ``scored`` requests kept out; returns what ``lamina data mix`` does. Raises
    InputError as ``check_recipe``, and where nothing is left to train on."""
    from lamina.data.mixing import mix

    recipe = read_recipe(file)
    work = run.folder / "work"
    work.mkdir(exist_ok=True)
    own, held_out = work / "synthesis.jsonl", work / "held-out.jsonl"
    write_trajectories(own, TrajectoryStore(run.store).trajectories("train"))
    asked = {where: Message(role="user", content=request) for request, where in scored.items()}
    write_trajectories(held_out, (Trajectory(id=where, messages=[one]) for where, one in asked.items()))
    config = {"recipe": recipe.model_dump(exclude_none=True)}
    with Run.open(run.folder / STAGE, config, fresh=True) as inner:  # a mix that was cut off is soon made anew
        for source in recipe.source:
            source.path = str(own) if source.path == SYNTHESIS else source.path
        recipe.held_out = [*recipe.held_out, *([str(held_out)] if asked else [])]
        result = mix(recipe, inner, progress)
        _check_tools(TrajectoryStore(inner.store).trajectories(), toolbox, style, file)
    if not result["split"].get("train"):
        raise InputError("leaves nothing to train on", file=file, mend=f"see {run.folder / STAGE / 'rejects.jsonl'}")
    return result


def training_rows(run: Run, side: str) -> list[Trajectory]:
    """What is trained on (``train``), or watched while it is (``validation``): the mix where there is one, and the
    validation rows of this build, which no mix holds."""
    own, mixed = list(TrajectoryStore(run.store).trajectories(side)), run.is_done(STAGE)
    if not mixed:
        return own
    with Run.at(run.folder / STAGE) as inner:
        rows = list(TrajectoryStore(inner.store).trajectories(side))
    return rows if side == "train" else [*own, *rows]


def _check_tools(records: Iterable[Trajectory | Reject], toolbox: Toolbox, style: str, file: Path) -> None:
    if style != "baked":
        return
    for one in records:
        names = [] if isinstance(one, Reject) else [t.get("function", t).get("name") for t in one.tools]
        if strange := next((name for name in names if name not in toolbox.names), None):
            raise InputError(
                f"{one.id} brings the tool {strange!r}, and a baked model has only its own, learnt by heart",
                file=file,
                mend="give --style full or compact, or leave that source out",
            )
