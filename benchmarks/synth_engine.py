"""Does synthesis keep its engine busy? Tokens a second of the writer while it synthesizes, against the same engine with
the same prompts in a bare loop, and the share of prompt tokens that the prefix cache had.

usage: synth_engine.py [TOOLS] [--writer REF] [-n TARGETS] [--rounds N]      (docs/results/library.md)

What counts for synthesis is all of the time from the first prompt to the last answer: drawing calls, running and
checking them, storing rows. Rounds alternate: synthesis, bare loop, synthesis, …; each opens the engine anew."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import statistics
import tempfile
import time
from pathlib import Path

from lamina.cli import main as lamina
from lamina.models import open_model

ROOT = Path(__file__).parents[1]


class Observed:
    """A model that notes what it was asked, when, and what it answered."""

    def __init__(self, model, options):
        self.model, self.ref, self.options = model, model.ref, options
        self.batches, self.replies = [], []
        self.began = self.ended = 0.0

    def generate(self, requests, on_reply=None):
        self.began = self.began or time.perf_counter()
        found = self.model.generate(requests, on_reply)
        self.ended = time.perf_counter()
        self.batches.append(list(requests))
        self.replies += found
        return found

    def close(self):
        self.model.close()


def synthesized(given) -> Observed:
    seen = []

    def observed(ref, **options):
        seen.append(Observed(open_model(ref, **options), options))
        return seen[-1]

    importlib.import_module("lamina.synth.synthesize").open_model = observed  # the package has a function of that name
    with tempfile.TemporaryDirectory() as folder:
        words = [
            "synth",
            str(given.tools),
            "--out",
            f"{folder}/run",
            "-n",
            str(given.n),
            "--writer",
            given.writer,
            "--json",
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            status = lamina(words)
    if status:
        raise SystemExit(status)
    if not any(one.batches for one in seen):
        raise SystemExit(f"the writer was asked nothing: the grammar made all {given.n} rows; raise -n")
    return next(one for one in seen if one.batches)


def bare(ref: str, like: Observed) -> Observed:
    model = Observed(open_model(ref, **like.options), like.options)
    try:
        for batch in like.batches:
            model.generate(batch)
    finally:
        model.close()
    return model


def rate(one: Observed) -> float:
    return sum(reply.completion_tokens for reply in one.replies) / (one.ended - one.began)


def cached(one: Observed) -> float:
    """Of the prompt tokens, those that the engine did not read again."""
    of = sum(reply.prompt_tokens for reply in one.replies)
    return 1 - sum(reply.timings.get("prompt_n", 0) for reply in one.replies) / of if of else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tools", nargs="?", type=Path, default=ROOT / "examples" / "desk" / "tools.py")
    parser.add_argument("--writer", default="embedded")
    parser.add_argument("-n", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    ratios = []
    print("round  requests  synthesis tokens/s  bare loop tokens/s  ratio  prompt tokens from the cache")
    for number in range(1, given.rounds + 1):
        whole = synthesized(given)
        loop = bare(given.writer, whole)
        ratios.append(rate(whole) / rate(loop))
        rates = f"{rate(whole):18.1f}  {rate(loop):18.1f}  {ratios[-1]:5.2f}"
        print(f"{number:5}  {len(whole.replies):8}  {rates}  {cached(whole):.0%}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
