"""Check: every record against its own tools, its own order, and what was said; or against your functions, by running
them; then against the records before it and against evaluation sets. Values with one reading are cast first, and the
record says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

from lamina.checks import Reason, Rejection
from lamina.checks.arguments import cast_arguments, check_arguments
from lamina.checks.contamination import STAGE as CONTAMINATION
from lamina.checks.contamination import contaminated_rows, requests_in
from lamina.checks.counting import check_recorded_count, check_recorded_request
from lamina.checks.evidence import evidence_in
from lamina.checks.grounding import STAGE as GROUNDING
from lamina.checks.hallucination import check_hallucination
from lamina.checks.judge import Opinion
from lamina.checks.novelty import STAGE as NOVELTY
from lamina.checks.reasoning import check_reasoning
from lamina.checks.recorded_novelty import RecordedNovelty
from lamina.checks.recorded_results import check_recorded_results
from lamina.checks.replay import STAGE as EXECUTION
from lamina.checks.replay import Replayed, check_replays
from lamina.checks.steps import check_steps
from lamina.checks.turns import check_turns
from lamina.data.model_checks import ModelCheck, Said
from lamina.data.not_running import Withheld, functions_and_others, why_not_run
from lamina.data.sources import records_of
from lamina.tools import Toolbox
from lamina.tools.execution import Executor
from lamina.trajectories import Check, Reject, Trajectory
from lamina.trajectories.trajectory import json_line

TOGETHER = 1024
"""Records that are checked together, so that calls of pure functions share a process."""
JUDGED_TOGETHER = 64
"""With a judge: often enough for the progress to move."""
Rule = Callable[[Trajectory, Toolbox], Rejection | None]
RULES: dict[str, Rule] = {
    "order": lambda trajectory, toolbox: check_turns(trajectory),
    "format": lambda trajectory, toolbox: check_arguments(trajectory, toolbox) or check_recorded_count(trajectory),
    "steps": lambda trajectory, toolbox: check_steps(trajectory),
    "reasoning": check_reasoning,
    "results": check_recorded_results,
    GROUNDING: lambda trajectory, toolbox: (
        check_hallucination(trajectory, toolbox) or check_recorded_request(trajectory, toolbox)
    ),
}
"""In the order in which they are asked; the first that objects rejects."""
OF_CALLS = frozenset({EXECUTION, GROUNDING})
"""What a record without calls has not passed, as there was nothing to run and no value to trace."""
SKIPPABLE = (*RULES, NOVELTY)


@dataclass(frozen=True)
class Verdict:
    """``record`` is the record as it stands after mending; ``mended`` says what changed, a sentence each; ``opinion``
    is the judge's, where it was asked; ``not_run`` says why its calls were not run, where they were to be."""

    before: Trajectory
    record: Trajectory
    rejection: Rejection | None = None
    mended: list[str] = field(default_factory=list)
    opinion: Opinion | None = None
    not_run: Withheld | None = None

    @property
    def reject(self) -> Reject | None:
        if self.rejection is None:
            return None
        why, record = self.rejection, self.before
        return Reject(
            id=record.id, stage=why.stage, reason=why.reason.value, detail=why.detail,
            record=record.model_dump(exclude_none=True),
        )  # fmt: skip


class Checker:
    """``executor``: run the calls of each record with these functions, whatever tools the record names; ``withheld``
    are those of them that are not called. ``toolbox``: the tools of records that bring none. ``skip``: names of
    ``RULES`` to leave out. ``novelty`` remembers what passed so far. ``held_out``: requests that a model will be scored
    on, each with the name of where it stands. ``models``: checks by models, asked in this order of what passed
    everything before."""

    def __init__(
        self,
        executor: Executor | None = None,
        *,
        withheld: Mapping[str, Withheld] | None = None,
        toolbox: Toolbox | None = None,
        skip: Sequence[str] = (),
        novelty: RecordedNovelty | None = None,
        held_out: Mapping[str, str] | None = None,
        models: Sequence[ModelCheck] = (),
    ):
        self._executor, self._novelty, self.models = executor, novelty, models
        self._withheld = withheld or {}
        self._held_out, self._scored = held_out or {}, list(held_out or ())
        self._tools = toolbox.as_openai() if toolbox else []
        self._rules = {name: rule for name, rule in RULES.items() if name not in skip}

    @property
    def together(self) -> int:
        """How many records are worth checking at once."""
        if self.models:
            return JUDGED_TOGETHER
        return TOGETHER if self._executor is not None or self._scored else 1

    def check(self, trajectory: Trajectory) -> Verdict:
        return self.check_many([trajectory])[0]

    def check_many(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """A verdict for each; their calls are run together."""
        found = [self._by_rules(trajectory) for trajectory in trajectories]
        if self._executor is not None:
            found = self._by_running(self._executor, found)
        if self._novelty is not None:
            found = [verdict if verdict.rejection else self._by_novelty(self._novelty, verdict) for verdict in found]
        if self._scored:
            found = self._by_held_out(found)
        for one in self.models:
            found = self.by_model(one, found)
        return found

    def with_evidence(self, verdict: Verdict) -> Trajectory:
        """The record, its grounding with evidence: what it brought, or anew where it brought none or was mended."""
        record = verdict.record
        if GROUNDING not in self._rules:
            return record
        own = next((c.evidence for c in verdict.before.meta.checks if c.name == GROUNDING), None)
        if not own or verdict.mended:
            own = evidence_in(record.messages, self._toolbox_of(record), record.meta.now) or None
        checks = [c.model_copy(update={"evidence": own}) if c.name == GROUNDING else c for c in record.meta.checks]
        return record.model_copy(update={"meta": record.meta.model_copy(update={"checks": checks})})

    def _by_running(self, executor: Executor, found: list[Verdict]) -> list[Verdict]:
        found = [verdict if verdict.rejection else self._marked(executor, verdict) for verdict in found]
        left_out = [bool(verdict.rejection or verdict.not_run) for verdict in found]
        running = [verdict.record for verdict, out in zip(found, left_out, strict=True) if not out]
        replays = iter(check_replays(running, executor, grounding=GROUNDING in self._rules))
        return [v if out else _replayed(v, next(replays)) for v, out in zip(found, left_out, strict=True)]

    def _marked(self, executor: Executor, verdict: Verdict) -> Verdict:
        why = why_not_run(verdict.record, executor.toolbox, self._withheld)
        if why is None:
            return verdict
        mark = Check(name=EXECUTION, verdict="not-run", detail=f"{why.reason}: {why.detail}")
        return replace(_said_by(mark, verdict), not_run=why)

    def _by_novelty(self, novelty: RecordedNovelty, verdict: Verdict) -> Verdict:
        found = novelty.check(verdict.record, self._toolbox_of(verdict.record))
        return _said_by(found or Check(name=NOVELTY), verdict)

    def _by_held_out(self, found: list[Verdict]) -> list[Verdict]:
        """Compares requests, as the split of a synthesis and a mix do."""
        passing = [number for number, verdict in enumerate(found) if verdict.rejection is None]
        copies = contaminated_rows([requests_in(found[number].record) for number in passing], self._scored)
        for place, number in enumerate(passing):
            said: Check | Rejection = Check(name=CONTAMINATION)
            if place in copies:
                copied = self._scored[copies[place]]
                detail = f"a copy of {self._held_out[copied]}: {copied[:200]}"
                said = Rejection(CONTAMINATION, Reason.CONTAMINATED, detail)
            found[number] = _said_by(said, found[number])
        return found

    def by_model(self, model: ModelCheck, found: Sequence[Verdict]) -> list[Verdict]:
        """What ``model`` makes of those that passed so far."""
        passing = [verdict for verdict in found if verdict.rejection is None]
        toolboxes = [self._on_offer(verdict.record) for verdict in passing]
        said = iter(model.check([verdict.record for verdict in passing], toolboxes))
        return [verdict if verdict.rejection else _judged(next(said), verdict) for verdict in found]

    def _on_offer(self, record: Trajectory) -> Toolbox:
        """What there was to choose from: whoever runs the calls may have more tools than that."""
        return self._executor.toolbox if self._executor and not record.tools else toolbox_of(record)

    def _by_rules(self, trajectory: Trajectory) -> Verdict:
        if self._tools and not trajectory.tools:
            trajectory = trajectory.model_copy(update={"tools": self._tools})
        toolbox = self._toolbox_of(trajectory)
        record, mended = cast_arguments(trajectory, toolbox)
        passed: list[Check] = []
        for name, rule in self._rules.items():
            if found := rule(record, toolbox):
                return Verdict(trajectory, record, found, mended)
            if record.calls or name not in OF_CALLS:
                passed.append(Check(name=name))
        return Verdict(trajectory, _with_notes(record, trajectory, passed, mended), None, mended)

    def _toolbox_of(self, trajectory: Trajectory) -> Toolbox:
        own = toolbox_of(trajectory)
        return functions_and_others(self._executor.toolbox, own) if self._executor else own


def _said_by(said: Check | Rejection, verdict: Verdict) -> Verdict:
    """The verdict after one more check."""
    if isinstance(said, Rejection):
        return replace(verdict, rejection=said)
    return replace(verdict, record=_with_notes(verdict.record, verdict.before, [said], []))


def _judged(said: Said, verdict: Verdict) -> Verdict:
    return replace(_said_by(said.outcome, verdict), opinion=said.opinion or verdict.opinion)


def _replayed(verdict: Verdict, replay: Replayed) -> Verdict:
    record, found, more = replay
    if found:
        return Verdict(verdict.before, record, found, verdict.mended)
    mended = [*verdict.mended, *more]
    passed = [check for check in verdict.record.meta.checks if check.name != EXECUTION]
    passed += [Check(name=EXECUTION)] if record.calls else []
    return Verdict(verdict.before, _with_notes(record, verdict.before, passed, mended), None, mended)


def _with_notes(record: Trajectory, before: Trajectory, passed: list[Check], mended: list[str]) -> Trajectory:
    record = record.model_copy() if record is before else record
    record.meta = record.meta.model_copy()
    names = {check.name for check in passed} | (set() if record.calls else OF_CALLS)
    record.meta.checks = [*(c for c in record.meta.checks if c.name not in names), *passed]
    if mended:
        extra = record.meta.model_extra
        known = (extra or {}).get("mended")
        setattr(record.meta, "mended", [*(known if isinstance(known, list) else []), *mended])  # noqa: B010
    return record


def toolbox_of(trajectory: Trajectory) -> Toolbox:
    """The tools of a record. Data sets repeat theirs, so that schemas are compiled once."""
    return _toolbox(json_line(trajectory.tools))


@lru_cache(maxsize=512)
def _toolbox(tools: bytes) -> Toolbox:
    import json

    rows = [row for row in json.loads(tools) if isinstance(row, dict)]
    inner = [row["function"] if isinstance(row.get("function"), dict) else row for row in rows]
    named = [row for row, function in zip(rows, inner, strict=True) if isinstance(function.get("name"), str)]
    return Toolbox.from_openai(named)


def check_sources(files: Sequence[Path], checker: Checker, format: str = "auto") -> Iterator[Verdict | Reject]:
    """A verdict for each record of the files, and a reject for each row that is none, in their order."""
    records = records_of(files, format)
    while some := list(islice(records, checker.together)):
        verdicts = iter(checker.check_many([one for one in some if not isinstance(one, Reject)]))
        yield from (one if isinstance(one, Reject) else next(verdicts) for one in some)
