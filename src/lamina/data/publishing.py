"""Publishing: a run's rows as a data set that others can load, with a card that says how they came about.

The folder that goes to a hub is made first and stays in the run, so that a person can read what will be public."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamina.data.packing import pack
from lamina.data.without_paths import command_without_paths, unused, without_paths
from lamina.errors import InputError, MissingExtraError, WorkFailedError, first_line
from lamina.runs import Run
from lamina.trajectories import Trajectory, TrajectoryStore
from lamina.trajectories.trajectory import json_line

SIDES = ("train", "validation", "test")
WHOLE = "train"
"""Where rows go that no split has."""
FOLDER = "hub"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
NOT_COMPARED = "Not compared with any evaluation set: it may hold requests that a model will be scored on."
JSON = dict[str, Any]


def prepare(run: Run, name: str, license: str) -> Path:
    """Writes RUN/hub: Parquet for each part of the split and ``README.md``, the card. Rows that the split set aside
    (copies of evaluation requests, surplus) are not in it. Raises InputError for a run without rows."""
    folder = run.folder / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    lines = {side: folder / f"{side}.jsonl" for side in SIDES}
    counts: dict[str, Counter[str]] = {key: Counter() for key in ("side", "style", "tool", "license")}
    files = {side: path.open("wb") for side, path in lines.items()}
    cut: set[str] = set()
    try:
        for row in TrajectoryStore(run.store).trajectories():
            side = row.meta.split or WHOLE
            if side not in SIDES:
                counts["side"][side] += 1
                continue
            files[side].write(json_line(_public(row, cut)) + b"\n")
            _count(counts, side, row)
    finally:
        for file in files.values():
            file.close()
    taken = {side: counts["side"][side] for side in SIDES if counts["side"][side]}
    if not taken:
        raise InputError("has no rows to publish", file=run.folder, mend="name the run of a synth, import or mix")
    for side, path in lines.items():
        if side in taken:
            pack(path, folder / "data" / f"{side}.parquet")
        path.unlink()
    (folder / "README.md").write_text(card(run, name, license, counts), encoding="utf-8")
    return folder


def push(folder: Path, name: str, *, private: bool, endpoint: str | None = None) -> str:
    """Uploads a prepared folder as the data set ``ORG/NAME``; returns its address. The token is the hub library's own
    (its login, or HF_TOKEN) and is never read here. Raises MissingExtraError, InputError for a name that is none,
    WorkFailedError with the hub's answer, or why it gave none."""
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
    except ImportError:
        raise MissingExtraError("huggingface_hub", "train") from None

    api = HfApi(endpoint=endpoint)
    try:
        made = api.create_repo(name, repo_type="dataset", private=private, exist_ok=True)
        api.upload_folder(folder_path=folder, repo_id=name, repo_type="dataset", commit_message="Data set and its card")
    except LocalTokenNotFoundError:
        raise InputError("the hub asks who you are", mend="log in with 'hf auth login', or set HF_TOKEN") from None
    except HFValidationError as error:
        raise InputError(f"the hub takes no data set of the name {name} ({first_line(error)})") from None
    except HfHubHTTPError as error:
        unknown = getattr(error.response, "status_code", None) == 401
        mend = "; log in with 'hf auth login', or set HF_TOKEN" if unknown else ""
        raise WorkFailedError(f"the hub did not take it: {first_line(error)}{mend}") from None
    except Exception as error:  # of its HTTP library, of which it has had three, or of the disk
        raise WorkFailedError(
            f"the hub could not be asked: {first_line(error)}; check network and --endpoint"
        ) from None
    return str(made)


def card(run: Run, name: str, license: str, counts: Mapping[str, Counter[str]]) -> str:
    """The text of ``README.md``: header for the hub, rows, how they were verified, configuration, command."""
    sides = counts["side"]
    total = sum(sides[side] for side in SIDES)
    lines = [*_header(license, sides, total), f"# {name.rpartition('/')[2]}", ""]
    lines += [f"{total:,} trajectories with tool calls, made by Lamina. {_split_said(sides)}", ""]
    made = run.result("synth") or {}
    if made:
        lines += [*_written_by(made.get("composition", {})), *_yields(made), ""]
    lines += ["## Styles and functions", "", *_table(("style", "rows"), counts["style"].most_common())]
    lines += ["", *_table(("function", "calls"), counts["tool"].most_common(50)), ""]
    if sources := [row for row in counts["license"].most_common() if row[0]]:
        lines += ["## Licences of the rows' sources", "", *_table(("licence", "rows"), sources), ""]
    lines += ["## Made by", ""]
    if commands := (run.result("environment") or {}).get("commands"):
        lines += ["```console", *map(command_without_paths, commands), "```", ""]
    lines += [
        "with this configuration:",
        "",
        "```json",
        json.dumps(without_paths(run.config), indent=1, ensure_ascii=False),
        "```",
        "",
    ]
    return "\n".join(lines)


def _public(row: Trajectory, given: set[str]) -> JSON:
    """A row as it is sent. Rows that came without an id are named after their file, with its folders; ``given`` are the
    ids that were cut so far. What a request, a call or a result says is data and stays."""
    kept = row.model_dump(exclude_none=True)
    kept["meta"] = {key: without_paths(v) if isinstance(v, str) else v for key, v in kept["meta"].items()}
    if (cut := without_paths(row.id)) != row.id:
        kept["id"] = unused(cut, given)
        given.add(kept["id"])
    return kept


def _count(counts: Mapping[str, Counter[str]], side: str, row: Trajectory) -> None:
    counts["side"][side] += 1
    counts["style"][row.meta.style or "not known"] += 1
    counts["tool"].update(call.name for call in row.calls)
    counts["license"][row.meta.license] += 1


def _header(license: str, sides: Counter[str], total: int) -> list[str]:
    size = next((name for most, name in SIZES if total < most), "n>1M")
    data = [f"  - split: {side}\n    path: data/{side}.parquet" for side in SIDES if sides[side]]
    tags = ["- function-calling", "- tool-calling", "- synthetic"]
    head = ["---", f"license: {license}", "task_categories:", "- text-generation", "tags:", *tags]
    return [
        *head,
        f"size_categories:\n- {size}",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *data,
        "---",
        "",
    ]


def _split_said(sides: Counter[str]) -> str:
    said = ", ".join(f"{sides[side]:,} {side}" for side in SIDES if sides[side])
    aside = ", ".join(f"{count:,} {side}" for side, count in sides.items() if side not in SIDES)
    return f"Split by group: {said}." + (f" Not in it: {aside}." if aside else "")


def _written_by(composition: Mapping[str, int]) -> list[str]:
    """Of the whole run, rows that were set aside among them; empty for a run of an earlier version."""
    names = {
        "your examples": "a person (examples)",
        "your examples with other values": "a program (these examples with other values)",
        "the grammar": "a program (a grammar)",
    }
    who = {name: names.get(name) or f"the model {without_paths(name)}" for name in composition}
    said = [f"{count:,} by {who[name]}" for name, count in composition.items()]
    return [f"Written: {', '.join(said)}.", ""] if said else []


def _yields(made: JSON) -> list[str]:
    """The table of stages (APIGen, arXiv 2406.18518, table 1) with what each stage rejected and why."""
    rows = [
        (stage, f"{sum(reasons.values()):,}", "; ".join(f"{why} {count:,}" for why, count in reasons.items()))
        for stage, reasons in made.get("rejected", {}).items()
    ]
    judge = made.get("judge", {})
    trust = f"{judge['agreed']} of {judge['rows']} labelled rows" if judge.get("rows") else "no judge was asked"
    if judge.get("usable") is False:
        trust += f"; it did not count, for {judge.get('why', 'it is near chance')}; rows are marked unjudged"
    own = made.get("composition", {}).get("your examples", 0)
    passed, beside = made.get("verified", 0) - own, f", and {own:,} examples of a person's" if own else ""
    return [
        "## How the rows were verified", "",
        f"{made.get('targets', 0):,} attempts, {passed:,} verified rows of them{beside}; calls ran in a sandbox of "
        f"level {made.get('sandbox', 'none')}. Agreement of the judge: {trust}.", "",
        *_table(("stage", "rejected", "reasons"), rows),
        *_yields_by_style(made.get("by_style", {})),
        *_compared(made.get("compared_with")),
    ]  # fmt: skip


def _yields_by_style(styles: JSON) -> list[str]:
    """Empty for a run of an earlier version, which did not count them."""
    rows = []
    for style, one in styles.items():
        failed = {stage: sum(reasons.values()) for stage, reasons in one["failed"].items()}
        tried = one["passed"] + sum(failed.values())
        where = "; ".join(f"{stage} {count:,}" for stage, count in failed.items())
        rows.append((style, f"{tried:,}", f"{one['passed']:,}", f"{one['passed'] / max(1, tried):.0%}", where))
    return ["", *_table(("style", "attempts", "verified", "yield", "failed at"), rows)] if rows else []


def _compared(files: list[str] | None) -> list[str]:
    """None where the run does not say."""
    if files is None:
        return []
    named = f"Compared with {', '.join(files)}: copies of their requests are set aside." if files else NOT_COMPARED
    return ["", named]


def _table(head: tuple[str, ...], rows: list[Any]) -> list[str]:
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in [list(head), ["---"] * len(head), *cells]]
