"""The knobs of RPO, and two presets: the paper's, and ours with guards on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lamina.errors import InputError

Rpo = Literal["batch", "traj"]
Shown = Literal["env", "self"]
Form = Literal["actions", "whole", "items"]
Optimizer = Literal["rpo", "gepa"]


@dataclass(frozen=True)
class LearnSettings:
    """``by``: RPO, or GEPA with principles as its components, to be compared with; of what follows it takes
    ``reward``, ``form`` (not ``items``), ``held``, ``test`` and ``turns``.

    An iteration rolls out ``batch`` tasks, ``repeats`` times each. ``rpo`` ``batch`` updates once from all their
    reflections, ``traj`` after every task. ``reward`` ``self`` hides the reward from the reflector.

    ``form``: one text an action (the paper), one ``whole`` text for all, or ``items`` edited line by line.
    ``accept``: a change stays only if held-out tasks reward it more. ``keep_best``: the version best on held-out tasks
    is the result, instead of the last. ``fallback``: an answer that is no principle leaves the old one. The paper
    publishes neither batch size nor iterations nor lengths: the figures are our choice."""

    by: Optimizer = "rpo"
    rpo: Rpo = "batch"
    reward: Shown = "env"
    iterations: int = 4
    batch: int = 8
    repeats: int = 1
    form: Form = "actions"
    accept: bool = True
    keep_best: bool = True
    fallback: bool = True
    principle_chars: int = 600
    """Of one action's text, with ``fallback``; four times as many for ``whole``. 0: no cap."""
    reflection_chars: int = 4000
    """What the optimizer sees of one reflection. 0: no cap."""
    test: int = 20
    held: int = 10
    turns: int = 15
    temperature: float = 0.0
    writing_tokens: int = 512
    """Of a reflection, and of a principle."""
    seed: int = 0

    @property
    def judged(self) -> bool:
        """Whether held-out tasks are played after each update."""
        return (self.accept or self.keep_best) and self.held > 0

    def check(self, *, rewarded: bool) -> None:
        """Raises InputError for settings that contradict each other or the environment."""
        if self.reward == "env" and not rewarded:
            mend = "give a reward function, name the right calls in the tasks, or take --reward self"
            raise InputError("there is no reward to show the reflector", mend=mend)
        if self.judged and not rewarded:
            mend = "without a reward take --preset paper, or --held 0"
            raise InputError("accept-if-better and keep-best need a reward on held-out tasks", mend=mend)
        if self.by == "gepa" and self.form == "items":
            raise InputError("GEPA writes whole texts", mend="take --form actions or whole")
        if self.by == "gepa" and not rewarded:
            raise InputError("GEPA needs a reward on held-out tasks", mend="give one, or take --by rpo")
        if self.repeats > 1 and self.temperature <= 0:
            raise InputError("repeats at temperature 0 are the same rollout again", mend="give --temperature 0.7")
        if self.iterations < 0:
            raise InputError(f"iterations is {self.iterations}", mend="at least 0: the tests alone are played")
        for name in ("batch", "repeats", "turns"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}", mend="at least 1")


PAPER = {"accept": False, "keep_best": False, "fallback": False, "principle_chars": 0, "reflection_chars": 0, "held": 0}
"""No accept/reject step is drawn in the paper, and nothing is said of lengths and failed answers."""
PRESETS: dict[str, dict[str, int | bool]] = {"guarded": {}, "paper": {**PAPER}}
