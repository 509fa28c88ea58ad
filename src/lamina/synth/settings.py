"""What a synthesis is made of; every number is our choice unless it says otherwise."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lamina.checks.judge import passes_needed
from lamina.errors import UserError

GRAMMAR_SHARE_AT_MOST = 1 / 3
FEW_TOOLS = {"simple": 0.89, "irrelevant": 0.05, "missing-argument": 0.06}
"""Of what a model is asked for; the grammar adds parallel, dependent and near misses."""
WORDINGS = ("plain", "terse", "chatty", "indirect", "misspelt", "vague")
"""Of ``material/first.toml``."""
WORDED = ("simple", "multiple", "parallel", "parallel-multiple", "irrelevant")
"""Styles of call-first that ask for a wording; irrelevant only of a library."""
PLAIN = "plain"
"""Of conversations, and of what is asked for in pieces where no wording of ``JOINABLE`` is wanted."""
IN_PIECES = "parallel-multiple"
"""The style whose requests are written in pieces and joined."""
JOINABLE = ("plain", "terse", "indirect", "misspelt", "vague")
"""Wordings of what is joined of pieces: chatter between two hides where one ends (our choice)."""
LIKE_EXAMPLES = "like-examples"
"""Of requests that a model words as the examples of their tool, which it is shown."""
OTHERWISE = 0.25
"""Of what is asked for of tools that have examples, the share that is worded otherwise where both are wanted: a small
writer follows an example better than it says one again in other words (our choice)."""
LIBRARY = {
    "simple": 0.24, "multiple": 0.28, "parallel": 0.15, "parallel-multiple": 0.15,
    "irrelevant": 0.06, "missing-argument": 0.06, "multi-turn": 0.06,
}  # fmt: skip
"""Of a set with more tools than a row offers."""
PAIRS_FEW_TOOLS = {"simple": 0.5, "parallel": 0.25, "parallel-multiple": 0.25}
PAIRS_LIBRARY = {"simple": 0.3, "multiple": 0.34, "parallel": 0.18, "parallel-multiple": 0.18}
"""Of pairs: the styles that have calls."""
OF_SEVERAL_TOOLS = ("multiple", "parallel-multiple")
ATTEMPTS_PER_ROW = 4
"""Synthesis stops, saying so, at this many attempts for each row asked for."""
VARIANTS = ((300, 2), (600, 1))
"""Up to so many examples of the user's each is said again so often; beyond, not at all: rows that a program composed
would outnumber what people and models wrote (our choice)."""


@dataclass(frozen=True)
class SynthSettings:
    """``rows``: verified rows wanted, those of the model and the grammar together. ``targets``:
    attempts, whatever they yield (then ``rows`` is ignored). ``how``: ``call-first`` draws a valid call and has the
    model write the request; ``pairs`` is APIGen's own, the model writes query and answer (arXiv 2406.18518 section
    3.1). ``round_trip``: ``warm-up`` (a model tuned for a moment on the rows
    at hand), ``none`` or a model reference. ``judge``: ``none`` or a model reference, asked ``votes`` times a row, of
    which ``votes_needed`` must pass (None: more than half). ``variants``: how often each example of one call that the
    user wrote is said again with other values; None to let their number decide (``VARIANTS``). ``allow_changes``:
    whether tools may be called that change things elsewhere; ``timeout``: seconds that a call of one may take, None for
    the usual ones. ``styles``: what share of what a model is asked for is of
    each style; empty for ``FEW_TOOLS`` or ``LIBRARY``, of pairs ``PAIRS_FEW_TOOLS`` or ``PAIRS_LIBRARY``. ``sampler``:
    which tool is next. ``wordings``: how requests are worded, in rows of the styles ``WORDED`` (joined of pieces only
    ``JOINABLE``), and all that ``pairs`` writes; ``LIKE_EXAMPLES`` among them is for tools that have examples, of which
    the others then get the share ``OTHERWISE``. ``offer``: tools on offer in a row
    at most, None for all; a larger set is a library, whose rows offer a choice of it. ``near``: share of words in
    common, in order, from which on a request is a near copy of one for the same tools. ``per_call``: rows at most that
    call the same functions with the same arguments given; None for any number. ``constrained``: whether ``pairs``
    answers are held to a JSON Schema.
    ``per_request``: how many pairs a model is asked for at once."""

    rows: int = 330
    targets: int | None = None
    writer: str = "embedded"
    judge: str = "none"
    votes: int = 1
    votes_needed: int | None = None
    round_trip: str = "none"
    how: Literal["call-first", "pairs"] = "call-first"
    grammar_share: float = 0.32
    variants: int | None = None
    temperature: float = 0.4
    slots: int = 1
    batch: int = 64
    seed: int = 0
    now: str = "2026-11-23T10:00:00"
    allow_changes: bool = False
    timeout: float | None = None
    styles: tuple[tuple[str, float], ...] = ()
    sampler: str = "uniform"
    wordings: tuple[str, ...] = (LIKE_EXAMPLES, *WORDINGS)
    offer: int | None = None
    constrained: bool = True
    per_request: int = 3
    near: float = 0.7
    per_call: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.grammar_share <= GRAMMAR_SHARE_AT_MOST:
            raise UserError(f"grammar_share is {self.grammar_share}; it must lie between 0 and 1/3")
        if self.votes < 1:
            raise UserError(f"votes is {self.votes}; a judge has at least one")
        passes_needed(self.votes, self.votes_needed)
        if not 0 < self.near <= 1 or (self.per_call is not None and self.per_call < 1):
            raise UserError("near is a share above 0 and up to 1, per_call at least 1")
        if self.variants is not None and self.variants < 0:
            raise UserError(f"variants is {self.variants}; give 0 for none")
        if self.rows < 1 or (self.targets is not None and self.targets < 1):
            raise UserError("rows and targets must be at least 1")
        if self.per_request < 1:
            raise UserError(f"per_request is {self.per_request}; ask for at least one pair at a time")
        if self.offer == 0 or not self.wordings:
            raise UserError("offer at least one tool, in at least one wording")
        shares = [share for _, share in self.styles]
        if shares and (not all(0 <= share < float("inf") for share in shares) or not sum(shares)):
            raise UserError("the shares of the styles are numbers of 0 or more, and not all 0")

    def is_library(self, tools: int) -> bool:
        """Whether that many tools are more than a row has on offer: each row then offers some of them."""
        return self.offer is not None and tools > self.offer

    def shares(self, tools: int) -> dict[str, float]:
        """The share of each style, 1 in all, for that many tools."""
        given = dict(self.styles) or self._usual_shares(tools)
        total = sum(given.values())
        return {style: share / total for style, share in given.items()}

    def _usual_shares(self, tools: int) -> dict[str, float]:
        if self.how == "call-first":
            return LIBRARY if self.is_library(tools) else FEW_TOOLS
        usual = PAIRS_LIBRARY if self.is_library(tools) else PAIRS_FEW_TOOLS
        return {style: share for style, share in usual.items() if tools > 1 or style not in OF_SEVERAL_TOOLS}

    def wording(self, rng: random.Random, has_examples: bool, known: Sequence[str] = WORDINGS) -> str:
        """The wording of one request or group: ``LIKE_EXAMPLES`` only of tools that have some, and else one of those
        asked for that are ``known``, plain where there is none."""
        others = [wording for wording in self.wordings if wording in known]
        like = has_examples and LIKE_EXAMPLES in self.wordings
        return LIKE_EXAMPLES if like and (not others or rng.random() >= OTHERWISE) else rng.choice(others or (PLAIN,))

    def variants_of(self, examples: int) -> int:
        """How often each of that many examples is said again with other values."""
        if self.variants is not None:
            return self.variants
        return next((times for most, times in VARIANTS if examples <= most), 0)

    @property
    def wanted(self) -> int | None:
        """Verified rows at which to stop; None where attempts alone are counted."""
        return None if self.targets is not None else self.rows

    @property
    def attempts(self) -> int:
        return self.targets if self.targets is not None else ATTEMPTS_PER_ROW * self.rows
