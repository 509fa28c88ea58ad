"""One update: reflections on trajectories, and from them new principles. Everything in it is asked at once."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.agents.learning.ledger import Ledger
from lamina.agents.learning.optimizing import WHOLE, Proposal, optimization_request, read_proposal, targets_of
from lamina.agents.learning.reflecting import Reflection, read_reflection, reflection_request
from lamina.agents.learning.settings import LearnSettings
from lamina.agents.principles import Principles
from lamina.models.model import Model
from lamina.runs import Progress
from lamina.tools.tool import Toolbox
from lamina.trajectories.trajectory import Trajectory


def improve(
    place: str,
    trajectories: Sequence[Trajectory],
    toolbox: Toolbox,
    principles: Principles,
    reflector: Model,
    optimizer: Model,
    settings: LearnSettings,
    ledger: Ledger,
    progress: Progress,
) -> tuple[list[Reflection], list[Proposal], Principles]:
    """``place`` names the update. Without a reflection of use nothing is proposed and nothing changed."""
    with progress.stage("reflection", len(trajectories)) as bar:
        asked = [
            (f"{place} {i}",
             reflection_request(t, toolbox, principles, reward=settings.reward == "env", tokens=settings.writing_tokens,
                                seed=settings.seed))
            for i, t in enumerate(trajectories)
        ]  # fmt: skip
        replies = ledger.asking(reflector, "reflect", bar.advance)(asked)
        chars = settings.reflection_chars
        reflections = [read_reflection(t, r, chars) for t, r in zip(trajectories, replies, strict=True)]
    useful = [r for r in reflections if not r.problem]
    if not useful:
        return reflections, [], principles
    targets = targets_of(toolbox, settings)
    with progress.stage("optimization", len(targets)) as bar:
        wishes = [
            (f"{place} {target}", optimization_request(target, toolbox, principles, useful, settings))
            for target in targets
        ]
        answers = ledger.asking(optimizer, "optimize", bar.advance)(wishes)
        proposals = [
            read_proposal(target, answer, toolbox, principles, settings)
            for target, answer in zip(targets, answers, strict=True)
        ]
    texts = {p.target: p.text for p in proposals if p.text is not None}
    whole = texts.pop(WHOLE, None)
    return reflections, proposals, principles.changed(texts, whole)
