"""What the ways of writing yield with one writer: call-first, pairs held to a JSON Schema, pairs written freely.

usage: pairs_writers.py MODEL TOOLS [-n TARGETS] [--per-request N] [--seed S]      (64 targets each)

All are asked for the styles and the shares of pairs, without a grammar and without variants, so that each target is
one row of the model's. Rejects are counted by stage, the commonest reasons below; tokens are those read and written."""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import open_executor
from lamina.trajectories import TrajectoryStore

OFFER = 16
STAGES = ("format", "execution", "grounding", "novelty")
REASONS = 4


@dataclass(frozen=True)
class Yield:
    way: str
    targets: int
    verified: int
    seconds: float
    tokens: int
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By stage and reason."""

    def of_stage(self, stage: str) -> int:
        return sum(n for (one, _), n in self.rejected.items() if one == stage)


def ways(writer: str, tools: int, targets: int, per_request: int, seed: int) -> dict[str, SynthSettings]:
    plain = SynthSettings(
        writer=writer, targets=targets, per_request=per_request, seed=seed, offer=OFFER, grammar_share=0, variants=0
    )
    pairs = replace(plain, how="pairs")
    styles = tuple(pairs.shares(tools).items())
    return {
        "call-first": replace(plain, styles=styles),
        "pairs, constrained": replace(pairs, styles=styles),
        "pairs, unconstrained": replace(pairs, styles=styles, constrained=False),
    }


def measured(way: str, settings: SynthSettings, toolbox: Toolbox) -> Yield:
    with tempfile.TemporaryDirectory() as folder:
        with open_executor(toolbox) as executor, Run.open(Path(folder, "run"), {"way": way}) as run:
            result = synthesize(toolbox, run, settings, Progress(silent=True), executor)
            rejects = [r for r in TrajectoryStore(run.store).rejects() if (r.record or {})["writer"] == settings.writer]
        verified = result["writers"].get(settings.writer, 0)
    reasons = Counter((reject.stage, reject.reason) for reject in rejects)
    return Yield(way, result["targets"], verified, result["seconds"], result["tokens"], reasons)


def table(found: Sequence[Yield]) -> list[str]:
    head = f"{'way':<22}{'targets':>8}{'verified':>9}{'yield':>7}"
    lines = [head + "".join(f"{stage:>11}" for stage in STAGES) + f"{'seconds':>9}{'tokens':>9}{'a row':>8}"]
    for one in found:
        share, each = one.verified / one.targets, f"{one.tokens / one.verified:.0f}" if one.verified else "-"
        lines.append(
            f"{one.way:<22}{one.targets:>8}{one.verified:>9}{share:>7.0%}"
            + "".join(f"{one.of_stage(stage):>11}" for stage in STAGES)
            + f"{one.seconds:>9.1f}{one.tokens:>9}{each:>8}"
        )
    for one in found:
        commonest = [f"{reason} {n}" for (_, reason), n in one.rejected.most_common(REASONS)]
        lines.append(f"{one.way}: {', '.join(commonest) or 'nothing rejected'}")
    return lines


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("tools", type=Path)
    parser.add_argument("-n", type=int, default=64)
    parser.add_argument("--per-request", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)
    toolbox = read_tools(given.tools)
    asked = ways(given.model, len(toolbox), given.n, given.per_request, given.seed)
    print("\n".join(table([measured(way, settings, toolbox) for way, settings in asked.items()])))


if __name__ == "__main__":
    main()
