"""How far models agree with rows that people labelled: as judge of requests, as judge of steps, as rater of thoughts.

usage: model_checks.py MODEL…

60 requests with their calls, 30 next steps of dialogues, 30 thoughts before a call, half of each wrong. A model whose
interval reaches one half is not used by `lamina data check` and `lamina synth` (docs/results/model-checks.md)."""

from __future__ import annotations

import sys
import time

from lamina.checks import measure_agreement
from lamina.checks.rating import measure_rating_agreement
from lamina.checks.stepwise import measure_step_agreement
from lamina.models import open_model

ASKED = {"requests": measure_agreement, "steps": measure_step_agreement, "thoughts": measure_rating_agreement}


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print("| model | labelled | agrees | 95 % interval | passed | unreadable | used | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for ref in sys.argv[1:]:
        model = open_model(ref)
        try:
            for name, measure in ASKED.items():
                started = time.perf_counter()
                found = measure(model)
                print(
                    f"| {ref.rpartition('/')[2]} | {found.rows} {name} | {found.agreed} ({found.rate:.0%}) | "
                    f"{found.low:.0%} to {found.high:.0%} | {found.passed} | {found.unreadable} | "
                    f"{'yes' if found.usable else 'no'} | "
                    f"{time.perf_counter() - started:.0f} |",
                    flush=True,
                )
        finally:
            model.close()


if __name__ == "__main__":
    main()
