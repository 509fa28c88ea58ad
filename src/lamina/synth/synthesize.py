"""Synthesis: examples and grammar first, then batches of model-written rows until enough are verified, then variants.

Resumable by construction: everything a batch does is drawn from (seed, phase, batch number) and from what
earlier batches committed; a batch's rows, rejects and its marker are one transaction. A killed batch is done
again and gives the same rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any

from lamina.checks import (
    Agreement,
    Candidate,
    Rejection,
    check_judge,
    check_round_trips,
    measure_agreement,
)
from lamina.errors import UserError
from lamina.models import Model, open_model
from lamina.models.answered import Answered
from lamina.models.model import PromptStyle, Reply, Request
from lamina.runs import Progress, Run
from lamina.synth import grammar, prompts
from lamina.synth.composing import write_examples, write_grammar, write_variants
from lamina.synth.costs import JUDGE, ROUND_TRIP, WRITER
from lamina.synth.never_ran import tell_what_never_ran
from lamina.synth.pairs import PAIRS
from lamina.synth.results import result_of, why_unjudged
from lamina.synth.rules import check_alone
from lamina.synth.sampling import SAMPLERS
from lamina.synth.settings import IN_PIECES, JOINABLE, LIKE_EXAMPLES, OF_SEVERAL_TOOLS, WORDED, SynthSettings
from lamina.synth.stamps import withdraw
from lamina.synth.styles import STYLES, Style
from lamina.synth.values import ValuePool
from lamina.synth.verifying import execute
from lamina.synth.work import PHASE_STRIDE, Work
from lamina.synth.writers import Assignment, Materials
from lamina.tools import Toolbox
from lamina.tools.execution import Executor
from lamina.trajectories import Check, Query, Trajectory, TrajectoryStore, with_examples

WarmUp = Callable[[list[Trajectory]], Model]
"""Tunes a model on the rows at hand for the round trip; given by whoever ties training to synthesis."""


AGREEMENT = "agreement"
"""The phase in which the judge proves itself."""
PROVEN = ("missing-argument", "multi-turn")
"""Styles that the round trip has nothing to ask for: what is absent was verified word by word before."""


def synthesize(
    toolbox: Toolbox,
    run: Run,
    settings: SynthSettings,
    progress: Progress,
    executor: Executor,
    warm_up: WarmUp | None = None,
    seeds: Sequence[Query] = (),
) -> dict[str, Any]:
    """Fills the run's store with verified trajectories and rejects and exports both as JSON lines.

    Returns ``{"targets", "verified", "rejected": {stage: {reason: n}}, "seconds", "tokens", "cost", …}``, of the whole
    run; ``shortfall`` is a sentence where there are fewer rows than asked for, and else None. ``warm_up`` is needed for
    ``round_trip = "warm-up"``; without it that stage is said to be not run. ``seeds``: requests that the user wrote,
    examples like those of docstrings."""
    check_settings(settings, len(toolbox))
    toolbox = with_examples(toolbox, seeds)
    words = grammar.Words(
        toolbox, grammar.located_examples(toolbox), ValuePool.of(list(toolbox)), executor, settings.now, settings.seed
    )
    work = Work(toolbox, run, settings, words, TrajectoryStore(run.store), seeds)
    work.remember()
    if settings.variants is None and work.examples:
        progress.say(f"each of your {work.examples} examples gets {work.variants} variants (--variants)")
    if unworded := _unworded(work):
        progress.say(unworded)
    write_examples(work, progress)
    write_grammar(work, progress)
    work.remember_material()
    try:
        _open_verifiers(work, warm_up, progress)
        stopped = _write_by_model(work, progress)
    finally:
        for model in (work.round_trip, work.judge):
            if model is not None:
                model.close()
    write_variants(work, progress)
    tell_what_never_ran(work, progress)
    work.rows.export(run.folder)
    return result_of(work, executor.level, stopped)


def check_settings(settings: SynthSettings, tools: int) -> None:
    """Raises UserError for a style, sampler or wording that is none, a style that pairs does not write, and a warm-up
    on a library."""
    if settings.round_trip == "warm-up" and settings.is_library(tools):
        raise UserError(
            f"round trip by warm-up tunes a model to one set of tools, and rows offer {settings.offer} of {tools}; "
            "name a model that reads tools in its prompt, or offer all"
        )
    for kind, given, known in (
        ("style", dict(settings.styles), STYLES),
        ("sampler", [settings.sampler], SAMPLERS),
        ("wording", settings.wordings, [LIKE_EXAMPLES, *prompts.wordings()]),
    ):
        if unknown := [name for name in given if name not in known]:
            raise UserError(f"there is no {kind} {unknown[0]!r}; there are {', '.join(known)}")
    written = _styles_of(settings)
    if foreign := [name for name, _ in settings.styles if name not in written]:
        raise UserError(
            f"pairs writes no {foreign[0]} rows, of which no rule could tell a right one; leave the style out (there "
            f"are {', '.join(written)}) or take --how call-first"
        )
    if settings.how == "pairs" and set(settings.wordings) == {LIKE_EXAMPLES}:
        raise UserError(f"pairs is not worded {LIKE_EXAMPLES}; name one of {', '.join(prompts.wordings())}")
    if settings.offer == 1 < tools and settings.shares(tools).get("multiple"):
        raise UserError("a multiple row has tools to choose from, and 1 is on offer; offer 2, or leave the style out")
    if settings.how == "pairs" and tools < 2 and (of := [s for s, _ in settings.styles if s in OF_SEVERAL_TOOLS]):
        raise UserError(f"a {of[0]} row has several tools, and there is one; leave the style out")


def _unworded(work: Work) -> str:
    """A sentence where wordings were asked for that some rows of this run cannot have; empty where there are none."""
    settings, tools = work.settings, list(work.toolbox)
    if settings.how == "pairs" or settings.wordings == SynthSettings.wordings:
        return ""
    worded = set(WORDED)
    worded -= set() if settings.is_library(len(tools)) else {"irrelevant"}
    worded -= set() if {LIKE_EXAMPLES, *JOINABLE} & set(settings.wordings) else {IN_PIECES}
    others = [style for style, share in settings.shares(len(tools)).items() if share and style not in worded]
    bare = sum(not work.words.exemplars.get(tool.name) for tool in tools)
    found = [f"{', '.join(others)} rows"] if others else []
    if set(settings.wordings) == {LIKE_EXAMPLES} and bare:
        found.append(f"requests for the {bare} of {len(tools)} tools without examples, which are plain")
    return f"--wordings does not change {' and '.join(found)}" if found else ""


def _open_verifiers(work: Work, warm_up: WarmUp | None, progress: Progress) -> None:
    settings = work.settings
    if settings.round_trip == "warm-up" and warm_up is not None:
        work.round_trip = _heard(work, ROUND_TRIP, warm_up(list(work.rows.trajectories())), progress)
    elif settings.round_trip not in ("warm-up", "none"):
        work.round_trip = _heard(work, ROUND_TRIP, open_model(settings.round_trip), progress)
    if settings.judge != "none":
        work.judge = _heard(work, JUDGE, open_model(settings.judge), progress)
        work.agreement = _agreement(work, work.judge, progress)


def _heard(work: Work, role: str, model: Model, progress: Progress) -> Model:
    """The model, metered, each of whose answers is shown: a batch of 64, or a judge's 60 labelled rows, takes a small
    model on two cores more than a minute."""
    return work.costs.metered(role, Answered(model, partial(progress.answered, by=role)))


def _agreement(work: Work, judge: Model, progress: Progress) -> Agreement:
    """Measured once a run: a slow judge takes its time over 60 rows."""
    if known := work.noted(AGREEMENT).get("agreement"):
        return Agreement(**known)
    with progress.stage("judge's agreement with labelled rows", total=60) as bar:
        found = measure_agreement(judge)
        bar.advance(60, agreement=f"{found.agreed}/60")
    work.commit(AGREEMENT, 2 * PHASE_STRIDE - 1, [], agreement=asdict(found))
    return found


def _write_by_model(work: Work, progress: Progress) -> str:
    """Batch after batch; returns why it stopped."""
    settings = work.settings
    share = settings.wanted - work.verified["grammar"] if settings.wanted else None
    # one slot: a group's prompts share all but their last line, and the prefix cache is a slot's own
    writer = _heard(work, WRITER, open_model(settings.writer, slots=settings.slots), progress)
    asked, number = 0, 0
    attempts = settings.attempts
    if settings.targets is not None:  # what the grammar tried counts: -n is the number of all attempts
        attempts -= work.targets_of("grammar")
    try:
        with progress.stage(f"synth by {settings.writer}", total=share or attempts) as bar:
            bar.advance(work.by_model)
            while asked < attempts:
                if share is not None and work.by_model >= share:
                    return "enough verified rows"
                size = min(settings.batch, attempts - asked)
                if not work.is_done(f"model-{number}"):
                    before = work.by_model
                    _one_batch(work, writer, number, asked, size)
                    done = work.by_model - before if share is not None else size
                    bar.advance(done, attempts=asked + size, verified=work.by_model)
                asked, number = asked + size, number + 1
    finally:
        writer.close()
    return f"{asked} attempts made"


def _one_batch(work: Work, writer: Model, number: int, asked: int, size: int) -> None:
    """``asked``: rows asked for by the batches before."""
    rng = random.Random(f"{work.settings.seed}/model/{number}")
    work.words.stock.begin(number)
    materials = work.materials
    assigned = _assignments(materials, rng, asked, size)
    replies = _generate(writer, [request for _, a in assigned for request in a.requests])
    texts = iter([reply.text for reply in replies])
    read = [(style.read(a, list(islice(texts, len(a.requests))), materials), a) for style, a in assigned]
    candidates, assignments = [c for rows, _ in read for c in rows], [a for rows, a in read for _ in rows]
    execute(candidates, work.words.executor)
    rejections: list[Rejection | None] = [
        check_alone(c, work.toolbox, a) or work.novelty.check(c) for c, a in zip(candidates, assignments, strict=True)
    ]
    for candidate, assignment, rejection in zip(candidates, assignments, rejections, strict=True):
        if assignment.absent and rejection is None:
            withdraw(candidate)
    _by_models(work, candidates, rejections)
    outcomes = [work.outcome(c, r, rng) for c, r in zip(candidates, rejections, strict=True)]
    position = (number + 2) * PHASE_STRIDE
    work.commit(f"model-{number}", position, outcomes, size)


def _generate(writer: Model, requests: Sequence[Request]) -> list[Reply]:
    """In the order of ``requests``, asked in the order of their prompts: those that begin alike follow each other, and
    an engine's prefix cache reads what they share once."""
    order = sorted(range(len(requests)), key=lambda i: requests[i].raw_prompt or "")
    found: dict[int, Reply] = dict(zip(order, writer.generate([requests[i] for i in order]), strict=True))
    return [found[i] for i in range(len(requests))]


def _assignments(m: Materials, rng: random.Random, asked: int, size: int) -> list[tuple[Style, Assignment]]:
    """Shares hold over all batches together, however small one is."""
    known = _styles_of(m.settings)
    shares = m.settings.shares(len(m.toolbox))
    counts = {style: int(share * (asked + size)) - int(share * asked) for style, share in shares.items()}
    counts[max(shares, key=lambda style: shares[style])] += size - sum(counts.values())
    return [(known[style], a) for style, count in counts.items() for a in known[style].assign(m, rng, max(0, count))]


def _styles_of(settings: SynthSettings) -> dict[str, Style]:
    return PAIRS if settings.how == "pairs" else STYLES


def _by_models(work: Work, candidates: list[Candidate], rejections: list[Rejection | None]) -> None:
    """Round trip, then judge, of what passed so far; fills ``rejections`` in place."""
    if work.round_trip is not None:
        left = [i for i, r in enumerate(rejections) if r is None and candidates[i].style not in PROVEN]
        style: PromptStyle = getattr(work.round_trip, "prompt_style", None) or "full"
        found = check_round_trips([candidates[i] for i in left], work.round_trip, work.toolbox, style)
        for i, verdict in zip(left, found, strict=True):
            rejections[i] = verdict
            candidates[i].notes.append(Check(name="round trip", detail=work.round_trip.ref))
    left = [i for i, r in enumerate(rejections) if r is None]
    if work.judge is not None and work.agreement is not None and work.agreement.usable:
        votes, needed = work.settings.votes, work.settings.votes_needed
        verdicts = check_judge([candidates[i] for i in left], work.judge, work.toolbox, votes=votes, needed=needed)
        for i, verdict in zip(left, verdicts, strict=True):
            rejections[i] = verdict
    else:
        for i in left:
            candidates[i].notes.append(Check(name="judge", verdict="unjudged", detail=why_unjudged(work)))
