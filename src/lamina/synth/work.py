"""The state of one synthesis, and how its phases commit: the rows and rejects of a phase and its marker are one
transaction, so that a killed phase is done again and a finished one never."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lamina.checks import Agreement, Candidate, Novelty, Rejection
from lamina.checks.judge import STAGE as JUDGE
from lamina.checks.round_trip import STAGE as ROUND_TRIP
from lamina.models import Model
from lamina.runs import Run
from lamina.runs.records import Row
from lamina.synth.costs import Costs, summed
from lamina.synth.grammar import Words
from lamina.synth.settings import LIKE_EXAMPLES, SynthSettings
from lamina.synth.unserved import unserved_requests
from lamina.synth.verifying import noisy, reject_of, trajectory_of
from lamina.synth.wording import Exemplar, locate
from lamina.synth.writers import Materials, easy_to_follow
from lamina.tools import Toolbox
from lamina.trajectories import Query, Reject, ToolCall, Trajectory, TrajectoryStore
from lamina.trajectories.store import record_row
from lamina.trajectories.trajectory import json_line

MARKER = "synth-batch"
PHASE_STRIDE = 1_000_000
"""Positions between two phases; the model's batches begin at the third."""
AFTER_NOVELTY = (ROUND_TRIP, JUDGE)
MISSES = 6
"""Rejects that count like a verified row where a sampler looks for the tool that has the fewest: one that the writer
cannot write for does not take all that is left (our choice)."""
LARGEST_POOL = 40
"""Examples kept for a tool's prompts."""


@dataclass
class Work:
    """``verified`` counts rows by writer, ``covered`` by called tool, ``missed`` rejects by
    the tool that they were to call, ``augmented`` counts variants. ``seeds``: requests
    that the user wrote. ``cost``: of what is committed."""

    toolbox: Toolbox
    run: Run
    settings: SynthSettings
    words: Words
    rows: TrajectoryStore
    seeds: Sequence[Query] = ()
    novelty: Novelty = field(default_factory=Novelty)
    pools: dict[str, list[Exemplar]] = field(default_factory=dict)
    verified: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    augmented: int = 0
    targets: int = 0
    cost: dict[str, Any] = field(default_factory=lambda: summed([]))
    costs: Costs = field(init=False)
    _failing: tuple[int, dict[str, Any]] = (0, {})
    """What was last committed of ``words.stock.failing``, and how often that was."""
    round_trip: Model | None = None
    judge: Model | None = None
    agreement: Agreement | None = None

    def __post_init__(self) -> None:
        self.costs = Costs(self.words.executor)

    @property
    def materials(self) -> Materials:
        reached = {t.name: self.covered[t.name] + self.missed[t.name] // MISSES for t in self.toolbox}
        return Materials(self.words, self.pools, self.settings, reached)

    @property
    def examples(self) -> int:
        """What the user gave: examples of docstrings and of one call, and requests of several calls or none."""
        return sum(len(t.examples) for t in self.toolbox) + sum(q.kind != "single" for q in self.seeds)

    @property
    def variants(self) -> int:
        return self.settings.variants_of(self.examples)

    @property
    def by_model(self) -> int:
        return self.verified[self.settings.writer]

    def remember(self) -> None:
        """What an earlier, interrupted run of the same command committed."""
        self.novelty = Novelty(near=self.settings.near, per_call=self.settings.per_call)
        self.pools = {name: easy_to_follow(found) for name, found in self.words.exemplars.items()}
        for row in self.rows.trajectories():
            self._keep(row)
        for reject in self.rows.rejects():
            self._miss(reject)
            self._remember_reject(reject)
        for stored in self.run.store.iterate(MARKER):
            marker = json.loads(stored.payload)
            self._count(marker)
            number, failing = marker.get("failing", (0, {}))
            if number > self._failing[0]:
                self._failing = number, failing
        if self._failing[0]:
            self.words.stock.failing.restore(self._failing[1], self.toolbox)

    def remember_material(self) -> None:
        """A model that is shown the material's requests must not hand them back. (After the grammar, whose rows some of
        them are.)"""
        for request in unserved_requests(self.toolbox):
            self.novelty.remember(request)

    def is_done(self, phase: str) -> bool:
        return self.run.store.get(MARKER, phase) is not None

    def noted(self, phase: str) -> dict[str, Any]:
        """What the marker of a phase says; empty where it is not done."""
        row = self.run.store.get(MARKER, phase)
        found: dict[str, Any] = json.loads(row.payload) if row else {}
        return found

    def targets_of(self, phase: str) -> int:
        """Of all its parts, where it was committed in some."""
        noted = self.noted(phase)
        return int(noted.get("tried", noted.get("targets", 0)))

    def commit(
        self, phase: str, position: int, outcomes: Sequence[Trajectory | Reject], targets: int = 0, **notes: Any
    ) -> None:
        """Position 0 is the first phase's, ``PHASE_STRIDE`` the second's. Outcomes of one id are one, and
        one that is there already is none. The marker says ``notes``, and what was spent since the last commit."""
        distinct = [o for o in {o.id: o for o in outcomes}.values() if not self.rows.has(o)]
        rows = [record_row(outcome, position + i) for i, outcome in enumerate(distinct)]
        marker = {"targets": targets, "cost": self.costs.taken(), **notes}
        failing = self.words.stock.failing.state()
        if failing != self._failing[1]:
            self._failing = self._failing[0] + 1, failing
            marker["failing"] = self._failing
        self.run.store.put([*rows, Row(MARKER, phase, position, json_line(marker))])
        for outcome in distinct:
            if isinstance(outcome, Trajectory):
                self._keep(outcome)
            else:
                self._miss(outcome)
        self._count(marker)

    def outcome(
        self, candidate: Candidate, rejection: Rejection | None, rng: random.Random | None = None
    ) -> Trajectory | Reject:
        if rejection is not None:
            return reject_of(candidate, self.toolbox, rejection)
        rng = rng or random.Random(candidate.seed)
        request = noisy(candidate, rng, self.toolbox)
        return trajectory_of(candidate, self._offered(candidate, rng), self.words.executor.level, request, rng)

    def _offered(self, candidate: Candidate, rng: random.Random) -> Toolbox:
        called = list({c.name: self.toolbox[c.name] for c in candidate.calls}.values())
        anyone = called or [rng.choice(list(self.toolbox))]
        return candidate.offered or self.materials.offered(anyone, rng) or self.toolbox

    def _keep(self, row: Trajectory) -> None:
        """Verified rows return to the pool of examples (APIGen section 3.1, "seed" feedback)."""
        extra = row.meta.model_extra or {}
        clean = extra.get("clean") or row.request
        frame = "" if extra.get("augmented") else extra.get("template") or ""
        self.novelty.remember(clean, frame, row.calls)
        if extra.get("augmented"):
            self.augmented += 1
            return
        self.verified[row.meta.writer] += 1
        self.covered.update({c.name for c in row.calls})
        if row.meta.writer == self.settings.writer and len(row.calls) == 1 and row.meta.style in ("simple", "multiple"):
            call = row.calls[0]
            if self.words.exemplars.get(call.name) and extra.get("wording") != LIKE_EXAMPLES:
                return  # the examples are to be followed, typing errors and all
            found = locate(self.toolbox[call.name], clean, call.arguments)
            pool = self.pools.setdefault(call.name, [])
            if found is not None and len(pool) < LARGEST_POOL:
                pool.append(found)

    def _miss(self, reject: Reject) -> None:
        self.missed.update({call["name"] for call in (reject.record or {}).get("calls", [])})

    def _remember_reject(self, reject: Reject) -> None:
        """Novelty comes before the models' checks: what they rejected was new then, and a copy of it is one."""
        record = reject.record or {}
        if reject.stage in AFTER_NOVELTY:
            calls = [ToolCall.of(call["name"], call["arguments"]) for call in record["calls"]]
            self.novelty.remember(record["request"], record.get("template", ""), calls)

    def _count(self, marker: dict[str, Any]) -> None:
        self.targets += marker["targets"]
        self.cost = summed([self.cost, marker["cost"]])
