"""Two finished benches, sample by sample: what the later one gained and what it lost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from lamina.bench.pairs import ALL, pair_row
from lamina.errors import InputError
from lamina.runs import Run
from lamina.tools.tool import JSON

Samples = dict[tuple[str, str], JSON]


def compare_runs(before: str | Path, after: str | Path) -> JSON:
    """``{"rows": [{"a", "b", "task", "metric", "difference", "low", "high", "n", "only_a", "only_b"}], "changed":
    [{"a", "b", "task", "sample", "right"}], "unpaired": n}``.

    Models of one name are compared with each other; where each run has a single one, those two. ``right`` counts
    samples of every kind. A sample that only one run has, that was not scored in one, or whose
    row is another one there, is unpaired. Raises InputError where a folder holds no bench or no model is in both.
    """
    one, two = _answers(Path(before)), _answers(Path(after))
    pairs = [(name, name) for name in one if name in two]
    if len(one) == len(two) == 1:
        pairs = [(next(iter(one)), next(iter(two)))]
    if not pairs:
        what = f"no model is in both runs ({', '.join(one)}; {', '.join(two)})"
        raise InputError(what, file=after, mend="compare runs that benched the same models")
    rows: list[JSON] = []
    changed: list[JSON] = []
    unpaired = 0
    for a, b in pairs:
        names = (a, b) if a != b else (f"{before}: {a}", f"{after}: {b}")
        shared = [key for key, record in one[a].items() if two[b].get(key, {}).get("row") == record["row"]]
        unpaired += len(one[a]) + len(two[b]) - 2 * len(shared)
        rows += _rows(names, shared, one[a], two[b])
        changed += [
            {"a": names[0], "b": names[1], "task": task, "sample": sample, "right": now}
            for task, sample in shared
            if (now := two[b][task, sample]["right"]) != one[a][task, sample]["right"]
        ]
    return {"rows": rows, "changed": changed, "unpaired": unpaired}


def _rows(
    names: tuple[str, str], shared: list[tuple[str, str]], one: Mapping[tuple[str, str], JSON], two: Samples
) -> list[JSON]:
    answers = {key: (bool(one[key]["right"]), bool(two[key]["right"])) for key in shared}
    tasks = list(dict.fromkeys(task for task, _ in shared))
    rows = [
        row
        for task in tasks
        for row in pair_row(*names, task, "right", [v for k, v in answers.items() if k[0] == task])
    ]
    return rows + (pair_row(*names, ALL, "right", list(answers.values())) if len(tasks) > 1 else [])


def _answers(folder: Path) -> dict[str, Samples]:
    """The samples of each model by task and id."""
    with Run.at(folder) as run:
        found: dict[str, Samples] = {}
        for row in run.store.iterate("sample"):
            record = orjson.loads(row.payload)
            if record["scores"].get("unscored"):
                continue
            name = f"{record['model']} {record['precision']}".strip()
            found.setdefault(name, {})[record["task"], record["sample"]] = record
    if not found:
        raise InputError("holds no benched samples", file=folder, mend="name the --out folder of 'lamina bench'")
    return found
