"""How much of an agent's prompts the local engine finds in its cache, and what that saves.

usage: prefix_sharing.py MODEL.gguf [--env NAME] [--tasks N] [--turns N]    (minutes; docs/results/rpo.md)

The same tasks are played with the cache and without, with as many slots as tasks and with fewer. A turn's prompt is the
one before it and a little more, and the part before the trajectory is the same in all episodes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from lamina.agents.act import Budget
from lamina.agents.environments import open_environment
from lamina.agents.principles import Principles
from lamina.agents.prompting import Manner
from lamina.agents.rollouts import Job, roll_out
from lamina.models.llamacpp import LlamaCppModel


def play(path: Path, env: str, tasks: int, turns: int, slots: int, cache: bool) -> dict[str, float]:
    """Prompt tokens of all requests, those that were read and not found, and the seconds of the engine."""
    world = open_environment(env)
    model = LlamaCppModel(str(path), path, slots=slots, context=4096 + 3072 * slots, cache_prompts=cache)
    principles = Principles({name: f"Call {name} with values that you were shown." for name in world.toolbox.names})
    found = {"turns": 0, "prompt": 0, "read": 0, "reading": 0.0, "written": 0}

    def ask(pairs):
        replies = model.generate([request for _, request in pairs])
        for reply in replies:
            found["turns"] += 1
            found["prompt"] += reply.prompt_tokens
            found["read"] += reply.timings.get("prompt_n", 0)
            found["reading"] += reply.timings.get("prompt_ms", 0.0) / 1000
            found["written"] += reply.completion_tokens
        return replies

    try:
        jobs = [Job(f"{i}", task) for i, task in enumerate(world.tasks()[:tasks])]
        started = time.perf_counter()
        roll_out(world, jobs, ask, principles=principles, manner=Manner("pract", "text"), budget=Budget(turns=turns))
        return {**found, "seconds": time.perf_counter() - started}
    finally:
        model.close()
        world.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--env", default="tool-query")
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--turns", type=int, default=5)
    asked = parser.parse_args()
    print(
        f"{'slots':>5}  {'cache':5}  {'turns':>5}  {'prompt tokens':>13}  {'from cache':>10}  {'written':>7}  seconds"
    )
    for slots, cache in ((asked.tasks, False), (asked.tasks, True), (max(1, asked.tasks // 2), True), (1, True)):
        row = play(asked.model, asked.env, asked.tasks, asked.turns, slots, cache)
        share = 1 - row["read"] / row["prompt"]
        print(
            f"{slots:>5}  {'yes' if cache else 'no':5}  {row['turns']:>5}  {row['prompt']:>13}  {share:>10.1%}  "
            f"{row['written']:>7}  {row['seconds']:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
