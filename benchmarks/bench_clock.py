"""Our own clock against the engine's timings, for prompts of several lengths.

usage: bench_clock.py [MODEL] [--rounds N] [--tokens N] [--threads N]    (a minute or two)

Each prompt is read from its beginning and its answer streamed. Our clock starts when the request is sent and looks when
the first and the last event arrive; the engine's timings come with the last event. The claim: prompt and answer tokens
a second by the two are within 5 % of each other.
"""

from __future__ import annotations

import argparse
from statistics import median

from lamina.bench.speed import ask_alone, timed_row
from lamina.bench.timing import timing_figures
from lamina.models import Request, open_model
from lamina.trajectories import Message

LENGTHS = (40, 100, 200, 400, 800)
TEXT = "The ferry leaves the harbour at nine and comes back with the mail, the milk and whoever stayed over. "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="embedded")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    model = open_model(asked.model, threads=asked.threads, slots=1)
    rows = []
    try:
        ask_alone(model, prompt(40, asked.tokens), cached=True)
        for number in range(1, asked.rounds + 1):
            for words in LENGTHS:
                request = prompt(words, asked.tokens)
                row = timed_row(ask_alone(model, request, cached=False), request)
                rows.append(row | {"task": "clock", "sample": str(words), "round": number})
    finally:
        model.close()
    print("prompt tokens   ITPS ours   engine    ratio   OTPS ours   engine    ratio   answer tokens")
    worst = 0.0
    for words in LENGTHS:
        mine = [row for row in rows if row["sample"] == str(words)]
        cells = [f"{mine[0]['prompt_tokens']:>13}"]
        for name in ("itps", "otps"):
            ours, told = median(r[name] for r in mine), median(r["engine"][name] for r in mine)
            ratio = median(r[name] / r["engine"][name] for r in mine)
            worst = max(worst, abs(ratio - 1))
            cells.append(f"{ours:>9.1f} {told:>8.1f} {ratio:>8.3f}")
        print("   ".join([*cells, f"{mine[0]['answer_tokens']:>13}"]))
    ratios = (timing_figures(rows) or {})["clock_to_engine"]
    print(f"median of all requests: ITPS {ratios['itps']:.3f}, OTPS {ratios['otps']:.3f}")
    print(f"worst of the lengths: {worst:.1%} apart, {'within' if worst <= 0.05 else 'NOT within'} 5 %")


def prompt(words: int, tokens: int) -> Request:
    text = " ".join((TEXT * (1 + words // 19)).split()[:words])
    return Request([Message(role="user", content=f"Go on with this story: {text}")], max_tokens=tokens)


if __name__ == "__main__":
    main()
