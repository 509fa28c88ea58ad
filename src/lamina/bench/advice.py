"""The sentence under a quantization ladder: which file to take, and what the intervals say of it. Nothing else.

From the most precise file down, largest first, each next one has to be SHOWN to lose less than the margin: the upper
end of its paired 95 % interval stays below it. The walk ends at the first that is not shown to. Taken in a fixed order
the tests need no correction for their number (W. Maurer, L. A. Hothorn and W. Lehmacher 1995, fixed sequence)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

JSON = dict[str, Any]
Rung = Mapping[str, Any]
MARGIN = 0.02
"""A loss up to this, two points, is taken as the price of a smaller file (our choice)."""


FEW = 10
"""Of fewer samples the width of an interval is what is possible, and says nothing of how many would tell (our
choice)."""
_LOSS = {"quality": "loss", "safety": "safety_loss"}


def advice_of(rungs: Sequence[Rung], first: str, kinds: Sequence[str]) -> JSON:
    """``{"advice", "take", "margin", "needed"}``: the sentence, the type to take, and how many samples would tell of
    the file that the walk could not pass (None where it passed all, or more samples would not). ``first`` is the type
    that the losses are against, ``kinds`` (quality, safety) what is compared; a rung whose loss in one of them is not
    known is no candidate: it may have lost anything there."""
    reference = next(rung for rung in rungs if rung["type"] == first)
    others = [rung for rung in rungs if rung is not reference and kinds and not _unknown(rung, kinds)]
    left = [_no_candidate(rung, kinds) for rung in rungs if rung is not reference and _unknown(rung, kinds)]
    said: JSON = {"take": None, "margin": MARGIN, "needed": None}
    if not others:
        return said | {"advice": "; ".join(["There is no advice: it takes two files with a figure", *left]) + "."}
    taken, stopped = reference, None
    for rung in sorted(others, key=lambda r: -r["bytes"]):
        if rung["bytes"] >= taken["bytes"]:  # nothing is saved by it
            continue
        if not _shown_close(rung):
            stopped = rung
            break
        taken = rung
    parts = [_taken(taken, reference)]
    if stopped is not None:
        parts.append(_stopped(stopped, reference))
        said["needed"] = _needed(stopped)
        if said["needed"]:
            parts.append(f"about {said['needed']:,} samples would tell")
    return said | {"take": taken["type"], "advice": "; ".join([*parts, *left]) + "."}


def _unknown(rung: Rung, kinds: Sequence[str]) -> list[str]:
    return [kind for kind in kinds if not rung[_LOSS[kind]]]


def _no_candidate(rung: Rung, kinds: Sequence[str]) -> str:
    why = f"its loss in {' and '.join(_unknown(rung, kinds))} is not known"
    return f"{rung['type']} is no candidate: {'it crashed' if rung.get('crashed') else why}"


def _losses(rung: Rung) -> list[tuple[str, JSON]]:
    return [(name, rung[key]) for name, key in (("", "loss"), (" in safety", "safety_loss")) if rung[key]]


def _shown_close(rung: Rung) -> bool:
    losses = _losses(rung)
    return bool(losses) and all(loss["high"] < MARGIN for _, loss in losses)


def _taken(rung: Rung, reference: Rung) -> str:
    if rung is reference:
        return f"Keep {rung['type']}: no smaller file is shown to lose less than {100 * MARGIN:g} points"
    return f"Take {rung['type']}: {_lost(rung, reference)}; {_saved(rung, reference)}"


def _stopped(rung: Rung, reference: Rung) -> str:
    verdict = "that is a loss" if _is_loss(rung) else "too wide to say"
    return f"{rung['type']} is {_lost(rung, reference)}: {verdict}, at {_saved(rung, reference)}"


def _is_loss(rung: Rung) -> bool:
    return any(loss["low"] > 0 for _, loss in _losses(rung))


def _lost(rung: Rung, reference: Rung) -> str:
    """``3.1 points below F16 (interval of the loss 0.4 to 5.8, 400 samples)``."""
    told = []
    for where, loss in _losses(rung):
        points = 100 * abs(loss["value"])
        way = "level with" if points < 0.05 else f"{points:.1f} points {'below' if loss['value'] > 0 else 'above'}"
        bounds = f"{100 * loss['low']:.1f} to {100 * loss['high']:.1f}"
        told.append(f"{way} {reference['type']}{where} (interval of the loss {bounds}, {_samples(loss)})")
    return " and ".join(told)


def _samples(loss: JSON) -> str:
    told = f"{loss['n']:,} sample{'s' if loss['n'] != 1 else ''}"
    told += f", of which it crashed on {loss['crashed']:,}" if loss["crashed"] else ""
    return told + (f", {loss['unscored']:,} more unscored" if loss["unscored"] else "")


def _saved(rung: Rung, reference: Rung) -> str:
    """Size is counted. A difference of speed is claimed where both were timed in two rounds or more, so that their
    intervals know how far rounds lie apart, and the intervals do not meet."""
    size = f"{rung['bytes'] / reference['bytes']:.0%} of the size"
    ours, theirs = rung["otps"], reference["otps"]
    if not ours or not theirs:
        return size
    if min(ours["rounds"], theirs["rounds"]) < 2 or ours["low"] is None or theirs["low"] is None:
        return f"{size}, writing {ours['value']:.0f} against {theirs['value']:.0f} tokens a second in one round"
    if ours["low"] > theirs["high"] or ours["high"] < theirs["low"]:
        return f"{size}, writing {ours['value'] / theirs['value']:.1f} times as fast"
    return f"{size}, no difference in speed that can be told"


def _needed(rung: Rung) -> int | None:
    """Samples that would bring the upper end of every kind to the margin if they differ as these do. None where more of
    them would not, where a loss is shown, and of a few samples."""
    most = 0
    for _, loss in _losses(rung):
        if loss["high"] < MARGIN:
            continue
        if loss["needed"] is None or loss["low"] > 0 or loss["n"] < FEW:
            return None
        most = max(most, loss["needed"])
    if not most:
        return None
    scale: int = 10 ** max(0, len(str(most)) - 2)
    return int(math.ceil(most / scale) * scale)
