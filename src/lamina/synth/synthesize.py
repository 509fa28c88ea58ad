"""Synthesis: examples and grammar first, then batches of model-written rows until enough are verified.

Resumable by construction: everything a batch does is drawn from (seed, phase, batch number) and from what
earlier batches committed; a batch's rows, rejects and its marker are one transaction. A killed batch is done
again and gives the same rows."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from lamina.checks import (
    Agreement,
    Candidate,
    Novelty,
    Rejection,
    check_judge,
    check_round_trips,
    measure_agreement,
)
from lamina.models import Model, open_model
from lamina.models.model import PromptStyle
from lamina.runs import Progress, Run
from lamina.runs.records import Row
from lamina.synth import grammar, writers
from lamina.synth.settings import SynthSettings
from lamina.synth.values import ValuePool
from lamina.synth.verifying import check_alone, execute, noisy, reject_of, trajectory_of
from lamina.synth.wording import Exemplar, locate
from lamina.tools import Toolbox
from lamina.tools.execution import Executor
from lamina.trajectories import Check, Reject, Trajectory, TrajectoryStore
from lamina.trajectories.store import record_row

WarmUp = Callable[[list[Trajectory]], Model]
"""Tunes a model on the rows at hand for the round trip; given by whoever ties training to synthesis."""

MODEL_STYLES = {"simple": 0.89, "irrelevant": 0.05, "missing-argument": 0.06}
"""Shares of what a model is asked for (our choice); the grammar adds parallel, dependent and near misses."""

MARKER = "synth-batch"
PHASE_STRIDE = 1_000_000


@dataclass
class _Work:
    toolbox: Toolbox
    run: Run
    settings: SynthSettings
    words: grammar.Words
    rows: TrajectoryStore
    novelty: Novelty = field(default_factory=Novelty)
    pools: dict[str, list[Exemplar]] = field(default_factory=dict)
    verified: Counter[str] = field(default_factory=Counter)
    tally: dict[str, Any] = field(default_factory=lambda: {"targets": 0, "tokens": 0})
    round_trip: Model | None = None
    judge: Model | None = None
    agreement: Agreement | None = None

    @property
    def by_model(self) -> int:
        return self.verified[self.settings.writer]


def synthesize(
    toolbox: Toolbox,
    run: Run,
    settings: SynthSettings,
    progress: Progress,
    executor: Executor,
    warm_up: WarmUp | None = None,
) -> dict[str, Any]:
    """Fills the run's store with verified trajectories and rejects and exports both as JSON lines.

    Returns ``{"targets", "verified", "rejected": {stage: {reason: n}}, "seconds", "tokens", …}``. ``warm_up`` is
    needed for ``round_trip = "warm-up"``; without it that stage is said to be not run."""
    started = time.monotonic()
    words = grammar.Words(
        toolbox, grammar.located_examples(toolbox), ValuePool.of(list(toolbox)), executor, settings.now
    )
    work = _Work(toolbox, run, settings, words, TrajectoryStore(run.store))
    _remember(work)
    _write_examples(work)
    _write_grammar(work, progress)
    try:
        _open_verifiers(work, warm_up, progress)
        stopped = _write_by_model(work, progress)
    finally:
        for model in (work.round_trip, work.judge):
            if model is not None:
                model.close()
    work.rows.export(run.folder)
    return {**_result(work, executor), "stopped": stopped, "seconds": round(time.monotonic() - started, 1)}


def _remember(work: _Work) -> None:
    """What an earlier, interrupted run of the same command committed."""
    work.novelty.remember((r, "") for r in grammar.unserved_requests(work.toolbox))
    work.pools = {name: list(found) for name, found in work.words.exemplars.items()}
    for row in work.rows.trajectories():
        _keep(work, row)
    for marker in work.run.store.iterate(MARKER):
        _count(work, orjson.loads(marker.payload))


def _keep(work: _Work, row: Trajectory) -> None:
    """Verified rows return to the pool of examples (APIGen section 3.1, "seed" feedback)."""
    extra = row.meta.model_extra or {}
    work.novelty.remember([(extra.get("clean") or row.request, extra.get("template") or "")])
    work.verified[row.meta.writer] += 1
    if row.meta.writer == work.settings.writer and len(row.calls) == 1 and row.meta.style == "simple":
        call = row.calls[0]
        found = locate(work.toolbox[call.name], extra.get("clean") or row.request, call.arguments)
        pool = work.pools.setdefault(call.name, [])
        if found is not None and len(pool) < 40:
            pool.append(found)


def _count(work: _Work, marker: dict[str, Any]) -> None:
    for key in ("targets", "tokens"):
        work.tally[key] += marker[key]


def _commit(
    work: _Work, name: str, position: int, outcomes: Sequence[Trajectory | Reject], targets: int, tokens: int
) -> None:
    rows = [record_row(outcome, position + i) for i, outcome in enumerate(outcomes)]
    marker = {"targets": targets, "tokens": tokens}
    rows.append(Row(MARKER, name, position, orjson.dumps(marker)))
    work.run.store.put(rows)
    for outcome in outcomes:
        if isinstance(outcome, Trajectory):
            _keep(work, outcome)
    _count(work, marker)


def _payload(work: _Work, name: str) -> bytes:
    row = work.run.store.get(MARKER, name)
    return row.payload if row else b"{}"


def _is_done(work: _Work, name: str) -> bool:
    return work.run.store.get(MARKER, name) is not None


def _write_examples(work: _Work) -> None:
    if _is_done(work, "examples"):
        return
    found = grammar.example_candidates(work.toolbox, work.words.executor, work.settings.now)
    outcomes = [_outcome(work, c, check_alone(c, work.toolbox, grounded=False)) for c in found]
    _commit(work, "examples", 0, _distinct(outcomes), 0, 0)


def _write_grammar(work: _Work, progress: Progress) -> None:
    """At most ``grammar_share`` of the rows wanted; ``split`` sets aside what would exceed a third."""
    settings = work.settings
    if _is_done(work, "grammar") or settings.grammar_share == 0:
        return
    quota = int((settings.wanted or settings.attempts) * settings.grammar_share)
    novelty, outcomes, targets = work.novelty, [], 0
    with progress.stage("grammar", total=quota) as bar:
        for style, share in grammar.STYLE_SHARES.items():
            wanted, kept = round(quota * share), 0
            for i in range(wanted * 12):
                if kept >= wanted or (settings.targets is not None and targets >= quota):
                    break
                rng = random.Random(f"{settings.seed}/grammar/{style}/{i}")
                candidate = grammar.compose(style, work.words, rng, rng.randrange(1 << 31))
                if candidate is None:
                    continue
                targets += 1
                rejection = check_alone(candidate, work.toolbox) or (
                    None if style == "irrelevant" else novelty.check(candidate)
                )
                outcomes.append(_outcome(work, candidate, rejection))
                if rejection is None:
                    kept += 1
                    bar.advance(1)
    _commit(work, "grammar", PHASE_STRIDE, _distinct(outcomes), targets, 0)


def _open_verifiers(work: _Work, warm_up: WarmUp | None, progress: Progress) -> None:
    settings = work.settings
    if settings.round_trip == "warm-up" and warm_up is not None:
        work.round_trip = warm_up(list(work.rows.trajectories()))
    elif settings.round_trip not in ("warm-up", "none"):
        work.round_trip = open_model(settings.round_trip)
    if settings.judge != "none":
        work.judge = open_model(settings.judge)
        with progress.stage("judge's agreement with labelled rows", total=60) as bar:
            work.agreement = measure_agreement(work.judge)
            bar.advance(60, agreement=f"{work.agreement.agreed}/60")


def _write_by_model(work: _Work, progress: Progress) -> str:
    """Batch after batch; returns why it stopped."""
    settings = work.settings
    share = settings.wanted - int(settings.wanted * settings.grammar_share) if settings.wanted else None
    # one slot: a group's prompts share all but their last line, and the prefix cache is a slot's own
    writer = open_model(settings.writer, slots=settings.slots)
    asked, number = 0, 0
    attempts = settings.attempts
    if settings.targets is not None:  # what the grammar tried counts: -n is the number of all attempts
        attempts -= orjson.loads(_payload(work, "grammar")).get("targets", 0)
    try:
        with progress.stage(f"synth by {settings.writer}", total=share or attempts) as bar:
            bar.advance(work.by_model)
            while asked < attempts:
                if share is not None and work.by_model >= share:
                    return "enough verified rows"
                size = min(settings.batch, attempts - asked)
                if not _is_done(work, f"model-{number}"):
                    before = work.by_model
                    _one_batch(work, writer, number, size)
                    done = work.by_model - before if share is not None else size
                    bar.advance(done, attempts=asked + size, verified=work.by_model)
                asked, number = asked + size, number + 1
    finally:
        writer.close()
    return f"{asked} attempts made"


def _one_batch(work: _Work, writer: Model, number: int, size: int) -> None:
    rng = random.Random(f"{work.settings.seed}/model/{number}")
    work.words.stock.clear()  # a batch must not depend on calls left over from another
    assignments = _assignments(work, rng, size)
    replies = writer.generate([a.request for a in assignments])
    candidates = [
        writers.candidate_of(a, r.text, work.words, work.settings) for a, r in zip(assignments, replies, strict=True)
    ]
    execute(candidates, work.words.executor)
    rejections: list[Rejection | None] = [
        check_alone(c, work.toolbox, a) or work.novelty.check(c) for c, a in zip(candidates, assignments, strict=True)
    ]
    _by_models(work, candidates, rejections)
    outcomes = [_outcome(work, c, r, rng) for c, r in zip(candidates, rejections, strict=True)]
    position = (number + 2) * PHASE_STRIDE
    tokens = sum(r.prompt_tokens + r.completion_tokens for r in replies)
    _commit(work, f"model-{number}", position, _distinct(outcomes), size, tokens)


def _assignments(work: _Work, rng: random.Random, size: int) -> list[writers.Assignment]:
    if work.settings.how == "pairs":
        return writers.pairs(work.words, work.pools, work.settings, rng, size)
    counts = {style: round(size * share) for style, share in MODEL_STYLES.items()}
    counts["simple"] = size - counts["irrelevant"] - counts["missing-argument"]
    return [
        *writers.call_first(work.words, work.pools, work.settings, rng, counts["simple"]),
        *writers.missing_argument(work.words, work.pools, work.settings, rng, counts["missing-argument"]),
        *writers.unserved(work.words, work.settings, rng, counts["irrelevant"]),
    ]


def _by_models(work: _Work, candidates: list[Candidate], rejections: list[Rejection | None]) -> None:
    """Round trip, then judge, of what passed so far; fills ``rejections`` in place."""
    if work.round_trip is not None:
        # a missing argument is shown by what is absent, which the checks before have verified word by word
        left = [i for i, r in enumerate(rejections) if r is None and candidates[i].style != "missing-argument"]
        style: PromptStyle = getattr(work.round_trip, "prompt_style", None) or "full"
        found = check_round_trips([candidates[i] for i in left], work.round_trip, work.toolbox, style)
        for i, verdict in zip(left, found, strict=True):
            rejections[i] = verdict
            candidates[i].notes.append(Check(name="round trip", detail=work.round_trip.ref))
    left = [i for i, r in enumerate(rejections) if r is None]
    if work.judge is not None and work.agreement is not None and work.agreement.usable:
        verdicts = check_judge([candidates[i] for i in left], work.judge, work.toolbox)
        for i, verdict in zip(left, verdicts, strict=True):
            rejections[i] = verdict
    else:
        for i in left:
            candidates[i].notes.append(Check(name="judge", verdict="unjudged", detail=_why_unjudged(work)))


def _why_unjudged(work: _Work) -> str:
    if work.agreement is None:
        return "no judge was asked"
    return f"the judge agrees with {work.agreement.agreed} of {work.agreement.rows} labelled rows: near chance"


def _outcome(
    work: _Work, candidate: Candidate, rejection: Rejection | None, rng: random.Random | None = None
) -> Trajectory | Reject:
    if rejection is not None:
        return reject_of(candidate, work.toolbox, rejection)
    rng = rng or random.Random(candidate.seed)
    return trajectory_of(candidate, work.toolbox, work.words.executor.level, noisy(candidate, rng, work.toolbox), rng)


def _distinct(outcomes: list[Trajectory | Reject]) -> list[Trajectory | Reject]:
    return list({o.id: o for o in outcomes}.values())


def _result(work: _Work, executor: Executor) -> dict[str, Any]:
    rejected: dict[str, Counter[str]] = {}
    for reject in work.rows.rejects():
        rejected.setdefault(reject.stage, Counter())[reject.reason] += 1
    styles = Counter[str]()
    tools = Counter[str]()
    for row in work.rows.trajectories():
        styles[row.meta.style] += 1
        tools.update({c.name for c in row.calls} or {"(no call)"})
    return {
        **work.tally,
        "verified": work.rows.count(),
        "rejected": {stage: dict(reasons) for stage, reasons in rejected.items()},
        "writers": dict(work.verified),
        "styles": dict(styles),
        "tools": dict(tools),
        "sandbox": executor.level,
        "round_trip": work.round_trip.ref if work.round_trip else "not run",
        "judge": work.agreement.as_dict() if work.agreement else {"judge": "none"},
    }
