"""Models against tasks: one model after the other, and the figures made from what the run's store holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lamina.bench.asked import Ask, BenchModel, BenchSettings, stored
from lamina.bench.asking import answer_all
from lamina.bench.crashes import crash_rows, has_crashed
from lamina.bench.driving import figure_rows
from lamina.bench.identity import size_bytes
from lamina.bench.judging import check_judged, judge_answers
from lamina.bench.keeping import lay_out
from lamina.bench.ladder import ladder_of
from lamina.bench.measuring import Timed, measure_all, prompt_sizes, timed_alike, timing_places
from lamina.bench.pairs import Named, default_pairs, paired_rows
from lamina.bench.planning import Plan, lay_out_run, plan
from lamina.bench.possible import check_possible, form_remarks
from lamina.bench.same_files import share_answers
from lamina.bench.side_by_side import side_by_side
from lamina.bench.tasks import Task, version_of
from lamina.bench.unscored import unscored_rows
from lamina.runs import Progress, Run
from lamina.tools.tool import JSON, Toolbox


def bench_models(
    models: Sequence[BenchModel],
    tasks: Sequence[Task],
    *,
    run: Run,
    toolbox: Toolbox,
    settings: BenchSettings | None = None,
    progress: Progress | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    limit: int | None = None,
    judge: str | None = None,
    made: Sequence[JSON] = (),
    alone: bool = False,
) -> JSON:
    """``{"rows", "paired", "resources", "crashes", "versions" (of the tasks), "left_out" (rows
    that are no samples, by task and reason, where there are some), "unscored" (samples without a score, and why:
    ``unscored``, where there are some), "remarks" (``{"model", "precision",
    "detail"}`` of models that are not asked in a form of their own, where there are some)}``.

    Samples and timings go to ``run.store`` (kinds ``sample``, ``timing``, ``round``, ``resource``) as they are
    answered; what is there already is not asked again. Timing begins when every model has answered. ``pairs`` names
    models (``BenchModel.name``) to compare on the same prompts; left out, every model is compared with the first, and
    each precision with the first of its label. ``made``: the models are the files of quantization ladders, each as
    ``rungs.make_rungs`` describes it, with the ``label`` of its models, or their ``members``
    (``named_ladders``); the result has one as ``ladder``, several as ``ladders``; ``side_by_side`` where a bench that
    is ``alone`` has several models that are not all of one ladder.
    ``limit``: so many samples of each task (``drawn``). ``judge``: the model that reads the answers of tasks that ask
    for one. ``alone``: the run holds nothing but benches; what earlier ones had besides is laid aside (``keeping``).
    A model that crashes gets a row with the metric ``crashed``, the others go on, and the same call tries it again; a
    sample on which it always crashes has a row and a crash of its own, with ``sample``, and is asked again with
    ``settings.retry_crashed`` alone; a task that a model cannot do is a row ``not_possible``. Raises ``InputError``
    where a task's file is at fault, ``ModelReferenceError`` for a model file that is not there, ``StorageError`` where
    the run can't be written, ``UserError`` where a task needs a judge and there is none, or no model can do it.
    """
    settings, progress = settings or BenchSettings(), progress or Progress(silent=True)
    check_judged(tasks, judge)
    check_possible(tasks, [model.ref for model in models])
    planned = plan(models, tasks, toolbox, settings, limit)
    left_out = {task.name: dict(counts) for task in tasks if (counts := getattr(task, "left_out", None))}
    for name, counts in left_out.items():
        progress.say(f"{name}: left out are {', '.join(f'{n} {why}' for why, n in counts.items())}")
    if alone:
        lay_out_run(planned.models, run, toolbox, settings, progress)
    remarks = _remarks(planned, progress)
    found = _answers_of(planned, tasks, judge, run, toolbox, settings, progress)
    remarks += _measure(found, run, toolbox, settings, progress, alone=alone)
    named = [
        Named(m.name, m.label, m.precision, found.answered[m.name], m.family, size_bytes(m.ref) if m.family else None)
        for m in models
    ]
    chosen = pairs if pairs is not None else default_pairs(named)
    result = {
        "rows": found.rows,
        "paired": paired_rows(named, tasks, chosen),
        "resources": found.resources,
        "crashes": found.crashes,
        "versions": {task.name: version_of(task) for task in tasks},
        **({"left_out": left_out} if left_out else {}),
        **({"unscored": found.unscored} if found.unscored else {}),
        **({"remarks": remarks} if remarks else {}),
    }
    ladders = [_ladder(one, named, tasks, result) for one in made]
    if alone and len(named) > 1 and not any(len(ladder["rungs"]) == len(named) for ladder in ladders):
        result["side_by_side"] = side_by_side(named, tasks, result)
    return result | ({"ladders": ladders} if len(ladders) > 1 else {"ladder": ladders[0]} if ladders else {})


def _ladder(made: JSON, named: Sequence[Named], tasks: Sequence[Task], result: JSON) -> JSON:
    """Of the models of one source alone, where its ``label`` or its ``members`` tell them from others."""
    label, members = made.get("label"), made.get("members")

    def is_mine(model: str, precision: str) -> bool:
        return label in (None, model) and (members is None or [model, precision] in members)

    mine = {
        key: [row for row in result[key] if is_mine(row["model"], row["precision"])] for key in ("resources", "crashes")
    }
    return ladder_of([model for model in named if is_mine(model.label, model.precision)], tasks, mine, made)


def _remarks(planned: Plan, progress: Progress) -> list[JSON]:
    found = []
    for model, _, asks in planned.models:
        details = form_remarks(model.ref, [(ask.task, ask.sample) for ask in asks])
        if model.name in planned.twins:
            same = f"is the same model as {planned.twins[model.name]}, byte for byte but for its name and type"
            details = [*details, f"{same}: asked once, the answers are shown for both"]
        for detail in details:
            progress.say(f"{model.name}: {detail}")
            found.append({"model": model.label, "precision": model.precision, "detail": detail})
    return found


OWN_PROMPTS = "is timed on prompts of its own, so that its speed is not to be compared with the others'"
CRASH = ("stage", "detail", "model", "precision", "task", "sample")
"""What is said of a crash; ``task`` and ``sample`` only of one that is a sample's."""


@dataclass
class _Found:
    """What a bench has come to so far. ``answered``: by model the records of ``(task, sample)``; ``timed``: the models
    that answered to the end, and so are timed."""

    rows: list[JSON] = field(default_factory=list)
    resources: list[JSON] = field(default_factory=list)
    crashes: list[JSON] = field(default_factory=list)
    unscored: list[JSON] = field(default_factory=list)
    timed: list[Timed] = field(default_factory=list)
    answered: dict[str, dict[tuple[str, str], JSON]] = field(default_factory=dict)

    def crashed(self, model: BenchModel, crash: JSON, row: JSON) -> None:
        self.crashes.append(crash | {"model": model.label, "precision": model.precision})
        self.rows.append(row)


def _answers_of(
    planned: Plan,
    tasks: Sequence[Task],
    judge: str | None,
    run: Run,
    toolbox: Toolbox,
    settings: BenchSettings,
    progress: Progress,
) -> _Found:
    """Every model's answers, judged, with the rows of their scores."""
    found = _Found()
    asked = {model.name: asks for model, _, asks in planned.models}
    failed: dict[str, JSON | None] = {}
    for model, identity, asks in planned.models:
        first = planned.twins.get(model.name)
        if first is None:
            for twin in (name for name, its in planned.twins.items() if its == model.name):
                share_answers(asked[twin], asks, model, run)  # of an earlier command
            crash = failed[model.name] = answer_all(model, asks, run, toolbox, settings, progress)
        else:
            share_answers(asked[first], asks, model, run)
            crash = failed[first]
        records = {ask.key: record for ask in asks if (record := stored(run, "sample", ask.key))}
        if lost := judge_answers(judge, model, asks, records, run, settings, progress):
            found.crashed(model, lost, _row(model, "all", "judge_crashed", None, len(records)) | lost)
        found.answered[model.name] = {(a.task.name, a.sample.id): records[a.key] for a in asks if a.key in records}
        if crash:
            found.crashed(model, crash, _crash_row(model, crash, len(records)))
        else:
            sound = [ask for ask in asks if not has_crashed(records.get(ask.key))]
            found.timed.append(Timed(model, identity, sound, prompt_sizes(records)))
        for task in tasks:
            problem = planned.impossible.get((model.name, task.name))
            found.rows += _rows_of(model, task, asks, records, problem)
        found.unscored += unscored_rows(records[ask.key] for ask in asks if ask.key in records)
        lost_samples = crash_rows(records[ask.key] for ask in asks if ask.key in records)
        found.rows += lost_samples
        found.crashes += [{key: row[key] for key in CRASH} for row in lost_samples]
    return found


def _measure(
    found: _Found, run: Run, toolbox: Toolbox, settings: BenchSettings, progress: Progress, *, alone: bool
) -> list[JSON]:
    """The models' speed and memory, in turns; the remarks on them."""
    timed, alike = timed_alike(found.timed)
    if alone:
        lay_out(run, "timing", timing_places(timed, run, settings))
    for model, measured in measure_all(timed, run, toolbox, settings, progress):
        if crash := measured.get("crash"):
            found.crashed(model, crash, _crash_row(model, crash, len(found.answered[model.name])))
        else:
            found.resources.append(measured)
            found.rows += _device_rows(model, measured)
    if alike or not settings.timing_samples:
        return []
    progress.say(f"no sample was answered by every model: each {OWN_PROMPTS}")
    return [{"model": t.model.label, "precision": t.model.precision, "detail": OWN_PROMPTS} for t in timed if t.asks]


def _rows_of(
    model: BenchModel, task: Task, asks: Sequence[Ask], records: Mapping[str, JSON], problem: str | None
) -> list[JSON]:
    """``problem``: why the model cannot do the task. No figure where it crashed before the last sample: the samples it
    got through are the easy ones."""
    if problem:
        return [_row(model, task.name, "not_possible", None, 0) | {"detail": problem}]
    mine = [ask for ask in asks if ask.task is task]
    if not mine or any(ask.key not in records for ask in mine):
        return []
    return figure_rows(task, [records[ask.key] for ask in mine], model.label, model.precision)


def _crash_row(model: BenchModel, crash: JSON, answered: int) -> JSON:
    return _row(model, "all", "crashed", None, answered) | crash


def _device_rows(model: BenchModel, measured: JSON) -> list[JSON]:
    names = (
        "tokens_per_second", "prompt_tokens_per_second", "first_token_seconds", "cold_first_token_seconds",
        "peak_rss_bytes", "bytes",
    )  # fmt: skip
    return [
        _row(model, "device", name, measured[name], measured["samples"])
        for name in names
        if measured.get(name) is not None
    ]


def _row(model: BenchModel, task: str, metric: str, value: float | None, n: int) -> JSON:
    return {
        "model": model.label,
        "precision": model.precision,
        "task": task,
        "metric": metric,
        "value": value,
        "low": None,
        "high": None,
        "n": n,
    }
