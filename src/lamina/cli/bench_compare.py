"""``lamina bench compare``: two benches, sample by sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show, table

MEASURES = {
    "bytes": ("file size", 1e-6, "MB"),
    "peak_rss_bytes": ("peak memory", 1e-6, "MB"),
    "steady_rss_bytes": ("steady memory", 1e-6, "MB"),
    "load_seconds": ("loading", 1, "s"),
    "tokens_per_second": ("writing, as in use", 1, "tokens/s"),
    "prompt_tokens_per_second": ("reading, as in use", 1, "tokens/s"),
    "first_token_seconds": ("first token, as in use", 1, "s"),
    "ttft_seconds": ("first token, whole prompt", 1, "s"),
    "itps": ("reading, whole prompt", 1, "tokens/s"),
    "otps": ("writing", 1, "tokens/s"),
    "total_seconds": ("whole request", 1, "s"),
}
"""What a measure is called, and in which unit it is shown."""


def compare(
    before: Annotated[Path, typer.Argument(metavar="RUN", help="A bench's folder.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="RUN", help="The one to compare with it.", show_default=False)],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two benches of the same samples, with 95 % intervals of the difference.

    Right and wrong, every other score of a sample in pairs, then size, memory and speed side by side.
    Models of one name are compared; where each run has a single model, those two.
    """
    from lamina.bench import compare_runs

    found = compare_runs(before, after)
    lines = table(_right(found["rows"])) or ["the runs have no sample in common"]
    for part in (_metrics(found["metrics"]), _figures(found["figures"]), _resources(found["resources"])):
        lines += ["", *table(part)] if part else []
    if not found["resources"]:
        lines.append("size, memory and speed are not compared: no model was measured in both runs")
    if found["machines"]:
        differs = "; ".join(f"{name} {one} and {two}" for name, (one, two) in found["machines"].items())
        lines.append(f"speed and memory are of different machines: {differs}")
    if found["unpaired"]:
        lines.append(f"{found['unpaired']} samples have no partner in the other run and are left out")
    show(found, as_json=as_json, lines=lines)


def _difference(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['difference']:+.3f}", f"[{row['low']:+.3f}, {row['high']:+.3f}]"


def _right(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (r["task"], r["b"], *_difference(r), f"gained {r['only_b']}", f"lost {r['only_a']}", f"n={r['n']}")
        for r in rows
    ]


def _metrics(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (f"{r['task']} {r['metric']}", r["b"], f"{r['before']:.3f} to {r['after']:.3f}", *_difference(r),
         f"higher {r['higher']}", f"lower {r['lower']}", f"n={r['n']}")
        for r in rows
    ]  # fmt: skip


def _figures(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    def shown(side: dict[str, Any]) -> str:
        return f"{side['value']:.3f} [{side['low']:.3f}, {side['high']:.3f}]"

    return [
        (f"{r['task']} {r['metric']}", r["b"], f"{shown(r['before'])} to {shown(r['after'])}", "not in pairs")
        for r in rows
    ]


def _resources(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """An interval of a speed says more than its ratio: where the two meet, that is said."""
    found: list[tuple[str, ...]] = []
    for row in rows:
        name, scale, unit = MEASURES.get(row["measure"], (row["measure"], 1, ""))

        def shown(side: dict[str, Any], scale: float = scale) -> str:
            value = _number(side["value"] * scale)
            if side["low"] is None:
                return value
            return f"{value} [{_number(side['low'] * scale)}, {_number(side['high'] * scale)}]"

        ratio = f"x {row['ratio']:.2f}" if row["ratio"] is not None else ""
        said = {True: "intervals apart", False: "intervals meet", None: ""}[row["apart"]]
        found.append((name, row["b"], f"{shown(row['before'])} to {shown(row['after'])} {unit}", ratio, said))
    return found


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


app = verb(compare, example="lamina bench compare runs/before runs/after")
