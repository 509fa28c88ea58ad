"""The phases of a synthesis that ask no model: the user's examples, the grammar's rows, and variants of what is
verified."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from lamina.checks import Candidate, Novelty, Reason, Rejection
from lamina.checks.novelty import STAGE as NOVELTY
from lamina.runs import Progress
from lamina.synth import grammar
from lamina.synth.augment import is_variant, with_other_values
from lamina.synth.rules import check_alone
from lamina.synth.work import PHASE_STRIDE, Work
from lamina.tools.execution import CallResult
from lamina.trajectories import Query, Reject, ToolCall, Trajectory

VARIANTS_PHASE = 900 * PHASE_STRIDE
"""After every batch of the model."""

PART = 2000
"""Rows and rejects of the grammar that are committed together (our choice)."""
STYLE_OF_KIND = {"single": "simple", "parallel": "parallel", "dependent": "dependent", "refusal": "irrelevant"}


def write_examples(work: Work, progress: Progress) -> None:
    """Examples of docstrings and the user's seed requests, really run, as rows of the writer ``examples``."""
    if work.is_done("examples"):
        return
    found: list[Candidate] = []
    if work.examples:
        with progress.stage("examples", total=work.examples) as bar:
            found += grammar.example_candidates(
                work.toolbox, work.words.executor, work.settings.now, on_ran=bar.advance
            )
            for query in work.seeds:
                if query.kind != "single":
                    found.append(_seed_candidate(query, work))
                    bar.advance()
    work.commit("examples", 0, [work.outcome(c, check_alone(c, work.toolbox, grounded=False)) for c in found])


def _seed_candidate(query: Query, work: Work) -> Candidate:
    """A request of several calls or none. (Those of one call stand among the examples of their tool.)"""
    now = query.now or work.settings.now
    turns = [[call] for call in query.calls] if query.kind == "dependent" else [list(query.calls)]
    ran = work.words.executor.run_sequence([(c.name, c.arguments) for c in query.calls], now) if query.calls else []
    results: list[list[CallResult]] = [[r] for r in ran] if query.kind == "dependent" else [list(ran)]
    number = itertools.count(1)
    turns = [[ToolCall.of(c.name, c.arguments, id=f"call_{next(number)}") for c in turn] for turn in turns]
    return Candidate(
        request=query.query, turns=turns, style=STYLE_OF_KIND[query.kind], writer="examples", seed=0, now=now,
        results=results, template=query.query, group=query.query,
    )  # fmt: skip


@dataclass(frozen=True)
class Place:
    """How far the grammar has come: the attempt of a style that is next, the rows kept of that style, all attempts that
    gave a row or reject, and all rows kept."""

    style: int = 0
    attempt: int = 0
    kept: int = 0
    tried: int = 0
    kept_in_all: int = 0


def write_grammar(work: Work, progress: Progress) -> None:
    """``grammar_share`` of the rows wanted (the user's examples and their variants bring it no more). Of many rows each
    ``PART`` is committed by itself, so that memory does not grow with them."""
    settings = work.settings
    if work.is_done("grammar") or settings.grammar_share == 0:
        return
    quota = int((settings.wanted or settings.attempts) * settings.grammar_share)
    number, place = 0, Place()
    while noted := work.noted(f"grammar-{number}"):
        number, place = number + 1, Place(**noted["place"])
    part: list[Trajectory | Reject] = []
    with progress.stage("grammar", total=quota) as bar:
        bar.advance(place.kept_in_all)
        for outcome, after in _composed(work, quota, place):
            bar.advance(after.kept_in_all - place.kept_in_all)
            place = after
            part.append(outcome)
            if len(part) == PART:
                work.commit(f"grammar-{number}", PHASE_STRIDE + number * PART, part, PART, place=asdict(place))
                number, part = number + 1, []
                work.words.stock.begin()  # the next part must not depend on calls that a killed run had left over
    work.commit("grammar", PHASE_STRIDE + number * PART, part, len(part), tried=place.tried)


def _composed(work: Work, quota: int, place: Place) -> Iterator[tuple[Trajectory | Reject, Place]]:
    """What comes after ``place``, with the place after each."""
    settings = work.settings
    for number, (style, share) in enumerate(grammar.STYLE_SHARES.items()):
        if number < place.style:
            continue
        if number > place.style:
            place = replace(place, style=number, attempt=0, kept=0)
        wanted = round(quota * share)
        for i in range(place.attempt, wanted * 12):
            if place.kept >= wanted or (settings.targets is not None and place.tried >= quota):
                break
            rng = random.Random(f"{settings.seed}/grammar/{style}/{i}")
            candidate = grammar.compose(style, work.words, rng, rng.randrange(1 << 31))
            if candidate is None:
                continue
            rejection = check_alone(candidate, work.toolbox) or _not_new(candidate, work.novelty)
            more = int(rejection is None)
            place = Place(number, i + 1, place.kept + more, place.tried + 1, place.kept_in_all + more)
            yield work.outcome(candidate, rejection), place


def _not_new(candidate: Candidate, novelty: Novelty) -> Rejection | None:
    """The grammar's rows are near by intent. Of requests that nothing serves any number may be made of one pattern, as
    there are few, but none twice."""
    if candidate.style != "irrelevant":
        return novelty.check(candidate, near=False)
    if not novelty.is_new(candidate.request):
        return Rejection(NOVELTY, Reason.DUPLICATE, "this request is there already")
    novelty.remember(candidate.request, candidate.template)
    return None


def write_variants(work: Work, progress: Progress) -> None:
    """``work.variants`` of each of the user's examples, each really run and checked. Those that fail are rejects like
    any other. (What a model wrote has other values than the examples already.)"""
    settings = work.settings
    if work.is_done("variants") or not work.variants:
        return
    work.words.stock.begin()  # variants must not depend on calls that a killed run had left over
    rows = [r for r in work.rows.trajectories() if r.meta.writer == "examples" and not is_variant(r)]
    outcomes: list[Trajectory | Reject] = []
    with progress.stage("variants", total=len(rows)) as bar:
        for row in rows:
            rng = random.Random(f"{settings.seed}/variants/{row.id}")
            for _ in range(work.variants):
                candidate = with_other_values(row, work.words, rng)
                if candidate is not None and work.novelty.is_new(candidate.request):
                    work.novelty.remember(candidate.request, calls=candidate.calls)
                    outcomes.append(work.outcome(candidate, check_alone(candidate, work.toolbox)))
            bar.advance(1)
    work.commit("variants", VARIANTS_PHASE, outcomes)
