"""Checks that a model does, after all rules have passed. Each says first how far it agrees with labelled rows; one near
chance is not used, and the records say ``unjudged``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lamina.checks import Agreement, Rejection
from lamina.checks.judge import STAGE as JUDGE
from lamina.checks.judge import judge_records, measure_agreement
from lamina.checks.rating import LEAST, has_thoughts, measure_rating_agreement, rate_records
from lamina.checks.rating import STAGE as RATING
from lamina.checks.stepwise import has_steps, judge_steps, measure_step_agreement
from lamina.models import Model
from lamina.tools import Toolbox
from lamina.trajectories import Check, Trajectory

Verdicts = list[Check | Rejection]


class ModelCheck(Protocol):
    stage: str

    def check(self, records: Sequence[Trajectory], toolboxes: Sequence[Toolbox]) -> Verdicts:
        """One verdict a record, in order."""
        ...

    @property
    def agreements(self) -> dict[str, Agreement]:
        """By what was labelled (``rows``, ``steps``, ``thoughts``); only what was measured so far."""
        ...


@dataclass
class Judge:
    """Judges records of one request as a whole and all others step by step, ``votes`` times each. The agreement with
    labelled steps is measured when the first record of several steps comes."""

    model: Model
    votes: int = 1
    stage: str = JUDGE
    agreements: dict[str, Agreement] = field(default_factory=dict)

    def check(self, records: Sequence[Trajectory], toolboxes: Sequence[Toolbox]) -> Verdicts:
        stepped = [has_steps(record) for record in records]
        whole = self._asked(records, toolboxes, [i for i, steps in enumerate(stepped) if not steps], "rows")
        found = whole | self._asked(records, toolboxes, [i for i, steps in enumerate(stepped) if steps], "steps")
        return [found[i] for i in range(len(records))]

    def _asked(
        self, records: Sequence[Trajectory], toolboxes: Sequence[Toolbox], places: list[int], of: str
    ) -> dict[int, Check | Rejection]:
        if not places:
            return {}
        if of not in self.agreements:
            measure = measure_agreement if of == "rows" else measure_step_agreement
            self.agreements[of] = measure(self.model)
        if not self.agreements[of].usable:
            return {i: _unjudged(self.stage, self.agreements[of], of) for i in places}
        judge = judge_records if of == "rows" else judge_steps
        said = judge([records[i] for i in places], self.model, [toolboxes[i] for i in places], votes=self.votes)
        return dict(zip(places, said, strict=True))


@dataclass
class Rater:
    """Rates the thoughts of records that have any; below ``least`` of five a record fails."""

    model: Model
    least: int = LEAST
    stage: str = RATING
    agreements: dict[str, Agreement] = field(default_factory=dict)

    def check(self, records: Sequence[Trajectory], toolboxes: Sequence[Toolbox]) -> Verdicts:
        if "thoughts" not in self.agreements and any(map(has_thoughts, records)):
            self.agreements["thoughts"] = measure_rating_agreement(self.model, self.least)
        agreement = self.agreements.get("thoughts")
        if agreement is not None and not agreement.usable:
            return [_unjudged(self.stage, agreement, "thoughts") for _ in records]
        return rate_records(records, self.model, least=self.least)


def _unjudged(stage: str, agreement: Agreement, of: str) -> Check:
    return Check(name=stage, verdict="unjudged", detail=agreement.sentence(of))


def trust(checks: Sequence[ModelCheck]) -> tuple[list[str], list[dict[str, Any]]]:
    """Of all that was measured: a sentence each, and the figures."""
    pairs = [(check.stage, of, agreement) for check in checks for of, agreement in check.agreements.items()]
    return (
        [agreement.sentence(of) for _, of, agreement in pairs],
        [{"stage": stage, "labelled": of, **agreement.as_dict()} for stage, of, agreement in pairs],
    )
