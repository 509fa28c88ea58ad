"""What the environments' rewards say of an oracle and of an agent at random, and how fast they step on one core.

usage: environment_steps.py        (half a minute, one core; docs/results/agents.md)

Steps per second of processor time, resets and rewards included, with each agent's own time taken off.
"""

from __future__ import annotations

import random
import time

from lamina.agents.environments import open_environment
from lamina.agents.policies import at_random, oracle, play

NAMES = ("tool-query", "tool-operation", "shop")


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
    print("environment     tasks  agent   reward  lowest  highest  steps  steps/s")
    for name in NAMES:
        environment = open_environment(name)
        tasks = environment.tasks()
        for agent in ("oracle", "random"):
            row(name, environment, tasks, agent)  # once to warm up: schemas compile on first use
            rewards, steps, seconds = row(name, environment, tasks, agent)
            mean = sum(rewards) / len(rewards)
            print(
                f"{name:14} {len(tasks):6}  {agent:6}  {mean:6.3f}  {min(rewards):6.3f}  {max(rewards):7.3f}  "
                f"{steps:5}  {steps / seconds:7.0f}",
                flush=True,
            )


def row(name: str, environment, tasks, agent: str):
    rewards, steps, own = [], 0, 0.0
    started = time.process_time()
    for task in tasks:
        chance = random.Random(f"{name} {task.id}")
        policy = Timed(oracle(environment, task) if agent == "oracle" else at_random(environment, task, chance))
        reward, made = play(environment, task, policy)
        rewards.append(reward)
        steps += made
        own += policy.seconds
    return rewards, steps, time.process_time() - started - own


if __name__ == "__main__":
    main()
