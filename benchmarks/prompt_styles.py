"""Prompt styles side by side: right answers, tokens of the prompt, and time to the first token, for ``full`` (schemas
in the prompt), ``compact`` (a signature a tool) and ``baked`` (no tools: the model knows them).

usage: prompt_styles.py MODEL… [--tools FILE] [--queries FILE] [--count N] [--threads N]

A MODEL is a reference, asked in all three styles, or STYLE=REF, asked in one: a model answers well in the style that
it was trained for, so give one trained for each. Asked is one request at a time, greedily and constrained; requests
that need the result of an earlier call are left out. The first request of each style reads its whole prompt (cold);
later ones find the shared part in the engine's cache (warm, the median). Intervals are Wilson's
(docs/results/training.md).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean

from lamina.bench.intervals import wilson
from lamina.bench.speed import measure_speed
from lamina.models import Request, open_model
from lamina.tools.readers import read_tools
from lamina.trajectories import Message, read_queries

DESK = Path(__file__).parents[1] / "examples" / "desk"
STYLES = ("full", "compact", "baked")


class Kept:
    """A model whose replies are kept, so that one run gives answers and times."""

    def __init__(self, model):
        self.model, self.replies = model, []

    def generate(self, requests):
        found = self.model.generate(requests)
        self.replies += found
        return found


def ask(ref: str, style: str, toolbox, queries, threads: int) -> str:
    requests = [Request([Message(role="user", content=q.query)], tools=toolbox, style=style) for q in queries]
    model = open_model(ref, threads=threads, slots=1, style=style)
    try:
        kept = Kept(model)
        speed = measure_speed(kept, requests)
    finally:
        model.close()
    right = sum(
        reply.problem is None and query.match(reply.calls, toolbox).exact
        for query, reply in zip(queries, kept.replies, strict=True)
    )
    share = wilson(right, len(queries))
    tokens = mean(reply.prompt_tokens for reply in kept.replies)
    cold, warm = (speed[name] * 1000 for name in ("cold_first_token_seconds", "first_token_seconds"))
    return (
        f"{style:8} {share.value:6.1%} ({share.low:.0%}-{share.high:.0%}) {tokens:7.0f} {cold:9.0f} ms {warm:7.0f} ms  "
        f"{speed['request_seconds']:6.2f} s"
    )


def main() -> None:
    read = argparse.ArgumentParser()
    read.add_argument("models", nargs="+", metavar="MODEL")
    read.add_argument("--tools", default=str(DESK / "tools.py"))
    read.add_argument("--queries", type=Path, default=DESK / "queries-dev.jsonl")
    read.add_argument("--count", type=int, default=0, help="only that many of the queries")
    read.add_argument("--threads", type=int, default=2)
    told = read.parse_args()
    toolbox = read_tools(told.tools)
    queries = [query for query in read_queries(told.queries, toolbox) if query.kind != "dependent"]
    queries = queries[: told.count or None]
    print(f"{len(queries)} requests, {len(toolbox.names)} tools, {told.threads} threads")
    print("style    exact             prompt   first token, cold and warm  request")
    for given in told.models:
        named, _, ref = given.partition("=")
        one = (named, ref) if named in STYLES and ref else None
        print(ref if one else given)
        for style in [named] if one else STYLES:
            print(ask(ref if one else given, style, toolbox, queries, told.threads), flush=True)


if __name__ == "__main__":
    main()
