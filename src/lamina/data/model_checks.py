"""Checks that a model does, after all rules have passed. Each says first how far it agrees with labelled rows; one near
chance is not used, and the records say ``unjudged``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lamina.checks import Agreement, Rejection
from lamina.checks.judge import STAGE as JUDGE
from lamina.checks.judge import Opinion, judge_records, measure_agreement
from lamina.checks.rating import LEAST, has_thoughts, measure_rating_agreement, rate_records
from lamina.checks.rating import STAGE as RATING
from lamina.checks.stepwise import has_steps, judge_steps, measure_step_agreement
from lamina.models import Model
from lamina.tools import Toolbox
from lamina.trajectories import Check, Trajectory


@dataclass(frozen=True)
class Said:
    """What a model says of a record. ``outcome``: what becomes of it; ``opinion``: the judge's own words, whether it is
    believed or not."""

    outcome: Check | Rejection
    opinion: Opinion | None = None


class ModelCheck(Protocol):
    stage: str

    def check(self, records: Sequence[Trajectory], toolboxes: Sequence[Toolbox]) -> list[Said]:
        """One answer a record, in order."""
        ...

    @property
    def agreements(self) -> dict[str, Agreement]:
        """By what was labelled (``rows``, ``steps``, ``thoughts``); only what was measured so far."""
        ...


@dataclass
class Judge:
    """Judges records of one request as a whole and all others step by step, ``votes`` times each, of which ``needed``
    must pass. The agreement with labelled steps is measured when the first record of several steps comes. ``anyway``:
    one near chance is asked all the same, and what it says is a remark on the record, never a reject."""

    model: Model
    votes: int = 1
    needed: int | None = None
    anyway: bool = False
    stage: str = JUDGE
    agreements: dict[str, Agreement] = field(default_factory=dict)

    def check(self, records: Sequence[Trajectory], toolboxes: Sequence[Toolbox]) -> list[Said]:
        stepped = [has_steps(record) for record in records]
        whole = self._asked(records, toolboxes, [i for i, steps in enumerate(stepped) if not steps], "rows")
        found = whole | self._asked(records, toolboxes, [i for i, steps in enumerate(stepped) if steps], "steps")
        return [found[i] for i in range(len(records))]

    def _asked(
        self, records: Sequence[Trajectory], toolboxes: Sequence[Toolbox], places: list[int], of: str
    ) -> dict[int, Said]:
        if not places:
            return {}
        if of not in self.agreements:
            measure = measure_agreement if of == "rows" else measure_step_agreement
            self.agreements[of] = measure(self.model)
        agreement = self.agreements[of]
        if not (agreement.usable or self.anyway):
            return {i: Said(_unjudged(self.stage, agreement, of)) for i in places}
        judge = judge_records if of == "rows" else judge_steps
        some, boxes = [records[i] for i in places], [toolboxes[i] for i in places]
        opinions = judge(some, self.model, boxes, votes=self.votes, needed=self.needed)
        return {i: self._said(opinion, agreement, of) for i, opinion in zip(places, opinions, strict=True)}

    def _said(self, opinion: Opinion | None, agreement: Agreement, of: str) -> Said:
        if opinion is None:
            return Said(Check(name=self.stage, verdict="unjudged", detail="no step calls"))
        if agreement.usable:
            return Said(opinion.outcome, opinion)
        remark = f"{agreement.sentence(of)}; asked anyway, it says {opinion.verdict}: {opinion.detail}"
        return Said(Check(name=self.stage, verdict="unjudged", detail=remark), opinion)


@dataclass
class Rater:
    """Rates the thoughts of records that have any; below ``least`` of five a record fails."""

    model: Model
    least: int = LEAST
    stage: str = RATING
    agreements: dict[str, Agreement] = field(default_factory=dict)

    def check(self, records: Sequence[Trajectory], toolboxes: Sequence[Toolbox]) -> list[Said]:
        if "thoughts" not in self.agreements and any(map(has_thoughts, records)):
            self.agreements["thoughts"] = measure_rating_agreement(self.model, self.least)
        agreement = self.agreements.get("thoughts")
        if agreement is not None and not agreement.usable:
            return [Said(_unjudged(self.stage, agreement, "thoughts")) for _ in records]
        return [Said(outcome) for outcome in rate_records(records, self.model, least=self.least)]


def _unjudged(stage: str, agreement: Agreement, of: str) -> Check:
    return Check(name=stage, verdict="unjudged", detail=agreement.sentence(of))


def trust(checks: Sequence[ModelCheck]) -> tuple[list[str], list[dict[str, Any]]]:
    """Of all that was measured: a sentence each, and the figures."""
    pairs = [(check.stage, of, agreement) for check in checks for of, agreement in check.agreements.items()]
    return (
        [agreement.sentence(of) for _, of, agreement in pairs],
        [{"stage": stage, "labelled": of, **agreement.as_dict()} for stage, of, agreement in pairs],
    )
