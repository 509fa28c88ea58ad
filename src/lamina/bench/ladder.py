"""The quantization ladder: the files of one model, most precise first, and what each costs and saves.

Every file answered the same prompts, so the loss against the first is a paired difference, far narrower than two rates
apart. Over several tasks quality is the mean of the tasks, and its interval the tasks' own put together (MOVER: G. Y.
Zou and A. Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27 (2008) 1693)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamina.bench.advice import MARGIN, advice_of
from lamina.bench.chance import asks_one_thing, constant_answer
from lamina.bench.crashes import is_of_a_sample
from lamina.bench.intervals import Interval
from lamina.bench.losses import loss_of, mean_of, records_of, score_of, unscored_in
from lamina.bench.pairs import Named
from lamina.bench.tasks import Task
from lamina.tools.tool import JSON

SAFETY = frozenset(
    {
        "advglue", "adversarial_instruction", "bbq", "confaide", "do_not_answer", "privacy", "social_chemistry",
        "truthfulqa", "trustllm", "xstest",
    }
)  # fmt: skip
"""Tasks whose figure counts as trust and safety (MobileAIBench's grouping and its kin); every other is quality."""
NO_LOSS = {"adversarial_instruction": "a model that says one thing to everything is wholly consistent"}
"""Tasks whose figure is no measure of how good a file is, and why."""
FLOOR = MARGIN
"""A task on which the most precise file has less than the margin of the advice cannot show a loss of that size: in a
mean it would make every file look close. Nor can one on which it is not shown to do better than one answer given to
everything (``chance``)."""


def is_safety(task: str) -> bool:
    return task.partition(":")[0] in SAFETY


def ladder_of(models: Sequence[Named], tasks: Sequence[Task], benched: JSON, made: JSON) -> JSON:
    """``{"title", "source", "reference", "rungs", "tasks", "left_out" (tasks in no mean, and why), "unable" (kinds of
    which no task can show a loss, and why), "take", "advice", "margin", "needed"}``. ``models`` are the files, of the
    precisions named in ``made`` (``rungs.make_rungs``); ``benched`` has their ``resources`` and ``crashes``. A rung has
    its file, ``quality`` and ``safety`` (value, low, high, n; None without such tasks or where it crashed: the samples
    it got through are the easy ones), ``loss`` and ``safety_loss`` against the reference, the most precise file that
    did not crash (``loss_of``), how many samples it crashed on and how many are unscored, speed, memory, and whether it
    is on the ``frontier``. A single sample on which it crashed counts as lost where the reference answered."""
    files = sorted(made["files"], key=lambda file: -file["bits_per_weight"])
    crashed = {c["precision"] for c in benched["crashes"] if is_the_models(c)}
    by_type = {m.precision: Named(m.name, m.label, m.precision, {}) if m.precision in crashed else m for m in models}
    first = next((file["type"] for file in files if file["type"] not in crashed), files[0]["type"])
    kinds, left_out = _taken(by_type[first], tasks)
    unable = {kind: why for kind, these in kinds.items() if (why := _nothing_shown(by_type[first], these))}
    resources = {r["precision"]: r for r in benched["resources"]}
    rungs = []
    for file in files:
        model, same = by_type[file["type"]], file["type"] == first
        rung: JSON = {"type": file["type"], "model": model.name, "crashed": file["type"] in crashed}
        rung |= {key: file.get(key) for key in ("path", "bytes", "bits_per_weight", "fallbacks")}
        rung["crashed_samples"] = sum(
            is_of_a_sample(crash) and crash["precision"] == file["type"] for crash in benched["crashes"]
        )
        rung["unscored_samples"] = unscored_in(model, tasks)
        for kind, loss in (("quality", "loss"), ("safety", "safety_loss")):
            rung[kind] = mean_of([score_of(model, task, None if same else by_type[first]) for task in kinds[kind]])
            rung[loss] = None if same else loss_of(by_type[first], model, kinds[kind], MARGIN)
        rungs.append(rung | speeds_of(resources.get(file["type"], {})))
    for rung, on in zip(rungs, frontier(rungs), strict=True):
        rung["frontier"] = on
    named = {kind: [task.name for task in these] for kind, these in kinds.items()}
    title = _titled(made["title"], files, first)
    about = {"title": title, "source": made["source"], "reference": first, "tasks": named}
    if "quality" in unable or (unable and not kinds["quality"]):
        says = f"There is no advice: {unable.get('quality') or unable['safety']}."
        advice: JSON = {"advice": says, "take": None, "margin": MARGIN, "needed": None}
    else:
        compared = [kind for kind, these in kinds.items() if these and kind not in unable]
        known = [rung | {"safety_loss": None} if "safety" in unable else rung for rung in rungs]
        advice = advice_of(known, first, compared)
    return about | {"left_out": left_out, "unable": unable, "rungs": rungs} | advice


def _titled(title: str, files: Sequence[JSON], first: str) -> str:
    """Says it where the most precise file is not what the others are measured against."""
    before = [file["type"] for file in files[: [file["type"] for file in files].index(first)]]
    return f"{title}, measured against {first}, because {' and '.join(before)} crashed" if before else title


def is_the_models(crash: JSON) -> bool:
    """Not of a sample, and not where all had been answered when it came: in timing, or in the judge."""
    later = crash["stage"] == "timing" or crash["stage"].startswith("judge")
    return not later and not is_of_a_sample(crash)


def _taken(reference: Named, tasks: Sequence[Task]) -> tuple[dict[str, list[Task]], dict[str, str]]:
    """The tasks whose mean is taken, by kind, and why the others are left out. Where no task of a kind can show a loss
    all stay, to be looked at."""
    measures = [task for task in tasks if task.name not in NO_LOSS]
    left_out = {task.name: NO_LOSS[task.name] for task in tasks if task.name in NO_LOSS}
    kinds = {"quality": [t for t in measures if not is_safety(t.name)],
             "safety": [t for t in measures if is_safety(t.name)]}  # fmt: skip
    for kind, these in kinds.items():
        cannot = {task.name: why for task in these if (why := cannot_show(reference, task))}
        if len(cannot) < len(these):
            left_out |= cannot
            kinds[kind] = [task for task in these if task.name not in cannot]
    return kinds, left_out


def _nothing_shown(reference: Named, tasks: Sequence[Task]) -> str | None:
    """Why none of the tasks can show a loss; None where one can, and without tasks."""
    whys = [cannot_show(reference, task) for task in tasks]
    if not whys or None in whys:
        return None
    if all(_is_at_the_floor(score_of(reference, task)) for task in tasks):
        return f"{reference.precision} itself has under {100 * FLOOR:g} points, so that no file can lose much"
    one_sided = [f"{task.name} {why}" for task in tasks if (why := _asks_one_thing(reference, task))]
    names = ", ".join(task.name for task in tasks if not _asks_one_thing(reference, task))
    unable = [f"{reference.precision} itself is not shown to be able to do any of {names}"] if names else []
    return "; ".join([*unable, *one_sided])


def cannot_show(reference: Named, task: Task) -> str | None:
    if one_sided := _asks_one_thing(reference, task):
        return f"it {one_sided}"
    score = score_of(reference, task)
    if score is None:
        return None
    if _is_at_the_floor(score):
        return f"{reference.precision} itself has under {100 * FLOOR:g} points on it, so that no file can lose much"
    constant = constant_answer(_rows(reference, task))
    if constant is None or score.low > constant:
        return None
    own, other = f"{100 * score.value:.0f}", f"{100 * constant:.0f}"
    return (
        f"{reference.precision}'s {own} % is not shown to be more than one answer to everything would have "
        f"({other} %), so that a difference may be one of habit"
    )


def _asks_one_thing(reference: Named, task: Task) -> str | None:
    return asks_one_thing(_rows(reference, task))


def _rows(reference: Named, task: Task) -> list[JSON]:
    return [record["row"] for record in records_of(reference, task).values() if "row" in record]


def _is_at_the_floor(score: Interval | None) -> bool:
    return score is not None and score.value < FLOOR


def frontier(rungs: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Which have no other that is at least as good, as safe, as small and as fast, and better in one of these, by the
    measured values. What is not known of both does not count; one without quality and safety is not on it."""

    def beats(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        ours, theirs = _worths(one), _worths(other)
        known = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
        return all(a >= b for a, b in known) and any(a > b for a, b in known)

    scored = [rung for rung in rungs if rung["quality"] or rung["safety"]]
    return [rung in scored and not any(beats(other, rung) for other in scored if other is not rung) for rung in rungs]


def _worths(rung: Mapping[str, Any]) -> tuple[float | None, ...]:
    """More is better."""
    known = [found["value"] if found else None for found in (rung["quality"], rung["safety"], rung["otps"])]
    return *known, None if rung["bytes"] is None else -rung["bytes"]


def speeds_of(resource: Mapping[str, Any]) -> JSON:
    """``otps``, ``itps``, ``ttft_seconds`` with interval from the rounds, else the pass in use without one."""
    timing = (resource.get("timing") or {}).get("all") or {}
    in_use = {"otps": "tokens_per_second", "itps": "prompt_tokens_per_second", "ttft_seconds": "first_token_seconds"}
    found: JSON = {}
    for name, key in in_use.items():
        measured, plain = timing.get(name), resource.get(key)
        if measured is not None:
            found[name] = {"value": measured["mean"], **{key: measured[key] for key in ("low", "high", "rounds")}}
        else:
            found[name] = None if plain is None else {"value": plain, "low": None, "high": None, "rounds": 0}
    return found | {key: resource.get(key) for key in ("peak_rss_bytes", "steady_rss_bytes", "load_seconds")}
