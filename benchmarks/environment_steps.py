"""What the environments' rewards say of an oracle and of an agent at random, and how fast they step on one core.

usage: environment_steps.py [--all-games] [NAME…]        (three minutes, one core; docs/results/rpo.md)

Steps per second of processor time, resets and rewards included, with each agent's own time taken off. Environments
whose data is not on this machine are left out with the reason. Of ALFWorld's games every eleventh is
played, by the oracle alone; with --all-games each (half an hour).
"""

from __future__ import annotations

import random
import sys
import time

from lamina.agents.environments import open_environment
from lamina.agents.policies import at_random, oracle, play
from lamina.errors import InputError

GOAL = 1000
"""Steps a second of NAMES[:3]."""
NAMES = (
    "tool-query",
    "tool-operation",
    "shop",
    "service-desk:retail",
    "service-desk:airline",
    *(f"bfcl-multi-turn:{category}" for category in ("base", "miss_func", "miss_param", "long_context")),
    "text-game:textworld",
    "text-game:alfworld",
)
MOST = 100
"""Steps of an episode."""


class Timed:
    """A policy that knows how long it took itself."""

    def __init__(self, policy):
        self.policy, self.seconds = policy, 0.0

    def __call__(self, observation: str):
        started = time.process_time()
        try:
            return self.policy(observation)
        finally:
            self.seconds += time.process_time() - started


def main() -> None:
    print("environment                   tasks  agent   reward  lowest  highest  steps  steps/s")
    slow = []
    asked = sys.argv[1:]
    stride = 1 if "--all-games" in asked else 11
    for name in [a for a in asked if a != "--all-games"] or NAMES:
        try:
            environment = open_environment(name)
        except InputError as error:
            print(f"{name:28}  left out: {error}")
            continue
        games = name == "text-game:alfworld"
        tasks = environment.tasks()[:: stride if games else 1]
        for agent in ("oracle",) if games else ("oracle", "random"):
            if not games:
                row(name, environment, tasks[:20], agent)  # once to warm up: schemas compile on first use
            rewards, steps, seconds = row(name, environment, tasks, agent)
            mean = sum(rewards) / len(rewards)
            if name in NAMES[:3] and steps / seconds < GOAL:
                slow.append(name)
            print(
                f"{name:28} {len(tasks):6}  {agent:6}  {mean:6.3f}  {min(rewards):6.3f}  {max(rewards):7.3f}  "
                f"{steps:5}  {steps / seconds:7.0f}",
                flush=True,
            )
        environment.close()
    print(f"below {GOAL} steps/s: {', '.join(slow) or 'none'}")


def row(name: str, environment, tasks, agent: str):
    rewards, steps, own = [], 0, 0.0
    started = time.process_time()
    for task in tasks:
        chance = random.Random(f"{name} {task.id}")
        policy = Timed(oracle(environment, task) if agent == "oracle" else at_random(environment, task, chance))
        reward, made = play(environment, task, policy, most=MOST if agent == "oracle" else 30)
        rewards.append(reward)
        steps += made
        own += policy.seconds
    return rewards, steps, time.process_time() - started - own


if __name__ == "__main__":
    main()
