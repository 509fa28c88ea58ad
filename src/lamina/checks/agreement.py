"""How far a model that checks agrees with rows that people labelled: what it says counts for no more than that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, Literal

from lamina.trajectories import Trajectory

Material = Literal["judge", "steps", "thoughts"]
"""``judge``: 60 requests with their calls. ``steps``: 30 next steps of a dialogue. ``thoughts``: 30 thoughts before a
call. Half of each is wrong."""


@dataclass(frozen=True)
class Agreement:
    """How far a judge agrees with the labelled rows. ``low``/``high``: Wilson 95 % interval of ``rate``.
    ``usable`` when the interval lies above one half *and* the judge says both yes and no: half of the rows
    are wrong, so a judge that always passes has exactly one half."""

    judge: str
    rows: int
    agreed: int
    passed: int
    unreadable: int
    rate: float
    low: float
    high: float

    @property
    def usable(self) -> bool:
        return self.low > 0.5 and 0 < self.passed < self.rows

    @property
    def why(self) -> str:
        """Why it is not usable; empty where it is."""
        if self.usable:
            return ""
        if 2 * self.unreadable > self.rows:
            return f"{self.unreadable} of its {self.rows} answers about rows labelled by hand cannot be read"
        return f"it agrees with {self.agreed} of {self.rows} rows labelled by hand, which is near chance"

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "usable": self.usable, **({} if self.usable else {"why": self.why})}

    def sentence(self, of: str) -> str:
        unread = f" ({self.unreadable} of its answers cannot be read)" if self.unreadable else ""
        trust = "" if self.usable else ": near chance, so what it says is not used"
        return f"the judge agrees with {self.agreed} of {self.rows} labelled {of}{unread}{trust}"


def labelled_rows(material: Material = "judge") -> list[Trajectory]:
    """Rows written and labelled by hand; ``meta.label`` is ``right`` or ``wrong``, half of each."""
    text = files("lamina.checks").joinpath("material", f"{material}-labelled.jsonl").read_text("utf-8")
    return [Trajectory.from_json(line) for line in text.splitlines() if line.strip()]


def agreement_of(judge: str, rows: Sequence[Trajectory], passed: Sequence[bool | None]) -> Agreement:
    """``passed``: what the judge said of each row; None where it could not be read, which agrees with nothing."""
    labels = [(r.meta.model_extra or {}).get("label") == "right" for r in rows]
    agreed = sum(said is not None and said == label for said, label in zip(passed, labels, strict=True))
    low, high = _wilson(agreed, len(rows))
    unreadable = sum(said is None for said in passed)
    return Agreement(judge, len(rows), agreed, sum(map(bool, passed)), unreadable, agreed / len(rows), low, high)


def _wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = successes / n, z * z
    centre, spread = p + z2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return (centre - spread) / (1 + z2 / n), (centre + spread) / (1 + z2 / n)
